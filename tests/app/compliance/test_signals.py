"""Signals: raised once from the log, read with their entries, closed by another than whom they
are about."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import select, update

from app.access import CONSOLE
from app.accounts import service as accounts
from app.audit.models import AuditDetail, AuditEntry
from app.compliance import signal_words, signals
from app.compliance.models import Anomaly, Signal, Verdict
from app.compliance.signal_events import load
from app.compliance.signals import (
    OwnSignalError,
    SignalClosedError,
    Task,
    UnknownSignalError,
    Waiting,
)
from app.errors import InvalidRequestError
from app.indicators.telling import Grounds
from app.jobs.models import Notification
from app.patterns import filter_changes, filters, screening, screening_quota
from app.pseudonyms import quota
from app.pseudonyms.quota import WHOLE_ORGANISATION, used_above
from app.runtime import runtime
from app.web.languages import LANGUAGES
from postern.vocabulary import EvaluationKind, LegalBasis, Purpose, Role
from tests.app.compliance.office import CODE, NOVEMBER, Office
from tests.app.exchange import OPEN_TO_POLICE, SOPHIE, distinct_elements, report
from tests.app.people import Person, cross_site_headers, make_person, sign_in

HOUR = timedelta(hours=1)


def denied(office: Office, who: Person, times: int = 5) -> None:
    """So many acts that the person may not do."""
    client = office.exchange.app.test_client()
    sign_in(client, who)
    for _ in range(times):
        assert client.get("/policy/stop").status_code == 403


def found(office: Office, **which: Any) -> list[Task]:
    listed: list[Task] = office.do(signals.list_signals, office.officer, **which)
    return listed


def raised(office: Office, who: Person | None = None) -> Task:
    """A signal about the person's refusals."""
    denied(office, who or office.analyst)
    assert office.look() == 1
    (one,) = found(office)
    return one


def close(office: Office, task: Task, who: Person, **given: Any) -> Task:
    given = {"verdict": Verdict.IN_ORDER, "note": "A role was missing."} | given
    closed: Task = office.do(signals.close, who, task.id, **given)
    return closed


def test_a_signal_is_raised_once_with_its_figures_and_entries(office: Office) -> None:
    one = raised(office)
    assert (one.signal, one.person) == (Signal.REFUSALS, office.analyst_id)
    assert one.facts == {"refused": 5, "what": "acts", "limit": 5}
    read = office.do(signals.read, office.officer, one.id)
    assert [entry.fields["out"] for entry in read.entries] == ["denied"] * 5
    office.clock.at += HOUR
    assert office.look() == 0
    assert len(found(office)) == 1


def test_officers_are_told_and_the_log_says_so(office: Office) -> None:
    one = raised(office)
    with office.exchange.database.reading() as session:
        (notice,) = session.scalars(select(Notification)).all()
    assert (notice.role, notice.kind, notice.facts) == (
        Role.COMPLIANCE,
        "signal.raised",
        {"signal": "refusals"},
    )
    assert notice.address == f"/signals/{one.id}"
    (entry,) = office.exchange.entries("signal.raise")
    assert entry.details["person"] == str(office.analyst_id)
    assert entry.details["facts"] == dict(one.facts)
    assert entry.audience == ["platform", CODE]


def test_an_open_signal_grows_and_nobody_is_told_again(office: Office) -> None:
    raised(office)
    office.clock.at += HOUR
    denied(office, office.analyst, 3)
    assert office.look() == 0
    (one,) = found(office)
    assert one.facts["refused"] == 8
    assert one.until == office.clock.at
    with office.exchange.database.reading() as session:
        assert len(session.scalars(select(Notification)).all()) == 1


def test_a_closed_signal_stays_as_it_was_closed(office: Office) -> None:
    one = raised(office)
    close(office, one, office.officer)
    office.clock.at += HOUR
    denied(office, office.analyst, 3)
    assert office.look() == 0
    assert found(office)[0].facts["refused"] == 5


def test_nothing_happens_to_the_person(office: Office) -> None:
    raised(office)
    office.ask(1)
    denied(office, office.analyst, 1)
    people = office.do(
        lambda session, caller: accounts.list_accounts(session, caller, CODE), office.officer
    )
    assert {each.status.value for each in people} == {"active"}


