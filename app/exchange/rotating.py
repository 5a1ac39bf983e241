"""What readers of collections see of a key rotation: a new version of each object, same name.

An exchange token is made of a match token, so it changes with the key epoch. A reader that
evaluates anew finds the objects again by the new version, whose `epoch` says which key it needs.
"""

from sqlalchemy.orm import Session

from app.exchange import view_queue
from app.indicators.hooks import Rotated


def on_rotated(session: Session, rotated: Rotated) -> None:
    """Bring the logs that hold these indicators to the new epoch."""
    view_queue.ask_follow(session, rotated.organisation_id, rotated.indicators)
