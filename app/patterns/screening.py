"""Blind evaluation in bulk, by which premises screen their parcels; as one lookup's, but as bytes.

The platform does not learn what is evaluated. The log keeps who, when, of which kind, how many, why
and for which case; what limits guessing is the allowance alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.errors import InvalidRequestError
from app.patterns.screening_quota import ScreeningStanding, spend, standings
from app.pseudonyms.evaluator import SingleKeyEvaluator
from app.pseudonyms.service import InvalidElementsError, require_open
from app.pseudonyms.sharing import require_alone
from app.runtime import runtime
from postern.evaluation_octets import Proved, batches
from postern.group import InvalidElementError
from postern.vocabulary import EvaluationKind, Purpose


@dataclass(frozen=True, slots=True)
class BulkEvaluation:
    """What the key made of each batch, in the order of the request, and what is left today."""

    parts: list[Proved]
    standing: ScreeningStanding


def evaluate(
    session: Session,
    caller: Caller,
    *,
    kind: EvaluationKind,
    epoch: int,
    elements: Sequence[bytes],
    purpose: Purpose,
    case: str,
) -> BulkEvaluation:
    """Evaluate blinded elements, each once, after counting them.

    EpochClosedError, InvalidElementsError (positions in the whole request), InvalidRequestError
    when elements repeat, ScreeningNotAgreedError, QuotaSpentError. The evaluation is the last step:
    what is written before becomes durable before the elements leave.
    """
    runtime().part(SingleKeyEvaluator).require_key()
    require_open(session, kind, epoch)
    require_alone(session, kind, epoch)
    if len(set(elements)) != len(elements):
        reason = "Each element may stand there once."
        raise InvalidRequestError(errors=[{"field": "body", "reason": reason}])
    organisation_id, _ = caller.member
    standing = spend(session, organisation_id, kind, len(elements))
    append(
        session,
        caller,
        "evaluation.screen",
        purpose=purpose,
        case=case,
        object_type="evaluation",
        count=len(elements),
        details={"query": {"kind": kind.value, "epoch": epoch}},
    )
    return BulkEvaluation(_evaluated(kind, epoch, elements), standing)


def read_agreed(session: Session, caller: Caller) -> list[ScreeningStanding]:
    """What is agreed with the caller's organisation and left today."""
    organisation_id, _ = caller.member
    found = standings(session, organisation_id)
    append(session, caller, "screening.read", object_type="quota", count=len(found))
    return found


def _evaluated(kind: EvaluationKind, epoch: int, elements: Sequence[bytes]) -> list[Proved]:
    evaluator = runtime().part(SingleKeyEvaluator)
    parts: list[Proved] = []
    before = 0
    for batch in batches(elements):
        try:
            (part,) = evaluator.evaluate(kind, epoch, batch)
        except InvalidElementError as error:
            raise InvalidElementsError(positions=[before + error.position]) from None
        parts.append(Proved(tuple(part.elements), part.proof))
        before += len(batch)
    return parts
