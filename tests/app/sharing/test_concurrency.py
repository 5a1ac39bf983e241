"""What happens at the same time: whichever commits first, every decision is the right one after.

On PostgreSQL transactions run beside each other; SQLite has one writer, and each waits its turn.
"""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count, product
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE
from app.database import Database
from app.organisations import service as organisations
from app.organisations.models import Organisation, OrganisationStatus
from app.sharing import service, versions, visibility
from app.sharing.classes import ClassAttributes
from app.sharing.models import Cause
from app.sharing.seats import Member, Seat
from postern.vocabulary import Action, Kind, LegalBasis, Purpose, Role, Sector, Substance, Tlp
from tests.app.sharing.ground import NOON, Clock
from tests.app.sharing.reference import Expected, band_of
from tests.app.sharing.small_language import (
    Asked,
    Clause,
    Condition,
    expected,
    text_of,
)
from tests.app.sharing.truth import wrong_grants
from tests.app.sharing.world import TODAY, like, moment, token_of, trio

EXCHANGE = Condition(
    'principal in Community::"postal-exchange"',
    lambda asked: "postal-exchange" in asked.reader.communities,
)
ANYBODY = Condition("principal", lambda _: True)
OF_STEP_THREE = Condition(
    "resource.barrierStep == 3", lambda asked: asked.attributes.barrier_step == 3
)
YOUNG = Condition("resource.ageBand <= 1", lambda asked: asked.band <= 1)

NOTHING: tuple[Clause, ...] = ()
ALL_TO_EXCHANGE = (Clause(True, None, EXCHANGE, ()),)
PRESENCE_TO_ALL = (Clause(True, (Action.PRESENCE,), ANYBODY, ()),)
YOUNG_TO_ALL = (Clause(True, None, ANYBODY, ((True, YOUNG),)),)
BUT_NOT_STEP_THREE = (
    *ALL_TO_EXCHANGE,
    Clause(False, None, ANYBODY, ((True, OF_STEP_THREE),)),
)
POLICIES = (NOTHING, ALL_TO_EXCHANGE, PRESENCE_TO_ALL, YOUNG_TO_ALL, BUT_NOT_STEP_THREE)
CLAUSES = {text_of(clauses): clauses for clauses in POLICIES}

Act = Callable[["Scene", Session], object]

JOIN_IN_SECONDS = 60  # a thread that takes longer waits for ever


