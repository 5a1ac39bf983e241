"""Reading the log: what an organisation may see of it, newest first, page by page.

An organisation reads the entries whose audience names it, and no others. Records come back as the
bytes that were hashed; details are the openings that have not been erased.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    func,
    or_,
    select,
    tuple_,
    union,
)
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.catalogue import CATALOGUE, Operation
from app.audit.entry import Outcome
from app.audit.models import AuditAudience, AuditDetail, AuditEntry, AuditObject, AuditSeq
from app.audit.service import append, object_key, refusal_name, searched_case
from app.audit.words import Meaning, Words
from app.clock import milliseconds
from app.database import among_pairs
from app.errors import InvalidRequestError
from postern.audit.record import disclosure_digest, open_disclosures
from postern.base64url import from_base64url, to_base64url
from postern.vocabulary import LegalBasis, Purpose

LARGEST_PAGE = 200
DEFAULT_PAGE = 50


@dataclass(frozen=True)
class Filters:
    """What is asked for; None means any. `since` is included in the period, `until` is not.

    `actor` acted; `person` acted or was acted upon; `object` is one of the ids that the entry
    names; `organisation` acted; of `words` each must fit one of the entry's codes.
    """

    act: str | None = None
    operation: Operation | None = None
    actor: str | None = None
    person: str | None = None
    case: str | None = None
    object: str | None = None
    purpose: Purpose | None = None
    basis: LegalBasis | None = None
    outcome: Outcome | None = None
    organisation: str | None = None
    words: Words | None = None
    since: datetime | None = None
    until: datetime | None = None

    def told(self) -> dict[str, str]:
        """The filters in use, as the entry of the reading itself tells them."""
        used = {name: value for name, value in vars(self).items() if value is not None}
        return {name: _told(value) for name, value in used.items()}


@dataclass(frozen=True)
class ReadEntry:
    """One entry as it is shown: `record` and `leaf` are the stored bytes.

    `is_intact` tells that the leaf fixes this record and the record each of the disclosures; it
    does not tell that nobody replaced all three, for which the tree is needed. `place` is the
    entry's index in the tree, None while it waits for one.
    """

    record: bytes
    fields: Mapping[str, Any]
    details: Mapping[str, Any]
    disclosures: tuple[str, ...]
    leaf: bytes
    place: int | None
    is_intact: bool

    @property
    def operation(self) -> Operation:
        """The operation of LED Art. 25 to which the act belongs."""
        return CATALOGUE[self.fields["act"]].operation


@dataclass(frozen=True)
class Page:
    """Entries in the order asked for, and the cursor of the next page, None after the last."""

    entries: tuple[ReadEntry, ...]
    next: str | None


def read(
    session: Session,
    caller: Caller,
    filters: Filters,
    cursor: str | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page:
    """A page of the caller's organisation's log; the reading is appended to that log itself.

    InvalidRequestError when the cursor was not given by an earlier page.
    """
    page = entries(session, caller.organisation, filters, cursor, limit)
    _log_reading(session, caller, "audit.read", filters, page)
    return page


def timeline(
    session: Session,
    caller: Caller,
    filters: Filters,
    cursor: str | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page:
    """All that the caller's organisation may see of a person, an object or a case, oldest first.

    Logged as an act of its own. InvalidRequestError when the cursor was not given by an earlier
    page.
    """
    page = entries(session, caller.organisation, filters, cursor, limit, oldest_first=True)
    _log_reading(session, caller, "audit.timeline", filters, page)
    return page


def entries(
    session: Session,
    organisation: str,
    filters: Filters,
    cursor: str | None = None,
    limit: int = DEFAULT_PAGE,
    *,
    oldest_first: bool = False,
    most: int = LARGEST_PAGE,
) -> Page:
    """A page of what `organisation` may see; the caller of this appends the entry of the reading.

    Newest first unless `oldest_first`. `limit` is held to 1..`most`. InvalidRequestError for a
    cursor of no earlier page.
    """
    place = None if cursor is None else _place(cursor)
    if filters.words and filters.words.unknown:
        return Page((), None)
    size = min(max(limit, 1), most)
    page = _page(organisation, filters, place, oldest_first=oldest_first)
    found = _contents(session, page.limit(size + 1), oldest_first=oldest_first)
    shown = found[:size]
    more = len(found) > size
    return Page(
        entries=tuple(_open(row) for row in shown),
        next=_cursor(shown[-1].at, shown[-1].eid) if more else None,
    )


def matching(organisation: str, filters: Filters) -> Select[int, int]:
    """Places (`at`, `eid`) of what `organisation` may see by the filters, newest first."""
    return _page(organisation, filters, None, oldest_first=False)


def record_id(record: bytes) -> str:
    """The random identifier of a stored record."""
    return str(json.loads(record)["id"])


def chosen(
    session: Session, organisation: str, places: Sequence[tuple[int, int]]
) -> dict[int, ReadEntry]:
    """Entries by their eid, of those named as (t, eid) the ones that `organisation` may see.

    The caller of this appends the entry of the reading.
    """
    if not places:
        return {}
    wanted = select(AuditAudience.t.label("at"), AuditAudience.eid).where(
        AuditAudience.org == organisation,
        among_pairs((AuditAudience.t, AuditAudience.eid), places),
    )
    return {row.eid: _open(row) for row in _contents(session, wanted, oldest_first=True)}


def operation_counts(session: Session, organisation: str, since: datetime) -> dict[Operation, int]:
    """How many entries of each operation `organisation` may see from `since` on; 0 where none."""
    counts = dict.fromkeys(Operation, 0)
    by_act = (
        select(AuditAudience.act, func.count())
        .where(AuditAudience.org == organisation, AuditAudience.t >= milliseconds(since))
        .group_by(AuditAudience.act)
    )
    for act, count in session.execute(by_act):
        counts[CATALOGUE[act].operation] += count
    return counts


def refusal_count(session: Session, organisation: str, since: datetime) -> int:
    """How many acts that `organisation` may see were denied from `since` on."""
    denied = (
        select(func.count())
        .select_from(AuditAudience)
        .where(
            AuditAudience.org == organisation,
            AuditAudience.t >= milliseconds(since),
            AuditAudience.out == Outcome.DENIED.value,
        )
    )
    return session.execute(denied).scalar_one()


def _told(value: Any) -> str:
    match value:
        case datetime():
            return value.isoformat()
        case Words():
            return value.told()
        case _:
            return str(value)


def _log_reading(session: Session, caller: Caller, act: str, filters: Filters, page: Page) -> None:
    append(
        session,
        caller,
        act,
        object_type="audit-entry",
        count=len(page.entries),
        results=[entry.fields["id"] for entry in page.entries],
        details={"filters": filters.told()},
    )


def _page(
    organisation: str, filters: Filters, place: tuple[int, int] | None, *, oldest_first: bool
) -> Select[int, int]:
    """Which entries are on the page: by the key of the audience, or by an index of details."""
    key = (AuditAudience.t, AuditAudience.eid)
    page = (
        select(AuditAudience.t.label("at"), AuditAudience.eid)
        .where(AuditAudience.org == organisation)
        .order_by(*(column.asc() if oldest_first else column.desc() for column in key))
    )
    if place is not None:
        page = page.where(tuple_(*key) > place if oldest_first else tuple_(*key) < place)
    if filters.since:
        page = page.where(AuditAudience.t >= milliseconds(filters.since))
    if filters.until:
        page = page.where(AuditAudience.t < milliseconds(filters.until))
    page = page.where(*_of_record(filters))
    if filters.actor or filters.case:
        page = page.join(
            AuditDetail, (AuditDetail.eid == AuditAudience.eid) & (AuditDetail.t == AuditAudience.t)
        )
    if filters.actor:
        page = page.where(AuditDetail.actor == filters.actor)
    if filters.case:
        page = page.where(AuditDetail.casref == searched_case(filters.case))
    if filters.object:
        page = page.join(
            AuditObject, (AuditObject.eid == AuditAudience.eid) & (AuditObject.t == AuditAudience.t)
        ).where(AuditObject.about == object_key(filters.object))
    if filters.person:
        concerned = _by_or_about(filters.person).subquery()
        page = page.join(
            concerned,
            (concerned.c.eid == AuditAudience.eid) & (concerned.c.at == AuditAudience.t),
        )
    return page


def _of_record(filters: Filters) -> list[ColumnElement[bool]]:
    """The conditions on the words of the record that the audience repeats."""
    conditions: list[ColumnElement[bool]] = []
    if filters.act or filters.operation:
        conditions.append(AuditAudience.act.in_(_acts(filters)))
    if filters.purpose:
        conditions.append(AuditAudience.purpose == filters.purpose.value)
    if filters.basis:
        conditions.append(AuditAudience.basis == filters.basis.value)
    if filters.outcome:
        conditions.append(AuditAudience.out == filters.outcome.value)
    if filters.organisation:
        conditions.append(AuditAudience.doer == filters.organisation)
    meanings = filters.words.meanings.values() if filters.words else ()
    return [*conditions, *map(_means, meanings)]


def _means(meaning: Meaning) -> ColumnElement[bool]:
    columns = (
        (AuditAudience.act, meaning.acts),
        (AuditAudience.purpose, meaning.purposes),
        (AuditAudience.basis, meaning.bases),
        (AuditAudience.out, meaning.outcomes),
        (AuditAudience.obj, meaning.object_types),
        (AuditAudience.doer, meaning.organisations),
    )
    either: list[ColumnElement[bool]] = [
        column.in_(sorted(codes)) for column, codes in columns if codes
    ]
    if meaning.refusals:
        names = [object_key(refusal_name(code)) for code in sorted(meaning.refusals)]
        refused = select(AuditObject.eid).where(
            AuditObject.about.in_(names),
            AuditObject.t == AuditAudience.t,
            AuditObject.eid == AuditAudience.eid,
        )
        is_refused = AuditAudience.out != Outcome.OK.value
        either.append(is_refused & refused.exists())
    return or_(*either)


def _by_or_about(person: str) -> CompoundSelect[int, int]:
    """What a person did, and what was done to the person's account."""
    acted = select(AuditDetail.t.label("at"), AuditDetail.eid).where(AuditDetail.actor == person)
    touched = select(AuditObject.t.label("at"), AuditObject.eid).where(
        AuditObject.about == object_key(person)
    )
    return union(acted, touched)


