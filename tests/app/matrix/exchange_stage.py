"""Collections of the stage, one open and one closed, and addresses that the open one tells."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.exchange import collections, news, statuses, view_writing
from app.exchange.models import CollectionKind, ExchangeEntry
from app.exchange.statuses import Outcome
from app.indicators.telling import Grounds
from postern.misp.feed import EventName
from postern.stix.names import split_id
from postern.vocabulary import LegalBasis, Purpose
from tests.app.matrix.compliance_stage import Made
from tests.app.matrix.expectations import Named, State

_GROUNDS = Grounds(Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE, "PV-2026-031")


def make_collections(session: Session, caller: Caller) -> Made:
    """One of each, opened by `caller`; nothing is sent to either address."""
    made: Made = {}
    for state in (State.LIVE, State.CLOSED):
        opened = collections.open_collection(
            session, caller, kind=CollectionKind.SHARED, title="Shared", grounds=_GROUNDS
        ).id
        made[Named.COLLECTION, state] = made[Named.KEPT_COLLECTION, state] = opened
    collections.close(session, caller, made[Named.COLLECTION, State.CLOSED])
    made |= _make_own(session, caller)
    live = made[Named.COLLECTION, State.LIVE]
    for state in (State.LIVE, State.REVOKED):
        made[Named.NEWS, state] = _told(session, caller, live)
    news.remove(session, caller, live, made[Named.NEWS, State.REVOKED])
    return made


def _make_own(session: Session, caller: Caller) -> Made:
    """The same of what `caller`'s organisation submitted, with an object in the open one."""
    made: Made = {}
    for state in (State.LIVE, State.CLOSED):
        made[Named.OWN_COLLECTION, state] = collections.open_collection(
            session, caller, kind=CollectionKind.OWN, title="Own"
        ).id
    collections.close(session, caller, made[Named.OWN_COLLECTION, State.CLOSED])
    live = made[Named.OWN_COLLECTION, State.LIVE]
    key = collections.find(session, caller.member[0], live).key
    view_writing.fill(session, key)
    named = split_id(
        session.scalars(
            select(ExchangeEntry.stix_id)
            .where(ExchangeEntry.collection_id == key, ExchangeEntry.type == "indicator")
            .order_by(ExchangeEntry.added)
        ).first()
    )
    if named is not None:
        made[Named.OWN_OBJECT, State.LIVE] = named[1]
    day = session.scalars(
        select(ExchangeEntry.first_day).where(ExchangeEntry.collection_id == key)
    ).first()
    if day is not None and caller.organisation:
        event = EventName(live, caller.organisation, "", day)
        made[Named.OWN_EVENT, State.LIVE] = event.uuid
    outcome = Outcome("objects.0", "2026-11-20T08:00:00.000Z", is_success=False)
    made[Named.TAXII_STATUS, State.LIVE] = statuses.keep(
        session, caller, live, clock.now(), [outcome]
    ).id
    return made


def _told(session: Session, caller: Caller, collection: UUID) -> UUID:
    return news.add(session, caller, collection, "https://receiver.example/").id
