"""How an owner learns that its indicators were found by others, or given to them."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.sharing.reasons import decided
from postern.vocabulary import LegalBasis, Level, Purpose

_ALERT = "indicator.alert"


@dataclass(frozen=True, slots=True)
class Told:
    """That one indicator was found or given; `level` is None where its owner alone is told.

    `indicator` is its public id; of what is told with another `object_type`, that thing's.
    """

    owner: str
    indicator: str
    level: Level | None
    grant_reason_id: int


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why somebody asks: what the policies decide by, and the case, which only the log keeps."""

    purpose: Purpose
    legal_basis: LegalBasis
    case: str


def tell_owners(
    session: Session,
    caller: Caller,
    act: str,
    grounds: Grounds,
    *,
    told: Iterable[Told],
    by: str = "",
    object_type: str = "indicator",
) -> None:
    """Append an entry of its own for each other owner, level and version of a policy.

    It names the reader's organisation and the policies that decided, neither the person nor the
    case; `by` is the act that it follows from, where that is not told by `act`. What the reader
    was not told of is an act of its own: an alert.
    """
    told = [each for each in told if each.owner != caller.organisation]
    reasons = decided(session, (each.grant_reason_id for each in told))
    grouped: dict[tuple[str, str, str], dict[str, set[str]]] = {}
    for each in told:
        reason = reasons[each.grant_reason_id]
        key = each.owner, each.level.value if each.level else "", reason.name
        grouped.setdefault(key, {}).setdefault(each.indicator, set()).update(reason.policies)
    for (owner, level, version), objects in sorted(grouped.items()):
        append(
            session,
            caller,
            act if level else _ALERT,
            purpose=grounds.purpose,
            basis=grounds.legal_basis,
            audience=[owner],
            tell_actor=False,
            object_type=object_type,
            objects=list(objects),
            details={
                "viewer": caller.organisation,
                "policy": version,
                "policies": sorted(frozenset[str]().union(*objects.values())),
                **({"level": level} if level else {}),
                **({"by": by} if by else {}),
            },
        )
