"""What a key rotation must not lose of watches: a watch is known by its tokens alone.

Nothing of a value but its tokens is kept for a watch, so the platform cannot move it. It is
answered by everything that is submitted as long as the old epoch is taken, and that is as long as
a live watch needs it; whoever closes the epoch before is told how many stop answering.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.clock import now
from app.lookups.models import Watch
from postern.vocabulary import EVALUATION_KIND, EvaluationKind


def waiting(session: Session, evaluated: EvaluationKind, epoch: int) -> int:
    """How many live watches have tokens of this epoch."""
    kinds = [kind for kind, each in EVALUATION_KIND.items() if each is evaluated]
    counted: int = session.execute(
        select(func.count()).where(
            Watch.kind.in_(kinds),
            Watch.epoch == epoch,
            Watch.ended_at.is_(None),
            Watch.expires_on > now().date(),
        )
    ).scalar_one()
    return counted