def test_it_is_closed_by_a_person_with_a_verdict_and_a_sealed_note(office: Office) -> None:
    one = raised(office)
    closed = close(office, one, office.officer, verdict=Verdict.MISTAKE, note="Wrong role given.")
    assert (closed.verdict, closed.note) == (Verdict.MISTAKE, "Wrong role given.")
    assert (closed.closed_by, closed.closed_at) == (office.officer.caller.person, office.clock.at)
    with pytest.raises(SignalClosedError):
        close(office, one, office.second)
    assert found(office, is_open=True) == []
    assert [each.id for each in found(office, is_open=False)] == [one.id]
    (entry,) = office.exchange.entries("signal.close")
    assert (entry.details["signal"], entry.details["verdict"]) == ("refusals", "mistake")
    with office.exchange.database.reading() as session:
        sealed = session.scalars(select(Anomaly.sealed_note)).one()
        logged = b"".join(bytes(each.rec) for each in session.scalars(select(AuditEntry)))
        details = "".join(each.disc for each in session.scalars(select(AuditDetail)))
    assert sealed
    assert b"Wrong" not in sealed
    assert b"Wrong" not in logged
    assert "Wrong role" not in details


def test_whom_it_is_about_may_read_but_not_close_it(office: Office) -> None:
    one = raised(office, office.second)
    assert office.do(signals.read, office.second, one.id).is_own
    with pytest.raises(OwnSignalError):
        close(office, one, office.second)
    assert not office.do(signals.read, office.officer, one.id).is_own
    close(office, one, office.officer)


@pytest.mark.parametrize(
    "note", ["", " \n", "x" * 2001, "a\x07"], ids=["none", "blank", "long", "bell"]
)
def test_a_signal_is_not_closed_without_a_note_that_can_be_kept(office: Office, note: str) -> None:
    one = raised(office)
    with pytest.raises(InvalidRequestError):
        close(office, one, office.officer, note=note)
    assert found(office, is_open=True)


def test_another_organisation_s_signal_is_not_there(office: Office) -> None:
    one = raised(office)
    stranger = make_person(office.exchange.app, "customs-nl", [Role.COMPLIANCE])
    assert office.do(signals.list_signals, stranger) == []
    assert office.do(signals.list_signals, stranger, before=one.id) == []
    with pytest.raises(UnknownSignalError):
        office.do(signals.read, stranger, one.id)
    with pytest.raises(UnknownSignalError):
        close(office, one, stranger)


def test_signals_are_listed_in_pages_newest_first(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "PAGE", 1)
    first = raised(office)
    denied(office, office.second)
    office.look()
    (newest,) = found(office)
    assert newest.person == office.second.caller.person
    assert [each.id for each in found(office, before=newest.id)] == [first.id]
    assert found(office, before=uuid4()) == []


def test_lookups_at_night_are_noticed_by_what_was_usual_before(office: Office) -> None:
    for _day in range(12):
        office.clock.at += timedelta(days=1)
        office.ask(6)
    assert office.look() == 0
    office.clock.at = office.clock.at.replace(hour=2)
    office.ask(3)
    assert office.look() == 1
    (one,) = found(office)
    assert one.signal is Signal.UNUSUAL_HOURS
    assert one.facts["usual_acts"] == 66
    read = office.do(signals.read, office.officer, one.id)
    assert [entry.fields["act"] for entry in read.entries] == ["lookup.ask"] * 3


def test_what_is_read_of_the_log_is_what_the_rules_need(office: Office) -> None:
    office.exchange.publish("post-be", OPEN_TO_POLICE)
    office.exchange.submit("post-be", report("k1", office.exchange.indicator(SOPHIE)))
    office.exchange.ask(CODE, SOPHIE, SOPHIE)
    office.exchange.ask("customs-nl", SOPHIE)
    office.ask(1)
    denied(office, office.analyst, 1)
    with office.exchange.database.reading() as session:
        events = load(session, CODE, office.clock.at)
        others = load(session, "post-be", office.clock.at)
    lookups = [each for each in events if each.act == "lookup.ask"]
    shown = [(each.count, each.hits, len(each.objects), each.case) for each in lookups]
    assert sorted(shown) == [(1, 0, 0, "PV-2024-17"), (2, 2, 1, "PV-2024-17")]
    assert {each.act for each in events} == {"lookup.ask", "session.start", "policy.read"}
    assert {each.act for each in others} <= {"report.submit"}, "what others did is not judged here"


