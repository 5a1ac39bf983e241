"""Telling what became of an indicator: its owner always learns it.

Who was given an indicator may tell, and its owner of its own. What is told is never changed: a
later outcome by the same organisation replaces it, and both stay.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.audit.service import append
from app.disclosures.models import DisclosureRequest, Outcome
from app.errors import InvalidRequestError, NotFoundError
from app.indicators.ledger import METADATA
from app.indicators.models import Given, Indicator, Report
from app.jobs.notifications import notify
from app.organisations.service import directory
from app.public_ids import new_public_id
from postern.vocabulary import (
    Kind,
    Learned,
    OutcomeResult,
    Role,
    SourceGrade,
    Step,
    Substance,
    Unit,
)

KEPT = timedelta(days=5 * 365)
"""For so long an outcome counts: by then what it says of a source is history."""

BATCH = 500

MOST = Decimal("99999999999.999")
"""Of a quantity: as much as its column holds."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an indicator: which steps were taken, and what came of it."""

    asked: Step
    located: Step
    held: Step
    examined: Step
    result: OutcomeResult
    substance: Substance | None = None
    quantity: Decimal | None = None
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """The indicator an outcome is about: by what it is counted, and whose it is."""

    owner_id: int
    report: UUID
    kind: Kind
    learned: Learned
    source_grade: SourceGrade
    barrier_step: int | None


@dataclass(frozen=True, slots=True)
class OutcomeTold:
    """That an outcome stands; `replaces` is the organisation's earlier one on the same."""

    id: UUID
    indicator: UUID
    result: OutcomeResult
    made_at: datetime
    replaces: UUID | None


def tell(
    session: Session,
    caller: Caller,
    *,
    indicator: UUID,
    case: str,
    told: Told,
    request: UUID | None = None,
) -> OutcomeTold:
    """Tell what became of an indicator that the organisation was given, or that is its own.

    `request` is a disclosure request about it, made by the organisation or to it. NotFoundError
    for any other indicator or request, InvalidRequestError for an outcome that contradicts itself.
    """
    organisation_id, _ = caller.member
    of = _counted(session, organisation_id, indicator)
    if of is None:
        raise NotFoundError
    if request is not None:
        _require_request(session, organisation_id, indicator, request)
    errors = list(faults(told))
    if errors:
        raise InvalidRequestError(errors=errors)
    at = clock.now()
    earlier = session.scalar(
        select(Outcome)
        .where(
            Outcome.indicator == indicator,
            Outcome.teller_id == organisation_id,
            Outcome.replaced_at.is_(None),
        )
        .with_for_update()
    )
    if earlier is not None:
        earlier.replaced_at = at
    made = Outcome(
        public_id=new_public_id(at),
        indicator=indicator,
        report=of.report,
        request=request,
        owner_id=of.owner_id,
        teller_id=organisation_id,
        person=caller.person,
        asked=told.asked,
        located=told.located,
        held=told.held,
        examined=told.examined,
        result=told.result,
        substance=told.substance,
        quantity=told.quantity,
        unit=told.unit,
        kind=of.kind,
        learned=of.learned,
        source_grade=of.source_grade,
        barrier_step=of.barrier_step,
        made_at=at,
        replaced_at=None,
    )
    session.add(made)
    session.flush()
    _tell_owner(session, caller, made)
    _log(session, caller, made, case, earlier)
    replaces = earlier.public_id if earlier else None
    return OutcomeTold(made.public_id, indicator, made.result, at, replaces)


def expire(session: Session) -> int:
    """Erase outcomes older than KEPT, at most a batch; returns how many."""
    over = session.execute(
        select(Outcome.id, Outcome.owner_id, Outcome.public_id)
        .where(Outcome.made_at < clock.now() - KEPT)
        .order_by(Outcome.id)
        .limit(BATCH)
    ).all()
    if not over:
        return 0
    session.execute(delete(Outcome).where(Outcome.id.in_([row.id for row in over])))
    by_owner: dict[int, list[str]] = {}
    for row in over:
        by_owner.setdefault(row.owner_id, []).append(str(row.public_id))
    members = directory(session)
    for owner_id, ids in sorted(by_owner.items()):
        append(
            session,
            CONSOLE,
            "outcome.expire",
            audience=[members[owner_id].code],
            object_type="outcome",
            objects=ids,
        )
    return len(over)


def may_tell(session: Session, organisation_id: int, indicator: UUID) -> bool:
    """Whether the organisation may tell what became of the indicator."""
    return _counted(session, organisation_id, indicator) is not None


