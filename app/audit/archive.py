"""Moving whole months of the log into sealed files, and out of the database.

First a file is written, forced to the disk and read again; then one transaction notes it with its
SHA-256 in the log itself; only then rows go, month by month. A run that was interrupted leaves a
file that no row names, which the next run removes, or rows that are archived as well.
"""

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import LargeBinary, func, select, type_coerce
from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.audit import months, shelves
from app.audit.archive_file import ArchiveFile, Keys, Placed, fingerprint, write
from app.audit.archives import all_archives, border, check_archive
from app.audit.high_water import StoredMismatchError
from app.audit.models import AuditArchive, AuditDetail, AuditEntry, AuditOrgKey, AuditSeq
from app.audit.service import append
from app.audit.shelves import KeyRing
from app.audit.tree import head, reader
from app.clock import milliseconds, now
from app.database import Database
from app.runtime import Runtime
from app.secret_files import Sealer
from postern.audit.record import commitment
from postern.base64url import to_base64url
from postern.private_files import sync_directory
from postern.tlog.hashing import leaf_hash
from postern.tlog.tiles import TILE_WIDTH, Tile, TileReader

MOST = 1 << 16
"""Places of one file: some thirty megabytes."""

ERASURE = "audit.erase"
"""The act whose details outlive all others: they say why others are gone."""

_SUFFIX = ".archive"


class TurnTakenError(Exception):
    """Somebody else archives or erases just now. Try again later."""


@dataclass(frozen=True)
class Archivist:
    """Archives into `directory` what is older than `kept_months` whole months."""

    database: Database
    directory: Path
    sealer: Sealer
    kept_months: int
    most: int = MOST

    def seal_next(self) -> AuditArchive | None:
        """Seal the next places that are old enough; None when they are no whole bundle of 256.

        StoredMismatchError when one of them is not the entry that was signed.
        """
        with self.turn():
            with self.database.reading() as session:
                first, count = self._due(session)
                if not count:
                    return None
                keys = KeyRing.load(session, self.sealer)
                source = _Passing(_live(session, first, count))
                draft = self._written(first, source, keys.make)
                _verify(draft, first, source, keys.find, reader(session))
            archive = AuditArchive(
                first=first,
                count=count,
                t_first=source.t_first,
                t_last=source.t_last,
                made_at=milliseconds(now()),
            )
            self._name(archive, draft)
            with self.database.transaction() as session:
                session.add(archive)
                keys.store(session)
                _tell(session, archive, source.audience)
        return archive

    def leave(self) -> int:
        """Remove from the database the months that stand in archives; returns how many entries.

        ArchiveDamagedError when an archive is not what it was: then they stay.
        """
        gone = 0
        while True:
            with self.turn(), self.database.transaction() as session:
                month = months.oldest(session)
                if month is None or month >= self._cutoff():
                    return gone
                for archive in all_archives(session):
                    if archive.t_last >= months.beginning(month):
                        check_archive(archive, self.directory / archive.name)
                left = months.leave(session, month)
            if not left:
                return gone
            gone += left

    def reseal(
        self, session: Session, archive: AuditArchive, change: Callable[[Placed], Placed]
    ) -> bool:
        """Make an archive anew with details taken out; whether there were any to take out.

        Call it within `turn`; it is valid when `session` commits. The former file stays until
        `sweep`.
        """
        former = self.directory / archive.name
        check_archive(archive, former)
        keys = KeyRing.load(session, self.sealer)
        changes = _Changing(change)
        source = _Passing(map(changes, ArchiveFile(former).all_placed(keys.find)))
        draft = self._written(archive.first, source, keys.find)
        if not changes.any:
            draft.unlink()
            return False
        _verify(draft, archive.first, source, keys.find, reader(session))
        self._name(archive, draft)
        session.flush()
        _tell(session, archive, source.audience)
        return True

    def sweep(self, *, wait: bool = True) -> None:
        """Remove files that no row names: what interrupted runs left, and what was made anew."""
        with self.turn(wait=wait), self.database.reading() as session:
            named = {archive.name for archive in all_archives(session)}
            for path in self.directory.iterdir():
                if _SUFFIX in path.name and path.name not in named:
                    path.unlink()

    @contextmanager
    def turn(self, *, wait: bool = True) -> Iterator[None]:
        """Wait until nobody else archives or erases: both read details and write them elsewhere.

        Within a transaction do not `wait`, since who has the turn may wait for that transaction:
        TurnTakenError when somebody has it.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.directory / "turn").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise TurnTakenError from None
            yield

    def _cutoff(self) -> int:
        return months.number_of(now()) - self.kept_months

    def _due(self, session: Session) -> tuple[int, int]:
        """The first place that is not archived, and how many are to be: whole bundles.

        Up to the last that is old enough: a younger one before it, by a clock that was wrong, is
        archived as well and keeps its month.
        """
        first = border(session)
        last = min(first + self.most, head(session).size)
        old = session.scalar(
            select(func.max(AuditSeq.idx)).where(
                AuditSeq.idx >= first,
                AuditSeq.idx < last,
                AuditSeq.t < months.beginning(self._cutoff()),
            )
        )
        count = 0 if old is None else old + 1 - first
        return first, count - count % TILE_WIDTH

    def _written(self, first: int, placed: Iterable[Placed], keys: Keys) -> Path:
        path = self.directory / f"{first:012}{_SUFFIX}.new"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        try:
            write(path, placed, keys)
        except ValueError as error:
            raise StoredMismatchError(
                f"Entries from the place {first} on cannot be archived: {error}. Nothing was"
                " removed. Run: flask --app wsgi audit check"
            ) from None
        return path

    def _name(self, archive: AuditArchive, draft: Path) -> None:
        """Give a verified file its name, which no other content has, and note what it is."""
        sealed = fingerprint(draft)
        last = archive.first + archive.count - 1
        archive.name = f"{archive.first:012}-{last:012}-{sealed.sha256[:8].hex()}{_SUFFIX}"
        archive.sha256, archive.length = sealed.sha256, sealed.length
        draft.replace(self.directory / archive.name)
        sync_directory(self.directory)


def archivist(runtime: Runtime) -> Archivist:
    """The archivist of the settings; StartRefusedError when its secret is not to be read."""
    settings = runtime.settings.audit
    return Archivist(
        runtime.database, Path(settings.archive), shelves.sealer(runtime), settings.archive_months
    )


@dataclass
class _Passing:
    """Entries on their way into a file, and what is noted of them as they pass."""

    source: Iterable[Placed]
    audience: set[str] = field(default_factory=set)
    t_first: int = 0
    t_last: int = 0
    digest: bytes = b""

    def __iter__(self) -> Iterator[Placed]:
        running, moments = hashlib.sha256(), []
        for each in self.source:
            _add(running, each)
            fields = json.loads(each.record)
            self.audience.update(fields["aud"])
            moments.append(fields["t"])
            yield each
        self.t_first, self.t_last = min(moments), max(moments)
        self.digest = running.digest()


@dataclass
class _Changing:
    """A change, and whether it changed anything."""

    change: Callable[[Placed], Placed]
    any: bool = False

    def __call__(self, each: Placed) -> Placed:
        changed = self.change(each)
        self.any = self.any or changed != each
        return changed


def _live(session: Session, first: int, count: int) -> Iterator[Placed]:
    """What stands at places in the database; StoredMismatchError when it does not fit together."""
    for start in range(first, first + count, TILE_WIDTH):
        rows = session.execute(_PLACED.where(AuditSeq.idx.between(start, start + TILE_WIDTH - 1)))
        found = rows.all()
        for place, row in zip(range(start, start + TILE_WIDTH), found, strict=False):
            if row.idx != place or json.loads(row.leaf)["c"] != commitment(row.rec):
                break
            shelf = (_owner(row.act, json.loads(row.rec)), months.number_at(row.at))
            yield Placed(row.leaf, row.rec, bytes(row.openings or b""), shelf)
        else:
            if len(found) == TILE_WIDTH:
                continue
        raise StoredMismatchError(
            f"An entry of the places {start} to {start + TILE_WIDTH - 1} is missing, or its record"
            " is not the one that was hashed. Nothing was archived. Run:"
            " flask --app wsgi audit check"
        )


def _owner(act: str, fields: Mapping[str, Any]) -> str:
    """Whose own entry it is, so whose retention ends its details; nobody's if it tells of that."""
    if act == ERASURE:
        return ERASURE
    acting: str = fields["org"]
    audience: list[str] = fields["aud"]
    return acting if acting in audience else min(audience)


