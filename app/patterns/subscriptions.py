"""Subscribing to patterns, and fetching what one's organisation screens with.

A subscription gives no right: it says for which purpose and on which basis the organisation screens
with a pattern, and the owner's policy is asked by that at each fetch.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.errors import NotFoundError
from app.indicators.shared_rows import OWNER, Owner, owner_of
from app.indicators.telling import Grounds
from app.organisations.models import Organisation
from app.patterns import reading, storage
from app.patterns.errors import (
    NotPublishedError,
    PatternDeprecatedError,
    RuleTwiceError,
    TooManyPatternsError,
)
from app.patterns.models import PatternSubscription, PatternVersion, SharedPattern
from app.patterns.storage import Found, Reader
from postern.patterns.model import Level
from postern.vocabulary import Role

MOST_SUBSCRIPTIONS = 1_000  # of one organisation

SUBSCRIBERS = (Role.ANALYST,)


@dataclass(frozen=True, slots=True)
class SubscribedDocument:
    """A document to screen with, in force now."""

    id: UUID
    version: int
    sha256: str
    text: str
    organisation: str
    title: str
    level: Level | None
    expires_on: date | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What to screen with; `withdrawn` are subscribed patterns that may not be used any more.

    They ended or were deprecated, or their owner's policy does not let this organisation screen
    with them: of these `no_longer_shared` says what the organisation got last.
    """

    documents: Sequence[SubscribedDocument]
    withdrawn: Sequence[UUID]
    no_longer_shared: Sequence["LostSubscription"]


@dataclass(frozen=True, slots=True)
class LostSubscription:
    """A subscription to a pattern with which the organisation may not screen any more.

    Owner, title and version are what it got last: nothing newer is told, nor why it is so.
    `is_known`: it may know of the pattern still, for the purpose of the subscription.
    """

    id: UUID
    organisation: Owner
    title: str
    version: int
    since: datetime
    is_known: bool


def subscribe(session: Session, caller: Caller, grounds: Grounds, public_id: UUID) -> None:
    """Let the organisation screen with a pattern, for this purpose; again it changes the purpose.

    NotFoundError where it may not screen with it; NotPublishedError and PatternDeprecatedError;
    RuleTwiceError where it subscribes to another document of the same id; TooManyPatternsError.
    """
    reader = storage.reader(session, caller, grounds)
    found = reading.known(session, reader, public_id)
    if not found.may_screen or _has_ended(found, reader):
        raise NotFoundError
    if found.pattern.current_id is None:
        raise NotPublishedError
    if found.pattern.deprecated_at is not None:
        raise PatternDeprecatedError
    held = storage.subscriptions(session, reader.organisation_id)
    _demand_single(session, found, held)
    if found.pattern.id in held:
        kept = held[found.pattern.id]
        kept.purpose, kept.legal_basis = grounds.purpose, grounds.legal_basis
        kept.note(found.version.seq)
        kept.lost_at = None
    elif len(held) >= MOST_SUBSCRIPTIONS:
        raise TooManyPatternsError(f"It has {MOST_SUBSCRIPTIONS} subscriptions.")
    else:
        session.add(
            PatternSubscription(
                organisation_id=reader.organisation_id,
                pattern_id=found.pattern.id,
                purpose=grounds.purpose,
                legal_basis=grounds.legal_basis,
                since=reader.at,
                given=[found.version.seq],
            )
        )
    session.flush()
    reading.log_read(session, caller, grounds, found, act="pattern.subscribe")


def unsubscribe(session: Session, caller: Caller, public_id: UUID) -> None:
    """End the organisation's subscription; NotFoundError where it has none."""
    organisation_id, _ = caller.member
    pattern_id = session.scalar(
        select(SharedPattern.id)
        .join(PatternSubscription, PatternSubscription.pattern_id == SharedPattern.id)
        .where(
            SharedPattern.public_id == public_id,
            PatternSubscription.organisation_id == organisation_id,
        )
    )
    if pattern_id is None:
        raise NotFoundError
    session.execute(
        delete(PatternSubscription).where(
            PatternSubscription.organisation_id == organisation_id,
            PatternSubscription.pattern_id == pattern_id,
        )
    )
    append(session, caller, "pattern.unsubscribe", object_type="pattern", objects=[str(public_id)])


