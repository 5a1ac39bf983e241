"""Periodic duties of the log's upkeep: partitions ahead, erasure, archives.

They need the rights of who keeps the log: `python -m app grants ROLE --for log`.
"""

from contextlib import suppress
from datetime import timedelta

from sqlalchemy.orm import Session

from app.audit import erasure, months, retention
from app.audit.archive import TurnTakenError, archivist
from app.audit.retention import Countries
from app.clock import now
from app.jobs.service import duty, leave_more
from app.runtime import Runtime

_SOON = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def register(runtime: Runtime) -> None:
    """Register the duties."""

    def erase_due(session: Session) -> int:
        countries = runtime.part(Countries).by_code(session)
        with suppress(TurnTakenError):
            return _step(retention.erase_due(session, archivist(runtime), countries, now()))
        return 0

    def erase_wanted(session: Session) -> int:
        with suppress(TurnTakenError):
            return _step(erasure.perform_waiting(session, archivist(runtime)))
        return 0

    duty(runtime, "log.months", _DAY, lambda session: months.make_ahead(session, now()))
    duty(runtime, "log.retention", _HOUR, erase_due)
    duty(runtime, "log.erase", _SOON, erase_wanted)


def _step(erased: int) -> int:
    """Each call erases a bounded part: after one that erased something another follows at once."""
    if erased:
        leave_more()
    return erased
