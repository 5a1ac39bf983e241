"""Own reports: read back, withdrawn and expired; another organisation's are not there."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from app import clock
from app.errors import NotFoundError
from app.indicators import own, service, storage
from app.indicators.models import Indicator, Report, Tombstone
from app.jobs.service import run_due
from postern.vocabulary import Kind
from tests.app.exchange import JAN, OPEN_TO_POLICE, SOPHIE, Exchange, place, report
from tests.app.people import runtime_of


def listed(exchange: Exchange, code: str, limit: int = 50, cursor: UUID | None = None) -> Any:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return service.list_own(session, exchange.caller(code), limit, cursor)


def read(exchange: Exchange, code: str, public_id: UUID) -> Any:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return service.read_own(session, exchange.caller(code), public_id)


def withdraw(exchange: Exchange, code: str, public_id: UUID) -> service.Withdrawal:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return service.withdraw(session, exchange.caller(code), public_id, "unlawful")


def expire(exchange: Exchange, today: date) -> int:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return service.expire(session, today)


def figures(exchange: Exchange, code: str) -> own.Figures:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return service.figures(session, exchange.organisation_id(code))


def rows_left(exchange: Exchange) -> dict[str, int]:
    with exchange.database.reading() as session:
        return {
            table: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - a list of our own
            for table in ("indicator", "token", "element_vault", "hit", "tombstone")
        }


def submit_one(exchange: Exchange, code: str, key: str, *indicators: Any, **fields: Any) -> Any:
    (result,) = exchange.submit(code, report(key, *indicators, **fields)).results
    assert result.status == "created"
    return result


def test_pages_hold_every_report_once_newest_first(exchange: Exchange) -> None:
    sent = [submit_one(exchange, "post-be", f"k{n}", place()).id for n in range(5)]
    submit_one(exchange, "customs-nl", "other", place())
    seen: list[UUID] = []
    cursor = None
    sizes = []
    while True:
        page = listed(exchange, "post-be", 2, cursor)
        seen += [each.id for each in page.reports]
        sizes.append(len(page.reports))
        cursor = page.next
        if cursor is None:
            break
    assert seen == sent[::-1]
    assert sizes == [2, 2, 1]


def test_a_page_that_is_exactly_full_has_no_next(exchange: Exchange) -> None:
    exchange.submit("post-be", report("k1", place()), report("k2", place()))
    assert listed(exchange, "post-be", 2).next is None


def test_a_cursor_of_another_organisation_gives_an_empty_page(exchange: Exchange) -> None:
    submit_one(exchange, "post-be", "k", place())
    theirs = submit_one(exchange, "customs-nl", "k", place()).id
    for cursor in (theirs, uuid4()):
        assert listed(exchange, "post-be", 2, cursor).reports == []


def test_a_report_is_read_back_as_it_was_sent(exchange: Exchange) -> None:
    shipment = {"origin_country": "BE", "service": "parcel", "substance": "mdma"}
    result = submit_one(
        exchange,
        "post-be",
        "k1",
        exchange.indicator(SOPHIE, handling=["H1"], tlp="GREEN"),
        place(),
        shipment=shipment,
        barrier_step=4,
    )
    found = read(exchange, "post-be", result.id)
    assert (found.id, found.client_key, found.barrier_step) == (result.id, "k1", 4)
    assert {name: value for name, value in found.shipment.items() if value} == shipment
    party, point = found.indicators
    assert [party["id"], point["id"]] == list(result.indicators)
    assert (party["kind"], party["tlp"], party["handling"]) == ("party", "GREEN", ["H1"])
    assert party["facets"] == sorted({facet for facet, _ in exchange.elements(SOPHIE)})
    assert party["facets_common"] == []
    assert point["place"] == place()["place"]


def test_neither_list_nor_report_holds_a_token_or_element(exchange: Exchange) -> None:
    result = submit_one(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    (stored,) = exchange.rows(select(Indicator))
    told = repr(listed(exchange, "post-be")) + repr(read(exchange, "post-be", result.id))
    assert "token" not in told
    assert repr(bytes(stored.tokens))[2:20] not in told


def test_anothers_report_and_none_are_the_same_answer(exchange: Exchange) -> None:
    theirs = submit_one(exchange, "customs-nl", "k", place()).id
    for public_id in (theirs, uuid4()):
        with pytest.raises(NotFoundError) as refused:
            read(exchange, "post-be", public_id)
        assert refused.value.as_problem("r") == NotFoundError().as_problem("r")
        with pytest.raises(NotFoundError):
            withdraw(exchange, "post-be", public_id)
    assert read(exchange, "customs-nl", theirs).status == "active"


def test_withdrawing_erases_the_indicators_with_all_that_belongs_to_them(
    exchange: Exchange,
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    shipment = {"origin_country": "BE"}
    gone = submit_one(
        exchange, "post-be", "k1", exchange.indicator(SOPHIE), place(), shipment=shipment
    )
    kept = submit_one(exchange, "post-be", "k2", exchange.indicator(JAN))
    (result,) = exchange.ask("police-de", SOPHIE).results
    assert len(result.hits) == 1

    answer = withdraw(exchange, "post-be", gone.id)

    assert (answer.status, answer.erased) == ("withdrawn", 2)
    left = rows_left(exchange)
    tokens_of_kept = len(exchange.elements(JAN))
    assert left == {
        "indicator": 1,
        "token": tokens_of_kept,
        "element_vault": 1,
        "hit": 0,
        "tombstone": 2,
    }
    stones = exchange.rows(select(Tombstone))
    assert {stone.public_id for stone in stones} == set(gone.indicators)
    assert {stone.reason for stone in stones} == {"withdrawn"}
    found = read(exchange, "post-be", gone.id)
    assert (found.status, list(found.indicators)) == ("withdrawn", [])
    assert not any(found.shipment.values())
    assert exchange.ask("police-de", SOPHIE).results[0].hits == []
    assert len(exchange.ask("police-de", JAN).results[0].hits) == 1
    assert read(exchange, "post-be", kept.id).status == "active"


def test_withdrawing_again_changes_nothing(exchange: Exchange) -> None:
    result = submit_one(exchange, "post-be", "k1", place())
    assert withdraw(exchange, "post-be", result.id).erased == 1
    assert withdraw(exchange, "post-be", result.id).erased == 0
    assert rows_left(exchange)["tombstone"] == 1


def test_a_withdrawn_report_does_not_come_back_by_a_retry(exchange: Exchange) -> None:
    sent = report("k1", exchange.indicator(SOPHIE))
    (first,) = exchange.submit("post-be", sent).results
    assert first.id is not None
    withdraw(exchange, "post-be", first.id)
    (again,) = exchange.submit("post-be", sent).results
    assert again.status == "rejected"
    assert [fault.field for fault in again.errors] == ["client_key"]
    assert rows_left(exchange)["indicator"] == 0


def test_the_log_tells_which_report_was_withdrawn_and_why(exchange: Exchange) -> None:
    result = submit_one(exchange, "post-be", "k1", place())
    withdraw(exchange, "post-be", result.id)
    (entry,) = exchange.entries("report.withdraw")
    assert entry.details["objects"] == [str(result.id)]
    assert entry.details["indicators"] == [str(each) for each in result.indicators]
    assert entry.details["reason"] == "unlawful"
    assert entry.audience == ["post-be"]


def test_every_read_is_logged(exchange: Exchange) -> None:
    result = submit_one(exchange, "post-be", "k1", place())
    listed(exchange, "post-be")
    read(exchange, "post-be", result.id)
    for act in ("report.list", "report.read"):
        (entry,) = exchange.entries(act)
        assert entry.details["objects"] == [str(result.id)]


def test_what_is_past_its_last_day_is_erased(exchange: Exchange) -> None:
    today = clock.now().date()
    short = (today + timedelta(days=3)).isoformat()
    gone = submit_one(exchange, "post-be", "k1", exchange.indicator(SOPHIE, expires_on=short))
    theirs = submit_one(exchange, "customs-nl", "k1", place(expires_on=short))
    submit_one(exchange, "post-be", "k2", exchange.indicator(JAN))
    assert expire(exchange, today + timedelta(days=2)) == 0
    assert expire(exchange, today + timedelta(days=3)) == 2
    assert expire(exchange, today + timedelta(days=3)) == 0
    assert rows_left(exchange) == {
        "indicator": 1,
        "token": len(exchange.elements(JAN)),
        "element_vault": 1,
        "hit": 0,
        "tombstone": 2,
    }
    entries = exchange.entries("indicator.expire")
    told = {tuple(entry.audience): entry.details["objects"] for entry in entries}
    assert told == {
        ("customs-nl", "platform"): [str(each) for each in theirs.indicators],
        ("platform", "post-be"): [str(each) for each in gone.indicators],
    }


def test_the_sweep_goes_on_until_all_is_erased(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "EXPIRY_BATCH", 2)
    tomorrow = (clock.now() + timedelta(days=1)).date().isoformat()
    exchange.submit("post-be", *(report(f"k{n}", place(expires_on=tomorrow)) for n in range(5)))
    later = clock.now() + timedelta(days=2)
    _move_clock(monkeypatch, later)
    with exchange.app.app_context():
        done = {each.name: each.count for each in run_due(runtime_of(exchange.app))}
    assert done["indicators.expire"] == 5
    assert rows_left(exchange)["token"] == 0


def test_an_expired_indicator_is_not_seen_before_the_sweep_either(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    tomorrow = (clock.now() + timedelta(days=1)).date().isoformat()
    result = submit_one(exchange, "post-be", "k1", exchange.indicator(SOPHIE, expires_on=tomorrow))
    assert len(exchange.ask("police-de", SOPHIE).results[0].hits) == 1
    _move_clock(monkeypatch, clock.now() + timedelta(days=1))
    assert exchange.ask("police-de", SOPHIE).results[0].hits == []
    assert list(read(exchange, "post-be", result.id).indicators) == []


def test_figures_count_what_is_there(exchange: Exchange) -> None:
    assert figures(exchange, "post-be") == own.Figures(0, 0, 0, {}, 0)
    soon = (clock.now() + timedelta(days=30)).date().isoformat()
    later = (clock.now() + timedelta(days=31)).date().isoformat()
    submit_one(exchange, "post-be", "k1", exchange.indicator(SOPHIE, expires_on=soon), place())
    submit_one(exchange, "post-be", "k2", exchange.indicator(JAN, expires_on=later))
    withdraw(exchange, "post-be", submit_one(exchange, "post-be", "k3", place()).id)
    submit_one(exchange, "customs-nl", "k1", place())
    assert figures(exchange, "post-be") == own.Figures(
        reports=2,
        reports_recent=2,
        withdrawn=1,
        indicators={Kind.PARTY: 2, Kind.INDUCTION_POINT: 1},
        expiring_soon=1,
    )


def test_old_reports_are_not_recent(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    submit_one(exchange, "post-be", "k1", place())
    _move_clock(monkeypatch, clock.now() + timedelta(days=31))
    found = figures(exchange, "post-be")
    assert (found.reports, found.reports_recent) == (1, 0)


def test_erasing_nothing_changes_nothing(exchange: Exchange) -> None:
    submit_one(exchange, "post-be", "k1", place())
    with exchange.database.transaction() as session:
        assert storage.erase(session, Indicator.id == -1, "expired", clock.now()) == {}
    assert len(exchange.rows(select(Report))) == 1


def _move_clock(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    for module in ("indicators.service", "indicators.own", "indicators.start", "jobs.service"):
        monkeypatch.setattr(f"app.{module}.now", lambda: moment)
    monkeypatch.setattr("app.lookups.service.now", lambda: moment)
