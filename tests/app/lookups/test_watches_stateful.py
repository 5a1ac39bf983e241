"""Watches, reports, policies, rights and time move at random; who is told what is as in the model.

The model is naive: it goes through all jobs one by one and asks of each record what its reader is
to get, by the policies of tests/app/sharing/small_language.py. The real services run on both
databases, their jobs by the real worker's steps.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

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
from sqlalchemy import delete, insert, select, text

from app.access import CONSOLE
from app.accounts.models import RoleGrant
from app.audit.models import AuditAudience, AuditDetail, AuditEntry
from app.indicators import service as indicators
from app.indicators.telling import Grounds
from app.jobs.draining import drain
from app.jobs.models import Notification, Outbox
from app.lookups import deconfliction, watch_ending, watch_reading, watches
from app.lookups.models import WatchMatch, WatchToken
from app.lookups.watches import Wanted
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.sharing import versions
from app.sharing.classes import ClassAttributes
from app.sharing.engine import CHAIN
from app.sharing.models import Cause
from app.sharing.seats import Member
from postern.audit.record import open_disclosures
from postern.vocabulary import (
    Action,
    Assertion,
    InformationGrade,
    LegalBasis,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    SourceGrade,
    Tlp,
    Told,
)
from tests.app.people import runtime_of
from tests.app.sharing import small_language
from tests.app.sharing.exchange_model import Model, Organisation, Record
from tests.app.sharing.ground import CAST, THINGS, Ground, Thing, fitting, prepared_ground
from tests.app.sharing.reference import Expected
from tests.app.sharing.small_language import Clause, Condition, text_of
from tests.app.sharing.world import PLAIN
from tests.deeper import examples

CODES = st.sampled_from(list(CAST))
WATCHERS = st.sampled_from(["police-de", "customs-nl", "police-de", "customs-nl", *CAST])
SENDERS = st.sampled_from(["post-be", "customs-nl", "post-be", *CAST])
FEW = st.sampled_from([THINGS[0], THINGS[0], THINGS[1]])  # few, so that they meet
COMMUNITY = small_language.COMMUNITIES[0]
_EMPTIED = (
    "watch_match",
    "watch_token",
    "deconfliction",
    "watch",
    "outbox",
    "notification",
    "given",
)

_ANYBODY = Condition("principal", lambda _: True)
_LEVELS = (Action.PRESENCE, Action.METADATA, Action.REQUEST)


def _permit(*actions: Action) -> Clause:
    return Clause(True, actions, _ANYBODY, ())


_UNTOLD = Clause(False, (Action.TELL_OWNER,), _ANYBODY, ())

POLICIES: st.SearchStrategy[tuple[Clause, ...]] = st.one_of(
    st.sampled_from(
        [
            (_permit(*_LEVELS),),
            (_permit(*_LEVELS[:2]),),
            (_permit(Action.PRESENCE),),
            (_permit(Action.PRESENCE),),
            (_permit(Action.ALERT_OWNER),),
            (_permit(*_LEVELS), _UNTOLD),
            (),
        ]
    ),
    small_language.policies(3),
)
"""What usually happens, and anything."""

Why = tuple[Purpose, LegalBasis]
_USUAL = (Purpose.RISK_ANALYSIS, LegalBasis.PUBLIC_TASK)  # barred to nobody
_CRIME = (Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE)
Notice = tuple[str, str, str]
"""Organisation, kind, and what it is about."""


@dataclass(eq=False)
class Waiting:
    """A watch as the model knows it; `told` and `seen` are records."""

    id: UUID
    owner: str
    thing: Thing
    why: Why
    tells: Told
    deconflicts: bool
    tlp: Tlp
    made: date
    expires_on: date
    has_ended: bool = False
    told: list[Record] = field(default_factory=list)
    seen: set[UUID] = field(default_factory=set)

    def is_live(self, at: datetime) -> bool:
        return not self.has_ended and self.expires_on > at.date()

    @property
    def as_record(self) -> Record:
        """What a policy takes it for."""
        attributes = ClassAttributes(
            kind=self.thing.kind,
            role=PartyRole.UNKNOWN,
            tlp=self.tlp,
            handling=frozenset(),
            source_grade=SourceGrade.X,
            information_grade=InformationGrade.FOUR,
            assertion=Assertion.ASSESSMENT,
            permitted_action=PermittedAction.KNOW,
        )
        return Record(
            self.id, self.id, self.owner, attributes, self.thing.token, self.made, self.expires_on
        )


class Watching(RuleBasedStateMachine):
    ground: Ground
    met: Counter[str]

    @initialize(clauses=POLICIES)
    def begin(self, clauses: tuple[Clause, ...]) -> None:
        if not self.ground.database.is_sqlite:
            with self.ground.database.engine.begin() as connection:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
                for table in _EMPTIED:
                    connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - our own names
        self.ground.put_back()
        self.model = Model(
            {
                code: Organisation(Member(code, sector, country))
                for code, (sector, country) in CAST.items()
            }
        )
        self.waiting: list[Waiting] = []
        self.jobs: list[Callable[[], None]] = []  # of the model, in the order of the outbox
        self.notices: list[Notice] = []
        self.entries: set[tuple[str, ...]] = set()
        self.pairs: set[frozenset[UUID]] = set()
        self.analysts = set(CAST)
        self.reports = 0
        self.last = self.ground.last_entry()
        # Something to begin with, so that most examples are about more than nothing.
        for code in CAST:
            self.publish(code, clauses)
        self.set_up("police-de", THINGS[0], _USUAL, Told.BOTH, True, Tlp.AMBER, 30)
        self.submit("post-be", THINGS[0], PLAIN, 0, 100)

    @property
    def now(self) -> datetime:
        return self.ground.clock.at

    def do(self, verb: Callable[..., Any], *given: Any, **more: Any) -> Any:
        with self.ground.transaction() as session:
            return verb(session, *given, **more)

    # What changes.

    @rule(
        code=WATCHERS,
        thing=FEW,
        why=small_language.reasons(),
        tells=st.sampled_from([Told.BOTH, Told.OWNER_ONLY, Told.REQUESTER_ONLY]),
        deconflicts=st.sampled_from([True, True, False]),
        tlp=st.sampled_from([Tlp.AMBER, Tlp.AMBER, Tlp.GREEN, Tlp.RED]),
        days=st.sampled_from([1, 30, 180]),
    )
    def set_up(  # noqa: PLR0917 - as the rule draws them
        self,
        code: str,
        thing: Thing,
        why: Why,
        tells: Told,
        deconflicts: bool,
        tlp: Tlp,
        days: int,
    ) -> None:
        today = self.now.date()
        wanted = Wanted(
            kind=thing.kind,
            epoch=1,
            tokens=[(thing.facet, thing.token)],
            tells=tells,
            deconflicts=deconflicts,
            tlp=tlp,
            expires_on=today + timedelta(days=days),
        )
        caller = self.ground.people[code].caller
        made = self.do(watches.set_up, caller, Grounds(*why, "C-1"), wanted)
        watch = Waiting(
            made.id, code, thing, why, tells, deconflicts, tlp, today, wanted.expires_on
        )
        self.waiting.append(watch)
        if deconflicts:
            self.jobs.append(lambda: self.look(watch))

    @rule(
        thing=FEW,
        why=st.sampled_from([_USUAL, _CRIME]),
        tells=st.sampled_from([Told.BOTH, Told.OWNER_ONLY]),
        clauses=POLICIES,
    )
    def two_watch_for_the_same(
        self, thing: Thing, why: Why, tells: Told, clauses: tuple[Clause, ...]
    ) -> None:
        for code in ("police-de", "customs-nl"):
            self.publish(code, clauses)
            self.set_up(code, thing, why, tells, True, Tlp.AMBER, 30)
        self.work()
        for code in ("police-de", "customs-nl"):
            self.list_own(code)

    @rule(
        code=SENDERS,
        thing=FEW,
        attributes=st.one_of(st.just(PLAIN), small_language.attributes()),
        age=st.sampled_from([0, 0, 6, 29, 90]),
        expires_in=st.sampled_from([1, 100, 365]),
    )
    def submit(
        self, code: str, thing: Thing, attributes: ClassAttributes, age: int, expires_in: int
    ) -> None:
        self.reports += 1
        attributes = fitting(thing, attributes)
        result = self.ground.submit(
            code, f"r{self.reports}", thing, attributes, age=age, expires_in=expires_in
        )
        assert result.id is not None
        today = self.now.date()
        record = Record(
            result.indicators[0],
            result.id,
            code,
            attributes,
            thing.token,
            today - timedelta(days=age),
            today + timedelta(days=expires_in),
        )
        self.model.records.append(record)
        for watch in self.waiting:
            if watch.thing is thing and watch.is_live(self.now):
                self.jobs.append(lambda watch=watch: self.tell(watch, record))  # type: ignore[misc]

    @rule(codes=st.lists(SENDERS, min_size=2, max_size=4), thing=FEW)
    def submit_some_and_work(self, codes: list[str], thing: Thing) -> None:
        for code in codes:
            self.submit(code, thing, PLAIN, 0, 100)
        self.work()
        for watch in self.waiting[-3:]:
            self.look_at(watch)

    @precondition(lambda self: self.model.records)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        record = data.draw(st.sampled_from(self.model.records))
        caller = self.ground.people[record.owner].caller
        self.do(indicators.withdraw, caller, record.report, "error")
        self.model.records.remove(record)

    @rule(code=CODES, clauses=POLICIES)
    def publish(self, code: str, clauses: tuple[Clause, ...]) -> None:
        self.do(
            versions.put_in_force,
            CONSOLE,
            self.ground.ids[code],
            text_of(clauses),
            Cause.CONSOLE,
            valid_from=self.now,
        )
        self.model.publish(code, clauses, self.now, self.now)

    @rule(code=CODES)
    def suspend_or_reactivate(self, code: str) -> None:
        """At most one at a time, so that most examples go on."""
        suspended = [key for key, each in self.model.organisations.items() if not each.is_active]
        code = (*suspended, code)[0]
        organisation = self.model.organisations[code]
        organisation.is_active = not organisation.is_active
        status = (
            OrganisationStatus.ACTIVE if organisation.is_active else OrganisationStatus.SUSPENDED
        )
        self.do(organisations.set_status, CONSOLE, code, status)

    @rule(code=CODES)
    def join_or_leave(self, code: str) -> None:
        if COMMUNITY in self.model.organisations[code].member.communities:
            self.do(organisations.leave, CONSOLE, code, COMMUNITY)
            self.model.leave(code, COMMUNITY)
        else:
            self.do(organisations.join, CONSOLE, code, COMMUNITY)
            self.model.join(code, COMMUNITY)

    @rule(code=CODES)
    def grant_or_revoke(self, code: str) -> None:
        """The role of the only person who sets watches; of one organisation at a time."""
        code = (*sorted(CAST.keys() - self.analysts), code)[0]
        row = {"person_id": self.ground.people[code].person_id, "role": Role.ANALYST}
        if code in self.analysts:
            gone = delete(RoleGrant).filter_by(**row)
            self.do(lambda session: session.execute(gone))
        else:
            back = insert(RoleGrant).values(granted_at=self.now, **row)
            self.do(lambda session: session.execute(back))
        self.analysts ^= {code}

    @rule(code=WATCHERS, thing=FEW)
    def lose_the_right_before_it_is_told(self, code: str, thing: Thing) -> None:
        self.submit("post-be", thing, PLAIN, 0, 100)
        self.grant_or_revoke(code)
        self.work()
        self.grant_or_revoke(code)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def stop(self, data: st.DataObject) -> None:
        watch = data.draw(st.sampled_from(self.waiting))
        self.do(watch_ending.stop, self.ground.people[watch.owner].caller, watch.id)
        watch.has_ended = True

    @rule(days=st.sampled_from([0, 0, 1, 7, 30]))
    def wait(self, days: int) -> None:
        self.ground.clock.at += timedelta(days=days, minutes=1)

    @rule()
    def sweep(self) -> None:
        today = self.now.date()
        over = [w for w in self.waiting if not w.has_ended and w.expires_on <= today]
        assert self.do(watch_ending.expire, today) == len(over)
        for watch in over:
            watch.has_ended = True
        without = [w for w in self.waiting if w.is_live(self.now) and w.owner not in self.analysts]
        assert self.do(watch_ending.end_without_right, today) == len(without)
        for code in sorted({watch.owner for watch in without}):
            self.notices.append((code, "watch.ended", ""))
        for watch in without:
            watch.has_ended = True
        self.do(indicators.expire, today)
        self.model.records = self.model.live(self.now)

    # What follows.

    @rule()
    def work(self) -> None:
        """All jobs that wait, and what everybody was told by them."""
        with self.ground.app.app_context():
            drain(runtime_of(self.ground.app))
        for job in self.jobs:
            job()
        self.jobs.clear()
        self.compare()

    def tell(self, watch: Waiting, record: Record) -> None:
        """The job of a match."""
        organisation = self.model.organisations[watch.owner]
        if record not in self.model.records or not watch.is_live(self.now):
            return
        if not organisation.is_active:
            return
        if watch.owner not in self.analysts:
            watch.has_ended = True
            self.notices.append((watch.owner, "watch.ended", ""))
            self.met["ended in a job"] += 1
            return
        given = self.given(watch, record)
        tells_requester = given.level >= 1 and watch.tells is not Told.OWNER_ONLY
        tells_owner = (
            given.tells_owner
            and record.owner != watch.owner
            and watch.tells is not Told.REQUESTER_ONLY
        )
        indicator = str(record.public_id)
        if tells_requester:
            if given.level == 1 and any(
                self.given(watch, each).level == 1
                for each in watch.told
                if each.owner == record.owner
            ):
                watch.seen.add(record.public_id)
                self.met["one more presence"] += 1
            else:
                self.notices.append((watch.owner, "watch.matched", str(watch.id)))
                about = "" if given.level == 1 else indicator
                level = CHAIN[given.level - 1].value
                self.entries.add(("watch.match", watch.owner, level, str(watch.id), about))
                self.met[f"told, level {given.level}"] += 1
            watch.told.append(record)
        if tells_owner:
            act, level = "indicator.alert", ""
            if tells_requester:
                act, level = "watch.match", CHAIN[given.level - 1].value
            self.notices.append((record.owner, "indicator.watched", indicator))
            self.entries.add((act, record.owner, level, indicator, watch.owner))
            self.met[f"owner by {act}"] += 1
        if not tells_requester and not tells_owner:
            self.met["nobody"] += 1

    def given(self, watch: Waiting, record: Record) -> Expected:
        """What the one who waits is to get of a record now."""
        seat = self.model.seat(watch.owner, Role.ANALYST, *watch.why)
        if record.expires_on <= self.now.date():
            return Expected(0)
        if record not in self.model.records and record.public_id != record.report:
            return Expected(0)  # gone; what stands for a watch is its own report
        return self.model.gets(seat, record, self.now)

    def look(self, watch: Waiting) -> None:
        """The job of a watch whose owner may be known to others."""
        if not self.may_act(watch):
            return
        for other in self.waiting:
            pair = frozenset({watch.id, other.id})
            if (
                other.owner != watch.owner
                and other.thing is watch.thing
                and other.deconflicts
                and self.may_act(other)
                and pair not in self.pairs
                and self.may_know(watch, other)
                and self.may_know(other, watch)
            ):
                self.pairs.add(pair)
                self.notices.append((watch.owner, "deconfliction.found", str(watch.id)))
                self.notices.append((other.owner, "deconfliction.found", str(other.id)))
                self.met["deconflicted"] += 1

    def may_act(self, watch: Waiting) -> bool:
        is_active = self.model.organisations[watch.owner].is_active
        return watch.is_live(self.now) and is_active and watch.owner in self.analysts

    def may_know(self, reader: Waiting, owner: Waiting) -> bool:
        seat = self.model.seat(reader.owner, Role.ANALYST, *reader.why)
        return self.model.gets(seat, owner.as_record, self.now).level >= 1

    # What is compared.

    def compare(self) -> None:
        codes = {self.ground.ids[code]: code for code in CAST}
        with self.ground.database.reading() as session:
            rows = session.scalars(select(Notification)).all()
            left = session.scalars(select(WatchMatch.judged_at)).all()
            waits = session.scalars(select(Outbox.state).where(Outbox.state != "done")).all()
            tokens = set(session.scalars(select(WatchToken.watch_id)))
        assert Counter(
            (codes[row.organisation_id], row.kind, _about(row.kind, row.facts)) for row in rows
        ) == Counter(self.notices)
        assert None not in left
        assert list(waits) == []
        assert len(tokens) == sum(not watch.has_ended for watch in self.waiting)
        assert self.logged() == self.entries
        self.met["compared"] += 1

    def logged(self) -> set[tuple[str, ...]]:
        with self.ground.database.reading() as session:
            rows = session.execute(
                select(AuditEntry.act, AuditDetail.disc, AuditAudience.org)
                .join(AuditDetail, AuditDetail.eid == AuditEntry.eid)
                .join(AuditAudience, AuditAudience.eid == AuditEntry.eid)
                .where(
                    AuditEntry.eid > self.last,
                    AuditEntry.act.in_(["watch.match", "indicator.alert"]),
                )
            ).all()
        found: set[tuple[str, ...]] = set()
        for act, disclosed, code in rows:
            told = open_disclosures(disclosed)
            subject, about = (*told["objects"], "")[:2]
            level = told.get("level", "")
            found.add((act, code, level, subject, told.get("viewer", about)))
        return found

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        """One watch, as its organisation reads it now."""
        self.look_at(data.draw(st.sampled_from(self.waiting)))

    def look_at(self, watch: Waiting) -> None:
        caller = self.ground.people[watch.owner].caller
        reading = self.do(watch_reading.read_own, caller, watch.id)
        visible = [(each, self.given(watch, each).level) for each in watch.told]
        lines = {
            (each.owner, CHAIN[level - 1].value, str(each.public_id) if level > 1 else "")
            for each, level in visible
            if level
        }
        shown = [
            (
                match.organisation.code,
                match.level.value,
                str(match.indicator["id"]) if match.indicator else "",
            )
            for match in reading.matches
        ]
        assert sorted(shown) == sorted(lines)
        watch.seen |= {each.public_id for each, level in visible if level}
        self.met["lines"] += len(lines)

    @rule(code=CODES)
    def list_own(self, code: str) -> None:
        caller = self.ground.people[code].caller
        page = self.do(watches.list_own, caller, limit=100)
        own = [watch for watch in reversed(self.waiting) if watch.owner == code]
        assert [(each.kept.id, each.is_live, each.has_news) for each in page.watches] == [
            (watch.id, watch.is_live(self.now), self.has_news(watch)) for watch in own
        ]
        shared = self.do(deconfliction.list_own, caller)
        assert {(each.watch, each.organisation.code) for each in shared} == {
            (mine.id, other.owner)
            for pair in self.pairs
            for mine, other in self.both_ways(pair)
            if mine.owner == code
            and mine.is_live(self.now)
            and self.may_know(mine, other)
            and self.may_know(other, mine)
        }
        self.met["listed deconflictions"] += len(shared)

    def has_news(self, watch: Waiting) -> bool:
        return any(
            each.public_id not in watch.seen and self.given(watch, each).level
            for each in watch.told
        )

    def both_ways(self, pair: frozenset[UUID]) -> list[tuple[Waiting, Waiting]]:
        one, other = (watch for watch in self.waiting if watch.id in pair)
        return [(one, other), (other, one)]

    @invariant()
    def nobody_is_told_before_the_work_is_done(self) -> None:
        with self.ground.database.reading() as session:
            told = session.scalars(select(Notification.kind)).all()
        assert Counter(told) == Counter(kind for _, kind, _ in self.notices)
        self.met["steps"] += 1

    def teardown(self) -> None:
        if hasattr(self, "model"):
            self.work()


def _about(kind: str, facts: dict[str, Any]) -> str:
    if kind == "watch.ended":
        return ""
    return str(facts["indicator" if kind == "indicator.watched" else "watch"])


def test_who_is_told_what_never_differs_from_the_model(app: Flask, tmp_path: Path) -> None:
    with prepared_ground(app, tmp_path / "kept.sqlite3") as ground:
        met: Counter[str] = Counter()
        machine = type("OnThisDatabase", (Watching,), {"ground": ground, "met": met})
        run_state_machine_as_test(machine, settings=examples(12, steps=25))
    print(dict(sorted(met.items())))  # noqa: T201 - sizes, for whoever runs it with -s
    for each in (
        *("nobody", "told, level 1", "told, level 2", "told, level 3", "one more presence"),
        *("owner by watch.match", "owner by indicator.alert", "ended in a job"),
        *("deconflicted", "listed deconflictions", "lines"),
    ):
        assert met[each], each
    assert met["compared"] > 20
