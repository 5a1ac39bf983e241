"""What this room does by itself: the shipped model, reminders, the end of proposals, erasure."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from app.barriers import closing, model_upkeep, registering, tagging, telling, told_counts
from app.clock import now
from app.indicators.hooks import Hooks
from app.jobs.dispatching import allow
from app.jobs.service import duty, in_batches
from app.runtime import Runtime

_OFTEN = timedelta(minutes=10)
_HOURLY = timedelta(hours=1)
_DAILY = timedelta(days=1)


def start(_app: Flask, runtime: Runtime) -> None:
    """Put what this room does by itself on the lists; called by `create_app`."""
    runtime.part(Hooks).ending.append(tagging.on_ending)
    for kind in ("model.proposed", "model.decided", "barrier.expiring"):
        allow(runtime, kind, telling.may_tell_own)
    duty(runtime, "barriers.shipped", _HOURLY, model_upkeep.load_shipped)
    duty(runtime, "barriers.count", _HOURLY, lambda session: closing.close(session, now()))
    duty(runtime, "barriers.renew", _OFTEN, lambda session: told_counts.renew(session, now()))
    for name, every, run, batch in (
        ("lapse", _HOURLY, model_upkeep.lapse, model_upkeep.BATCH),
        ("remind", _HOURLY, registering.remind, registering.BATCH),
        ("erase", _DAILY, registering.erase, registering.BATCH),
        ("erase-tags", _DAILY, tagging.erase, tagging.BATCH),
        ("erase-models", _DAILY, model_upkeep.erase, model_upkeep.BATCH),
    ):
        duty(runtime, f"barriers.{name}", every, _batches(run, batch))


def _batches(run: Callable[[Session], int], batch: int) -> Callable[[Session], int]:
    return lambda session: in_batches(lambda: run(session), batch)
