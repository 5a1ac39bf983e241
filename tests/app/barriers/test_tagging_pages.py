"""How people tag on pages: one thing with its suggestions, and report after report."""

import re
from uuid import UUID, uuid4

import pytest
from flask import Flask

from app.barriers import modelling, tag_worklist
from app.indicators import service
from postern.vocabulary import Role
from tests.app.barriers.ground import load, submitted
from tests.app.barriers.pages import HOME, Hall, make_hall, said
from tests.app.barriers.texts import changed
from tests.app.exchange import SOPHIE, report
from tests.app.patterns.shelf import publish, starter
from tests.app.patterns.writing import act
from tests.app.people import make_person
from tests.app.visiting import Visitor


@pytest.fixture
def hall(app: Flask) -> Hall:
    return make_hall(app)


def gift(hall: Hall, key: str) -> UUID:
    """A report for which the small model suggests a signal of its first step."""
    return submitted(hall.exchange, HOME, key, declared_category="gift", destination_country="NO")


def step_of(hall: Hall, report_id: UUID) -> int | None:
    return act(hall.exchange, service.read_own, hall.analyst.caller, report_id).barrier_step


def test_a_report_is_tagged_from_its_suggestions_and_each_tag_stays(hall: Hall, app: Flask) -> None:
    report_id = gift(hall, "k1")
    visitor = Visitor(app, hall.analyst)
    page = visitor.get(f"/reports/{report_id}")
    assert "Nobody has tagged it by the barrier model yet." in said(page)
    address = f"/barriers/tags/{report_id}"
    assert f'href="{address}?of=report"' in page

    page = visitor.get(address)
    words = said(page)
    assert "1 Inkopen suggested" in words
    assert "Suggested because: declared category: gift; country of destination: NO" in words
    assert "a model of one's own" in words
    assert " checked" not in page  # nothing is chosen for the person

    page = visitor.post(address, 422, version="1", signal="norway-gifts")
    assert "Choose a step, or none of them." in said(page)
    assert 'value="norway-gifts" data-suggested' in page
    assert " checked" in page  # nothing is lost
    page = visitor.post(address, 422, version="1", step="9")
    assert "The model in use has 2 steps." in said(page)
    page = visitor.post(address, 409, version="7", step="1")
    assert "Another version of the barrier model is in use" in page
    visitor.post(address, 422, version="1", step="1", signal=[f"s{each}" for each in range(41)])

    done = visitor.post(address, version="1", step="1", signal="norway-gifts")
    assert done.endswith(f"{report_id}?of=report&done=tagged")
    assert step_of(hall, report_id) == 1
    visitor.post(address, version="1", step="none")
    words = said(visitor.get(f"{address}?done=tagged"))
    assert "at none of the steps" in words
    assert "Suggested and left out: Geschenken naar Noorwegen." in words
    assert "1 earlier tag" in words
    card = said(visitor.get(f"/reports/{report_id}"))
    assert "at none of the steps" in card
    assert "Step 1: Inkopen" in card
    assert hall.analyst.name in card

    reader = Visitor(app, hall.officer)
    assert "An analyst or submitter of your organisation tags it." in said(reader.get(address))
    assert "tags/" not in reader.get(f"/reports/{report_id}")
    reader.post(address, 403, version="1", step="1")
    owner = Visitor(app, hall.decider)
    assert "The tag that holds" in said(owner.get(address))

    visitor.post(f"/reports/{report_id}/withdraw", reason="error")
    assert "It cannot be tagged any more" in said(visitor.get(address))
    assert "Nothing was changed." in said(visitor.post(address, 409, version="1", step="1"))


def test_what_is_anothers_is_not_there_to_be_tagged(hall: Hall, app: Flask) -> None:
    report_id = gift(hall, "k1")
    other = Visitor(app, hall.exchange.people["police-de"])
    absent = said(other.get(f"/barriers/tags/{uuid4()}", 404))
    assert said(other.get(f"/barriers/tags/{report_id}", 404)) == absent
    other.post(f"/barriers/tags/{report_id}", 404, version="1", step="1")
    own = Visitor(app, hall.analyst)
    own.get(f"/barriers/tags/{report_id}?of=pattern", 404)
    own.get(f"/barriers/tags/{report_id}?of=person", 404)


