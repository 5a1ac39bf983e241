"""What this room does by itself: telling subscribers, reminders, the end of drafts, and erasure."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from app.jobs.dispatching import allow
from app.jobs.outbox import handle
from app.jobs.service import duty, in_batches
from app.patterns import filter_start, losses, telling, upkeep
from app.runtime import Runtime

_HOURLY = timedelta(hours=1)
_DAILY = timedelta(days=1)


def start(_app: Flask, runtime: Runtime) -> None:
    """Put what this room does by itself on the lists; called by `create_app`."""
    filter_start.start(runtime)
    handle(runtime, telling.CHANGED, telling.tell)
    for kind in (telling.PUBLISHED, telling.DEPRECATED):
        allow(runtime, kind, telling.may_tell_change)
    allow(runtime, telling.UNSHARED, telling.may_tell_loss)
    for kind in ("pattern.proposed", "pattern.decided", "pattern.expiring"):
        allow(runtime, kind, telling.may_tell_own)
    for name, every, run in (
        ("remind", _HOURLY, upkeep.remind),
        ("discard-stale", _HOURLY, upkeep.discard_stale),
        ("erase", _DAILY, upkeep.erase),
    ):
        duty(runtime, f"patterns.{name}", every, _batches(run))
    duty(runtime, "patterns.subscriptions", _HOURLY, losses.look)


def _batches(run: Callable[[Session], int]) -> Callable[[Session], int]:
    return lambda session: in_batches(lambda: run(session), upkeep.BATCH)
