"""What this room keeps for the life of the process: case tags, its hook and its duties."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from app.disclosures import deliveries, outcomes, recall_clock, recalls, upkeep
from app.disclosures.requests import CaseTags
from app.indicators.hooks import Hooks
from app.jobs.service import duty, in_batches
from app.runtime import Runtime

_SOON = timedelta(minutes=1)
_HOURLY = timedelta(hours=1)
_DAILY = timedelta(days=1)


def start(_app: Flask, runtime: Runtime) -> None:
    """Called by `create_app`."""
    runtime.add(CaseTags(runtime.secrets.accounts))
    hooks = runtime.part(Hooks)
    hooks.ending += [upkeep.end_for, recalls.on_ending]
    hooks.amended.append(recalls.on_amended)
    for name, every, run in (
        ("clock", _SOON, upkeep.tick),
        ("expire", _SOON, deliveries.expire),
        ("review", _SOON, upkeep.review),
        ("erase", _DAILY, upkeep.erase_written),
        ("forget", _DAILY, upkeep.forget),
    ):
        duty(runtime, f"disclosures.{name}", every, _batches(run))
    duty(runtime, "recalls.remind", _HOURLY, recall_clock.remind)
    duty(runtime, "recalls.expire", _DAILY, recall_clock.expire)
    duty(
        runtime,
        "outcomes.expire",
        _DAILY,
        lambda session: in_batches(lambda: outcomes.expire(session), outcomes.BATCH),
    )


def _batches(run: Callable[[Session], int]) -> Callable[[Session], int]:
    return lambda session: in_batches(lambda: run(session), upkeep.BATCH)
