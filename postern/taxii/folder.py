"""The folder of received objects: JSON Lines for people and programs, an index in SQLite.

The invariant: the index is the truth. A page is appended to the lines first and is then taken into
the index in one transaction, together with the place where reading goes on; what the index does not
know is cut off at the next opening. So a pull that is cut off anywhere, by kill -9 too, goes on
without an object lost or doubled.

A line is an object as it stands now. When a newer version comes, or an object is withdrawn, expires
or is gone, its earlier line is overwritten with spaces, and once too much is blank the file is
written anew. Folder mode 0700, files 0600.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from postern.private_files import PRIVATE, lock, others_may_read, sync_directory
from postern.taxii.client import Place
from postern.taxii.errors import FolderError
from postern.taxii.index_rows import (
    KEPT_COLUMNS,
    SOURCE_COLUMNS,
    TABLES,
    VERSION,
    Kept,
    Source,
    Taken,
    kept_of,
    source_of,
)
from postern.taxii.objects import Arrived, RefusedObjectError, State, TokensOf, arrived

INDEX = "index.sqlite"

_PRIVATE_FOLDER = 0o700
_LOCK = "lock"
_MOST_BLANK = 2**20  # bytes that may be blank whatever else the file holds
_CACHE = 64 * 1024  # KiB of the index that are held: tokens come in no order
_AT_ONCE = 500  # values in one statement
_WITH_TOKENS = (
    "SELECT source, id, value, facet FROM token JOIN object ON object.number = token.object"
)
_LONGEST_REASON = 200  # characters
_MOST_REFUSED = 10_000  # refusals that are remembered of one collection


class Folder:
    """The open folder. Only one process may write to it; any may read. Raises FolderError, OSError.

    `tokens_of` finds the tokens by which an object can be searched.
    """

    def __init__(self, path: Path, *, writing: bool, tokens_of: TokensOf = lambda _: ()) -> None:
        self.path = path
        self._tokens_of = tokens_of
        self._lock: IO[bytes] | None = None
        if writing:
            path.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            self._lock = _locked(path / _LOCK)
        elif not (path / INDEX).exists():
            raise FolderError(
                f"There is nothing in {path}. Fetch something with `postern exchange pull` first."
            )
        try:
            self._connection = self._opened(path / INDEX)
            if writing:
                self._finish_what_was_cut_off()
        except BaseException:
            self._unlock()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the index and give up the lock."""
        self._connection.close()
        self._unlock()

    def source(self, server: str, collection: str, title: str) -> Source:
        """The source of a collection, which is made when it is new."""
        with self._explained(), self._connection:
            self._connection.execute(
                "INSERT INTO source (server, collection, title, file) VALUES (?, ?, ?, '') "
                "ON CONFLICT (server, collection) DO UPDATE SET title = excluded.title",
                (server, collection, title),
            )
            self._connection.execute(
                "UPDATE source SET file = 'collection-' || number || '.1.jsonl' WHERE file = ''"
            )
        return next(
            each
            for each in self.sources()
            if (each.server, each.collection) == (server, collection)
        )

    def sources(self) -> list[Source]:
        """Every collection from which something was asked."""
        with self._explained():
            rows = self._connection.execute(
                f"SELECT {SOURCE_COLUMNS} FROM source ORDER BY number"  # noqa: S608 - a constant
            ).fetchall()
        return [source_of(row) for row in rows]

    def begin(self, number: int, place: Place) -> None:
        """A round of reading begins at a place."""
        with self._explained(), self._connection:
            self._connection.execute(
                "UPDATE source SET began_after = ?, added_after = ?, next = ?, seen = ? "
                "WHERE number = ?",
                (place.after, place.after, place.next, place.seen, number),
            )

    def take(
        self, number: int, objects: Iterable[Any], now: str, place: Place | None, *, is_last: bool
    ) -> Taken:
        """Keep the objects of a page and the place after it; both or neither.

        `now` sorts as versions do. Without a `place` the one that is known stays.
        """
        taken = Taken()
        source = self._source(number)
        with self._explained(), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            lines = _Lines(source.octets)
            blanked = 0
            for content in objects:
                try:
                    one = arrived(content, now, self._tokens_of)
                except RefusedObjectError as refused:
                    self._refuse(number, refused, now)
                    taken.refused += 1
                    continue
                blanked += self._take_one(number, one, lines, now, taken)
            self._connection.executemany(
                "INSERT OR IGNORE INTO token VALUES (?, ?, ?)",
                (
                    (value, key, facet)
                    for key, tokens in lines.tokens.items()
                    for facet, value in tokens
                ),
            )
            self._append(source, lines)
            self._connection.execute(
                "UPDATE source SET octets = ?, blank = blank + ?, asked_at = ? WHERE number = ?",
                (lines.end, blanked, now, number),
            )
            if place is not None:
                self._connection.execute(
                    "UPDATE source SET added_after = ?, next = ?, seen = ?, "
                    "finished_at = CASE WHEN ? THEN ? ELSE finished_at END WHERE number = ?",
                    (place.after, place.next, place.seen, is_last, now, number),
                )
        self._overwrite_blanks()
        return taken

    def end_expired(self, now: str) -> int:
        """Erase what is valid no longer; how many objects those were."""
        with self._explained():
            rows = self._connection.execute(
                "SELECT source, id FROM object WHERE state = 'current' AND until <= ?", (now,)
            ).fetchall()
        self._end(rows, State.EXPIRED)
        return len(rows)

    def end_gone(self, number: int, held: set[str]) -> int:
        """Erase the current objects of a source whose ids are not among those that it holds."""
        with self._explained():
            rows = self._connection.execute(
                "SELECT source, id FROM object WHERE source = ? AND state = 'current'", (number,)
            ).fetchall()
        gone = [row for row in rows if row[1] not in held]
        self._end(gone, State.GONE)
        return len(gone)

    def tidy(self) -> None:
        """Write the files anew of which more than half is blank."""
        for source in self.sources():
            if source.blank > max(_MOST_BLANK, source.octets // 2):
                self._rewrite(source)

    def kept(
        self,
        *,
        number: int | None = None,
        type_: str | None = None,
        state: State | None = State.CURRENT,
        after: tuple[int, str] = (0, ""),
        most: int = 1000,
    ) -> list[Kept]:
        """Objects by source and id, from after a place, at most so many."""
        where, values = ["(source, id) > (?, ?)"], [*after]
        for column, value in (("source", number), ("type", type_), ("state", state)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        return self._kept(f"{' AND '.join(where)} ORDER BY source, id LIMIT ?", [*values, most])

    def versions(self, number: int, identifiers: Sequence[str]) -> dict[str, str]:
        """id -> version, of those objects of a source that are known, in whatever state."""
        found: dict[str, str] = {}
        with self._explained():
            for few in _chunks(identifiers):
                marks = ", ".join("?" * len(few))
                found |= self._connection.execute(
                    f"SELECT id, version FROM object WHERE source = ? AND id IN ({marks})",  # noqa: S608 - question marks only
                    [number, *few],
                ).fetchall()
        return found

    def counts(self) -> dict[tuple[int, str], int]:
        """(source, state) -> how many objects."""
        with self._explained():
            rows = self._connection.execute(
                "SELECT source, state, count(*) FROM object GROUP BY source, state"
            ).fetchall()
        return {(number, state): count for number, state, count in rows}

    def refusals(self, number: int) -> list[tuple[str, str]]:
        """(id, reason) of what a source sent and could not be kept."""
        with self._explained():
            return self._connection.execute(
                "SELECT id, reason FROM refused WHERE source = ? ORDER BY id", (number,)
            ).fetchall()

    def with_tokens(self, values: Sequence[str]) -> dict[tuple[int, str], dict[str, int]]:
        """(source, id) -> token -> facet, of the objects that hold any of those tokens."""
        found: dict[tuple[int, str], dict[str, int]] = {}
        with self._explained():
            for few in _chunks(values):
                marks = ", ".join("?" * len(few))
                rows = self._connection.execute(
                    f"{_WITH_TOKENS} WHERE value IN ({marks})",
                    few,
                )
                for number, identifier, value, facet in rows:
                    found.setdefault((number, identifier), {})[value] = facet
        return found

    def token_prefixes(self) -> set[str]:
        """The kinds and epochs of the tokens in the folder, such as `postal1.3`."""
        with self._explained():
            rows = self._connection.execute(
                "SELECT DISTINCT rtrim(rtrim(value, replace(value, '.', '')), '.') FROM token"
            ).fetchall()
        return {row[0] for row in rows}

    def one(self, number: int, identifier: str) -> Kept | None:
        """One object."""
        found = self._kept("source = ? AND id = ?", [number, identifier])
        return found[0] if found else None

    def content(self, kept: Kept) -> dict[str, Any] | None:
        """The content of an object; None when there is none, or it is gone since."""
        if not kept.octets:
            return None
        for _ in range(2):  # a file that is written anew at this moment has another name
            current = self.one(kept.source, kept.id)
            if current is None or not current.octets:
                return None
            try:
                with (self.path / self._source(kept.source).file).open("rb") as file:
                    file.seek(current.place)
                    line = file.read(current.octets)
            except FileNotFoundError:
                continue
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict) and found.get("id") == kept.id:
                return found
        return None

    def _opened(self, path: Path) -> sqlite3.Connection:
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, PRIVATE))
        if others_may_read(path):
            raise FolderError(f"Others may read {path}. Run `chmod -R go= {self.path}`.")
        with self._explained():
            connection = sqlite3.connect(path, timeout=30)
            try:
                self._make_tables(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in {0, VERSION}:
            raise FolderError(
                f"{self.path} was written by a newer version of postern. Update postern."
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        if not version:
            connection.executescript(TABLES)
            connection.execute(f"PRAGMA user_version = {VERSION}")

    def _finish_what_was_cut_off(self) -> None:
        named = {source.file for source in self.sources()}
        for file in self.path.glob("collection-*.jsonl*"):
            if file.name not in named:
                file.unlink()  # a rewriting that did not come into force, or what it replaced
        for source in self.sources():
            self._cut(source)
        self._overwrite_blanks()

    def _cut(self, source: Source) -> None:
        """Cut off what the index does not know. Raises FolderError when something is missing."""
        path = self.path / source.file
        size = path.stat().st_size if path.exists() else 0
        if size < source.octets:
            raise FolderError(
                f"{path} is shorter than the index says: it was damaged or changed. Delete the "
                f"folder {self.path} and pull again, or restore it from a backup."
            )
        if size > source.octets:
            os.truncate(path, source.octets)

    def _source(self, number: int) -> Source:
        return next(each for each in self.sources() if each.number == number)

    def _take_one(self, number: int, one: Arrived, lines: "_Lines", now: str, taken: Taken) -> int:
        """Take one version; returns how many bytes of an earlier one become blank."""
        before = self._connection.execute(
            "SELECT number, version, state, place, octets FROM object WHERE source = ? AND id = ?",
            (number, one.id),
        ).fetchone()
        if before is not None:
            _, version, state, *_ = before
            # What went and comes again unchanged, such as after a mistake, is there again.
            is_back = state == State.GONE and one.version == version
            if one.version < version or (one.version == version and not is_back):
                taken.known += 1
                return 0
        key = self._put(number, one, lines.end, now)
        lines.add(one.line)
        _count(taken, one.state, is_new=before is None)
        if before is not None:
            self._connection.execute("DELETE FROM token WHERE object = ?", (key,))
        lines.tokens[key] = one.tokens
        return self._blank(number, *before[3:]) if before is not None else 0

    def _put(self, number: int, one: Arrived, place: int, now: str) -> int:
        """Write the row of an object; its key."""
        row = (number, one.id, one.type, one.version, one.state, one.until, now, place)
        (key,) = self._connection.execute(
            "INSERT INTO object (source, id, type, version, state, until, received_at, place, "
            "octets) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, id) DO UPDATE SET "
            "version = excluded.version, state = excluded.state, until = excluded.until, "
            "received_at = excluded.received_at, place = excluded.place, octets = excluded.octets "
            "RETURNING number",
            (*row, len(one.line)),
        ).fetchone()
        return int(key)

    def _blank(self, number: int, place: int, octets: int) -> int:
        if octets:
            self._connection.execute("INSERT INTO blank VALUES (?, ?, ?)", (number, place, octets))
        return octets

    def _refuse(self, number: int, refused: RefusedObjectError, now: str) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO refused SELECT ?, ?, ?, ? WHERE "
            "(SELECT count(*) FROM refused WHERE source = ?) < ?",
            (
                *(number, refused.id, refused.reason[:_LONGEST_REASON], now),
                *(number, _MOST_REFUSED),
            ),
        )

    def _append(self, source: Source, lines: "_Lines") -> None:
        if not lines.texts:
            return
        self._cut(source)  # of a page that failed in this process
        descriptor = os.open(self.path / source.file, os.O_WRONLY | os.O_CREAT, PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            file.seek(source.octets)
            file.writelines(lines.texts)
            file.flush()
            os.fsync(file.fileno())
        if not source.octets:
            sync_directory(self.path)

    def _end(self, rows: Sequence[tuple[int, str]], state: State) -> None:
        with self._explained(), self._connection:
            for number, identifier in rows:
                key, place, octets = self._connection.execute(
                    "SELECT number, place, octets FROM object WHERE source = ? AND id = ?",
                    (number, identifier),
                ).fetchone()
                self._connection.execute(
                    "UPDATE object SET state = ?, octets = 0 WHERE number = ?", (state, key)
                )
                self._connection.execute("DELETE FROM token WHERE object = ?", (key,))
                self._connection.execute(
                    "UPDATE source SET blank = blank + ? WHERE number = ?",
                    (self._blank(number, place, octets), number),
                )
        self._overwrite_blanks()

    def _overwrite_blanks(self) -> None:
        """Overwrite what is over; the index already says so, and forgets it afterwards."""
        with self._explained():
            rows = self._connection.execute(
                "SELECT s.file, b.place, b.octets FROM blank b JOIN source s ON s.number = b.source"
            ).fetchall()
        if not rows:
            return
        for name in {row[0] for row in rows}:
            with (self.path / name).open("rb+") as file:
                for of_file, place, octets in rows:
                    if of_file == name:
                        file.seek(place)
                        file.write(b" " * (octets - 1) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        with self._explained(), self._connection:
            self._connection.execute("DELETE FROM blank")

    def _rewrite(self, source: Source) -> None:
        stem, generation, _ = source.file.split(".")
        name = f"{stem}.{int(generation) + 1}.jsonl"
        end, moved = 0, []
        with (
            (self.path / source.file).open("rb") as old,
            os.fdopen(
                os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "wb"
            ) as new,
        ):
            for kept in self._kept("source = ? AND octets > 0 ORDER BY place", [source.number]):
                old.seek(kept.place)
                new.write(old.read(kept.octets))
                moved.append((end, source.number, kept.id))
                end += kept.octets
            new.flush()
            os.fsync(new.fileno())
        sync_directory(self.path)
        with self._explained(), self._connection:
            self._connection.executemany(
                "UPDATE object SET place = ? WHERE source = ? AND id = ?", moved
            )
            self._connection.execute(
                "UPDATE source SET file = ?, octets = ?, blank = 0 WHERE number = ?",
                (name, end, source.number),
            )
        (self.path / source.file).unlink(missing_ok=True)

    def _kept(self, condition: str, values: Sequence[Any]) -> list[Kept]:
        with self._explained():
            rows = self._connection.execute(
                f"SELECT {', '.join(KEPT_COLUMNS)} FROM object WHERE {condition}",  # noqa: S608 - of this module
                values,
            ).fetchall()
        return [kept_of(row) for row in rows]

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise FolderError(
                f"The index of {self.path} cannot be used: {error}. Free space or correct its "
                "permissions; if it is damaged, delete the folder and pull again."
            ) from error


class _Lines:
    """Lines that will be appended; `end` is where the file will end.

    `tokens` are those of the page by the key of their object, of its last version in the page.
    """

    def __init__(self, end: int) -> None:
        self.end = end
        self.texts: list[bytes] = []
        self.tokens: dict[int, tuple[tuple[int, str], ...]] = {}

    def add(self, line: bytes) -> None:
        self.texts.append(line)
        self.end += len(line)


def _count(taken: Taken, state: State, *, is_new: bool) -> None:
    match state:
        case State.WITHDRAWN:
            taken.withdrawn += 1
        case State.EXPIRED:
            taken.expired += 1
        case _ if is_new:
            taken.fresh += 1
        case _:
            taken.changed += 1


def _locked(path: Path) -> IO[bytes]:
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE), "rb+")
    if not lock(file):
        file.close()
        raise FolderError(
            f"Another process works in {path.parent}. Let it finish or stop it, then run the "
            "command again."
        )
    return file


def _chunks(values: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _AT_ONCE):
        yield list(values[start : start + _AT_ONCE])