def test_a_refused_sign_in_is_counted_for_the_account(office: Office) -> None:
    client = office.exchange.app.test_client()
    for _ in range(8):
        client.post(
            "/sign-in",
            data={"login": office.analyst.login, "password": "wrong"},
            headers=cross_site_headers(client),
        )
    assert office.look() == 1
    (one,) = found(office)
    assert (one.person, one.facts["what"]) == (office.analyst_id, "sign-ins")


def spend(office: Office, elements: int, who: Person) -> None:
    organisation_id, person_id = who.caller.member
    with office.transaction() as session:
        quota.spend(
            session,
            runtime().settings.quota,
            organisation_id=organisation_id,
            person_id=person_id,
            kind=EvaluationKind.PHONE,
            elements=elements,
        )


def test_a_quota_used_by_more_than_four_fifths_is_told(office: Office) -> None:
    spend(office, 16_000, office.analyst)
    assert office.look() == 0
    spend(office, 1, office.second)
    assert office.look() == 1
    (one,) = found(office)
    assert (one.signal, one.person) == (Signal.QUOTA, None)
    assert one.facts == {
        "used": 16_001,
        "limit": 20_000,
        "percent": 80,
        "kind": "phone",
        "window": "hour",
    }
    spend(office, 1, office.analyst)
    office.look()
    assert {each.person for each in found(office)} == {None, office.analyst_id}


def test_bulk_evaluations_are_told_where_no_list_explains_them_and_where_little_is_left(
    office: Office,
) -> None:
    with office.transaction() as session:
        screening_quota.allow(
            session,
            CONSOLE,
            CODE,
            EvaluationKind.PHONE,
            elements=1_200,
            ends_on=NOVEMBER.date() + timedelta(days=30),
            reason="trial",
        )
    elements = distinct_elements(1_000)

    def evaluate() -> None:
        with office.transaction() as session:
            screening.evaluate(
                session,
                office.analyst.caller,
                kind=EvaluationKind.PHONE,
                epoch=1,
                elements=elements,
                purpose=Purpose.PARCEL_SCREENING,
                case="PV-1",
            )

    evaluate()
    assert office.look() == 2
    about = {each.signal: each for each in found(office)}
    assert about[Signal.SCREENING].person == office.analyst_id
    assert about[Signal.SCREENING].facts["evaluations"] == 1_000
    assert about[Signal.QUOTA].facts | {"kind": ""} == {
        "used": 1_000,
        "limit": 1_200,
        "percent": 83,
        "kind": "",
        "window": "screening",
    }
    # The next night needs as much, which is told once a month; it has a list to compare with.
    office.clock.at += timedelta(days=1)
    grounds = Grounds(Purpose.PARCEL_SCREENING, LegalBasis.POSTAL_LAW, "PV-1")
    with office.transaction() as session:
        made = filters.make(session, office.analyst.caller, grounds)
        assert made.parts == 0  # nothing is shared, which is no fault of who fetches it
        older = filters.make(session, office.analyst.caller, grounds)
        filter_changes.changes(session, office.analyst.caller, older.id, made.seq)
    evaluate()
    assert office.look() == 0


def test_a_window_that_is_over_for_a_day_is_not_told_any_more(office: Office) -> None:
    spend(office, 19_000, office.analyst)
    organisation_id, person_id = office.analyst.caller.member
    with office.transaction() as session:
        settings = runtime().settings.quota

        def used(since: Any) -> list[tuple[int, int]]:
            rows = used_above(session, settings, organisation_id, 80, since)
            return sorted((each.person_id, each.used) for each in rows)

        assert used(NOVEMBER) == [(WHOLE_ORGANISATION, 19_000), (person_id, 19_000)]
        assert used(NOVEMBER + HOUR) == []


