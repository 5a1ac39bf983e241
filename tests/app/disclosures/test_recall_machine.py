"""Recalls never miss anybody: random gifts, withdrawals, corrections and answers beside a model.

A recall is complete exactly when all its recipients have completed it; nobody is missing from one,
and nobody stands in one who got nothing. The real services answer.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from app.access import CONSOLE
from app.disclosures import recall_answers, recall_clock, recall_own
from app.disclosures.models import Acknowledgement, Recall
from app.disclosures.recall_answers import RecallAnsweredError
from app.errors import NotFoundError
from app.indicators import amending, service, shared
from app.indicators.amending import Correction
from app.indicators.models import Given
from app.lookups import service as lookups
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.sharing import service as sharing
from postern.vocabulary import (
    AcknowledgementState,
    RecallKind,
    RecallReason,
    Rectification,
    SourceGrade,
    Way,
)
from tests.app.disclosures.ring import GROUNDS, UNTOLD
from tests.app.sharing.ground import THINGS, Ground, fitting, prepared_ground, wire
from tests.app.sharing.world import PLAIN
from tests.deeper import examples

OWNER = "post-be"
READERS = ("police-de", "customs-nl", "authority-be")
WHICH = st.integers(0, 5)
READER = st.sampled_from(READERS)
DONE = st.sampled_from([Rectification.ERASED, Rectification.NOT_KEPT])
MANY = 20  # examples, of which all that may happen is demanded

_TO_SOME = """
@id("some/all") @label("Police and customs have everything")
permit (principal, action, resource)
when { principal.sector == Sector::"police" || principal.sector == Sector::"customs" };
"""
_TO_ALL = """
@id("all/all") @label("Every member has everything")
permit (principal, action, resource);
"""
_PRESENCE = """
@id("all/presence") @label("Every member learns that something is known")
permit (principal, action == Action::"presence", resource);
"""
POLICIES = {"some": _TO_SOME, "all": _TO_ALL, "untold": _TO_ALL + UNTOLD, "presence": _PRESENCE}


@dataclass
class Piece:
    """An indicator, and who got it by what; `named` are those of whom the owner may know."""

    id: UUID
    report: UUID
    place: int
    is_over: bool = False
    given: dict[str, set[Way]] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)


@dataclass
class Called:
    """A recall of the model."""

    indicator: UUID
    kind: RecallKind
    recipients: dict[str, frozenset[Way]]
    named: frozenset[str]
    completed: set[str] = field(default_factory=set)


class Rounds(RuleBasedStateMachine):
    ground: Ground
    seen: Counter[str]

    @initialize()
    def begin(self) -> None:
        self.ground.put_back()
        self.pieces: list[Piece] = []
        self.called: list[Called] = []
        self.suspended: set[str] = set()
        self.grades = self.steps = 0
        self.publish("untold")
        self.submit()
        self.take("police-de", is_file=True)
        self.publish("all")
        self.submit()
        self.take("customs-nl", is_file=False)

    def act(self, verb: Any, code: str, *args: Any, **kwargs: Any) -> Any:
        with self.ground.transaction() as session:
            return verb(session, self.ground.people[code].caller, *args, **kwargs)

    def live(self) -> list[Piece]:
        return [piece for piece in self.pieces if not piece.is_over]

    def sees(self, code: str) -> bool:
        """Whether the policy lets the reader have something by its id."""
        is_some = code == "authority-be" and self.policy == "some"
        return code not in self.suspended and self.policy != "presence" and not is_some

    def give(self, code: str, way: Way, pieces: list[Piece]) -> None:
        is_untold = self.policy == "untold" and code == "police-de"
        for piece in pieces:
            piece.given.setdefault(code, set()).add(way)
            if not is_untold:
                piece.named.add(code)
            self.seen["unnamed" if is_untold else way.value] += 1

    def expect(self, kind: RecallKind, pieces: list[Piece]) -> None:
        """What the model calls back."""
        for piece in pieces:
            if piece.given:
                told = {code: frozenset(ways) for code, ways in piece.given.items()}
                self.called.append(Called(piece.id, kind, told, frozenset(piece.named)))
                self.seen[kind.value] += 1

    @rule(policy=st.sampled_from(sorted(POLICIES)))
    def publish(self, policy: str) -> None:
        self.policy = policy
        self.ground.clock.at += timedelta(seconds=1)
        with self.ground.transaction() as session:
            sharing.publish(session, CONSOLE, OWNER, POLICIES[policy])

    @precondition(lambda self: len(self.pieces) < 5)
    @rule()
    def submit(self) -> None:
        place = len(self.pieces)
        thing = THINGS[place]
        raw = wire(f"r{place}", thing, fitting(thing, PLAIN), self.ground.clock.at, expires_in=400)
        (made,) = self.act(service.submit, OWNER, [raw]).results
        self.pieces.append(Piece(made.indicators[0], made.id, place))

    @rule(code=READER, is_file=st.booleans())
    def take(self, code: str, *, is_file: bool) -> None:
        verb = shared.export_shared if is_file else shared.list_shared
        page = self.act(verb, code, GROUNDS, wanted={}, limit=100)
        found = self.live() if self.sees(code) else []
        assert {each.indicator["id"] for each in page.indicators} == {each.id for each in found}
        self.give(code, Way.EXPORT if is_file else Way.LIST, found)

    @rule(code=READER, which=WHICH)
    def ask(self, code: str, which: int) -> None:
        piece = self.pieces[which % len(self.pieces)]
        asked = {
            "purpose": GROUNDS.purpose,
            "legal_basis": GROUNDS.legal_basis,
            "case": GROUNDS.case,
        }
        queries = [THINGS[piece.place].query("q")]
        (result,) = self.act(lookups.ask, code, queries=queries, **asked).results
        named = [hit for hit in result.hits if hit.indicator]
        is_given = self.sees(code) and not piece.is_over
        assert len(named) == is_given
        if is_given:
            self.give(code, Way.LOOKUP, [piece])

    @precondition(lambda self: self.live())
    @rule(which=WHICH)
    def withdraw(self, which: int) -> None:
        piece = self.live()[which % len(self.live())]
        self.act(service.withdraw, OWNER, piece.report, "error", RecallReason.WRONG_DATA)
        piece.is_over = True
        self.expect(RecallKind.WITHDRAWAL, [piece])

    @precondition(lambda self: self.live())
    @rule(which=WHICH)
    def amend(self, which: int) -> None:
        piece = self.live()[which % len(self.live())]
        self.grades += 1
        grade = list(SourceGrade)[self.grades % len(SourceGrade)]
        right = Correction({"source_grade": grade}, RecallReason.WRONG_DATA)
        made = self.act(amending.amend_indicator, OWNER, piece.report, piece.id, right)
        if made.changes:
            self.expect(RecallKind.CORRECTION, [piece])

    @precondition(lambda self: self.called)
    @rule(code=READER, which=WHICH, done=DONE, is_completed=st.sampled_from([True, True, False]))
    def answer(self, code: str, which: int, done: Rectification, *, is_completed: bool) -> None:
        """Also by whom it did not reach, and again."""
        one = self.called[which % len(self.called)]
        recall = self.rows()[which % len(self.called)][0].public_id
        state = (
            AcknowledgementState.COMPLETED if is_completed else AcknowledgementState.ACKNOWLEDGED
        )
        said = {"state": state, "done": done if is_completed else None}
        if code not in one.recipients:
            with pytest.raises(NotFoundError):
                self.act(recall_answers.answer, code, recall, **said)
            return
        try:
            self.act(recall_answers.answer, code, recall, **said)
        except RecallAnsweredError:
            assert code in one.completed
            return
        if is_completed:
            one.completed.add(code)
            self.seen["completed"] += one.completed == one.recipients.keys()

    @precondition(lambda self: self.called)
    @rule(which=WHICH, done=DONE)
    def everybody_answers(self, which: int, done: Rectification) -> None:
        for code in sorted(self.called[which % len(self.called)].recipients):
            self.answer(code, which, done, is_completed=True)

    @rule(code=READER)
    def suspend_or_let_in(self, code: str) -> None:
        is_out = code in self.suspended
        status = OrganisationStatus.ACTIVE if is_out else OrganisationStatus.SUSPENDED
        with self.ground.transaction() as session:
            organisations.set_status(session, CONSOLE, code, status)
        self.suspended ^= {code}

    @rule(days=st.sampled_from([1, 4, 8]))
    def wait(self, days: int) -> None:
        self.ground.clock.at += timedelta(days=days)
        with self.ground.transaction() as session:
            self.seen["reminded"] += recall_clock.remind(session)
            assert recall_clock.expire(session) == 0

    def rows(self) -> list[tuple[Recall, list[Acknowledgement]]]:
        with self.ground.database.reading() as session:
            recalls = list(session.scalars(select(Recall).order_by(Recall.id)))
            answers = list(session.scalars(select(Acknowledgement)))
            session.expunge_all()
        return [(row, [each for each in answers if each.recall_id == row.id]) for row in recalls]

    @invariant()
    def every_recipient_is_in_and_nobody_else(self) -> None:
        codes = {organisation_id: code for code, organisation_id in self.ground.ids.items()}
        rows = self.rows()
        assert len(rows) == len(self.called)
        for (row, answers), one in zip(rows, self.called, strict=True):
            assert (row.indicator, row.kind) == (one.indicator, one.kind)
            told = {codes[each.organisation_id]: frozenset(each.ways) for each in answers}
            assert told == one.recipients
            assert {codes[each.organisation_id] for each in answers if each.named} == one.named
            done = {codes[each.organisation_id] for each in answers if each.completed_at}
            assert done == one.completed
            assert (row.completed_at is not None) == (done == one.recipients.keys())

    @invariant()
    def the_ledger_holds_what_was_given(self) -> None:
        codes = {organisation_id: code for code, organisation_id in self.ground.ids.items()}
        with self.ground.database.reading() as session:
            rows = list(session.scalars(select(Given)))
            found = {(row.indicator, codes[row.recipient_id], row.way) for row in rows}
        assert found == {
            (piece.id, code, way)
            for piece in self.pieces
            for code, ways in piece.given.items()
            for way in ways
        }

    @invariant()
    def the_owner_sees_those_of_whom_it_may_know(self) -> None:
        self.steps += 1
        if self.steps % 4:  # every act of it is logged, and takes its time
            return
        shown = self.act(recall_own.own, OWNER, is_open=None, limit=100).recalls
        told = {
            (each.indicator, each.kind, frozenset(one.organisation.code for one in each.recipients))
            for each in shown
        }
        named = [one for one in self.called if one.named]
        assert told == {(one.indicator, one.kind, one.named) for one in named}
        assert len(shown) == len(named)
        open_ = self.act(recall_own.own, OWNER, is_open=True, limit=100).recalls
        assert len(open_) == sum(not one.named <= one.completed for one in named)


@pytest.mark.parametrize(
    ("database_url", "count"), [("sqlite", MANY), ("postgresql", 2)], indirect=["database_url"]
)
def test_there_is_no_path_around_a_recall(app: Flask, tmp_path: Path, count: int) -> None:
    with prepared_ground(app, tmp_path / "kept.sqlite3") as ground:
        seen: Counter[str] = Counter()
        machine = type("OnThisDatabase", (Rounds,), {"ground": ground, "seen": seen})
        run_state_machine_as_test(machine, settings=examples(count, steps=25))
    print(dict(sorted(seen.items())))  # noqa: T201 - sizes, for whoever runs it with -s
    if count < MANY:
        return
    for each in ("lookup", "list", "export", "unnamed", "withdrawal", "correction", "completed"):
        assert seen[each], each
