"""How watches end: stopped by a person, by their last day, or with the right of who set them.

With its end a watch loses its tokens; that it was there stays listed for a while.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import CONSOLE, Caller
from app.audit.service import append
from app.clock import now
from app.errors import NotFoundError
from app.jobs.notifications import notify
from app.lookups import watch_storage
from app.lookups.watch_storage import KeptWatch
from app.organisations.service import directory
from app.runtime import runtime
from postern.vocabulary import Role, WatchEnd

BATCH = 1000
"""Watches that one call of a sweep ends or erases."""


def stop(session: Session, caller: Caller, public_id: UUID) -> None:
    """End one of the organisation's watches now; stopping it again changes nothing.

    NotFoundError for any other.
    """
    organisation_id, _ = caller.member
    found = watch_storage.own(session, organisation_id, public_id)
    if found is None:
        raise NotFoundError
    watch_storage.hold(session, found.watch_id)
    held = watch_storage.by_key(session, found.watch_id)
    if held is not None and held.ended_at is None:
        watch_storage.end(session, [held.watch_id], now(), WatchEnd.STOPPED)
    append(session, caller, "watch.stop", object_type="watch", objects=[str(public_id)])


def expire(session: Session, today: date) -> int:
    """End up to BATCH watches whose last day has come, with their tokens; returns how many."""
    over = watch_storage.over(session, today, BATCH)
    if over:
        watch_storage.end(session, [each.watch_id for each in over], now(), WatchEnd.EXPIRED)
    for code, watches in _by_organisation(over):
        append(
            session,
            CONSOLE,
            "watch.expire",
            audience=[code],
            object_type="watch",
            objects=[str(each.id) for each in watches],
        )
    return len(over)


def end_without_right(session: Session, today: date) -> int:
    """End up to BATCH watches that were set by somebody who is no analyst any more; how many."""
    found = watch_storage.without_right(session, today, BATCH)
    end_for_want_of_right(session, found)
    return len(found)


def end_for_want_of_right(session: Session, held: Sequence[KeptWatch]) -> None:
    """End these watches, which are held, and tell their organisations: somebody may set them anew.

    What the platform does on somebody's account it does with their rights, so it stops with them.
    """
    if not held:
        return
    watch_storage.end(session, [each.watch_id for each in held], now(), WatchEnd.STOPPED)
    for code, watches in _by_organisation(held):
        append(
            session,
            CONSOLE,
            "watch.expire",
            audience=[code],
            object_type="watch",
            objects=[str(each.id) for each in watches],
            details={"reason": "no-analyst"},
        )
        notify(
            session,
            watches[0].organisation_id,
            Role.ANALYST,
            "watch.ended",
            {"count": len(watches)},
            "/watches?state=ended",
        )


def erase_records(session: Session, today: date) -> int:
    """Erase up to BATCH records of watches that ended long ago, with what they found; how many."""
    kept = timedelta(days=runtime().settings.retention.lookup_days)
    erased = watch_storage.erase_records(session, today - kept, BATCH)
    members = directory(session) if erased else {}
    for organisation_id, ids in erased.items():
        append(
            session,
            CONSOLE,
            "watch.erase",
            audience=[members[organisation_id].code],
            object_type="watch",
            objects=sorted(map(str, ids)),
        )
    return sum(map(len, erased.values()))


def _by_organisation(watches: Iterable[KeptWatch]) -> Iterable[tuple[str, list[KeptWatch]]]:
    ordered = sorted(watches, key=lambda each: (each.organisation, each.watch_id))
    return ((code, list(of)) for code, of in groupby(ordered, key=lambda each: each.organisation))
