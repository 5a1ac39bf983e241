"""How many evaluations an organisation may make a day to screen its parcels: none, unless agreed.

Whoever evaluates in bulk could go through a whole register of addresses, so this allowance stands
beside the quotas of lookups, is agreed by kind with an end and a reason, and is the organisation's:
screening is done by a machine. Evaluations are counted before they are made, in the transaction of
their entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from marshmallow import ValidationError
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import now
from app.errors import InvalidRequestError, NotFoundError, PosternError, QuotaSpentError
from app.fields import plain_text
from app.organisations.service import directory, find
from app.patterns.filter_models import ScreeningAllowance, ScreeningBudget
from app.pseudonyms.quota import Remaining
from postern.vocabulary import EvaluationKind

LONGEST = timedelta(days=366)
"""From the day on which it is agreed to the last day of an allowance."""

_LARGEST = 1_000_000_000  # evaluations a day
_REASON_LENGTH = 200  # characters
_KEPT = timedelta(days=62)  # counts of past days


class ScreeningNotAgreedError(PosternError):
    """Nothing was agreed with the organisation for the kind, or the agreement is over."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "screening-not-agreed"
    title: ClassVar[str] = "No evaluations for screening are agreed with your organisation"
    remedy: ClassVar[str] = "Ask the platform's administrator to agree them for this kind."


@dataclass(frozen=True, slots=True)
class ScreeningStanding:
    """What is agreed for a kind and used of it today (UTC); `ends_on` is the last day."""

    kind: EvaluationKind
    elements: int
    ends_on: date
    used: int
    resets_at: datetime

    @property
    def left(self) -> int:
        """Evaluations that are left today."""
        return max(0, self.elements - self.used)


@dataclass(frozen=True, slots=True)
class ScreeningDay:
    """How many evaluations of a kind were used on a day, and how many are agreed for one."""

    kind: EvaluationKind
    day: date
    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class Agreed:
    """What is agreed with an organisation, for the console."""

    organisation: str
    kind: EvaluationKind
    elements: int
    ends_on: date
    reason: str
    agreed_at: datetime


def spend(
    session: Session, organisation_id: int, kind: EvaluationKind, elements: int
) -> ScreeningStanding:
    """Count `elements` against today's allowance; the caller's transaction undoes a refusal.

    ScreeningNotAgreedError, or QuotaSpentError with Retry-After.
    """
    at = now()
    today = at.astimezone(UTC).date()
    allowance = session.get(ScreeningAllowance, (organisation_id, kind))
    if allowance is None or allowance.ends_on < today:
        raise ScreeningNotAgreedError
    key = {"organisation_id": organisation_id, "kind": kind, "day": today}
    used = _add(session, key, elements)
    standing = _standing(allowance, used, today)
    if used > allowance.elements:
        seconds = max(1, int((standing.resets_at - at).total_seconds()) + 1)
        raise QuotaSpentError(
            "The evaluations for screening of this day are spent.",
            headers={"Retry-After": str(seconds)},
            window="day",
            resets_at=standing.resets_at.isoformat(timespec="seconds"),
        )
    return standing


def left_today(session: Session, organisation_id: int, kind: EvaluationKind) -> Remaining:
    """What is left of a kind's allowance, without counting anything. ScreeningNotAgreedError."""
    for each in standings(session, organisation_id):
        if each.kind is kind:
            return Remaining(each.left, each.resets_at)
    raise ScreeningNotAgreedError


def standings(session: Session, organisation_id: int) -> list[ScreeningStanding]:
    """What is agreed with the organisation and stands today, in the order of kinds."""
    today = now().astimezone(UTC).date()
    used = {
        row.kind: row.used
        for row in session.scalars(
            select(ScreeningBudget).where(
                ScreeningBudget.organisation_id == organisation_id, ScreeningBudget.day == today
            )
        )
    }
    found = session.scalars(
        select(ScreeningAllowance).where(
            ScreeningAllowance.organisation_id == organisation_id,
            ScreeningAllowance.ends_on >= today,
        )
    )
    by_kind = {row.kind: _standing(row, used.get(row.kind, 0), today) for row in found}
    return [by_kind[kind] for kind in EvaluationKind if kind in by_kind]


def used_above(
    session: Session, organisation_id: int, percent: int, since: date
) -> list[ScreeningDay]:
    """The days from `since` on, of which more than `percent` of what is agreed now was used."""
    rows = session.execute(
        select(ScreeningBudget, ScreeningAllowance.elements)
        .join(
            ScreeningAllowance,
            (ScreeningAllowance.organisation_id == ScreeningBudget.organisation_id)
            & (ScreeningAllowance.kind == ScreeningBudget.kind),
        )
        .where(
            ScreeningBudget.organisation_id == organisation_id,
            ScreeningBudget.day >= since,
            ScreeningBudget.used * 100 > ScreeningAllowance.elements * percent,
        )
        .order_by(ScreeningBudget.kind, ScreeningBudget.day)
    )
    return [ScreeningDay(row.kind, row.day, row.used, elements) for row, elements in rows]


