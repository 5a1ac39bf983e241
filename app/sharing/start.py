"""What must hold before the platform starts: the schema and the platform's rules can be read."""

from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from app import clock
from app.errors import StartRefusedError
from app.jobs.service import duty, in_batches
from app.runtime import Runtime
from app.sharing import drafts, engine, eras, grants, stored
from app.sharing.policy_text import PLATFORM_FILE, SCHEMA_FILE, PolicyRefusedError
from app.sharing.reasons import KnownReasons

_EVERY = timedelta(days=1)
# A process reads each text once, so an upgrade is noticed soon after its worker starts.
_EVERY_CHECK = timedelta(minutes=10)


def start(_app: Flask, runtime: Runtime) -> None:
    """StartRefusedError when a file of policies/ is missing or damaged."""
    try:
        engine.load("")
    except (OSError, ValueError) as error:
        raise StartRefusedError(
            f"{SCHEMA_FILE} or {PLATFORM_FILE} cannot be read: {error}. "
            "Restore both from the release."
        ) from None
    except PolicyRefusedError as refusal:
        fault = refusal.faults[0]
        raise StartRefusedError(
            f"{PLATFORM_FILE}, line {fault.line}: {fault.reason}. Restore it from the release."
        ) from None
    runtime.add(KnownReasons())
    duty(runtime, "sharing.clear_past", _EVERY, _clear_past)
    duty(runtime, "sharing.discard_stale", _EVERY, _discard_stale)
    known = stored.KnownValid()
    duty(
        runtime,
        "sharing.check_stored",
        _EVERY_CHECK,
        lambda session: stored.alarm(session, clock.now(), known),
    )


def _clear_past(session: Session) -> int:
    return grants.clear_past(session, eras.second(clock.now()))


def _discard_stale(session: Session) -> int:
    return in_batches(lambda: drafts.discard_stale(session), drafts.STALE_BATCH)