FACTS: dict[Signal, list[dict[str, Any]]] = {
    Signal.BULK: [
        {"identifiers": 300, "lookups": 3, "usual": 4, "usual_own": 5, "limit": 200},
        {"identifiers": 300, "lookups": 3, "usual": None, "usual_own": None, "limit": 200},
    ],
    Signal.PROBING: [
        {
            "pattern": "regular",
            "lookups": 41,
            "minutes": 5,
            "identifiers": 41,
            "hits": 0,
            "usual_days": 2,
        },
        {
            "pattern": "barren",
            "lookups": 41,
            "minutes": 5,
            "identifiers": 90,
            "hits": 0,
            "expected": 7,
        },
    ],
    Signal.NO_CASE_ACTIVITY: [
        {"lone": 12, "cases": 13, "others_percent": 20},
        {"lone": 12, "cases": 13, "others_percent": None},
    ],
    Signal.UNUSUAL_HOURS: [
        {
            "lookups": 3,
            "from": "02:00",
            "to": "03:10",
            "weekend": True,
            "usual_acts": 70,
            "usual_days": 12,
            "usual_here": 0,
            "minutes_after_sign_in": 4,
        },
        {
            "lookups": 3,
            "from": "02:00",
            "to": "03:10",
            "weekend": False,
            "usual_acts": 70,
            "usual_days": 12,
            "usual_here": 0,
            "minutes_after_sign_in": None,
        },
    ],
    Signal.OWN_INTEREST: [{"lookups": 4, "cases": 4, "days": 3, "others": 0, "share_percent": 10}],
    Signal.QUOTA: [
        {"used": 9, "limit": 10, "percent": 90, "kind": "phone", "window": window}
        for window in ("hour", "day", "month", "screening")
    ],
    Signal.NOT_FOLLOWED_UP: [
        {"open": 6, "hits": 7, "others_percent": 10},
        {"open": 6, "hits": 7, "others_percent": None},
    ],
    Signal.REFUSALS: [
        {"refused": 9, "what": what, "limit": 5} for what in ("acts", "sign-ins", "tokens")
    ],
    Signal.SCREENING: [
        {"evaluations": 900, "what": "no-list", "limit": 5},
        {"evaluations": 900, "what": "nothing-came", "days": 3, "cases": 2},
    ],
    Signal.UNUSED: [{"evaluations": 900, "used": 2, "limit": 5}],
    Signal.WALKING: [
        {"what": "purposes", "count": 4, "lookups": 9, "limit": 4},
        {"what": "cases", "count": 40, "lookups": 41, "usual": 3, "limit": 30},
        {"what": "cases", "count": 70, "lookups": 71, "usual": None, "limit": 60},
    ],
    Signal.NEIGHBOURS: [
        {"what": what, "count": 9, "colleagues": colleagues, "values": 40, "limit": 3}
        for what in ("pairs", "places", "names")
        for colleagues in (1, 2)
    ],
    Signal.STEADY: [
        {"what": what, "count": 5, "used": 900, "limit": 200, "percent": 70, "kind": "postal"}
        for what in ("hours", "days")
    ],
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # nothing is asked of it
def test_every_reason_is_said_with_its_figures_in_every_language(app: Flask) -> None:
    assert FACTS.keys() == set(Signal)
    for language in LANGUAGES:
        with app.test_request_context(), force_locale(language):
            for signal, all_facts in FACTS.items():
                for facts in all_facts:
                    said = signal_words.reason(signal, facts)
                    assert said.endswith("."), said
                    assert "%" not in re.sub(r"\d[\u00a0 ]%", "", said), said
                    seen = next(value for value in facts.values() if isinstance(value, int))
                    assert str(seen) in said


def test_what_a_signal_shows_is_no_more_than_fifty_entries(office: Office) -> None:
    denied(office, office.analyst, 52)
    office.look()
    (one,) = found(office)
    assert one.facts["refused"] == 52
    assert len(office.do(signals.read, office.officer, one.id).entries) == 50


def test_an_entry_whose_details_were_erased_harms_no_look(office: Office) -> None:
    raised(office)
    with office.transaction() as session:
        session.execute(update(AuditDetail).values(actor=None, casref=None, disc=""))
    assert office.look() == 0
    with office.exchange.database.reading() as session:
        assert all(each.person is None for each in load(session, CODE, office.clock.at))


def test_the_facts_are_codes_and_counts_alone(office: Office) -> None:
    one = raised(office)
    assert json.dumps(dict(one.facts))
    assert all(isinstance(value, int | str | None) for value in one.facts.values())


def assign(office: Office, task: Task, who: Person, to: Person | None, **given: Any) -> Task:
    to_id = to.caller.person if to else None
    given = {"due_on": office.clock.at.date() + timedelta(days=7)} | given
    return office.do(signals.assign, who, task.id, to=to_id, **given)  # type: ignore[no-any-return]


def test_a_signal_is_given_to_an_officer_and_back_to_all(office: Office) -> None:
    one = raised(office)
    given = assign(office, one, office.officer, office.second)
    assert given.assigned_to == office.second.caller.person
    assert given.due_on == office.clock.at.date() + timedelta(days=7)
    assert found(office, is_mine=True) == []
    (mine,) = office.do(signals.list_signals, office.second, is_open=True, is_mine=True)
    assert mine.is_mine
    assert not mine.is_overdue
    back = assign(office, one, office.second, None)
    assert (back.assigned_to, back.due_on) == (None, None)
    first, second = office.exchange.entries("signal.assign")
    assert first.details["to"] == str(office.second.caller.person)
    assert "to" not in second.details


def test_a_signal_past_its_day_is_overdue_until_somebody_closes_it(office: Office) -> None:
    one = raised(office)
    assign(office, one, office.officer, office.officer, due_on=office.clock.at.date())
    assert office.do(signals.waiting, office.officer) == Waiting(open=1, mine=1, overdue=0)
    office.clock.at += timedelta(days=1)
    (late,) = found(office)
    assert late.is_overdue
    assert office.do(signals.waiting, office.second) == Waiting(open=1, mine=0, overdue=1)
    close(office, one, office.second)  # any officer may
    assert office.do(signals.waiting, office.officer) == Waiting(open=0, mine=0, overdue=0)
    assert not found(office)[0].is_overdue


def test_only_an_officer_whom_it_is_not_about_is_given_an_open_signal(office: Office) -> None:
    one = raised(office, office.second)
    with pytest.raises(OwnSignalError):
        assign(office, one, office.officer, office.second)
    with pytest.raises(InvalidRequestError):
        assign(office, one, office.officer, office.analyst)
    for days in (-1, 367):
        day = office.clock.at.date() + timedelta(days=days)
        with pytest.raises(InvalidRequestError):
            assign(office, one, office.officer, office.officer, due_on=day)
    close(office, one, office.officer)
    with pytest.raises(SignalClosedError):
        assign(office, one, office.officer, office.officer)


def test_an_officer_takes_a_signal_on_its_page_and_hands_it_over(office: Office) -> None:
    one = raised(office)
    client = office.exchange.app.test_client()
    sign_in(client, office.officer)
    page = client.get(f"/signals/{one.id}").get_data(as_text=True)
    (token, *_) = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    (due,) = re.findall(r'name="due_on" type="date" value="([^"]+)"', page)
    given = {"csrf_token": token, "due_on": due}

    def sent(**more: str) -> str:
        answer = client.post(f"/signals/{one.id}/assign", data=given | more, follow_redirects=True)
        assert answer.status_code in (200, 422)
        return answer.get_data(as_text=True)

    assert "Given to" in sent(to="", take="1")
    assert "mine to close" in client.get("/signals?mine=1").get_data(as_text=True)
    assert ">1 yours<" in client.get("/").get_data(as_text=True)
    assert "Given to" in sent(to=str(office.second.caller.person))
    assert "No signal was given to you" in client.get("/signals?mine=1").get_data(as_text=True)
    assert "Choose a compliance officer" in sent(to="nobody")
    assert "Write the day as YYYY-MM-DD." in sent(to="", due_on="soon")
    assert "any officer may take it" in sent(to="")


def test_programs_list_and_assign_as_people_do(office: Office) -> None:
    one = raised(office)
    client = office.exchange.app.test_client()
    sign_in(client, office.officer)
    me = str(office.officer.caller.person)
    headers = cross_site_headers(client)
    address = f"/api/v1/signals/{one.id}/assign"
    answer = client.post(address, json={"to": me, "due_on": "2026-11-20"}, headers=headers)
    assert answer.status_code == 200
    (listed,) = client.get("/api/v1/signals?mine=true").get_json()["signals"]
    assert (listed["assigned_to"], listed["due_on"]) == (me, "2026-11-20")
