"""Who may know of one of one's own registered barriers, by the policy in force and the next."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import Caller
from app.barriers import barrier_storage, model_storage
from app.barriers.model import Wording
from app.barriers.models import RegisteredBarrier
from app.clock import day
from app.errors import NotFoundError
from app.patterns.storage import reader
from app.sharing import explanation
from app.sharing.classes import ClassAttributes, age_band
from app.sharing.classes import read as read_class
from app.sharing.explanation import Explained
from app.sharing.models import ShareClass


@dataclass(frozen=True, slots=True)
class BarrierAudience:
    """`text` is what the barrier is, as its model says it; `attributes` are what policies know."""

    row: RegisteredBarrier
    text: Wording
    attributes: ClassAttributes
    explained: Explained


def audience(session: Session, caller: Caller, public_id: UUID, at: datetime) -> BarrierAudience:
    """Who may know of it at its age of today.

    NotFoundError for a barrier that is not the caller's organisation's, or whose record has ended.
    """
    found = barrier_storage.one(session, reader(session, caller, None), public_id)
    if found is None:
        raise NotFoundError
    row = found.barrier
    attributes = read_class(session.get_one(ShareClass, row.share_class_id).attributes)
    band = age_band(max(0, day(at) - row.seen_day))
    explained = explanation.audience_of_class(session, caller, attributes, band, at)
    step = model_storage.read_kept(found.version).steps[row.step - 1]
    text = next(each.text for each in step.barriers if each.key == row.barrier_key)
    return BarrierAudience(row, text, attributes, explained)
