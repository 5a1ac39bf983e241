"""Shared keys on the client's side: the ceremony's files, the key document, checking of parts."""

import dataclasses
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from postern import group, key_file_form, threshold, voprf
from postern.holder_share import read_share
from postern.key_document import KeyEpoch
from postern.key_errors import MalformedDocumentError
from postern.key_file import Purpose
from postern.key_sharing import CeremonyFileError, Holder, KeySharing, read_ceremony
from postern.shared_evaluation import NamedPart, combined
from postern.threshold import ShareRefusedError
from tests.postern.conftest import Desk

WORDS = {
    "alpha": "cobalt ferry lantern marble twig",
    "beta": "granite otter willow number forty",
    "gamma": "amber wagon thistle quarry lemon",
}


def said(desk: Desk, name: str) -> Path:
    path = desk.home / f"{name}.passphrase"
    path.touch(mode=0o600)
    path.write_text(WORDS[name])
    return path


def hold(desk: Desk, *more: object, to: str = "ceremony") -> Result:
    holders: list[object] = []
    for name in WORDS:
        holders += ["--holder", f"{name}=https://{name}.example"]
        holders += ["--passphrase-file", f"{name}={said(desk, name)}"]
    return desk.run("keys", "ceremony", "Postern", "--to", desk.home / to, *holders, *more)


def test_a_ceremony_gives_each_holder_a_file_and_all_a_transcript(bare_desk: Desk) -> None:
    held = hold(bare_desk)
    assert held.exit_code == 0, held.output
    folder = bare_desk.home / "ceremony"
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    public = read_ceremony((folder / "ceremony.json").read_bytes())
    assert (folder / "transcript.txt").read_text().rstrip() in held.stdout
    assert public.digest() in held.stdout
    shares = {}
    for number, name in enumerate(WORDS, start=1):
        file = key_file_form.read(folder / f"{name}.share.json")
        assert file.purpose is Purpose.SHARE
        opened = read_share(file, WORDS[name], public)
        assert opened.number == number
        shares[number] = opened.shares
        every = "".join(path.read_text() for path in folder.iterdir()) + held.output + repr(opened)
        assert not any(share.hex() in every for share in opened.shares.values())
    for kind, commitments in public.commitments.items():
        secret = sum(
            int.from_bytes(group.scalar_mul(weight, shares[number][kind]), "little")
            for number, weight in threshold.weights((1, 3)).items()
        )
        assert group.base((secret % group.L).to_bytes(32, "little")) == commitments[0]
    again = hold(bare_desk)
    assert again.exit_code == 1
    assert "exists" in again.output or "already" in again.output


def test_a_share_is_checked_against_the_public_file(
    bare_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hold(bare_desk).exit_code == 0
    folder = bare_desk.home / "ceremony"
    public_file = folder / "ceremony.json"
    check = ("keys", "check-share", folder / "beta.share.json")
    opener = ("--passphrase-file", said(bare_desk, "beta"))
    checked = bare_desk.run(*check, public_file, *opener)
    assert checked.exit_code == 0, checked.output
    assert "Holder beta, number 2 of 3" in checked.stdout
    # A dealer that published other commitments, or another ceremony's file.
    content = json.loads(public_file.read_text())
    content["keys"][0]["commitments"].reverse()
    other = bare_desk.write("other.json", json.dumps(content))
    refused = bare_desk.run(*check, other, *opener)
    assert refused.exit_code == 1
    assert "another ceremony" in refused.output
    wrong = bare_desk.run(*check, public_file, "--passphrase-file", said(bare_desk, "alpha"))
    assert wrong.exit_code == 1
    # A share that is not what was committed to, in a file that names the right ceremony.
    public = read_ceremony(public_file.read_bytes())
    file = key_file_form.read(folder / "beta.share.json")
    kind = min(public.commitments)
    digest = public.digest()
    forged = dataclasses.replace(
        public, commitments={**public.commitments, kind: public.commitments[kind][::-1]}
    )
    monkeypatch.setattr(type(public), "digest", lambda _: digest)
    with pytest.raises(ShareRefusedError):
        read_share(file, WORDS["beta"], forged)


@pytest.mark.parametrize(
    "more",
    [
        ("--threshold", "4"),
        ("--holder", "alpha=https://x.example"),
        ("--holder", "platform=https://x.example"),
        ("--holder", "delta=http://delta.example"),
        ("--holder", "delta"),
        ("--passphrase-file", "delta=x"),
    ],
    ids=["too-high", "twice", "platform", "plain-http", "no-address", "stranger"],
)
def test_a_ceremony_that_cannot_be_is_refused(bare_desk: Desk, more: tuple[str, ...]) -> None:
    refused = hold(bare_desk, *more)
    assert refused.exit_code == 2, refused.output
    assert not (bare_desk.home / "ceremony").exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format":"postern-key-ceremony"}',
        b"\xff",
        b"[" * 100_000,
        b" " * 300_000,
    ],
    ids=["empty", "list", "nothing", "too-little", "no-text", "deep", "long"],
)
def test_a_public_file_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(CeremonyFileError):
        read_ceremony(raw)


