"""What the pages of barrier models say and let people do, without a browser."""

import re
from uuid import uuid4

import pytest
from flask import Flask

from app.barriers import model_changes, modelling
from tests.app.barriers.ground import in_force, own_text, registered, submitted
from tests.app.barriers.pages import ABROAD, HOME, Hall, file_of, make_hall, said
from tests.app.barriers.texts import TEXT, changed, model
from tests.app.patterns.writing import act
from tests.app.visiting import Visitor


@pytest.fixture
def hall(app: Flask) -> Hall:
    return make_hall(app)


def address_of(page: str, title: str) -> str:
    """Where the list leads to for a model."""
    found = re.search(rf'<h3><a href="([^"]+)">(?:<span[^>]*>)?{re.escape(title)}<', page)
    assert found, page
    return found[1]


def test_a_model_is_read_with_its_label_sources_and_rules_and_taken_away(
    hall: Hall, app: Flask
) -> None:
    visitor = Visitor(app, hall.analyst)
    listed = visitor.get("/barriers/models")
    assert "✓ the one we use" in said(listed)
    assert "the platform's own; version 1 of the text" in said(listed)
    address = address_of(listed, "Ons eigen model")
    page = visitor.get(address)
    words = said(page)
    assert "a model of one's own" in words
    assert "Het werkmodel van een korps." in words
    assert '<span lang="nl">Geschenken naar Noorwegen.</span>' in page
    assert 'href="#source-1"' in page
    assert 'id="source-1"' in page
    assert "gift and (north or seen)." in words
    assert "north (country of destination: NO, SE), seen (how it was learned told)" in words
    assert "Who can set it Politie" in words
    assert "Cost low (estimate of the makers)" in words
    assert "press report: speaks for it" in words
    assert "We have set it: register it" in words
    assert "Use this model" not in words
    answer = visitor.client.get(f"{address}/versions/1/text")
    assert answer.get_data(as_text=True).startswith("format: barrier-model/1")
    assert "attachment" in answer.headers["Content-Disposition"]
    visitor.get(f"{address}/versions/2/text", 404)
    assert "There are no two versions" in said(visitor.get(f"{address}/compare"))
    officer = Visitor(app, hall.officer)
    assert "register it" not in said(officer.get(address))
    officer.get("/barriers/models/new", 403)
    for path in (address, f"{address}/compare"):  # in French
        visitor.client.set_cookie("postern_language", "fr")
        assert "Ons eigen model" in visitor.get(path)


def test_a_text_with_faults_is_told_line_by_line_and_nothing_of_it_is_lost(
    hall: Hall, app: Flask
) -> None:
    writer = Visitor(app, hall.analyst)
    faulty = own_text().replace("cost: low", "cost: cheap")
    page = writer.post("/barriers/models/new", 200, text=faulty, do="check")
    assert "1 fault" in said(page)
    assert "cost: cheap" in page
    assert "cost is not a word of its list." in said(page)
    page = writer.post("/barriers/models/new", 422, text=faulty, do="propose")
    assert "Nothing was changed." in page
    assert "line 42, column 15" in said(page)
    assert "cost: cheap" in page  # nothing is lost
    page = writer.post("/barriers/models/new", 200, text=own_text(), do="check")
    assert "No fault" in said(page)
    assert "2 steps" in said(page)
    page = writer.post("/barriers/models/new", 422, text="x", file=file_of(b"\xff\xfe"))
    assert "The file is not UTF-8." in page
    page = writer.post("/barriers/models/new", 422, text=own_text(), community="nowhere")
    assert "Name a community that your organisation is in." in page

    assert [each.details["refusal"] for each in hall.exchange.entries("model.draft")] == [
        "model-refused",
        "invalid-request",
        "invalid-request",
    ]


def test_a_model_is_proposed_by_one_person_put_in_force_by_another_and_chosen(
    hall: Hall, app: Flask
) -> None:
    writer, decider = Visitor(app, hall.analyst), Visitor(app, hall.decider)
    address = writer.post(
        "/barriers/models/new", file=file_of(own_text().encode()), community="postal-exchange"
    ).removesuffix("?done=proposed")
    assert "You proposed it, so you cannot decide on it." in writer.get(address)
    assert "waits for a second person" in said(writer.get("/barriers/models"))
    Visitor(app, hall.exchange.people[ABROAD]).get(address, 404)
    waits = "version of a barrier model waits for your decision"
    assert waits in said(decider.get("/"))
    writer.post(f"{address}/approve", 403, version="1")
    page = decider.post(f"{address}/refuse", 422, version="1", note=" ")
    assert "Say why in up to 500 characters" in page
    page = decider.post(f"{address}/approve", 409, version="7", note="kept")
    assert "does not wait for a decision" in page
    assert ">kept</textarea>" in page
    decider.post(f"{address}/approve", version="1", note="Sound")
    assert "Sound" in said(writer.get(address))
    assert waits not in said(decider.get("/"))
    assert "Members" not in said(Visitor(app, hall.exchange.people[ABROAD]).get(address))

    writer.post(f"{address}/choose", 403)
    assert decider.post(f"{address}/choose").endswith("done=chosen")
    assert "by your organisation" in said(writer.get("/barriers/models"))
    assert "✓ the one we use" in said(writer.get(address))


