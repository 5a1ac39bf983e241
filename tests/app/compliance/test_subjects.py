"""Subject requests: opened, searched for by tokens, answered in time, closed and forgotten."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.compliance import subject_requests as subjects
from app.compliance.models import SubjectRequest
from app.compliance.subject_requests import Asked
from app.compliance.subject_search import Answer, search
from app.errors import InvalidRequestError
from app.indicators import holds, ledger, service
from app.indicators.amending import Correction, amend_indicator
from app.indicators.ledger import Gift
from app.jobs.models import Notification
from app.lookups.scoring import Query
from app.pseudonyms.service import EpochClosedError
from postern.base64url import to_base64url
from postern.vocabulary import (
    Assertion,
    Band,
    HoldReason,
    Kind,
    RecallReason,
    Role,
    Scope,
    SubjectRequestState,
    SubjectRight,
    Way,
)
from tests.app.compliance.office import CODE, Office
from tests.app.exchange import JAN, SOPHIE, SOPHIE_TYPED, report
from tests.app.people import bearer, make_person

TODAY = date(2026, 11, 10)


def opened(office: Office, right: SubjectRight = SubjectRight.ACCESS, **more: Any) -> Asked:
    asked = {"case": "A-17/26", "note": "came by letter", **more}
    made: Asked = office.do(subjects.open_request, office.officer, right=right, **asked)
    return made


def searched(office: Office, request: UUID, *queries: Query) -> Answer:
    found: Answer = office.do(search, office.officer, request, queries)
    return found


def submitted(office: Office, key: str, *indicators: Any, code: str = CODE) -> Any:
    (result,) = office.exchange.submit(code, report(key, *indicators)).results
    assert result.status == "created", result.errors
    return result


def test_the_answer_names_each_holding_and_all_that_became_of_it(office: Office) -> None:
    exchange = office.exchange
    live = submitted(office, "k1", exchange.indicator(SOPHIE), exchange.indicator(JAN))
    soon = (TODAY + timedelta(days=1)).isoformat()
    kept = submitted(office, "k2", exchange.indicator(SOPHIE, "addressee", expires_on=soon))
    submitted(office, "k3", exchange.indicator(SOPHIE), code="post-be")  # another's
    gone = submitted(office, "k4", exchange.indicator(SOPHIE, expires_on=soon))
    hold: Any = office.do(
        holds.place,
        office.officer,
        kept.id,
        reason=HoldReason.PROCEEDINGS,
        until=TODAY + timedelta(days=300),
        case="PV-1",
    )
    own = exchange.organisation_id(CODE)
    with office.transaction() as session:
        for code, way, level, tells in (
            ("post-be", Way.LOOKUP, ledger.METADATA, True),
            ("post-be", Way.DISCLOSURE, ledger.CLEAR, True),
            ("customs-nl", Way.LIST, ledger.METADATA, False),
        ):
            gift = Gift(live.indicators[0], own, level, tells_owner=tells)
            to = exchange.organisation_id(code)
            ledger.note_given(session, to, way, [gift], office.clock.at)
        correction = Correction({"assertion": Assertion.FACT}, RecallReason.SUBJECT_REQUEST)
        writer = exchange.caller(CODE)
        amend_indicator(session, writer, live.id, live.indicators[0], correction)
    office.clock.at += timedelta(days=1)
    with office.transaction() as session:
        assert service.expire(session, office.clock.at.date()) == 2

    request = opened(office).id
    answer = searched(office, request, exchange.query(SOPHIE_TYPED, "as typed"))
    found = {each.indicator: each for each in answer.holdings}
    assert found.keys() == {live.indicators[0], kept.indicators[0]}
    assert gone.indicators[0] not in found
    first, second = found[live.indicators[0]], found[kept.indicators[0]]
    assert (first.query, first.report, first.kind, first.status) == (
        "as typed",
        live.id,
        Kind.PARTY,
        "active",
    )
    assert (first.band, first.restricted, second.restricted) == (Band.STRONG, False, True)
    (recipient,) = first.recipients  # the other its owner's policy lets stay untold
    assert (recipient.organisation.code, recipient.level) == ("post-be", ledger.CLEAR)
    assert set(recipient.ways) == {Way.LOOKUP, Way.DISCLOSURE}
    (recall,) = first.recalls
    assert (recall.reason, recall.completed_at) == (RecallReason.SUBJECT_REQUEST, None)
    assert [each.id for each in second.holds] == [hold.id]
    assert [first.holds, first.requests, second.recipients] == [(), (), []]

    read: Asked = office.do(subjects.read_request, office.officer, request)
    assert (read.holdings, read.recipients, read.searched_at) == (2, 1, office.clock.at)
    (entry,) = exchange.entries("subject.search")
    assert entry.details["holdings"] == 2
    assert entry.details["query"] == {"party": 1}
    assert entry.details["objects"] == [str(request)]
    told = repr(entry.details) + entry.record
    for _, token in exchange.query(SOPHIE_TYPED).tokens:
        assert to_base64url(token) not in told
        assert token.hex() not in told


def test_what_is_not_held_is_answered_with_nothing(office: Office) -> None:
    submitted(office, "k1", office.exchange.indicator(JAN))
    submitted(office, "k1", office.exchange.indicator(SOPHIE), code="post-be")
    request = opened(office).id
    assert searched(office, request, office.exchange.query(SOPHIE)).holdings == []
    read: Asked = office.do(subjects.read_request, office.officer, request)
    assert (read.holdings, read.recipients) == (0, 0)


def test_queries_that_contradict_themselves_or_are_old_are_refused(office: Office) -> None:
    request = opened(office).id
    query = office.exchange.query(SOPHIE)
    twice = Query("q", query.kind, 1, [*query.tokens, query.tokens[0]])
    wrong: list[tuple[type[Exception], list[Query]]] = [
        (InvalidRequestError, [query, query]),
        (InvalidRequestError, [twice]),
        (InvalidRequestError, [Query("q", Kind.PHONE, 1, query.tokens)]),
        (EpochClosedError, [Query("q", query.kind, 2, query.tokens)]),
    ]
    for error, queries in wrong:
        with pytest.raises(error):
            searched(office, request, *queries)
    with pytest.raises(subjects.UnknownSubjectRequestError):
        searched(office, uuid4(), query)


def test_a_request_is_closed_once_with_what_the_person_was_told(office: Office) -> None:
    request = opened(office, SubjectRight.ERASURE).id
    for state, note in ((SubjectRequestState.OPEN, "x"), (SubjectRequestState.REFUSED, "  ")):
        with pytest.raises(InvalidRequestError):
            office.do(subjects.close, office.officer, request, state=state, note=note)
    closing = {"state": SubjectRequestState.REFUSED, "note": "refused under Art. 15"}
    closed: Asked = office.do(subjects.close, office.second, request, **closing)
    assert (closed.state, closed.note, closed.answer) == (
        SubjectRequestState.REFUSED,
        "came by letter",
        "refused under Art. 15",
    )
    assert closed.closed_by == office.second.caller.person
    with pytest.raises(subjects.SubjectRequestClosedError):
        office.do(subjects.close, office.officer, request, **closing)
    with pytest.raises(subjects.SubjectRequestClosedError):
        searched(office, request, office.exchange.query(SOPHIE))
    (row,) = office.exchange.rows(select(SubjectRequest))
    assert b"letter" not in bytes(row.sealed_note)
    assert b"Art. 15" not in bytes(row.sealed_answer)
    (first,) = office.exchange.entries("subject.open")
    assert (first.details["case"], first.details["right"]) == ("A-17/26", "erasure")
    assert "A-17/26" not in first.record
    (last,) = office.exchange.entries("subject.close")
    assert (last.details["state"], last.details["right"]) == ("refused", "erasure")


def test_anothers_request_is_one_that_is_not_there(office: Office) -> None:
    request = opened(office).id
    other = make_person(office.exchange.app, "post-be", [Role.COMPLIANCE])
    for asked in (request, uuid4()):
        with pytest.raises(subjects.UnknownSubjectRequestError):
            office.do(subjects.read_request, other, asked)
    assert office.do(subjects.list_requests, other, 10).requests == []
    assert office.do(subjects.list_requests, other, 10, request).requests == []


def test_the_month_ends_on_the_same_day_or_the_last(office: Office) -> None:
    for day, due in (
        (date(2026, 11, 10), date(2026, 12, 10)),
        (date(2026, 12, 31), date(2027, 1, 31)),
        (date(2027, 1, 31), date(2027, 2, 28)),
        (date(2028, 1, 30), date(2028, 2, 29)),
    ):
        assert subjects.month_after(day) == due
    assert opened(office).due_on == date(2026, 12, 10)


def test_compliance_is_told_a_week_before_and_on_the_day(office: Office) -> None:
    first, closed = opened(office).id, opened(office).id
    ending = {"state": SubjectRequestState.ANSWERED, "note": "told"}
    office.do(subjects.close, office.officer, closed, **ending)

    def told() -> list[tuple[str, int]]:
        with office.transaction() as session:
            subjects.remind(session)
        notices = office.exchange.rows(
            select(Notification).where(Notification.kind == "subject.due").order_by(Notification.id)
        )
        return [(notice.address, notice.facts["days"]) for notice in notices]

    address = f"/subjects/{first}"
    for days, wanted in (
        (22, []),
        (1, [(address, 7)]),
        (6, [(address, 7)]),
        (1, [(address, 7), (address, 0)]),
        (1, [(address, 7), (address, 0)]),
    ):
        office.clock.at += timedelta(days=days)
        assert told() == wanted


def test_a_closed_request_is_forgotten_after_its_time(office: Office) -> None:
    waiting, done = opened(office).id, opened(office).id
    ending = {"state": SubjectRequestState.ANSWERED, "note": "told"}
    office.do(subjects.close, office.officer, done, **ending)
    for days, left in ((1095, 2), (1, 1)):
        office.clock.at += timedelta(days=days)
        with office.transaction() as session:
            subjects.expire(session)
        assert len(office.exchange.rows(select(SubjectRequest))) == left
    (entry,) = office.exchange.entries("subject.expire")
    assert entry.details["objects"] == [str(done)]
    assert entry.audience == ["platform", CODE]
    assert office.do(subjects.read_request, office.officer, waiting).is_open


def test_the_interface_opens_lists_searches_and_closes(office: Office, client: FlaskClient) -> None:
    exchange = office.exchange
    sent = submitted(office, "k1", exchange.indicator(SOPHIE))
    headers = bearer(exchange.app, office.officer, [Scope.SUBJECTS_WRITE])
    address = "/api/v1/subject-requests"
    ids = []
    for right in ("access", "rectification", "restriction"):
        asked = {"right": right, "case": "A-17/26"}
        answer = client.post(address, json=asked, headers=headers)
        assert (answer.status_code, answer.get_json()["due_on"]) == (201, "2026-12-10")
        ids.append(answer.get_json()["id"])
    query = exchange.query(SOPHIE)
    tokens = [{"facet": facet, "token": to_base64url(token)} for facet, token in query.tokens]
    asked_for = {"queries": [{"id": "q1", "kind": "party", "epoch": 1, "tokens": tokens}]}
    found = client.post(f"{address}/{ids[0]}/search", json=asked_for, headers=headers).get_json()
    (holding,) = found["holdings"]
    assert holding["indicator"] == str(sent.indicators[0])
    assert holding.keys() == {
        *("query", "indicator", "report", "kind", "role", "status", "expires_on", "restricted"),
        *("band", "recipients", "recalls", "holds", "requests"),
    }
    closing = {"state": "answered", "note": "all told"}
    closed = client.post(f"{address}/{ids[0]}/closing", json=closing, headers=headers)
    assert (closed.status_code, closed.get_json()["state"]) == (200, "answered")
    again = client.post(f"{address}/{ids[0]}/search", json=asked_for, headers=headers)
    assert (again.status_code, again.get_json()["code"]) == (409, "subject-request-closed")
    page = client.get(f"{address}?state=open&limit=1", headers=headers).get_json()
    assert [each["id"] for each in page["requests"]] == [ids[2]]
    more = client.get(
        f"{address}?state=open&limit=1&cursor={page['next']}", headers=headers
    ).get_json()
    assert ([each["id"] for each in more["requests"]], more["next"]) == ([ids[1]], None)
