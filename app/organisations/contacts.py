"""The desk of a member through which others talk to it: a function, never a person."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.service import append
from app.organisations.models import ContactPoint


@dataclass(frozen=True, slots=True)
class Contact:
    """How a desk is reached; `mail` and `phone` are "" where there is none, never both."""

    desk: str
    mail: str
    phone: str
    hours: str


@dataclass(frozen=True, slots=True)
class OwnContact:
    """One's own desk; empty, and never changed, while none was entered."""

    desk: str = ""
    mail: str = ""
    phone: str = ""
    hours: str = ""
    changed_at: datetime | None = None


def contact(session: Session, organisation_id: int) -> Contact | None:
    """The desk of a member; None while none was entered."""
    row = session.get(ContactPoint, organisation_id)
    return None if row is None else _contact(row)


def contacts(session: Session) -> Mapping[int, Contact]:
    """The desks of all members that entered one, by organisation."""
    return {row.organisation_id: _contact(row) for row in session.scalars(select(ContactPoint))}


def read_own(session: Session, caller: Caller) -> OwnContact:
    """The desk of the caller's organisation."""
    organisation_id, _ = caller.member
    append(
        session,
        caller,
        "contact.read",
        object_type="organisation",
        objects=[caller.organisation],
    )
    row = session.get(ContactPoint, organisation_id)
    return OwnContact() if row is None else _own(row)


def change(session: Session, caller: Caller, wanted: Contact) -> OwnContact:
    """Enter or replace the desk of the caller's organisation. What it says is not logged."""
    organisation_id, _ = caller.member
    row = session.scalar(
        select(ContactPoint)
        .where(ContactPoint.organisation_id == organisation_id)
        .with_for_update()
    )
    if row is None:
        row = ContactPoint(organisation_id=organisation_id)
        session.add(row)
    for name, text in asdict(wanted).items():
        setattr(row, name, text)
    row.changed_at = clock.now()
    row.changed_by = caller.person  # type: ignore[assignment]  # a member is a person
    append(
        session,
        caller,
        "contact.change",
        object_type="organisation",
        objects=[caller.organisation],
    )
    return _own(row)


def _contact(row: ContactPoint) -> Contact:
    return Contact(row.desk, row.mail, row.phone, row.hours)


def _own(row: ContactPoint) -> OwnContact:
    return OwnContact(row.desk, row.mail, row.phone, row.hours, row.changed_at)
