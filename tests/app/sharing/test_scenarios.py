"""The scenarios of tests/scenarios, which a lawyer can read, hold in every way of deciding.

Each is asked of the engine and of the naive reference, and all of them of both databases through
the visibility predicate.
"""

import re
from itertools import groupby
from pathlib import Path

import pytest
from sqlalchemy import select

from app.access import CONSOLE
from app.database import Database
from app.indicators.models import Indicator
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.sharing import engine
from app.sharing.classes import age_band
from app.sharing.eras import second
from app.sharing.models import ShareGrant
from app.sharing.policy_text import read
from app.sharing.probe import probe
from app.sharing.visibility import METADATA, visible_indicators
from postern.vocabulary import Action, Handling, Tlp, Told
from tests.app.sharing.reference import reference_onward, reference_ruling
from tests.app.sharing.scenarios import BEYOND, SEES, Scenario, ScenarioError, files, members
from tests.app.sharing.scenarios import scenario as read_scenario
from tests.app.sharing.world import TODAY, World, moment, token_of

MEMBERS = members()
SCENARIOS = [read_scenario(file) for file in files()]
ACTIVE = [scenario for scenario in SCENARIOS if not scenario.suspended]


def test_there_are_scenarios_of_everything_that_a_policy_decides() -> None:
    assert len(SCENARIOS) >= 70
    assert {scenario.level for scenario in SCENARIOS} == set(SEES.values())
    assert {scenario.told for scenario in SCENARIOS} == {None, *Told}
    assert {said for scenario in SCENARIOS for said in scenario.may.items()} == {
        (action, answer) for action in BEYOND for answer in (True, False)
    }
    assert {scenario.attributes.tlp for scenario in SCENARIOS} == set(Tlp)
    assert {code for s in SCENARIOS for code in s.attributes.handling} == set(Handling)


