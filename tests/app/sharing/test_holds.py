"""Whoever changes what is shared holds the rows of those concerned before reading what there is.

Else two who do so at once decide by what neither has seen of the other. Two sessions that meet are
tried in `test_concurrency`; here it is seen that each verb holds what it must, and no more.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller, Means
from app.database import Database
from app.sharing import drafts, grants, service, versions
from app.sharing.models import Cause
from postern.vocabulary import Kind, LegalBasis, Purpose, Role
from tests.app.sharing.world import EVERYTHING_TO_POLICE, PLAIN, World, like, trio
from tests.app.statements import executed

READS = re.compile(r"(?:FROM|JOIN) (\w+)")
HELD = "held"


@pytest.fixture
def world(database: Database) -> World:
    return trio(database)


@contextmanager
def noting(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Tables that each statement reads or clears, in order; and where somebody is held."""
    notes: list[Any] = []

    def note(statement: str) -> None:
        if READS.search(statement):
            notes.append(frozenset(READS.findall(statement)))

    def hold(real: Callable[..., None], name: str, session: Session, *ids: int) -> None:
        real(session, *ids)
        notes.append((HELD, name, *ids))

    with monkeypatch.context() as patch:
        for name in ("hold_owner", "hold_readers", "hold_all"):
            patch.setattr(grants, name, partial(hold, getattr(grants, name), name))
        with executed(world.database, monkeypatch, note):
            yield notes


def holds_first(notes: list[Any], held: tuple[Any, ...], *tables: str) -> bool:
    """Whether nothing is read of the tables before that is held."""
    before = notes[: notes.index((HELD, *held))]
    return not any(set(tables) & note for note in before if isinstance(note, frozenset)) and any(
        set(tables) & note for note in notes if isinstance(note, frozenset)
    )


def person(world: World, number: int) -> Caller:
    return Caller(
        person_id=number,
        person=UUID(int=number),
        organisation_id=world.ids["post-be"],
        organisation="post-be",
        roles=frozenset({Role.POLICY_OWNER}),
        scopes=None,
        means=Means.SESSION,
    )


def test_an_owner_is_held_before_its_versions_are_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = world.ids["post-be"]
    ahead = clock.now() + timedelta(days=1)
    acts: tuple[Callable[[Session], object], ...] = (
        lambda session: service.publish_first(session, CONSOLE, "post-be", EVERYTHING_TO_POLICE),
        lambda session: versions.put_in_force(
            session, CONSOLE, owner, "", Cause.CONSOLE, valid_from=ahead
        ),
        lambda session: versions.cancel(session, CONSOLE, owner, 2),
        lambda session: versions.stop(session, CONSOLE, owner),
    )
    for place, act in enumerate(acts):
        with (
            noting(world, monkeypatch) as notes,
            world.database.transaction() as session,
        ):
            act(session)
        assert holds_first(notes, ("hold_owner", owner), "policy_version"), place


def test_an_owner_is_held_before_an_approval_looks_for_a_newer_version(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = person(world, 1), person(world, 2)
    with world.database.transaction() as session:
        made = drafts.create(session, ann, title="A change", text=EVERYTHING_TO_POLICE)
        made = drafts.propose(session, ann, made.id, made.revision)
    with noting(world, monkeypatch) as notes, world.database.transaction() as session:
        drafts.approve(session, bob, made.id, made.revision)
    assert holds_first(notes, ("hold_owner", world.ids["post-be"]), "policy_version")


def test_an_owner_is_held_before_what_is_missing_of_its_classes_is_looked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = world.ids["post-be"]

    def ask() -> list[Any]:
        with noting(world, monkeypatch) as notes, world.database.transaction() as session:
            service.share_class_ids(session, owner, [PLAIN, like(kind=Kind.PGP)])
        return notes

    looked = frozenset({"share_class"})
    assert ask()[:4] == [looked, frozenset({"organisation"}), (HELD, "hold_owner", owner), looked]
    assert ask() == [looked]  # and where none is missing nobody waits


def test_all_readers_are_held_before_one_more_is_laid_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask() -> list[Any]:
        with noting(world, monkeypatch) as notes, world.database.transaction() as session:
            service.profile_id(
                session,
                world.ids["police-de"],
                Role.ANALYST,
                Purpose.RISK_ANALYSIS,
                LegalBasis.PUBLIC_TASK,
            )
        return notes

    assert holds_first(ask(), ("hold_readers",), "community_member")
    assert ask() == [frozenset({"profile", "organisation"})]  # and one that is known is found


def test_everybody_is_held_before_all_is_decided_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts: tuple[Callable[[Session], object], ...] = (
        lambda session: service.refill(session, CONSOLE),
        lambda session: service.refill_for_organisation(session, world.ids["police-de"]),
    )
    for act in acts:
        with noting(world, monkeypatch) as notes, world.database.transaction() as session:
            act(session)
        assert notes[:2] == [frozenset({"organisation"}), (HELD, "hold_all")]
