"""Which version holds when, for several organisations at once."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from app.database import Database
from app.sharing import eras
from app.sharing.eras import FOREVER, Era, second
from app.sharing.models import Cause, PolicyCancellation, PolicyVersion
from tests.app.sharing.world import trio

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def put(
    session: Session,
    organisation_id: int,
    seq: int,
    valid_from: datetime,
    *,
    cancelled: bool = False,
) -> int:
    made = PolicyVersion(
        organisation_id=organisation_id,
        seq=seq,
        text=f"// {organisation_id}/{seq}",
        sha256=b"-" * 32,
        valid_from=valid_from,
        created_at=NOON,
        cause=Cause.CONSOLE,
    )
    session.add(made)
    session.flush()
    if cancelled:
        session.add(PolicyCancellation(policy_version_id=made.id, cancelled_at=NOON))
        session.flush()
    return made.id


def test_who_never_published_has_one_era_that_shares_nothing(database: Database) -> None:
    post = trio(database).ids["post-be"]
    with database.reading() as session:
        assert eras.of(session, [post], NOON) == {post: [Era(None, "", 0, 2**62)]}


def test_the_newest_version_whose_time_has_come_holds_until_the_next(database: Database) -> None:
    post = trio(database).ids["post-be"]
    with database.transaction() as session:
        put(session, post, 1, NOON - 2 * HOUR)
        held = put(session, post, 2, NOON - HOUR)
        to_come = put(session, post, 3, NOON + HOUR)
        found = eras.of(session, [post], NOON)
    starts = second(NOON + HOUR)
    assert found == {
        post: [
            Era(held, f"// {post}/2", 0, starts),
            Era(to_come, f"// {post}/3", starts, FOREVER),
        ]
    }


def test_a_version_holds_from_its_very_second(database: Database) -> None:
    post = trio(database).ids["post-be"]
    with database.transaction() as session:
        put(session, post, 1, NOON - HOUR)
        second_version = put(session, post, 2, NOON)
        (at_noon,) = eras.of(session, [post], NOON)[post]
        before = eras.of(session, [post], NOON - timedelta(seconds=1))[post]
    assert at_noon.policy_version_id == second_version
    assert [era.valid_from for era in before] == [0, second(NOON)]


def test_cancelled_versions_count_for_nothing_whether_past_or_to_come(database: Database) -> None:
    post = trio(database).ids["post-be"]
    with database.transaction() as session:
        held = put(session, post, 1, NOON - 2 * HOUR)
        put(session, post, 2, NOON - HOUR, cancelled=True)
        put(session, post, 3, NOON + HOUR, cancelled=True)
        found = eras.of(session, [post], NOON)
    assert found == {post: [Era(held, f"// {post}/1", 0, FOREVER)]}


def test_organisations_have_eras_of_their_own(database: Database) -> None:
    world = trio(database)
    post, customs, police = (world.ids[code] for code in ("post-be", "customs-nl", "police-de"))
    with database.transaction() as session:
        put(session, customs, 1, NOON - HOUR)
        of_customs = put(session, customs, 2, NOON - HOUR)
        of_post = put(session, post, 1, NOON - HOUR)
        put(session, police, 1, NOON - HOUR)
        put(session, police, 2, NOON + HOUR)
        found = eras.of(session, [post, customs], NOON)
    assert found == {
        post: [Era(of_post, f"// {post}/1", 0, FOREVER)],
        customs: [Era(of_customs, f"// {customs}/2", 0, FOREVER)],
    }


def test_several_to_come_follow_one_another(database: Database) -> None:
    # There is at most one in practice; laid out in the order of their numbers all the same.
    post = trio(database).ids["post-be"]
    with database.transaction() as session:
        second_one = put(session, post, 2, NOON + 2 * HOUR)
        first_one = put(session, post, 1, NOON + HOUR)
        found = eras.of(session, [post], NOON)[post]
    assert [era.policy_version_id for era in found] == [None, first_one, second_one]
    assert [(era.valid_from, era.valid_until) for era in found] == [
        (0, second(NOON + HOUR)),
        (second(NOON + HOUR), second(NOON + 2 * HOUR)),
        (second(NOON + 2 * HOUR), FOREVER),
    ]
