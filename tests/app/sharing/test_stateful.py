"""Organisations, policies, records and time move at random; no answer may differ from the model's.

The real services answer on both databases. After every question each record is compared, and at
the end of every example each decision that is laid out, now and for what is scheduled.
"""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

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
from sqlalchemy import select, update

from app.access import CONSOLE
from app.indicators import service as indicators
from app.indicators.models import Indicator, Token
from app.lookups import service as lookups
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.sharing import reasons, service, versions, visibility
from app.sharing.classes import ClassAttributes
from app.sharing.engine import CHAIN
from app.sharing.models import Cause
from app.sharing.seats import Member, Seat
from postern.vocabulary import LegalBasis, Purpose, Role
from tests.app.sharing import small_language
from tests.app.sharing.exchange_model import Model, Organisation, Record
from tests.app.sharing.ground import (
    CAST,
    LATECOMER,
    THINGS,
    Entry,
    Ground,
    Thing,
    fitting,
    prepared_ground,
)
from tests.app.sharing.reference import NOTHING, Expected, band_of
from tests.app.sharing.small_language import Asked, Clause, expected, text_of
from tests.app.sharing.truth import wrong_grants
from tests.app.sharing.world import PLAIN
from tests.deeper import examples

CODES = st.sampled_from(list(CAST))
COMMUNITIES = st.sampled_from(small_language.COMMUNITIES)
DURATIONS = st.sampled_from(
    [
        timedelta(milliseconds=400),
        timedelta(seconds=1),
        timedelta(seconds=30),
        timedelta(hours=13),
        timedelta(days=1),
        timedelta(days=7),
        timedelta(days=23),
        timedelta(days=90),
    ]
)
AGES = st.sampled_from([0, 0, 1, 6, 7, 29, 30, 89, 90, 364, 365, 2_000])
LEVEL_OF = {0: "", **{number: level.value for number, level in enumerate(CHAIN, 1)}}


