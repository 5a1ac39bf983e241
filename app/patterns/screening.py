"""Blind evaluation in bulk, by which premises screen their parcels; as one lookup's, but as bytes.

The platform does not learn what is evaluated. The log keeps who, when, of which kind, how many, why
and for which case; what limits guessing is the allowance alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.errors import InvalidRequestError
from app.patterns.screening_quota import ScreeningStanding, left_today, spend, standings
from app.pseudonyms.evaluator import SingleKeyEvaluator
from app.pseudonyms.holders import HeldPart
from app.pseudonyms.service import InvalidElementsError, held_parts, require_open
from app.pseudonyms.sharing import find
from app.runtime import runtime
from postern.evaluation_octets import Proved, batches
from postern.group import InvalidElementError
from postern.key_sharing import PLATFORM_PART
from postern.vocabulary import EvaluationKind, Purpose
from postern.voprf import MAX_BATCH


@dataclass(frozen=True, slots=True)
class BulkEvaluation:
    """What the key made of each batch, in the order of the request, and what is left today.

    Of a shared key there is one batch, with a part for each of `names`: the platform, and holders.
    """

    parts: list[Proved]
    standing: ScreeningStanding
    names: tuple[str, ...] = ()


def evaluate(
    session: Session,
    caller: Caller,
    *,
    kind: EvaluationKind,
    epoch: int,
    elements: Sequence[bytes],
    purpose: Purpose,
    case: str,
    signed: Mapping[str, Any] | None = None,
) -> BulkEvaluation:
    """Evaluate blinded elements, each once, after counting them.

    EpochClosedError, InvalidElementsError (positions in the whole request), InvalidRequestError
    when elements repeat, ScreeningNotAgreedError, QuotaSpentError. The evaluation is the last step:
    what is written before becomes durable before the elements leave. Of a shared key the holders
    are asked before, for up to 1000 elements that the organisation `signed`; errors of
    `service.held_parts`.
    """
    runtime().part(SingleKeyEvaluator).require_key()
    require_open(session, kind, epoch)
    if len(set(elements)) != len(elements):
        reason = "Each element may stand there once."
        raise InvalidRequestError(errors=[{"field": "body", "reason": reason}])
    organisation_id, _ = caller.member
    shared = find(session, kind, epoch)
    held: list[HeldPart] = []
    if shared is not None:
        if len(elements) > MAX_BATCH:
            reason = f"Of a key with holders it holds up to {MAX_BATCH} elements."
            raise InvalidRequestError(errors=[{"field": "body", "reason": reason}])
        left = left_today(session, organisation_id, kind)
        held = held_parts(caller, shared, elements, purpose=purpose, signed=signed, left=left)
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
    own = _evaluated(kind, epoch, elements)
    if shared is None:
        return BulkEvaluation(own, standing)
    parts = [*own, *(Proved(tuple(each.elements), each.proof) for each in held)]
    return BulkEvaluation(parts, standing, (PLATFORM_PART, *(each.name for each in held)))


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
