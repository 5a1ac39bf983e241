"""A log on a test's database that can be stepped, and witnesses that cosign it."""

import time
from dataclasses import dataclass, field

from sqlalchemy import text

from app.access import CONSOLE
from app.audit.cosigning import accept
from app.audit.keys import register
from app.audit.models import KeyUse
from app.audit.sequencer import Sequencer
from app.audit.service import append
from app.audit.tree import newest
from app.audit.witnesses import register as register_witness
from app.database import Database
from postern.tlog.checkpoint import Checkpoint
from postern.tlog.notes import KIND_COSIGNATURE, Note, SigningKey


@dataclass
class Keeper:
    """A sequencer and the entries that it is given."""

    database: Database
    sequencer: Sequencer
    witnesses: dict[str, SigningKey] = field(default_factory=dict)

    def begin(self) -> None:
        """Tell of the log's key, as `audit run` does at its start."""
        with self.database.transaction() as session:
            register(session, [self.key.verifier], KeyUse.LOG)

    @property
    def key(self) -> SigningKey:
        return self.sequencer.keys[0]

    def grow(self, entries: int = 1) -> int:
        """Append entries and sign; returns the size."""
        with self.database.transaction() as session:
            for _ in range(entries):
                append(session, CONSOLE, "lookup.ask")
        return self.sequencer.step().head.size

    def witness(self, organisation: str, address: str | None = None) -> SigningKey:
        """Register a witness of an organisation."""
        seed = (organisation * 32).encode()[:32]
        key = SigningKey(f"{organisation}.example/witness", seed, KIND_COSIGNATURE)
        with self.database.transaction() as session:
            register_witness(session, CONSOLE, str(key.verifier), organisation, address)
        self.witnesses[organisation] = key
        return key

    def line(self, organisation: str, at: float | None = None) -> bytes:
        """The witness's line under the newest checkpoint."""
        moment = int(time.time() if at is None else at)
        return f"{self.witnesses[organisation].cosign(self.text(), moment).line}\n".encode()

    def cosign(self, *organisations: str, at: float | None = None) -> None:
        with self.database.transaction() as session:
            for each in organisations:
                accept(session, self.line(each, at))

    def text(self) -> str:
        """What the newest checkpoint says."""
        with self.database.reading() as session:
            found = newest(session)
        assert found
        return Note.parse(found.note).text

    def note(self, size: int, root: bytes) -> str:
        """Whatever the holder of the log's key would sign."""
        said = Checkpoint(self.key.verifier.name, size, root).text
        return Note(said, (self.key.sign(said),)).encode().decode()


def rewrite(database: Database, *statements: str) -> None:
    """Change the database as its owner could who does not fear the triggers."""
    with database.engine.begin() as connection:
        if database.is_sqlite:
            names = connection.execute(
                text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            ).all()
            for name, _sql in names:
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            names = []
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))
        for _name, sql in names:
            connection.execute(text(sql))
