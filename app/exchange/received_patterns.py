"""Shipping patterns from other servers: each is proposed to the organisation that polls.

It is proposed on account of who set the subscription up, and a second person of the organisation
decides, as on any draft. One that its sender withdrew goes from the proposals; one that is in
force here is the organisation's own by then, and stays until a person says otherwise.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import Caller, Means
from app.accounts.models import PersonAccount
from app.errors import PosternError
from app.exchange.received_forms import Kept
from app.exchange.server_models import ExchangeServer
from app.organisations.service import directory
from app.patterns import importing

PATTERN = "pattern"
"""What `content` of a received object names its proposal by: the public id of the pattern."""


def follow(
    session: Session, row: ExchangeServer, found: Kept, before: Mapping[str, Any] | None
) -> str | None:
    """Propose the rule of an object, or take its proposal back; the id of what it became.

    None where it cannot be proposed: it has faults here, another's draft of it is open, or who set
    the subscription up is there no more.
    """
    caller = _caller(session, row)
    named = (before or {}).get(PATTERN)
    known = UUID(named) if named else None
    if caller is None:
        return None
    if found.is_revoked:
        if known is not None:
            importing.take_back(session, caller, known)
        return None
    try:
        return str(importing.take(session, caller, found.rule, known).public_id)
    except PosternError:
        return None


def _caller(session: Session, row: ExchangeServer) -> Caller | None:
    person_id = session.scalar(
        select(PersonAccount.id).where(
            PersonAccount.public_id == row.made_by,
            PersonAccount.organisation_id == row.organisation_id,
        )
    )
    if person_id is None:
        return None
    return Caller(
        person_id=person_id,
        person=row.made_by,
        organisation_id=row.organisation_id,
        organisation=directory(session)[row.organisation_id].code,
        roles=frozenset(),
        scopes=None,
        means=Means.CONSOLE,
    )
