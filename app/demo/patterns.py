"""Shared patterns of the demonstration, what they turned out to be worth, and an allowance.

The rules are two of the starter library. The counts that the members tell back are made up, as if
each had screened its manifests of five months; they are there so that the figures have something
to show.
"""

import re
from datetime import timedelta
from uuid import UUID

from flask import Flask
from sqlalchemy.orm import Session

from app.access import Caller
from app.clock import now
from app.demo import members
from app.demo.members import MEMBERS, console
from app.patterns import counting, drafting, grounds, library, subscriptions
from app.patterns.counting import Examined
from app.runtime import runtime
from postern.vocabulary import Role, Sector

_FANNED_OUT = "documents-fan-out"
_TO_ONE = "gifts-to-one-addressee"
SHARED = (_FANNED_OUT, _TO_ONE)
"""Names of the rules of the library that are published."""

_RETURNS = "returns-to-a-stranger"
_MONTHS = 5


def share(app: Flask) -> None:
    """Customs and post publish a pattern each and screen with the other's; one more waits."""
    with app.app_context(), runtime().database.transaction() as session:
        customs = members.person(session, "customs-nl", Role.ANALYST)
        post = members.person(session, "post-be", Role.ANALYST)
        fanned_out = _published(session, customs, _FANNED_OUT)
        to_one = _published(session, post, _TO_ONE)
        _proposed(session, members.person(session, "post-be", Role.SUBMITTER), _RETURNS)
        subscriptions.subscribe(session, post, grounds.default(Sector.POST), fanned_out)
        subscriptions.subscribe(session, customs, grounds.default(Sector.CUSTOMS), to_one)
        _tell(session, post, fanned_out, parcels=640_000, hits=41, examined=Examined(64, 23, 35, 6))
        _tell(
            session, customs, fanned_out, parcels=210_000, hits=17, examined=Examined(31, 9, 22, 0)
        )
        _tell(session, customs, to_one, parcels=210_000, hits=26, examined=Examined(38, 5, 20, 13))


def agree(app: Flask) -> None:
    """Let the customs evaluate enough for a trial, so that it may screen against a token filter."""
    console(
        app,
        *("screening", "allow", "customs-nl", "postal", "--day", "20000"),
        *("--until", f"{now() + timedelta(days=90):%Y-%m-%d}"),
        *("--reason", "Demonstration: a trial at one depot"),
    )


def _published(session: Session, writer: Caller, name: str) -> UUID:
    public_id, revision = _proposed(session, writer, name)
    decider = members.person(session, writer.organisation, Role.APPROVER)
    drafting.approve(session, decider, public_id, revision)
    return public_id


def _proposed(session: Session, writer: Caller, name: str) -> tuple[UUID, int]:
    """A rule of the library, proposed by `writer`: its id and the revision to decide on."""
    starter = next(each for each in library.starters() if each.name == name)
    expires = (now() + timedelta(days=365)).date()
    author = next(each.name for each in MEMBERS if each.code == writer.organisation)
    text = re.sub(r"(?m)^expires: .*$", f"expires: {expires}", library.begun(starter, author))
    begun = drafting.begin(session, writer, text)
    public_id, revision = begun.listed.id, begun.draft.revision if begun.draft else 0
    proposed = drafting.propose(session, writer, public_id, revision)
    return public_id, proposed.draft.revision if proposed.draft else 0


def _tell(
    session: Session,
    caller: Caller,
    pattern: UUID,
    *,
    parcels: int,
    hits: int,
    examined: Examined,
) -> None:
    """Told of the first version: one day in each of the last months, and what came of it.

    Not of today, for what is told of a day again replaces what was told before.
    """
    yesterday = now().date() - timedelta(days=1)
    for month in range(_MONTHS):
        on = yesterday - timedelta(days=30 * month)
        found = hits + 5 * month
        counting.tell_run(session, caller, pattern, 1, on, parcels + 9_000 * month, found)
    counting.tell_outcomes(session, caller, pattern, 1, yesterday, examined)
