"""Which collection is asked, by whom, and under which profile: one statement, made once.

It is the first of every request for objects: another organisation's collection, and one that ended,
are not there.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Date, Integer, Select, Table, Uuid, and_, bindparam, func, literal, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.clock import now
from app.errors import NotFoundError
from app.exchange import view_storage
from app.exchange.collections import COPIED, collection_of
from app.exchange.models import ExchangeCollection, ExchangePoller
from app.exchange.views import Collection
from app.organisations.models import Organisation
from app.prepared import Prepared
from app.sharing import grants
from app.sharing.engine import CHAIN
from app.sharing.service import current_profile, own_grounds
from app.sharing.visibility import fed_parameters
from postern.vocabulary import Role

_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Asked:
    """A collection that is asked at a moment; `decided` are the parameters of the predicate.

    `polled_at` and `polled_to` are what was last kept of this person's client, None before.
    """

    collection: Collection
    at: datetime
    decided: dict[str, Any]
    polled_at: datetime | None
    polled_to: int | None


def ask(session: Session, caller: Caller, collection: UUID) -> Asked:
    """The caller's open collection with this id; NotFoundError for any other."""
    at = now()
    organisation_id, _ = caller.member
    connection = session.connection()
    rows = _ASKED[connection.dialect.name].execute(
        connection,
        {
            "id": collection,
            "organisation": organisation_id,
            "today": at.date(),
            "person": caller.person or _NOBODY,
            "rules": grants.rules(),
        },
    )
    if not rows:
        raise NotFoundError
    row = rows[0]
    found = collection_of(row)
    profile = row.profile
    if profile is None:
        profile = view_storage.reader_profile(session, found)
    decided = {
        **fed_parameters(profile, at, CHAIN.index(found.level) + 1),
        "collection": found.key,
    }
    return Asked(found, at, decided, row.polled_at, row.polled_to)


def _asked() -> Select[Any]:
    collection = cast("Table", ExchangeCollection.__table__).c
    poller = cast("Table", ExchangePoller.__table__).c
    purpose, basis = own_grounds()
    profile = current_profile(
        collection.organisation_id,
        Role.ANALYST,
        func.coalesce(collection.purpose, literal(purpose, collection.purpose.type)),
        func.coalesce(collection.legal_basis, literal(basis, collection.legal_basis.type)),
    )
    return (
        select(
            collection.id.label("key"),
            collection.public_id.label("id"),
            collection.organisation_id,
            Organisation.code.label("organisation"),
            *(collection[name] for name in COPIED),
            collection.least,
            collection.sealed_case,
            profile.label("profile"),
            poller.last_at.label("polled_at"),
            poller.last_added.label("polled_to"),
        )
        .join(Organisation, Organisation.id == collection.organisation_id)
        .outerjoin(
            ExchangePoller,
            and_(
                poller.collection_id == collection.id,
                poller.person == bindparam("person", type_=Uuid),
            ),
        )
        .where(
            collection.public_id == bindparam("id", type_=Uuid),
            collection.organisation_id == bindparam("organisation", type_=Integer),
            collection.ended_at.is_(None),
            collection.expires_on > bindparam("today", type_=Date),
        )
    )


def _planned_once() -> Any:
    """For the rest of the transaction PostgreSQL plans a statement once for all values.

    It would plan a page anew each time, since how much was added after a date is there to be
    guessed; that takes as long as reading a hundred objects (docs/benchmarks.md, TAXII).
    """
    return func.set_config("plan_cache_mode", "force_generic_plan", True)


_ASKED = {
    "sqlite": Prepared(_asked()),
    "postgresql": Prepared(_asked().add_columns(_planned_once().label("planned"))),
}
