"""What notices of this room may tell: they are of one's own models and barriers alone."""

from sqlalchemy.orm import Session

from app.jobs.models import Notification


def may_tell_own(_session: Session, _notification: Notification) -> bool:
    """It tells of what is one's own and of nothing else."""
    return True
