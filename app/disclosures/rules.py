"""How an organisation decides: when a release needs two people, and how long a delivery lives."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.service import append
from app.disclosures.asymmetry import OPERATOR_DAYS, is_guarded
from app.disclosures.models import DisclosureRequest, DisclosureRules
from app.errors import InvalidRequestError
from app.jobs.notifications import notify
from app.organisations.service import Member
from app.runtime import runtime
from postern.vocabulary import FourEyes, Kind, Role, SealedPart

DEFAULT = FourEyes.PERSONS
"""What holds where an organisation chose nothing."""

OF_PERSONS = frozenset({Kind.PARTY, Kind.ADDRESS, Kind.PHONE, Kind.EMAIL, Kind.PAYMENT})
"""Kinds whose value can name a person."""

FREE_PARTS = frozenset({SealedPart.NOTE, SealedPart.ATTACHMENT})
"""Parts that can name a person whatever the kind: free text, the photo of a label."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for an organisation; `changed_at` is None for the defaults."""

    four_eyes: FourEyes
    delivery_days: int
    changed_at: datetime | None


def held(session: Session, organisation_id: int) -> Rules:
    """The rules of an organisation."""
    row = session.get(DisclosureRules, organisation_id)
    most = _most_days()
    if row is None:
        return Rules(DEFAULT, most, None)
    return Rules(row.four_eyes, min(row.delivery_days, most), row.changed_at)


def read(session: Session, caller: Caller) -> Rules:
    """The caller's own rules."""
    found = held(session, caller.member[0])
    append(session, caller, "disclosure.rules-read", object_type="disclosure_rules", count=1)
    return found


def change(session: Session, caller: Caller, *, four_eyes: FourEyes, delivery_days: int) -> Rules:
    """Let other rules hold from now on; compliance is told.

    InvalidRequestError when a delivery would live longer than disclosure.delivery_days.
    """
    organisation_id, _ = caller.member
    most = _most_days()
    if not 1 <= delivery_days <= most:
        reason = f"A delivery lives for 1 to {most} days on this platform."
        errors = [{"field": "json.delivery_days", "reason": reason}]
        raise InvalidRequestError(errors=errors)
    at = clock.now()
    before = held(session, organisation_id)
    _store(
        session,
        organisation_id,
        four_eyes=four_eyes,
        delivery_days=delivery_days,
        changed_at=at,
        changed_by=caller.person,
    )
    if (before.four_eyes, before.delivery_days) != (four_eyes, delivery_days):
        told = {"four_eyes": four_eyes.value, "days": delivery_days}
        address = "/disclosures/rules"
        notify(session, organisation_id, Role.COMPLIANCE, "disclosure.rules", told, address)
    append(
        session,
        caller,
        "disclosure.rules",
        object_type="disclosure_rules",
        count=1,
        details={
            "four_eyes": [before.four_eyes.value, four_eyes.value],
            "delivery_days": [before.delivery_days, delivery_days],
        },
    )
    return Rules(four_eyes, delivery_days, at)


def needs_second(
    rules: Rules,
    request: DisclosureRequest,
    parts: Collection[SealedPart],
    *,
    requester: Member,
    owner: Member,
) -> bool:
    """Whether another approver must agree before these parts are given."""
    if rules.four_eyes is FourEyes.ALWAYS or is_guarded(requester.sector, owner.sector):
        return True
    if rules.four_eyes is FourEyes.NEVER:
        return False
    return request.kind in OF_PERSONS or not FREE_PARTS.isdisjoint(parts)


def lives(rules: Rules, requester: Member, owner: Member) -> timedelta:
    """How long a delivery can be fetched."""
    days = rules.delivery_days
    if is_guarded(requester.sector, owner.sector):
        days = min(days, OPERATOR_DAYS)
    return timedelta(days=days)


def _most_days() -> int:
    return runtime().settings.disclosure.delivery_days


def _store(session: Session, organisation_id: int, **columns: object) -> None:
    """In one statement, so that of two changes at once the later holds."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    make = postgresql_insert if is_postgresql else sqlite_insert
    statement = make(DisclosureRules).values(organisation_id=organisation_id, **columns)
    session.execute(
        statement.on_conflict_do_update(index_elements=["organisation_id"], set_=columns)
    )
