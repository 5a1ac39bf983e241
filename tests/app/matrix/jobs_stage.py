"""Channels of the stage: one that is live and one that was removed."""

from sqlalchemy.orm import Session

from app.access import Caller
from app.jobs import channels
from postern.vocabulary import ChannelKind, Role
from tests.app.matrix.compliance_stage import Made
from tests.app.matrix.expectations import Named, State


def make_channels(session: Session, caller: Caller) -> Made:
    """One of each, set up by `caller`; nothing is sent by either."""
    made: Made = {}
    for state in (State.LIVE, State.REVOKED):
        made[Named.CHANNEL, state] = channels.add(
            session,
            caller,
            kind=ChannelKind.WEBHOOK,
            roles=[Role.SUBMITTER],
            language="en",
            address="https://receiver.example/",
        ).id
    channels.remove(session, caller, made[Named.CHANNEL, State.REVOKED])
    return made
