"""Sealed parts of one's own reports: taken in, listed and handed back to their owner.

The platform knows in which context an envelope opens, and who signed it for whom; it has no key
that opens one. Envelopes end with their indicator, attachments with the last one of their report.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, insert, or_, select
from sqlalchemy.orm import Session, aliased

from app.access import Caller
from app.audit.service import append
from app.clock import now
from app.errors import ConflictError, InvalidRequestError, NotFoundError
from app.indicators import own
from app.indicators.models import Envelope, Indicator, Report, ReportStatus
from app.indicators.sealed_parts import (
    NO_TOKEN,
    REPORT_KIND,
    NewEnvelope,
    Sealer,
    context_part,
)
from app.organisations import keys
from app.organisations.envelope_checks import expected
from app.public_ids import new_public_id, new_public_ids
from postern.base64url import to_base64url
from postern.envelope import Context, Resealing
from postern.vocabulary import Role, SealedPart

_KEEPERS = frozenset({Role.SUBMITTER, Role.COMPLIANCE})
"""Who is told of what a legal hold keeps."""


class AttachmentExistsError(ConflictError):
    """Another file stands under this number."""

    code = "attachment-exists"
    title = "Another file is attached to the report under this number"
    remedy = "Leave it if it is the same file sealed again, or attach yours under a free number."


class ReportOverError(ConflictError):
    """A report that was withdrawn, or of which no indicator is left, takes no file."""

    code = "report-over"
    title = "The report is withdrawn or has expired"
    remedy = "Send a new report with its files, if it still stands."


@dataclass(frozen=True, slots=True)
class StoredEnvelope:
    """An envelope that is stored: all but its content. `indicator` is None for an attachment."""

    id: UUID
    part: SealedPart
    number: int
    indicator: UUID | None
    kind: str
    epoch: int
    token: bytes
    record: str
    size: int
    digest: bytes

    def context(self, owner: str, resealing: Resealing | None = None) -> Context:
        """Where it opens; with `resealing`, where its owner's answer to a request opens."""
        part = context_part(self.part, self.number)
        return Context(owner, self.kind, self.epoch, self.token, self.record, part, resealing)


def sealer(session: Session, caller: Caller, at: datetime) -> Sealer:
    """By whom, and to which keys, the caller's organisation seals its own now."""
    organisation_id, _ = caller.member
    entries = keys.usable(session, organisation_id, at)
    return Sealer(caller.organisation, expected(entries) if entries else None)


def store(
    session: Session,
    organisation_id: int,
    at: datetime,
    owned: Sequence[tuple[int, int, NewEnvelope]],
) -> None:
    """Write envelopes, each with the inner keys of its report and its indicator."""
    if not owned:
        return
    ids = new_public_ids(len(owned), at)
    rows = [
        {
            **_row(new),
            "public_id": public_id,
            "organisation_id": organisation_id,
            "report_id": report_id,
            "indicator_id": indicator_id,
            "number": 0,
            "added_at": at,
        }
        for public_id, (report_id, indicator_id, new) in zip(ids, owned, strict=True)
    ]
    session.execute(insert(Envelope), rows)


def attach(
    session: Session, caller: Caller, report: UUID, number: int, raw: bytes
) -> tuple[StoredEnvelope, bool]:
    """Attach a sealed file to one's own report; the same envelope again changes nothing.

    Returns the envelope and whether it is new. Raises NotFoundError for another's report,
    ReportOverError, InvalidRequestError for an envelope that does not fit, AttachmentExistsError.
    """
    organisation_id, _ = caller.member
    report_id = own.row_id(session, organisation_id, report)
    if report_id is None:
        raise NotFoundError
    at = now()
    held = session.scalar(
        select(Envelope).where(
            Envelope.report_id == report_id,
            Envelope.part == SealedPart.ATTACHMENT,
            Envelope.number == number,
        )
    )
    if held is not None and bytes(held.digest) == hashlib.sha256(raw).digest():
        found = _stored(held, None)
        _log_attached(session, caller, report, found)
        return found, False
    new = _attachment(session, caller, report_id, number, raw)
    if held is not None:
        raise AttachmentExistsError
    row = Envelope(
        **_row(new),
        public_id=new_public_id(at),
        organisation_id=organisation_id,
        report_id=report_id,
        indicator_id=None,
        number=number,
        added_at=at,
    )
    session.add(row)
    session.flush()
    found = _stored(row, None)
    _log_attached(session, caller, report, found)
    return found, True


def list_own(session: Session, caller: Caller, report: UUID) -> list[StoredEnvelope]:
    """The sealed parts of one's own report, as far as it is not over. NotFoundError for others."""
    organisation_id, _ = caller.member
    report_id = _report_id(session, organisation_id, report)
    if report_id is None:
        raise NotFoundError
    rows = session.execute(
        _with_indicator(_METADATA).where(
            Envelope.report_id == report_id, _is_live(caller, now().date())
        )
    )
    found = [_stored(row, row.indicator) for row in rows]
    append(
        session,
        caller,
        "envelope.list",
        object_type="report",
        objects=[str(report)],
        count=len(found),
    )
    return found


