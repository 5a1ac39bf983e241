"""What a home page shows of requests: how many wait for whom, and the oldest clock."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.disclosures import storage
from postern.vocabulary import RequestState


@dataclass(frozen=True, slots=True)
class Waiting:
    """Requests that wait; `due_at` is the earliest clock, None where none waits."""

    count: int
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class ToDecide:
    """What waits for approvers: to be decided, and proposed to a second person."""

    open: Waiting
    proposed: Waiting
    questioned: Waiting


@dataclass(frozen=True, slots=True)
class Asked:
    """What the organisation asked: undecided, to be answered by itself, and to be fetched."""

    undecided: Waiting
    questioned: Waiting
    released: Waiting


def to_decide(session: Session, organisation_id: int) -> ToDecide:
    """Of an owner."""
    side = storage.received_by(organisation_id)
    return ToDecide(
        Waiting(*storage.waiting_of(session, side, [RequestState.OPEN])),
        Waiting(*storage.waiting_of(session, side, [RequestState.PROPOSED])),
        Waiting(*storage.waiting_of(session, side, [RequestState.QUESTIONED])),
    )


def asked(session: Session, organisation_id: int) -> Asked:
    """Of a requester, as it knows them."""
    side = storage.asked_by(organisation_id)
    undecided = [RequestState.OPEN, RequestState.PROPOSED]
    return Asked(
        Waiting(*storage.waiting_of(session, side, undecided)),
        Waiting(*storage.waiting_of(session, side, [RequestState.QUESTIONED])),
        Waiting(*storage.waiting_of(session, side, [RequestState.RELEASED])),
    )
