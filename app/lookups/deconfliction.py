"""Two organisations that wait for the same thing learn of each other, if both policies allow it.

They learn the other's name and its desk: no case, no purpose, nothing of its watch. The job of a
new watch looks once; whoever's policy says no, and whoever waits for something else, sees no
difference. A watch is to a policy what an indicator of its kind and TLP is, known to its owner
alone and not assessed; being let know of its presence is what must be permitted, both ways.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app import row_security
from app.access import Caller
from app.audit.service import append
from app.clock import day, now
from app.indicators.shared_rows import Owner
from app.jobs.notifications import notify
from app.lookups import watch_storage
from app.lookups.models import Deconfliction, Watch, WatchToken
from app.lookups.watch_reading import reader_of
from app.lookups.watch_storage import KeptWatch, Tokens
from app.organisations.contacts import Contact, contacts
from app.organisations.service import directory
from app.public_ids import new_public_id
from app.sharing.visibility import PRESENCE, class_level
from postern.matching import score
from postern.vocabulary import Role

LOOK = "deconfliction.look"
"""Topic of the outbox: look for others that wait for the same as `watch`, an inner key."""

MOST_LISTED = 200

_CHUNK = 500  # watches of one statement


@dataclass(frozen=True, slots=True)
class Shared:
    """That another organisation waited for the same as one's own watch, and its desk if any."""

    id: UUID
    watch: UUID
    found_at: datetime
    organisation: Owner
    contact: Contact | None


def look(session: Session, payload: Mapping[str, Any]) -> None:
    """Tell the owners of `watch` and of each other watch for the same, where both may know."""
    watch_storage.hold(session, payload["watch"])
    watch = watch_storage.by_key(session, payload["watch"])
    at = now()
    if watch is None or not watch.deconflicts or not _may_act(session, watch, at):
        return
    tokens = watch_storage.tokens_of(session, watch.watch_id)
    for other_id, others in sorted(_others(session, watch, tokens).items()):
        earlier, later = sorted(((watch.watch_id, tokens), (other_id, others)))
        other = watch_storage.by_key(session, other_id)
        if other is None or not other.deconflicts or not _may_act(session, other, at):
            continue
        query = watch if later[0] == watch.watch_id else other
        if not _agree(query, later[1], earlier[1]):
            continue
        if _may_know(session, watch, other, at) and _may_know(session, other, watch, at):
            _tell(session, watch, other, at)


def list_own(session: Session, caller: Caller) -> list[Shared]:
    """With whom one's own watches that wait met, newest first, as far as both policies allow now.

    It stays listed while one's own watch waits, whatever becomes of the other's: that would tell
    of the other's course. At most MOST_LISTED.
    """
    organisation_id, _ = caller.member
    found = known(session, organisation_id, now())
    append(
        session,
        caller,
        "deconfliction.list",
        object_type="watch",
        count=len(found),
        results=[[str(each.watch), each.organisation.code] for each in found],
    )
    return found


def known(session: Session, organisation_id: int, at: datetime) -> list[Shared]:
    """What `list_own` lists."""
    own = select(Watch.id).where(
        Watch.organisation_id == organisation_id,
        Watch.ended_at.is_(None),
        Watch.expires_on > at.date(),
    )
    rows = session.scalars(
        select(Deconfliction)
        .where(or_(Deconfliction.earlier_id.in_(own), Deconfliction.later_id.in_(own)))
        .order_by(Deconfliction.id.desc())
        .limit(MOST_LISTED)
    ).all()
    _act_for_others(session, rows)
    members, desks = directory(session), contacts(session)
    found = []
    for row in rows:
        pair = [watch_storage.by_key(session, key) for key in (row.earlier_id, row.later_id)]
        mine, other = sorted(
            (each for each in pair if each),
            key=lambda each: each.organisation_id != organisation_id,
        )
        if _may_know(session, mine, other, at) and _may_know(session, other, mine, at):
            member = members[other.organisation_id]
            owner = Owner(member.code, member.name, member.sector, member.country)
            desk = desks.get(other.organisation_id)
            found.append(Shared(row.public_id, mine.id, row.made_at, owner, desk))
    return found


