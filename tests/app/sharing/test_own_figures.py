"""What an organisation learns of its own live indicators: figures, examples, and what they are."""

from typing import Any

from sqlalchemy import select

from app.access import CONSOLE
from app.database import Database
from app.indicators.models import Indicator
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.sharing import visibility
from app.sharing.visibility import ClassCount
from postern.vocabulary import Kind
from tests.app.sharing.world import TODAY, like, moment, token_of, trio


def test_who_is_suspended_has_nothing_to_count(database: Database) -> None:
    world = trio(database)
    world.indicator("post-be")
    _set_status(database, "post-be", OrganisationStatus.SUSPENDED)
    with database.reading() as session:
        assert visibility.live_by_class(session, world.ids["post-be"], moment(TODAY)) == []
    _set_status(database, "post-be", OrganisationStatus.ACTIVE)
    with database.reading() as session:
        (found,) = visibility.live_by_class(session, world.ids["post-be"], moment(TODAY))
    assert found.count == 1


def test_examples_of_what_was_counted_are_its_youngest(database: Database) -> None:
    world = trio(database)
    rows = [
        ("post-be", like(), age, token_of(age)) for age in (6, 0, 3, 7)
    ]  # the last is of the next band
    ids = world.indicators(rows)
    world.indicator("post-be", expires_in=0)
    world.indicator("post-be", like(kind=Kind.PGP))
    world.indicator("customs-nl")
    with database.reading() as session:
        public = dict(session.execute(select(Indicator.id, Indicator.public_id)).all())
        counted = visibility.live_by_class(session, world.ids["post-be"], moment(TODAY))
        (young,) = [
            each for each in counted if each.count == 3 and each.attributes["kind"] == "party"
        ]
        found = visibility.examples(session, young, moment(TODAY), 2)
        all_of_them = visibility.examples(session, young, moment(TODAY), 9)
    assert found == [public[ids[1]], public[ids[2]]]
    assert all_of_them == [public[ids[1]], public[ids[2]], public[ids[0]]]


def test_examples_of_one_day_begin_with_the_newest_and_stay_within_their_band(
    database: Database,
) -> None:
    world = trio(database)
    ages = (6, 8, 8, 29, 30)  # the first and the last are of the bands beside
    ids = world.indicators([("post-be", like(), age, token_of(n)) for n, age in enumerate(ages)])
    with database.reading() as session:
        public = dict(session.execute(select(Indicator.id, Indicator.public_id)).all())
        counted = visibility.live_by_class(session, world.ids["post-be"], moment(TODAY))
        (older,) = [each for each in counted if each.age_band == 1]
        found = visibility.examples(session, older, moment(TODAY), 9)
    assert found == [public[ids[place]] for place in (2, 1, 3)]


def test_counts_tell_owner_class_band_and_number_in_order(database: Database) -> None:
    world = trio(database)
    world.indicators(
        [
            ("post-be", like(), age, token_of(100 + age))
            for age in (0, 6, 7, 29, 30, 89, 90, 364, 365, 3_000)
        ]
    )
    world.indicator("post-be", age=-1)
    world.indicator("post-be", expires_in=0)
    world.indicator("customs-nl")
    with database.reading() as session:
        counted = visibility.live_by_class(session, world.ids["post-be"], moment(TODAY))
    assert {(each.organisation_id, each.attributes["kind"]) for each in counted} == {
        (world.ids["post-be"], "party")
    }
    assert len({each.share_class_id for each in counted}) == 1
    assert [(each.age_band, each.count) for each in counted] == [(band, 2) for band in range(5)]


def test_counts_stand_in_the_order_of_classes_and_of_ages(database: Database) -> None:
    world = trio(database)
    rows = [
        ("post-be", like(kind=kind, barrier_step=step), age, token_of(100 * step + age))
        for kind in (Kind.VENDOR, Kind.PARTY, Kind.PGP)
        for step in (6, 2, 4)
        for age in (40, 0, 400, 8)
    ]
    world.indicators(rows)
    with database.reading() as session:
        counted = visibility.live_by_class(session, world.ids["post-be"], moment(TODAY))
    places = [(each.share_class_id, each.age_band) for each in counted]
    assert len(places) == len(rows)
    assert places == sorted(places)


def test_no_order_is_left_to_the_index_that_a_database_happens_to_read() -> None:
    asked: list[str] = []

    class Session:
        def scalars(self, statement: Any) -> list[Any]:
            asked.append(str(statement).split("ORDER BY ")[1])
            return []

        execute = scalars

    session: Any = Session()
    visibility.examples(session, ClassCount(1, 1, {}, 0, 1), moment(TODAY), 2)
    visibility.live_by_class(session, 1, moment(TODAY))
    youngest, by_class = (each.splitlines()[0].strip() for each in asked)
    assert youngest == "indicator.seen_day DESC, indicator.id DESC"
    assert by_class == "share_class.id, anon_1.age_band"


def test_own_subjects_are_ones_own_and_live(database: Database) -> None:
    world = trio(database)
    world.indicator("customs-nl", like(barrier_step=3))  # so that ids of classes are their own
    kept = world.indicator("post-be", like(barrier_step=3), age=8)
    ended = world.indicator("post-be", expires_in=0)
    foreign = world.indicator("customs-nl")
    with database.reading() as session:
        public = dict(session.execute(select(Indicator.id, Indicator.public_id)).all())
        classes = dict(session.execute(select(Indicator.id, Indicator.share_class_id)).all())
        asked = [public[each] for each in (kept, ended, foreign)]
        found = visibility.own_subjects(session, world.ids["post-be"], asked, moment(TODAY))
        nothing = visibility.own_subjects(session, world.ids["post-be"], [], moment(TODAY))
    assert list(found) == [public[kept]]
    subject = found[public[kept]]
    assert subject.share_class_id == classes[kept]
    assert (subject.indicator_id, subject.attributes, subject.seen_day, subject.age_band) == (
        kept,
        like(barrier_step=3),
        TODAY - 8,
        1,
    )
    assert nothing == {}


def _set_status(database: Database, code: str, status: OrganisationStatus) -> None:
    with database.transaction() as session:
        organisations.set_status(session, CONSOLE, code, status)
