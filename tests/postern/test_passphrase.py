"""Passphrases: what is too easy to guess, the work of a guess, and the file that holds one."""

from pathlib import Path

import pytest

from postern.passphrase import (
    LONGEST,
    Cost,
    CostRefusedError,
    PassphraseFileError,
    WeakPassphraseError,
    check_new,
    derived,
    read_passphrase_file,
)

GOOD = "cobalt ferry lantern marble twig"


@pytest.mark.parametrize(
    ("passphrase", "reason"),
    [
        ("short", "fewer than 16"),
        ("x" * (LONGEST + 1), "more than 1024"),
        ("aabbaabbaabbccaabb", "different characters"),
        ("kx7bqz9wkx7bqz9wkx7bqz9w", "repeats one piece"),
        (" cobalt ferry lantern marble", "space"),
        ("cobalt ferry\tlantern marble", "control character"),
        ("abcdefghijklmnopqrst", "too little"),
        ("qwertyuiopasdfghjkl1", "too little"),
        ("01234567890abcdefgh!", "too little"),
        ("PasswordPassphrase99", "too little"),
        ("post-be dispatch 2026", "too little"),
    ],
)
def test_a_weak_passphrase_is_refused_with_its_reason(passphrase: str, reason: str) -> None:
    with pytest.raises(WeakPassphraseError, match=reason) as caught:
        check_new(passphrase, "post-be", "dispatch")
    assert passphrase not in str(caught.value)


@pytest.mark.parametrize("passphrase", [GOOD, "ξ4#Ωm9!zq2Lд7&wK", "zu/9Kq!mR2xv8Lw0"])
def test_a_passphrase_drawn_by_chance_is_taken(passphrase: str) -> None:
    check_new(passphrase, "post-be", "dispatch")


def test_one_passphrase_gives_one_key_however_its_letters_are_composed() -> None:
    salt, cost = bytes(16), Cost()
    composed = derived("caf\u00e9 ferry lantern", salt, cost)
    assert composed == derived("cafe\u0301 ferry lantern", salt, cost)
    assert composed != derived("caf\u00e9 ferry lantern", bytes(15) + b"\x01", cost)


@pytest.mark.parametrize(
    ("memory", "passes", "lanes"),
    [
        (65_535, 3, 1),
        (8, 3, 1),
        (262_145, 3, 1),
        (2**31, 3, 1),
        (65_536, 2, 1),
        (65_536, 9, 1),
        (65_536, 3, 0),
        (65_536, 3, 5),
        (-1, 3, 1),
    ],
)
def test_a_cost_out_of_bounds_is_refused(memory: int, passes: int, lanes: int) -> None:
    with pytest.raises(CostRefusedError):
        Cost(memory, passes, lanes)


def test_a_passphrase_is_read_from_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.touch(mode=0o600)
    path.write_text(GOOD + "\n", encoding="utf-8")
    assert read_passphrase_file(path) == GOOD


def test_a_passphrase_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.write_text(GOOD)
    path.chmod(0o640)
    with pytest.raises(PassphraseFileError, match="chmod 600"):
        read_passphrase_file(path)


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines\n", b"\xff\xfe", b"x" * 1025])
def test_a_file_that_holds_no_one_passphrase_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "passphrase"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(PassphraseFileError):
        read_passphrase_file(path)


def test_a_missing_passphrase_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(PassphraseFileError, match="cannot be read"):
        read_passphrase_file(tmp_path / "none")