HOLDERS = (Holder(1, "alpha"), Holder(2, "beta"), Holder(3, "gamma"))


@dataclasses.dataclass
class Shared:
    """A shared key, and one evaluation of some blinded elements by everyone."""

    own: bytes
    dealt: threshold.Dealt
    sharing: KeySharing
    blinds: list[bytes]
    blinded: list[bytes]
    parts: list[NamedPart]
    expected: list[bytes]


@pytest.fixture
def shared() -> Shared:
    key, own = group.random_scalar(), group.random_scalar()
    dealt = threshold.deal(2, (1, 2, 3), constant=group.scalar_sub(key, own))
    sharing = KeySharing(group.base(own), dealt.commitments, HOLDERS)
    values = [b"one", b"two", b"three"]
    pairs = [voprf.blind(value) for value in values]
    blinded = [element for _, element in pairs]
    parts = [
        NamedPart(number, *voprf.evaluate(secret, group.base(secret), blinded))
        for number, secret in {0: own, **dealt.shares}.items()
    ]
    one = (1).to_bytes(32, "little")
    expected = [group.mul(key, voprf.blind(value, r=one)[1]) for value in values]
    return Shared(own, dealt, sharing, [r for r, _ in pairs], blinded, parts, expected)


@pytest.mark.parametrize("away", [None, 1, 2, 3], ids=["all", "no-alpha", "no-beta", "no-gamma"])
def test_any_two_holders_are_enough(shared: Shared, away: int | None) -> None:
    parts = [part for part in shared.parts if part.number != away]
    found = combined(shared.sharing, shared.blinds, shared.blinded, parts)
    assert found.elements == shared.expected
    assert found.cheating == ()


@pytest.mark.parametrize("cheat", [1, 2, 3])
@pytest.mark.parametrize("how", ["other-share", "swapped", "proof", "short"])
def test_who_cheats_is_named_and_not_used(shared: Shared, cheat: int, how: str) -> None:
    part = shared.parts[cheat]
    if how == "other-share":
        other = group.random_scalar()
        part = NamedPart(cheat, *voprf.evaluate(other, group.base(other), shared.blinded))
    elif how == "swapped":
        part = dataclasses.replace(part, elements=part.elements[::-1])
    elif how == "proof":
        part = dataclasses.replace(part, proof=bytes(64))
    else:
        part = dataclasses.replace(part, elements=part.elements[:-1])
    parts = [*shared.parts[:cheat], part, *shared.parts[cheat + 1 :]]
    found = combined(shared.sharing, shared.blinds, shared.blinded, parts)
    assert found.cheating == (cheat,)
    assert found.elements == shared.expected
    fewer = [each for each in parts if each.number in {0, cheat, cheat % 3 + 1}]
    assert combined(shared.sharing, shared.blinds, shared.blinded, fewer).elements is None


def test_without_the_platforms_part_or_with_a_wrong_one_there_is_nothing(shared: Shared) -> None:
    holders = shared.parts[1:]
    assert combined(shared.sharing, shared.blinds, shared.blinded, holders).elements is None
    wrong = [dataclasses.replace(shared.parts[0], proof=bytes(64)), *holders]
    found = combined(shared.sharing, shared.blinds, shared.blinded, wrong)
    assert (found.elements, found.cheating) == (None, (0,))


def test_a_key_document_whose_shares_do_not_make_its_key_is_refused(shared: Shared) -> None:
    begins = datetime.now(UTC).replace(microsecond=0)
    until = begins + timedelta(days=1)
    key = shared.sharing.public_key
    KeyEpoch("phone", 1, "1", key, begins, until, shared.sharing)
    with pytest.raises(MalformedDocumentError, match="sum"):
        KeyEpoch("phone", 1, "1", group.base(group.random_scalar()), begins, until, shared.sharing)
