"""Keys of the stage's members, sealed files of their reports, and alarms about keys."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import Caller
from app.indicators import envelopes
from app.organisations import key_alarms, keys
from postern.envelope import Context
from postern.organisation_keys import OrganisationKeys
from tests.app.matrix.expectations import Named, State
from tests.app.sealing import NO_TOKEN, member_keys, sealed, wire
from tests.app.sharing.ground import NOON

_BEGINNING = NOON - timedelta(days=30)
_FINGERPRINT = "-".join(["ABCD"] * 8)


def publish_keys(session: Session, caller: Caller) -> OrganisationKeys:
    """Keys of the caller's organisation, published."""
    made = member_keys(caller.organisation, begins=_BEGINNING)
    keys.publish(session, caller, wire(made))
    return made


def sealed_file(held: OrganisationKeys, client_key: str, number: int) -> bytes:
    """A file of the report with this key, sealed to its owner."""
    owner = held.entry.organisation
    return sealed(held, Context(owner, "report", 0, NO_TOKEN, client_key, f"attachment/{number}"))


def attach_file(
    session: Session, caller: Caller, held: OrganisationKeys, report: UUID, client_key: str
) -> UUID:
    """The report's first file; its id."""
    raw = sealed_file(held, client_key, 1)
    stored, _ = envelopes.attach(session, caller, report, 1, raw)
    return stored.id


def make_alarms(session: Session, caller: Caller, about: str) -> dict[tuple[Named, State], UUID]:
    """One that is open and one that is closed, both by the caller's organisation."""
    made = {}
    for number, state in enumerate((State.LIVE, State.CLOSED), 1):
        alarm, _ = key_alarms.report_swap(
            session, caller, about, number=number, pinned="", offered=_FINGERPRINT
        )
        made[Named.KEY_ALARM, state] = alarm.id
    key_alarms.close(session, caller, made[Named.KEY_ALARM, State.CLOSED])
    return made
