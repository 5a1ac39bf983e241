"""What this room keeps for the life of the process: the vault's key, the hooks, the sweep."""

from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from app.clock import now
from app.indicators import holds, service
from app.indicators.hooks import Hooks
from app.indicators.vault import Vault
from app.jobs.service import duty, in_batches
from app.runtime import Runtime

_EVERY = timedelta(minutes=10)
_HOUR = timedelta(hours=1)


def start(_app: Flask, runtime: Runtime) -> None:
    runtime.add(Vault(runtime.secrets.vault))
    runtime.add(Hooks())
    duty(runtime, "indicators.expire", _EVERY, _sweep)
    duty(runtime, "holds.remind", _HOUR, holds.remind)


def _sweep(session: Session) -> int:
    today = now().date()
    return in_batches(lambda: service.expire(session, today), service.EXPIRY_BATCH)
