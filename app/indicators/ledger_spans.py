"""Who got how much of whose indicators in a span of time: counts from the ledger, for breaches."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.indicators.models import Given, Indicator


@dataclass(frozen=True, slots=True)
class Span:
    """What passed between an organisation and others; each maps an organisation to a count.

    `to` are indicators of its own that others got, as far as it may know of it; `came_from` those
    of others that it got. `own` is how many indicators it holds here now.
    """

    to: dict[int, int]
    came_from: dict[int, int]
    own: int


def between(session: Session, organisation_id: int, since: datetime, until: datetime) -> Span:
    """What was given in a time that touches `since` to `until`."""
    in_time = (Given.last_at >= since, Given.first_at <= until)
    count = func.count(func.distinct(Given.indicator))
    to = session.execute(
        select(Given.recipient_id, count)
        .where(Given.owner_id == organisation_id, Given.tells_owner.is_(True), *in_time)
        .group_by(Given.recipient_id)
    )
    came_from = session.execute(
        select(Given.owner_id, count)
        .where(Given.recipient_id == organisation_id, *in_time)
        .group_by(Given.owner_id)
    )
    own = session.scalar(
        select(func.count())
        .select_from(Indicator)
        .where(Indicator.organisation_id == organisation_id)
    )
    return Span({row[0]: row[1] for row in to}, {row[0]: row[1] for row in came_from}, own or 0)
