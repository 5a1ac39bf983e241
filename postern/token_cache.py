"""Tokens of what was evaluated before, kept on premises for as long as their key epoch lasts.

The same senders and streets come back every night; evaluated once, they cost no allowance again.
The file alone shows neither values nor tokens: a row's place and the mask over its token follow
from the value under a key in a second file. Who has both files can test guesses of values, but only
of those that were evaluated here, and cannot list any. Both files have mode 0600.
"""

import hmac
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from postern.base64url import from_base64url, to_base64url
from postern.client_errors import ClientError
from postern.private_files import PRIVATE, others_may_read, write_private
from postern.pseudonym import TOKEN_SIZE
from postern.vocabulary import EvaluationKind

UNUSED_FOR = timedelta(days=90)  # after that a row is forgotten
_KEY_SIZE = 32  # bytes
_PLACE_SIZE = 16  # bytes
_AT_ONCE = 500  # places in one statement
_TOUCHED_AFTER = 7  # days: a row's last use is written no more often
_FIRST_DAY = date(2026, 1, 1)


class TokenCacheError(ClientError):
    """The cache of tokens cannot be used; deleting it costs only evaluations."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The cache of tokens {path} cannot be used: {why}. Delete it and its key file, and "
            "run the same command again: what it held is evaluated anew."
        )


class TokenCache:
    """A SQLite file and its key file, both made when they are missing. Raises TokenCacheError.

    `current`: the epochs in use; rows of other epochs are forgotten at once. Used as a context
    manager it is closed at the end. One process uses it at a time.
    """

    def __init__(
        self, path: Path, key_file: Path, current: Mapping[EvaluationKind, int], today: date
    ) -> None:
        self._path = path
        self._today = (today - _FIRST_DAY).days
        self._key, is_new = _key_in(path, key_file)
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
        _require_private(path, path)
        with self._explained():
            self._connection = sqlite3.connect(path, timeout=10)
        try:
            with self._explained():
                self._begin(current, is_new=is_new)
        except TokenCacheError:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def known(self, epoch: int, values: Iterable[bytes]) -> dict[bytes, bytes]:
        """The 16-byte tokens of those evaluation inputs that are known."""
        found: dict[bytes, bytes] = {}
        with self._explained(), self._connection:
            rest = iter(values)
            while few := list(islice(rest, _AT_ONCE)):
                places = {self._place(epoch, value): value for value in few}
                marks = ", ".join("?" * len(places))
                rows = self._connection.execute(
                    f"SELECT place, masked, used FROM token WHERE place IN ({marks})",  # noqa: S608 - question marks only
                    list(places),
                ).fetchall()
                stale = []
                for place, masked, used in rows:
                    value = places[place]
                    found[value] = self._masked(epoch, value, masked)
                    if self._today - used >= _TOUCHED_AFTER:
                        stale.append((self._today, place))
                self._connection.executemany("UPDATE token SET used = ? WHERE place = ?", stale)
        return found

    def keep(self, kind: EvaluationKind, epoch: int, tokens: Mapping[bytes, bytes]) -> None:
        """Keep tokens by their evaluation inputs; they are durable when this returns."""
        rows = (
            (
                self._place(epoch, value),
                kind.value,
                epoch,
                self._masked(epoch, value, token),
                self._today,
            )
            for value, token in tokens.items()
        )
        with self._explained(), self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO token VALUES (?, ?, ?, ?, ?)", rows
            )

    def __len__(self) -> int:
        with self._explained():
            (count,) = self._connection.execute("SELECT count(*) FROM token").fetchone()
        return int(count)

    def _begin(self, current: Mapping[EvaluationKind, int], *, is_new: bool) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA secure_delete = ON")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS token (place BLOB PRIMARY KEY, kind TEXT NOT NULL, "
            "epoch INTEGER NOT NULL, masked BLOB NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID"
        )
        if is_new:
            self._connection.execute("DELETE FROM token")  # nobody can read them any more
        self._forget(current)

    def _forget(self, current: Mapping[EvaluationKind, int]) -> None:
        with self._connection:
            for kind, epoch in current.items():
                self._connection.execute(
                    "DELETE FROM token WHERE kind = ? AND epoch <> ?", (kind.value, epoch)
                )
            self._connection.execute(
                "DELETE FROM token WHERE used < ?", (self._today - UNUSED_FOR.days,)
            )

    def _derived(self, epoch: int, value: bytes) -> bytes:
        # The input begins with its kind and normaliser, so that the epoch is all that is added.
        return hmac.digest(self._key, epoch.to_bytes(4, "big") + value, "sha512")

    def _place(self, epoch: int, value: bytes) -> bytes:
        return self._derived(epoch, value)[:_PLACE_SIZE]

    def _masked(self, epoch: int, value: bytes, token: bytes) -> bytes:
        mask = self._derived(epoch, value)[_PLACE_SIZE : _PLACE_SIZE + TOKEN_SIZE]
        return bytes(one ^ other for one, other in zip(token, mask, strict=True))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError) as error:
            raise TokenCacheError(self._path, type(error).__name__) from error


def _key_in(path: Path, key_file: Path) -> tuple[bytes, bool]:
    """The key, and whether it was made just now."""
    try:
        text = key_file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        key = secrets.token_bytes(_KEY_SIZE)
        write_private(key_file, to_base64url(key) + "\n")
        return key, True
    except UnicodeDecodeError:
        text = ""
    _require_private(path, key_file)
    key_found = from_base64url(text)
    if key_found is None or len(key_found) != _KEY_SIZE:
        raise TokenCacheError(path, f"{key_file} holds no key")
    return key_found, False


def _require_private(cache: Path, path: Path) -> None:
    if others_may_read(path):
        raise TokenCacheError(cache, f"others may read {path}")
