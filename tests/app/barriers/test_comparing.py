"""Two versions beside each other: what came, what went, and which tags are gone."""

from app.barriers.comparing import Moved, Named, Part, Reworded, Tag, compared, gone
from tests.app.barriers.texts import changed, model

LATER = changed("version: 1", "version: 2")


def test_the_same_text_with_a_higher_version_differs_in_nothing() -> None:
    found = compared(model(), model(LATER))
    assert found.is_empty
    assert found.objections == ()


def test_a_text_that_is_no_later_version_is_objected_to() -> None:
    other = changed("id: 1", "id: 2")
    assert [each[:18] for each in compared(model(), model(other)).objections] == [
        "It has another id:",
        "Its version is 1, ",
    ]


def test_what_was_added_and_removed_is_named_with_its_step() -> None:
    text = changed("key: seller", "key: landlord", LATER)
    found = compared(model(), model(text))
    assert found.added == (Named(Part.FACILITATOR, 1, "landlord"),)
    assert found.removed == (Named(Part.FACILITATOR, 1, "seller"),)
    assert [found.moved, found.reworded, found.changed, found.heading] == [()] * 4
    without = LATER[: LATER.index("  - number: 2")]
    assert compared(model(), model(without)).removed == (Named(Part.STEP, 2, "send"),)


def test_a_text_that_is_said_otherwise_is_reworded_in_its_languages() -> None:
    for old, part, key in (
        ("De verkoper.", Part.FACILITATOR, "seller"),
        ("Er wordt ingekocht.", Part.STEP, "buy"),
        ("Het hielp.", Part.BARRIER, "ask-why"),
    ):
        found = compared(model(), model(changed(old, "Anders gezegd.", LATER)))
        assert found.reworded == (Reworded(Named(part, 1, key), ("nl",)),)
        assert [found.added, found.removed, found.changed] == [()] * 3


def test_what_is_meant_otherwise_is_changed_and_not_reworded() -> None:
    for old, new, part, key in (
        ("[NO, SE]", "[NO]", Part.SIGNAL, "norway-gifts"),
        ("cost: low", "cost: high", Part.BARRIER, "ask-why"),
        ("finding: supports", "finding: unclear", Part.BARRIER, "ask-why"),
        ("legal_basis: not_known", "legal_basis: {text: {nl: W.}, sources: [report]}",
         Part.BARRIER, "ask-why"),
        ("basis: judgement}\n    barriers", "basis: stated, sources: [report]}\n    barriers",
         Part.PARTNER, "police"),
    ):  # fmt: skip
        found = compared(model(), model(changed(old, new, LATER)))
        assert [(each.part, each.key) for each in found.changed] == [(part, key)], old
        assert (found.added, found.removed) == ((), ())


def test_a_partner_of_two_steps_is_told_apart_by_its_step() -> None:
    cells = "    partners:\n      - {key: police, text: {nl: Ziet meer.}, basis: judgement}\n"
    found = compared(model(), model(LATER + cells))
    assert found.added == (Named(Part.PARTNER, 2, "police"),)
    assert (found.moved, found.reworded) == ((), ())


def test_a_signal_at_another_step_has_moved() -> None:
    start, end = LATER.index("    signals:"), LATER.index("    facilitators:")
    text = LATER[:start] + LATER[end:] + LATER[start:end]
    found = compared(model(), model(text))
    assert found.moved == (Moved(Named(Part.SIGNAL, 2, "norway-gifts"), 1),)
    assert (found.added, found.removed) == ((), ())


def test_a_change_of_the_document_itself_is_told() -> None:
    found = compared(model(), model(changed("status: own", "status: official", LATER)))
    assert found.heading == ("status",)
    assert not found.is_empty


def test_tags_that_a_version_does_not_know_are_gone() -> None:
    known = [Tag("buy"), Tag("buy", "norway-gifts"), Tag("buy", "ask-why")]
    unknown = [Tag("send", "norway-gifts"), Tag("hide"), Tag("buy", "seller")]
    assert gone(model(), [*known, *unknown]) == tuple(unknown)
    without = changed("key: norway-gifts", "key: gifts", changed("key: ask-why", "key: ask"))
    assert gone(model(without), known) == tuple(known[1:])
