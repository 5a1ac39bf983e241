"""What this room keeps for the life of the process: the vault's key and the sweep of expiry."""

from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from app.clock import now
from app.indicators import service
from app.indicators.vault import Vault
from app.jobs.service import duty
from app.runtime import Runtime

_EVERY = timedelta(minutes=10)
_BATCHES = 20  # of one run, so that its transaction stays short


def start(_app: Flask, runtime: Runtime) -> None:
    runtime.add(Vault(runtime.secrets.vault))
    duty(runtime, "indicators.expire", _EVERY, _sweep)


def _sweep(session: Session) -> int:
    erased = 0
    for _ in range(_BATCHES):
        batch = service.expire(session, now().date())
        erased += batch
        if batch < service.EXPIRY_BATCH:
            break
    return erased
