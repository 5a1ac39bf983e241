"""Deleting an object of one's own by TAXII: its indicator is withdrawn, and called back.

What stands beside an indicator, or is referred to by many, is not deleted by itself.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.errors import NotFoundError
from app.exchange import collections
from app.exchange.adding import ReadOnlyCollectionError
from app.exchange.adding_models import ExchangeName, NameState
from app.exchange.models import ExchangeEntry
from app.exchange.taxii_errors import InvalidFilterError
from app.exchange.taxii_schemas import ALL, FIRST, LAST, stix_ids
from app.indicators.models import Indicator, Report
from app.indicators.taking_back import take_back
from postern.vocabulary import RecallReason

_EARLIER = (
    "An earlier version alone cannot be deleted: an indicator is withdrawn as a whole. "
    "Leave match[version] out, or name the last one."
)


def delete(
    session: Session,
    caller: Caller,
    collection: UUID,
    stix_id: str,
    versions: Collection[str | int],
    *,
    is_spoken: bool = True,
) -> None:
    """Withdraw the indicator that one's own collection names so.

    NotFoundError for what is not there, or not there in these versions; ReadOnlyCollectionError
    for a collection without can_write; InvalidFilterError where only earlier versions are named.
    """
    organisation_id, _ = caller.member
    found = collections.find(session, organisation_id, collection)
    if not found.can_write:
        raise ReadOnlyCollectionError
    if not is_spoken or not stix_ids(frozenset({stix_id})):
        raise NotFoundError
    there = session.execute(
        select(ExchangeEntry.version, ExchangeEntry.is_first, ExchangeEntry.is_last)
        .add_columns(Indicator.public_id, Report.public_id.label("report"))
        .join(Indicator, Indicator.id == ExchangeEntry.indicator_id)
        .join(Report, Report.id == Indicator.report_id)
        .where(
            ExchangeEntry.collection_id == found.key,
            ExchangeEntry.stix_id == stix_id,
            ExchangeEntry.is_main,
            Indicator.organisation_id == organisation_id,
        )
    ).all()
    named = [
        row
        for row in there
        if ALL in versions
        or row.version in versions
        or (LAST in versions and row.is_last)
        or (FIRST in versions and row.is_first)
    ]
    if not named:
        raise NotFoundError
    if not any(row.is_last for row in named):
        raise InvalidFilterError(errors=[{"field": "match[version]", "reason": _EARLIER}])
    last = named[-1]
    take_back(session, caller, last.report, [last.public_id], RecallReason.SOURCE_WITHDREW)
    session.execute(
        update(ExchangeName)
        .where(
            ExchangeName.organisation_id == organisation_id,
            ExchangeName.indicator == last.public_id,
        )
        .values(state=NameState.REVOKED)
    )
    append(
        session,
        caller,
        "exchange.delete",
        object_type="indicator",
        objects=[str(last.public_id)],
        details={"collection": str(collection)},
    )
