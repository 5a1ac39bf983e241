"""The verbs of tags: what is suggested for a report, what a person decided, and for what.

A person tags what their own organisation holds: its reports, its patterns, and the outcomes that it
told. Suggestions follow from rules over a report's coarse facts, and are nothing until somebody
takes them. The step of a report is kept as its policies know it, by the verb that amends reports.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.access import Caller
from app.audit.service import append
from app.barriers import model_storage, noting
from app.barriers.facts import FACT_FIELDS, Facts
from app.barriers.model import BarrierModel
from app.barriers.modelling import used
from app.barriers.models import ModelVersion, StepTag, StepTagSignal, StoredModel
from app.barriers.refusals import ModelChangedError, TooManyTagsError
from app.barriers.suggesting import Because, Suggestion, suggested_steps, suggestions
from app.clock import now
from app.disclosures.models import Outcome
from app.errors import InvalidRequestError, NotFoundError
from app.indicators.amending import Correction, ReportEndedError, amend_report
from app.indicators.ending import held_reports
from app.indicators.hooks import Ending
from app.indicators.models import Indicator, Report, ReportStatus
from app.patterns.models import SharedPattern
from postern.patterns.reading import LAST_STEP
from postern.vocabulary import RecallReason, Role

TAGGERS = (Role.ANALYST, Role.SUBMITTER)
MOST_SIGNALS = 40  # of one tag
MOST_TAGS = 50  # of one thing
BATCH = 500  # tags that are erased at once


class Subject(StrEnum):
    """What a tag is of."""

    REPORT = "report"
    PATTERN = "pattern"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Suggested:
    """What is suggested for a report by the model in use; steps with the likeliest first."""

    model: UUID
    version: int
    document: BarrierModel
    steps: Sequence[int]
    signals: Sequence[Suggestion]


@dataclass(frozen=True, slots=True)
class TaggedSignal:
    """A signal of a tag; `suggestion` None: the person's own."""

    key: str
    suggestion: Suggestion | None


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag with the version of the model that it was made with; `step` None: at none."""

    model: UUID
    version: int
    document: BarrierModel
    step: int | None
    signals: Sequence[TaggedSignal]
    rejected: Sequence[str]
    made_at: datetime
    made_by: UUID


def suggest(session: Session, caller: Caller, report: UUID) -> Suggested:
    """What the rules of the model in use suggest for one's own report.

    Raises NotFoundError, and NoModelError where there is no model. A report that is over has no
    facts, so nothing is suggested for it.
    """
    organisation_id, _ = caller.member
    row_id = _row_id(session, organisation_id, Subject.REPORT, report)
    model, version = used(session, organisation_id)
    document = model_storage.read_kept(version)
    found = suggestions(document, facts(session, row_id))
    append(
        session,
        caller,
        "step.suggest",
        object_type="report",
        objects=[str(report)],
        details=_told(model, version),
    )
    steps = [each.number for each in suggested_steps(found)]
    return Suggested(model.public_id, version.seq, document, steps, found)


def tags(session: Session, caller: Caller, subject: Subject, public_id: UUID) -> list[Tag]:
    """The tags of a thing of one's own, newest first: the first one holds. NotFoundError."""
    organisation_id, _ = caller.member
    row_id = _row_id(session, organisation_id, subject, public_id)
    append(session, caller, "step.read", object_type=subject.value, objects=[str(public_id)])
    return _tags(session, subject, row_id)


