"""What this room does by itself: expiry, the matching of watches, and telling of their matches."""

from collections.abc import Callable
from datetime import date, timedelta

from flask import Flask
from sqlalchemy.orm import Session

from app.clock import now
from app.indicators.hooks import Hooks
from app.jobs.dispatching import allow
from app.jobs.outbox import handle
from app.jobs.service import duty, in_batches
from app.lookups import (
    deconfliction,
    service,
    value_budget,
    watch_checks,
    watch_ending,
    watch_epochs,
    watch_matching,
    watch_telling,
)
from app.pseudonyms.rotation import RotationHooks
from app.runtime import Runtime

_EVERY = timedelta(hours=1)
_OFTEN = timedelta(minutes=10)


def start(_app: Flask, runtime: Runtime) -> None:
    runtime.part(Hooks).stored.append(watch_matching.match)
    runtime.part(RotationHooks).waiting.append(watch_epochs.waiting)
    handle(runtime, watch_matching.MATCHED, watch_telling.tell)
    handle(runtime, deconfliction.LOOK, deconfliction.look)
    allow(runtime, "watch.matched", watch_checks.may_tell_match)
    allow(runtime, "watch.ended", watch_checks.may_tell_end)
    allow(runtime, "deconfliction.found", watch_checks.may_tell_deconfliction)
    runtime.add(value_budget.ValueKey(runtime.secrets.accounts))
    duty(runtime, "values.forget", _EVERY, value_budget.forget)
    duty(runtime, "lookups.expire", _EVERY, _sweep(service.expire, service.EXPIRY_BATCH))
    duty(runtime, "watches.expire", _OFTEN, _sweep(watch_ending.expire, watch_ending.BATCH))
    duty(
        runtime,
        "watches.end-without-right",
        _EVERY,
        _sweep(watch_ending.end_without_right, watch_ending.BATCH),
    )
    duty(
        runtime,
        "watches.erase-records",
        _EVERY,
        _sweep(watch_ending.erase_records, watch_ending.BATCH),
    )


def _sweep(erase: Callable[[Session, date], int], batch: int) -> Callable[[Session], int]:
    def sweep(session: Session) -> int:
        today = now().date()
        return in_batches(lambda: erase(session, today), batch)

    return sweep
