"""What this room keeps for the life of the process: the vault's key and the sweep of expiry."""

from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from app.clock import now
from app.indicators import service
from app.indicators.vault import Vault
from app.jobs.service import duty, in_batches
from app.runtime import Runtime

_EVERY = timedelta(minutes=10)


def start(_app: Flask, runtime: Runtime) -> None:
    runtime.add(Vault(runtime.secrets.vault))
    duty(runtime, "indicators.expire", _EVERY, _sweep)


def _sweep(session: Session) -> int:
    today = now().date()
    return in_batches(lambda: service.expire(session, today), service.EXPIRY_BATCH)