def tag(  # noqa: PLR0917 - a thing, and what is said of it
    session: Session,
    caller: Caller,
    subject: Subject,
    public_id: UUID,
    step: int | None,
    signals: Sequence[str],
    seen: int | None = None,
) -> list[Tag]:
    """Say at which step of the model in use a thing of one's own is, and which signals it shows.

    It follows the tags before it, which stay. `seen` is the version that the person decided by:
    ModelChangedError when another one is in use. Raises NotFoundError, NoModelError,
    InvalidRequestError for what the model does not have, ReportEndedError for a report of which
    nothing is left, TooManyTagsError. Returns all tags, newest first.
    """
    organisation_id, _ = caller.member
    row_id = _row_id(session, organisation_id, subject, public_id, is_locked=True)
    model, version = used(session, organisation_id)
    if seen is not None and seen != version.seq:
        raise ModelChangedError(version=version.seq)
    document = model_storage.read_kept(version)
    chosen = _checked(document, step, signals)
    counted = select(func.count()).where(_column(subject) == row_id)
    if session.execute(counted).scalar_one() >= MOST_TAGS:
        raise TooManyTagsError(f"It has {MOST_TAGS}.")
    found: Sequence[Suggestion] = ()
    if subject is Subject.REPORT:
        _keep_step(session, caller, public_id, row_id, step)
        found = suggestions(document, facts(session, row_id))
    row = StepTag(
        organisation_id=organisation_id,
        **{_column(subject).key: row_id},
        version_id=version.id,
        step=step,
        suggested={
            each.signal: [[because.field, list(because.values)] for because in each.because]
            for each in found
            if each.signal in chosen
        },
        rejected=[each.signal for each in found if each.signal not in chosen],
        made_at=now(),
        made_by=caller.pseudonym,
    )
    session.add(row)
    session.flush()
    session.add_all(StepTagSignal(tag_id=row.id, signal=each) for each in chosen)
    session.flush()
    if subject is Subject.REPORT:
        noting.on_tagged(session, row_id)
    append(
        session,
        caller,
        "step.tag",
        object_type=subject.value,
        objects=[str(public_id)],
        details={
            **_told(model, version),
            "step": step,
            "signals": list(chosen),
            "suggested": sorted(row.suggested),
            "rejected": row.rejected,
        },
    )
    return _tags(session, subject, row_id)


def facts(session: Session, report_id: int) -> Facts:
    """The coarse facts of a report, by its inner key, and of those of its indicators that live."""
    report = session.get_one(Report, report_id)
    indicators = session.scalars(select(Indicator).where(*_living(report_id))).all()
    found: dict[str, frozenset[str]] = {}
    for name in FACT_FIELDS:
        holders: Iterable[Report | Indicator] = (
            [report] if name in Report.__table__.columns else indicators
        )
        values = (getattr(each, name) for each in holders)
        found[name] = frozenset(str(each) for each in values if each is not None)
    return found


def on_ending(session: Session, _caller: Caller, ending: Ending) -> None:
    """Erase the tags of a report that is withdrawn, unless a legal hold keeps it.

    A report whose time is over keeps its coarse fields, and its tags with them.
    """
    if ending.recalled is None:
        return
    reports = session.scalars(
        select(Indicator.report_id).where(Indicator.public_id.in_(ending.indicators)).distinct()
    ).all()
    over = set(reports) - held_reports(session, reports, ending.at.date())
    session.execute(delete(StepTag).where(StepTag.report_id.in_(over)))


def erase(session: Session) -> int:
    """Erase the tags of withdrawn reports that a hold kept until now; how many.

    The entry of the log that tells the end of the report tells of them too.
    """
    is_over = (
        select(Report.id)
        .where(
            Report.id == StepTag.report_id,
            Report.status == ReportStatus.WITHDRAWN,
            ~exists().where(Indicator.report_id == Report.id),
        )
        .exists()
    )
    found = session.scalars(select(StepTag.id).where(is_over).limit(BATCH)).all()
    session.execute(delete(StepTag).where(StepTag.id.in_(found)))
    return len(found)


_SUBJECTS: Mapping[Subject, tuple[Any, InstrumentedAttribute[Any]]] = {
    Subject.REPORT: (Report, Report.organisation_id),
    Subject.PATTERN: (SharedPattern, SharedPattern.organisation_id),
    Subject.OUTCOME: (Outcome, Outcome.teller_id),
}
"""Where things are, and whose they are: an outcome is that of who told it."""