def agreed(session: Session) -> list[Agreed]:
    """What is agreed with all organisations, in the order of their codes."""
    members = directory(session)
    rows = session.scalars(select(ScreeningAllowance))
    return sorted(
        (
            Agreed(
                members[row.organisation_id].code,
                row.kind,
                row.elements,
                row.ends_on,
                row.reason,
                row.agreed_at,
            )
            for row in rows
        ),
        key=lambda each: (each.organisation, each.kind),
    )


def allow(
    session: Session,
    caller: Caller,
    organisation: str,
    kind: EvaluationKind,
    *,
    elements: int,
    ends_on: date,
    reason: str,
) -> None:
    """Agree on evaluations a day for a kind, in place of what was agreed before.

    UnknownOrganisationError; InvalidRequestError for a number, day or reason that breaks the rules.
    """
    organisation_id, _ = find(session, organisation)
    at = now()
    reason = reason.strip()
    _check(elements, ends_on, reason, at.astimezone(UTC).date())
    session.merge(
        ScreeningAllowance(
            organisation_id=organisation_id,
            kind=kind,
            elements=elements,
            ends_on=ends_on,
            reason=reason,
            agreed_at=at,
        )
    )
    session.flush()
    append(
        session,
        caller,
        "screening.allow",
        audience=[organisation],
        object_type="organisation",
        objects=[organisation],
        details={
            "kind": kind.value,
            "elements": elements,
            "until": ends_on.isoformat(),
            "reason": reason,
        },
    )


def end(session: Session, caller: Caller, organisation: str, kind: EvaluationKind) -> None:
    """End what is agreed; UnknownOrganisationError, NotFoundError when nothing is."""
    organisation_id, _ = find(session, organisation)
    row = session.get(ScreeningAllowance, (organisation_id, kind))
    if row is None:
        raise NotFoundError(
            "Nothing is agreed with this organisation for this kind.",
            remedy="List what is agreed with: flask --app wsgi screening list",
        )
    session.delete(row)
    _log_end(session, caller, organisation, kind, "ended")


def expire(session: Session, caller: Caller) -> int:
    """Remove what is over, and counts of days long past; returns how many agreements ended."""
    today = now().astimezone(UTC).date()
    members = directory(session)
    over = session.scalars(
        select(ScreeningAllowance).where(ScreeningAllowance.ends_on < today).with_for_update()
    ).all()
    for row in over:
        session.delete(row)
        _log_end(session, caller, members[row.organisation_id].code, row.kind, "expired")
    session.execute(delete(ScreeningBudget).where(ScreeningBudget.day < today - _KEPT))
    return len(over)


def _check(elements: int, ends_on: date, reason: str, today: date) -> None:
    errors = []
    if not 1 <= elements <= _LARGEST:
        errors.append(_error("elements", f"Write a number from 1 to {_LARGEST:,}."))
    if not today <= ends_on <= today + LONGEST:
        errors.append(_error("until", f"Choose a day within {LONGEST.days} days from today."))
    if not 1 <= len(reason) <= _REASON_LENGTH:
        errors.append(_error("reason", f"Write why, in 1 to {_REASON_LENGTH} characters."))
    try:
        plain_text(reason)
    except ValidationError as error:
        errors.append(_error("reason", str(error.messages[0])))
    if errors:
        raise InvalidRequestError(errors=errors)


def _error(field: str, reason: str) -> dict[str, str]:
    return {"field": field, "reason": reason}


def _log_end(
    session: Session, caller: Caller, organisation: str, kind: EvaluationKind, cause: str
) -> None:
    append(
        session,
        caller,
        "screening.end",
        audience=[organisation],
        object_type="organisation",
        objects=[organisation],
        details={"kind": kind.value, "cause": cause},
    )


def _standing(row: ScreeningAllowance, used: int, today: date) -> ScreeningStanding:
    resets_at = datetime.combine(today + timedelta(days=1), datetime.min.time(), UTC)
    return ScreeningStanding(row.kind, row.elements, row.ends_on, used, resets_at)


def _add(session: Session, key: Mapping[str, Any], elements: int) -> int:
    """Add to the count and return it; the row stays locked until the commit."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql_insert if postgresql else sqlite_insert
    statement = insert(ScreeningBudget).values(**key, used=elements)
    counted = statement.on_conflict_do_update(
        index_elements=list(key), set_={"used": ScreeningBudget.used + elements}
    ).returning(ScreeningBudget.used)
    return int(session.execute(counted).scalar_one())
