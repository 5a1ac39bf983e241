"""Everybody does anything at any time; no envelope leaves without what must stand behind it.

The real services answer. After every step each delivery is tried to be fetched, and what comes of
it is held against a history that this machine keeps by itself.
"""

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import partial
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
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from app.access import CONSOLE, Caller
from app.audit.models import AuditDetail, AuditEntry
from app.disclosures import deliveries, rules
from app.disclosures.models import Decision, Delivery, DisclosureRequest
from app.disclosures.transitions import GIVEN, TRANSITIONS, WAITING
from app.errors import PosternError
from app.indicators import service as indicators
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.sharing.reasons import KnownReasons
from postern.audit.record import open_disclosures
from postern.vocabulary import (
    Answer,
    DecisionReason,
    DecisionState,
    FourEyes,
    RequestState,
    SealedPart,
    TokenCheck,
    Urgency,
)
from tests.app.disclosures.desk import NOON, OPEN_TO_ALL, Desk, Found, open_desk
from tests.app.exchange import CLOSED
from tests.app.people import runtime_of
from tests.deeper import examples

OWNER, ASKER = "post-be", "police-de"
WAITS = st.sampled_from(
    [
        timedelta(minutes=1),
        timedelta(minutes=1),
        timedelta(minutes=20),
        timedelta(hours=5),
        timedelta(hours=30),
        timedelta(days=8),
        timedelta(days=15),
    ]
)
CHANGES = ("policy",) * 3 + ("suspension",) * 3 + ("report",)
PARTS = st.sampled_from([(SealedPart.VALUE,), (SealedPart.VALUE, SealedPart.NOTE)])
TOLD_BY = {  # the act of the log that must stand behind each state
    RequestState.OPEN: {"disclosure.ask", "disclosure.answer", "disclosure.confirm"},
    RequestState.QUESTIONED: {"disclosure.question"},
    RequestState.PROPOSED: {"disclosure.decide"},
    RequestState.RELEASED: {"disclosure.release"},
    RequestState.REFUSED: {"disclosure.decide"},
    RequestState.RECEIVED: {"disclosure.receipt"},
    RequestState.WITHDRAWN: {"disclosure.withdraw"},
    RequestState.LAPSED: {"disclosure.lapse"},
    RequestState.ENDED: {"disclosure.end"},
    RequestState.RECALLED: {"disclosure.erase", "disclosure.review"},
    RequestState.EXPIRED: {"disclosure.erase"},
}


@dataclass
class Gift:
    """What was released, by whom, and until when it may be fetched."""

    by: int
    second: int | None
    is_glass: bool
    until: datetime
    is_taken_back: bool = False


@dataclass
class History:
    """Of one record: what this machine saw happen to it, and its present request's gift."""

    found: Found
    ends_at: datetime
    is_withdrawn: bool = False
    proposer: int | None = None
    gift: Gift | None = None
    clocks: dict[UUID, tuple[datetime, datetime]] = field(default_factory=dict)
    states: dict[UUID, RequestState] = field(default_factory=dict)


