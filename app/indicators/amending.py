"""Amending: an owner corrects the coarse fields of a report or of one of its indicators.

What an indicator is of (kind, part, value, where it was learned) stays: for that a report is
withdrawn and sent anew. A new share class has its grants before the change is committed, so what
others see follows from their next request on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import now
from app.errors import ConflictError, InvalidRequestError, NotFoundError
from app.indicators import own, storage
from app.indicators.hooks import Amended, Hooks
from app.indicators.models import Indicator, Report, ReportStatus
from app.indicators.reading import FIRST_DAY, Fault, check_days, check_review, check_words
from app.runtime import runtime
from app.sharing.classes import ClassAttributes
from app.sharing.classes import read as read_class
from app.sharing.models import ShareClass
from app.sharing.service import share_class_ids
from postern.vocabulary import RecallReason, Substance


class RestrictedError(ConflictError):
    code = "indicator-restricted"
    title = "The indicator is over, and a legal hold keeps it as it is"
    remedy = "Leave it; it is erased when the hold ends."


class ReportEndedError(ConflictError):
    code = "report-ended"
    title = "The report was withdrawn, or none of its indicators is left"
    remedy = "Send what is right as a new report under a new key."


@dataclass(frozen=True, slots=True)
class Correction:
    """What is right, by the names of the columns, and why it is told only now."""

    fields: Mapping[str, Any]
    reason: RecallReason


@dataclass(frozen=True, slots=True)
class Change:
    """One field: its word before and after; days as ISO 8601, lists in order, None for nothing."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Amendment:
    """What was changed of a report or an indicator; without changes everything stood so already.

    `indicators` are those whose recipients are told.
    """

    id: UUID
    changes: Sequence[Change]
    indicators: Sequence[UUID]


def amend_indicator(
    session: Session,
    caller: Caller,
    report: UUID,
    indicator: UUID,
    correction: Correction,
) -> Amendment:
    """Give coarse fields of one of the organisation's own indicators new words.

    NotFoundError for another's as for one that is over, RestrictedError for one that a hold keeps,
    InvalidRequestError for words that contradict each other.
    """
    organisation_id, _ = caller.member
    at = now()
    row = _locked_indicator(session, organisation_id, report, indicator, at.date())
    values = _values(row, correction.fields)
    _check(row, values, at.date())
    changes = _changes(row, values)
    if changes:
        wanted = replace(_class_of(session, [row])[row.id], **_of_class(values))
        classes = share_class_ids(session, organisation_id, {wanted})
        seen_day = _seen_day(session, row, values, at)
        moved = {"share_class_id": classes[wanted], "seen_day": seen_day}
        _store(session, row, {**values, **moved, "amended_at": at})
    made = Amendment(indicator, changes, [indicator] if changes else [])
    _tell(session, caller, at, made, correction.reason)
    _log(session, caller, "indicator.amend", made, correction.reason)
    return made


def amend_report(
    session: Session,
    caller: Caller,
    report: UUID,
    correction: Correction,
) -> Amendment:
    """Give coarse fields of one of the organisation's own reports new words, or none.

    A new barrier step or substance changes the class of its indicators. NotFoundError for
    another's, ReportEndedError when nothing of it is left to be seen.
    """
    organisation_id, _ = caller.member
    at = now()
    report_id = own.row_id(session, organisation_id, report)
    if report_id is None:
        raise NotFoundError
    row = session.scalars(select(Report).where(Report.id == report_id)).one()
    held = _locked_indicators(session, report_id, at.date())
    if row.status is ReportStatus.WITHDRAWN or not held:
        raise ReportEndedError
    fields = correction.fields
    changes = _changes(row, fields)
    if changes:
        session.execute(update(Report).where(Report.id == report_id).values(**fields))
        _reclass(session, organisation_id, held, fields, at)
    made = Amendment(report, changes, [each.public_id for each in held] if changes else [])
    _tell(session, caller, at, made, correction.reason)
    _log(session, caller, "report.amend", made, correction.reason)
    return made


