"""What leaves a collection: a page, a manifest, the versions of an object.

Each decides again, holds what it gives, notes it in the ledger, and logs it for the reader and for
every owner that may be told; all of it is in the transaction that must be durable before the body
leaves. A page that holds nothing is logged too. A revocation or correction that is served counts
as received.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append, know_audience
from app.disclosures.recall_answers import receive_by_feed
from app.errors import NotFoundError
from app.exchange import view_reading
from app.exchange.asked import Asked, ask
from app.exchange.models import ExchangePoller
from app.exchange.view_reading import Found
from app.exchange.views import ALL, Collection, Filters, Row, Served
from app.indicators.ledger import PRESENCE, Gift, note_given
from app.indicators.telling import Told, tell_owners
from app.organisations.service import directory
from app.sharing.engine import CHAIN
from app.sharing.reasons import decided
from postern.vocabulary import Way

__all__ = ["Filters", "Row", "Served", "note_poll", "page", "versions"]

MOST_SERVED = 2_000
"""Objects of one page, and of the ids that one entry of the log names."""

_SPEC = "2.1"
_NOTED_AFTER = timedelta(minutes=1)


def page(
    session: Session,
    caller: Caller,
    collection: UUID,
    filters: Filters,
    limit: int,
    *,
    after: int | None = None,
    with_text: bool = True,
) -> Served:
    """Objects of the collection in the order in which they were added, from a date on.

    `after` is `next` of the page before; without texts it is a manifest, and logged as one.
    NotFoundError for a collection that is not the caller's.
    """
    asked = ask(session, caller, collection)
    act = "exchange.serve" if with_text else "exchange.manifest"
    return _serve(session, caller, asked, act, filters, limit=limit, after=after)


def versions(
    session: Session,
    caller: Caller,
    collection: UUID,
    stix_id: str,
    filters: Filters,
    *,
    limit: int,
    after: int | None = None,
) -> Served:
    """The versions of an object, without the texts; NotFoundError when nothing of it is served."""
    asked = ask(session, caller, collection)
    wanted = replace(filters, ids=(stix_id,), versions=(ALL,))
    served = _serve(session, caller, asked, "exchange.versions", wanted, limit=limit, after=after)
    if not served.rows and not _is_known(session, asked, stix_id):
        raise NotFoundError
    return served


def note_poll(session: Session, caller: Caller, collection: UUID) -> None:
    """Keep that a client asked whether there is something new, by a way that gives no object.

    NotFoundError for a collection that is not the caller's.
    """
    _note_poller(session, caller, ask(session, caller, collection), ())


def _serve(
    session: Session,
    caller: Caller,
    asked: Asked,
    act: str,
    filters: Filters,
    *,
    limit: int,
    after: int | None,
) -> Served:
    with_text = act == "exchange.serve"
    rows, more = _rows(session, asked, filters, limit, after, with_text=with_text)
    _note(session, caller, asked, act, rows, told=_told_filters(filters, after))
    return Served(
        [
            Row(
                each.stix_id,
                each.type,
                each.added,
                each.version,
                each.is_first,
                each.is_revoked,
                each.owner,
                each.first_day,
                each.indicator,
                each.text,
            )
            for each in rows
        ],
        more,
    )


def _rows(
    session: Session,
    asked: Asked,
    filters: Filters,
    limit: int,
    after: int | None,
    *,
    with_text: bool,
) -> tuple[list[Found], bool]:
    if filters.spec_versions and _SPEC not in filters.spec_versions:
        return [], False
    owner_id = None
    if filters.owner is not None:
        owner_id = next(
            (key for key, each in directory(session).items() if each.code == filters.owner), 0
        )
    return view_reading.page(
        session,
        asked.decided,
        filters,
        after=max(after or 0, filters.added_after or 0),
        most=max(1, min(limit, MOST_SERVED)),
        revoked=asked.collection.with_revoked if filters.revoked is None else filters.revoked,
        owner_id=owner_id,
        with_text=with_text,
    )


def _note(
    session: Session,
    caller: Caller,
    asked: Asked,
    act: str,
    rows: Sequence[Found],
    *,
    told: Mapping[str, Any],
) -> None:
    """Ledger, log and poller of what is about to leave."""
    collection, at = asked.collection, asked.at
    given = [row for row in rows if row.level]
    with_text = act == "exchange.serve"
    gifts = [
        Gift(
            row.indicator,
            row.owner_id or 0,
            row.level if with_text else PRESENCE,
            row.tells_owner,
        )
        for row in given
        if not collection.is_own
    ]
    reasons = decided(session, (row.grant_reason_id for row in given if row.grant_reason_id))
    know_audience(session, {caller.organisation, *(row.owner for row in given if row.owner)})
    note_given(session, collection.organisation_id, Way.FEED, gifts, at)
    _log(
        session,
        caller,
        collection,
        act,
        rows=rows,
        given=given,
        policies=sorted({each.name for each in reasons.values()}),
        filters=told,
    )
    called_back = sorted(
        {row.indicator for row in rows if row.indicator and (row.is_revoked or not row.is_first)}
    )
    if called_back and with_text and not collection.is_own:
        receive_by_feed(session, caller, called_back)
    _note_poller(session, caller, asked, rows)


def _log(
    session: Session,
    caller: Caller,
    collection: Collection,
    act: str,
    *,
    rows: Sequence[Found],
    given: Sequence[Found],
    policies: Sequence[str],
    filters: Mapping[str, Any],
) -> None:
    grounds = collection.grounds
    named = {row.indicator: str(row.indicator) for row in rows if row.indicator}
    levels = {row.indicator: CHAIN[row.level - 1].value for row in given}
    append(
        session,
        caller,
        act,
        purpose=grounds.purpose if grounds else "",
        basis=grounds.legal_basis if grounds else "",
        case=grounds.case if grounds else "",
        object_type="indicator",
        objects=[str(collection.id), *named.values()],
        count=len(rows),
        results=[[text, levels.get(each, "revoked")] for each, text in named.items()],
        details={
            "collection": str(collection.id),
            "policies": policies,
            **filters,
        },
    )
    if grounds is None:
        return
    for shared, type_ in (("indicator.shared", "indicator"), ("pattern.shared", "pattern")):
        told = [
            Told(row.owner or "", named[row.indicator], CHAIN[row.level - 1], row.grant_reason_id)
            for row in given
            if row.tells_owner
            and row.grant_reason_id is not None
            and row.is_pattern is (type_ == "pattern")
        ]
        if told:
            tell_owners(session, caller, shared, grounds, told=told, by=act, object_type=type_)


def _told_filters(filters: Filters, after: int | None) -> dict[str, Any]:
    """The filters in use, as the log can hold them."""
    begins = max(after or 0, filters.added_after or 0)
    used = {
        "after": str(begins) if begins else None,  # text: the log holds no integer as large
        "types": list(filters.types) or None,
        "owner": filters.owner,
        "day": filters.day,
    }
    told = {name: value for name, value in used.items() if value is not None}
    return {"filters": told} if told else {}


def _note_poller(
    session: Session,
    caller: Caller,
    asked: Asked,
    rows: Sequence[Found],
) -> None:
    """Keep that a person's client asked, once a minute at most: clients that poll do not wait."""
    if caller.person is None:
        return
    if asked.polled_at is not None and asked.at - asked.polled_at < _NOTED_AFTER:
        return
    last = rows[-1].added if rows else None
    if asked.polled_to is not None:
        last = max(last or 0, asked.polled_to)
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    new = (postgresql_insert if is_postgresql else sqlite_insert)(ExchangePoller).values(
        collection_id=asked.collection.key,
        person=caller.person,
        last_at=asked.at,
        last_added=last,
    )
    session.execute(
        new.on_conflict_do_update(
            index_elements=["collection_id", "person"],
            set_={"last_at": new.excluded.last_at, "last_added": new.excluded.last_added},
        )
    )


def _is_known(session: Session, asked: Asked, stix_id: str) -> bool:
    """Whether some version of the object may be seen, on whatever page."""
    wanted = Filters(ids=(stix_id,), versions=(ALL,))
    rows, _ = _rows(session, asked, wanted, 1, None, with_text=False)
    return bool(rows)
