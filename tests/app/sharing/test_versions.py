"""Versions: which holds when, what waits, and how sharing is taken back."""

import hashlib
import json
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app import clock
from app.access import CONSOLE, Caller, Means
from app.audit.reading import Filters, entries
from app.database import Database
from app.sharing import drafts, history, versions
from app.sharing.eras import FOREVER
from app.sharing.history import VersionState
from app.sharing.models import Cause, PolicyCancellation, PolicyDraft, ShareGrant
from postern.vocabulary import Role
from tests.app.bare import NOON, Clock
from tests.app.sharing.world import EVERYTHING_TO_POLICE, World, token_of, trio

ANN, BOB = UUID(int=1), UUID(int=2)
SOON = NOON + timedelta(days=2)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The platform's clock, standing still until a test moves it."""
    standing = Clock()
    monkeypatch.setattr(clock, "now", standing)
    return standing


@pytest.fixture
def world(database: Database, at: Clock) -> World:
    made = trio(database)
    made.publish("post-be", EVERYTHING_TO_POLICE)
    return made


def ann(world: World, organisation: str = "post-be") -> Caller:
    return Caller(
        person_id=1,
        person=ANN,
        organisation_id=world.ids[organisation],
        organisation=organisation,
        roles=frozenset({Role.POLICY_OWNER}),
        scopes=None,
        means=Means.SESSION,
    )


def schedule(world: World, text: str = "") -> int:
    """A version that takes effect in two days."""
    with world.database.transaction() as session:
        return versions.put_in_force(
            session,
            ann(world),
            world.ids["post-be"],
            text,
            Cause.DRAFT,
            valid_from=SOON,
            author=ANN,
        )


def states(world: World) -> list[VersionState]:
    with world.database.transaction() as session:
        return [each.state for each in history.read_history(session, ann(world))]


def test_a_version_takes_effect_at_its_second_and_not_before(world: World, at: Clock) -> None:
    schedule(world)
    owner = world.ids["post-be"]
    for moment, held, waiting in (
        (SOON - timedelta(seconds=1), 1, 2),
        (SOON, 2, None),
    ):
        at.at = moment
        with world.database.reading() as session:
            found = versions.in_force(session, owner, at.at)
            next_one = versions.scheduled(session, owner, at.at)
        assert found is not None
        assert found.seq == held
        assert (next_one.seq if next_one else None) == waiting
    assert states(world) == [VersionState.IN_FORCE, VersionState.PAST]


def test_before_the_first_version_there_is_none(world: World) -> None:
    with world.database.reading() as session:
        assert versions.in_force(session, world.ids["customs-nl"], NOON) is None
        assert versions.newest_seq(session, world.ids["customs-nl"]) == 0
        assert versions.history(session, world.ids["customs-nl"]) == []
        earlier = NOON - timedelta(days=1)
        assert versions.in_force(session, world.ids["post-be"], earlier) is None


def test_a_time_that_has_passed_is_now(world: World, at: Clock) -> None:
    at.at = SOON + timedelta(days=1)
    schedule(world)
    with world.database.reading() as session:
        found = versions.version(session, world.ids["post-be"], 2)
    assert found.valid_from == at.at
    assert states(world)[0] is VersionState.IN_FORCE


def test_only_one_version_waits_at_a_time(world: World) -> None:
    schedule(world)
    with pytest.raises(versions.ScheduledPolicyError):
        schedule(world)
    with pytest.raises(versions.ScheduledPolicyError):
        world.publish("post-be", "")
    assert states(world) == [VersionState.SCHEDULED, VersionState.IN_FORCE]


def test_what_waits_is_ones_own_and_not_cancelled(world: World) -> None:
    schedule(world)
    with world.database.reading() as session:
        assert versions.scheduled(session, world.ids["customs-nl"], NOON) is None
        waiting = versions.scheduled(session, world.ids["post-be"], NOON)
    assert waiting is not None
    assert (waiting.seq, waiting.valid_from) == (2, SOON)
    with world.database.transaction() as session:
        versions.cancel(session, ann(world), world.ids["post-be"], 2)
        assert versions.scheduled(session, world.ids["post-be"], NOON) is None


