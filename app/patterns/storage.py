"""Statements on shared patterns: what of others one may know of goes through the one predicate.

Nothing here asks about another organisation's pattern except through
`app.sharing.visibility.visible_classed`. A pattern may be known of where its owner's policy lets
its metadata be fed or screened with; its rule leaves only where it may be screened with.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Select,
    Subquery,
    and_,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from app.access import Caller
from app.clock import now
from app.indicators.shared_rows import OWNER, Owner, owner_of
from app.indicators.telling import Grounds
from app.organisations.models import Organisation
from app.patterns.models import (
    PatternSubscription,
    PatternVersion,
    PatternVersionAuthor,
    SharedPattern,
    VersionState,
)
from app.sharing.service import profile_id
from app.sharing.visibility import visible_classed
from postern.patterns.model import Level
from postern.vocabulary import Role

OPEN = (VersionState.EDITING, VersionState.PROPOSED)

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Reader:
    """Which organisation asks, and when; without a profile it asks for its own only."""

    organisation_id: int
    profile_id: int | None
    at: datetime

    @property
    def today(self) -> date:
        """The day of the question (UTC)."""
        return self.at.date()


@dataclass(frozen=True, slots=True)
class Found:
    """A pattern that the reader may know of, with its version in force.

    Of one's own that was never published, `version` is the newest. `grant_reason_id` is None where
    one's own is read without asking a policy.
    """

    pattern: SharedPattern
    version: PatternVersion
    owner: Owner
    is_own: bool
    may_screen: bool
    tells_owner: bool
    level: int
    grant_reason_id: int | None


@dataclass(frozen=True, slots=True)
class Filters:
    """What is wanted of the patterns; None is no matter."""

    own: bool | None = None
    subscribed: bool | None = None
    is_draft: bool | None = None
    is_deprecated: bool | None = None
    is_expired: bool | None = None
    level: Level | None = None
    barrier_step: int | None = None
    owner: str | None = None
    words: str = ""


def reader(session: Session, caller: Caller, grounds: Grounds | None) -> Reader:
    """Who asks, as an analyst of the organisation; without grounds for its own only."""
    organisation_id, _ = caller.member
    return reader_of(session, organisation_id, grounds)


def reader_of(session: Session, organisation_id: int, grounds: Grounds | None) -> Reader:
    """The same for an organisation, whoever asks on its account."""
    if grounds is None:
        return Reader(organisation_id, None, now())
    profile = profile_id(
        session, organisation_id, Role.ANALYST, grounds.purpose, grounds.legal_basis
    )
    return Reader(organisation_id, profile, now())


def page(
    session: Session, reader: Reader, filters: Filters, limit: int, cursor: UUID | None
) -> tuple[list[Found], UUID | None]:
    """Up to `limit` patterns, the newest first, and the cursor of the next page."""
    wanted = _known(reader).where(*_conditions(reader, filters))
    if cursor is not None:
        wanted = wanted.where(SharedPattern.public_id < cursor)
    rows = session.execute(wanted.order_by(SharedPattern.public_id.desc()).limit(limit + 1))
    found = [_found(row, reader) for row in rows]
    following = found[limit - 1].pattern.public_id if len(found) > limit else None
    return found[:limit], following


def one(session: Session, reader: Reader, public_id: UUID) -> Found | None:
    """The pattern if the reader may know of it."""
    rows = session.execute(_known(reader).where(SharedPattern.public_id == public_id)).all()
    return _found(rows[0], reader) if rows else None


def of_ids(session: Session, reader: Reader, ids: Iterable[int]) -> list[Found]:
    """Those of the patterns, by their inner keys, that the reader may know of; oldest first."""
    wanted = _known(reader).where(SharedPattern.id.in_(list(ids)))
    return [
        _found(row, reader) for row in session.execute(wanted.order_by(SharedPattern.public_id))
    ]


def versions(session: Session, reader: Reader, found: Found) -> list[tuple[PatternVersion, bool]]:
    """The versions that the reader may know of, newest first, and whether it may have the text.

    All of one's own; of another's the published ones that its policy lets this reader have.
    """
    of_pattern = PatternVersion.pattern_id == found.pattern.id
    newest = PatternVersion.seq.desc()
    if found.is_own:
        own = session.scalars(select(PatternVersion).where(of_pattern).order_by(newest))
        return [(each, True) for each in own]
    visible = _visible(reader)
    rows = session.execute(
        select(PatternVersion, visible.c.may_screen)
        .join(visible, visible.c.id == PatternVersion.id)
        .where(of_pattern, PatternVersion.state == VersionState.PUBLISHED)
        .order_by(newest)
    )
    return [(version, bool(may_screen)) for version, may_screen in rows]


def counted_versions(session: Session, reader: Reader, found: Found) -> list[int]:
    """The versions, by inner key, of whose counts the reader may learn.

    All of one's own; of another's those published ones of which it may know. One whose own end has
    come counts as long as the version in force: its text is gone, not what it was worth.
    """
    of_pattern = select(PatternVersion.id).where(
        PatternVersion.pattern_id == found.pattern.id,
        PatternVersion.state == VersionState.PUBLISHED,
    )
    if found.is_own:
        return list(session.scalars(of_pattern))
    source = of_pattern.add_columns(
        PatternVersion.organisation_id,
        PatternVersion.share_class_id,
        PatternVersion.seen_day,
        literal(found.version.expires_on, PatternVersion.expires_on.type).label("expires_on"),
    ).subquery("counted_version")
    visible = _visible(reader, source)
    return list(session.scalars(select(visible.c.id)))


def open_versions(session: Session, pattern_ids: Iterable[int]) -> dict[int, PatternVersion]:
    """The open version of each of these patterns that has one."""
    rows = session.scalars(
        select(PatternVersion).where(
            PatternVersion.pattern_id.in_(list(pattern_ids)), PatternVersion.state.in_(OPEN)
        )
    )
    return {each.pattern_id: each for each in rows}


def authors(session: Session, version_id: int) -> frozenset[UUID]:
    """Everybody who wrote or proposed the version."""
    return frozenset(
        session.scalars(
            select(PatternVersionAuthor.person).where(PatternVersionAuthor.version_id == version_id)
        )
    )


def subscriptions(session: Session, organisation_id: int) -> dict[int, PatternSubscription]:
    """The organisation's subscriptions by the pattern's inner key."""
    rows = session.scalars(
        select(PatternSubscription).where(PatternSubscription.organisation_id == organisation_id)
    )
    return {each.pattern_id: each for each in rows}


def subscribers(session: Session, pattern_id: int) -> int:
    """How many organisations subscribe to a pattern."""
    return session.execute(
        select(func.count())
        .select_from(PatternSubscription)
        .where(PatternSubscription.pattern_id == pattern_id)
    ).scalar_one()


def day_of(number: int | None) -> date | None:
    """The day that is so many days after 1970-01-01."""
    return None if number is None else _EPOCH + timedelta(days=number)


def _known(reader: Reader) -> Select[Any]:
    """One's own patterns, and those of others of which the reader may know."""
    newer = aliased(PatternVersion)
    newest = (
        select(func.max(newer.id))
        .where(newer.pattern_id == SharedPattern.id)
        .correlate(SharedPattern)
        .scalar_subquery()
    )
    is_own = SharedPattern.organisation_id == reader.organisation_id
    shown = and_(
        PatternVersion.pattern_id == SharedPattern.id,
        PatternVersion.id == func.coalesce(SharedPattern.current_id, newest),
    )
    if reader.profile_id is None:
        nothing = [null().label(name) for name in _DECIDED]
        return _described(nothing).join(PatternVersion, shown).where(is_own)
    visible = _visible(reader)
    return (
        _described([visible.c[name] for name in _DECIDED])
        .join(PatternVersion, shown)
        .outerjoin(visible, visible.c.id == SharedPattern.current_id)
        .where(or_(is_own, visible.c.id.is_not(None)))
    )


