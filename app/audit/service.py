"""Appending to the log: one path, inside the transaction of the act it tells.

Nothing here assigns a place in the tree, so no two requests wait for one another; a sequencer
takes what is visible in `audit_queue` later.
"""

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.access import PLATFORM, Caller
from app.audit.catalogue import CATALOGUE
from app.audit.columns import packed, packed_leaf, packed_record, person_key
from app.audit.entry import Act, Entry, Outcome, make
from app.audit.models import (
    AuditAudience,
    AuditDetail,
    AuditEntry,
    AuditObject,
    AuditOrgKey,
    AuditQueue,
)
from app.clock import milliseconds, now
from app.write_behind import send_later

APPENDED = "audit_entries"
"""Key of `Session.info` under which the transaction's entries stand, for the guard."""

_MADE = "audit_tag_keys"  # key of Session.info: for whom the transaction has made one

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CASE_LENGTH = 128
_TAG_KEY_LENGTH = 32  # bytes
_OBJECT_KEY_LENGTH = 16  # bytes


@dataclass(frozen=True)
class Appended:
    """An entry of the transaction in progress; `is_actors_own` when it tells who acted."""

    act: str
    entry: Entry
    at: int  # milliseconds since 1970
    is_actors_own: bool


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
    session.info.setdefault(APPENDED, []).append(Appended(act, entry, at, tell_actor))
    return entry


def know_audience(session: Session, codes: Iterable[str]) -> None:
    """Read what entries to these organisations need, so that appending them reads nothing more."""
    _tag_keys(session, frozenset(codes))


def appended(session: Session) -> Sequence[Appended]:
    """The entries of the transaction in progress, in their order."""
    found: list[Appended] = session.info.get(APPENDED, [])
    return found


def object_key(identifier: str) -> bytes:
    """16 bytes by which entries about an object are found: its UUID, else a digest of its code."""
    try:
        if _UUID.fullmatch(identifier):  # as nearly all are; of a page there are thousands
            return bytes.fromhex(identifier.replace("-", ""))
        return UUID(identifier).bytes
    except ValueError:
        return hashlib.sha256(identifier.encode()).digest()[:_OBJECT_KEY_LENGTH]


def refusal_name(code: str) -> str:
    """The name under which `audit_object` finds the entries of a refusal."""
    return f"refusal/{code}"


def searched_case(case: str) -> str:
    """The part of a case reference by which entries are found; the whole stands in the details."""
    return case[:_CASE_LENGTH]


def create_tag_key(session: Session, organisation: str) -> None:
    """Give a new organisation the key by which it recognises its leaves."""
    session.info.setdefault(_MADE, set()).add(organisation)
    session.execute(
        insert(AuditOrgKey).values(org=organisation, epoch=1, key=os.urandom(_TAG_KEY_LENGTH)),
    )


_NEWEST_KEYS = (
    select(AuditOrgKey.org, AuditOrgKey.key)
    .where(AuditOrgKey.org.in_(bindparam("codes", expanding=True)))
    .order_by(AuditOrgKey.epoch)
)


_KNOWN_KEYS: WeakKeyDictionary[object, dict[str, bytes]] = WeakKeyDictionary()
"""Tag keys that this process has read, by engine. A key stays good for ever, even when there is a
newer one: whoever may recognise a leaf holds them all."""


def _tag_keys(session: Session, audience: frozenset[str]) -> Mapping[str, bytes]:
    known = _KNOWN_KEYS.setdefault(session.get_bind(), {})
    new = audience - known.keys()
    if not new:
        return known
    found = _read_tag_keys(session, new)
    made_here = session.info.get(_MADE, frozenset())  # and may be rolled back
    known.update({code: key for code, key in found.items() if code not in made_here})
    return {**known, **found}


def _read_tag_keys(session: Session, audience: frozenset[str]) -> dict[str, bytes]:
    keys = {
        code: bytes(key) for code, key in session.execute(_NEWEST_KEYS, {"codes": sorted(audience)})
    }
    missing = audience - keys.keys()
    if missing == {PLATFORM}:
        # The first act on a new database is the platform's own; a rival's key is waited for.
        _create_platform_key(session)
        return _read_tag_keys(session, audience)
    if missing:
        raise LookupError(f"no audit tag key for {', '.join(sorted(missing))}")
    return keys


