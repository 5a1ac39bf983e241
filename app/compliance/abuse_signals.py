"""What counters and digests show of guessing: neighbours tried in turn, and limits nearly reached.

Which values were asked for is unknown here too. The digests tell only whether two questions of a
day have a part in common: the place (postcode and house number), the whole name, or the house
number with its digits in order. Where the numbers of one street are gone through, 12 and 21, 13 and
31 share the last and differ in the first, which hardly ever happens otherwise.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import PersonAccount
from app.clock import milliseconds
from app.compliance.models import Signal
from app.compliance.signal_events import DAY, EVALUATED, LOOKUP, Event
from app.compliance.signal_rules import MOST_SHOWN, Found
from app.config import AbuseSettings
from app.lookups import value_budget
from app.lookups.budget_models import ValueSeen
from app.lookups.value_budget import UsedValues
from app.pseudonyms import quota
from app.pseudonyms.models import Window
from app.pseudonyms.quota import WHOLE_ORGANISATION, Used
from app.runtime import runtime

QUOTA_PERCENT = 80  # of a budget, above which it is told
STEADY_LOOKED_BACK = timedelta(days=14)

_ONE_DAY = timedelta(days=1)
_MANY = 2  # people who ask together


@dataclass(frozen=True, slots=True)
class Asked:
    """One value of a person on a day, as digests; None where it has no such part."""

    person: int
    place: bytes | None
    named: bytes | None
    turned: bytes | None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What some people asked for together: `count` of `what`."""

    what: str
    count: int
    people: frozenset[int]


def found_by_counting(
    session: Session, organisation_id: int, events: Sequence[Event], now: datetime
) -> list[Found]:
    """The signals that do not stand in the log, of one organisation."""
    accounts = select(PersonAccount.id, PersonAccount.public_id).where(
        PersonAccount.organisation_id == organisation_id
    )
    people = {row.id: row.public_id for row in session.execute(accounts)}
    counted = _Counted(people, events, now, runtime().settings.abuse)
    return [
        *_neighbours(session, organisation_id, counted),
        *_budgets(session, organisation_id, counted),
        *_steady_hours(session, organisation_id, counted),
    ]


def together(asked: Iterable[Asked], thresholds: AbuseSettings) -> list[Neighbours]:
    """What of a day reaches a threshold: of one person, or else of several colleagues.

    `pairs`: places that share the digits of a house number and differ in their order; `places`:
    places of one name; `names`: names at one place.
    """
    rows = list(asked)
    by_person: dict[int, list[Asked]] = {}
    for each in rows:
        by_person.setdefault(each.person, []).append(each)
    found: list[Neighbours] = []
    for limit, what, counting in (
        (thresholds.neighbour_pairs, "pairs", _pairs),
        (thresholds.name_places, "places", _places),
        (thresholds.place_names, "names", _names),
    ):
        alone = [
            Neighbours(what, count, frozenset({person}))
            for person, theirs in by_person.items()
            for count, _ in (counting(theirs),)
            if count >= limit
        ]
        found += alone
        count, people = counting(rows)
        if not alone and count >= limit and len(people) >= _MANY:
            found.append(Neighbours(what, count, people))
    return found


@dataclass(frozen=True)
class _Counted:
    """What every finding here needs: who is who, the events, the moment, the thresholds."""

    people: Mapping[int, UUID]
    events: Sequence[Event]
    now: datetime
    thresholds: AbuseSettings

    def shown(
        self, act: str, persons: Iterable[UUID | None], since: int, until: int
    ) -> list[Event]:
        """The latest entries of an act between two moments (milliseconds), of these or of all."""
        wanted = set(persons)
        seen = [
            each
            for each in self.events
            if each.act == act
            and since <= each.t < until
            and (None in wanted or each.person in wanted)
        ]
        return sorted(seen, key=lambda each: (each.t, each.eid))[-MOST_SHOWN:]


def _neighbours(session: Session, organisation_id: int, counted: _Counted) -> Iterator[Found]:
    rows = session.execute(
        select(
            ValueSeen.day, ValueSeen.person_id, ValueSeen.place, ValueSeen.named, ValueSeen.turned
        ).where(
            ValueSeen.organisation_id == organisation_id,
            ValueSeen.person_id != WHOLE_ORGANISATION,
            ValueSeen.place.is_not(None),
        )
    )
    by_day: dict[date, list[Asked]] = {}
    for day, person, place, named, turned in rows:
        by_day.setdefault(day, []).append(Asked(person, place, named, turned))
    limits = {
        "pairs": counted.thresholds.neighbour_pairs,
        "places": counted.thresholds.name_places,
        "names": counted.thresholds.place_names,
    }
    for day, asked_on in sorted(by_day.items()):
        begins = milliseconds(datetime.combine(day, time(), UTC))
        for each in together(asked_on, counted.thresholds):
            persons = sorted(counted.people[one] for one in each.people if one in counted.people)
            alone = persons[0] if len(each.people) == 1 and persons else None
            latest = counted.shown(LOOKUP, persons, begins, begins + DAY)
            yield Found(
                Signal.NEIGHBOURS,
                f"{each.what}/{alone or 'colleagues'}/{day.isoformat()}",
                alone,
                begins,
                latest[-1].t if latest else begins,
                {
                    "what": each.what,
                    "count": each.count,
                    "colleagues": len(each.people),
                    "values": sum(row.person in each.people for row in asked_on),
                    "limit": limits[each.what],
                },
                [event.eid for event in latest],
            )


