"""Who is told that a watch matched: decided by the policy that is in force when it is told.

The job of one match. Nothing is told twice: the match is held and marked in the transaction that
tells, however often the job runs. What nobody may be told of is marked too, and stays untold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.service import append
from app.clock import day, now
from app.indicators import telling
from app.indicators.models import Indicator
from app.indicators.storage import split_tokens
from app.jobs.notifications import notify
from app.lookups import storage, watch_storage
from app.lookups.models import WatchMatch
from app.lookups.storage import Details
from app.lookups.watch_ending import end_for_want_of_right
from app.lookups.watch_reading import reader_of, seen_now
from app.lookups.watch_storage import KeptWatch
from app.sharing.engine import CHAIN
from app.sharing.reasons import decided
from app.sharing.visibility import PRESENCE, Match, matching_tokens
from postern.vocabulary import Level, Role, Told


@dataclass(frozen=True, slots=True)
class _Finding:
    """A match that may be told of, and to whom; `level` is the requester's, as a grant has it."""

    watch: KeptWatch
    indicator_id: int
    owner_id: int
    details: Details
    level: int
    grant_reason_id: int
    tells_requester: bool
    tells_owner: bool

    @property
    def grounds(self) -> telling.Grounds:
        return telling.Grounds(self.watch.purpose, self.watch.legal_basis, "")


def tell(session: Session, payload: Mapping[str, Any]) -> None:
    """Decide who is told of the match of `watch` and `indicator`, inner keys, and tell them."""
    key = WatchMatch.watch_id == payload["watch"], WatchMatch.indicator_id == payload["indicator"]
    match = session.scalar(select(WatchMatch).where(*key).with_for_update())
    if match is None or match.judged_at is not None:
        return  # the indicator or the record of the watch is erased, or this was done before
    at = now()
    match.judged_at = at
    finding = _judged(session, match, at)
    if finding is None:
        return
    match.tells_owner = finding.tells_owner
    if finding.tells_requester:
        if _adds_nothing(session, finding, at):
            match.seen_at = at
        else:
            _tell_requester(session, finding)
        match.tells_requester = True
    if finding.tells_owner:
        _tell_owner(session, finding)


def _judged(session: Session, match: WatchMatch, at: datetime) -> _Finding | None:
    """To whom the match may be told; None for nobody."""
    watch = watch_storage.by_key(session, match.watch_id)
    if watch is None or not watch.is_live(at.date()):
        return None
    if not watch_storage.is_active(session, watch.organisation_id):
        return None
    if not watch_storage.has_right(session, watch.person_id):
        _end(session, watch)
        return None
    granted = _granted(session, watch, match.indicator_id, at)
    candidate = storage.candidates(session, [match.indicator_id], day(at)).get(match.indicator_id)
    details = storage.hold_details(session, [match.indicator_id]).get(match.indicator_id)
    if granted is None or candidate is None or details is None:
        return None
    is_own = candidate.organisation_id == watch.organisation_id
    return _Finding(
        watch=watch,
        indicator_id=match.indicator_id,
        owner_id=candidate.organisation_id,
        details=details,
        level=granted.level,
        grant_reason_id=granted.grant_reason_id,
        tells_requester=granted.level >= PRESENCE and watch.tells is not Told.OWNER_ONLY,
        tells_owner=granted.tells_owner and not is_own and watch.tells is not Told.REQUESTER_ONLY,
    )


def _end(session: Session, watch: KeptWatch) -> None:
    watch_storage.hold(session, watch.watch_id)
    held = watch_storage.by_key(session, watch.watch_id)
    if held is not None and held.ended_at is None:
        end_for_want_of_right(session, [held])


def _granted(session: Session, watch: KeptWatch, indicator_id: int, at: datetime) -> Match | None:
    """What the owner's policy lets the watch's profile have of the indicator at the moment `at`."""
    blob = session.scalar(select(Indicator.tokens).where(Indicator.id == indicator_id)) or b""
    stored = frozenset(split_tokens(blob))
    agreeing = [
        token for _, token in watch_storage.tokens_of(session, watch.watch_id) if token in stored
    ]
    matches = matching_tokens(session, reader_of(session, watch), agreeing, at)
    return next((each for each in matches if each.indicator_id == indicator_id), None)


def _adds_nothing(session: Session, finding: _Finding, at: datetime) -> bool:
    """Whether it is one more presence of an owner of which one was told already.

    Telling of each would tell how many there are.
    """
    if finding.level > PRESENCE:
        return False
    told = seen_now(session, finding.watch, at, owner_id=finding.owner_id)
    return any(each.level == PRESENCE for each in told)


def _tell_requester(session: Session, finding: _Finding) -> None:
    watch, level = finding.watch, CHAIN[finding.level - 1]
    is_presence = level is Level.PRESENCE
    indicator = finding.details.public_id
    reason = decided(session, [finding.grant_reason_id])[finding.grant_reason_id]
    append(
        session,
        watch.caller,
        "watch.match",
        audience=[watch.organisation],
        tell_actor=False,
        purpose=watch.purpose,
        basis=watch.legal_basis,
        object_type="watch",
        objects=[str(watch.id), *(() if is_presence else (indicator,))],
        count=1,
        results=[[finding.details.owner.code if is_presence else indicator, level.value]],
        details={"level": level.value, "policies": [] if is_presence else [reason.name]},
    )
    notify(
        session,
        watch.organisation_id,
        Role.ANALYST,
        "watch.matched",
        {"watch": str(watch.id), "kind": watch.kind.value},
        f"/watches/{watch.id}",
    )


def _tell_owner(session: Session, finding: _Finding) -> None:
    indicator = finding.details.public_id
    level = CHAIN[finding.level - 1] if finding.tells_requester else None
    telling.tell_owners(
        session,
        finding.watch.caller,
        "watch.match",
        finding.grounds,
        told=[telling.Told(finding.details.owner.code, indicator, level, finding.grant_reason_id)],
        by="" if level else "watch.match",
    )
    notify(
        session,
        finding.owner_id,
        Role.APPROVER,
        "indicator.watched",
        {"indicator": indicator, "viewer": finding.watch.organisation},
        f"/policy/audience?indicator={indicator}",
    )
