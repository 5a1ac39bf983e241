"""Watches in tests: set one, do what the outbox asks for, read what was told."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app import clock
from app.indicators.service import ReportResult
from app.indicators.telling import Grounds
from app.jobs.draining import drain
from app.jobs.models import Notification
from app.lookups import watch_reading, watches
from app.lookups.scoring import Query
from app.lookups.watch_reading import Reading
from app.lookups.watches import SetWatch, Wanted
from postern.normalise import Value
from postern.vocabulary import LegalBasis, Purpose, Tlp, Told
from tests.app.exchange import Exchange, report
from tests.app.people import runtime_of

WHY = Grounds(Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE, "PV-2024-17")


def watch(
    exchange: Exchange,
    code: str,
    value: Value | Query,
    *,
    why: Grounds = WHY,
    expires_on: date | None = None,
    **more: Any,
) -> SetWatch:
    """Set a watch of the organisation's only person."""
    query = value if isinstance(value, Query) else exchange.query(value)
    given: dict[str, Any] = {"tells": Told.BOTH, "deconflicts": False, "tlp": Tlp.AMBER} | more
    wanted = Wanted(
        kind=query.kind,
        epoch=query.epoch,
        tokens=query.tokens,
        expires_on=expires_on or clock.now().date() + timedelta(days=30),
        **given,
    )
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return watches.set_up(session, exchange.caller(code), why, wanted)


def submit(exchange: Exchange, code: str, key: str, *given: Any, **fields: Any) -> ReportResult:
    """Submit one report that is accepted."""
    (result,) = exchange.submit(code, report(key, *given, **fields)).results
    assert result.status == "created", result.errors
    return result


def work(exchange: Exchange) -> None:
    """Do what the outbox asks for; nothing may fail."""
    with exchange.app.app_context():
        drain(runtime_of(exchange.app))


def read(exchange: Exchange, code: str, watch_id: UUID) -> Reading:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return watch_reading.read_own(session, exchange.caller(code), watch_id)


def notices(exchange: Exchange, code: str) -> Sequence[tuple[str, dict[str, Any]]]:
    """Kind and facts of what an organisation was notified of, oldest first."""
    rows = exchange.rows(
        select(Notification)
        .where(Notification.organisation_id == exchange.organisation_id(code))
        .order_by(Notification.id)
    )
    return [(row.kind, row.facts) for row in rows]
