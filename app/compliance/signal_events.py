"""What signals are computed from: an organisation's own entries of the last weeks, made small.

Nothing but the log is read: who (a pseudonym), when, which act, for which case, how many and how
many hits. What was looked up is not in the log, so no signal can know it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session

from app.audit.catalogue import CATALOGUE, Operation
from app.audit.entry import Outcome
from app.audit.models import AuditAudience, AuditDetail, AuditEntry
from app.clock import milliseconds
from postern.audit.record import open_disclosures

DAY = 86_400_000  # milliseconds
HOUR = 3_600_000  # milliseconds
BASELINE = 60  # days before a day, from which what is usual is taken
RECENT = 7  # days that are looked at again each time, today included
MOST_EVENTS = 200_000
"""Of an organisation with more entries in the period, the newest ones; usual is then taken from
fewer days."""

LOOKUP = "lookup.ask"
SIGN_IN = "session.start"
EVALUATED = "evaluation.evaluate"
SCREENED = "evaluation.screen"
SUBMITTED = "report.submit"
LISTS = frozenset({"filter.fetch", "filter.changes"})  # by which a list to screen with is had
COUNTED = frozenset({"pattern.run", "pattern.outcome"})  # what is told of a screening
USES = frozenset(
    {
        LOOKUP,
        SUBMITTED,
        "report.amend",
        "indicator.amend",
        "watch.set",
        "subject.search",
        "exchange.add",
    }
)
"""What evaluated values are used for."""

REFUSED = frozenset({"session.refuse", "token.refuse"})
FOLLOW_UPS = frozenset(name for name, known in CATALOGUE.items() if known.follows_up)

_CONSULTATIONS = frozenset(
    name for name, known in CATALOGUE.items() if known.operation is Operation.CONSULTATION
)
_READ = _CONSULTATIONS | FOLLOW_UPS | REFUSED | LISTS | COUNTED | USES | {SIGN_IN}
_OPENED = FOLLOW_UPS | REFUSED | {LOOKUP, SUBMITTED}  # acts of which the details are needed


@dataclass(frozen=True, slots=True)
class Event:
    """One entry. `count` are its results or objects, `hits` those of a lookup.

    Of a submission `count` are the indicators.

    `objects` are ids of records: of a lookup those that it was shown, none at presence.
    """

    eid: int
    t: int  # milliseconds since 1970
    act: str
    outcome: Outcome = Outcome.OK
    person: UUID | None = None
    case: str = ""
    count: int = 0
    hits: int = 0
    objects: frozenset[str] = frozenset()
    purpose: str = ""

    @property
    def day(self) -> int:
        """Days since 1970 (UTC)."""
        return self.t // DAY


class Picture:
    """The events of an organisation, laid out as the rules ask for them."""

    def __init__(self, events: Iterable[Event], now: datetime) -> None:
        self.events: Sequence[Event] = sorted(events, key=lambda event: (event.t, event.eid))
        self.now = now
        self.today = milliseconds(now) // DAY

    @property
    def recent(self) -> range:
        """The days that are looked at."""
        return range(self.today - RECENT + 1, self.today + 1)

    @cached_property
    def lookups(self) -> Sequence[Event]:
        """Lookups that were done, by whomever."""
        return [each for each in self.events if _is_done(each, LOOKUP)]

    @cached_property
    def lookups_by(self) -> Mapping[UUID, Mapping[int, Sequence[Event]]]:
        """Lookups by person and day."""
        return _by_day(self.lookups)

    @cached_property
    def screened_by(self) -> Mapping[UUID, Mapping[int, Sequence[Event]]]:
        """Bulk evaluations for screening by person and day."""
        return _by_day(each for each in self.events if _is_done(each, SCREENED))

    @cached_property
    def evaluated_by(self) -> Mapping[UUID, Mapping[int, Sequence[Event]]]:
        """Blind evaluations, other than for screening, by person and day."""
        return _by_day(each for each in self.events if _is_done(each, EVALUATED))

    @cached_property
    def consultations_by(self) -> Mapping[UUID, Mapping[int, Sequence[Event]]]:
        """Everything that consults, by person and day."""
        return _by_day(
            each
            for each in self.events
            if each.outcome is Outcome.OK and each.act in _CONSULTATIONS
        )

    @cached_property
    def sign_ins_by(self) -> Mapping[UUID, Mapping[int, Sequence[Event]]]:
        """Sign-ins by person and day."""
        return _by_day(each for each in self.events if _is_done(each, SIGN_IN))


def baseline(
    days: Mapping[int, Sequence[Event]], day: int
) -> Iterator[tuple[int, Sequence[Event]]]:
    """Those of the BASELINE days before `day` on which there was anything."""
    return ((each, days[each]) for each in days if day - BASELINE <= each < day)


def load(session: Session, organisation: str, now: datetime) -> list[Event]:
    """The events of an organisation that the rules need, at most MOST_EVENTS."""
    since = now - timedelta(days=BASELINE + RECENT)
    rows = session.execute(
        select(
            AuditAudience.eid,
            AuditAudience.t.label("at"),
            AuditAudience.act,
            AuditAudience.out,
            AuditEntry.rec,
            AuditDetail.actor,
            AuditDetail.casref,
            AuditDetail.disc,
        )
        .join(AuditEntry, (AuditEntry.eid == AuditAudience.eid) & (AuditEntry.t == AuditAudience.t))
        .outerjoin(
            AuditDetail, (AuditDetail.eid == AuditAudience.eid) & (AuditDetail.t == AuditAudience.t)
        )
        .where(
            AuditAudience.org == organisation,
            AuditAudience.t >= milliseconds(since),
            or_(AuditAudience.act.in_(sorted(_READ)), AuditAudience.out == Outcome.DENIED.value),
            or_(AuditEntry.org == organisation, AuditAudience.act.in_(sorted(REFUSED))),
        )
        .order_by(AuditAudience.t.desc(), AuditAudience.eid.desc())
        .limit(MOST_EVENTS)
    )
    return [_event(row) for row in rows]


def _event(row: Row[*tuple[Any, ...]]) -> Event:
    record = json.loads(bytes(row.rec))
    details = open_disclosures(row.disc) if row.disc and row.act in _OPENED else {}
    hits = details.get("hits", 0)
    objects = list(map(str, details.get("objects", ())))
    return Event(
        eid=row.eid,
        t=row.at,
        act=row.act,
        outcome=Outcome(row.out),
        person=_person(details.get("person") or row.actor),
        case=row.casref or "",
        count=_indicators(details) if row.act == SUBMITTED else record["n"],
        hits=hits if isinstance(hits, int) else 0,
        # The first object of a lookup is the lookup itself.
        objects=frozenset(objects[1:] if row.act == LOOKUP else objects),
        purpose=record["purpose"],
    )


def _indicators(details: Mapping[str, Any]) -> int:
    kinds = details.get("kinds", {})
    return sum(kinds.values()) if isinstance(kinds, dict) else 0


def _person(actor: object) -> UUID | None:
    try:
        return UUID(str(actor))
    except ValueError:
        return None


def _is_done(event: Event, act: str) -> bool:
    return event.act == act and event.outcome is Outcome.OK


def _by_day(events: Iterable[Event]) -> dict[UUID, dict[int, list[Event]]]:
    found: dict[UUID, dict[int, list[Event]]] = {}
    for event in events:
        if event.person is not None:
            found.setdefault(event.person, {}).setdefault(event.day, []).append(event)
    return found
