"""What the pages of patterns say and let people do, without a browser."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from app import clock
from app.access import CONSOLE
from app.indicators.telling import Grounds
from app.patterns import filters, screening_quota
from postern.vocabulary import EvaluationKind, LegalBasis, Purpose
from tests.app.exchange import make_exchange
from tests.app.patterns.shelf import HOME, Shelf, make_shelf, starter
from tests.app.visiting import Visitor

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What the verbs do is tested on both databases; here is only how pages ask them."""

pytestmark = on_one_database


@pytest.fixture
def shelf(app: Flask) -> Shelf:
    return make_shelf(make_exchange(app))


def titles(page: str) -> list[str]:
    return re.findall(r'<h3><a href="/patterns/[^"]+">([^<]+)</a></h3>', page)


def main_of(page: str) -> str:
    """The content of a page without ids, which differ, and without what each answer has anew."""
    return re.sub(r"[0-9a-f-]{36}", "", page[page.index("<main") : page.index("</main>")])


def said(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_patterns_are_found_by_shelf_and_words_and_shown_for_a_purpose(shelf: Shelf) -> None:
    visitor = Visitor(shelf.exchange.app, shelf.writer)
    assert len(titles(visitor.get("/patterns"))) == 6
    assert titles(visitor.get("/patterns?shelf=drafts")) == [
        "Undeliverable items that return to one person",
        "(a draft with faults)",
    ]
    assert titles(visitor.get("/patterns?shelf=subscribed")) == [
        "Documents fanned out from one posting area"
    ]
    (level,) = re.findall(r"^level: (\w+)", starter("documents-fan-out"), re.MULTILINE)
    assert titles(visitor.get(f"/patterns?level={level}&step=5&words=documents")) == [
        "Documents fanned out from one posting area"
    ]
    assert "No pattern fits" in visitor.get("/patterns?words=nowhere")
    assert titles(visitor.get("/patterns?step=9&level=none&shelf=odd&cursor=odd")) != []

    page = visitor.get("/patterns")
    assert "Shown for: parcel screening, postal law" in said(page)
    other = visitor.get("/patterns?for=risk_analysis.legal_obligation")
    assert "Shown for: risk analysis, legal obligation" in said(other)
    assert f"/patterns/{shelf.others}?for=risk_analysis.legal_obligation" in other
    assert "Shown for: parcel screening" in said(visitor.get("/patterns?for=fun.none"))

    address = f"/patterns/{shelf.others}"
    asked: dict[str, Any] = {"for": "risk_analysis.legal_obligation"}
    visitor.post(f"{address}/subscribe", **asked)
    assert "Shown for: risk analysis, legal obligation" in said(visitor.get(address))

    page = visitor.get(f"/patterns/{shelf.known}")
    assert "Its rule is not shown to you." in page
    assert "buddha" not in page.lower().replace("buddha statue", "").replace("buddha statues", "")
    assert "parcel-pattern/1" not in page
    assert "Subscribe" not in page
    assert "Its rule is not shown to you" in visitor.get(f"/patterns/{shelf.known}/compare")


def test_what_is_not_there_and_what_is_anothers_draft_are_the_same(shelf: Shelf) -> None:
    person = shelf.exchange.people["customs-nl"]
    visitor = Visitor(shelf.exchange.app, person)
    for path in ("", "/edit", "/compare", "/audience"):
        absent = visitor.get(f"/patterns/{uuid4()}{path}", 404)
        hidden = visitor.get(f"/patterns/{shelf.draft}{path}", 404)
        assert main_of(absent) == main_of(hidden)
    for verb in ("propose", "withdraw", "approve", "refuse", "discard", "deprecate", "edit"):
        visitor.post(f"/patterns/{shelf.draft}/{verb}", 404, revision="1", text="x", note="x")
    mine = Visitor(shelf.exchange.app, shelf.writer)
    assert mine.get(f"/patterns/{shelf.others}/edit", 404)
    decider = Visitor(shelf.exchange.app, shelf.decider)
    assert decider.get(f"/patterns/{shelf.others}/audience", 404)


def test_a_draft_keeps_faults_and_loses_nothing_to_an_older_one_until_it_is_thrown_away(
    shelf: Shelf,
) -> None:
    visitor = Visitor(shelf.exchange.app, shelf.writer)
    address = f"/patterns/{shelf.draft}/edit"
    page = visitor.get(address)
    assert "There is no field" in said(page)
    assert "Did you mean net_weight_g or gross_weight_g?" in said(page)
    page = visitor.post(f"/patterns/{shelf.draft}/propose", 422, revision="1")
    assert "Nothing was changed." in page
    assert "The document cannot be shared as it is" in page
    lines = starter("tablet-dies").split("\n")
    line = next(n for n, each in enumerate(lines, 1) if "net_weight_g" in each)
    assert f"line {line}" in said(page)

    text = starter("tablet-dies", "Dies, corrected")
    assert visitor.post(address, revision="1", text=text).endswith("done=saved")
    mine = starter("carved-vases", "Mine instead")
    page = visitor.post(address, 409, revision="1", text=mine)
    assert 'name="revision" value="2"' in page
    assert "Somebody has changed the draft since you read it" in page
    assert "Mine instead" in page
    assert "Dies, corrected" in visitor.get(address)

    form: dict[str, Any] = {"source_grade": "B", "substance": "mdma", "assertion": "odd"}
    form["handling"] = ["H0", "H2"]
    visitor.post(address, revision="2", text=starter("tablet-dies"), **form)
    page = visitor.get(address)
    assert re.search(r'value="B" selected', page)
    assert re.search(r'value="mdma" selected', page)
    assert re.search(r'value="H2" checked', page)
    assert re.search(r'value="assessment" selected', page)

    location = visitor.post(f"/patterns/{shelf.draft}/discard", revision="3")
    assert "The draft was thrown away." in visitor.get(location)
    visitor.get(f"/patterns/{shelf.draft}", 404)
    visitor.post(f"/patterns/{shelf.proposed}/discard", 409, revision="2")


def test_a_version_is_published_by_a_second_person_and_the_next_is_begun_from_it(
    shelf: Shelf,
) -> None:
    writer, decider = (
        Visitor(shelf.exchange.app, shelf.writer),
        Visitor(shelf.exchange.app, shelf.decider),
    )
    address = f"/patterns/{shelf.proposed}"
    assert "You had a part in it" in writer.get(address)
    writer.client.post(f"{address}/approve", data={"revision": "2"}, headers=writer.headers)
    assert "waits for a second person" in writer.get(address)
    assert "Say why" in decider.post(f"{address}/refuse", 422, revision="2", note=" ")
    assert decider.post(f"{address}/approve", revision="2").endswith("done=published")
    page = writer.get(address)
    assert "Write the next version" in page
    editor = writer.get(f"{address}/edit")
    assert "Write version 2" in editor
    assert "Undeliverable items" in editor
    text = starter("returns-to-a-stranger", "Returned, version two")
    made = re.sub(r"^id: .*$", _line("id", editor), text, flags=re.MULTILINE)
    writer.post(f"{address}/edit", text=made)
    writer.post(f"{address}/propose", revision="1")
    decided = decider.get(address)
    assert "≠ changed" in said(decided)
    decider.post(f"{address}/refuse", revision="2", note="Too wide.")
    assert "Too wide." in writer.get(address)


def _line(key: str, page: str) -> str:
    found = re.search(rf"^{key}: \S+$", page, flags=re.MULTILINE)
    assert found
    return found[0]


def test_a_decider_deprecates_with_a_reason_and_writes_nothing(shelf: Shelf) -> None:
    visitor = Visitor(shelf.exchange.app, shelf.decider)
    page = visitor.get(f"/patterns/{shelf.deprecated}")
    assert "It hit nothing in a year." in page
    assert f'href="/patterns/{shelf.own}"' in page
    address = f"/patterns/{shelf.own}/deprecate"
    assert "Say why" in visitor.post(address, 422, reason="")
    refused = visitor.post(address, 422, reason="Old.", superseded_by=str(shelf.others))
    assert "Name another published pattern of your organisation." in refused
    assert visitor.post(address, reason="Old.").endswith("done=deprecated")
    visitor.post(address, 409, reason="Again.")
    assert "Write a pattern" not in visitor.get("/patterns")
    visitor.get("/patterns/new", 403)
    visitor.post(f"/patterns/{shelf.draft}/edit", 403, text="x")


def test_figures_audiences_and_filters_are_told(shelf: Shelf) -> None:
    page = Visitor(shelf.exchange.app, shelf.writer).get(f"/patterns/{shelf.others}")
    assert re.search(r'data-low="0\.49\d+" data-value="0\.65" data-high="0\.77\d+"', page)
    assert "&lt; 5" in page
    assert "What your own organisation told" in page
    assert "Others told too little yet" in Visitor(shelf.exchange.app, shelf.writer).get(
        f"/patterns/{shelf.own}"
    )

    visitor = Visitor(shelf.exchange.app, shelf.exchange.people["customs-nl"])
    page = visitor.get(f"/patterns/{shelf.others}/audience")
    assert "Members of the exchange may screen with our patterns" in page
    own = Visitor(shelf.exchange.app, shelf.writer)
    decider = Visitor(shelf.exchange.app, shelf.decider)
    assert "It cannot be told yet" in decider.get(f"/patterns/{shelf.draft}/audience")
    proposed = decider.get(f"/patterns/{shelf.proposed}/audience")
    assert "The draft, were it published now" in proposed

    assert "No filter was made yet" in own.get("/filters")
    grounds = Grounds(Purpose.PARCEL_SCREENING, LegalBasis.POSTAL_LAW, "K-1")
    last = clock.now().date() + timedelta(days=30)
    with shelf.exchange.app.app_context(), shelf.exchange.database.transaction() as session:
        filters.make(session, shelf.exchange.people[HOME].caller, grounds)
        screening_quota.allow(
            session,
            CONSOLE,
            HOME,
            EvaluationKind.POSTAL,
            elements=50_000,
            ends_on=last,
            reason="x",
        )
    page = own.get("/filters")
    assert "50,000" in page
    assert "ready" in page
    assert "0 bytes" in page


def test_parcels_are_added_filled_from_a_test_tried_and_taken_out(app: Flask) -> None:
    visitor = Visitor(app, make_exchange(app).people[HOME])
    text = starter("documents-fan-out")
    line = next(n for n, each in enumerate(text.split("\n"), 1) if each.startswith("    - - "))
    page = visitor.post("/patterns/new", 200, text=text, do=f"example:{line}")
    fields = dict(re.findall(r'name="(parcel-0-\w+)"[^>]*value="([^"]*)"', page))
    assert fields["parcel-0-times"] == "5"
    assert fields["parcel-0-addressee"] == "each"
    chosen = {"declared_category": "documents", "service": "letter", "payment": "cash"}
    form = {**fields, **{f"parcel-0-{name}": word for name, word in chosen.items()}}
    assert "1 of 1 parcel hits." in said(
        visitor.post("/patterns/new", 200, text=text, do="try", **form)
    )
    added = visitor.post("/patterns/new", 200, text=text, do="add", **form)
    assert 'id="parcel-1-times"' in added
    taken = visitor.post("/patterns/new", 200, text=text, do="take:0", **form)
    assert 'id="parcel-0-times"' not in taken
    wrong = {**form, "parcel-0-origin_country": "Holland"}
    page = visitor.post("/patterns/new", 200, text=text, do="try", **wrong)
    assert "is not a word of origin_country" in said(page)
    kept = visitor.post("/patterns/new", text=text, do="save")
    assert UUID(kept.split("/")[2])