def _pairs(asked: Sequence[Asked]) -> tuple[int, frozenset[int]]:
    """Places beyond the first of each group that shares its digits; who asked for these groups."""
    groups: dict[bytes, list[Asked]] = {}
    for each in asked:
        if each.turned is not None and each.place is not None:
            groups.setdefault(each.turned, []).append(each)
    places = {key: {each.place for each in group} for key, group in groups.items()}
    several = [groups[key] for key, found in places.items() if len(found) > 1]
    count = sum(len({each.place for each in group}) - 1 for group in several)
    return count, frozenset(each.person for group in several for each in group)


def _places(asked: Sequence[Asked]) -> tuple[int, frozenset[int]]:
    return _largest((each.named, each.place, each.person) for each in asked)


def _names(asked: Sequence[Asked]) -> tuple[int, frozenset[int]]:
    return _largest((each.place, each.named, each.person) for each in asked)


def _largest(
    asked: Iterable[tuple[bytes | None, bytes | None, int]],
) -> tuple[int, frozenset[int]]:
    """The most different second parts that one first part has, and who asked for these."""
    groups: dict[bytes, dict[bytes, set[int]]] = {}
    for first, second, person in asked:
        if first is not None and second is not None:
            groups.setdefault(first, {}).setdefault(second, set()).add(person)
    if not groups:
        return 0, frozenset()
    largest = max(groups.values(), key=len)
    return len(largest), frozenset().union(*largest.values())


def _budgets(session: Session, organisation_id: int, counted: _Counted) -> Iterator[Found]:
    """Budgets of different values nearly used, or nearly used on many days."""
    since = counted.now - STEADY_LOOKED_BACK
    settings = runtime().settings
    used = value_budget.used_since(session, settings, organisation_id, since)
    for each in used:
        if each.ends > counted.now - _ONE_DAY and each.used * 100 > each.limit * QUOTA_PERCENT:
            yield _nearly_spent(each, counted)
    by_who: dict[tuple[int, str], list[UsedValues]] = {}
    for each in used:
        is_high = each.used * 100 > each.limit * counted.thresholds.steady_percent
        if each.window is Window.DAY and is_high:
            by_who.setdefault((each.person_id, each.kind.value), []).append(each)
    for days in by_who.values():
        if len(days) >= counted.thresholds.steady_days:
            yield _steady(days, LOOKUP, f"{days[-1].begins:%Y-%m}", counted)


def _steady_hours(session: Session, organisation_id: int, counted: _Counted) -> Iterator[Found]:
    """Evaluations just under the limit of an hour, in many hours of one day."""
    percent = counted.thresholds.steady_percent
    used = quota.used_above(
        session, runtime().settings.quota, organisation_id, percent, counted.now - _ONE_DAY
    )
    by_day: dict[tuple[int, str, str], list[Used]] = {}
    for each in sorted(used, key=lambda one: one.begins):
        if each.window is Window.HOUR:
            key = (each.person_id, each.kind.value, f"{each.begins:%Y-%m-%d}")
            by_day.setdefault(key, []).append(each)
    for (_person, _kind, day), hours in by_day.items():
        if len(hours) >= counted.thresholds.steady_hours:
            yield _steady(hours, EVALUATED, day, counted)


def _nearly_spent(used: UsedValues, counted: _Counted) -> Found:
    person = counted.people.get(used.person_id)
    begins, ends = milliseconds(used.begins), milliseconds(used.ends)
    latest = counted.shown(LOOKUP, [person], begins, ends)
    who = used.person_id or "all"
    return Found(
        Signal.QUOTA,
        f"values/{who}/{used.kind.value}/{used.window.value}/{used.begins.isoformat()}",
        person,
        begins,
        latest[-1].t if latest else begins,
        {
            "used": used.used,
            "limit": used.limit,
            "percent": used.used * 100 // used.limit,
            "kind": used.kind.value,
            "window": f"values-{used.window.value}",
        },
        [event.eid for event in latest],
    )


def _steady(
    windows: Sequence[Used] | Sequence[UsedValues], act: str, period: str, counted: _Counted
) -> Found:
    person_id, kind = windows[0].person_id, windows[0].kind.value
    person = counted.people.get(person_id)
    begins, ends = milliseconds(windows[0].begins), milliseconds(windows[-1].ends)
    latest = counted.shown(act, [person], begins, ends)
    facts: dict[str, Any] = {
        "what": "hours" if act == EVALUATED else "days",
        "count": len(windows),
        "used": sum(each.used for each in windows),
        "limit": windows[-1].limit,
        "percent": counted.thresholds.steady_percent,
        "kind": kind,
    }
    return Found(
        Signal.STEADY,
        f"{facts['what']}/{person_id or 'all'}/{kind}/{period}",
        person,
        begins,
        latest[-1].t if latest else begins,
        facts,
        [event.eid for event in latest],
    )
