"""A person's own past lookups, as that person's own entries of the log tell them.

The record of a lookup holds neither case nor kinds; the entry does, and is opened to the
organisation alone. Nobody else's lookups are in it: who reads those is the compliance officer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytz
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.entry import Outcome
from app.audit.reading import Filters, ReadEntry, entries
from app.audit.service import append
from app.clock import moment
from app.zones import zone
from postern.vocabulary import Kind, LegalBasis, Purpose


@dataclass(frozen=True, slots=True)
class PastLookup:
    """`kinds` counts what was looked up; what was erased of the entry since is empty."""

    id: UUID
    asked_at: datetime
    purpose: Purpose
    legal_basis: LegalBasis
    case: str
    kinds: Mapping[Kind, int]
    queries: int
    hits: int


@dataclass(frozen=True, slots=True)
class PastPage:
    """Lookups, newest first; `next` is the cursor of the following page, None on the last."""

    lookups: Sequence[PastLookup]
    next: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of one case, of some days as the reader's clocks count them, both included; None is any."""

    case: str | None = None
    first: date | None = None
    last: date | None = None


def own(
    session: Session, caller: Caller, wanted: Wanted, limit: int, cursor: str | None = None
) -> PastPage:
    """The caller's own lookups, newest first. InvalidRequestError for a cursor of no page."""
    found = entries(
        session,
        caller.organisation,
        Filters(
            act="lookup.ask",
            actor=str(caller.person),
            outcome=Outcome.OK,
            case=wanted.case or None,
            since=_begin(wanted.first),
            until=_begin(_after(wanted.last)),
        ),
        cursor,
        limit,
    )
    lookups = [past for past in map(_past, found.entries) if past is not None]
    append(
        session,
        caller,
        "lookup.list",
        object_type="lookup",
        count=len(lookups),
        case=wanted.case or "",
        details={"listed": [str(each.id) for each in lookups]},
    )
    return PastPage(lookups, found.next)


def _begin(on: date | None) -> datetime | None:
    """The first moment of a day in the reader's zone."""
    if on is None:
        return None
    midnight, there = datetime.combine(on, time.min), zone()
    # A zone of pytz has more than one offset and must be asked which holds on that day.
    if isinstance(there, pytz.BaseTzInfo):
        localised: datetime = there.localize(midnight)
        return localised
    return midnight.replace(tzinfo=there)


def _after(last: date | None) -> date | None:
    return None if last is None or last == date.max else last + timedelta(days=1)


def _past(entry: ReadEntry) -> PastLookup | None:
    """None when what names the lookup was erased from the entry."""
    objects = entry.details.get("objects")
    if not objects:
        return None
    kinds: Any = entry.details.get("query") or {}
    return PastLookup(
        id=UUID(objects[0]),
        asked_at=moment(entry.fields["t"]),
        purpose=Purpose(entry.fields["purpose"]),
        legal_basis=LegalBasis(entry.fields["basis"]),
        case=str(entry.details.get("case", "")),
        kinds={kind: kinds[kind.value] for kind in Kind if kind.value in kinds},
        queries=int(entry.fields["n"]),
        hits=int(entry.details.get("hits") or 0),
    )
