"""Amending: what changes, for whom and how it is told; what an indicator is of never changes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app import clock
from app.access import Caller
from app.clock import day
from app.errors import InvalidRequestError, NotFoundError
from app.indicators import amending, service
from app.indicators.amend_schemas import AmendIndicatorSchema, AmendReportSchema
from app.indicators.amending import Amendment, Correction
from app.indicators.hooks import Amended, Hooks
from app.indicators.models import Indicator, Report, Token
from app.sharing.models import ShareClass
from postern.vocabulary import RecallReason, Scope
from tests.app.exchange import JAN, SOPHIE, Exchange, place, report
from tests.app.people import bearer, runtime_of

GREEN_TO_POLICE = """
@id("green/police") @label("Police of the exchange see what is green")
permit (principal, action, resource)
when { principal.sector == Sector::"police" && resource.tlp == Tlp::"GREEN" };
"""


@pytest.fixture
def told(exchange: Exchange) -> Iterator[list[Amended]]:
    """What the rooms above were told, beside what they do with it."""
    heard: list[Amended] = []
    hooks = runtime_of(exchange.app).part(Hooks).amended

    def hear(_session: Any, _caller: Caller, amended: Amended) -> None:
        heard.append(amended)

    hooks.append(hear)
    yield heard
    hooks.remove(hear)


def submit(exchange: Exchange, *indicators: Any, **fields: Any) -> Any:
    (result,) = exchange.submit("post-be", report("k1", *indicators, **fields)).results
    assert result.status == "created", result.errors
    return result


@contextmanager
def at_work(exchange: Exchange) -> Iterator[Any]:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        yield session


def amend(
    exchange: Exchange, sent: Any, code: str = "post-be", place: int = 0, **fields: Any
) -> Amendment:
    """As it comes over the interface, fields and all."""
    asked = AmendIndicatorSchema().load({"reason": "wrong_data", **fields})
    correction = Correction(reason=asked.pop("reason"), fields=asked)
    with at_work(exchange) as session:
        return amending.amend_indicator(
            session, exchange.caller(code), sent.id, sent.indicators[place], correction
        )


def amend_report(exchange: Exchange, sent: Any, code: str = "post-be", **fields: Any) -> Amendment:
    asked = AmendReportSchema().load({"reason": "wrong_data", **fields})
    correction = Correction(reason=asked.pop("reason"), fields=asked)
    with at_work(exchange) as session:
        return amending.amend_report(session, exchange.caller(code), sent.id, correction)


def hits(exchange: Exchange) -> int:
    return len(exchange.ask("police-de", SOPHIE).results[0].hits)


def changed(made: Amendment) -> dict[str, tuple[Any, Any]]:
    return {change.field: (change.old, change.new) for change in made.changes}


def test_what_others_see_follows_with_their_next_request(exchange: Exchange) -> None:
    exchange.publish("post-be", GREEN_TO_POLICE)
    sent = submit(exchange, exchange.indicator(SOPHIE))
    assert hits(exchange) == 0
    made = amend(exchange, sent, tlp="GREEN")
    assert changed(made) == {"tlp": ("AMBER", "GREEN")}
    assert hits(exchange) == 1
    amend(exchange, sent, tlp="RED")
    assert hits(exchange) == 0


def test_class_day_and_postings_are_those_of_a_new_report_that_says_the_same(
    exchange: Exchange, told: list[Amended]
) -> None:
    today = clock.now().date()
    seen = (today - timedelta(days=40)).isoformat()
    right: dict[str, Any] = {
        "tlp": "GREEN",
        "handling": ["H1"],
        "source_grade": "B",
        "observed_from": seen,
    }
    sent = submit(exchange, exchange.indicator(SOPHIE), place())
    amend(exchange, sent, **right)
    (twin,) = exchange.submit(
        "post-be", report("k2", exchange.indicator(SOPHIE, **right), place())
    ).results
    rows = {row.public_id: row for row in exchange.rows(select(Indicator))}
    amended, other = rows[sent.indicators[0]], rows[twin.indicators[0]]
    assert amended.share_class_id == other.share_class_id
    assert amended.seen_day == other.seen_day == day(clock.now()) - 40
    postings = exchange.rows(select(Token))
    for row in rows.values():
        of_row = [each for each in postings if each.indicator_id == row.id]
        assert len(of_row) == len(row.tokens) // 16
        assert {(each.share_class_id, each.seen_day) for each in of_row} == {
            (row.share_class_id, row.seen_day)
        }
    assert amended.amended_at is not None
    assert rows[sent.indicators[1]].amended_at is None
    assert len(exchange.rows(select(ShareClass))) == 3  # as sent, as amended, of the place
    (heard,) = told
    assert (heard.indicator, heard.reason) == (sent.indicators[0], RecallReason.WRONG_DATA)
    assert heard.changes == right


def test_an_age_that_was_wrong_is_counted_from_the_report_again(exchange: Exchange) -> None:
    long_ago = (clock.now().date() - timedelta(days=200)).isoformat()
    sent = submit(exchange, exchange.indicator(SOPHIE, observed_to=long_ago))
    made = amend(exchange, sent, observed_to=None)
    assert changed(made) == {"observed_to": (long_ago, None)}
    (row,) = exchange.rows(select(Indicator))
    assert row.seen_day == day(clock.now())


def test_what_changes_nothing_is_answered_so_and_nobody_is_told(
    exchange: Exchange, told: list[Amended]
) -> None:
    sent = submit(
        exchange, exchange.indicator(SOPHIE, handling=["H1"]), shipment={"service": "parcel"}
    )
    for made in (
        amend(exchange, sent, handling=["H1"], tlp="AMBER"),
        amend(exchange, sent),
        amend_report(exchange, sent, service="parcel", barrier_step=None),
    ):
        assert (list(made.changes), list(made.indicators)) == ([], [])
    assert told == []
    (row,) = exchange.rows(select(Indicator))
    assert row.amended_at is None
    assert [entry.details["changes"] for entry in exchange.entries("indicator.amend")] == [{}, {}]


def test_a_report_moves_all_its_indicators(exchange: Exchange, told: list[Amended]) -> None:
    sent = submit(exchange, exchange.indicator(SOPHIE), place(), barrier_step=2)
    made = amend_report(exchange, sent, barrier_step=5, substance="ketamine", weight_band="100-500")
    assert changed(made) == {
        "barrier_step": (2, 5),
        "substance": (None, "ketamine"),
        "weight_band": (None, "100-500"),
    }
    assert [each.indicator for each in told] == list(made.indicators) == list(sent.indicators)
    (stored,) = exchange.rows(select(Report))
    assert (stored.barrier_step, stored.substance, stored.weight_band) == (5, "ketamine", "100-500")
    classes = {row.id: row.attributes for row in exchange.rows(select(ShareClass))}
    for row in exchange.rows(select(Indicator)):
        attributes = classes[row.share_class_id]
        assert (attributes["barrier_step"], attributes["substance"]) == (5, "ketamine")
    amend_report(exchange, sent, barrier_step=None, substance=None)
    for row in exchange.rows(select(Indicator)):
        assert row.amended_at is not None


def test_the_log_has_what_was_changed_from_what_to_what_and_why(exchange: Exchange) -> None:
    sent = submit(exchange, exchange.indicator(SOPHIE))
    amend(exchange, sent, source_grade="A", handling=["H2", "H1"], reason="source_withdrew")
    (entry,) = exchange.entries("indicator.amend")
    assert entry.details["reason"] == "source_withdrew"
    assert entry.details["changes"] == {
        "source_grade": ["X", "A"],
        "handling": [[], ["H1", "H2"]],
    }
    assert entry.details["objects"] == [str(sent.indicators[0])]
    assert entry.audience == ["post-be"]


def test_a_retry_of_what_was_sent_first_still_finds_its_report(exchange: Exchange) -> None:
    raw = report("k1", exchange.indicator(SOPHIE))
    (first,) = exchange.submit("post-be", raw).results
    amend(exchange, first, tlp="GREEN")
    (again,) = exchange.submit("post-be", raw).results
    assert (again.status, again.id) == ("existing", first.id)


def test_words_that_contradict_are_refused_by_their_field(exchange: Exchange) -> None:
    sent = submit(exchange, exchange.indicator(SOPHIE))
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"tlp": "CLEAR", "handling": ["H1"]}, "json.handling"),
        ({"handling": ["H1", "H1"]}, "json.handling"),
        ({"observed_from": "2999-01-01"}, "json.observed_from"),
        ({"expires_on": "2020-01-01"}, "json.expires_on"),
        ({"review_on": "2020-01-01"}, "json.review_on"),
        ({"review_on": "2999-01-01"}, "json.review_on"),
    ]
    for fields, field in wrong:
        with pytest.raises(InvalidRequestError) as refused:
            amend(exchange, sent, **fields)
        assert [each["field"] for each in refused.value.extensions["errors"]] == [field]
    (row,) = exchange.rows(select(Indicator))
    assert row.amended_at is None


def test_a_code_that_stands_already_is_held_against_a_new_marking(exchange: Exchange) -> None:
    sent = submit(exchange, exchange.indicator(SOPHIE, handling=["H2"]))
    with pytest.raises(InvalidRequestError):
        amend(exchange, sent, tlp="GREEN")
    assert changed(amend(exchange, sent, tlp="GREEN", handling=[])).keys() == {"tlp", "handling"}


def test_a_review_does_not_outlive_an_earlier_end(exchange: Exchange) -> None:
    sent = submit(exchange, exchange.indicator(SOPHIE))
    soon = (clock.now().date() + timedelta(days=2)).isoformat()
    made = amend(exchange, sent, expires_on=soon)
    assert {field: new for field, (_, new) in changed(made).items()} == {
        "expires_on": soon,
        "review_on": soon,
    }


def test_what_is_anothers_over_or_not_there_is_one_answer(exchange: Exchange) -> None:
    tomorrow = (clock.now() + timedelta(days=1)).date()
    sent = submit(exchange, exchange.indicator(SOPHIE, expires_on=tomorrow.isoformat()))
    (other,) = exchange.submit("post-be", report("k2", exchange.indicator(JAN))).results
    mixed = service.ReportResult("k1", service.Status.CREATED, sent.id, other.indicators)
    unknown = service.ReportResult("k1", service.Status.CREATED, uuid4(), [uuid4()])
    for code, asked in (("customs-nl", sent), ("post-be", mixed), ("post-be", unknown)):
        with pytest.raises(NotFoundError):
            amend(exchange, asked, code, tlp="GREEN")
    for code, asked in (("customs-nl", sent), ("post-be", unknown)):
        with pytest.raises(NotFoundError):
            amend_report(exchange, asked, code, barrier_step=1)
    with at_work(exchange) as session:
        assert service.expire(session, tomorrow) == 1
    with pytest.raises(NotFoundError):
        amend(exchange, sent, tlp="GREEN")
    with pytest.raises(amending.ReportEndedError):
        amend_report(exchange, sent, barrier_step=1)


def test_the_interface_says_what_cannot_be_amended(exchange: Exchange, client: FlaskClient) -> None:
    sent = submit(exchange, exchange.indicator(SOPHIE))
    writer = exchange.people["post-be"]
    headers = bearer(exchange.app, writer, [Scope.REPORTS_WRITE])
    address = f"/api/v1/reports/{sent.id}"
    for path, fixed in (
        (f"{address}/indicators/{sent.indicators[0]}", ("kind", "role", "elements", "learned")),
        (address, ("indicators", "client_key", "shipment")),
    ):
        for name in fixed:
            answer = client.patch(path, json={"reason": "other", name: "x"}, headers=headers)
            assert answer.status_code == 422
            (error,) = answer.get_json()["errors"]
            assert error["field"] == f"json.{name}"
            assert "withdraw the report" in error["reason"]
        without = client.patch(path, json={}, headers=headers)
        assert [each["field"] for each in without.get_json()["errors"]] == ["json.reason"]
    answer = client.patch(
        f"{address}/indicators/{sent.indicators[0]}",
        json={"reason": "wrong_data", "permitted_action": "watch"},
        headers=headers,
    )
    assert answer.status_code == 200
    assert answer.get_json() == {
        "id": str(sent.indicators[0]),
        "changes": [{"field": "permitted_action", "old": "know", "new": "watch"}],
        "indicators": [str(sent.indicators[0])],
    }
    answer = client.patch(address, json={"reason": "other", "barrier_step": 3}, headers=headers)
    assert answer.get_json()["changes"] == [{"field": "barrier_step", "old": None, "new": 3}]
    shown = client.get(
        address, headers=bearer(exchange.app, writer, [Scope.REPORTS_READ])
    ).get_json()
    assert shown["barrier_step"] == 3
    assert shown["indicators"][0]["amended_at"] is not None


def test_two_amendments_of_one_indicator_wait_for_each_other(exchange: Exchange) -> None:
    sent = submit(exchange, exchange.indicator(SOPHIE))
    wanted: list[dict[str, Any]] = [
        {"tlp": "GREEN"},
        {"source_grade": "A"},
        {"assertion": "fact"},
        {"tlp": "RED"},
    ]
    faults: list[BaseException] = []

    def one(fields: dict[str, Any]) -> None:
        try:
            amend(exchange, sent, **fields)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=one, args=(fields,)) for fields in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    (row,) = exchange.rows(select(Indicator))
    (attributes,) = [
        each.attributes
        for each in exchange.rows(select(ShareClass))
        if each.id == row.share_class_id
    ]
    assert attributes["tlp"] == row.tlp
    assert (attributes["source_grade"], attributes["assertion"]) == ("A", "fact")
    postings = exchange.rows(select(Token))
    assert {each.share_class_id for each in postings} == {row.share_class_id}
    assert len(postings) == len(row.tokens) // 16
