"""What several tests of the log share: a log that can be stepped."""

from pathlib import Path

import pytest

from app.audit.high_water import HighWater
from app.audit.sequencer import Sequencer
from app.database import Database
from postern.tlog.notes import SigningKey
from tests.app.audit.logkeeping import Keeper
from tests.app.bare import give_tag_keys

MEMBERS = ("customs-nl", "police-de", "post-be")


@pytest.fixture
def keeper(database: Database, tmp_path: Path) -> Keeper:
    """A log of three members with ten entries and a signed checkpoint."""
    give_tag_keys(database, *MEMBERS)
    key = SigningKey("test.postern.example/audit", bytes(range(32)))
    high_water = HighWater(tmp_path / "high-water-of-keeper.json")
    made = Keeper(database, Sequencer(database, [key], high_water))
    made.begin()
    made.grow(9)
    return made
