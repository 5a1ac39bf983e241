"""The scenarios of tests/scenarios, which a lawyer can read, against the demonstration policies.

Each is asked of Cedar, and all of them of both databases through the visibility predicate.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.database import Database
from app.sharing import engine
from app.sharing.classes import ClassAttributes, age_band, read
from app.sharing.engine import Member, Seat
from postern.vocabulary import LegalBasis, Purpose, Role, Sector
from tests.app.sharing.world import PLAIN, POLICIES, World, token_of

_DIRECTORY = Path(__file__).parent.parent.parent / "scenarios"
_SEES = {"nothing": 0, "presence": 1, "metadata": 2, "request": 3}


@dataclass(frozen=True)
class Scenario:
    name: str
    owner: str
    seat: Seat
    attributes: ClassAttributes
    age_days: int
    level: int
    because: tuple[str, ...] | None


def _members() -> dict[str, Member]:
    document = tomllib.loads((_DIRECTORY / "members.toml").read_text("utf-8"))
    return {
        code: Member(code, Sector(m["sector"]), m["country"], tuple(m["communities"]))
        for code, m in document.items()
    }


def _scenario(entry: dict[str, Any], members: dict[str, Member]) -> Scenario:
    record = dict(entry.pop("record", {}))
    age_days = record.pop("age_days", 0)
    assert record.keys() <= PLAIN.stored().keys(), entry["name"]
    because = entry.pop("because", None)
    scenario = Scenario(
        name=entry.pop("name"),
        owner=entry.pop("owner"),
        seat=Seat(
            members[entry.pop("reader")],
            Role(entry.pop("role", "analyst")),
            Purpose(entry.pop("purpose")),
            LegalBasis(entry.pop("legal_basis")),
        ),
        attributes=read({**PLAIN.stored(), **record}),
        age_days=age_days,
        level=_SEES[entry.pop("sees")],
        because=None if because is None else tuple(because),
    )
    assert not entry, f"unknown words in a scenario: {entry}"
    return scenario


MEMBERS = _members()
SCENARIOS = [
    _scenario(entry, MEMBERS)
    for file in sorted(_DIRECTORY.glob("*.toml"))
    if file.stem != "members"
    for entry in tomllib.loads(file.read_text("utf-8"))["scenario"]
]


def _policy(code: str) -> str:
    return (POLICIES / "demo" / f"{code}.cedar").read_text("utf-8")


def test_there_are_scenarios_of_every_level() -> None:
    assert len(SCENARIOS) >= 15
    assert {scenario.level for scenario in SCENARIOS} == set(_SEES.values())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_policies_answer_as_the_scenario_says(scenario: Scenario) -> None:
    policies = engine.load(_policy(scenario.owner))
    ((ruling,),) = policies.rulings(
        MEMBERS[scenario.owner],
        [scenario.seat],
        [(scenario.attributes, age_band(scenario.age_days))],
    )
    assert ruling.level == scenario.level
    if scenario.because is not None:
        assert ruling.reasons == scenario.because


def test_the_database_answers_as_the_scenarios_say(database: Database) -> None:
    world = World(database)
    for code, member in MEMBERS.items():
        world.organisation(code, member.sector, member.country, member.communities)
    for code in ("post-be", "customs-nl", "police-de"):
        world.publish(code, _policy(code))
    for number, scenario in enumerate(SCENARIOS):
        world.indicator(
            scenario.owner,
            scenario.attributes,
            age=scenario.age_days,
            token=token_of(number),
        )
    for number, scenario in enumerate(SCENARIOS):
        seat = scenario.seat
        profile = world.profile(seat.member.code, seat.purpose, seat.legal_basis, seat.role)
        assert world.level(profile, token_of(number)) == scenario.level, scenario.name