_PLACED = (
    select(
        AuditSeq.idx,
        AuditSeq.t.label("at"),
        AuditEntry.act,
        AuditEntry.rec,
        AuditEntry.leaf,
        type_coerce(AuditDetail.disc, LargeBinary).label("openings"),
    )
    .join(AuditEntry, (AuditEntry.eid == AuditSeq.eid) & (AuditEntry.t == AuditSeq.t))
    .outerjoin(AuditDetail, (AuditDetail.eid == AuditSeq.eid) & (AuditDetail.t == AuditSeq.t))
    .order_by(AuditSeq.idx)
)


def _verify(path: Path, first: int, source: _Passing, keys: Keys, read: TileReader) -> None:
    """Read a file again: it holds what was written, and its leaves are those that were signed."""
    written, running = ArchiveFile(path), hashlib.sha256()
    for number in range(written.bundles):
        hashes = []
        for each in written.placed(number, keys):
            _add(running, each)
            hashes.append(leaf_hash(each.leaf))
        if b"".join(hashes) != read(Tile(0, first // TILE_WIDTH + number)):
            raise StoredMismatchError(
                f"An entry of the bundle {first // TILE_WIDTH + number} is not the one that was"
                " signed. Nothing was archived. Run: flask --app wsgi audit check"
            )
    if running.digest() != source.digest:
        raise StoredMismatchError(
            f"The archive from the place {first} on was not written as it was meant. Nothing was"
            " removed. Check the disk, then try again."
        )


def _add(running: "hashlib._Hash", each: Placed) -> None:
    """Add one entry to a digest, every part behind its length."""
    for part in (each.leaf, each.record, each.openings, repr(each.shelf).encode()):
        running.update(len(part).to_bytes(8, "big") + part)


def _tell(session: Session, archive: AuditArchive, audience: Iterable[str]) -> None:
    """Note the file in the log itself, for everybody of whom it holds entries."""
    members = session.scalars(select(AuditOrgKey.org).where(AuditOrgKey.org.in_(audience)))
    append(
        session,
        CONSOLE,
        "audit.archive",
        audience=set(members),
        object_type="audit-archive",
        count=archive.count,
        details={
            "file": archive.name,
            "sha256": to_base64url(archive.sha256),
            "places": [archive.first, archive.first + archive.count - 1],
        },
    )