def _row_id(
    session: Session,
    organisation_id: int,
    subject: Subject,
    public_id: UUID,
    *,
    is_locked: bool = False,
) -> int:
    table, owner = _SUBJECTS[subject]
    wanted = select(table.id).where(table.public_id == public_id, owner == organisation_id)
    found: int | None = session.scalar(wanted.with_for_update() if is_locked else wanted)
    if found is None:
        raise NotFoundError
    return found


def _column(subject: Subject) -> InstrumentedAttribute[Any]:
    match subject:
        case Subject.REPORT:
            return StepTag.report_id
        case Subject.PATTERN:
            return StepTag.pattern_id
        case Subject.OUTCOME:
            return StepTag.outcome_id


def _checked(document: BarrierModel, step: int | None, signals: Sequence[str]) -> tuple[str, ...]:
    """The signals, each once; InvalidRequestError for what the model does not have."""
    errors = []
    if step is not None and step > len(document.steps):
        reason = f"The model in use has {len(document.steps)} steps."
        errors.append({"field": "json.step", "reason": reason})
    known = {signal.key for _, signal in document.signals}
    errors += [
        {"field": f"json.signals.{place}", "reason": "The model in use has no such signal."}
        for place, key in enumerate(signals)
        if key not in known
    ]
    if errors:
        raise InvalidRequestError(errors=errors)
    return tuple(dict.fromkeys(signals))


def _keep_step(
    session: Session, caller: Caller, public_id: UUID, report_id: int, step: int | None
) -> None:
    """The report's own step, by which policies decide; of a longer model it has none past 7."""
    report = session.get_one(Report, report_id)
    has_left = session.scalar(select(exists().where(*_living(report_id))))
    if report.status is ReportStatus.WITHDRAWN or not has_left:
        raise ReportEndedError
    wanted = step if step is not None and step <= LAST_STEP else None
    if report.barrier_step != wanted:
        correction = Correction({"barrier_step": wanted}, RecallReason.OTHER)
        amend_report(session, caller, public_id, correction)
        session.expire(report)


def _living(report_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Indicator.report_id == report_id,
        Indicator.restricted_at.is_(None),
        Indicator.expires_on > now().date(),
    )


def _tags(session: Session, subject: Subject, row_id: int) -> list[Tag]:
    rows = session.execute(
        select(StepTag, ModelVersion, StoredModel.public_id)
        .join(ModelVersion, ModelVersion.id == StepTag.version_id)
        .join(StoredModel, StoredModel.id == ModelVersion.model_id)
        .where(_column(subject) == row_id)
        .order_by(StepTag.id.desc())
    ).all()
    named: dict[int, set[str]] = {}
    ids = [row.id for row, _, _ in rows]
    for tag_id, signal in session.execute(
        select(StepTagSignal.tag_id, StepTagSignal.signal).where(StepTagSignal.tag_id.in_(ids))
    ):
        named.setdefault(tag_id, set()).add(signal)
    return [_tag(row, version, model, named.get(row.id, set())) for row, version, model in rows]


def _tag(row: StepTag, version: ModelVersion, model: UUID, named: set[str]) -> Tag:
    document = model_storage.read_kept(version)
    signals = []
    for step, signal in document.signals:
        if signal.key not in named:
            continue
        counted = row.suggested.get(signal.key)
        because = [Because(field, tuple(values)) for field, values in counted or ()]
        suggestion = Suggestion(step.number, signal.key, tuple(because))
        signals.append(TaggedSignal(signal.key, suggestion if counted is not None else None))
    return Tag(
        model=model,
        version=version.seq,
        document=document,
        step=row.step,
        signals=signals,
        rejected=row.rejected,
        made_at=row.made_at,
        made_by=row.made_by,
    )


def _told(model: StoredModel, version: ModelVersion) -> dict[str, object]:
    return {"model": str(model.public_id), "version": version.seq}