def test_reports_without_a_step_are_decided_one_after_the_other(
    hall: Hall, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (gift(hall, key) for key in ("k1", "k2", "k3"))
    visitor = Visitor(app, hall.analyst)
    words = said(visitor.get("/barriers/tagging"))
    assert "3 reports wait" in words
    assert "What follows" in words
    assert shown(visitor.get("/barriers/tagging")) == third

    given = {"then": "next", "version": "1"}
    page = visitor.post(f"/barriers/tags/{third}", 422, **given)
    assert shown(page) == third
    assert "Choose a step, or none of them." in said(page)
    monkeypatch.setattr(tag_worklist, "MOST_COUNTED", 2)
    assert "More than 2 reports wait" in said(visitor.get("/barriers/tagging"))
    following = visitor.post(f"/barriers/tags/{third}", **given, step="1", signal="norway-gifts")
    assert following == "/barriers/tagging?done=tagged"
    page = visitor.get(following)
    assert "This is the next one." in said(page)
    assert shown(page) == second
    later = f"/barriers/tagging?before={second}"
    assert later in page
    assert shown(visitor.get(later)) == first
    following = visitor.post(f"/barriers/tags/{first}", **given, step="none", before=str(second))
    assert following == f"/barriers/tagging?done=tagged&before={second}"
    assert "You have seen all that wait" in said(visitor.get(following))
    assert "1 report waits" in said(visitor.get("/barriers/tagging?before=odd"))
    visitor.post(f"/reports/{second}/withdraw", reason="error")
    assert "No report waits" in said(visitor.get("/barriers/tagging"))
    Visitor(app, hall.officer).get("/barriers/tagging", 403)

    assert listed(visitor.get("/reports?step=none")) == {first, second}
    assert listed(visitor.get("/reports?step=1")) == {third}
    assert "Nothing was searched" in said(visitor.get("/reports?step=8", 422))


def shown(page: str) -> UUID:
    """The report that is to be decided on."""
    found = re.search(r'action="/barriers/tags/([0-9a-f-]+)"', page)
    assert found, said(page)
    return UUID(found[1])


def listed(page: str) -> set[UUID]:
    return {UUID(each) for each in re.findall(r'<h3><a href="/reports/([0-9a-f-]{36})"', page)}


def test_patterns_and_told_outcomes_are_tagged_too(hall: Hall, app: Flask) -> None:
    visitor = Visitor(app, hall.analyst)
    pattern = publish(hall.exchange, HOME, starter("documents-fan-out"))
    page = visitor.get(f"/patterns/{pattern}")
    assert f"/barriers/tags/{pattern}?of=pattern" in page
    address = f"/barriers/tags/{pattern}?of=pattern"
    words = said(visitor.get(address))
    assert "Documents fanned out from one posting area" in words
    assert "suggested" not in words
    visitor.post(address, version="1", step="2", signal="norway-gifts")
    words = said(visitor.get(f"/patterns/{pattern}"))
    assert "Step 2: Versturen" in words
    assert "added by a person" in words

    sent = hall.exchange.submit(HOME, report("k9", hall.exchange.indicator(SOPHIE))).results[0]
    told = dict.fromkeys(("asked", "located", "held", "examined"), "no")
    given = {"indicator": str(sent.indicators[0]), "case": "PV-1", "result": "not_found", **told}
    visitor.post("/outcomes/new", **given)
    page = visitor.get("/outcomes/told")
    found = re.search(r'href="(/barriers/tags/[0-9a-f-]+\?of=outcome)"', page)
    assert found
    assert "Step and signals of an outcome" in said(visitor.get(found[1]))
    assert visitor.post(found[1], version="1", step="1").endswith("of=outcome&done=tagged")
    words = said(visitor.get(found[1]))
    assert "Step 1: Inkopen" in words
    assert "no signal" in words
    acts = [each.details for each in hall.exchange.entries("step.tag")]
    assert [each["step"] for each in acts] == [2, 1]


def test_a_tag_keeps_the_words_of_its_own_version(hall: Hall, app: Flask) -> None:
    report_id = gift(hall, "k1")
    visitor = Visitor(app, make_person(app, HOME, [Role.SUBMITTER]))
    address = f"/barriers/tags/{report_id}"
    visitor.post(address, version="1", step="1", signal="norway-gifts")
    text = changed("key: norway-gifts", "key: other-gifts", changed("version: 1", "version: 2"))
    load(hall.exchange, changed("Geschenken naar Noorwegen.", "Alle geschenken.", text))
    page = visitor.get(address)
    words = said(page)
    assert "Geschenken naar Noorwegen." in words
    assert "version 1 of the text" in words
    assert 'value="norway-gifts"' not in page
    assert 'value="other-gifts"' in page
    visitor.post(address, 409, version="1", step="1")
    visitor.post(address, version="2", step="2", signal="other-gifts")
    assert "Step 2: Versturen" in said(visitor.get(address))
    assert act(hall.exchange, modelling.current, hall.analyst.caller).version == 2
