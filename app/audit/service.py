"""Appending to the log: one path, inside the transaction of the act it tells.

Nothing here assigns a place in the tree, so no two requests wait for one another; a sequencer
takes what is visible in `audit_queue` later.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.access import PLATFORM, Caller
from app.audit.catalogue import CATALOGUE
from app.audit.entry import Act, Entry, Outcome, make
from app.audit.models import AuditAudience, AuditDetail, AuditEntry, AuditOrgKey, AuditQueue
from app.clock import milliseconds, now

APPENDED = "audit_entries"
"""Key of `Session.info` under which the transaction's entries are counted for the guard."""

_CASE_LENGTH = 128
_TAG_KEY_LENGTH = 32  # bytes


def append(
    session: Session,
    caller: Caller,
    act: str,
    *,
    audience: Collection[str] = (),
    outcome: Outcome = Outcome.OK,
    purpose: str = "",
    basis: str = "",
    case: str = "",
    object_type: str = "",
    objects: Sequence[str] = (),
    count: int | None = None,
    results: Sequence[Any] = (),
    details: Mapping[str, Any] | None = None,
    tell_actor: bool = True,
) -> Entry:
    """Append one entry in `session`'s transaction and return it.

    The audience is the acting organisation and those named in `audience`; with
    `tell_actor=False` it is only those named, and the entry carries neither actor nor case: that
    is how an owner learns what happened to its indicators. `count` defaults to the number of
    `objects`, which are ids, never values. LookupError when the act is not in the catalogue.
    """
    if act not in CATALOGUE:
        raise LookupError(f"{act} is not in the catalogue of acts")
    if not tell_actor and not audience:
        raise LookupError(f"{act} would be an entry that nobody may read")
    opened: dict[str, Any] = dict(details or {})
    if objects:
        opened["objects"] = list(objects)
    if tell_actor:
        opened["actor"] = str(caller.person) if caller.person else caller.means.value
        opened["means"] = caller.means.value
        if case:
            opened["case"] = case
    named = frozenset(audience)
    told = Act(
        act=act,
        organisation=caller.organisation,
        audience=named | {caller.organisation} if tell_actor else named,
        outcome=outcome,
        purpose=purpose,
        basis=basis,
        object_type=object_type,
        count=len(objects) if count is None else count,
        results=results,
        details=opened,
    )
    at = milliseconds(now())
    entry = make(told, at, _tag_keys(session, told.audience))
    _store(session, told, entry, at)
    session.info.setdefault(APPENDED, []).append(act)
    return entry


def searched_case(case: str) -> str:
    """The part of a case reference by which entries are found; the whole stands in the details."""
    return case[:_CASE_LENGTH]


def create_tag_key(session: Session, organisation: str) -> None:
    """Give a new organisation the key by which it recognises its leaves."""
    session.execute(
        insert(AuditOrgKey).values(org=organisation, epoch=1, key=os.urandom(_TAG_KEY_LENGTH)),
    )


_NEWEST_KEYS = (
    select(AuditOrgKey.org, AuditOrgKey.key)
    .where(AuditOrgKey.org.in_(bindparam("codes", expanding=True)))
    .order_by(AuditOrgKey.epoch)
)


def _tag_keys(session: Session, audience: frozenset[str]) -> dict[str, bytes]:
    keys = {
        code: bytes(key) for code, key in session.execute(_NEWEST_KEYS, {"codes": sorted(audience)})
    }
    missing = audience - keys.keys()
    if missing == {PLATFORM}:
        # The first act on a new database is the platform's own; a rival's key is waited for.
        _create_platform_key(session)
        return _tag_keys(session, audience)
    if missing:
        raise LookupError(f"no audit tag key for {', '.join(sorted(missing))}")
    return keys


def _create_platform_key(session: Session) -> None:
    make = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    key = {"org": PLATFORM, "epoch": 1, "key": os.urandom(_TAG_KEY_LENGTH)}
    session.execute(make(AuditOrgKey).values(key).on_conflict_do_nothing())


# One round trip on PostgreSQL: the entry, its details, its place in the queue and its audience.
_STORE_POSTGRESQL = text(
    """
    WITH entry AS (
        INSERT INTO audit_entry (t, act, org, rec, leaf)
        VALUES (:t, :act, :org, :rec, :leaf) RETURNING eid
    ), detail AS (
        INSERT INTO audit_detail (eid, actor, casref, disc)
        SELECT eid, :actor, :casref, :disc FROM entry
    ), queue AS (
        INSERT INTO audit_queue (eid) SELECT eid FROM entry
    )
    INSERT INTO audit_audience (org, t, eid, act, out, purpose)
    SELECT code, :t, eid, :act, :out, :purpose
    FROM entry, unnest(CAST(:audience AS varchar[])) AS code
    """
)


# On SQLite one each, made once: this is the hot path of every act.
_ENTRY = insert(AuditEntry).returning(AuditEntry.eid)
_DETAIL = insert(AuditDetail)
_QUEUE = insert(AuditQueue)
_AUDIENCE = insert(AuditAudience)


def _store(session: Session, act: Act, entry: Entry, at: int) -> None:
    columns = {"t": at, "act": act.act, "org": act.organisation}
    columns |= {"rec": entry.record, "leaf": entry.leaf}
    searched = {"act": act.act, "out": act.outcome.value, "purpose": str(act.purpose)}
    detail = {
        "actor": act.details.get("actor"),
        "casref": searched_case(str(act.details.get("case", ""))) or None,
        "disc": "\n".join(entry.disclosures),
    }
    if session.get_bind().dialect.name == "postgresql":
        session.execute(
            _STORE_POSTGRESQL, columns | searched | detail | {"audience": sorted(act.audience)}
        )
        return
    connection = session.connection()  # below the mapper, which would plan each insert anew
    eid = connection.execute(_ENTRY, columns).scalar_one()
    connection.execute(_DETAIL, {"eid": eid} | detail)
    connection.execute(_QUEUE, {"eid": eid})
    connection.execute(
        _AUDIENCE,
        [{"org": code, "t": at, "eid": eid} | searched for code in sorted(act.audience)],
    )
