"""Key files: each member opens them, a removed one does not, and no change goes unnoticed."""

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postern import key_file_form
from postern.hpke import SecretKey
from postern.key_file import MOST_MEMBERS, KeyFile, Member, Purpose, lock, relock
from postern.key_file_errors import (
    KeyFileDamagedError,
    MemberExistsError,
    MemberUnknownError,
    RecoveryKeyMismatchError,
    WrongPassphraseError,
)
from postern.passphrase import CostRefusedError, WeakPassphraseError
from tests.postern import sealed_vectors

ONE, TWO = "cobalt ferry lantern marble twig", "seven quiet herons mend ladders"
DISPATCH = Member.new("dispatch", ONE, "post-be")
NIGHT = Member.new("night-desk", TWO, "post-be")
RECOVERY = SecretKey.new()
CONTENT = b"the secrets of an organisation"
FILE = lock(CONTENT, Purpose.OPERATIONAL, "post-be", (DISPATCH, NIGHT), RECOVERY.public)


def test_every_member_and_the_recovery_key_open_the_file() -> None:
    assert FILE.unlock("dispatch", ONE) == CONTENT
    assert FILE.unlock("night-desk", TWO) == CONTENT
    assert FILE.unlock_by_recovery(RECOVERY) == CONTENT


def test_another_passphrase_another_name_and_another_recovery_key_do_not() -> None:
    with pytest.raises(WrongPassphraseError):
        FILE.unlock("dispatch", TWO)
    with pytest.raises(MemberUnknownError):
        FILE.unlock("nobody", ONE)
    with pytest.raises(RecoveryKeyMismatchError):
        FILE.unlock_by_recovery(SecretKey.new())


def test_a_file_without_a_recovery_key_opens_with_none() -> None:
    file = lock(CONTENT, Purpose.RECOVERY, "post-be", (DISPATCH,))
    assert file.unlock("dispatch", ONE) == CONTENT
    with pytest.raises(RecoveryKeyMismatchError):
        file.unlock_by_recovery(RECOVERY)


def test_a_removed_member_cannot_open_the_new_file_even_with_the_old_file_key() -> None:
    left = relock(FILE, CONTENT, (NIGHT,))
    assert left.unlock("night-desk", TWO) == CONTENT
    with pytest.raises(MemberUnknownError):
        left.unlock("dispatch", ONE)
    own = (FILE.wrapped[0], left.recovery_wrapped, left.nonce, left.sealed)
    pieced = replace(FILE, wrapped=(own[0], FILE.wrapped[1]), nonce=own[2], sealed=own[3])
    with pytest.raises(KeyFileDamagedError):
        pieced.unlock("dispatch", ONE)


def test_a_file_is_written_and_read_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.json"
    key_file_form.write(path, FILE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key_file_form.read(path) == FILE
    assert [each.name for each in path.parent.iterdir()] == ["keys.json"]


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys.json"
    key_file_form.write(path, FILE)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        key_file_form.write(path, relock(FILE, CONTENT, (NIGHT,)))
    assert key_file_form.read(path) == FILE
    assert [each.name for each in tmp_path.iterdir()] == ["keys.json"]


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    key_file_form.write(path, FILE)
    path.chmod(0o644)
    with pytest.raises(KeyFileDamagedError, match="chmod 600"):
        key_file_form.read(path)


def test_a_missing_or_endless_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileDamagedError):
        key_file_form.read(tmp_path / "none")
    path = tmp_path / "large"
    path.touch(mode=0o600)
    path.write_bytes(b" " * 4_000_001)
    with pytest.raises(KeyFileDamagedError, match="larger"):
        key_file_form.read(path)


def on_file() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(key_file_form.written(FILE))
    return found


def flipped(text: str) -> str:
    return ("B" if text[0] == "A" else "A") + text[1:]


Change = Callable[[dict[str, Any]], object]
BREAKING: dict[str, Change] = {
    "another format": lambda file: file.update(format="other"),
    "another version": lambda file: file.update(version=2),
    "a version that is true": lambda file: file.update(version=True),
    "another purpose": lambda file: file.update(purpose="spare"),
    "an organisation that is no code": lambda file: file.update(organisation="Post BE"),
    "a field too many": lambda file: file.update(extra=1),
    "a field too few": lambda file: file.pop("nonce"),
    "no members": lambda file: file.update(members=[]),
    "members that are no list": lambda file: file.update(members={}),
    "a member that is no object": lambda file: file.update(members=["dispatch"]),
    "too many members": lambda file: file.update(members=file["members"] * 17),
    "a member twice": lambda file: file["members"].append(file["members"][0]),
    "a member's name out of form": lambda file: file["members"][0].update(name="A B"),
    "a salt too short": lambda file: file["members"][0].update(salt="AAAA"),
    "a public key cut off": lambda file: file["members"][0].update(public_key="AAAA"),
    "padding in base64": lambda file: file.update(nonce=file["nonce"] + "="),
    "a wrapped key too long": lambda file: file["members"][0].update(wrapped="A" * 4000),
}