def _contents(
    session: Session, page: Select[int, int], *, oldest_first: bool = False
) -> list[Row[*tuple[Any, ...]]]:
    """What stands in the entries of a page, in its order."""
    chosen = page.subquery()
    rows = session.execute(
        select(
            chosen.c.at,
            chosen.c.eid,
            AuditEntry.rec,
            AuditEntry.leaf,
            AuditDetail.disc,
            AuditSeq.idx,
        )
        .join_from(
            chosen, AuditEntry, (AuditEntry.eid == chosen.c.eid) & (AuditEntry.t == chosen.c.at)
        )
        .outerjoin(AuditDetail, (AuditDetail.eid == chosen.c.eid) & (AuditDetail.t == chosen.c.at))
        .outerjoin(AuditSeq, AuditSeq.eid == chosen.c.eid)
    ).all()
    return sorted(rows, key=lambda row: (row.at, row.eid), reverse=not oldest_first)


def _acts(filters: Filters) -> Sequence[str]:
    return [
        name
        for name, known in CATALOGUE.items()
        if filters.act in (None, name) and filters.operation in (None, known.operation)
    ]


def _cursor(t: int, eid: int) -> str:
    return to_base64url(f"{t}.{eid}".encode())


def _place(cursor: str) -> tuple[int, int]:
    decoded = (from_base64url(cursor) or b"").decode("ascii", "replace")
    t, _, eid = decoded.partition(".")
    if not (t.isdecimal() and eid.isdecimal()) or max(int(t), int(eid)) >= 2**63:
        raise InvalidRequestError(
            errors=[
                {
                    "field": "query.cursor",
                    "reason": "Give the cursor of the page before, or none for the first page.",
                }
            ]
        )
    return int(t), int(eid)


def _open(row: Row[*tuple[Any, ...]]) -> ReadEntry:
    record, leaf = bytes(row.rec), bytes(row.leaf)
    openings = row.disc or ""  # the row goes when the retention of details ends
    disclosures = tuple(openings.splitlines())
    fields = json.loads(record)
    fixed = set(fields["f"].values())
    return ReadEntry(
        record=record,
        fields=fields,
        details=open_disclosures(openings),
        disclosures=disclosures,
        leaf=leaf,
        place=row.idx,
        is_intact=(
            json.loads(leaf)["c"] == to_base64url(hashlib.sha256(record).digest())
            and all(disclosure_digest(one) in fixed for one in disclosures)
        ),
    )