def _act_for_others(session: Session, rows: Sequence[Deconfliction]) -> None:
    """Let the transaction read the watches with which one's own are paired."""
    if rows and row_security.is_asked_for(session):
        ids = [key for row in rows for key in (row.earlier_id, row.later_id)]
        owners = session.scalars(_OWNERS, {"ids": ids}).all()
        row_security.act_for(session, *(each for each in owners if each is not None))


_OWNERS = text("SELECT DISTINCT deconflicted_owner(id) FROM unnest(CAST(:ids AS bigint[])) AS id")


def _may_act(session: Session, watch: KeptWatch, at: datetime) -> bool:
    return (
        watch.is_live(at.date())
        and watch_storage.is_active(session, watch.organisation_id)
        and watch_storage.has_right(session, watch.person_id)
    )


def _others(session: Session, watch: KeptWatch, tokens: Tokens) -> dict[int, Tokens]:
    """Watches of other organisations that share a token, by inner key, with all their tokens."""
    shared = session.scalars(
        select(WatchToken.watch_id)
        .join(Watch, Watch.id == WatchToken.watch_id)
        .where(
            WatchToken.token.in_([token for _, token in tokens]),
            Watch.organisation_id != watch.organisation_id,
            Watch.deconflicts,
            Watch.ended_at.is_(None),
        )
        .distinct()
    ).all()
    found: dict[int, list[tuple[int, bytes]]] = {}
    for start in range(0, len(shared), _CHUNK):
        rows = session.execute(
            select(WatchToken.watch_id, WatchToken.facet, WatchToken.token).where(
                WatchToken.watch_id.in_(shared[start : start + _CHUNK])
            )
        )
        for watch_id, facet, token in rows:
            found.setdefault(watch_id, []).append((facet, bytes(token)))
    return dict(found)


def _agree(query: KeptWatch, asked: Tokens, held: Tokens) -> bool:
    """Whether a lookup by the later watch would find the earlier one, were it an indicator."""
    tokens = {token for _, token in held}
    found = score(
        query.kind,
        Counter(facet for facet, token in asked if token in tokens),
        query=frozenset(facet for facet, _ in asked),
        candidate=frozenset(facet for facet, _ in held),
    )
    return found.band is not None


def _may_know(session: Session, reader: KeptWatch, owner: KeptWatch, at: datetime) -> bool:
    """Whether `owner`'s policy lets `reader` know of the presence of its watch."""
    level = class_level(
        session, reader_of(session, reader), owner.share_class_id, day(owner.made_at), at
    )
    return level >= PRESENCE


def _tell(session: Session, one: KeptWatch, other: KeptWatch, at: datetime) -> None:
    """Keep that they met and tell both; nothing where that was done before."""
    earlier, later = sorted((one, other), key=lambda each: each.watch_id)
    make = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    made = session.scalar(
        make(Deconfliction)
        .values(
            public_id=new_public_id(at),
            earlier_id=earlier.watch_id,
            later_id=later.watch_id,
            made_at=at,
        )
        .on_conflict_do_nothing()
        .returning(Deconfliction.id)
    )
    if made is None:
        return
    for mine, theirs in ((earlier, later), (later, earlier)):
        _tell_one(session, mine, theirs)


def _tell_one(session: Session, mine: KeptWatch, theirs: KeptWatch) -> None:
    append(
        session,
        mine.caller,
        "deconfliction.match",
        audience=[mine.organisation],
        tell_actor=False,
        purpose=mine.purpose,
        basis=mine.legal_basis,
        object_type="watch",
        objects=[str(mine.id)],
        results=[[str(mine.id), theirs.organisation]],
        details={"organisation": theirs.organisation},
    )
    notify(
        session,
        mine.organisation_id,
        Role.ANALYST,
        "deconfliction.found",
        {"watch": str(mine.id), "organisation": theirs.organisation},
        "/watches",
    )
