"""What this room does by itself: the shipped model, reminders, the end of proposals, erasure."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from app.barriers import (
    closing,
    model_upkeep,
    noting,
    recounting,
    registering,
    tag_pages,
    tagging,
    telling,
    told_counts,
)
from app.barriers.wording import install_wording
from app.clock import now
from app.indicators.hooks import Hooks
from app.jobs.dispatching import allow
from app.jobs.service import duty, in_batches
from app.runtime import Runtime

_OFTEN = timedelta(minutes=10)
_HOURLY = timedelta(hours=1)
_DAILY = timedelta(days=1)


def start(app: Flask, runtime: Runtime) -> None:
    """Put what this room does by itself on the lists; called by `create_app`."""
    install_wording(app)
    app.jinja_env.globals["step_tags"] = tag_pages.tags_of
    hooks = runtime.part(Hooks)
    hooks.ending += [tagging.on_ending, noting.on_ending]
    hooks.amended.append(noting.on_amended)
    for kind in ("model.proposed", "model.decided", "barrier.expiring"):
        allow(runtime, kind, telling.may_tell_own)
    duty(runtime, "barriers.shipped", _HOURLY, model_upkeep.load_shipped)
    duty(runtime, "barriers.count", _OFTEN, lambda session: closing.close(session, now()))
    duty(runtime, "barriers.compare", _HOURLY, _compare)
    duty(runtime, "barriers.renew", _OFTEN, lambda session: told_counts.renew(session, now()))
    for name, every, run, batch in (
        ("lapse", _HOURLY, model_upkeep.lapse, model_upkeep.BATCH),
        ("remind", _HOURLY, registering.remind, registering.BATCH),
        ("erase", _DAILY, registering.erase, registering.BATCH),
        ("erase-tags", _DAILY, tagging.erase, tagging.BATCH),
        ("erase-models", _DAILY, model_upkeep.erase, model_upkeep.BATCH),
    ):
        duty(runtime, f"barriers.{name}", every, _batches(run, batch))


def _compare(session: Session) -> int:
    return recounting.compare(session, now()).compared


def _batches(run: Callable[[Session], int], batch: int) -> Callable[[Session], int]:
    return lambda session: in_batches(lambda: run(session), batch)