def _described(decided: Sequence[ColumnElement[Any]]) -> Select[Any]:
    wanted: Any = select(SharedPattern, PatternVersion, *decided, *OWNER)
    described: Select[Any] = wanted.select_from(SharedPattern).join(
        Organisation, Organisation.id == SharedPattern.organisation_id
    )
    return described


def _visible(reader: Reader, source: FromClause | None = None) -> Subquery:
    """The published versions of which the profile may know, with what was decided of each."""
    if reader.profile_id is None:
        raise LookupError("without grounds nothing of others is asked for")
    versions = _VERSION if source is None else source
    decided = visible_classed(versions, reader.profile_id, reader.at).subquery("classed")
    return (
        select(decided)
        .where(or_(decided.c.may_feed, decided.c.may_screen))
        .subquery("visible_version")
    )


def _conditions(reader: Reader, filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    is_own = SharedPattern.organisation_id == reader.organisation_id
    is_subscribed = (
        select(PatternSubscription.pattern_id)
        .where(
            PatternSubscription.organisation_id == reader.organisation_id,
            PatternSubscription.pattern_id == SharedPattern.id,
        )
        .exists()
    )
    for wanted, condition in (
        (filters.own, is_own),
        (filters.subscribed, is_subscribed),
        (filters.is_draft, SharedPattern.current_id.is_(None)),
        (filters.is_deprecated, SharedPattern.deprecated_at.is_not(None)),
    ):
        if wanted is not None:
            conditions.append(condition if wanted else ~condition)
    if filters.is_expired is not None:
        ends = PatternVersion.expires_on
        conditions.append(
            ends <= reader.today
            if filters.is_expired
            else or_(SharedPattern.current_id.is_(None), ends > reader.today)
        )
    if filters.level is not None:
        conditions.append(PatternVersion.level == filters.level)
    if filters.barrier_step is not None:
        conditions.append(PatternVersion.barrier_step == filters.barrier_step)
    if filters.owner is not None:
        conditions.append(Organisation.code == filters.owner)
    conditions += [
        or_(
            PatternVersion.title.icontains(each, autoescape=True),
            PatternVersion.description.icontains(each, autoescape=True),
        )
        for each in filters.words.split()
    ]
    return conditions


def _found(row: Row[Any], reader: Reader) -> Found:
    columns = row._asdict()
    pattern: SharedPattern = columns["SharedPattern"]
    is_own = pattern.organisation_id == reader.organisation_id
    return Found(
        pattern=pattern,
        version=columns["PatternVersion"],
        owner=owner_of({each.name: columns[each.name] for each in OWNER}),
        is_own=is_own,
        may_screen=is_own or bool(columns["may_screen"]),
        tells_owner=not is_own and bool(columns["tells_owner"]),
        level=columns["granted_level"] or 0,
        grant_reason_id=columns["grant_reason_id"],
    )


_DECIDED: Sequence[str] = ("granted_level", "grant_reason_id", "tells_owner", "may_screen")
_VERSION = PatternVersion.__table__
