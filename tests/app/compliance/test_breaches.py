"""Breaches: recorded with their clock, noted step by step, reminded of, told from the ledger."""

from datetime import timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.compliance import breaches
from app.compliance.breach_models import Breach, BreachNote, BreachStep, Risk
from app.compliance.breaches import (
    BreachClosedError,
    BreachNotReadyError,
    Recorded,
    UnknownBreachError,
)
from app.errors import InvalidRequestError
from app.jobs.models import Notification
from postern.vocabulary import Role
from tests.app.compliance.office import NOVEMBER, Office
from tests.app.exchange import OPEN_TO_POLICE, SOPHIE, report
from tests.app.people import make_person, sign_in

SECRET = "The mail of 9 November went to a wrong desk"
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def opened(office: Office, **given: object) -> Recorded:
    aware = {"title": SECRET, "aware_at": NOVEMBER - timedelta(hours=2)} | given
    made: Recorded = office.do(breaches.open_breach, office.officer, **aware)
    return made


def note(office: Office, breach: Recorded, step: BreachStep, risk: Risk | None = None) -> None:
    office.do(breaches.add_note, office.officer, breach.id, step=step, text="Done", risk=risk)


def remind(office: Office) -> int:
    with office.transaction() as session:
        return breaches.remind(session)


def test_the_clock_runs_from_when_the_organisation_became_aware(office: Office) -> None:
    breach = opened(office)
    assert breach.due_at == NOVEMBER + timedelta(hours=70)
    assert (breach.hours_left, breach.clock_runs) == (70, True)
    (row,) = office.exchange.rows(select(Breach))
    assert SECRET.encode() not in bytes(row.sealed_title)
    (entry,) = office.exchange.entries("breach.open")
    assert SECRET not in str(entry.details)


def test_officers_are_reminded_as_the_time_runs_out_and_not_twice(office: Office) -> None:
    breach = opened(office)
    assert remind(office) == 0
    hours = []
    for _ in range(80):
        office.clock.at += timedelta(hours=1)
        if remind(office):
            hours.append(breach.hours_left)
    assert hours == [48, 24, 12, 4, 0]
    kinds = [row.kind for row in office.exchange.rows(select(Notification))]
    assert kinds.count("breach.due") == 5
    assert kinds.count("breach.opened") == 1


def test_no_reminder_once_the_authority_was_told_or_no_risk_is_likely(office: Office) -> None:
    first, second = opened(office), opened(office)
    note(office, first, BreachStep.AUTHORITY)
    note(office, second, BreachStep.RISK, Risk.UNLIKELY)
    office.clock.at += timedelta(hours=71)
    assert remind(office) == 0


def test_it_is_closed_only_when_those_who_must_be_told_were_told(office: Office) -> None:
    breach = opened(office)
    for step, risk in (
        (BreachStep.RISK, Risk.HIGH),
        (BreachStep.AUTHORITY, None),
        (BreachStep.PEOPLE, None),
    ):
        with pytest.raises(BreachNotReadyError):
            note(office, breach, BreachStep.CLOSED)
        note(office, breach, step, risk)
    note(office, breach, BreachStep.CLOSED)
    with pytest.raises(BreachClosedError):
        note(office, breach, BreachStep.FACT)
    read = office.do(breaches.read, office.officer, breach.id)
    assert [each.step for each in read.notes][-1] is BreachStep.CLOSED
    assert {each.text for each in read.notes} == {"Done"}
    office.clock.at += breaches.KEPT + timedelta(days=1)
    with office.transaction() as session:
        assert breaches.expire(session) == 1
    assert office.exchange.rows(select(BreachNote)) == []


def test_a_breach_has_so_many_notes_and_no_more(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaches, "MOST_NOTES", 2)
    breach, another = opened(office), opened(office)
    for _ in range(2):
        note(office, breach, BreachStep.FACT)
    with pytest.raises(InvalidRequestError) as refusal:
        note(office, breach, BreachStep.FACT)
    assert [each["field"] for each in refusal.value.extensions["errors"]] == ["note"]
    assert len(office.exchange.rows(select(BreachNote))) == 2
    assert len(office.exchange.entries("breach.note")) == 2
    note(office, another, BreachStep.FACT)

    # It can be brought to its end all the same, and nothing be said twice on the way.
    note(office, breach, BreachStep.RISK, Risk.HIGH)
    note(office, breach, BreachStep.AUTHORITY)
    with pytest.raises(InvalidRequestError):
        note(office, breach, BreachStep.AUTHORITY)
    note(office, breach, BreachStep.PEOPLE)
    note(office, breach, BreachStep.CLOSED)


def test_the_ledger_tells_who_may_be_concerned(office: Office) -> None:
    exchange = office.exchange
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.submit("post-be", report("R-1", exchange.indicator(SOPHIE)))
    exchange.ask("police-de", SOPHIE)
    breach = opened(office, since=NOVEMBER - timedelta(days=1))
    affected = office.do(breaches.read, office.officer, breach.id).affected
    assert (dict(affected.to), dict(affected.came_from)) == ({}, {"post-be": 1})
    other = make_person(exchange.app, "post-be", [Role.COMPLIANCE])
    theirs = office.do(
        breaches.open_breach, other, title="Theirs", aware_at=NOVEMBER - timedelta(hours=1)
    )
    affected = office.do(breaches.read, other, theirs.id).affected
    assert (affected.own, dict(affected.to)) == (1, {"police-de": 1})
    for unknown in (theirs.id, uuid4()):
        with pytest.raises(UnknownBreachError):
            office.do(breaches.read, office.officer, unknown)


@pytest.mark.parametrize(
    "given",
    [
        {"title": " "},
        {"aware_at": NOVEMBER + timedelta(hours=1)},
        {"aware_at": NOVEMBER - timedelta(days=400)},
        {"since": NOVEMBER, "until": NOVEMBER - timedelta(days=1)},
    ],
    ids=["no-title", "to-come", "long-past", "ends-before"],
)
def test_what_cannot_be_is_refused(office: Office, given: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError):
        opened(office, **given)
    assert office.exchange.rows(select(Breach)) == []


@on_one_database
def test_the_pages_record_note_and_refuse(office: Office, client: FlaskClient) -> None:
    sign_in(client, office.officer)
    page = client.get("/breaches").get_data(as_text=True)
    csrf = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": csrf, "title": SECRET, "aware_at": "2026-11-10T07:30"}
    wrong = client.post("/breaches", data=form | {"aware_at": "soon"})
    assert wrong.status_code == 422
    made = client.post("/breaches", data=form)
    assert made.status_code == 303, made.get_data(as_text=True)
    address = made.headers["Location"].partition("?")[0]
    assert "70 hours left" in client.get(address).get_data(as_text=True)
    early = client.post(
        f"{address}/notes", data={"csrf_token": csrf, "step": "closed", "note": "x"}
    )
    assert early.status_code == 409
    unsaid = client.post(f"{address}/notes", data={"csrf_token": csrf, "step": "risk", "note": "x"})
    assert unsaid.status_code == 422
    judged = {"csrf_token": csrf, "step": "risk", "risk": "unlikely", "note": "It was encrypted"}
    assert client.post(f"{address}/notes", data=judged).status_code == 303
    assert "It was encrypted" in client.get(address).get_data(as_text=True)
    assert client.get("/breaches?closed=1").status_code == 200