def test_the_next_version_is_compared_with_the_one_in_force_in_words(
    hall: Hall, app: Flask
) -> None:
    writer, decider = Visitor(app, hall.analyst), Visitor(app, hall.decider)
    address = f"/barriers/models/{in_force(hall.exchange, HOME)}"
    page = writer.get(f"{address}/next")
    assert "version: 1" in page
    page = writer.post(f"{address}/next", 422, text=own_text())
    assert "Its version is 1, and 1 is in force. Write version: 2" in said(page)
    second = own_text(2, "De tweede").replace("cost: low", "cost: high")
    assert writer.post(f"{address}/next", text=second).endswith("done=proposed")
    page = decider.get(address)
    words = said(page)
    assert "Het model van een lid" in words
    assert "→ De tweede" in words
    assert "≠ changed" in words
    assert "Cost low → high" in words
    assert "which is not in force" in said(decider.get(f"{address}?shown=2"))
    writer.post(f"{address}/withdraw", version="2")
    writer.post(f"{address}/withdraw", 409, version="2")
    assert "withdrawn" in said(writer.get(address))
    compared = said(writer.get(f"{address}/compare"))
    assert "From version 1 to version 2" in compared
    assert "The second version is not the later one" in said(
        writer.get(f"{address}/compare?from=2&to=1")
    )
    assert "There is no such version" in said(writer.get(f"{address}/compare?from=1&to=9"))


def test_another_members_model_is_not_there_unless_it_was_made_for_a_community(
    hall: Hall, app: Flask
) -> None:
    own = in_force(hall.exchange, ABROAD)
    visitor, decider = Visitor(app, hall.analyst), Visitor(app, hall.decider)
    absent = said(visitor.get(f"/barriers/models/{uuid4()}", 404))
    assert said(visitor.get(f"/barriers/models/{own}", 404)) == absent
    for path in ("compare", "versions/1/text", "next"):
        visitor.get(f"/barriers/models/{own}/{path}", 404)
    visitor.get(f"/barriers/models/new?from={own}", 404)
    for verb in ("approve", "refuse", "choose"):
        decider.post(f"/barriers/models/{own}/{verb}", 404, version="1", note="x")
    for verb in ("withdraw", "next"):
        visitor.post(f"/barriers/models/{own}/{verb}", 404, version="1", text="x")
    platforms = act(hall.exchange, modelling.list_models, hall.analyst.caller)[0]
    address = f"/barriers/models/{platforms.model.public_id}"
    visitor.get(f"{address}/next", 404)
    copy = visitor.get(f"/barriers/models/new?from={platforms.model.public_id}")
    assert "status: own" in copy
    assert "id: 11111111-2222" not in copy
    assert visitor.post("/barriers/models/new", text=_text_in(copy)).endswith("done=proposed")
    assert len(act(hall.exchange, modelling.list_models, hall.exchange.caller(HOME))) == 2


def _steps() -> tuple[str, str]:
    place = TEXT.index("  - number: 2")
    return TEXT[TEXT.index("  - number: 1") : place], TEXT[place:]


def _text_in(page: str) -> str:
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert found
    return found[1].replace("&#39;", "'").replace("&amp;", "&")


def test_changes_name_what_was_and_what_is_of_each_part_wherever_it_stands() -> None:
    before = model()
    head, one, two = TEXT.partition("  - number: 1")[0], *_steps()
    swapped = head + changed("number: 2", "number: 1", two) + changed("number: 1", "number: 2", one)
    after = model(changed("version: 1", "version: 2", swapped))
    found = model_changes.changes(before, after, "en")
    assert found.is_later
    assert {(each.part.value, each.step, each.step_before) for each in found.parts} == {
        ("step", 1, 2),
        *((part, 2, 1) for part in ("step", "opportunity", "signal", "facilitator", "barrier")),
        ("partner", 2, 1),
    }
    other = changed(
        "{title: Jaarverslag", "{title: Jaarboek", changed("sectors: [police]", "sectors: []")
    )
    (sources, partners) = model_changes.changes(before, model(other), "en").document
    assert (sources.before, sources.after) == ("Jaarverslag", "Jaarboek")
    assert (partners.before, partners.after) == ("Politie", "Politie")
    same = model_changes.changes(before, model(changed("version: 1", "version: 2")), "en")
    assert same.is_empty


def test_what_a_model_says_stays_text_wherever_it_is_shown(hall: Hall, app: Flask) -> None:
    hostile = """'">{{ 7 * 6 }}<script>x</script>'"""
    text = own_text()
    for words in ("Het model van een lid", "Inkopen", "De winkel vraagt waarom.", "Politie"):
        text = changed(words, hostile, text)
    text = changed("Geschenken naar Noorwegen.", hostile, changed("Jaarverslag", hostile, text))
    writer, decider = Visitor(app, hall.analyst), Visitor(app, hall.decider)
    address = writer.post("/barriers/models/new", text=text).partition("?")[0]
    decider.post(f"{address}/approve", version="1")
    decider.post(f"{address}/choose")
    report_id = submitted(hall.exchange, HOME, declared_category="gift", destination_country="NO")
    given = {"version": "1", "step": "1", "signal": "norway-gifts"}
    writer.post(f"/barriers/tags/{report_id}", **given)
    registered(hall.exchange, HOME)
    later = changed("Er wordt verstuurd.", hostile, changed("version: 1", "version: 2", text))
    writer.post(f"{address}/next", text=later)
    for path in (
        "/barriers/models",
        address,
        f"{address}/compare",
        f"{address}/next",
        "/barriers",
        "/barriers/gaps",
        "/barriers/new",
        f"/barriers/tags/{report_id}",
        f"/reports/{report_id}",
    ):
        page = writer.get(path)
        assert "<script>x" not in page, path
        assert '">{{' not in page, path
        assert "&lt;script&gt;x" in page, path
        assert "&#34;&gt;{{ 7 * 6 }}" in page, path
