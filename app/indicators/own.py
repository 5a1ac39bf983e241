"""An organisation's own reports, read back: pages, one report, and figures.

A report belongs to one organisation and is read by it alone; its indicators come through
`app.sharing.visibility` like everybody's.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Subquery, func, select, tuple_
from sqlalchemy.orm import Session

from app.clock import now
from app.indicators.models import Envelope, Indicator, Report, ReportStatus
from app.indicators.reading import SHIPMENT_FIELDS
from app.sharing.service import own_profile_id
from app.sharing.visibility import visible_indicators
from postern.vocabulary import Kind, Role, SealedPart

_NOTHING_TOLD = dict.fromkeys(SHIPMENT_FIELDS)

SOON = timedelta(days=30)
RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class OwnReport:
    """A report as its owner reads it; `indicators` hold the fields of OwnIndicatorSchema."""

    id: UUID
    client_key: str
    status: ReportStatus
    created_at: datetime
    barrier_step: int | None
    shipment: Mapping[str, Any]
    indicators: Sequence[Mapping[str, Any]]
    attachments: int  # sealed files


@dataclass(frozen=True, slots=True)
class Page:
    """Reports, newest first; `next` is the cursor of the following page, None on the last."""

    reports: list[OwnReport]
    next: UUID | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of an organisation's own: reports that stand, indicators that are live."""

    reports: int
    reports_recent: int  # of the last 30 days
    withdrawn: int  # reports
    indicators: Mapping[Kind, int]
    expiring_soon: int  # indicators within 30 days