class Disclosing(RuleBasedStateMachine):
    desk: Desk
    kept: Path | None
    seen: Counter[str]

    @initialize(
        days=st.sampled_from([40, 200]), urgency=st.sampled_from(Urgency), is_given=st.booleans()
    )
    def begin(self, days: int, urgency: Urgency, is_given: bool) -> None:
        put_back(self.desk, self.kept)
        self.is_open, self.is_active = True, True
        self.rules = rules.Rules(FourEyes.PERSONS, 30, None)
        self.histories = []
        for more in (0, 300):
            last = (self.desk.clock.at + timedelta(days=days + more)).date()
            found = self.desk.found(OWNER, ASKER, expires_on=last.isoformat())
            self.histories.append(History(found, datetime.combine(last, time(), UTC)))
        self.last = self._newest_entry()
        for which in (False, True):
            self.ask(which, (SealedPart.VALUE, SealedPart.NOTE), urgency)
        if is_given:
            self.come_to_a_decision(True, DecisionReason.NECESSARY)

    def teardown(self) -> None:
        if not self.is_open:
            self.desk.exchange.publish(OWNER, OPEN_TO_ALL)
        if not self.is_active:
            self._set_status(OrganisationStatus.ACTIVE)

    # What each side does; what the platform refuses has no effect.

    @rule(
        which=st.booleans(),
        parts=PARTS,
        urgency=st.sampled_from([*Urgency, Urgency.NORMAL, Urgency.LIFE]),
    )
    def ask(self, which: bool, parts: tuple[SealedPart, ...], urgency: Urgency) -> None:
        history = self.histories[which]
        before = history.found.request
        if self._try(lambda: history.found.ask(*parts, urgency=urgency)):
            assert self.is_open or urgency is Urgency.LIFE
            assert self.is_active
            assert not history.is_withdrawn
            history.gift = history.proposer = None
        else:
            history.found.request = before

    @rule(which=st.booleans(), verb=st.sampled_from([Found.answer, Found.answer, Found.withdraw]))
    def reply(self, which: bool, verb: Callable[[Found], Any]) -> None:
        self._verb(which, verb)

    @rule(which=st.booleans())
    def question(self, which: bool) -> None:
        self._verb(which, Found.question)

    @rule(
        which=st.booleans(),
        reason=st.sampled_from([DecisionReason.NECESSARY, DecisionReason.LIFE_AT_RISK, None]),
        is_second=st.booleans(),
    )
    def decide(self, which: bool, reason: DecisionReason | None, is_second: bool) -> None:
        history, who = self.histories[which], self._approver(is_second)
        if reason is None:
            nothing = Answer.NOTHING, DecisionReason.TOO_BROAD
            self._verb(which, lambda found: found.decide(*nothing, by=who))
            return
        shown = self._verb(which, lambda found: found.decide(Answer.ALL, reason, by=who))
        if shown is None:
            return
        is_glass = reason is DecisionReason.LIFE_AT_RISK
        assert self.is_active
        assert shown.urgency is Urgency.LIFE or (self.is_open and not is_glass)
        if shown.state is RequestState.PROPOSED:
            history.proposer = who.member[1]
            return
        assert shown.state is RequestState.RELEASED
        assert is_glass or self.rules.four_eyes is FourEyes.NEVER
        self._note_gift(history, who.member[1], None, is_glass=is_glass)

    @rule(which=st.booleans(), agrees=st.sampled_from([True, True, False]), is_second=st.booleans())
    def judge(self, which: bool, agrees: bool, is_second: bool) -> None:
        history = self.histories[which]
        decision = self._newest_decision(history)
        if decision is None:
            return
        who = self._approver(is_second)
        shown = self._verb(which, lambda found: found.judge(decision, agrees=agrees, by=who))
        if shown is None:
            return
        if history.proposer is not None:
            assert who.member[1] != history.proposer
            if agrees:
                self._note_gift(history, history.proposer, who.member[1], is_glass=False)
            history.proposer = None
        else:
            assert history.gift
            assert history.gift.is_glass
            assert who.member[1] != history.gift.by
            history.gift.is_taken_back |= not agrees

    @rule(which=st.booleans(), reason=st.sampled_from([DecisionReason.NECESSARY, None]))
    def come_to_a_decision(self, which: bool, reason: DecisionReason | None) -> None:
        """Both approvers at once, else little would ever be given."""
        self.decide(which, reason, False)  # type: ignore[call-arg]
        self.judge(which, True, True)  # type: ignore[call-arg]

    @rule(which=st.booleans(), check=st.sampled_from(TokenCheck))
    def fetch_and_prove(self, which: bool, check: TokenCheck) -> None:
        found = self.histories[which].found
        if found.request is None:
            return
        for delivery in found.read_asked().deliveries:
            if self._try(partial(found.fetch, delivery.id)):
                is_value = delivery.part is SealedPart.VALUE
                proved = check if is_value else TokenCheck.NOT_CHECKED
                self._try(partial(found.receive, delivery.id, proved))

    @rule(which=st.booleans())
    def meddle(self, which: bool) -> None:
        """Another member may not do anything, and the requester may not decide."""
        found = self.histories[which].found
        if found.request is None:
            return
        stranger, asker = self.desk.caller("customs-nl"), self.desk.caller(ASKER)
        decision = self._newest_decision(self.histories[which])
        nothing = Answer.NOTHING, DecisionReason.TOO_BROAD
        assert not self._try(lambda: found.decide(*nothing, by=stranger))
        if decision is not None:
            assert not self._try(lambda: found.judge(decision, by=stranger))
            assert not self._try(lambda: found.judge(decision, by=asker))

    # What happens around them.

    @rule(by=WAITS, is_worker_there=st.booleans())
    def wait(self, by: timedelta, is_worker_there: bool) -> None:
        self.desk.clock.at += by
        if is_worker_there:
            self.desk.run_duties()
            with self.desk.session() as session:
                indicators.expire(session, self.desk.clock.at.date())

    @rule(which=st.booleans(), what=st.sampled_from(CHANGES))
    def change_the_world(self, which: bool, what: str) -> None:
        if what == "report" and not self.histories[which].is_withdrawn:
            self.histories[which].found.withdraw_report()
            self.histories[which].is_withdrawn = True
        elif what == "policy":
            self.is_open = not self.is_open
            self.desk.exchange.publish(OWNER, OPEN_TO_ALL if self.is_open else CLOSED)
        elif what == "suspension":
            self.is_active = not self.is_active
            self._set_status(OrganisationStatus(["suspended", "active"][self.is_active]))

    @rule(four_eyes=st.sampled_from(FourEyes), days=st.sampled_from([1, 30]))
    def change_the_rules(self, four_eyes: FourEyes, days: int) -> None:
        with self.desk.session() as session:
            owner = self.desk.caller(OWNER)
            self.rules = rules.change(session, owner, four_eyes=four_eyes, delivery_days=days)

    # What must hold at any time.

    @invariant()
    def nothing_leaves_without_what_must_stand_behind_it(self) -> None:
        at = self.desk.clock.at
        for history in self.histories:
            gift, found = history.gift, history.found
            may_leave = (
                gift is not None
                and not gift.is_taken_back
                and not history.is_withdrawn
                and at < min(gift.until, history.ends_at)
                and self.is_active
            )
            for row in self._deliveries(history):
                left = self._leaves(found, row.public_id)
                is_of_gift = may_leave and row.decision_id == self._gift_decision(history)
                assert left == is_of_gift, (found.request, gift, at)
                self.seen["left" if left else "kept back"] += 1
            if gift is not None:
                assert gift.is_glass or gift.second is not None or gift.second != gift.by
                assert gift.by in self._approvers()

    @invariant()
    def what_is_taken_back_is_erased(self) -> None:
        for history in self.histories:
            for row in self._deliveries(history):
                request = self._request(history)
                if request.state not in GIVEN | {RequestState.PROPOSED}:
                    assert row.sealed is None

    @invariant()
    def clocks_only_move_on_and_every_step_is_in_the_table_and_in_the_log(self) -> None:
        told = self._told_since()
        for history in self.histories:
            if history.found.request is None:
                continue
            row = self._request(history)
            due_at, lapses_at = history.clocks.get(row.public_id, (row.due_at, row.lapses_at))
            assert row.due_at >= due_at
            assert row.lapses_at >= lapses_at
            assert row.due_at < row.lapses_at
            history.clocks[row.public_id] = row.due_at, row.lapses_at
            before = history.states.get(row.public_id)
            if before is not row.state:
                assert before is None or is_reachable(before, row.state), (before, row.state)
                acts = {act for act, objects in told if str(row.public_id) in objects}
                assert acts & TOLD_BY[row.state], (before, row.state, acts)
                self.seen[row.state.value] += 1
            history.states[row.public_id] = row.state

    # Below: how it is done.

    def _verb(self, which: bool, verb: Callable[[Found], Any]) -> Any:
        found = self.histories[which].found
        return self._try(lambda: verb(found)) if found.request is not None else None

    def _try(self, verb: Callable[[], Any]) -> Any:
        try:
            return verb()
        except PosternError as error:
            self.seen[error.code] += 1
            return None

    def _approver(self, is_second: bool) -> Caller:
        return self.desk.second(OWNER) if is_second else self.desk.caller(OWNER)

    def _approvers(self) -> set[int]:
        return {self._approver(is_second).member[1] for is_second in (False, True)}

    def _note_gift(self, history: History, by: int, second: int | None, *, is_glass: bool) -> None:
        until = self.desk.clock.at + timedelta(days=self.rules.delivery_days)
        history.gift = Gift(by, second, is_glass, until)
        history.proposer = None

    def _leaves(self, found: Found, delivery: UUID) -> bool:
        """Whether a fetch would give the envelope; it is undone."""
        try:
            with self.desk.session() as session:
                deliveries.fetch(session, self.desk.caller(ASKER), found.id, delivery)
                session.rollback()
        except PosternError:
            return False
        return True

    def _request(self, history: History) -> Any:
        (row,) = self.desk.exchange.rows(
            select(DisclosureRequest).where(DisclosureRequest.public_id == history.found.request)
        )
        return row

    def _deliveries(self, history: History) -> list[Any]:
        if history.found.request is None:
            return []
        request = self._request(history)
        return self.desk.exchange.rows(
            select(Delivery).where(Delivery.request_id == request.id).order_by(Delivery.id)
        )

    def _decisions(self, history: History) -> list[Any]:
        if history.found.request is None:
            return []
        request = self._request(history)
        return self.desk.exchange.rows(
            select(Decision).where(Decision.request_id == request.id).order_by(Decision.id)
        )

    def _newest_decision(self, history: History) -> UUID | None:
        found = self._decisions(history)
        return found[-1].public_id if found else None

    def _gift_decision(self, history: History) -> int | None:
        effective = [
            each for each in self._decisions(history) if each.state is DecisionState.EFFECTIVE
        ]
        return effective[-1].id if effective else None

    def _set_status(self, status: OrganisationStatus) -> None:
        with self.desk.session() as session:
            organisations.set_status(session, CONSOLE, ASKER, status)

    def _newest_entry(self) -> int:
        with self.desk.database.reading() as session:
            return session.scalar(select(func.max(AuditEntry.eid))) or 0

    def _told_since(self) -> list[tuple[str, list[str]]]:
        with self.desk.database.reading() as session:
            rows = session.execute(
                select(AuditEntry.eid, AuditEntry.act, AuditDetail.disc)
                .join(AuditDetail, AuditDetail.eid == AuditEntry.eid)
                .where(AuditEntry.eid > self.last, AuditEntry.act.startswith("disclosure."))
            ).all()
        self.last = max([self.last, *(row[0] for row in rows)])
        return [(row[1], open_disclosures(row[2]).get("objects", [])) for row in rows]