def test_a_cancelled_version_never_takes_effect_and_stays_in_the_history(
    world: World, at: Clock
) -> None:
    schedule(world)
    with world.database.transaction() as session:
        versions.cancel(session, ann(world), world.ids["post-be"], 2)
    with world.database.reading() as session:
        assert versions.newest_seq(session, world.ids["post-be"]) == 1
    at.at = SOON + timedelta(days=1)
    assert states(world) == [VersionState.CANCELLED, VersionState.IN_FORCE]
    assert schedule(world) == 3  # its number is not given again


def test_what_does_not_wait_cannot_be_cancelled(world: World, at: Clock) -> None:
    schedule(world)
    owner = world.ids["post-be"]
    for seq in (1, 2):
        at.at = SOON
        with (
            pytest.raises(versions.NotScheduledError),
            world.database.transaction() as session,
        ):
            versions.cancel(session, ann(world), owner, seq)
    with (
        pytest.raises(versions.UnknownVersionError),
        world.database.transaction() as session,
    ):
        versions.cancel(session, ann(world), owner, 3)


def test_a_stop_takes_back_everything_and_what_waits(world: World) -> None:
    world.indicator("post-be", token=token_of(1))
    profile = world.profile("police-de")
    assert world.level(profile, token_of(1)) == 3
    schedule(world, EVERYTHING_TO_POLICE)
    with world.database.transaction() as session:
        assert versions.stop(session, ann(world), world.ids["post-be"]) == 3
    assert world.level(profile, token_of(1)) == 0
    assert states(world) == [VersionState.IN_FORCE, VersionState.CANCELLED, VersionState.PAST]
    with world.database.reading() as session:
        stopped = versions.version(session, world.ids["post-be"], 3)
        told = entries(session, "post-be", Filters(act="policy.cancel")).entries
    assert (stopped.text, stopped.cause, stopped.author) == ("", Cause.STOP, ANN)
    assert told[0].details["objects"] == ["post-be/2"]


def test_a_version_of_another_organisation_is_not_there(world: World) -> None:
    with (
        pytest.raises(versions.UnknownVersionError),
        world.database.transaction() as session,
    ):
        history.read_version(session, ann(world, "customs-nl"), 1)


def test_reading_the_history_is_told_to_the_organisation(world: World) -> None:
    schedule(world)
    states(world)
    with world.database.transaction() as session:
        history.read_version_of(session, CONSOLE, "post-be", 1)
    with world.database.reading() as session:
        found = entries(session, "post-be", Filters(act="policy.read")).entries
    assert [entry.details["objects"] for entry in found] == [
        ["post-be/1"],
        ["post-be/2", "post-be/1"],
    ]
    assert found[0].details["actor"] == "console"


def test_a_version_is_kept_as_it_was_made_and_told(world: World) -> None:
    form = [{"name": "nobody"}]
    with world.database.transaction() as session:
        versions.put_in_force(
            session,
            ann(world),
            world.ids["post-be"],
            EVERYTHING_TO_POLICE,
            Cause.DRAFT,
            valid_from=SOON,
            form=form,
            author=ANN,
            approved_by=BOB,
        )
    with world.database.reading() as session:
        made = versions.version(session, world.ids["post-be"], 2)
        (told, first) = entries(session, "post-be", Filters(act="policy.publish")).entries
        elsewhere = entries(session, "customs-nl", Filters(act="policy.publish")).entries
    digest = hashlib.sha256(EVERYTHING_TO_POLICE.encode())
    assert (made.text, made.sha256) == (EVERYTHING_TO_POLICE, digest.digest())
    assert (made.form, made.author, made.approved_by) == (form, ANN, BOB)
    assert (made.created_at, made.valid_from, made.cancelled_at) == (NOON, SOON, None)
    assert told.details["objects"] == ["post-be/2"]
    assert (told.details["sha256"], told.details["cause"]) == (digest.hexdigest(), "draft")
    assert told.details["policies"] == ["post-be/all-to-police"]
    assert told.details["valid_from"] == SOON.isoformat(timespec="seconds")
    assert told.details["author"] == str(ANN)
    assert "author" not in first.details
    assert not elsewhere