def page(
    session: Session,
    organisation_id: int,
    limit: int,
    cursor: UUID | None,
    *,
    restricted: bool = False,
    narrowed: Sequence[ColumnElement[bool]] = (),
) -> Page:
    """Up to `limit` reports after `cursor`; an unknown cursor gives an empty page.

    `restricted`: with what a legal hold keeps beyond its time. `narrowed` are conditions on Report.
    """
    wanted = (
        _reports(organisation_id)
        .where(*narrowed)
        .order_by(Report.created_at.desc(), Report.id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        last = (
            select(Report.created_at, Report.id)
            .where(Report.public_id == cursor, Report.organisation_id == organisation_id)
            .subquery()
        )
        wanted = wanted.join(
            last,
            tuple_(Report.created_at, Report.id) < tuple_(last.c.created_at, last.c.id),
        )
    rows = session.execute(wanted).all()
    shown = rows[:limit]
    return Page(
        _with_indicators(session, organisation_id, shown, restricted=restricted),
        shown[-1].public_id if len(rows) > limit else None,
    )


def one(
    session: Session, organisation_id: int, public_id: UUID, *, restricted: bool = False
) -> OwnReport | None:
    """The report with its indicators, None when the organisation has no such report."""
    rows = session.execute(_reports(organisation_id).where(Report.public_id == public_id)).all()
    found = _with_indicators(session, organisation_id, rows, restricted=restricted)
    return found[0] if found else None


def row_id(session: Session, organisation_id: int, public_id: UUID) -> int | None:
    """The inner key of a report of the organisation; the row is locked until the commit."""
    return session.scalar(
        select(Report.id)
        .where(Report.organisation_id == organisation_id, Report.public_id == public_id)
        .with_for_update()
    )


def figures(session: Session, organisation_id: int, at: datetime) -> Figures:
    """The counts at the moment `at`."""
    by_status = dict(
        session.execute(
            select(Report.status, func.count())
            .where(Report.organisation_id == organisation_id)
            .group_by(Report.status)
        ).all()
    )
    recent = session.execute(
        select(func.count()).where(
            Report.organisation_id == organisation_id,
            Report.status == ReportStatus.ACTIVE,
            Report.created_at > at - RECENT,
        )
    ).scalar_one()
    visible = _visible(session, organisation_id)
    soon = func.count().filter(Indicator.expires_on <= at.date() + SOON)
    by_kind = session.execute(
        select(Indicator.kind, func.count(), soon)
        .join(visible, visible.c.indicator_id == Indicator.id)
        .where(Indicator.organisation_id == organisation_id)
        .group_by(Indicator.kind)
    ).all()
    return Figures(
        reports=by_status.get(ReportStatus.ACTIVE, 0),
        reports_recent=recent,
        withdrawn=by_status.get(ReportStatus.WITHDRAWN, 0),
        indicators={kind: count for kind, count, _ in by_kind},
        expiring_soon=sum(expiring for _, _, expiring in by_kind),
    )


def numbers(bits: int) -> list[int]:
    """The facet numbers of a column of bits, rising."""
    return [number for number in range(bits.bit_length()) if bits >> number & 1]


def _reports(organisation_id: int) -> Select[Any]:
    return select(
        Report.id,
        Report.public_id,
        Report.client_key,
        Report.status,
        Report.created_at,
        Report.barrier_step,
        *(getattr(Report, name) for name in SHIPMENT_FIELDS),
    ).where(Report.organisation_id == organisation_id)


def _visible(session: Session, organisation_id: int) -> Subquery:
    profile = own_profile_id(session, organisation_id, Role.SUBMITTER)
    return visible_indicators(profile, now()).subquery()


def _with_indicators(
    session: Session, organisation_id: int, rows: Sequence[Row[Any]], *, restricted: bool
) -> list[OwnReport]:
    visible = _visible(session, organisation_id)
    indicators: dict[int, list[Mapping[str, Any]]] = {row.id: [] for row in rows}
    wanted = select(
        Indicator.report_id,
        Indicator.id.label("place_in_report"),
        *STORED,
        Indicator.epoch,
        Indicator.facets_stored,
        Indicator.facets_common,
        Indicator.amended_at,
        Indicator.restricted_at,
    ).where(Indicator.report_id.in_(indicators))
    seen = wanted.join(visible, visible.c.indicator_id == Indicator.id)
    found = [*session.execute(seen).mappings()]
    if restricted:
        # What is over is visible to no profile; no policy decides on what its owner must keep.
        kept = wanted.where(
            Indicator.organisation_id == organisation_id, Indicator.restricted_at.is_not(None)
        )
        found += session.execute(kept).mappings()
    parts, files = _sealed_parts(session, indicators)
    for each in sorted(found, key=lambda row: int(row["place_in_report"])):
        indicators[each["report_id"]].append(
            {
                **each,
                "sealed": parts.get(each["place_in_report"], []),
                "facets": numbers(each["facets_stored"]),
                "facets_common": numbers(each["facets_common"]),
            }
        )
    return [
        OwnReport(
            id=row.public_id,
            client_key=row.client_key,
            status=row.status,
            created_at=row.created_at,
            barrier_step=row.barrier_step if tells else None,
            shipment=shipment_of(row._asdict() if tells else _NOTHING_TOLD),
            indicators=indicators[row.id],
            attachments=files[row.id] if indicators[row.id] else 0,
        )
        for row in rows
        # A withdrawn report that a hold keeps still has what it told.
        for tells in [restricted or row.status is ReportStatus.ACTIVE]
    ]


def _sealed_parts(
    session: Session, report_ids: Collection[int]
) -> tuple[Mapping[int, list[SealedPart]], Counter[int]]:
    """The sealed parts by the inner key of their indicator, and the files of each report."""
    parts: dict[int, list[SealedPart]] = {}
    files: Counter[int] = Counter()
    rows = session.execute(
        select(Envelope.report_id, Envelope.indicator_id, Envelope.part)
        .where(Envelope.report_id.in_(report_ids))
        .order_by(Envelope.id)
    )
    for report_id, indicator_id, part in rows:
        if indicator_id is None:
            files[report_id] += 1
        else:
            parts.setdefault(indicator_id, []).append(part)
    return parts, files


def shipment_of(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The shipment as the wire gathers it from a report's columns."""
    return {name: columns[name] for name in SHIPMENT_FIELDS}


STORED = (
    Indicator.public_id.label("id"),
    Indicator.kind,
    Indicator.role,
    Indicator.subject_category,
    Indicator.assertion,
    Indicator.source_grade,
    Indicator.information_grade,
    Indicator.learned,
    Indicator.legal_basis,
    Indicator.tlp,
    Indicator.handling,
    Indicator.permitted_action,
    Indicator.observed_from,
    Indicator.observed_to,
    Indicator.review_on,
    Indicator.expires_on,
    Indicator.quality,
    Indicator.place,
)
"""Columns of StoredIndicatorSchema: all that may be shown of an indicator."""
