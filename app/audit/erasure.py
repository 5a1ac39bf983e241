"""Erasing details: openings, the columns that search them, the rows by which objects are found.

Leaf, record and tree stay as they are; what is gone can no longer be opened. Entries of the act
`audit.erase`, in the same transaction, tell exactly those who may read an entry what of it went:
`erased` = {"records": [ids], "fields": [names]} or {"before": milliseconds, "fields": [names]}.
An organisation's own entries are those of its acts, and what it alone was told of others' acts.
"""

import dataclasses
import json
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, event, exists, or_, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from app.access import CONSOLE, Caller
from app.audit import months, shelves
from app.audit.archive import ERASURE, Archivist, TurnTakenError
from app.audit.archive_file import ArchiveFile, Placed
from app.audit.archives import all_archives
from app.audit.columns import packed, unpacked
from app.audit.models import (
    AuditAudience,
    AuditDetail,
    AuditEntry,
    AuditErasure,
    AuditObject,
    ErasureState,
)
from app.audit.service import append, found_by, object_key
from app.clock import milliseconds, now
from app.errors import InvalidRequestError
from postern.audit.record import open_disclosure, open_disclosures

MOST_RECORDS = 500
"""Records of one request, and record ids of one entry that tells of an erasure."""

_BATCH = 500  # entries read at a time
_BATCHES = 20  # of one step, so that its transaction stays short
_RECORD_ID = re.compile(r"[\w-]{22}", re.ASCII)
_FIELD = re.compile(r"[a-z][a-z0-9_-]{0,39}")


@dataclass(frozen=True)
class Wanted:
    """What of an organisation's own entries is to be erased: by record ids, or by who acted.

    `fields` are the details to erase, None for all of them.
    """

    records: frozenset[str] = frozenset()
    person: str | None = None
    fields: frozenset[str] | None = None

    @property
    def kind(self) -> str:
        """`person` or `records`."""
        return "person" if self.person else "records"

    def takes(self, record_id: str, details: Mapping[str, Any]) -> bool:
        """Whether an entry is one of those."""
        if self.person:
            return details.get("actor") == self.person
        return record_id in self.records

    def goes(self, field: str) -> bool:
        """Whether a detail of this name is to go."""
        return self.fields is None or field in self.fields


_EVERYTHING = Wanted()


def ask(session: Session, caller: Caller, wanted: Wanted) -> AuditErasure:
    """Note what an organisation wants erased; the log's own process does it soon.

    InvalidRequestError when ids, person or fields are not of their form.
    """
    _check(wanted)
    asked = AuditErasure(
        org=caller.organisation,
        wanted=_document(wanted),
        asked_at=milliseconds(now()),
        state=ErasureState.WAITING,
        done_at=None,
        erased=0,
    )
    session.add(asked)
    fields = sorted(wanted.fields) if wanted.fields is not None else "all"
    append(
        session,
        caller,
        "audit.erasure",
        object_type="audit-entry",
        objects=sorted(wanted.records),  # a person would stand here again: only the kind is told
        details={"erasure": {"of": wanted.kind, "fields": fields}},
    )
    return asked


def ask_again(session: Session, organisation: str, wanted: Wanted) -> None:
    """Note, in a restored database, an erasure that had been performed; the log tells of it."""
    session.add(
        AuditErasure(
            org=organisation,
            wanted=_document(wanted),
            asked_at=milliseconds(now()),
            state=ErasureState.WAITING,
            done_at=None,
            erased=0,
        )
    )


def is_waiting(session: Session) -> bool:
    """Whether an erasure is not performed yet."""
    waiting = select(AuditErasure.id).where(AuditErasure.state == ErasureState.WAITING).limit(1)
    return session.scalar(waiting) is not None


def asked_by(session: Session, organisation: str, most: int = 50) -> list[AuditErasure]:
    """The newest erasures that an organisation asked for."""
    newest = (
        select(AuditErasure)
        .where(AuditErasure.org == organisation)
        .order_by(AuditErasure.id.desc())
        .limit(most)
    )
    return list(session.scalars(newest))


def perform_waiting(session: Session, archivist: Archivist) -> int:
    """Take a step with each erasure that waits; returns how many entries lost details.

    A large one takes several steps: call again until nothing waits. TurnTakenError while somebody
    archives.
    """
    waiting = select(AuditErasure).where(AuditErasure.state == ErasureState.WAITING)
    rows = session.scalars(waiting.order_by(AuditErasure.id).with_for_update()).all()
    if not rows:
        return 0
    with archivist.turn(wait=False):
        erased = sum(_step(session, archivist, row) for row in rows)
    truncate_after_commit(session)
    return erased


def erase_before(session: Session, archivist: Archivist, organisation: str, month: int) -> int:
    """Erase all details of an organisation's own entries before a month, a bounded part of them.

    Returns how many entries lost details, live ones and archived ones together. TurnTakenError
    while somebody archives.
    """
    before, gone = months.beginning(month), _Gone()
    with archivist.turn(wait=False):
        _erase_live(session, organisation, before, gone)
        _shred(session, archivist, organisation, month, gone)
    if gone.count:
        gone.tell_period(session, before)
        truncate_after_commit(session)
    return gone.count


