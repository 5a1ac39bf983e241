"""What this room keeps for the life of the process: the vault's key, the hooks, the sweep."""

from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from app.clock import now
from app.indicators import holds, rotating, rotation_console, service
from app.indicators.hooks import Hooks
from app.indicators.vault import Vault
from app.jobs.service import duty, in_batches
from app.pseudonyms.rotation import erase_rows
from app.runtime import Runtime

_SOON = timedelta(minutes=1)
_EVERY = timedelta(minutes=10)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def start(_app: Flask, runtime: Runtime) -> None:
    runtime.add(Vault(runtime.secrets.vault))
    runtime.add(Hooks())
    duty(runtime, "indicators.expire", _EVERY, sweep)
    rotation_console.install()
    duty(runtime, "keys.rotate", _SOON, rotating.work)
    duty(runtime, "keys.erase-rows", _DAY, erase_rows)
    duty(runtime, "holds.remind", _HOUR, holds.remind)


def sweep(session: Session) -> int:
    """Erase what is over, in one transaction of bounded length; returns how many."""
    today = now().date()
    return in_batches(lambda: service.expire(session, today), service.EXPIRY_BATCH, most=5)