def subscribed(session: Session, caller: Caller) -> Subscribed:
    """What the organisation is to screen with now, by the purposes of its subscriptions."""
    organisation_id, _ = caller.member
    held = storage.subscriptions(session, organisation_id)
    asked = _known(session, organisation_id, held)
    usable = [
        (grounds, [each for each in known if _is_usable(each, reader)])
        for grounds, reader, known in asked
    ]
    found = [each for _, together in usable for each in together]
    for each in found:
        held[each.pattern.id].note(each.version.seq)
    session.flush()
    append(
        session,
        caller,
        "pattern.fetch",
        object_type="pattern",
        objects=[str(each.pattern.public_id) for each in found],
        results=[[str(each.pattern.public_id), each.version.seq] for each in found],
    )
    for grounds, together in usable:
        reading.tell_given(session, caller, grounds, together, by="pattern.fetch")
    return Subscribed(
        [_document(each, held[each.pattern.id].since) for each in found],
        _public_ids(session, held.keys() - {each.pattern.id for each in found}),
        _lost(session, held, [each for _, _, known in asked for each in known]),
    )


def no_longer_shared(session: Session, caller: Caller) -> list[LostSubscription]:
    """What the organisation subscribes to and may not screen with now, the newest pattern first.

    For verbs that have logged the reading.
    """
    organisation_id, _ = caller.member
    held = storage.subscriptions(session, organisation_id)
    asked = _known(session, organisation_id, held)
    return _lost(session, held, [each for _, _, known in asked for each in known])


def screened(
    session: Session, organisation_id: int, held: Mapping[int, PatternSubscription]
) -> frozenset[int]:
    """The patterns of the organisation's subscriptions, by inner key, that it may screen with.

    One that is deprecated too, as far as its owner's policy goes.
    """
    asked = _known(session, organisation_id, held)
    return frozenset(each.pattern.id for _, _, known in asked for each in known if each.may_screen)


def _known(
    session: Session, organisation_id: int, held: Mapping[int, PatternSubscription]
) -> list[tuple[Grounds, Reader, list[Found]]]:
    """What the organisation may know of, of that to which it subscribes, by purpose and basis."""
    found = []
    for grounds, pattern_ids in _by_grounds(held.values()).items():
        reader = storage.reader_of(session, organisation_id, grounds)
        found.append((grounds, reader, storage.of_ids(session, reader, pattern_ids)))
    return found


def _lost(
    session: Session, held: Mapping[int, PatternSubscription], known: Sequence[Found]
) -> list[LostSubscription]:
    screened = {each.pattern.id for each in known if each.may_screen}
    known_ids = {each.pattern.id for each in known}
    rows = session.execute(
        select(
            SharedPattern.id,
            SharedPattern.public_id,
            PatternVersion.title,
            PatternVersion.seq,
            *OWNER,
        )
        .join(PatternVersion, PatternVersion.pattern_id == SharedPattern.id)
        .join(Organisation, Organisation.id == SharedPattern.organisation_id)
        .where(SharedPattern.id.in_(held.keys() - screened))
        .order_by(SharedPattern.public_id.desc())
    )
    return [
        LostSubscription(
            row.public_id,
            owner_of(row._asdict()),
            row.title,
            row.seq,
            held[row.id].since,
            row.id in known_ids,
        )
        for row in rows
        if row.seq == held[row.id].given[-1]
    ]


def _is_usable(found: Found, reader: Reader) -> bool:
    is_over = found.pattern.deprecated_at is not None or _has_ended(found, reader)
    return found.may_screen and not is_over


def _has_ended(found: Found, reader: Reader) -> bool:
    ends = found.version.expires_on
    return found.pattern.current_id is not None and (ends is None or ends <= reader.today)


def _demand_single(session: Session, found: Found, held: dict[int, PatternSubscription]) -> None:
    same = session.scalar(
        select(SharedPattern.id).where(
            SharedPattern.id.in_(list(held)),
            SharedPattern.rule_id == found.pattern.rule_id,
            SharedPattern.id != found.pattern.id,
        )
    )
    if same is not None:
        raise RuleTwiceError


def _by_grounds(held: Iterable[PatternSubscription]) -> dict[Grounds, list[int]]:
    found: dict[Grounds, list[int]] = {}
    for each in sorted(held, key=lambda one: one.pattern_id):
        found.setdefault(Grounds(each.purpose, each.legal_basis, ""), []).append(each.pattern_id)
    return found


def _document(found: Found, since: datetime) -> SubscribedDocument:
    version = found.version
    return SubscribedDocument(
        id=found.pattern.public_id,
        version=version.seq,
        sha256=version.sha256.hex(),
        text=version.text,
        organisation=found.owner.code,
        title=version.title,
        level=version.level,
        expires_on=version.expires_on,
        since=since,
    )


def _public_ids(session: Session, pattern_ids: set[int]) -> list[UUID]:
    return list(
        session.scalars(
            select(SharedPattern.public_id)
            .where(SharedPattern.id.in_(pattern_ids))
            .order_by(SharedPattern.public_id)
        )
    )
