"""What one process of the platform holds: settings, secrets, the database and the rooms' parts."""

from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from flask import current_app

from app.config import Settings
from app.database import Database
from app.secret_files import Secrets

Part = TypeVar("Part")


@dataclass
class Runtime:
    """Made once by `create_app`; rooms add what they keep for the life of the process."""

    settings: Settings
    database: Database
    secrets: Secrets
    _parts: dict[type[Any], Any] = field(default_factory=dict)

    def add(self, part: object) -> None:
        """Keep one object per type (an evaluator, a policy engine) for the process."""
        self._parts[type(part)] = part

    def part(self, kind: type[Part]) -> Part:
        """The object of that type; KeyError when no room added one, which is a defect."""
        return cast("Part", self._parts[kind])


def runtime() -> Runtime:
    """The runtime of the application in whose context this is called."""
    found: Runtime = current_app.extensions["postern"]
    return found
