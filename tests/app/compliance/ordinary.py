"""An ordinary office, made up with a seed: what its log would hold, and nobody does anything wrong.

Twenty people look things up on weekdays at their own hours, some work late now and then or on a
Saturday, one is a program that screens evenly all day, and cases come back. How many signals such
an office gets is what docs/reviews.md states: `python -m tests.app.compliance.ordinary 365`.
"""

import random
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.audit.entry import Outcome
from app.clock import milliseconds
from app.compliance.models import Signal
from app.compliance.signal_events import BASELINE, DAY, HOUR, RECENT, Event, Picture
from app.compliance.signal_rules import Found, found_in

PEOPLE = 20
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday

_HIT_RATE = 0.06
_FOLLOWED_RATE = 0.7  # of lookups with a hit
_CASE_COMES_BACK = 0.65
_WORKS_LATE = 0.03  # of days
_WORKS_ON_SATURDAY = 0.02
_ABSENT = 0.15  # leave, training, illness


class Office:
    """Makes the events of one day after another."""

    def __init__(self, seed: int, people: int = PEOPLE) -> None:
        self.random = random.Random(seed)  # noqa: S311 - made-up figures, the same each time
        self.people = [UUID(int=number + 1) for number in range(people)]
        self.begins = {person: self.random.choice((6, 7, 7, 8, 8, 9)) for person in self.people}
        self.pace = {person: self.random.choice((4, 8, 12, 20, 30)) for person in self.people}
        self.program = self.people[-1]
        self._eid = 0
        self._cases: list[str] = []
        self._records = [f"record {number}" for number in range(400)]

    def day(self, day: datetime) -> Iterator[Event]:
        """What is logged on a day; follow-ups may come some days later."""
        weekday = day.weekday()
        for person in self.people:
            if person == self.program:
                yield from self._screening(day)
            elif weekday < 5 and self.random.random() > _ABSENT:
                hours = self.begins[person], self.begins[person] + 9
                yield from self._work(person, day, hours, self.pace[person])
                if self.random.random() < _WORKS_LATE:
                    yield from self._work(person, day, (18, 21), 4)
            elif weekday == 5 and self.random.random() < _WORKS_ON_SATURDAY:
                yield from self._work(person, day, (9, 13), 5)

    def _work(
        self, person: UUID, day: datetime, hours: tuple[int, int], pace: int
    ) -> Iterator[Event]:
        begin = milliseconds(day) + hours[0] * HOUR
        yield self._event(begin, "session.start", person)
        length = (hours[1] - hours[0]) * HOUR
        for _ in range(max(1, int(self.random.gauss(pace, pace / 3)))):
            at = begin + self.random.randrange(length)
            count = self.random.choice((1, 1, 1, 2, 3, 10))
            yield from self._lookup(person, at, count)
        if self.random.random() < 0.05:
            yield self._event(begin + length // 2, "policy.read", person, outcome="denied")
        if self.random.random() < 0.1:
            yield self._event(begin, "session.refuse", person, outcome="denied")

    def _screening(self, day: datetime) -> Iterator[Event]:
        """A program: one item a minute through the night shift, every day, weekends too."""
        begin = milliseconds(day)
        for minute in range(300):
            at = begin + minute * 60_000 + self.random.randrange(2000)
            yield from self._lookup(self.program, at, 1, case=f"shift {day.date()}")

    def _lookup(self, person: UUID, at: int, count: int, case: str = "") -> Iterator[Event]:
        hits = sum(self.random.random() < _HIT_RATE for _ in range(count))
        case = case or self._case(at)
        records = frozenset(self.random.choices(self._records, k=hits))
        yield self._event(at, "lookup.ask", person, case, count=count, hits=hits, records=records)
        if hits and self.random.random() < _FOLLOWED_RATE:
            later = at + self.random.randrange(10 * DAY)
            yield self._event(later, "indicator.read", person, case, count=1)

    def _case(self, at: int) -> str:
        if self._cases and self.random.random() < _CASE_COMES_BACK:
            return self.random.choice(self._cases[-300:])
        self._cases.append(f"PV-{at}-{len(self._cases)}")
        return self._cases[-1]

    def _event(
        self,
        at: int,
        act: str,
        person: UUID,
        case: str = "",
        *,
        outcome: str = "ok",
        count: int = 1,
        hits: int = 0,
        records: frozenset[str] = frozenset(),
    ) -> Event:
        self._eid += 1
        return Event(self._eid, at, act, Outcome(outcome), person, case, count, hits, records)


def told(seed: int, days: int, people: int = PEOPLE) -> list[Found]:
    """The signals of an ordinary office in `days` days, each once, after enough days before.

    It is looked at once a week, which finds the same as every hour, since a week is looked back.
    """
    office = Office(seed, people)
    before = BASELINE + RECENT
    events: list[Event] = []
    found: dict[tuple[Signal, str], Found] = {}
    for number in range(before + days):
        day = BEGIN + timedelta(days=number)
        events += office.day(day)
        if number >= before and (number - before) % RECENT == RECENT - 1:
            begin = milliseconds(day) - before * DAY
            now = day + timedelta(hours=23, minutes=59)
            events = [each for each in events if each.t >= begin]
            seen = (each for each in events if each.t <= milliseconds(now))
            for each in found_in(Picture(seen, now)):
                if each.until >= milliseconds(BEGIN) + before * DAY:
                    found.setdefault((each.signal, each.about), each)
    return list(found.values())


def main() -> None:
    """Count the signals of an ordinary office by rule, over so many days (default 30)."""
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    for seed in range(int(sys.argv[2]) if len(sys.argv) > 2 else 1):
        signals = told(seed, days)
        counts = Counter(each.signal.value for each in signals)
        sys.stdout.write(f"seed {seed}, {days} days: {len(signals)} {dict(counts)}\n")
        for each in signals:
            sys.stdout.write(f"  {each.signal.value} {each.about} {dict(each.facts)}\n")


if __name__ == "__main__":
    main()
