"""What is asked again before a notification leaves by a channel: may it still be told?"""

from uuid import UUID

from sqlalchemy.orm import Session

from app.clock import now
from app.jobs.models import Notification
from app.lookups import deconfliction, watch_storage
from app.lookups.watch_reading import seen_now


def may_tell_match(session: Session, notification: Notification) -> bool:
    """Whether something that the watch found may be seen now by who waits for it."""
    at = now()
    public_id = UUID(notification.facts["watch"])
    watch = watch_storage.own(session, notification.organisation_id, public_id)
    return watch is not None and bool(seen_now(session, watch, at, most=1))


def may_tell_deconfliction(session: Session, notification: Notification) -> bool:
    """Whether both policies let the two organisations know of each other now."""
    facts = notification.facts
    return any(
        (str(each.watch), each.organisation.code) == (facts["watch"], facts["organisation"])
        for each in deconfliction.known(session, notification.organisation_id, now())
    )


def may_tell_end(_session: Session, _notification: Notification) -> bool:
    """It tells of one's own watches and of nothing else."""
    return True