def read_own(session: Session, caller: Caller, report: UUID, envelope: UUID) -> bytes:
    """One sealed part of one's own report. NotFoundError for others and what is over."""
    organisation_id, _ = caller.member
    row = session.execute(
        _with_indicator((*_METADATA, Envelope.content))
        .join(Report, Report.id == Envelope.report_id)
        .where(
            Envelope.public_id == envelope,
            Envelope.organisation_id == organisation_id,
            Report.public_id == report,
            _is_live(caller, now().date()),
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError
    append(
        session,
        caller,
        "envelope.read",
        object_type="envelope",
        objects=[str(envelope), str(report)],
        count=1,
        details={"part": context_part(row.part, row.number)},
    )
    return bytes(row.content)


def of_indicator(
    session: Session, indicator_id: int, parts: Collection[SealedPart]
) -> list[StoredEnvelope]:
    """What is sealed of an indicator, by its inner key: those parts, its report's files with them.

    Who may have it, and whether the indicator is over, is the caller's to ask.
    """
    report_id = select(Indicator.report_id).where(Indicator.id == indicator_id).scalar_subquery()
    rows = session.execute(
        _with_indicator(_METADATA).where(
            Envelope.part.in_(parts),
            or_(
                Envelope.indicator_id == indicator_id,
                and_(Envelope.report_id == report_id, Envelope.indicator_id.is_(None)),
            ),
        )
    )
    return [_stored(row, row.indicator) for row in rows]


def read(session: Session, envelope: UUID) -> tuple[StoredEnvelope, bytes] | None:
    """An envelope with its content, whosever it is; who may have it is the caller's to ask."""
    row = session.execute(
        _with_indicator((*_METADATA, Envelope.content)).where(Envelope.public_id == envelope)
    ).one_or_none()
    return None if row is None else (_stored(row, row.indicator), bytes(row.content))


def _attachment(
    session: Session, caller: Caller, report_id: int, number: int, raw: bytes
) -> NewEnvelope:
    """The file as it may be stored; the report is locked."""
    at = now()
    client_key, status = session.execute(
        select(Report.client_key, Report.status).where(Report.id == report_id)
    ).one()
    is_live = session.scalar(
        select(exists().where(Indicator.report_id == report_id, Indicator.expires_on > at.date()))
    )
    if status is not ReportStatus.ACTIVE or not is_live:
        raise ReportOverError
    part = context_part(SealedPart.ATTACHMENT, number)
    context = Context(caller.organisation, REPORT_KIND, 0, NO_TOKEN, client_key, part)
    fault = sealer(session, caller, at).misfit(raw, context)
    if fault is not None:
        raise InvalidRequestError(
            errors=[{"field": "body", "reason": fault.reason}], remedy=fault.remedy
        )
    return NewEnvelope(SealedPart.ATTACHMENT, REPORT_KIND, 0, NO_TOKEN, client_key, raw)


def _log_attached(session: Session, caller: Caller, report: UUID, envelope: StoredEnvelope) -> None:
    append(
        session,
        caller,
        "envelope.attach",
        object_type="report",
        objects=[str(report), str(envelope.id)],
        count=1,
        details={
            "part": context_part(envelope.part, envelope.number),
            "size": envelope.size,
            "digest": to_base64url(envelope.digest),
        },
    )


def _report_id(session: Session, organisation_id: int, report: UUID) -> int | None:
    return session.scalar(
        select(Report.id).where(
            Report.organisation_id == organisation_id, Report.public_id == report
        )
    )


def _is_live(caller: Caller, today: date) -> ColumnElement[bool]:
    """Whether the indicator, or for a file one of its report, is not over for the caller."""
    is_live: ColumnElement[bool] = Indicator.expires_on > today
    if _KEEPERS & caller.roles:
        is_live = or_(is_live, Indicator.restricted_at.is_not(None))
    of_file = exists().where(Indicator.report_id == Envelope.report_id, is_live)
    return or_(
        exists().where(Indicator.id == Envelope.indicator_id, is_live).correlate(Envelope),
        and_(Envelope.indicator_id.is_(None), of_file.correlate(Envelope)),
    )


def _with_indicator(columns: Iterable[Any]) -> Select[Any]:
    return (
        select(*columns, _PLACE.public_id.label("indicator"))
        .select_from(Envelope)
        .outerjoin(_PLACE, _PLACE.id == Envelope.indicator_id)
        .order_by(Envelope.indicator_id.is_(None), Envelope.indicator_id, Envelope.id)
    )


def _row(new: NewEnvelope) -> dict[str, Any]:
    return {
        "part": new.part,
        "kind": new.kind,
        "epoch": new.epoch,
        "token": new.token,
        "record": new.record,
        "size": len(new.content),
        "digest": hashlib.sha256(new.content).digest(),
        "content": new.content,
    }


def _stored(row: Any, indicator: UUID | None) -> StoredEnvelope:
    return StoredEnvelope(
        id=row.public_id,
        part=row.part,
        number=row.number,
        indicator=indicator,
        kind=row.kind,
        epoch=row.epoch,
        token=bytes(row.token),
        record=row.record,
        size=row.size,
        digest=bytes(row.digest),
    )


_PLACE = aliased(Indicator)
"""The indicator of an envelope, beside those that conditions look at."""

_METADATA = (
    Envelope.public_id,
    Envelope.part,
    Envelope.number,
    Envelope.kind,
    Envelope.epoch,
    Envelope.token,
    Envelope.record,
    Envelope.size,
    Envelope.digest,
)
