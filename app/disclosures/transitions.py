"""What may be done with a disclosure request in which state: the one table that every verb uses.

docs/disclosures.md draws it. What does not stand here is refused, whoever asks.
"""

from collections.abc import Mapping
from enum import StrEnum

from app.errors import ConflictError
from postern.vocabulary import RequestState


class Act(StrEnum):
    """What moves a request, or is done with it where it stands."""

    QUESTION = "question"  # the owner asks back
    ANSWER = "answer"  # the requester answers
    REFUSE = "refuse"  # an approver gives nothing
    PROPOSE = "propose"  # an approver would give; a second person is needed
    RELEASE = "release"  # an approver gives; no second person is needed
    CONFIRM = "confirm"  # the second person agrees
    REJECT = "reject"  # the second person does not agree
    WITHDRAW = "withdraw"  # by the requester
    LAPSE = "lapse"  # nobody decided in time
    END = "end"  # the indicator ended
    FETCH = "fetch"  # the requester takes a delivery
    RECEIPT = "receipt"  # the requester proves that it opened one of several
    RECEIVE = "receive"  # ... the last one
    REVOKE = "revoke"  # a second person did not agree with a break-glass
    RECALL = "recall"  # the owner calls the indicator back
    EXPIRE = "expire"  # the deliveries' time is over


_S = RequestState

TRANSITIONS: Mapping[tuple[RequestState, Act], RequestState] = {
    (_S.OPEN, Act.QUESTION): _S.QUESTIONED,
    (_S.OPEN, Act.REFUSE): _S.REFUSED,
    (_S.OPEN, Act.PROPOSE): _S.PROPOSED,
    (_S.OPEN, Act.RELEASE): _S.RELEASED,
    (_S.OPEN, Act.WITHDRAW): _S.WITHDRAWN,
    (_S.OPEN, Act.LAPSE): _S.LAPSED,
    (_S.OPEN, Act.END): _S.ENDED,
    (_S.QUESTIONED, Act.ANSWER): _S.OPEN,
    (_S.QUESTIONED, Act.REFUSE): _S.REFUSED,
    (_S.QUESTIONED, Act.PROPOSE): _S.PROPOSED,
    (_S.QUESTIONED, Act.RELEASE): _S.RELEASED,
    (_S.QUESTIONED, Act.WITHDRAW): _S.WITHDRAWN,
    (_S.QUESTIONED, Act.LAPSE): _S.LAPSED,
    (_S.QUESTIONED, Act.END): _S.ENDED,
    (_S.PROPOSED, Act.CONFIRM): _S.RELEASED,
    (_S.PROPOSED, Act.REJECT): _S.OPEN,
    (_S.PROPOSED, Act.WITHDRAW): _S.WITHDRAWN,
    (_S.PROPOSED, Act.LAPSE): _S.LAPSED,
    (_S.PROPOSED, Act.END): _S.ENDED,
    (_S.RELEASED, Act.FETCH): _S.RELEASED,
    (_S.RELEASED, Act.RECEIPT): _S.RELEASED,
    (_S.RELEASED, Act.RECEIVE): _S.RECEIVED,
    (_S.RELEASED, Act.REVOKE): _S.RECALLED,
    (_S.RELEASED, Act.RECALL): _S.RECALLED,
    (_S.RELEASED, Act.EXPIRE): _S.EXPIRED,
    (_S.RECEIVED, Act.FETCH): _S.RECEIVED,
    (_S.RECEIVED, Act.RECEIPT): _S.RECEIVED,
    (_S.RECEIVED, Act.REVOKE): _S.RECALLED,
    (_S.RECEIVED, Act.RECALL): _S.RECALLED,
    (_S.RECEIVED, Act.EXPIRE): _S.EXPIRED,
    # What was fetched in time is proved to be opened later too; nothing more can be fetched.
    (_S.RECALLED, Act.RECEIPT): _S.RECALLED,
    (_S.EXPIRED, Act.RECEIPT): _S.EXPIRED,
}

WAITING = frozenset({_S.OPEN, _S.QUESTIONED, _S.PROPOSED})
"""Not decided with effect: nothing was given."""

GIVEN = frozenset({_S.RELEASED, _S.RECEIVED})
"""The only states in which an envelope may leave."""


class RequestStateError(ConflictError):
    """The request does not stand where this can be done; `state` is where it stands."""

    code = "disclosure-state"
    title = "The disclosure request does not stand where this can be done"
    remedy = "Read the request again: somebody may have decided it meanwhile, or it has ended."


def after(state: RequestState, act: Act) -> RequestState:
    """The state that follows. RequestStateError when the table does not allow the act."""
    following = TRANSITIONS.get((state, act))
    if following is None:
        raise RequestStateError(state=shown_to_requester(state).value)
    return following


def may(state: RequestState, act: Act) -> bool:
    """Whether the table allows the act in this state."""
    return (state, act) in TRANSITIONS


def shown_to_requester(state: RequestState) -> RequestState:
    """The state as the requester knows it: a proposal within the owner is none of its business."""
    return _S.OPEN if state is _S.PROPOSED else state
