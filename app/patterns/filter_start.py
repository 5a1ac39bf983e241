"""What filters do by themselves: the building of large ones, their end, and that of allowances."""

from datetime import timedelta

from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.indicators.hooks import Hooks
from app.jobs.outbox import handle
from app.jobs.service import duty, in_batches
from app.patterns import filter_ending, filters, screening_quota
from app.runtime import Runtime

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def start(runtime: Runtime) -> None:
    """Register the hook, the job and the duties; called by the room's `start`."""
    runtime.part(Hooks).ending.append(filter_ending.on_ending)
    handle(runtime, filters.BUILD, filters.build_later)
    duty(runtime, "filters.expire", _HOUR, _expire)
    duty(runtime, "filters.forget", _DAY, _forget)
    duty(runtime, "screening.expire", _HOUR, _end_agreements)


def _expire(session: Session) -> int:
    return in_batches(lambda: filter_ending.expire(session), filter_ending.BATCH)


def _forget(session: Session) -> int:
    return in_batches(lambda: filter_ending.forget(session), filter_ending.BATCH)


def _end_agreements(session: Session) -> int:
    return screening_quota.expire(session, CONSOLE)
