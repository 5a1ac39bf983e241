"""Subscriptions to patterns with which their organisation may not screen any more.

Nothing runs when a policy changes, an owner is suspended or a version ends: the predicate just
does not find the pattern any more. So a duty looks, tells the organisation once, and ends the
subscription after a while. It tells no reason, for that is the owner's.
"""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.audit.service import append
from app.clock import now
from app.jobs.notifications import notify
from app.organisations.service import directory
from app.patterns import storage, subscriptions, telling
from app.patterns.models import PatternSubscription, SharedPattern
from postern.vocabulary import Role

KEPT = timedelta(days=90)
"""After which a subscription ends with whose pattern nothing may be screened."""

SHELF = "/patterns?shelf=subscribed"
"""The page that lists them."""


def look(session: Session) -> int:
    """Tell every active organisation of its losses; how many were told, regained and ended."""
    organisations = session.scalars(select(PatternSubscription.organisation_id).distinct()).all()
    members = directory(session)
    return sum(
        _look_at(session, each, members[each].code)
        for each in sorted(organisations)
        if members[each].is_active
    )


def _look_at(session: Session, organisation_id: int, organisation: str) -> int:
    held = storage.subscriptions(session, organisation_id)
    screened = subscriptions.screened(session, organisation_id, held)
    done = 0
    for pattern_id, subscription in sorted(held.items()):
        if pattern_id in screened:
            done += subscription.lost_at is not None
            subscription.lost_at = None
        elif subscription.lost_at is None:
            subscription.lost_at = now()
            _tell(session, subscription)
            done += 1
        elif subscription.lost_at <= now() - KEPT:
            _end(session, subscription, organisation)
            done += 1
    session.flush()
    return done


def _tell(session: Session, subscription: PatternSubscription) -> None:
    pattern = session.get_one(SharedPattern, subscription.pattern_id)
    facts = {"pattern": str(pattern.public_id), "version": subscription.given[-1]}
    notify(session, subscription.organisation_id, Role.ANALYST, telling.UNSHARED, facts, SHELF)


def _end(session: Session, subscription: PatternSubscription, organisation: str) -> None:
    pattern = session.get_one(SharedPattern, subscription.pattern_id)
    session.delete(subscription)
    append(
        session,
        CONSOLE,
        "pattern.unsubscribe",
        audience=[organisation],
        object_type="pattern",
        objects=[str(pattern.public_id)],
        details={"cause": "lost"},
    )
