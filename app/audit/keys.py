"""The log's own keys: which files sign, and which public keys are told to everybody.

While a key is being replaced two sign every checkpoint, so that who knows either can verify.
"""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.audit.models import AuditKey, KeyUse
from app.audit.service import append
from app.clock import milliseconds, now
from app.errors import StartRefusedError
from app.secret_files import LOG_KEY, create_one, read_one
from postern.tlog.notes import SigningKey, VerifierKey

_PREVIOUS = f"{LOG_KEY}.previous"


def signing_keys(directory: Path, name: str) -> list[SigningKey]:
    """The keys that sign checkpoints of the log `name`, the newest first."""
    paths = [directory / f"{LOG_KEY}.key"]
    previous = directory / f"{_PREVIOUS}.key"
    if previous.exists():
        paths.append(previous)
    return [SigningKey(name, read_one(path)) for path in paths]


def register(session: Session, keys: Sequence[VerifierKey], used_for: KeyUse) -> None:
    """Tell everybody, by an entry, of keys that sign from now on and of those that no longer do."""
    at = milliseconds(now())
    known = session.scalars(
        select(AuditKey).where(AuditKey.used_for == used_for, AuditKey.until.is_(None))
    ).all()
    wanted = [str(key) for key in keys]
    for vkey in wanted:
        if vkey not in {row.vkey for row in known}:
            session.add(AuditKey(vkey=vkey, used_for=used_for, since=at, until=None))
            _tell(session, "begins", vkey, used_for)
    for row in known:
        if row.vkey not in wanted:
            session.execute(update(AuditKey).where(AuditKey.vkey == row.vkey).values(until=at))
            _tell(session, "ends", row.vkey, used_for)


def rotate(directory: Path) -> None:
    """Make a new log key beside the present one; both sign until `retire`.

    StartRefusedError when one is being replaced already.
    """
    present, previous = directory / f"{LOG_KEY}.key", directory / f"{_PREVIOUS}.key"
    if previous.exists():
        raise StartRefusedError(
            "A log key is being replaced already. Retire the previous one first:"
            " flask --app wsgi audit retire-key"
        )
    read_one(present)
    present.rename(previous)
    create_one(present)


def retire(directory: Path) -> None:
    """Remove the previous log key; StartRefusedError when there is none."""
    previous = directory / f"{_PREVIOUS}.key"
    if not previous.exists():
        raise StartRefusedError("No log key is being replaced: there is nothing to retire.")
    previous.unlink()


def _tell(session: Session, what: str, vkey: str, used_for: KeyUse) -> None:
    details = {"key": vkey, "use": used_for.value, "change": what}
    append(session, CONSOLE, "audit.key", object_type="audit-key", count=1, details=details)