def truncate_after_commit(session: Session) -> None:
    """On SQLite, empty the write-ahead log once `session` commits: it holds what was erased."""
    if session.get_bind().dialect.name != "sqlite":
        return

    def truncate(committed: Session) -> None:
        # Beside the pool's transactions: a checkpoint cannot run within one.
        connection = committed.get_bind().engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    event.listen(session, "after_commit", truncate, once=True)


def _sweep_after_commit(session: Session, archivist: Archivist) -> None:
    """Remove the former file once the new one is named; if somebody has the turn, they do it."""

    def sweep(_committed: Session) -> None:
        with suppress(TurnTakenError):
            archivist.sweep(wait=False)

    event.listen(session, "after_commit", sweep, once=True)


def _check(wanted: Wanted) -> None:
    errors = []
    if bool(wanted.records) == bool(wanted.person):
        errors.append({"field": "json", "reason": "Give either records or a person."})
    if len(wanted.records) > MOST_RECORDS:
        errors.append({"field": "json.records", "reason": f"Give at most {MOST_RECORDS} records."})
    if not all(map(_RECORD_ID.fullmatch, wanted.records)):
        errors.append({"field": "json.records", "reason": "A record has an id of 22 characters."})
    if wanted.person and not _is_person(wanted.person):
        errors.append({"field": "json.person", "reason": "Write the pseudonym as the log does."})
    if wanted.fields is not None and not (
        wanted.fields and all(map(_FIELD.fullmatch, wanted.fields))
    ):
        errors.append({"field": "json.fields", "reason": "Name details such as actor or case."})
    if errors:
        raise InvalidRequestError(errors=errors)


def _is_person(pseudonym: str) -> bool:
    try:
        return str(UUID(pseudonym)) == pseudonym
    except ValueError:
        return False


def _document(wanted: Wanted) -> str:
    return json.dumps(
        {
            "records": sorted(wanted.records),
            "person": wanted.person,
            "fields": None if wanted.fields is None else sorted(wanted.fields),
        }
    )


def _step(session: Session, archivist: Archivist, row: AuditErasure) -> int:
    """Go on where the last step ended: first live entries, then one archive after the other."""
    document = json.loads(row.wanted)
    fields = document["fields"]
    wanted = Wanted(
        records=frozenset(document["records"]),
        person=document["person"],
        fields=None if fields is None else frozenset(fields),
    )
    if "archived" not in document:
        erased, after = _erase_wanted(session, row.org, wanted, document.get("after"))
        document |= {"after": after} if after else {"archived": 0}
    else:
        start = document["archived"]
        erased, following = _erase_archived(session, archivist, row.org, wanted, start)
        if following is None:
            row.state, row.done_at = ErasureState.DONE, milliseconds(now())
            document = {"kind": wanted.kind, "fields": fields}  # nobody's pseudonym stays
        else:
            document["archived"] = following
    row.wanted = json.dumps(document)
    row.erased += erased
    return erased


@dataclass
class _Gone:
    """What was erased, by acting organisation and audience: those who are told of it."""

    by_readers: dict[tuple[str, tuple[str, ...]], tuple[list[str], set[str]]] = field(
        default_factory=dict
    )
    count: int = 0

    def add(self, record: bytes, lost: Iterable[str]) -> None:
        """Note that details went from the entry of a record."""
        fields = json.loads(record)
        records, names = self.by_readers.setdefault(
            (fields["org"], tuple(fields["aud"])), ([], set())
        )
        records.append(fields["id"])
        names.update(lost)
        self.count += 1

    def tell_records(self, session: Session) -> None:
        """Append the entries that cover it, record by record."""
        for (organisation, audience), (records, names) in sorted(self.by_readers.items()):
            for start in range(0, len(records), MOST_RECORDS):
                part = records[start : start + MOST_RECORDS]
                erased = {"records": part, "fields": sorted(names)}
                _tell(session, organisation, audience, erased, len(part))

    def tell_period(self, session: Session, before: int) -> None:
        """Append the entries that cover it as all that is older than a moment."""
        for (organisation, audience), (records, names) in sorted(self.by_readers.items()):
            erased = {"before": before, "fields": sorted(names)}
            _tell(session, organisation, audience, erased, len(records))


def _tell(
    session: Session,
    organisation: str,
    audience: Collection[str],
    erased: Mapping[str, Any],
    count: int,
) -> None:
    append(
        session,
        dataclasses.replace(CONSOLE, organisation=organisation),
        ERASURE,
        audience=audience,
        object_type="audit-entry",
        count=count,
        details={"erased": dict(erased)},
        tell_actor=organisation in audience,
    )


