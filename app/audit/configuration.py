"""Settings in the log: every member learns when the platform starts with other ones than before.

Secrets, the address of the database and paths stay out of it.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.access import CONSOLE, PLATFORM
from app.audit.reading import Filters, entries
from app.audit.service import append
from app.audit.witnesses import members
from app.config import Settings

UNTOLD = frozenset({"database.url", "secrets.directory", "audit.high_water", "audit.archive"})
"""Settings that may hold a password or a path."""

_ACT = "configuration.change"


def tell_settings(session: Session, settings: Settings) -> bool:
    """Append an entry for all members if the settings are not those of the last such entry.

    Returns whether one was appended.
    """
    present, former = told(settings), _former(session)
    changed = sorted(
        name
        for name in present.keys() | former.keys()
        if name not in present or name not in former or present[name] != former[name]
    )
    if not changed:
        return False
    append(
        session,
        CONSOLE,
        _ACT,
        audience=members(session),
        object_type="settings",
        objects=changed,
        details={"settings": dict(present)},
    )
    return True


def told(settings: Settings) -> Mapping[str, Any]:
    """Every setting that may be told, as `section.name`, with its value."""
    return {
        f"{section.name}.{setting.name}": getattr(getattr(settings, section.name), setting.name)
        for section in dataclasses.fields(settings)
        for setting in dataclasses.fields(getattr(settings, section.name))
        if f"{section.name}.{setting.name}" not in UNTOLD
    }


def _former(session: Session) -> Mapping[str, Any]:
    last = entries(session, PLATFORM, Filters(act=_ACT), limit=1).entries
    found: Mapping[str, Any] = last[0].details.get("settings", {}) if last else {}
    return found
