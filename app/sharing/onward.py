"""Whether a reader may pass on what it sees to a third organisation.

The answer depends on the third organisation, so it is not among the grants: the policies in force
are asked at once. It is no permission to see: who asks must have found the indicator visible at
`metadata` or above, through `app.sharing.visibility`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import day
from app.organisations.models import Organisation, OrganisationStatus
from app.sharing import grants, versions
from app.sharing.classes import age_band
from app.sharing.classes import read as read_class
from app.sharing.models import ShareClass
from app.sharing.seats import Seat
from postern.vocabulary import LegalBasis, Purpose, Role


@dataclass(frozen=True, slots=True)
class Question:
    """Who would pass on what of whom to whom, and why; organisations by their ids."""

    owner_id: int
    share_class_id: int
    seen_day: int  # days since 1970
    reader_id: int
    role: Role
    purpose: Purpose
    legal_basis: LegalBasis
    to_id: int


@dataclass(frozen=True, slots=True)
class Permission:
    """The answer; of a denial nothing more is told.

    `policy` names the version that allows it, such as post-be/3, and `rules` are the labels of its
    rules; the platform's own where the owner asks of its own.
    """

    allowed: bool
    policy: str | None = None
    rules: tuple[str, ...] = ()


DENIED = Permission(False)


def verdict(session: Session, question: Question, at: datetime) -> Permission:
    """What the policies of the owner that are in force at the moment `at` say.

    Nothing may be passed on to an organisation that is suspended: it may see nothing.
    """
    if not _is_active(session, question.to_id):
        return DENIED
    members = grants.members(session)
    owner = grants.owner(session, question.owner_id, at)
    seat = Seat(members[question.reader_id], question.role, question.purpose, question.legal_basis)
    attributes = read_class(
        session.execute(
            select(ShareClass.attributes).where(ShareClass.id == question.share_class_id)
        ).scalar_one()
    )
    subject = (attributes, age_band(day(at) - question.seen_day))
    found = owner.policies.may_pass_on(owner.member, seat, subject, members[question.to_id])
    if not found.allowed:
        return DENIED
    held = versions.in_force(session, question.owner_id, at)
    is_own = question.owner_id == question.reader_id
    return Permission(
        allowed=True,
        policy="platform" if is_own or held is None else f"{owner.member.code}/{held.seq}",
        rules=tuple(owner.policies.labels[each] for each in found.reasons),
    )


def _is_active(session: Session, organisation_id: int) -> bool:
    status = session.execute(
        select(Organisation.status).where(Organisation.id == organisation_id)
    ).scalar_one()
    return status is OrganisationStatus.ACTIVE
