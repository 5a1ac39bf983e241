"""The ledger of who got what, as the owner reads it: of its own indicators, and nobody else's.

A gift of which the owner's policy does not let it be told stands in the ledger for a recall and is
not shown here.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.errors import InvalidRequestError
from app.indicators.export import safe_cell
from app.indicators.ledger import CLEAR
from app.indicators.models import Given, Indicator, Report, Tombstone
from app.organisations.service import Member, UnknownOrganisationError, directory, find
from app.patterns.models import SharedPattern
from app.sharing.engine import CHAIN
from postern.vocabulary import Kind, Way

MOST_EXPORTED = 5000
"""Indicators of one file."""

CLEAR_WORD = "clear"
"""What is above the levels of a policy: the clear text, by the owner's own decision."""

COLUMNS = (
    "indicator",
    "kind",
    "report",
    "ended_at",
    "recipient_code",
    "recipient_name",
    "recipient_sector",
    "recipient_country",
    "way",
    "level",
    "times",
    "first_at",
    "last_at",
)
"""The header of the file, docs/recalls.md lists the same."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Whose and which of them; None is no matter. `recipient` is an organisation's code."""

    indicator: UUID | None = None
    report: UUID | None = None
    recipient: str | None = None

    def told(self) -> dict[str, str]:
        """As the log holds them."""
        named = {
            "indicator": self.indicator,
            "report": self.report,
            "recipient": self.recipient,
        }
        return {name: str(value) for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class WayGiven:
    """By one way: `level` is the highest, `times` counts answers, lists and files."""

    way: Way
    level: str
    times: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class RecipientOf:
    """One organisation that got something of the indicator."""

    organisation: Member
    ways: Sequence[WayGiven]


@dataclass(frozen=True, slots=True)
class GivenIndicator:
    """One of one's own indicators that others got; `ended_at` is None while it stands."""

    indicator: UUID
    kind: Kind | None
    report: UUID | None
    ended_at: datetime | None
    recipients: Sequence[RecipientOf]


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Indicators, newest first; `next` is the cursor of the following page, None on the last."""

    indicators: list[GivenIndicator]
    next: UUID | None


def read(
    session: Session, caller: Caller, filters: Filters, limit: int, cursor: UUID | None = None
) -> LedgerPage:
    """Which of the organisation's own indicators others got.

    What is not its own is like what nobody got. InvalidRequestError for a recipient that is no
    organisation. A cursor is a place in the order of ids and need not name anything.
    """
    return _logged(session, caller, "ledger.read", filters=filters, limit=limit, cursor=cursor)


def export(
    session: Session, caller: Caller, filters: Filters, cursor: UUID | None = None
) -> tuple[bytes, UUID | None]:
    """The same as a file, in UTF-8, and the cursor of the next one if there are more."""
    page = _logged(
        session, caller, "ledger.export", filters=filters, limit=MOST_EXPORTED, cursor=cursor
    )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(
        [safe_cell(value) for value in row] for each in page.indicators for row in _rows(each)
    )
    return text.getvalue().encode(), page.next


def _logged(
    session: Session,
    caller: Caller,
    act: str,
    *,
    filters: Filters,
    limit: int,
    cursor: UUID | None,
) -> LedgerPage:
    organisation_id, _ = caller.member
    page = _page(session, organisation_id, filters, limit, cursor)
    append(
        session,
        caller,
        act,
        object_type="indicator",
        # Not `objects`: an indicator is not to be found by every page on which it was listed.
        count=len(page.indicators),
        details={"filters": filters.told()},
    )
    return page


def _page(
    session: Session, organisation_id: int, filters: Filters, limit: int, cursor: UUID | None
) -> LedgerPage:
    conditions = _conditions(session, organisation_id, filters)
    later = () if cursor is None else (Given.indicator < cursor,)
    ids = session.scalars(
        select(Given.indicator)
        .where(*conditions, *later)
        .distinct()
        .order_by(Given.indicator.desc())
        .limit(limit + 1)
    ).all()
    shown = ids[:limit]
    rows: dict[UUID, list[Given]] = {indicator: [] for indicator in shown}
    found = session.scalars(
        select(Given)
        .where(*conditions, Given.indicator.in_(shown))
        .order_by(Given.recipient_id, Given.way)
    )
    for row in found:
        rows[row.indicator].append(row)
    members = directory(session)
    live, ended = _live(session, shown), _ended(session, shown)
    return LedgerPage(
        [_given(rows[each], members, live.get(each), ended.get(each)) for each in shown],
        shown[-1] if len(ids) > limit else None,
    )


def _conditions(
    session: Session, organisation_id: int, filters: Filters
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        Given.owner_id == organisation_id,
        Given.tells_owner.is_(True),
    ]
    if filters.indicator is not None:
        conditions.append(Given.indicator == filters.indicator)
    if filters.report is not None:
        held = (
            select(Indicator.public_id)
            .join(Report, Report.id == Indicator.report_id)
            .where(Report.public_id == filters.report)
        )
        was_of = Given.ended["report"].as_string() == str(filters.report)
        conditions.append(or_(Given.indicator.in_(held), was_of))
    if filters.recipient is not None:
        conditions.append(Given.recipient_id == _organisation(session, filters.recipient))
    return conditions


def _organisation(session: Session, code: str) -> int:
    try:
        return find(session, code)[0]
    except UnknownOrganisationError:
        reason = "No organisation has this code: see GET /api/v1/organisations."
        raise InvalidRequestError(errors=[{"field": "query.recipient", "reason": reason}]) from None


def _live(session: Session, ids: Sequence[UUID]) -> dict[UUID, tuple[Kind, UUID | None]]:
    """Kind and report of what stands; a shipping pattern is of no report."""
    found = session.execute(
        select(Indicator.public_id, Indicator.kind, Report.public_id.label("report"))
        .join(Report, Report.id == Indicator.report_id)
        .where(Indicator.public_id.in_(ids))
    )
    live: dict[UUID, tuple[Kind, UUID | None]] = {row[0]: (row[1], row[2]) for row in found}
    others = [each for each in ids if each not in live]
    if others:
        patterns = select(SharedPattern.public_id).where(SharedPattern.public_id.in_(others))
        live |= dict.fromkeys(session.scalars(patterns), (Kind.PATTERN, None))
    return live


def _ended(session: Session, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    found = session.execute(
        select(Tombstone.public_id, Tombstone.ended_at).where(Tombstone.public_id.in_(ids))
    )
    return {row[0]: row[1] for row in found}


def _given(
    rows: Sequence[Given],
    members: Mapping[int, Member],
    live: tuple[Kind, UUID | None] | None,
    ended_at: datetime | None,
) -> GivenIndicator:
    kept = rows[0].ended or {}
    kind = Kind(kept["kind"]) if "kind" in kept else None
    report = UUID(kept["report"]) if "report" in kept else None
    if live is not None:
        kind, report = live
    by_recipient: dict[int, list[WayGiven]] = {}
    for row in rows:
        told = WayGiven(row.way, level_word(row.level), row.times, row.first_at, row.last_at)
        by_recipient.setdefault(row.recipient_id, []).append(told)
    recipients = [RecipientOf(members[key], ways) for key, ways in by_recipient.items()]
    return GivenIndicator(
        indicator=rows[0].indicator,
        kind=kind,
        report=report,
        ended_at=ended_at,
        recipients=sorted(recipients, key=lambda each: each.organisation.code),
    )


def level_word(level: int) -> str:
    """`metadata`, `request`, or `clear` where the text itself was released."""
    return CLEAR_WORD if level >= CLEAR else CHAIN[level - 1].value


def _rows(given: GivenIndicator) -> Iterator[tuple[Any, ...]]:
    """In the order of COLUMNS: one for each recipient and way."""
    for recipient in given.recipients:
        member = recipient.organisation
        for told in recipient.ways:
            yield (
                given.indicator,
                given.kind.value if given.kind else None,
                given.report,
                _written(given.ended_at),
                member.code,
                member.name,
                member.sector.value,
                member.country,
                told.way.value,
                told.level,
                told.times,
                _written(told.first_at),
                _written(told.last_at),
            )


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
