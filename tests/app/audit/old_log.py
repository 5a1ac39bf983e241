"""A log with entries of past months, sequenced, for the tests of its upkeep."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.access import Caller
from app.audit.archive import Archivist
from app.audit.entry import Entry
from app.audit.high_water import HighWater
from app.audit.models import AuditEntry
from app.audit.sequencer import Sequencer
from app.audit.service import append
from app.database import Database
from app.secret_files import Sealer
from postern.tlog.notes import SigningKey
from tests.app.bare import member

KEY = SigningKey("test.postern.example/audit", bytes(range(32)))
PRESENT = datetime(2026, 3, 10, tzinfo=UTC)
ANOTHER = UUID("018f0000-0000-7000-8000-0000000000aa")


@dataclass
class OldLog:
    """Writes at moments of the past; `made` are the entries in their order."""

    database: Database
    sequencer: Sequencer
    archivist: Archivist
    made: list[Entry] = field(default_factory=list)

    def write(
        self, at: datetime, count: int = 1, caller: Caller | None = None, **given: object
    ) -> None:
        """Append entries, a second apart, and give them their places."""
        moments = (at + timedelta(seconds=number) for number in range(count))
        told: dict[str, object] = {"case": "K-17", "objects": [str(ANOTHER)], **given}
        with (
            patch("app.audit.service.now", lambda: next(moments)),
            self.database.transaction() as session,
        ):
            self.made += [
                append(session, caller or member(), "lookup.ask", **told)  # type: ignore[arg-type]
                for _ in range(count)
            ]
        self.place()

    def place(self) -> None:
        """Give what waits its place."""
        while self.sequencer.step().taken:
            pass

    def live(self) -> int:
        """Entries in the database."""
        with self.database.reading() as session:
            return session.execute(select(func.count()).select_from(AuditEntry)).scalar_one()


def old_log(database: Database, directory: Path) -> OldLog:
    """The log of `database`, with archives in `directory` after twelve months."""
    directory.mkdir(parents=True, exist_ok=True)
    return OldLog(
        database,
        Sequencer(database, [KEY], HighWater(directory / "high-water.json")),
        Archivist(database, directory, Sealer(bytes(32)), kept_months=12),
    )


def stand_still(monkeypatch: pytest.MonkeyPatch, at: datetime = PRESENT) -> None:
    """Let the upkeep of the log think that it is `at`."""
    for module in ("archive", "months", "erasure", "service"):
        monkeypatch.setattr(f"app.audit.{module}.now", lambda: at)
