import sqlite3
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from postern.token_cache import UNUSED_FOR, TokenCache, TokenCacheError
from postern.vocabulary import EvaluationKind

TODAY = date(2026, 11, 26)
POSTAL, PHONE = EvaluationKind.POSTAL, EvaluationKind.PHONE
TOKENS = {b"\x00\x06postalP*H=1015CS|%d" % n: bytes((n + 65,)) * 16 for n in range(3)}


def opened(
    place: Path, epochs: Mapping[EvaluationKind, int] | None = None, today: date = TODAY
) -> TokenCache:
    return TokenCache(place / "c.sqlite", place / "c.key", epochs or {POSTAL: 1, PHONE: 1}, today)


def test_what_was_kept_is_known_again(tmp_path: Path) -> None:
    with opened(tmp_path) as cache:
        cache.keep(POSTAL, 1, TOKENS)
    with opened(tmp_path) as cache:
        assert cache.known(1, [*TOKENS, b"another"]) == TOKENS
        assert cache.known(2, TOKENS) == {}


def test_the_files_are_private_and_show_no_value_and_no_token(tmp_path: Path) -> None:
    with opened(tmp_path) as cache:
        cache.keep(POSTAL, 1, TOKENS)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for value, token in TOKENS.items():
        assert b"1015CS" not in held
        assert value not in held
        assert token not in held


def test_rows_of_another_epoch_and_rows_that_nobody_uses_are_forgotten(tmp_path: Path) -> None:
    with opened(tmp_path) as cache:
        cache.keep(POSTAL, 1, TOKENS)
        cache.keep(PHONE, 1, {b"phone": bytes(16)})
    later = TODAY + UNUSED_FOR
    with opened(tmp_path, today=later) as cache:
        assert cache.known(1, [b"phone"])
    with opened(tmp_path, today=later + timedelta(days=1)) as cache:
        assert len(cache) == 1
    with opened(tmp_path, {POSTAL: 1, PHONE: 2}, later) as cache:
        assert len(cache) == 0


def test_without_its_key_the_cache_begins_anew(tmp_path: Path) -> None:
    with opened(tmp_path) as cache:
        cache.keep(POSTAL, 1, TOKENS)
    (tmp_path / "c.key").unlink()
    with opened(tmp_path) as cache:
        assert len(cache) == 0


@pytest.mark.parametrize("name", ["c.sqlite", "c.key"])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, name: str) -> None:
    opened(tmp_path).__exit__(None, None, None)
    (tmp_path / name).chmod(0o640)
    with pytest.raises(TokenCacheError, match="others may read"):
        opened(tmp_path)


@pytest.mark.parametrize(("name", "text"), [("c.sqlite", "no database" * 99), ("c.key", "short")])
def test_a_damaged_file_is_told_with_the_remedy(tmp_path: Path, name: str, text: str) -> None:
    with opened(tmp_path):
        pass
    (tmp_path / name).write_text(text)
    with pytest.raises(TokenCacheError, match="Delete it"):
        opened(tmp_path)


def test_a_row_that_holds_no_token_is_told(tmp_path: Path) -> None:
    with opened(tmp_path) as cache:
        cache.keep(POSTAL, 1, TOKENS)
    connection = sqlite3.connect(tmp_path / "c.sqlite")
    with connection:
        connection.execute("UPDATE token SET masked = x'00'")
    connection.close()
    with opened(tmp_path) as cache, pytest.raises(TokenCacheError):
        cache.known(1, TOKENS)