@pytest.mark.parametrize("file", files(), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_scenario_is_named_in_words_and_begins_with_its_story(file: Path) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", file.stem)
    story = file.read_text("utf-8").split("\n\n")[0]
    assert all(line.startswith("# ") for line in story.splitlines())
    assert story.endswith(".")


@pytest.mark.parametrize("scenario", ACTIVE, ids=lambda scenario: scenario.name)
def test_the_policies_answer_as_the_scenario_says(scenario: Scenario) -> None:
    policies = engine.load(scenario.policy)
    subject = scenario.attributes, age_band(scenario.age_days)
    ((ruling,),) = policies.rulings(scenario.owner, [scenario.seat], [subject])
    assert ruling.level == scenario.level
    assert ruling.told == scenario.told
    if scenario.because is not None:
        assert ruling.reasons == scenario.because
    found = {Action.SCREEN: ruling.may_screen, Action.FEED: ruling.may_feed}
    if scenario.onward_to:
        verdict = policies.may_pass_on(scenario.owner, scenario.seat, subject, scenario.onward_to)
        found[Action.ONWARD] = verdict.allowed
    assert {action: found[action] for action in scenario.may} == scenario.may


@pytest.mark.parametrize("scenario", ACTIVE, ids=lambda scenario: scenario.name)
def test_the_naive_reference_answers_as_the_scenario_says(scenario: Scenario) -> None:
    question = (
        scenario.seat,
        scenario.owner,
        scenario.policy,
        scenario.attributes,
        scenario.age_days,
    )
    expected = reference_ruling(*question)
    assert expected.level == scenario.level
    assert expected.tells_owner is (scenario.told in {Told.BOTH, Told.OWNER_ONLY})
    found = {Action.SCREEN: expected.may_screen, Action.FEED: expected.may_feed}
    if scenario.onward_to:
        found[Action.ONWARD] = reference_onward(*question, to=scenario.onward_to)
    assert {action: found[action] for action in scenario.may} == scenario.may


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_policy_of_a_scenario_could_be_published(scenario: Scenario) -> None:
    assert probe(read(scenario.policy), scenario.owner, MEMBERS.values()).faults == ()


def test_the_database_answers_as_the_scenarios_say(database: Database) -> None:
    world = World(database)
    for code, member in MEMBERS.items():
        world.organisation(code, member.sector, member.country, member.communities)

    def situation(scenario: Scenario) -> tuple[str, str, tuple[str, ...]]:
        return scenario.owner.code, scenario.policy, scenario.suspended

    for (owner, policy, suspended), grouped in groupby(sorted(SCENARIOS, key=situation), situation):
        world.publish(owner, policy)
        _set_status(database, suspended, OrganisationStatus.SUSPENDED)
        for scenario in grouped:
            _check_database(world, scenario)
        _set_status(database, suspended, OrganisationStatus.ACTIVE)


def _check_database(world: World, scenario: Scenario) -> None:
    """What the predicate says of a record made for this scenario."""
    token = token_of(SCENARIOS.index(scenario))
    indicator = world.indicator(
        scenario.owner.code, scenario.attributes, age=scenario.age_days, token=token
    )
    seat = scenario.seat
    profile = world.profile(seat.member.code, seat.purpose, seat.legal_basis, seat.role)
    found = world.matches(profile, token)
    assert [(match.level, match.tells_owner) for match in found] == (
        [(scenario.level, scenario.told in {Told.BOTH, Told.OWNER_ONLY})] if scenario.told else []
    ), scenario.name
    with world.database.reading() as session:
        at = moment(TODAY)
        listed = select(visible_indicators(profile, at).subquery().c.indicator_id)
        assert (indicator in session.scalars(listed).all()) is (scenario.level >= METADATA), (
            scenario.name
        )
        if Action.FEED in scenario.may:
            fed = visible_indicators(profile, at, in_bulk=True).subquery()
            answer = indicator in session.scalars(select(fed.c.indicator_id)).all()
            assert answer is scenario.may[Action.FEED], scenario.name
        if Action.SCREEN in scenario.may:
            granted = session.scalars(
                select(ShareGrant.may_screen)
                .join(Indicator, Indicator.share_class_id == ShareGrant.share_class_id)
                .where(
                    Indicator.id == indicator,
                    ShareGrant.profile_id == profile,
                    ShareGrant.age_min <= scenario.age_days,
                    ShareGrant.age_max >= scenario.age_days,
                    ShareGrant.valid_from <= second(at),
                    ShareGrant.valid_until > second(at),
                )
            ).all()
            assert granted == [scenario.may[Action.SCREEN]], scenario.name


def _set_status(database: Database, codes: tuple[str, ...], status: OrganisationStatus) -> None:
    with database.transaction() as session:
        for code in codes:
            organisations.set_status(session, CONSOLE, code, status)


GOOD = """\
# A story.

owner = "post-be"
reader = "police-de"
purpose = "criminal_investigation"
legal_basis = "criminal_procedure"
sees = "request"
"""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (GOOD + "sees", "some/file.toml is not TOML"),
        (GOOD.replace("sees", "seas"), 'some/file.toml says "seas", which means nothing: did you'
                                       " mean sees?"),
        (GOOD + "colour = 1", 'some/file.toml says "colour", which means nothing'),
        (GOOD.replace('sees = "request"', ""), "some/file.toml does not say sees"),
        (GOOD.replace('"request"', '"all"'), 'says sees = "all"; possible are nothing, presence,'),
        (GOOD.replace('"police-de"', '"police-xx"'), 'says reader = "police-xx"; possible are'),
        (GOOD.replace("criminal_investigation", "fun"), 'says purpose = "fun"; possible are'),
        (GOOD.replace("criminal_procedure", "fun"), 'says legal_basis = "fun"; possible are'),
        (GOOD + 'role = "boss"', 'says role = "boss"; possible are submitter'),
        (GOOD + 'told = "all"', 'says told = "all"; possible are nobody, both'),
        (GOOD + 'may = ["presence"]', 'says may = "presence"; possible are screen, feed, onward'),
        (GOOD + 'may_not = "feed"', "says may_not without a list"),
        (GOOD + 'may = ["feed"]\nmay_not = ["feed"]', "says of feed that it may and that it may"),
        (GOOD + 'may = ["onward"]', "must say onward_to"),
        (GOOD + 'onward_to = "police-fr"', "must say onward_to"),
        (GOOD + 'suspended = ["post-xx"]', 'says suspended = "post-xx"'),
        (GOOD + 'record = { colour = "red" }', 'says "colour", which means nothing'),
        (GOOD + 'record = { tlp = "BLUE" }', "describes a record that cannot be: 'BLUE'"),
        (GOOD + 'record = { age_days = "old" }', "says age_days without a number"),
        (GOOD + "record = 1", "has a record that is not a table"),
        (GOOD + 'policy = ""\ntemplate = "nothing"', "states both a policy and a template"),
        (GOOD + 'template = "everything"', 'says template = "everything"; possible are nothing,'),
        (GOOD.replace("post-be", "post-de"), "states no policy, and post-de has none"),
    ],
)  # fmt: skip
def test_a_file_that_says_it_wrong_is_told_by_name_and_word(
    tmp_path: Path, text: str, sentence: str
) -> None:
    file = tmp_path / "some" / "file.toml"
    file.parent.mkdir()
    file.write_text(GOOD)
    assert read_scenario(file).level == SEES["request"]
    file.write_text(text)
    with pytest.raises(ScenarioError, match=re.escape(sentence)):
        read_scenario(file)
