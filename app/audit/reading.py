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

from sqlalchemy import Row, Select, func, select, tuple_
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.catalogue import CATALOGUE, Operation
from app.audit.entry import Outcome, disclosure_digest, open_disclosures
from app.audit.models import AuditAudience, AuditDetail, AuditEntry
from app.audit.service import append, searched_case
from app.clock import milliseconds
from app.errors import InvalidRequestError
from postern.base64url import from_base64url, to_base64url
from postern.vocabulary import Purpose

LARGEST_PAGE = 200
DEFAULT_PAGE = 50


@dataclass(frozen=True)
class Filters:
    """What is asked for; None means any. `since` is included in the period, `until` is not."""

    act: str | None = None
    operation: Operation | None = None
    actor: str | None = None
    case: str | None = None
    purpose: Purpose | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None

    def told(self) -> dict[str, str]:
        """The filters in use, as the entry of the reading itself tells them."""
        used = {name: value for name, value in vars(self).items() if value is not None}
        return {
            name: value.isoformat() if isinstance(value, datetime) else str(value)
            for name, value in used.items()
        }


@dataclass(frozen=True)
class ReadEntry:
    """One entry as it is shown: `record` and `leaf` are the stored bytes.

    `is_intact` tells that the leaf fixes this record and the record each of the disclosures; it
    does not tell that nobody replaced all three, for which the tree is needed.
    """

    record: bytes
    fields: Mapping[str, Any]
    details: Mapping[str, Any]
    disclosures: tuple[str, ...]
    leaf: bytes
    is_intact: bool

    @property
    def operation(self) -> Operation:
        """The operation of LED Art. 25 to which the act belongs."""
        return CATALOGUE[self.fields["act"]].operation


@dataclass(frozen=True)
class Page:
    """Entries, newest first, and the cursor of the next page, None after the last."""

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
    append(
        session,
        caller,
        "audit.read",
        object_type="audit-entry",
        count=len(page.entries),
        results=[entry.fields["id"] for entry in page.entries],
        details={"filters": filters.told()},
    )
    return page


def entries(
    session: Session,
    organisation: str,
    filters: Filters,
    cursor: str | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page:
    """A page of what `organisation` may see; the caller of this appends the entry of the reading.

    `limit` is held to 1..LARGEST_PAGE. InvalidRequestError for a cursor of no earlier page.
    """
    size = min(max(limit, 1), LARGEST_PAGE)
    found = session.execute(_page(organisation, filters, cursor).limit(size + 1)).all()
    shown = found[:size]
    more = len(found) > size
    return Page(
        entries=tuple(_open(row) for row in shown),
        next=_cursor(shown[-1].at, shown[-1].eid) if more else None,
    )


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


def _page(organisation: str, filters: Filters, cursor: str | None) -> Select[*tuple[Any, ...]]:
    page = (
        select(
            AuditAudience.t.label("at"),
            AuditAudience.eid,
            AuditEntry.rec,
            AuditEntry.leaf,
            AuditDetail.disc,
        )
        .join_from(AuditAudience, AuditEntry, AuditAudience.eid == AuditEntry.eid)
        .outerjoin(AuditDetail, AuditDetail.eid == AuditEntry.eid)
        .where(AuditAudience.org == organisation)
        .order_by(AuditAudience.t.desc(), AuditAudience.eid.desc())
    )
    if cursor is not None:
        page = page.where(tuple_(AuditAudience.t, AuditAudience.eid) < _place(cursor))
    if filters.since:
        page = page.where(AuditAudience.t >= milliseconds(filters.since))
    if filters.until:
        page = page.where(AuditAudience.t < milliseconds(filters.until))
    if filters.act or filters.operation:
        page = page.where(AuditAudience.act.in_(_acts(filters)))
    if filters.purpose:
        page = page.where(AuditAudience.purpose == filters.purpose.value)
    if filters.outcome:
        page = page.where(AuditAudience.out == filters.outcome.value)
    if filters.actor or filters.case:
        # Found by the index of the details, from which only `t` leads into the key of the audience.
        page = page.where(AuditAudience.t == AuditEntry.t)
    if filters.actor:
        page = page.where(AuditDetail.actor == filters.actor)
    if filters.case:
        page = page.where(AuditDetail.casref == searched_case(filters.case))
    return page


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
        is_intact=(
            json.loads(leaf)["c"] == to_base64url(hashlib.sha256(record).digest())
            and all(disclosure_digest(one) in fixed for one in disclosures)
        ),
    )
