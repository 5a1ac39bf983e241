"""Every door that shows another's indicator leaves a row of the ledger: the routes are those of
the expectations, so a new door cannot be forgotten.

A door shows one when its answer names the id. Each is opened alone, in a transaction that is
undone, with a ledger that was emptied before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.indicators.models import Given
from app.lookups import service as lookups
from app.lookups.scoring import Query
from postern.vocabulary import LegalBasis, Purpose
from tests.app.matrix.asking import Asker
from tests.app.matrix.cells import Cell, allowed, asked
from tests.app.matrix.expectations import EXPECTED, Means, Named, Record, Relation, State
from tests.app.matrix.stage import READER, Stage

TOLD_AGAIN = {
    ("audit.read", "GET"),
    ("audit-export.take_away", "GET"),
    ("compliance.access_log", "GET"),
    ("compliance.take_away", "GET"),
    ("audit.timeline", "GET"),
    ("compliance.timelines.show", "GET"),
    ("disclosures.list_asked", "GET"),
    ("disclosures.read_asked", "GET"),
    ("disclosures.withdraw", "POST"),
    ("disclosure_pages.show", "GET"),
}
"""The reader's own log, and its own requests, name what it was given before: it was noted then."""

SHOWING = {
    ("indicators.list_shared", "GET"),
    ("indicators.export_shared", "GET"),
    ("shared_pages.take", "POST"),
    ("indicators.read_shared", "GET"),
    ("indicators.may_pass_on", "GET"),
    ("lookups.ask", "POST"),
    ("lookups.explain", "GET"),
    ("searching.reopen", "GET"),
}
"""Doors of which we know; there may be more."""


@dataclass
class Watched:
    """A transaction that is undone, and the ledger as it was before that."""

    noted: set[UUID] = field(default_factory=set)


@contextmanager
def watched(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    found = Watched()
    (reader_id,) = {
        person.caller.member[0] for key, person in stage.people.items() if key[0] == READER
    }

    @contextmanager
    def transaction() -> Iterator[Session]:
        with stage.database._turn(), Session(stage.database.engine) as session:
            session.expire_on_commit = False
            session.execute(delete(Given))
            yield session
            session.flush()
            found.noted |= set(
                session.scalars(select(Given.indicator).where(Given.recipient_id == reader_id))
            )

    with monkeypatch.context() as patch:
        patch.setattr(stage, "asked", stage.app)  # the ledger is emptied as its owner alone may
        patch.setattr(stage.database, "transaction", transaction)
        yield found


@pytest.fixture
def looked_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader's own lookup finds something, for the doors that show it again."""
    thing = stage.sent[Relation.FEED, State.LIVE].thing
    with stage.transaction() as session:
        made = lookups.ask(
            session,
            stage.writers[READER].caller,
            purpose=Purpose.CRIMINAL_INVESTIGATION,
            legal_basis=LegalBasis.CRIMINAL_PROCEDURE,
            case="PV-2024-17",
            queries=[Query("q1", thing.kind, 1, [(thing.facet, thing.token)])],
        )
    monkeypatch.setitem(stage.lookups, (READER, State.LIVE), made.lookup)


def others(stage: Stage) -> dict[str, UUID]:
    """The indicators of others, as an answer would name them."""
    return {
        str(sent.indicator): sent.indicator
        for (relation, _), sent in stage.sent.items()
        if relation is not Relation.OWN
    }


@pytest.mark.usefixtures("looked_up")
def test_every_route_that_shows_another_s_indicator_leaves_a_row(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker, names = Asker(stage), others(stage)
    showing, unnoted = set(), set()
    for key, route in EXPECTED.items():
        if route.roles is None or route.names in {Named.VERSION, Named.PLACE}:
            continue
        callers = {one.role: one for one in allowed(route) if one.means is Means.SESSION}
        for caller in callers.values():
            for record in _live(route.names):
                with watched(stage, monkeypatch) as found:
                    answer = asker.send(Cell(*key, caller, record))
                if answer.status_code >= 300:
                    continue
                text = answer.get_data().decode(errors="replace")  # files too
                shown = {indicator for name, indicator in names.items() if name in text}
                if shown:
                    showing.add(key)
                if shown - found.noted and key not in TOLD_AGAIN:
                    unnoted.add((key, str(caller), str(record)))
    assert sorted({key for key, *_ in unnoted}) == []
    assert showing >= SHOWING
    assert EXPECTED.keys() >= TOLD_AGAIN


def _live(named: Named) -> list[Record]:
    """What may be there of such records, so that each level of sharing is met."""
    return [each for each in asked(named) if each.state in {None, State.LIVE, State.CLOSED}]