def test_a_cancelled_version_tells_when_and_its_organisation_is_told(
    world: World, at: Clock
) -> None:
    schedule(world)
    at.at = NOON + timedelta(hours=1)
    with world.database.transaction() as session:
        versions.cancel(session, ann(world), world.ids["post-be"], 2)
    with world.database.reading() as session:
        found = versions.version(session, world.ids["post-be"], 2)
        by = session.scalars(select(PolicyCancellation.cancelled_by)).all()
        (told,) = entries(session, "post-be", Filters(act="policy.cancel")).entries
    assert (found.cancelled_at, list(by)) == (at.at, [ANN])
    assert told.details["objects"] == ["post-be/2"]


def test_a_version_that_is_cancelled_decides_nothing_at_its_time(world: World, at: Clock) -> None:
    world.indicator("post-be", token=token_of(1))
    profile = world.profile("police-de")
    schedule(world)
    with world.database.transaction() as session:
        versions.cancel(session, ann(world), world.ids["post-be"], 2)
        held = session.scalars(select(ShareGrant.valid_until)).all()
    assert (set(held), world.level(profile, token_of(1))) == ({FOREVER}, 3)


def test_a_version_tells_who_made_it(world: World) -> None:
    schedule(world)
    with world.database.reading() as session:
        first, second = reversed(versions.history(session, world.ids["post-be"]))
    assert (first.author, first.cause) == (None, Cause.CONSOLE)
    assert first.is_valid is True
    assert (second.author, second.approved_by, second.valid_from) == (ANN, None, SOON)
    assert [policy.id for policy in first.policies] == ["post-be/all-to-police"]


def test_whatever_is_told_of_a_version_is_told_of_a_policy(world: World) -> None:
    schedule(world)
    with world.database.transaction() as session:
        versions.cancel(session, CONSOLE, world.ids["post-be"], 2)
        history.read_history(session, ann(world))
    with world.database.reading() as session:
        found = entries(session, "post-be", Filters()).entries
    told = {record["act"]: record["obj"] for record in (json.loads(each.record) for each in found)}
    acts = ("policy.publish", "policy.cancel", "policy.read")
    assert [told[act] for act in acts] == ["policy"] * 3


def test_each_version_names_the_draft_that_it_was(world: World) -> None:
    owner = world.ids["post-be"]
    with world.database.transaction() as session:
        unused, first, second = [
            drafts.create(session, ann(world), title=title, text="").id for title in "abc"
        ]
        ids = {
            row.public_id: row.id
            for row in session.execute(select(PolicyDraft.public_id, PolicyDraft.id))
        }
        for draft in (second, first):
            versions.put_in_force(
                session, ann(world), owner, "", Cause.DRAFT, draft_id=ids[draft], author=ANN
            )
        found = history.read_history(session, ann(world))
        newest = history.read_version(session, ann(world), 3)
        earlier = history.read_version(session, ann(world), 2)
    assert [each.draft for each in found] == [first, second, None]
    assert (newest.draft, newest.state) == (first, VersionState.IN_FORCE)
    assert (earlier.draft, earlier.state) == (second, VersionState.PAST)
    assert unused in ids


def test_sharing_stops_though_the_clock_went_back_behind_several_versions(
    world: World, at: Clock
) -> None:
    owner = world.ids["post-be"]
    for _ in range(2):
        at.at += timedelta(hours=1)
        world.publish("post-be", EVERYTHING_TO_POLICE)
    at.at -= timedelta(hours=2)
    with world.database.transaction() as session:
        versions.stop(session, ann(world), owner)
    for _ in range(2):
        with world.database.reading() as session:
            found = versions.in_force(session, owner, at.at)
            assert found is not None
            assert (found.cause, found.policies) == (Cause.STOP, ())
            assert versions.scheduled(session, owner, at.at) is None
        at.at += timedelta(hours=4)
