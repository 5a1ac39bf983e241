"""Keys of archived details: one for each organisation and month. A deleted key erases them all."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.audit.archive_file import Shelf
from app.audit.models import AuditArchiveKey
from app.runtime import Runtime
from app.secret_files import ARCHIVE_KEY, Sealer, read_one

_KEY_LENGTH = 32  # bytes


def sealer(runtime: Runtime) -> Sealer:
    """What seals the keys; StartRefusedError when its secret is not to be read."""
    return Sealer(read_one(Path(runtime.settings.secrets.directory) / f"{ARCHIVE_KEY}.key"))


@dataclass
class KeyRing:
    """The keys that there are, opened; new ones are made on demand and stored by `store`."""

    sealer: Sealer
    opened: dict[Shelf, bytes] = field(default_factory=dict)
    made: dict[Shelf, bytes] = field(default_factory=dict)

    @classmethod
    def load(cls, session: Session, sealer: Sealer) -> "KeyRing":
        """All keys that are stored."""
        rows = session.execute(
            select(AuditArchiveKey.org, AuditArchiveKey.month, AuditArchiveKey.sealed)
        )
        opened = {
            (org, month): sealer.open(bytes(sealed), _context((org, month)))
            for org, month, sealed in rows
        }
        return cls(sealer, opened)

    def find(self, shelf: Shelf) -> bytes | None:
        """The key of a shelf, None when it was deleted or never made."""
        return self.opened.get(shelf) or self.made.get(shelf)

    def make(self, shelf: Shelf) -> bytes:
        """The key of a shelf, made when there is none."""
        found = self.find(shelf)
        if found is None:
            found = self.made[shelf] = os.urandom(_KEY_LENGTH)
        return found

    def store(self, session: Session) -> None:
        """Store the keys that were made."""
        rows = [
            {"org": shelf[0], "month": shelf[1], "sealed": self.sealer.seal(key, _context(shelf))}
            for shelf, key in self.made.items()
        ]
        if rows:
            session.execute(insert(AuditArchiveKey), rows)
        self.opened |= self.made
        self.made = {}


def stored_shelves(session: Session, organisation: str, before: int) -> list[Shelf]:
    """The shelves of an organisation, of months before the month `before`, that have a key."""
    months = session.scalars(
        select(AuditArchiveKey.month)
        .where(AuditArchiveKey.org == organisation, AuditArchiveKey.month < before)
        .order_by(AuditArchiveKey.month)
    )
    return [(organisation, month) for month in months]


def delete_keys(session: Session, shelves: Iterable[Shelf]) -> None:
    """Delete keys: what they open is gone."""
    for org, month in shelves:
        session.execute(
            delete(AuditArchiveKey).where(
                AuditArchiveKey.org == org, AuditArchiveKey.month == month
            )
        )


def _context(shelf: Shelf) -> bytes:
    return f"audit-archive-key/{shelf[0]}/{shelf[1]}".encode()