def _locked_indicator(
    session: Session, organisation_id: int, report: UUID, indicator: UUID, today: date
) -> Indicator:
    """The row, locked after its report; two amendments of it wait for each other."""
    report_id = own.row_id(session, organisation_id, report)
    row = session.scalar(
        select(Indicator)
        .where(Indicator.report_id == report_id, Indicator.public_id == indicator)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is not None and row.restricted_at is not None:
        raise RestrictedError
    if row is None or row.expires_on <= today:
        raise NotFoundError
    return row


def _locked_indicators(session: Session, report_id: int, today: date) -> Sequence[Indicator]:
    return session.scalars(
        select(Indicator)
        .where(
            Indicator.report_id == report_id,
            Indicator.restricted_at.is_(None),
            Indicator.expires_on > today,
        )
        .order_by(Indicator.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _values(row: Indicator, fields: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(fields)
    if "handling" in values:
        values["handling"] = sorted(values["handling"])
    expires = values.get("expires_on")
    if expires is not None and "review_on" not in values and row.review_on > expires:
        values["review_on"] = expires  # a review after the end would be of nothing
    return values


def _check(row: Indicator, values: Mapping[str, Any], today: date) -> None:
    fields = {name: getattr(row, name) for name in _CHECKED}
    # What was right when it was sent is not asked again: only days that are given now.
    if values.keys().isdisjoint(_OBSERVED):
        fields |= dict.fromkeys(_OBSERVED)
    fields |= {"expires_on": None, **values, "review_on": None}
    retention = runtime().settings.retention
    faults = [*check_words(fields), *check_days(fields, today, retention)]
    review = values.get("review_on")
    if review is not None and not faults:
        faults += check_review(review, values.get("expires_on") or row.expires_on, today)
    if faults:
        raise InvalidRequestError(errors=[_error(fault) for fault in faults])


def _error(fault: Fault) -> dict[str, str]:
    return {"field": f"json.{fault.field}", "reason": f"{fault.reason} {fault.remedy}"}


def _changes(row: Indicator | Report, values: Mapping[str, Any]) -> list[Change]:
    return [
        Change(name, _word(getattr(row, name)), _word(value))
        for name, value in values.items()
        if _word(getattr(row, name)) != _word(value)
    ]


def _word(value: Any) -> Any:
    """A value as the log and the recipients are told it."""
    if isinstance(value, list):
        return [_word(each) for each in value]
    if isinstance(value, StrEnum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def _of_class(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the new values that a share class knows, as it has them."""
    known = {name: value for name, value in values.items() if name in _IN_CLASS}
    if "handling" in known:
        known["handling"] = frozenset(known["handling"])
    if "barrier_step" in known:
        known["barrier_step"] = known["barrier_step"] or 0
    if "substance" in known:
        known["substance"] = known["substance"] or Substance.UNKNOWN
    return known


def _class_of(session: Session, rows: Sequence[Indicator]) -> dict[int, ClassAttributes]:
    """What the present class of each indicator says, by the indicator's key."""
    wanted = select(ShareClass.id, ShareClass.attributes).where(
        ShareClass.id.in_({row.share_class_id for row in rows})
    )
    stored: dict[int, dict[str, Any]] = dict(session.execute(wanted).all())
    return {row.id: read_class(stored[row.share_class_id]) for row in rows}


def _seen_day(session: Session, row: Indicator, values: Mapping[str, Any], at: datetime) -> int:
    """The day from which its age counts: as at its submission, but of the days that are right."""
    if not {"observed_from", "observed_to"} & values.keys():
        return row.seen_day
    observed = {name: values.get(name, getattr(row, name)) for name in _OBSERVED}
    sent: datetime = session.scalars(
        select(Report.created_at).where(Report.id == row.report_id)
    ).one()
    seen = observed["observed_to"] or observed["observed_from"] or sent.date()
    return (min(seen, at.date()) - FIRST_DAY).days


def _store(session: Session, row: Indicator, columns: Mapping[str, Any]) -> None:
    was, tokens, indicator_id = (row.share_class_id, row.seen_day), bytes(row.tokens), row.id
    session.execute(update(Indicator).where(Indicator.id == indicator_id).values(**columns))
    class_id, seen_day = columns["share_class_id"], columns["seen_day"]
    if (class_id, seen_day) != was:
        storage.move_postings(session, tokens, indicator_id, class_id, seen_day)


def _reclass(
    session: Session,
    organisation_id: int,
    held: Sequence[Indicator],
    fields: Mapping[str, Any],
    at: datetime,
) -> None:
    attributes = {
        indicator_id: replace(old, **_of_class(fields))
        for indicator_id, old in _class_of(session, held).items()
    }
    classes = share_class_ids(session, organisation_id, set(attributes.values()))
    for row in held:
        moved = {"share_class_id": classes[attributes[row.id]], "seen_day": row.seen_day}
        _store(session, row, {**moved, "amended_at": at})


def _tell(
    session: Session, caller: Caller, at: datetime, made: Amendment, reason: RecallReason
) -> None:
    organisation_id, _ = caller.member
    new = {change.field: change.new for change in made.changes}
    for indicator in made.indicators:
        amended = Amended(organisation_id, at, indicator, new, reason)
        for tell in runtime().part(Hooks).amended:
            tell(session, caller, amended)


def _log(session: Session, caller: Caller, act: str, made: Amendment, reason: RecallReason) -> None:
    kind, _, _ = act.partition(".")
    append(
        session,
        caller,
        act,
        object_type=kind,
        objects=[str(made.id)],
        count=len(made.indicators),
        details={
            "reason": reason.value,
            "changes": {change.field: [change.old, change.new] for change in made.changes},
            **({"indicators": [str(each) for each in made.indicators]} if kind == "report" else {}),
        },
    )


_OBSERVED = ("observed_from", "observed_to")
_CHECKED = ("kind", "role", "subject_category", "tlp", "handling", *_OBSERVED)
_IN_CLASS = frozenset(
    {
        "tlp",
        "handling",
        "source_grade",
        "information_grade",
        "assertion",
        "permitted_action",
        "barrier_step",
        "substance",
    }
)