def _erase_wanted(
    session: Session, organisation: str, wanted: Wanted, after: list[int] | None
) -> tuple[int, list[int] | None]:
    """Erase what is wanted of live entries; returns how many, and where to go on if need be."""
    gone = _Gone()
    for _ in range(_BATCHES):
        page = _own_details(organisation, wanted)
        if after:
            page = page.where(tuple_(AuditDetail.t, AuditDetail.eid) > tuple(after))
        rows = session.execute(page).all()
        for row in rows:
            if wanted.takes(json.loads(row.rec)["id"], open_disclosures(row.disc)):
                _erase_from(session, row, wanted, gone)
        after = [rows[-1].at, rows[-1].eid] if len(rows) == _BATCH else None
        if after is None:
            break
    gone.tell_records(session)
    return gone.count, after


def _own_details(organisation: str, wanted: Wanted) -> Select[int, int, str, bytes]:
    """Details of an organisation's own entries, oldest first; of a person's acts by their index."""
    actor = aliased(AuditAudience)
    page = (
        select(AuditDetail.eid, AuditDetail.t.label("at"), AuditDetail.disc, AuditEntry.rec)
        .join(AuditEntry, (AuditEntry.eid == AuditDetail.eid) & (AuditEntry.t == AuditDetail.t))
        .join(
            AuditAudience,
            (AuditAudience.org == organisation)
            & (AuditAudience.t == AuditDetail.t)
            & (AuditAudience.eid == AuditDetail.eid),
        )
        .where(
            AuditEntry.act != ERASURE,
            or_(
                AuditEntry.org == organisation,
                ~exists().where(
                    actor.org == AuditEntry.org,
                    actor.t == AuditEntry.t,
                    actor.eid == AuditEntry.eid,
                ),
            ),
        )
        .order_by(AuditDetail.t, AuditDetail.eid)
        .limit(_BATCH)
    )
    return page.where(AuditDetail.actor == wanted.person) if wanted.person else page


def _erase_live(session: Session, organisation: str, before: int, gone: _Gone) -> None:
    """Erase all details of live entries before a moment, a bounded part."""
    page = _own_details(organisation, _EVERYTHING).where(AuditDetail.t < before).order_by(None)
    for _ in range(_BATCHES):
        rows = session.execute(page).all()
        for row in rows:
            _erase_from(session, row, _EVERYTHING, gone)
        if len(rows) < _BATCH:
            break


def _erase_from(session: Session, row: Row[*tuple[Any, ...]], wanted: Wanted, gone: _Gone) -> None:
    """Erase details of one entry. A row without details goes."""
    kept, lost = _parted(row.disc.splitlines(), wanted)
    here = (AuditDetail.eid == row.eid) & (AuditDetail.t == row.at)
    if kept and lost:
        columns: dict[str, Any] = {"disc": "\n".join(kept)}
        columns |= {"actor": None} if "actor" in lost else {}
        columns |= {"casref": None} if "case" in lost else {}
        session.execute(update(AuditDetail).where(here).values(columns))
    elif not kept:
        session.execute(delete(AuditDetail).where(here))
    if not lost:
        return
    unfound = {object_key(one) for one in found_by(open_disclosures(row.disc))}
    unfound -= {object_key(one) for one in found_by(open_disclosures("\n".join(kept)))}
    for about in sorted(unfound):
        session.execute(
            delete(AuditObject).where(
                AuditObject.about == about, AuditObject.t == row.at, AuditObject.eid == row.eid
            )
        )
    gone.add(row.rec, lost)


def _parted(lines: Iterable[str], wanted: Wanted) -> tuple[list[str], set[str]]:
    """The openings that stay, and the names of those that go."""
    kept, lost = [], set()
    for line in lines:
        name, _value = open_disclosure(line)
        if wanted.goes(name):
            lost.add(name)
        else:
            kept.append(line)
    return kept, lost


def _erase_archived(
    session: Session, archivist: Archivist, organisation: str, wanted: Wanted, start: int
) -> tuple[int, int | None]:
    """Make the next archive anew without what is wanted; the place of the one after, or None."""
    archive = next((each for each in all_archives(session) if each.first >= start), None)
    if archive is None:
        return 0, None
    gone = _Gone()

    def without(each: Placed) -> Placed:
        if each.shelf[0] != organisation or not each.openings:
            return each
        openings = unpacked(each.openings)
        if not wanted.takes(json.loads(each.record)["id"], open_disclosures(openings)):
            return each
        kept, lost = _parted(openings.splitlines(), wanted)
        if lost:
            gone.add(each.record, lost)
        return dataclasses.replace(each, openings=packed("\n".join(kept)))

    if archivist.reseal(session, archive, without):
        _sweep_after_commit(session, archivist)
    gone.tell_records(session)
    return gone.count, archive.first + archive.count


def _shred(
    session: Session, archivist: Archivist, organisation: str, month: int, gone: _Gone
) -> None:
    """Delete the keys of an organisation's archived details before a month."""
    doomed = set(shelves.stored_shelves(session, organisation, month))
    if not doomed:
        return
    for archive in all_archives(session):
        if archive.t_first >= months.beginning(month):
            break
        for each in ArchiveFile(archivist.directory / archive.name).all_placed():
            if each.shelf in doomed:
                gone.add(each.record, json.loads(each.record)["f"])
    shelves.delete_keys(session, doomed)