class Scene:
    """The trio, with acts that each run in a session given to them."""

    def __init__(self, database: Database) -> None:
        self.world = trio(database)
        self.numbers = count(1)

    def put(self, session: Session, clauses: tuple[Clause, ...], **kwargs: Any) -> int:
        return versions.put_in_force(
            session, CONSOLE, self.world.ids["post-be"], text_of(clauses), Cause.CONSOLE, **kwargs
        )

    def new_class(self, session: Session) -> None:
        number = next(self.numbers)
        attributes = like(
            barrier_step=number % 8, substance=list(Substance)[number // 8 % len(Substance)]
        )
        service.share_class_ids(session, self.world.ids["post-be"], [attributes])

    def renew(self, session: Session, code: str = "police-de") -> int:
        return service.profile_id(
            session,
            self.world.ids[code],
            Role.ANALYST,
            Purpose.RISK_ANALYSIS,
            LegalBasis.PUBLIC_TASK,
        )


def _publish(scene: Scene, session: Session) -> None:
    scene.put(session, POLICIES[next(scene.numbers) % len(POLICIES)])


def _leave_or_join(scene: Scene, session: Session) -> None:
    is_in = scene.world.ids["police-de"] in organisations.communities(session)
    verb = organisations.leave if is_in else organisations.join
    verb(session, CONSOLE, "police-de", "postal-exchange")


def _suspend(scene: Scene, session: Session) -> None:
    organisations.set_status(session, CONSOLE, "customs-nl", OrganisationStatus.SUSPENDED)


def _stop(scene: Scene, session: Session) -> None:
    versions.stop(session, CONSOLE, scene.world.ids["post-be"])


def _refill(_scene: Scene, session: Session) -> None:
    service.refill(session, CONSOLE)


ACTS: dict[str, Act] = {
    "a new class": Scene.new_class,
    "a policy": _publish,
    "leaving or joining": _leave_or_join,
    "a profile renewed": Scene.renew,
    "another profile": lambda scene, session: scene.renew(session, "customs-nl"),
    "a suspension": _suspend,
    "a stop": _stop,
    "a refill": _refill,
}


@pytest.mark.parametrize("first", list(ACTS))
def test_whatever_comes_beside_it_every_decision_is_right(database: Database, first: str) -> None:
    scene = Scene(database)
    with database.transaction() as session:
        scene.put(session, ALL_TO_EXCHANGE)
        scene.new_class(session)
    for second, beside in ACTS.items():
        if first == second == "leaving or joining":
            continue  # the second to leave is told that it has left already
        for code in ("police-de", "customs-nl"):
            with database.transaction() as session:
                scene.renew(session, code)
        with database.transaction() as session:
            _leave_or_join(scene, session)  # so that the profile of the police is out of date
        _one_beside_the_other(scene, ACTS[first], beside)
        with database.transaction() as session:
            scene.renew(session)
        assert _wrong(database) == [], f"{first}, then {second}"


def test_joining_twice_at_once_is_joining_once(database: Database) -> None:
    scene = Scene(database)
    with database.transaction() as session:
        organisations.leave(session, CONSOLE, "police-de", "postal-exchange")

    def join(_scene: Scene, session: Session) -> None:
        organisations.join(session, CONSOLE, "police-de", "postal-exchange")

    _one_beside_the_other(scene, join, join)
    with database.transaction() as session:
        found = organisations.communities(session)[scene.world.ids["police-de"]]
    assert "postal-exchange" in found


@pytest.mark.parametrize("inside", [Scene.new_class, Scene.renew], ids=["class", "profile"])
def test_a_version_that_takes_effect_meanwhile_holds_for_what_was_being_made(
    database: Database, monkeypatch: pytest.MonkeyPatch, inside: Act
) -> None:
    time = Clock()
    monkeypatch.setattr("app.clock.now", time)
    scene = Scene(database)
    with database.transaction() as session:
        scene.put(session, ALL_TO_EXCHANGE)
        scene.new_class(session)
    with database.transaction() as session:
        scene.put(session, PRESENCE_TO_ALL, valid_from=NOON + timedelta(seconds=10))
    for at in (9, 10):
        time.at = NOON + timedelta(seconds=at)
        with database.transaction() as session:
            inside(scene, session)
            time.at = NOON + timedelta(seconds=at + 2)
        with database.transaction() as session:
            scene.renew(session)
        assert _wrong(database) == []


def test_a_reader_who_left_during_a_question_gets_nothing_of_a_policy_made_after(
    database: Database,
) -> None:
    # First the community is left, then something is shared with it: nobody outside may see it,
    # not even a question that began while its reader was still inside.
    if database.is_sqlite:
        return  # a question is a transaction that writes: nothing happens during it
    scene = Scene(database)
    world = scene.world
    world.indicator("post-be", token=token_of(1))
    with database.transaction() as session:
        scene.renew(session)
    with database.transaction() as asking:
        profile = scene.renew(asking)
        with database.transaction() as session:
            organisations.leave(session, CONSOLE, "police-de", "postal-exchange")
        with database.transaction() as session:
            scene.put(session, ALL_TO_EXCHANGE)
        found = visibility.matching_tokens(asking, profile, [token_of(1)], moment(TODAY))
    assert found == []


def test_a_class_made_after_its_reader_left_is_not_decided_by_what_the_reader_was(
    database: Database,
) -> None:
    if database.is_sqlite:
        return
    scene = Scene(database)
    with database.transaction() as session:
        scene.put(session, ALL_TO_EXCHANGE)
        scene.renew(session)
    with database.transaction() as asking:
        profile = scene.renew(asking)
        with database.transaction() as session:
            organisations.leave(session, CONSOLE, "police-de", "postal-exchange")
        scene.world.indicator("post-be", like(kind=Kind.PGP), token=token_of(1))
        found = visibility.matching_tokens(asking, profile, [token_of(1)], moment(TODAY))
    assert found == []


def test_of_two_changes_of_membership_at_once_neither_hides_the_other(database: Database) -> None:
    if database.is_sqlite:
        return
    scene = Scene(database)
    with database.transaction() as session:
        scene.put(session, ALL_TO_EXCHANGE)
        scene.new_class(session)
    with database.transaction() as leaving:
        # It knows the organisation as it was before the other change.
        organisations.directory(leaving)
        kept = leaving.scalars(select(Organisation)).all()
        with database.transaction() as session:
            organisations.join(session, CONSOLE, "police-de", "joint-team")
        with database.transaction() as session:
            scene.renew(session)
        organisations.leave(leaving, CONSOLE, "police-de", "postal-exchange")
    assert len(kept) == 3
    with database.transaction() as session:
        scene.renew(session)
    assert _wrong(database) == []


@pytest.mark.parametrize("seed", range(3))
def test_many_at_once_leave_every_decision_right_and_no_answer_above_what_was_in_force(
    database: Database, seed: int
) -> None:
    crowd = Crowd(database, seed)
    crowd.run(threads=4, steps=20)
    assert crowd.above_what_was_in_force() == []
    assert crowd.lookups
    for code in ("police-de", "customs-nl"):
        with database.transaction() as session:
            crowd.scene.renew(session, code)
    assert _wrong(database) == []


class Crowd:
    """Threads that do at random what changes an answer, and look up; and when each did what."""

    def __init__(self, database: Database, seed: int) -> None:
        self.database = database
        self.seed = seed
        self.scene = Scene(database)
        self.ticks = count(1)
        self.token = token_of(1)
        self.scene.world.indicator("post-be", like(tlp=Tlp.GREEN, barrier_step=3), token=self.token)
        # (tick before it began, tick after it was committed, what holds from then on)
        self.policies: list[tuple[int, int, tuple[Clause, ...]]] = [(0, 0, ALL_TO_EXCHANGE)]
        self.memberships: list[tuple[int, int, bool]] = [(0, 0, True)]
        self.lookups: list[tuple[int, int, int, int]] = []  # began, ended, level, thread
        self.errors: list[BaseException] = []
        self.owner = threading.Lock()
        self.reader = threading.Lock()

    def run(self, threads: int, steps: int) -> None:
        with self.database.transaction() as session:
            self.scene.put(session, ALL_TO_EXCHANGE)
        self._look_up(random.Random(0), 0)  # noqa: S311 - not used
        assert [level for _, _, level, _ in self.lookups] == [3]
        running = [
            threading.Thread(target=self._act, args=(number, steps), daemon=True)
            for number in range(threads)
        ]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join(JOIN_IN_SECONDS)
        assert not any(thread.is_alive() for thread in running), "some wait for each other"
        assert self.errors == []

    def above_what_was_in_force(self) -> list[tuple[int, int, int, int]]:
        """Lookups with a level that no policy and membership in force during them gives."""
        return [each for each in self.lookups if each[2] > self._most(each[0], each[1])]

    def _most(self, began: int, ended: int) -> int:
        return max(
            self._level(clauses, is_member)
            for clauses, is_member in product(
                _holding(self.policies, began, ended), _holding(self.memberships, began, ended)
            )
        )

    def _level(self, clauses: tuple[Clause, ...], is_member: bool) -> int:
        owner, reader = (_member(code, is_member) for code in ("post-be", "police-de"))
        seat = Seat(reader, Role.ANALYST, Purpose.RISK_ANALYSIS, LegalBasis.PUBLIC_TASK)
        attributes = like(tlp=Tlp.GREEN, barrier_step=3)
        return expected(clauses, Asked(seat, owner, attributes, 0)).level

    def _act(self, number: int, steps: int) -> None:
        chance = random.Random(1_000 * self.seed + number)  # noqa: S311 - to be repeatable
        acts = [self._look_up, self._look_up, self._submit, self._publish, self._stop, self._move]
        try:
            for _ in range(steps):
                chance.choice(acts)(chance, number)
        except BaseException as error:
            self.errors.append(error)

    def _look_up(self, _chance: random.Random, number: int) -> None:
        began = next(self.ticks)
        with self.database.transaction() as session:
            profile = self.scene.renew(session)
            found = visibility.matching_tokens(session, profile, [self.token], moment(TODAY))
        level = max((match.level for match in found), default=0)
        self.lookups.append((began, next(self.ticks), level, number))

    def _submit(self, chance: random.Random, _number: int) -> None:
        attributes = like(barrier_step=chance.randrange(8), kind=chance.choice(list(Kind)))
        self.scene.world.indicator("post-be", attributes, token=uuid4().bytes)

    def _publish(self, chance: random.Random, _number: int) -> None:
        clauses = chance.choice(POLICIES)
        self._change(clauses, lambda session: self.scene.put(session, clauses))

    def _stop(self, _chance: random.Random, _number: int) -> None:
        self._change(NOTHING, lambda session: _stop(self.scene, session))

    def _change(self, clauses: tuple[Clause, ...], act: Callable[[Session], object]) -> None:
        # One at a time, so that the order in which they took effect is known.
        with self.owner:
            began = next(self.ticks)
            with self.database.transaction() as session:
                act(session)
            self.policies.append((began, next(self.ticks), clauses))

    def _move(self, _chance: random.Random, _number: int) -> None:
        with self.reader:
            began = next(self.ticks)
            is_member = not self.memberships[-1][2]
            with self.database.transaction() as session:
                _leave_or_join(self.scene, session)
            self.memberships.append((began, next(self.ticks), is_member))


def _holding(changes: list[tuple[int, int, Any]], began: int, ended: int) -> list[Any]:
    """What may have held at some time between two ticks."""
    ends = [committed for _, committed, _ in changes[1:]] + [ended + 1]
    return [
        what
        for (start, _, what), end in zip(changes, ends, strict=True)
        if start <= ended and end >= began
    ]


def _member(code: str, is_member: bool) -> Member:
    sector, country = {
        "post-be": (Sector.POST, "BE"),
        "police-de": (Sector.POLICE, "DE"),
    }[code]
    return Member(code, sector, country, ("postal-exchange",) if is_member else ())


def _one_beside_the_other(scene: Scene, first: Act, second: Act) -> None:
    """`second` begins while `first` is done and not committed, and ends or waits for its end."""
    database = scene.world.database

    def run() -> None:
        with database.transaction() as session:
            second(scene, session)

    with _beside(database, run) as go, database.transaction() as session:
        first(scene, session)
        go()


@contextmanager
def _beside(database: Database, act: Callable[[], None]) -> Iterator[Callable[[], None]]:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)

    def go() -> None:
        thread.start()
        while not database.is_sqlite and thread.is_alive():
            with database.reading() as session:
                if session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                    return

    yield go
    thread.join(JOIN_IN_SECONDS)
    assert not thread.is_alive(), "the two wait for each other"
    assert errors == []


def _wrong(database: Database) -> list[Any]:
    def ruled(
        seat: Seat, owner: Member, policy: str, attributes: ClassAttributes, age: int
    ) -> Expected:
        return expected(CLAUSES[policy], Asked(seat, owner, attributes, band_of(age)))

    wrong, looked_at = wrong_grants(database, clock.now(), ruled)
    assert looked_at > 0
    return wrong