class Exchange(RuleBasedStateMachine):
    ground: Ground
    seen: Counter[str]

    @initialize(everybody=st.booleans(), clauses=small_language.policies(2))
    def begin(self, everybody: bool, clauses: tuple[Clause, ...]) -> None:
        self.ground.put_back()
        self.model = Model(
            {
                code: Organisation(Member(code, sector, country))
                for code, (sector, country) in CAST.items()
            }
        )
        self.inner: dict[Any, int] = {}
        self.steps = 0
        self.clauses: dict[str, tuple[Clause, ...]] = {"": ()}
        self.reports = 0
        # Something to begin with, so that most examples are about more than nothing.
        self.publish("post-be", clauses)
        self.submit("post-be", THINGS[0], PLAIN, 0, 100)
        if everybody:
            for code in CAST:
                self.join(code, small_language.COMMUNITIES[0])

    @property
    def now(self) -> datetime:
        return self.ground.clock.at

    # What changes.

    @precondition(lambda self: LATECOMER[0] not in self.model.organisations)
    @rule()
    def let_the_latecomer_join(self) -> None:
        code, sector, country = LATECOMER
        self.ground.join_cast(code, sector, country)
        self.model.organisations[code] = Organisation(Member(code, sector, country))

    @rule(code=CODES, community=COMMUNITIES)
    def join(self, code: str, community: str) -> None:
        with self.ground.transaction() as session:
            organisations.join(session, CONSOLE, code, community)
        self.model.join(code, community)

    @rule(code=CODES, community=COMMUNITIES)
    def leave(self, code: str, community: str) -> None:
        if community not in self.model.organisations[code].member.communities:
            return
        with self.ground.transaction() as session:
            organisations.leave(session, CONSOLE, code, community)
        self.model.leave(code, community)

    @rule(code=CODES)
    def suspend_or_reactivate(self, code: str) -> None:
        organisation = self.model.organisations[code]
        organisation.is_active = not organisation.is_active
        status = (
            OrganisationStatus.ACTIVE if organisation.is_active else OrganisationStatus.SUSPENDED
        )
        with self.ground.transaction() as session:
            organisations.set_status(session, CONSOLE, code, status)

    @rule(code=CODES, clauses=small_language.policies(3))
    def publish(self, code: str, clauses: tuple[Clause, ...]) -> None:
        self._put_in_force(code, clauses, self.now)

    @rule(code=CODES, clauses=small_language.policies(3), wait=DURATIONS)
    def schedule(self, code: str, clauses: tuple[Clause, ...], wait: timedelta) -> None:
        self._put_in_force(code, clauses, self.now + wait)

    @rule(code=CODES)
    def cancel(self, code: str) -> None:
        waiting = self.model.organisations[code].scheduled(self.now)
        seq = waiting.seq if waiting else len(self.model.organisations[code].versions)
        if not seq:
            return
        with self.ground.transaction() as session:
            if waiting is None:
                with pytest.raises(versions.NotScheduledError):
                    versions.cancel(session, CONSOLE, self.ground.ids[code], seq)
                return
            versions.cancel(session, CONSOLE, self.ground.ids[code], seq)
        waiting.cancelled = True
        self.seen["cancelled"] += 1

    @rule(code=CODES)
    def stop(self, code: str) -> None:
        with self.ground.transaction() as session:
            versions.stop(session, CONSOLE, self.ground.ids[code])
        if waiting := self.model.organisations[code].scheduled(self.now):
            waiting.cancelled = True
        self.model.publish(code, (), self.now, self.now)

    @rule(
        code=CODES,
        thing=st.sampled_from(THINGS),
        attributes=small_language.attributes(),
        age=AGES,
        expires_in=st.sampled_from([1, 2, 30, 100, 365]),
    )
    def submit(
        self, code: str, thing: Thing, attributes: ClassAttributes, age: int, expires_in: int
    ) -> None:
        self.reports += 1
        attributes = fitting(thing, attributes)
        result = self.ground.submit(
            code, f"r{self.reports}", thing, attributes, age=age, expires_in=expires_in
        )
        today = self.now.date()
        (public_id,) = result.indicators
        assert result.id is not None
        self.model.records.append(
            Record(
                public_id,
                result.id,
                code,
                attributes,
                thing.token,
                today - timedelta(days=age),
                today + timedelta(days=expires_in),
            )
        )
        with self.ground.database.reading() as session:
            found = session.scalar(select(Indicator.id).where(Indicator.public_id == public_id))
        assert found is not None
        self.inner[public_id] = found

    @precondition(lambda self: self.model.records)
    @rule(data=st.data(), days=st.integers(1, 40))
    def see_a_record_on_a_day_to_come(self, data: st.DataObject, days: int) -> None:
        """As if it had been sent by a clock that is ahead; the wire does not let it through."""
        record = data.draw(st.sampled_from(self.model.records))
        record.seen = self.now.date() + timedelta(days=days)
        day = (record.seen - datetime(1970, 1, 1).date()).days  # noqa: DTZ001 - a day has no zone
        inner = self.inner[record.public_id]
        with self.ground.transaction() as session:
            session.execute(update(Indicator).where(Indicator.id == inner).values(seen_day=day))
            session.execute(update(Token).where(Token.indicator_id == inner).values(seen_day=day))

    @precondition(lambda self: self.model.records)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        record = data.draw(st.sampled_from(self.model.records))
        with self.ground.transaction() as session:
            caller = self.ground.people[record.owner].caller
            assert indicators.withdraw(session, caller, record.report, "error").erased == 1
        self.model.records.remove(record)

    @rule()
    def sweep(self) -> None:
        """What the sweeps of the night do."""
        with self.ground.transaction() as session:
            assert indicators.expire(session, self.now.date()) == len(self.model.records) - len(
                self.model.live(self.now)
            )
        self.model.records = self.model.live(self.now)

    @rule()
    def refill(self) -> None:
        with self.ground.transaction() as session:
            service.refill(session, CONSOLE)

    @rule(duration=DURATIONS)
    def wait(self, duration: timedelta) -> None:
        self.ground.clock.at += duration

    @precondition(
        lambda self: any(o.scheduled(self.now) for o in self.model.organisations.values())
    )
    @rule(data=st.data())
    def wait_for_what_is_scheduled(self, data: st.DataObject) -> None:
        waiting = [
            version.valid_from
            for each in self.model.organisations.values()
            if (version := each.scheduled(self.now))
        ]
        self._pass_the_second_of(data.draw(st.sampled_from(waiting)))

    @rule(code=CODES, clauses=small_language.policies(2), wait=DURATIONS)
    def schedule_and_wait(self, code: str, clauses: tuple[Clause, ...], wait: timedelta) -> None:
        self._put_in_force(code, clauses, self.now + wait)
        if waiting := self.model.organisations[code].scheduled(self.now):
            self._pass_the_second_of(waiting.valid_from)

    def _pass_the_second_of(self, valid_from: datetime) -> None:
        """Everybody asks in the last second of the one version and in the first of the other."""
        moment = valid_from.replace(microsecond=0)
        for late in (-1, 0):
            self.ground.clock.at = max(self.now, moment + timedelta(seconds=late))
            for code in CAST:
                self.compare(code, Role.ANALYST, _USUAL)
        self.seen["came into force"] += 1

    @precondition(lambda self: self.model.records)
    @rule(data=st.data())
    def wait_for_an_edge(self, data: st.DataObject) -> None:
        """Everybody asks on the last day before a record changes, or ends, and on the first after.

        A record changes on its first day and where one band of age ends.
        """
        record = data.draw(st.sampled_from(self.model.records))
        firsts = [record.seen + timedelta(days=days) for days in (0, 7, 30, 90, 365)]
        ahead = [day for day in (record.expires_on, *firsts) if day > self.now.date()]
        if not ahead:
            return
        first = data.draw(st.sampled_from(ahead))
        for day in (first - timedelta(days=1), first):
            self.ground.clock.at = max(self.now, datetime.combine(day, time.min, UTC))
            for code in CAST:
                self.compare(code, Role.ANALYST, _USUAL)
        self.read_ones_own(record.owner)
        self.count_what_others_see(record.owner)
        self.seen["edges"] += 1

    # What is asked.

    def compare(self, code: str, role: Role, why: tuple[Purpose, LegalBasis]) -> None:
        """Everything by its token, and every list of what is visible."""
        seat = self.model.seat(code, role, *why)
        gets = {r.public_id: self.model.gets(seat, r, self.now) for r in self.model.records}
        with self.ground.transaction() as session:
            profile = service.profile_id(session, self.ground.ids[code], role, *why)
            tokens = [thing.token for thing in THINGS]
            matches = visibility.matching_tokens(session, profile, tokens, self.now)
            decided = reasons.read(session, {match.grant_reason_id for match in matches})
            listed = {
                (least, in_bulk): session.execute(
                    visibility.visible_indicators(profile, self.now, least, in_bulk=in_bulk)
                ).all()
                for least in (0, 1, 2, 3)
                for in_bulk in (False, True)
            }
        found = {
            (match.indicator_id, bytes(match.token), match.level, match.tells_owner)
            for match in matches
        }
        assert len(matches) == len(found)
        assert found == {
            (self.inner[record.public_id], record.token, given.level, given.tells_owner)
            for record in self.model.records
            if (given := gets[record.public_id]) and (given.level or given.tells_owner)
        }
        names = {match.indicator_id: decided[match.grant_reason_id].name for match in matches}
        for record in self.model.records:
            name = names.get(self.inner[record.public_id])
            assert name in {None, self._decided_by(code, record)}
        for (least, in_bulk), rows in listed.items():
            wanted = {
                self.inner[record.public_id]: given.level
                for record in self.model.live(self.now)
                if (given := gets[record.public_id]).level >= max(least, 1)
                and (given.may_feed or not in_bulk)
            }
            assert {row.indicator_id: row.level for row in rows} == wanted
            assert len(rows) == len(wanted)
            self.seen["listed in bulk" if in_bulk else "listed"] += len(rows)
        self.seen.update(
            _kind_of(gets[record.public_id])
            for record in self.model.records
            if record.owner != code
        )

    @rule(
        code=CODES,
        role=st.sampled_from([Role.ANALYST, Role.APPROVER]),
        why=small_language.reasons(),
    )
    def read(self, code: str, role: Role, why: tuple[Purpose, LegalBasis]) -> None:
        self.compare(code, role, why)

    @rule(code=CODES, why=small_language.reasons())
    def ask(self, code: str, why: tuple[Purpose, LegalBasis]) -> None:
        self.look_up(code, why)

    def look_up(self, code: str, why: tuple[Purpose, LegalBasis]) -> None:
        """A lookup of everything through the room of lookups, and whom the log tells of it."""
        caller = self.ground.people[code].caller
        queries = [thing.query(f"q{number}") for number, thing in enumerate(THINGS)]
        last = self.ground.last_entry()
        with self.ground.transaction() as session:
            answer = lookups.ask(
                session, caller, purpose=why[0], legal_basis=why[1], case="C", queries=queries
            )
        seat = self.model.seat(code, Role.ANALYST, *why)
        gets = {r.public_id: self.model.gets(seat, r, self.now) for r in self.model.records}
        self._compare_answer(answer, gets)
        told = self._told(code, gets)
        assert self.ground.entries_since(last) == told
        self.seen["lookups"] += 1
        self.seen["entries"] += len(told)

    @rule(code=CODES)
    def count_what_others_see(self, code: str) -> None:
        with self.ground.transaction() as session:
            counted = service.level_counts(session, self.ground.ids[code], self.now)
        own = [r for r in self.model.live(self.now) if r.owner == code]
        others = {
            viewer: organisation
            for viewer, organisation in self.model.organisations.items()
            if viewer != code and organisation.is_active
        }
        assert [(each.organisation, each.purpose) for each in counted] == [
            (viewer, purpose) for viewer in sorted(others) for purpose in Purpose
        ]
        for each in counted:
            levels = Counter(
                self.model.highest(each.organisation, each.purpose, record, self.now)
                for record in own
            )
            assert (each.presence, each.metadata, each.request) == (levels[1], levels[2], levels[3])
            self.seen["counted"] += each.total

    @rule(code=CODES)
    def read_ones_own(self, code: str) -> None:
        live = [r for r in self.model.live(self.now) if r.owner == code]
        with self.ground.transaction() as session:
            organisation_id = self.ground.ids[code]
            everybodys = [record.public_id for record in self.model.records]
            own = visibility.own_subjects(session, organisation_id, everybodys, self.now)
            counted = visibility.live_by_class(session, organisation_id, self.now)
            shown = [
                shown
                for each in counted
                for shown in visibility.examples(session, each, self.now, most=100)
            ]
            assert sum(each.count for each in counted) == len(shown)
        assert {key: (each.attributes, each.indicator_id) for key, each in own.items()} == {
            r.public_id: (r.attributes, self.inner[r.public_id]) for r in live
        }
        is_active = self.model.organisations[code].is_active
        begun = {r.public_id for r in live if is_active and r.seen <= self.now.date()}
        assert set(shown) == begun
        assert len(shown) == len(begun)

    @rule(code=CODES)
    def read_the_versions(self, code: str) -> None:
        organisation = self.model.organisations[code]
        with self.ground.database.reading() as session:
            organisation_id = self.ground.ids[code]
            history = versions.history(session, organisation_id)
            waiting = versions.scheduled(session, organisation_id, self.now)
        assert [(each.seq, each.text, each.cancelled_at is not None) for each in history] == [
            (each.seq, text_of(each.clauses), each.cancelled)
            for each in reversed(organisation.versions)
        ]
        expected_seq = found.seq if (found := organisation.scheduled(self.now)) else None
        assert (waiting.seq if waiting else None) == expected_seq

    @invariant()
    def two_readers_get_what_the_model_says(self) -> None:
        """After every step, in turn: whoever reads most often, for a reason barred to nobody."""
        self.steps += 1
        self.seen["steps"] += 1
        codes = list(CAST)
        self.compare(codes[self.steps % len(codes)], Role.ANALYST, _USUAL)
        self.look_up(codes[(self.steps + 2) % len(codes)], _USUAL)

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return

        def ruled(
            seat: Seat, owner: Member, text: str, attributes: ClassAttributes, age: int
        ) -> Expected:
            band = band_of(age)
            return expected(self.clauses[text], Asked(seat, owner, attributes, band))

        wrong, looked_at = wrong_grants(self.ground.database, self.now, ruled)
        assert wrong == []
        self.seen["decisions"] += looked_at
        self.seen["examples"] += 1

    def _put_in_force(self, code: str, clauses: tuple[Clause, ...], valid_from: datetime) -> None:
        text = text_of(clauses)
        self.clauses[text] = clauses
        is_taken = self.model.organisations[code].scheduled(self.now) is not None
        with self.ground.transaction() as session:
            organisation_id = self.ground.ids[code]
            if is_taken:
                with pytest.raises(versions.ScheduledPolicyError):
                    versions.put_in_force(session, CONSOLE, organisation_id, text, Cause.CONSOLE)
                return
            versions.put_in_force(
                session, CONSOLE, organisation_id, text, Cause.CONSOLE, valid_from=valid_from
            )
        self.model.publish(code, clauses, self.now, valid_from)
        self.seen["published"] += 1

    def _decided_by(self, reader: str, record: Record) -> str:
        version = self.model.organisations[record.owner].in_force(self.now)
        if reader == record.owner or version is None:
            return "platform"
        return f"{record.owner}/{version.seq}"

    def _compare_answer(self, answer: lookups.Answer, gets: dict[Any, Expected]) -> None:
        """At presence one line for each owner, above it one for each record, and only live ones."""
        for thing, result in zip(THINGS, answer.results, strict=True):
            live = [r for r in self.model.live(self.now) if r.token == thing.token]
            lines = {
                (
                    record.owner,
                    level,
                    str(record.public_id) if level != LEVEL_OF[1] else "",
                )
                for record in live
                if (level := LEVEL_OF[gets[record.public_id].level])
            }
            shown = [
                (
                    hit.organisation.code,
                    hit.level.value,
                    str(hit.indicator["id"]) if hit.indicator else "",
                )
                for hit in result.hits
            ]
            assert sorted(shown) == sorted(lines)

    def _told(self, reader: str, gets: dict[Any, Expected]) -> set[Entry]:
        """The entries of the log by which owners are told."""
        told: dict[tuple[str, str], set[str]] = {}
        for record in self.model.live(self.now):
            given = gets[record.public_id]
            if given.tells_owner and record.owner != reader:
                key = record.owner, LEVEL_OF[given.level]
                told.setdefault(key, set()).add(str(record.public_id))
        entries = set()
        for (owner, level), objects in told.items():
            version = self.model.organisations[owner].in_force(self.now)
            assert version is not None
            act = "indicator.match" if level else "indicator.alert"
            name = f"{owner}/{version.seq}"
            entries.add(Entry(act, owner, level, name, frozenset(objects)))
        return entries


_USUAL = (Purpose.RISK_ANALYSIS, LegalBasis.PUBLIC_TASK)
"""A reason that is barred to nobody."""


def _kind_of(given: Expected) -> str:
    if given == NOTHING:
        return "nothing"
    if not given.level:
        return "owner only"
    return f"level {given.level}" + ("" if given.tells_owner else ", requester only")


def test_no_answer_ever_differs_from_the_model(app: Flask, tmp_path: Path) -> None:
    with prepared_ground(app, tmp_path / "kept.sqlite3") as ground:
        seen: Counter[str] = Counter()
        machine = type("OnThisDatabase", (Exchange,), {"ground": ground, "seen": seen})
        run_state_machine_as_test(machine, settings=examples(50, steps=30))
    print(dict(sorted(seen.items())))  # noqa: T201 - sizes, for whoever runs it with -s
    for each in (
        *("nothing", "owner only", "level 1", "level 2", "level 3", "level 3, requester only"),
        *(
            "listed",
            "listed in bulk",
            "counted",
            "entries",
            "came into force",
            "cancelled",
            "edges",
        ),
    ):
        assert any(seen[name] for name in seen if name.startswith(each)), each
    assert seen["steps"] > 1_000
    assert seen["decisions"] > 3_000
