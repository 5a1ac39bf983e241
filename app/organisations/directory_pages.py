"""The page of the exchange's members, as an administrator needs it. It changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, render_template
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.guard import audited, caller, transaction
from app.organisations import contacts, service
from app.organisations.contacts import Contact
from app.organisations.models import Organisation, OrganisationKey
from app.organisations.service import Member
from app.runtime import runtime
from postern.vocabulary import Role

blueprint = Blueprint("directory", __name__)


@dataclass(frozen=True)
class Listed:
    """A member with what others must know of it; `keys_at` is when it last published keys."""

    member: Member
    joined_at: datetime
    communities: Sequence[str]
    keys: int
    keys_at: datetime | None
    desk: Contact | None
    is_own: bool
    is_operator: bool


@blueprint.get("/organisations")
@audited("organisation.list", roles=[Role.ADMINISTRATOR, Role.COMPLIANCE])
def show() -> str:
    """Show every member, suspended ones too, and one's own organisation first."""
    listed = list_members(transaction(), caller())
    return render_template(
        "administration/organisations.html",
        own=next(each for each in listed if each.is_own),
        members=listed,
    )


def list_members(session: Session, caller: Caller) -> list[Listed]:
    """Every member by its name; the reading is logged."""
    members = {member.code: member for member in service.list_all(session, caller)}
    groups, desks = service.communities(session), contacts.contacts(session)
    keys = {
        row.id: (row.entries, row.newest)
        for row in session.execute(
            select(
                OrganisationKey.organisation_id.label("id"),
                func.count().label("entries"),
                func.max(OrganisationKey.published_at).label("newest"),
            ).group_by(OrganisationKey.organisation_id)
        )
    }
    operator = runtime().settings.audit.operator
    rows = session.execute(select(Organisation.id, Organisation.code, Organisation.created_at))
    listed = [
        Listed(
            member=members[row.code],
            joined_at=row.created_at,
            communities=sorted(groups.get(row.id, ())),
            keys=keys.get(row.id, (0, None))[0],
            keys_at=keys.get(row.id, (0, None))[1],
            desk=desks.get(row.id),
            is_own=row.code == caller.organisation,
            is_operator=row.code == operator,
        )
        for row in rows
    ]
    return sorted(listed, key=lambda each: (each.member.name.casefold(), each.member.code))
