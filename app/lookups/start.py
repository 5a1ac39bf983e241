"""What this room does from time to time: erase the records of old lookups."""

from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from app.clock import now
from app.jobs.service import duty
from app.lookups import service
from app.runtime import Runtime

_EVERY = timedelta(hours=1)
_BATCHES = 20  # of one run, so that its transaction stays short


def start(_app: Flask, runtime: Runtime) -> None:
    duty(runtime, "lookups.expire", _EVERY, _sweep)


def _sweep(session: Session) -> int:
    erased = 0
    for _ in range(_BATCHES):
        batch = service.expire(session, now().date())
        erased += batch
        if batch < service.EXPIRY_BATCH:
            break
    return erased
