"""No path around an expiry or a withdrawal: whatever happens in whatever order, what is over is
found by nobody, and what is left of it is what a standing hold keeps, for its keepers alone.

The real services answer; the model is a page long and knows neither tables nor policies.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
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

from app.errors import PosternError
from app.indicators import amending, holds, service
from app.indicators.amending import Correction
from app.indicators.models import Envelope, Indicator, Report, Token, Tombstone
from app.pseudonyms.models import ElementVault
from app.sharing import service as sharing
from app.sharing.visibility import matching_tokens, visible_indicators
from postern.vocabulary import (
    HoldReason,
    LegalBasis,
    Purpose,
    RecallReason,
    Role,
    SourceGrade,
)
from tests.app.indicators.test_holds import seal_something
from tests.app.sharing.ground import THINGS, Ground, Thing, fitting, prepared_ground, wire
from tests.app.sharing.world import EVERYTHING_TO_POLICE, PLAIN
from tests.deeper import examples

OWNER, READER = "post-be", "police-de"
DAYS = st.sampled_from([1, 2, 5, 30])
WHICH = st.integers(0, 5)
MANY = 25  # examples, of which all that may happen is demanded
MOST = 4  # reports of one example
ROLES = {Role.SUBMITTER: True, Role.ANALYST: False, Role.COMPLIANCE: True, Role.APPROVER: False}
"""Whether one is told of what a hold keeps."""


@dataclass
class Piece:
    """An indicator: until when it lives, and what became of it."""

    id: UUID
    expires_on: date
    is_restricted: bool = False
    is_erased: bool = False

    def lives(self, today: date) -> bool:
        return not self.is_restricted and not self.is_erased and today < self.expires_on


@dataclass
class Told:
    """A report with its pieces and its holds, each with its last day."""

    id: UUID
    pieces: list[Piece]
    holds: dict[UUID, date] = field(default_factory=dict)
    is_withdrawn: bool = False

    def is_held(self, today: date) -> bool:
        return any(today <= until for until in self.holds.values())


class Ends(RuleBasedStateMachine):
    ground: Ground
    seen: Counter[str]

    @initialize(days=st.lists(DAYS, min_size=2, max_size=3), held=st.sampled_from([0, 3, 9]))
    def begin(self, days: list[int], held: int) -> None:
        self.ground.put_back()
        self.reports: list[Told] = []
        self.steps = 0
        with self.ground.transaction() as session:
            sharing.publish(session, self.ground.people[OWNER].caller, OWNER, EVERYTHING_TO_POLICE)
        for place, ends in enumerate(days):
            self.submit(THINGS[place : place + 2], ends)
        if held:
            self._place(0, held)

    @property
    def today(self) -> date:
        return self.ground.clock.at.date()

    def act(self, verb: Any, *args: Any, role: Role = Role.SUBMITTER, **kwargs: Any) -> Any:
        caller = replace(self.ground.people[OWNER].caller, roles=frozenset({role}))
        with self.ground.transaction() as session:
            return verb(session, caller, *args, **kwargs)

    def pick(self, which: int) -> Told:
        return self.reports[which % len(self.reports)]

    @precondition(lambda self: len(self.reports) < MOST)
    @rule(things=st.lists(st.sampled_from(THINGS), min_size=1, max_size=2), days=DAYS)
    def submit(self, things: Sequence[Thing], days: int) -> None:
        ends = [days * (place + 1) for place in range(len(things))]
        at = self.ground.clock.at
        raw = [
            wire("-", thing, fitting(thing, PLAIN), at, expires_in=end)["indicators"][0]
            for thing, end in zip(things, ends, strict=True)
        ]
        sent = [{"client_key": f"r{len(self.reports)}", "indicators": raw, "barrier_step": 3}]
        (made,) = self.act(service.submit, sent).results
        assert made.id, made.errors
        pieces = [
            Piece(public_id, self.today + timedelta(days=end))
            for public_id, end in zip(made.indicators, ends, strict=True)
        ]
        self.reports.append(Told(made.id, pieces))
        with self.ground.transaction() as session:
            row = session.scalars(select(Report).where(Report.public_id == made.id)).one()
            session.add_all(one for one in seal_something(session) if one.report_id == row.id)

    @rule(which=WHICH)
    def withdraw(self, which: int) -> None:
        one = self.pick(which)
        before = [piece for piece in one.pieces if not piece.is_erased]
        made = self.act(service.withdraw, one.id, "error")
        if one.is_withdrawn:
            assert (made.erased, made.restricted) == (0, 0)
            return
        one.is_withdrawn = True
        is_held = one.is_held(self.today)
        fresh = [piece for piece in before if not piece.is_restricted]
        counts = (0, len(fresh)) if is_held else (len(before), 0)
        assert (made.erased, made.restricted) == counts
        for piece in before:
            piece.is_restricted, piece.is_erased = is_held, not is_held
        self.seen["withdrawn under a hold" if is_held and fresh else "withdrawn"] += 1

    @rule(which=WHICH, days=DAYS, then=st.sampled_from(["nothing", "withdraw", "sweep", "sweep"]))
    def hold(self, which: int, days: int, then: str) -> None:
        """Often with what it is for right after it, which chance alone seldom brings."""
        self._place(which, days)
        if then == "withdraw":
            self.withdraw(which)
        elif then == "sweep":
            self.sweep(days)

    def _place(self, which: int, days: int) -> None:
        one = self.pick(which)
        until = self.today + timedelta(days=days)
        asked = {"reason": HoldReason.COURT_ORDER, "until": until, "case": "K"}
        if all(piece.is_erased for piece in one.pieces):
            with pytest.raises(holds.NothingToHoldError):
                self.act(holds.place, one.id, role=Role.COMPLIANCE, **asked)
            return
        made = self.act(holds.place, one.id, role=Role.COMPLIANCE, **asked)
        one.holds[made.id] = until

    @rule(which=WHICH)
    def release(self, which: int) -> None:
        one = self.pick(which)
        for hold in sorted(one.holds)[:1]:
            if one.holds.pop(hold) < self.today:
                with pytest.raises(holds.HoldEndedError):
                    self.act(holds.release, hold, role=Role.COMPLIANCE)
            else:
                self.act(holds.release, hold, role=Role.COMPLIANCE)
                self.seen["released"] += 1

    @rule(which=WHICH, days=DAYS, grade=st.sampled_from(SourceGrade))
    def amend(self, which: int, days: int, grade: SourceGrade) -> None:
        """Also of what is over: then it is refused, and nothing comes back."""
        one = self.pick(which)
        piece = one.pieces[which % len(one.pieces)]
        ends = self.today + timedelta(days=days)
        right = Correction({"expires_on": ends, "source_grade": grade}, RecallReason.OTHER)
        if not piece.lives(self.today):
            with pytest.raises(PosternError):
                self.act(amending.amend_indicator, one.id, piece.id, right)
            self.seen["refused to amend"] += 1
            return
        self.act(amending.amend_indicator, one.id, piece.id, right)
        piece.expires_on = ends
        self.seen["amended"] += 1

    @rule(days=DAYS)
    def wait(self, days: int) -> None:
        self.ground.clock.at += timedelta(days=days)

    @rule(days=st.sampled_from([0, 0, 1, 6]))
    def sweep(self, days: int) -> None:
        self.ground.clock.at += timedelta(days=days)
        done = 0
        for one in self.reports:
            is_held = one.is_held(self.today)
            for piece in one.pieces:
                if piece.is_erased or piece.lives(self.today):
                    continue
                if is_held and piece.is_restricted:
                    continue
                self.seen["kept by a hold" if is_held else "erased"] += 1
                piece.is_restricted, piece.is_erased = is_held, not is_held
                done += 1
        with self.ground.transaction() as session:
            assert service.expire(session, self.today) == done
            assert service.expire(session, self.today) == 0

    @invariant()
    def nobody_finds_what_is_over(self) -> None:
        pieces = [piece for one in self.reports for piece in one.pieces]
        live = {piece.id for piece in pieces if piece.lives(self.today)}
        ended = {piece.id for piece in pieces if piece.is_restricted or piece.is_erased}
        tokens, at = [thing.token for thing in THINGS], self.ground.clock.at
        why = Role.ANALYST, Purpose.RISK_ANALYSIS, LegalBasis.PUBLIC_TASK
        with self.ground.transaction() as session:
            ids = dict(session.execute(select(Indicator.id, Indicator.public_id)).all())
            for code in (READER, OWNER):
                profile = sharing.profile_id(session, self.ground.ids[code], *why)
                listed = session.execute(visible_indicators(profile, at, 0)).all()
                matches = matching_tokens(session, profile, tokens, at)
                assert {ids[row.indicator_id] for row in listed} == live
                matched = {ids[match.indicator_id] for match in matches}
                assert live <= matched <= {piece.id for piece in pieces} - ended
        self.seen["live"] += len(live)

    @invariant()
    def what_is_left_is_what_a_hold_keeps(self) -> None:
        with self.ground.database.reading() as session:
            rows = {row.public_id: row for row in session.scalars(select(Indicator))}
            posted = set(session.scalars(select(Token.indicator_id)))
            vaulted = set(session.scalars(select(ElementVault.indicator_id)))
            sealed = set(session.scalars(select(Envelope.indicator_id)))
            with_file = set(
                session.scalars(
                    select(Report.public_id)
                    .join(Envelope, Envelope.report_id == Report.id)
                    .where(Envelope.indicator_id.is_(None))
                )
            )
            stones = set(session.scalars(select(Tombstone.public_id)))
        for one in self.reports:
            for piece in one.pieces:
                assert (piece.id in rows) != piece.is_erased
                assert (piece.id in stones) == piece.is_erased
                row = rows.get(piece.id)
                if row is None:
                    continue
                assert (row.restricted_at is not None) == piece.is_restricted
                assert (row.id in posted) != piece.is_restricted
                assert (row.id in vaulted) != piece.is_restricted
                assert row.id in sealed
            assert (one.id in with_file) != all(piece.is_erased for piece in one.pieces)
        assert posted | vaulted | (sealed - {None}) <= {row.id for row in rows.values()}

    @invariant()
    def its_keepers_alone_are_told(self) -> None:
        self.steps += 1
        role = list(ROLES)[self.steps % len(ROLES)]
        listed = {one.id: one for one in self.act(service.list_own, 50, role=role).reports}
        for one in self.reports:
            kept = {piece.id for piece in one.pieces if piece.is_restricted and ROLES[role]}
            live = {piece.id for piece in one.pieces if piece.lives(self.today)}
            shown = listed[one.id]
            assert {each["id"] for each in shown.indicators} == live | kept
            is_told = not one.is_withdrawn or bool(kept)
            assert shown.barrier_step == (3 if is_told else None)


@pytest.mark.parametrize(
    ("database_url", "count"), [("sqlite", MANY), ("postgresql", 5)], indirect=["database_url"]
)
def test_there_is_no_path_around_an_end(app: Flask, tmp_path: Path, count: int) -> None:
    with prepared_ground(app, tmp_path / "kept.sqlite3") as ground:
        seen: Counter[str] = Counter()
        machine = type("OnThisDatabase", (Ends,), {"ground": ground, "seen": seen})
        run_state_machine_as_test(machine, settings=examples(count, steps=20))
    print(dict(sorted(seen.items())))  # noqa: T201 - sizes, for whoever runs it with -s
    if count < MANY:
        return
    for each in (
        *("live", "withdrawn", "withdrawn under a hold", "kept by a hold", "erased"),
        *("released", "amended", "refused to amend"),
    ):
        assert seen[each], each