@pytest.mark.parametrize("change", BREAKING.values(), ids=BREAKING)
def test_a_file_out_of_its_layout_is_refused(change: Change) -> None:
    changed = on_file()
    change(changed)
    with pytest.raises(KeyFileDamagedError):
        key_file_form.parse(json.dumps(changed).encode())


@pytest.mark.parametrize("raw", [b"", b"[]", b"\xff", b'{"a":1,"a":2}', b"[" * 100_000])
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(KeyFileDamagedError):
        key_file_form.parse(raw)


@pytest.mark.parametrize(("field", "value"), [("memory", 8), ("memory", 2**30), ("passes", 1)])
def test_a_cheap_or_an_enormous_cost_is_refused_before_any_work(field: str, value: int) -> None:
    changed = on_file()
    changed["members"][0][field] = value
    with pytest.raises(CostRefusedError):
        key_file_form.parse(json.dumps(changed).encode())


UNNOTICED_BEFORE: dict[str, Change] = {
    "the organisation": lambda file: file.update(organisation="post-nl"),
    "the purpose": lambda file: file.update(purpose="recovery"),
    "the nonce": lambda file: file.update(nonce=flipped(file["nonce"])),
    "the content": lambda file: file.update(sealed=flipped(file["sealed"])),
    "a wrapped key": lambda file: file["members"][0].update(
        wrapped=flipped(file["members"][0]["wrapped"])
    ),
    "another member's key": lambda file: file["members"][1].update(
        public_key=file["recovery"]["public_key"]
    ),
    "another member's cost": lambda file: file["members"][1].update(passes=4),
    "another member's name": lambda file: file["members"][1].update(name="day-desk"),
    "the list of members": lambda file: file["members"].pop(),
    "the order of members": lambda file: file["members"].reverse(),
    "the recovery key": lambda file: file["recovery"].update(
        public_key=file["members"][1]["public_key"]
    ),
    "that there is a recovery key": lambda file: file.update(recovery=None),
}


@pytest.mark.parametrize("change", UNNOTICED_BEFORE.values(), ids=UNNOTICED_BEFORE)
def test_a_changed_file_does_not_open(change: Change) -> None:
    changed = on_file()
    change(changed)
    file = key_file_form.parse(json.dumps(changed).encode())
    with pytest.raises(KeyFileDamagedError):
        file.unlock("dispatch", ONE)


def test_a_members_changed_salt_is_a_wrong_passphrase() -> None:
    changed = on_file()
    changed["members"][0]["salt"] = flipped(changed["members"][0]["salt"])
    with pytest.raises(WrongPassphraseError):
        key_file_form.parse(json.dumps(changed).encode()).unlock("dispatch", ONE)


def test_members_have_names_of_their_own_and_one_is_left() -> None:
    many = tuple(replace(NIGHT, name=f"member-{n}") for n in range(MOST_MEMBERS + 1))
    for members in ((), (NIGHT, NIGHT), many):
        with pytest.raises(MemberExistsError):
            lock(CONTENT, Purpose.OPERATIONAL, "post-be", members)


def test_a_member_needs_a_plain_name_and_a_strong_passphrase() -> None:
    for name in ("", "A", "-x", "a b", "x" * 65):
        with pytest.raises(MemberUnknownError):
            Member.new(name, ONE, "post-be")
    with pytest.raises(WeakPassphraseError):
        Member.new("dispatch", "too short", "post-be")


def test_every_write_has_a_file_key_and_a_nonce_of_its_own() -> None:
    again = relock(FILE, CONTENT, FILE.members)
    assert again.nonce != FILE.nonce
    assert again.sealed != FILE.sealed
    swapped = replace(again, wrapped=FILE.wrapped)
    with pytest.raises(KeyFileDamagedError):
        swapped.unlock("dispatch", ONE)


def test_neither_text_nor_errors_show_a_secret() -> None:
    shown = [repr(FILE), key_file_form.written(FILE)]
    with pytest.raises(WrongPassphraseError) as caught:
        FILE.unlock("dispatch", TWO)
    shown.append(str(caught.value))
    for text in shown:
        assert ONE not in text
        assert TWO not in text
        assert CONTENT.decode() not in text


def known() -> tuple[dict[str, Any], KeyFile]:
    answers = json.loads(sealed_vectors.FILE.read_text(encoding="utf-8"))
    return answers, key_file_form.parse(json.dumps(answers["key_file"]).encode())


def test_the_known_key_file_opens_for_each_member() -> None:
    answers, file = known()
    contents = {file.unlock(name, said) for name, said in answers["passphrases"].items()}
    (content,) = contents
    assert json.loads(content)["version"] == 1
    again = key_file_form.parse(key_file_form.written(file).encode())
    assert again == file
