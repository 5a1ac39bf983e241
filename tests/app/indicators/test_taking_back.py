"""Some indicators of a report are withdrawn: the others stand, and a hold keeps what it must."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.clock import now
from app.errors import NotFoundError
from app.indicators import holds
from app.indicators.models import Indicator, Report, ReportStatus, Tombstone
from app.indicators.taking_back import take_back
from postern.vocabulary import HoldReason, RecallReason
from tests.app.exchange import JAN, SOPHIE, Exchange, place, report


def sent(exchange: Exchange) -> tuple[UUID, list[UUID]]:
    """A report of three indicators, and their ids."""
    (result,) = exchange.submit(
        "post-be",
        report("k-1", exchange.indicator(SOPHIE), exchange.indicator(JAN), place()),
    ).results
    assert result.id is not None
    return result.id, list(result.indicators)


def taken(exchange: Exchange, of: UUID, ids: list[UUID], code: str = "post-be") -> int:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return take_back(session, exchange.caller(code), of, ids, RecallReason.SOURCE_WITHDREW)


def standing(exchange: Exchange) -> set[UUID]:
    rows = exchange.rows(select(Indicator).where(Indicator.restricted_at.is_(None)))
    return {row.public_id for row in rows}


def status(exchange: Exchange) -> ReportStatus:
    (row,) = exchange.rows(select(Report))
    found: ReportStatus = row.status
    return found


def test_those_that_are_named_go_and_the_others_stay(exchange: Exchange) -> None:
    of, ids = sent(exchange)
    assert taken(exchange, of, ids[:1]) == 1
    assert standing(exchange) == set(ids[1:])
    assert status(exchange) is ReportStatus.ACTIVE
    assert {row.public_id for row in exchange.rows(select(Tombstone))} == {ids[0]}
    (entry,) = exchange.entries("indicator.withdraw")
    assert entry.details["objects"] == [str(ids[0])]
    assert entry.details["recall"] == "source_withdrew"
    assert taken(exchange, of, ids[:1]) == 0
    assert len(exchange.entries("indicator.withdraw")) == 1


def test_with_the_last_of_them_the_report_is_withdrawn(exchange: Exchange) -> None:
    of, ids = sent(exchange)
    taken(exchange, of, ids[:2])
    assert taken(exchange, of, ids) == 1
    assert standing(exchange) == set()
    assert status(exchange) is ReportStatus.WITHDRAWN
    assert len(exchange.entries("report.withdraw")) == 1


def test_what_a_hold_keeps_is_restricted(exchange: Exchange) -> None:
    of, ids = sent(exchange)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        holds.place(
            session,
            exchange.caller("post-be"),
            of,
            reason=HoldReason.PROCEEDINGS,
            until=now().date() + timedelta(days=30),
            case="K-1",
        )
    assert taken(exchange, of, ids[:1]) == 1
    assert standing(exchange) == set(ids[1:])
    assert len(exchange.rows(select(Indicator))) == 3
    (entry,) = exchange.entries("indicator.withdraw")
    assert entry.details["restricted"] == 1


def test_anothers_report_is_not_there(exchange: Exchange) -> None:
    of, ids = sent(exchange)
    with pytest.raises(NotFoundError):
        taken(exchange, of, ids, "police-de")
    assert standing(exchange) == set(ids)