def faults(told: Told) -> Iterator[dict[str, str]]:
    """What in an outcome contradicts the rest: the field, and what to do."""
    if told.examined is Step.YES and told.located is not Step.YES:
        yield _fault("located", "An item that was examined was located: say yes.")
    if told.held is Step.YES and told.located is not Step.YES:
        yield _fault("located", "An item that was held was located: say yes.")
    if told.result is OutcomeResult.FOUND and told.examined is not Step.YES:
        yield _fault("examined", "What was found was found by examining it: say yes.")
    if told.substance is not None and told.result is not OutcomeResult.FOUND:
        yield _fault("substance", "Name a substance only where something was found.")
    if told.quantity is not None and told.substance is None:
        yield _fault("substance", "Say of which substance the quantity is.")
    if told.quantity is not None and told.unit is None:
        yield _fault("unit", "Say in which unit the quantity is.")
    if told.unit is not None and told.quantity is None:
        yield _fault("quantity", "Say how much of the unit it is, or leave the unit out.")
    if told.quantity is not None and not 0 < told.quantity <= MOST:
        yield _fault("quantity", "Write a quantity above 0 and below 100,000,000,000.")


def _fault(field: str, reason: str) -> dict[str, str]:
    return {"field": f"json.{field}", "reason": reason}


def _counted(session: Session, organisation_id: int, indicator: UUID) -> Counted | None:
    """The indicator as it stands, or stood at its end; whoever tells of the same waits.

    The indicator is locked before its ledger, as a withdrawal does it.
    """
    row = session.execute(
        select(
            Indicator.organisation_id.label("owner_id"),
            Report.public_id.label("report"),
            Indicator.kind.label("kind"),
            Indicator.learned.label("learned"),
            Indicator.source_grade.label("source_grade"),
            Report.barrier_step.label("barrier_step"),
        )
        .join(Report, Report.id == Indicator.report_id)
        .where(Indicator.public_id == indicator)
        .with_for_update(key_share=True, of=Indicator)
    ).first()
    standing = None if row is None else Counted(**row._asdict())
    if standing is not None and standing.owner_id == organisation_id:
        return standing
    # To the owner, a gift of which it may not be told must not show here either; and what went
    # into a screening filter was not named to its recipient.
    is_known = (Given.owner_id == organisation_id) & Given.tells_owner
    is_named = (Given.recipient_id == organisation_id) & (Given.level >= METADATA)
    given = session.scalars(
        select(Given)
        .where(Given.indicator == indicator, is_named | is_known)
        .order_by(Given.recipient_id, Given.way)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if not given or (standing is None and given[0].ended is None):
        return None  # nobody got it, or it is a shipping pattern, which has outcomes of its own
    return standing or _as_kept(given[0])


def _as_kept(given: Given) -> Counted:
    kept = given.ended
    if kept is None:
        raise LookupError("an indicator ended and nothing was kept beside its ledger")
    return Counted(
        owner_id=given.owner_id,
        report=UUID(kept["report"]),
        kind=Kind(kept["kind"]),
        learned=Learned(kept["learned"]),
        source_grade=SourceGrade(kept["source_grade"]),
        barrier_step=kept["barrier_step"],
    )


def _require_request(
    session: Session, organisation_id: int, indicator: UUID, request: UUID
) -> None:
    found = session.scalar(
        select(DisclosureRequest.id).where(
            DisclosureRequest.public_id == request,
            DisclosureRequest.indicator == indicator,
            or_(
                DisclosureRequest.requester_id == organisation_id,
                DisclosureRequest.owner_id == organisation_id,
            ),
        )
    )
    if found is None:
        raise NotFoundError


def _tell_owner(session: Session, caller: Caller, made: Outcome) -> None:
    """Whoever tells: those who submitted it always learn what became of it."""
    facts = {
        "organisation": caller.organisation,
        "result": made.result.value,
        **({"substance": made.substance.value} if made.substance else {}),
    }
    address = f"/outcomes?report={made.report}"
    notify(session, made.owner_id, Role.SUBMITTER, "outcome.told", facts, address)


def _log(
    session: Session, caller: Caller, made: Outcome, case: str, earlier: Outcome | None
) -> None:
    objects = [str(made.public_id), str(made.indicator)]
    details = {"result": made.result.value, **({"again": True} if earlier else {})}
    append(
        session,
        caller,
        "outcome.tell",
        case=case,
        object_type="outcome",
        objects=objects,
        count=1,
        details=details,
    )
    if made.owner_id != made.teller_id:
        append(
            session,
            caller,
            "outcome.told",
            audience=[directory(session)[made.owner_id].code],
            tell_actor=False,
            object_type="outcome",
            objects=objects,
            count=1,
            details={**details, "teller": caller.organisation},
        )
