"""What this room keeps for the life of the process, and what it does from time to time."""

from collections.abc import Mapping
from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from app.audit.retention import Countries
from app.compliance import breaches, log_state, rounds, signals, subject_requests, upkeep
from app.compliance.sealing import Notes
from app.jobs.service import duty
from app.organisations.service import directory
from app.runtime import Runtime

_EVERY = timedelta(hours=1)
_SOON = timedelta(minutes=1)
_DAY = timedelta(days=1)


def start(_app: Flask, runtime: Runtime) -> None:
    runtime.add(Notes(runtime.secrets.accounts))
    audit = runtime.settings.audit
    runtime.add(Countries(_countries))
    upkeep.register(runtime)
    duty(runtime, "log.watch", _SOON, lambda session: log_state.watch(session, audit))
    duty(runtime, "log.tell", _SOON, log_state.tell)
    duty(runtime, "reviews.draw", _EVERY, rounds.draw_due)
    duty(runtime, "signals.look", _EVERY, signals.look)
    duty(runtime, "breaches.remind", _EVERY, breaches.remind)
    duty(runtime, "breaches.expire", _DAY, breaches.expire)
    duty(runtime, "subjects.remind", _EVERY, subject_requests.remind)
    duty(runtime, "subjects.expire", _DAY, subject_requests.expire)


def _countries(session: Session) -> Mapping[str, str]:
    return {member.code: member.country for member in directory(session).values()}
