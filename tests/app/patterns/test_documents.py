"""A document is judged whole, and never executed or stored by that."""

from app import clock
from app.patterns import documents
from app.patterns.documents import check, try_rows
from tests.app.patterns.writing import document


def looked_at(text: str, language: str = "en") -> documents.Checked:
    return check(text, clock.now().date(), language)


def test_a_sound_document_is_ready_and_explained_in_the_language_asked_for() -> None:
    checked = looked_at(document())
    assert checked.is_ready
    assert [(each.must_hit, each.hit) for each in checked.examples] == [
        (True, True),
        (False, False),
    ]
    assert checked.stix is not None
    assert checked.stix.losses == ()
    assert looked_at(document(), "nl").explanation != checked.explanation
    assert looked_at(document(), "xx").explanation == checked.explanation
    # Whatever a browser does to the ends of lines, the digest is that of what is stored.
    assert looked_at(document().replace("\n", "\r\n")).sha256 == checked.sha256


def test_a_document_that_may_not_be_shared_says_where_and_why() -> None:
    for text, key, word in (
        (document(days=0), "expires", "passed"),
        (document(days=732), "expires", "ahead"),
        (document(title="Ask someone@mailbox.example"), "title", "e-mail"),
        (
            document() + "---\n" + document("5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a02"),
            "format",
            "several",
        ),
    ):
        checked = looked_at(text)
        (fault,) = checked.faults
        assert not checked.is_ready
        assert word in fault.reason
        assert text.split("\n")[fault.line - 1].startswith(f"{key}:")
    # The last day that is allowed is allowed.
    assert looked_at(document(days=731)).is_ready


def test_what_cannot_be_read_has_faults_and_nothing_else() -> None:
    for text in ("", "][", "format: parcel-pattern/1", "x" * (documents.LARGEST_TEXT + 1)):
        checked = looked_at(text)
        assert checked.faults
        assert (checked.rule, checked.explanation, checked.examples) == (None, "", ())


def test_a_test_of_its_own_that_fails_keeps_it_from_being_ready() -> None:
    checked = looked_at(document(weight=700))
    assert checked.faults == ()
    assert not checked.is_ready
    assert [each.passed for each in checked.examples] == [False, True]


def test_tests_with_too_many_parcels_are_refused_without_being_tried() -> None:
    many = "\n".join(
        "    - [{declared_category: gift, times: 100}, {declared_category: other, times: 100}]"
        for _ in range(11)
    )
    text = document().replace("  miss:\n", f"  miss:\n{many}\n")
    checked = looked_at(text)
    assert [each.reason for each in checked.faults] == ["The tests have too many parcels."]
    assert checked.examples == ()


def test_typed_parcels_are_tried_and_their_faults_named_by_field() -> None:
    rule = looked_at(document()).rule
    assert rule is not None
    tried = try_rows(
        rule,
        [
            {"declared_category": "documents", "net_weight_g": "200", "contents": " "},
            {"declared_category": "gift"},
        ],
    )
    assert [(each.number, each.hit) for each in tried.rows] == [(1, True), (2, False)]
    assert "200" in tried.rows[0].reason
    wrong = try_rows(rule, [{"declared_category": "gift"}, {"net_weight_g": "much"}])
    assert wrong.rows == ()
    assert [(each.number, each.field) for each in wrong.faults] == [(2, "net_weight_g")]
