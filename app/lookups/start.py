"""What this room does from time to time: erase the records of old lookups."""

from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from app.clock import now
from app.jobs.service import duty, in_batches
from app.lookups import service
from app.runtime import Runtime

_EVERY = timedelta(hours=1)


def start(_app: Flask, runtime: Runtime) -> None:
    duty(runtime, "lookups.expire", _EVERY, _sweep)


def _sweep(session: Session) -> int:
    today = now().date()
    return in_batches(lambda: service.expire(session, today), service.EXPIRY_BATCH)
