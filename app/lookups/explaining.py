"""Why a hit was shown: the decision of that day, as far as the asker may know it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import day, now
from app.errors import NotFoundError
from app.indicators.ledger import Gift, note_given
from app.indicators.shared_rows import Owner
from app.lookups import storage
from app.lookups.storage import KeptHit
from app.sharing.engine import CHAIN
from app.sharing.explanation import for_reader
from app.sharing.reasons import Decided, decided
from postern.vocabulary import Band, Level, Way


@dataclass(frozen=True, slots=True)
class ExplainedHit:
    """A hit with the decision by which it was shown.

    `query` is the place of the query in its lookup, from 0. At `presence` neither the indicator
    nor the version of the policy is told.
    """

    query: int
    organisation: Owner
    level: Level
    band: Band
    indicator: UUID | None
    policy: str | None
    words: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The hits of one lookup whose indicators are still there, query by query."""

    lookup: UUID
    hits: Sequence[ExplainedHit]


def explain(session: Session, caller: Caller, public_id: UUID) -> Explanation:
    """The hits of one of the organisation's own lookups; NotFoundError for any other."""
    organisation_id, _ = caller.member
    lookup_id = storage.lookup_id(session, organisation_id, public_id)
    if lookup_id is None:
        raise NotFoundError
    at = now()
    kept = _as_answered(storage.kept_hits(session, lookup_id, day(at)))
    note_given(session, organisation_id, Way.LOOKUP, _gifts(kept), at)
    reasons = decided(session, (each.grant_reason_id for each in kept))
    words = cache(lambda level, reason_id: for_reader(session, level, reason_id))
    hits = [
        _explained(each, reasons[each.grant_reason_id], words(_level(each), each.grant_reason_id))
        for each in kept
    ]
    append(
        session,
        caller,
        "policy.explain",
        object_type="lookup",
        objects=[str(public_id)],
        results=[[hit.query, hit.organisation.code, hit.level.value] for hit in hits],
    )
    return Explanation(public_id, hits)


def _gifts(kept: Sequence[KeptHit]) -> list[Gift]:
    """What is told of by its id. The owner was told with the lookup itself, if at all."""
    return [
        Gift(hit.public_id, hit.organisation_id, hit.level, tells_owner=False)
        for hit in kept
        if _level(hit) is not Level.PRESENCE
    ]


def _as_answered(kept: Sequence[KeptHit]) -> list[KeptHit]:
    """In the order of the answer; at presence one for all of an organisation's, its best."""
    ordered = sorted(kept, key=_order)
    shown: dict[tuple[object, ...], KeptHit] = {}
    for hit in ordered:
        is_presence = _level(hit) is Level.PRESENCE
        # A number stands for no organisation's code, so the two kinds of key never meet.
        key = (hit.query, hit.owner.code if is_presence else hit.indicator_id)
        shown.setdefault(key, hit)
    return list(shown.values())


def _order(hit: KeptHit) -> tuple[object, ...]:
    strength = 0 if hit.band is Band.STRONG else 1
    if _level(hit) is Level.PRESENCE:
        # Points are not told at this level, so the place must not tell them either.
        return hit.query, strength, 1, 0, hit.organisation_id
    return hit.query, strength, 0, -hit.points, hit.indicator_id


def _explained(hit: KeptHit, reason: Decided, words: str) -> ExplainedHit:
    level = _level(hit)
    is_presence = level is Level.PRESENCE
    return ExplainedHit(
        query=hit.query,
        organisation=hit.owner,
        level=level,
        band=hit.band,
        indicator=None if is_presence else hit.public_id,
        policy=None if is_presence else reason.name,
        words=words,
    )


def _level(hit: KeptHit) -> Level:
    return CHAIN[hit.level - 1]
