"""Reading one's own watch: what it found, as far as the owners' policies let it be seen now.

What was told stays readable only while it is visible: a policy that is narrowed hides it again.
What nobody was told of is not shown later either, whatever a policy says by then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Subquery, select, update
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import now
from app.errors import NotFoundError
from app.indicators.ledger import Gift, note_given
from app.indicators.models import Given
from app.indicators.shared_rows import Owner, ReportFacts, report_of
from app.indicators.telling import Grounds, Told, tell_owners
from app.lookups import storage, watch_storage
from app.lookups.models import Watch, WatchMatch
from app.lookups.storage import Details
from app.lookups.watch_storage import KeptWatch
from app.pseudonyms.rotation import is_overlapping
from app.pseudonyms.service import open_epoch
from app.sharing.engine import CHAIN
from app.sharing.explanation import reader_words, reason_for_reader
from app.sharing.models import Profile
from app.sharing.reasons import decided
from app.sharing.service import profile_id
from app.sharing.visibility import METADATA, PRESENCE, visible_indicators
from postern.vocabulary import EVALUATION_KIND, Band, Level, Role, Way

MOST_SHOWN = 200  # matches of one watch, those that nobody has seen first


@dataclass(frozen=True, slots=True)
class OwnWatch:
    """A watch as its organisation reads it back.

    `is_current`: its key epoch is open, so what is submitted now can match it. `has_news`: it
    found something that may be seen and that nobody has looked at.
    """

    kept: KeptWatch
    is_live: bool
    is_current: bool
    has_news: bool


@dataclass(frozen=True, slots=True)
class ShownMatch:
    """A match as it leaves, and by which decision in `words`.

    At `presence` what follows them is empty, and it stands for all of its owner's.
    """

    organisation: Owner
    level: Level
    band: Band
    matched_at: datetime
    is_new: bool
    words: str
    policy: str | None
    rules: Sequence[str]
    indicator: Mapping[str, Any] | None
    report: ReportFacts | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A watch with what it found, newest first; `more` when there are more than are shown."""

    watch: OwnWatch
    matches: Sequence[ShownMatch]
    more: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A match that was told of and may be seen now; `level` as a grant stores it."""

    indicator_id: int
    organisation_id: int
    level: int
    tells_owner: bool
    grant_reason_id: int
    band: Band
    matched_at: datetime
    seen_at: datetime | None


def read_own(session: Session, caller: Caller, public_id: UUID) -> Reading:
    """One of the organisation's own watches; NotFoundError for any other.

    Each owner is told, as its policy says, the first time that more than a presence of its
    indicator leaves.
    """
    organisation_id, _ = caller.member
    watch = watch_storage.own(session, organisation_id, public_id)
    if watch is None:
        raise NotFoundError
    at = now()
    found = seen_now(session, watch, at, most=MOST_SHOWN + 1)
    shown = found[:MOST_SHOWN]
    details = storage.hold_details(session, sorted(each.indicator_id for each in shown))
    shown = [each for each in shown if each.indicator_id in details]
    given = [each for each in shown if each.level >= METADATA]
    known = _given_before(session, organisation_id, [_public_id(details, s) for s in given])
    _mark_seen(session, watch, shown, at)
    note_given(
        session,
        organisation_id,
        Way.WATCH,
        [
            Gift(_public_id(details, each), each.organisation_id, each.level, each.tells_owner)
            for each in given
        ],
        at,
    )
    _log(session, caller, watch, shown, details)
    first = [each for each in given if _public_id(details, each) not in known]
    _tell_owners(session, caller, watch, first, details)
    matches = _shown(session, shown, details)
    own = as_own(session, watch, at, any(match.is_new for match in matches))
    return Reading(own, matches, more=len(found) > MOST_SHOWN)


def as_own(session: Session, kept: KeptWatch, at: datetime, has_news: bool) -> OwnWatch:
    """The watch as it stands at the moment `at`."""
    kind = EVALUATION_KIND.get(kept.kind)
    return OwnWatch(
        kept,
        is_live=kept.is_live(at.date()),
        is_current=kind is None
        or open_epoch(session, kind) == kept.epoch
        or is_overlapping(session, kind, kept.epoch),
        has_news=has_news,
    )


def reader_of(session: Session, watch: KeptWatch) -> int:
    """The profile under which the watch is answered, with decisions that are true now."""
    return profile_id(
        session, watch.organisation_id, Role.ANALYST, watch.purpose, watch.legal_basis
    )


def seen_now(
    session: Session,
    watch: KeptWatch,
    at: datetime,
    *,
    owner_id: int | None = None,
    most: int = MOST_SHOWN,
) -> list[Seen]:
    """What the watch told of and may be seen at the moment `at`, unseen first, then newest first.

    Of all owners, or of one.
    """
    visible = _visible(reader_of(session, watch), at)
    wanted = (
        select(
            WatchMatch.indicator_id,
            visible.c.organisation_id,
            visible.c.level,
            visible.c.tells_owner,
            visible.c.grant_reason_id,
            WatchMatch.band,
            WatchMatch.matched_at,
            WatchMatch.seen_at,
        )
        .join(visible, visible.c.indicator_id == WatchMatch.indicator_id)
        .where(WatchMatch.watch_id == watch.watch_id, WatchMatch.tells_requester)
        .order_by(
            WatchMatch.seen_at.is_not(None),
            WatchMatch.matched_at.desc(),
            WatchMatch.indicator_id.desc(),
        )
        .limit(most)
    )
    if owner_id is not None:
        wanted = wanted.where(visible.c.organisation_id == owner_id)
    return [Seen(*row) for row in session.execute(wanted)]


def with_news(session: Session, organisation_id: int, at: datetime) -> set[int]:
    """Inner keys of the organisation's watches that found what may be seen and nobody has seen."""
    unseen = (
        select(WatchMatch.watch_id)
        .join(Watch, Watch.id == WatchMatch.watch_id)
        .where(
            Watch.organisation_id == organisation_id,
            WatchMatch.tells_requester,
            WatchMatch.seen_at.is_(None),
        )
        .distinct()
    )
    profiles = select(Profile).where(
        Profile.id.in_(select(Watch.profile_id).where(Watch.id.in_(unseen)))
    )
    found: set[int] = set()
    for profile in session.scalars(profiles):
        current = profile_id(
            session, organisation_id, Role.ANALYST, profile.purpose, profile.legal_basis
        )
        visible = _visible(current, at)
        found.update(
            session.scalars(
                unseen.join(visible, visible.c.indicator_id == WatchMatch.indicator_id).where(
                    Watch.profile_id == current
                )
            )
        )
    return found


