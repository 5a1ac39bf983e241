"""Telling subscribers of a pattern that it changed, as far as its owner's policy lets them know.

The row of the outbox is written with the change. Who may still screen with the pattern is asked
when it is done, with the purpose of each subscription, and again before a notice leaves.
"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.indicators.telling import Grounds
from app.jobs import outbox
from app.jobs.models import Notification
from app.jobs.notifications import notify
from app.jobs.outbox import Payload
from app.organisations.service import directory
from app.patterns import storage
from app.patterns.models import PatternSubscription, SharedPattern
from app.patterns.storage import Found
from postern.vocabulary import Role

CHANGED = "pattern.changed"
"""Topic of the outbox: one row for each change, with the pattern's inner key and the notice."""

FOLLOW = "pattern.follow"
"""Topic of the outbox: a version came into force, or its use ended; collections follow it."""

PUBLISHED, DEPRECATED = "pattern.published", "pattern.deprecated"
UNSHARED = "pattern.unshared"
"""Notices to subscribers; the last tells that they may not screen with the pattern any more."""


def tell_subscribers(session: Session, pattern: SharedPattern, kind: str, version: int) -> None:
    """Ask for the subscribers to be told, once this transaction is committed.

    `version` is the one in force since the change.
    """
    payload = {"pattern": pattern.id, "kind": kind, "version": version}
    outbox.put(session, CHANGED, payload)
    outbox.put(session, FOLLOW, {"pattern": pattern.id})


def tell(session: Session, payload: Payload) -> None:
    """Notify the analysts of every other subscriber that may screen with the pattern now.

    Of a version that it got already, and of one that another has followed, it is not told.
    """
    rows = session.scalars(
        select(PatternSubscription)
        .where(PatternSubscription.pattern_id == payload["pattern"])
        .order_by(PatternSubscription.organisation_id)
    ).all()
    members = directory(session)
    for subscription in rows:
        if not members[subscription.organisation_id].is_active:
            continue
        found = seen_by(session, subscription)
        if found is None or found.is_own or _is_known(subscription, found, payload):
            continue
        kind, public_id = payload["kind"], found.pattern.public_id
        facts = {
            "pattern": str(public_id),
            "version": found.version.seq,
            "organisation": found.owner.code,
        }
        address = f"/patterns/{public_id}"
        notify(session, subscription.organisation_id, Role.ANALYST, kind, facts, address)


def seen_by(session: Session, subscription: PatternSubscription) -> Found | None:
    """The pattern if the subscriber may screen with it now, for the purpose that it gave."""
    reader = storage.reader_of(session, subscription.organisation_id, grounds_of(subscription))
    found = storage.of_ids(session, reader, [subscription.pattern_id])
    return found[0] if found and found[0].may_screen else None


def _is_known(subscription: PatternSubscription, found: Found, payload: Payload) -> bool:
    version: int = payload["version"]
    is_past = found.version.seq != version or version in subscription.given
    return payload["kind"] == PUBLISHED and is_past


def grounds_of(subscription: PatternSubscription) -> Grounds:
    """Why the organisation subscribed; a subscription has no case."""
    return Grounds(subscription.purpose, subscription.legal_basis, "")


def may_tell_change(session: Session, notification: Notification) -> bool:
    """Whether who waits for the pattern may screen with it still."""
    subscription = _subscription(session, notification)
    return subscription is not None and seen_by(session, subscription) is not None


def may_tell_loss(session: Session, notification: Notification) -> bool:
    """Whether who waits for the pattern subscribes to it and may still not screen with it."""
    subscription = _subscription(session, notification)
    return subscription is not None and seen_by(session, subscription) is None


def _subscription(session: Session, notification: Notification) -> PatternSubscription | None:
    return session.scalar(
        select(PatternSubscription)
        .join(SharedPattern, SharedPattern.id == PatternSubscription.pattern_id)
        .where(
            PatternSubscription.organisation_id == notification.organisation_id,
            SharedPattern.public_id == UUID(notification.facts["pattern"]),
        )
    )


def may_tell_own(_session: Session, _notification: Notification) -> bool:
    """It tells of one's own patterns and of nothing else."""
    return True
