"""What is known of the newest backup: what `backup.status` says, which backing up writes.

{"at": ISO 8601, "verified_at": ISO 8601 or null, "bytes": number}, with `at` the moment at which
the backup was whole, and `verified_at` that at which one was last restored and checked.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.runtime import Runtime

_LONGEST = 65_536  # bytes

OLD = timedelta(hours=26)
"""For how long after a backup one may expect the next, made once a day."""

VERY_OLD = timedelta(hours=50)
UNTRIED = timedelta(days=35)
"""For how long a backup may go without one being restored and checked."""


@dataclass(frozen=True)
class Backup:
    at: datetime
    verified_at: datetime | None
    size: int  # bytes


def is_told(runtime: Runtime) -> bool:
    """Whether the settings say where backups tell of themselves."""
    return bool(runtime.settings.backup.status)


def newest(runtime: Runtime) -> Backup | None:
    """The newest backup; None where nothing tells of one, or what tells cannot be read."""
    if not is_told(runtime):
        return None
    try:
        with Path(runtime.settings.backup.status).open("rb") as file:
            told = json.loads(file.read(_LONGEST))
        at, verified = _moment(told["at"]), told.get("verified_at")
        return Backup(at, _moment(verified) if verified else None, int(told["bytes"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None


def _moment(said: Any) -> datetime:
    found = datetime.fromisoformat(said)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
