"""A log that grows in memory, and what it would send to a witness."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from postern.tlog import tiles
from postern.tlog.checkpoint import Checkpoint
from postern.tlog.notes import Note, SigningKey
from postern.tlog.witnessing import AddCheckpoint
from postern.witness.rules import Watched
from postern.witness.state import Store
from tests.postern.tlog.vectors import LOG, MemoryLog, numbered

ORIGIN = LOG.verifier.name
NAME = "witness.example/one"


class SignedLog(MemoryLog):
    """A log with its key; every checkpoint is signed when it is asked for."""

    def __init__(self, leaf_hashes: Sequence[bytes] = (), key: SigningKey = LOG) -> None:
        super().__init__(list(leaf_hashes))
        self.key = key

    def note(self) -> bytes:
        text = Checkpoint(self.key.verifier.name, self.size, self.root).text
        return Note(text, (self.key.sign(text),)).encode()

    def request(self, old: int) -> AddCheckpoint:
        """What it sends to a witness that has cosigned `old` entries."""
        proof = tiles.consistency_proof(self.read, old, self.size) if old <= self.size else []
        return AddCheckpoint(old, tuple(proof), self.note())


@pytest.fixture
def log() -> SignedLog:
    return SignedLog(numbered(10))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A witness that watches the log and has cosigned nothing."""
    made = Store(tmp_path / "witness")
    made.create(NAME)
    made.watch(ORIGIN, (LOG.verifier,))
    return made


def watched(store: Store) -> Watched:
    found = store.watched(ORIGIN)
    assert found
    return found