def is_reachable(before: RequestState, after: RequestState) -> bool:
    """Whether a few steps of the table lead from one state to another."""
    reached = {before}
    for _ in range(3):
        reached |= {to for (state, _), to in TRANSITIONS.items() if state in reached}
    return after in reached


def put_back(desk: Desk, kept: Path | None) -> None:
    """The database as it was made, at noon; on PostgreSQL the next example goes on from here."""
    if kept is None:
        with desk.session() as session:
            rules.change(session, desk.caller(OWNER), four_eyes=FourEyes.PERSONS, delivery_days=30)
        return
    desk.clock.at = NOON
    runtime_of(desk.app).part(KnownReasons).clear()
    desk.database.dispose()
    file = Path(str(desk.database.url.database))
    for ending in ("-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)
    shutil.copyfile(kept, file)


def run(desk: Desk, kept: Path | None, count: int) -> Counter[str]:
    seen: Counter[str] = Counter()
    machine = type("OnThisDatabase", (Disclosing,), {"desk": desk, "kept": kept, "seen": seen})
    run_state_machine_as_test(machine, settings=examples(count, steps=30))
    print(dict(sorted(seen.items())))  # noqa: T201 - what was reached, for whoever runs it with -s
    return seen


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_envelope_ever_leaves_without_what_must_stand_behind_it(
    app: Flask, tmp_path: Path
) -> None:
    with open_desk(app) as desk:
        kept = tmp_path / "kept.sqlite3"
        desk.database.dispose()  # the last connection writes everything into the one file
        shutil.copyfile(Path(str(desk.database.url.database)), kept)
        seen = run(desk, kept, 30)
    reached = {state for state in RequestState if seen[state.value]}
    assert RequestState.RELEASED in reached
    assert len(reached - GIVEN - WAITING) > 2
    assert seen["left"]
    assert seen["kept back"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_nor_does_any_on_postgresql(app: Flask) -> None:
    with open_desk(app) as desk:
        seen = run(desk, None, 6)
    assert seen[RequestState.OPEN.value]
    assert seen["left"] + seen["kept back"]