def _create_platform_key(session: Session) -> None:
    make = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    session.info.setdefault(_MADE, set()).add(PLATFORM)
    key = {"org": PLATFORM, "epoch": 1, "key": os.urandom(_TAG_KEY_LENGTH)}
    session.execute(make(AuditOrgKey).values(key).on_conflict_do_nothing())


# One round trip on PostgreSQL: the entry, its details, objects, place in the queue and audience.
# Arrays go in binary: psycopg would write each of a thousand keys as text otherwise.
_STORE_POSTGRESQL = """
    WITH entry AS (
        INSERT INTO audit_entry (t, act, org, rec, leaf)
        VALUES (%(t)s, %(act)s, %(org)s, %(rec)s, %(leaf)s) RETURNING eid
    ), detail AS (
        INSERT INTO audit_detail (eid, t, actor, casref, disc)
        SELECT eid, %(t)s, %(actor)s, %(casref)s, %(disc)s FROM entry
    ), queue AS (
        INSERT INTO audit_queue (eid, t) SELECT eid, %(t)s FROM entry
    ), objects AS (
        INSERT INTO audit_object (about, t, eid)
        SELECT about, %(t)s, eid FROM entry, unnest(%(objects)b::bytea[]) AS about
    )
    INSERT INTO audit_audience (org, t, eid, act, doer, out, purpose, basis, obj)
    SELECT code, %(t)s, eid, %(act)s, %(org)s, %(out)s, %(purpose)s, %(basis)s, %(obj)s
    FROM entry, unnest(%(audience)s::varchar[]) AS code
    """


# On SQLite one each, made once: this is the hot path of every act.
_ENTRY = insert(AuditEntry).returning(AuditEntry.eid)
_DETAIL = insert(AuditDetail)
_QUEUE = insert(AuditQueue)
_AUDIENCE = insert(AuditAudience)
_OBJECT = insert(AuditObject)


def _store(session: Session, act: Act, entry: Entry, at: int) -> None:
    columns = {"t": at, "act": act.act, "org": act.organisation}
    columns |= {"rec": entry.record, "leaf": entry.leaf}
    searched = {
        "act": act.act,
        "doer": act.organisation,
        "out": act.outcome.value,
        "purpose": str(act.purpose),
        "basis": str(act.basis),
        "obj": act.object_type,
    }
    actor = act.details.get("actor")
    casref = searched_case(str(act.details.get("case", ""))) or None
    openings = "\n".join(entry.disclosures)
    objects = sorted({object_key(one) for one in found_by(act.details)})
    if session.get_bind().dialect.name == "postgresql":
        detail = {
            "actor": None if actor is None else person_key(actor),
            "casref": casref,
            "disc": packed(openings),
        }
        hashed = {"rec": packed_record(entry.record), "leaf": packed_leaf(entry.leaf)}
        many = {"objects": objects, "audience": sorted(act.audience)}
        send_later(session, _STORE_POSTGRESQL, columns | hashed | searched | detail | many)
        return
    connection = session.connection()  # below the mapper, which would plan each insert anew
    eid = connection.execute(_ENTRY, columns).scalar_one()
    place: dict[str, Any] = {"eid": eid, "t": at}
    connection.execute(_DETAIL, place | {"actor": actor, "casref": casref, "disc": openings})
    connection.execute(_QUEUE, place)
    connection.execute(
        _AUDIENCE, [{"org": code} | place | searched for code in sorted(act.audience)]
    )
    if objects:
        connection.execute(_OBJECT, [{"about": key} | place for key in objects])


_NAMING = ("objects", "indicators")
"""Details that hold lists of ids."""


def found_by(details: Mapping[str, Any]) -> list[str]:
    """Names by which the entry is found: what it is about, and the code that ended a refused act.

    `details` may be what is left of an entry's, as opened.
    """
    objects = [str(one) for name in _NAMING for one in details.get(name, ())]
    if "person" in details:
        objects.append(str(details["person"]))
    if "refusal" in details:
        objects.append(refusal_name(str(details["refusal"])))
    return objects
