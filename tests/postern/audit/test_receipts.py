"""Receipts as they are kept, and what they promise."""

import stat
from pathlib import Path

import pytest

from postern.audit.findings import Status
from postern.audit.receipts import (
    LARGEST_FILE,
    LONGEST,
    PATIENCE,
    ReceiptFile,
    finding,
    open_receipt,
    opened,
)
from postern.base64url import to_base64url
from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import Note, NoteError, SigningKey
from tests.postern.audit.log_builder import ORIGIN, RECEIPTS, LogBuilder
from tests.postern.conftest import Desk
from tests.postern.loopback_platform import LoopbackPlatform, Reply, problem

KEYS = [RECEIPTS.verifier]
OTHER = SigningKey(f"{ORIGIN}/receipt", bytes(range(3, 35)))


@pytest.fixture
def log() -> LogBuilder:
    made = LogBuilder()
    for _ in range(5):
        made.act()
    return made


@pytest.fixture
def kept(tmp_path: Path) -> ReceiptFile:
    return ReceiptFile(tmp_path / "receipts.jsonl")


def written(text: str, key: SigningKey = RECEIPTS) -> str:
    return to_base64url(Note(text, (key.sign(text),)).encode())


def test_a_receipt_says_which_leaf_and_when(log: LogBuilder) -> None:
    receipt = open_receipt(log.receipts[2], KEYS)
    assert receipt.leaf_hash == leaf_hash(log.queue[2].leaf)
    assert receipt.at == log.clock - 2


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}/receipt\nentry {'A' * 43}=\n",
        f"{ORIGIN}/receipt\nentry {'A' * 43}=\ntime 01\n",
        f"{ORIGIN}/receipt\nentry AAAA\ntime 1\n",
        f"{ORIGIN}/receipt\n{'A' * 43}=\ntime 1\n",
        f"{ORIGIN}/receipt\nentry {'A' * 43}=\ntime 1\nmore\n",
        f"{ORIGIN}\nentry {'A' * 43}=\ntime 1\n",
    ],
)
def test_anything_else_is_no_receipt(text: str) -> None:
    with pytest.raises(NoteError):
        open_receipt(written(text), KEYS)


def test_a_receipt_of_another_key_counts_as_unknown(log: LogBuilder) -> None:
    text = f"{ORIGIN}/receipt\nentry {'A' * 43}=\ntime 1\n"
    found, unknown = opened([*log.receipts, written(text, OTHER), "no receipt"], KEYS)
    assert (len(found), unknown) == (5, 2)
    told = finding(found, unknown, {each.leaf_hash for each in found}, covered_until=log.clock)
    assert told.status is Status.CANNOT_TELL


def test_a_promise_need_not_be_kept_at_once(log: LogBuilder) -> None:
    found, _ = opened(log.receipts, KEYS)
    newest = found[-1].at
    all_but_one = {each.leaf_hash for each in found[:-1]}
    soon = finding(found, 0, all_but_one, covered_until=newest + PATIENCE)
    late = finding(found, 0, all_but_one, covered_until=newest + PATIENCE + 1)
    assert (soon.status, late.status) == (Status.OK, Status.FAILED)
    assert late.counts["missing"] == 1


def test_receipts_are_kept_in_their_order_for_their_owner_alone(
    log: LogBuilder, kept: ReceiptFile
) -> None:
    for text in log.receipts:
        kept.keep(text)
    assert kept.texts() == log.receipts
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "not base64url!", "A" * (LONGEST + 4), "AB\nCD"])
def test_what_cannot_be_a_receipt_is_not_kept(kept: ReceiptFile, text: str) -> None:
    kept.keep(text)
    assert [each for each in kept.texts() if each] == []


def test_proven_receipts_go_and_the_others_stay(log: LogBuilder, kept: ReceiptFile) -> None:
    for text in log.receipts[:3]:
        kept.keep(text)
    kept.prune({log.receipts[0], log.receipts[2]})
    assert kept.texts() == [log.receipts[1]]
    kept.keep(log.receipts[3])
    kept.prune({log.receipts[1]})
    assert kept.texts() == [log.receipts[3]]
    kept.prune(set())
    assert kept.texts() == [log.receipts[3]]


def test_pruning_that_was_cut_off_loses_no_receipt(
    log: LogBuilder, kept: ReceiptFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in log.receipts:
        kept.keep(text)

    def fails(*_: object) -> None:
        raise OSError("no space")

    with monkeypatch.context() as broken:
        broken.setattr("postern.audit.receipts.write_private", fails)
        with pytest.raises(OSError, match="no space"):
            kept.prune({log.receipts[0]})
    assert kept.texts() == log.receipts
    kept.prune({log.receipts[0]})
    assert kept.texts() == log.receipts[1:]


def test_a_line_that_was_cut_off_is_no_receipt(log: LogBuilder, kept: ReceiptFile) -> None:
    kept.keep(log.receipts[0])
    with kept.path.open("a") as file:
        file.write('{"receipt": "AAA')
    assert kept.texts() == [log.receipts[0]]


def test_the_file_does_not_grow_without_end(
    log: LogBuilder, kept: ReceiptFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postern.audit.receipts.LARGEST_FILE", 4000)
    assert LARGEST_FILE > 4000
    for _ in range(100):
        for text in log.receipts:
            kept.keep(text)
        size = sum(path.stat().st_size for path in kept.path.parent.iterdir())
        assert size < 5000
    assert 5 < len(kept.texts()) < 15
    assert kept.texts()[-1] == log.receipts[-1]


def test_a_receipt_that_cannot_be_kept_does_not_fail_the_act(tmp_path: Path) -> None:
    kept = ReceiptFile(tmp_path / "file" / "receipts.jsonl")
    (tmp_path / "file").write_text("no directory")
    kept.keep("AAAA")
    assert kept.trouble


def test_the_commands_keep_the_receipts_of_acts_and_of_refusals(
    desk: Desk, platform: LoopbackPlatform, log: LogBuilder
) -> None:
    first, second, third = log.receipts[:3]
    me = "/api/v1/me"
    platform.replies[me] = [
        Reply(200, platform.me, {"Postern-Receipt": first}),
        problem(403, "not-allowed", headers={"Postern-Receipt": second}),
    ]
    assert desk.run("check").exit_code == 0
    assert desk.run("check").exit_code == 1
    kept = ReceiptFile(desk.home / "config.receipts.jsonl")
    assert kept.texts() == [first, second]
    kept.path.unlink()
    kept.path.mkdir()
    platform.replies[me] = [Reply(200, platform.me, {"Postern-Receipt": third})]
    told = desk.run("check")
    assert told.exit_code == 0
    assert "Receipts of these acts could not be kept" in told.stderr
