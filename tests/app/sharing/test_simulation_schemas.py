"""What leaves of a simulation, a replay and an audience."""

from datetime import timedelta
from typing import Any

import pytest
from marshmallow import Schema, ValidationError

from app import clock
from app.database import Database
from app.sharing.classes import ClassAttributes
from app.sharing.explanation import audience_of_class
from app.sharing.replay import LONGEST_DAYS, replay
from app.sharing.simulation import simulate
from app.sharing.simulation_schemas import (
    ExplainedSchema,
    ReplayedDaysSchema,
    ReplaySchema,
    ShareClassSchema,
    SimulationSchema,
)
from postern.vocabulary import Handling, Level
from tests.app.sharing.test_replay import found_by, person, public_id
from tests.app.sharing.world import EVERYTHING_TO_POLICE, PLAIN, TODAY, like, moment, trio

NOON = moment(TODAY)


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


def sent(schema: Schema, value: object) -> Any:
    """As it leaves; every field is there, and reads back as what it says it is."""
    dumped = schema.dump(value)
    assert schema.validate(dumped) == {}
    return dumped


def test_a_simulation_leaves_whole(database: Database) -> None:
    world = trio(database)
    world.indicator("post-be")
    with database.transaction() as session:
        found = simulate(session, person(world, "post-be"), EVERYTHING_TO_POLICE, NOON)
    (comparison,) = sent(SimulationSchema(), found)["comparisons"]
    assert comparison["against"] == {"version": 0, "valid_from": None, "is_scheduled": False}
    assert comparison["new_readers"] == [{"code": "police-de", "name": "POLICE-DE"}]
    assert comparison["words"].startswith("Compared with no policy at all.")
    reader = comparison["readers"][0]
    assert reader["figures"]["request"] == {"before": 0, "after": 1, "gained": 1, "lost": 0}
    (change,) = reader["changes"]
    assert change["before"] == {
        "level": None,
        "may_screen": False,
        "may_feed": False,
        "told": None,
    }
    assert change["after"]["told"] == "both"
    assert change["rules_after"][0]["id"] == "post-be/all-to-police"


def test_a_replay_leaves_whole(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    world = trio(database)
    hit = public_id(world, world.indicator("post-be", age=20))
    found_by(world, monkeypatch, [hit], days_ago=1, level=Level.METADATA)
    with database.transaction() as session:
        found = replay(session, person(world, "post-be"), EVERYTHING_TO_POLICE, NOON)
    told = sent(ReplaySchema(), found)
    (reader,) = told["readers"]
    assert (reader["higher"], reader["organisation"]["code"]) == (1, "police-de")
    (example,) = reader["examples"]
    assert (example["indicator"], example["then"]) == (str(hit), "metadata")
    assert example["at"] == (NOON - timedelta(days=1)).isoformat()
    assert "on purpose" in told["not_replayed"]


def test_an_audience_leaves_whole_and_a_class_is_read_as_it_is_written(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    with database.transaction() as session:
        found = audience_of_class(session, person(world, "post-be"), PLAIN, 0, NOON)
    told = sent(ExplainedSchema(), found)
    assert told["scheduled"] is None
    (audience,) = told["in_force"]["audiences"]
    assert audience["periods"][0]["access"]["level"] == "request"
    known = like(handling=frozenset({Handling.H2}), barrier_step=7)
    loaded = ShareClassSchema().load(ShareClassSchema().dump(known))
    assert ClassAttributes(**loaded | {"handling": frozenset(loaded["handling"])}) == known


@pytest.mark.parametrize("days", [0, LONGEST_DAYS + 1, "30"])
def test_a_replay_has_a_first_and_a_last_day(days: object) -> None:
    assert ReplayedDaysSchema().load({})["days"] == 30
    with pytest.raises(ValidationError):
        ReplayedDaysSchema().load({"days": days})