def _visible(profile: int, at: datetime) -> Subquery:
    # From presence on: whoever set the watch held the value already.
    return visible_indicators(profile, at, least=PRESENCE).subquery()


def _public_id(details: Mapping[int, Details], seen: Seen) -> UUID:
    found: UUID = details[seen.indicator_id].columns["id"]
    return found


def _given_before(session: Session, organisation_id: int, indicators: Sequence[UUID]) -> set[UUID]:
    """Those of the indicators that left by a watch of the organisation before."""
    return set(
        session.scalars(
            select(Given.indicator).where(
                Given.indicator.in_(indicators),
                Given.recipient_id == organisation_id,
                Given.way == Way.WATCH,
            )
        )
    )


def _mark_seen(session: Session, watch: KeptWatch, shown: Sequence[Seen], at: datetime) -> None:
    session.execute(
        update(WatchMatch)
        .where(
            WatchMatch.watch_id == watch.watch_id,
            WatchMatch.indicator_id.in_([each.indicator_id for each in shown]),
            WatchMatch.seen_at.is_(None),
        )
        .values(seen_at=at)
    )


def _log(
    session: Session,
    caller: Caller,
    watch: KeptWatch,
    shown: Sequence[Seen],
    details: Mapping[int, Details],
) -> None:
    given = [each for each in shown if each.level >= METADATA]
    reasons = decided(session, (each.grant_reason_id for each in given))
    present = sorted({details[s.indicator_id].owner.code for s in shown if s.level < METADATA})
    append(
        session,
        caller,
        "watch.read",
        purpose=watch.purpose,
        basis=watch.legal_basis,
        object_type="watch",
        objects=[str(watch.id), *(str(_public_id(details, each)) for each in given)],
        count=len(given) + len(present),
        results=[
            *([str(_public_id(details, s)), CHAIN[s.level - 1].value] for s in given),
            *([code, Level.PRESENCE.value] for code in present),
        ],
        details={"policies": sorted({reasons[each.grant_reason_id].name for each in given})},
    )


def _tell_owners(
    session: Session,
    caller: Caller,
    watch: KeptWatch,
    first: Sequence[Seen],
    details: Mapping[int, Details],
) -> None:
    told = [
        Told(
            details[each.indicator_id].owner.code,
            details[each.indicator_id].public_id,
            CHAIN[each.level - 1],
            each.grant_reason_id,
        )
        for each in first
        if each.tells_owner
    ]
    grounds = Grounds(watch.purpose, watch.legal_basis, "")
    tell_owners(session, caller, "indicator.shared", grounds, told=told, by="watch.read")


def _shown(
    session: Session, shown: Sequence[Seen], details: Mapping[int, Details]
) -> list[ShownMatch]:
    """In their order; at presence one for all of an owner's, its best, as old as its first."""
    matches = []
    reason = cache(lambda level, reason_id: reason_for_reader(session, level, reason_id))
    present: dict[int, list[Seen]] = {}
    for each in shown:
        if each.level >= METADATA:
            of, level = details[each.indicator_id], CHAIN[each.level - 1]
            why = reason(level, each.grant_reason_id)
            matches.append(
                ShownMatch(
                    of.owner,
                    level,
                    each.band,
                    each.matched_at,
                    is_new=each.seen_at is None,
                    words=reader_words(why),
                    policy=why.version,
                    rules=why.labels,
                    indicator=of.columns,
                    report=report_of(of.columns),
                )
            )
        else:
            present.setdefault(each.organisation_id, []).append(each)
    for group in present.values():
        best = min(group, key=lambda each: each.band is not Band.STRONG)
        oldest = min(group, key=lambda each: each.matched_at)
        owner = details[best.indicator_id].owner
        matches.append(
            ShownMatch(
                owner,
                Level.PRESENCE,
                best.band,
                oldest.matched_at,
                is_new=oldest.seen_at is None,
                words=reader_words(reason(Level.PRESENCE, best.grant_reason_id)),
                policy=None,
                rules=(),
                indicator=None,
                report=None,
            )
        )
    return sorted(matches, key=lambda match: match.matched_at, reverse=True)
