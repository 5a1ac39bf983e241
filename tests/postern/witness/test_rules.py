"""What a witness accepts, by the published requests and by every way a log can go wrong."""

import dataclasses

import pytest

from postern.tlog.checkpoint import Checkpoint, open_checkpoint
from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import Note, SigningKey
from postern.tlog.witnessing import AddCheckpoint
from postern.witness.rules import (
    ACCEPTED,
    CONFLICT,
    INCONSISTENT,
    MALFORMED,
    NOT_SIGNED,
    UNKNOWN_LOG,
    Held,
    Verdict,
    Watched,
    Wrong,
    judge,
)
from tests.postern.tlog.vectors import LOG, WITNESSES, numbered
from tests.postern.witness.conftest import ORIGIN, SignedLog


def holding(log: SignedLog | None = None) -> Watched:
    """A witness that has cosigned the log as it is."""
    if log is None:
        return Watched(ORIGIN, (LOG.verifier,), None)
    checkpoint, _ = open_checkpoint(log.note(), [LOG.verifier])
    return Watched(ORIGIN, (LOG.verifier,), Held(checkpoint, log.note(), 0))


def test_the_first_checkpoint_is_believed_and_each_later_one_must_extend_it(
    log: SignedLog,
) -> None:
    assert judge(holding(), log.request(0)).status == ACCEPTED
    before = holding(log)
    log.grow(numbered(20)[10:])
    verdict = judge(before, log.request(10))
    assert (verdict.status, verdict.wrong) == (ACCEPTED, None)
    assert verdict.checkpoint
    assert verdict.checkpoint.size == 20


def test_the_same_checkpoint_may_be_cosigned_again(log: SignedLog) -> None:
    assert judge(holding(log), log.request(10)).status == ACCEPTED


def test_two_logs_of_one_size_are_a_split_view(log: SignedLog) -> None:
    other = SignedLog([*numbered(9), leaf_hash(b"forged")])
    verdict = judge(holding(log), other.request(10))
    assert (verdict.status, verdict.wrong) == (CONFLICT, Wrong.SPLIT_VIEW)


def test_a_log_that_grew_from_another_one_is_a_split_view(log: SignedLog) -> None:
    before = holding(log)
    other = SignedLog([*numbered(9), leaf_hash(b"forged"), *numbered(15)[10:]])
    verdict = judge(before, other.request(10))
    assert (verdict.status, verdict.wrong) == (INCONSISTENT, Wrong.SPLIT_VIEW)


@pytest.mark.parametrize("size", [0, 1, 9])
def test_a_log_that_shrank_is_a_rollback(log: SignedLog, size: int) -> None:
    smaller = SignedLog(numbered(size))
    if not size:
        smaller.root = Checkpoint(ORIGIN, 0, bytes(32)).root
    verdict = judge(holding(log), AddCheckpoint(10, (), smaller.note()))
    assert (verdict.status, verdict.wrong) == (MALFORMED, Wrong.ROLLBACK)
    verdict = judge(holding(log), AddCheckpoint(0, (), smaller.note()))
    assert (verdict.status, verdict.wrong) == (CONFLICT, Wrong.ROLLBACK)


def test_a_request_from_another_size_is_a_conflict_and_proves_nothing(log: SignedLog) -> None:
    before = holding(log)
    log.grow(numbered(20)[10:])
    verdict = judge(before, log.request(9))
    assert (verdict.status, verdict.wrong) == (CONFLICT, None)


def test_a_proof_between_equal_sizes_is_refused(log: SignedLog) -> None:
    request = dataclasses.replace(log.request(10), proof=(bytes(32),))
    assert judge(holding(log), request).status == INCONSISTENT


def test_only_a_pinned_key_of_the_log_counts(log: SignedLog) -> None:
    stranger = SignedLog(numbered(10), SigningKey(ORIGIN, b"s" * 32))
    elsewhere = SignedLog(numbered(10), SigningKey("other.example/audit", b"s" * 32))
    assert judge(holding(), stranger.request(0)).status == NOT_SIGNED
    assert judge(holding(), elsewhere.request(0)).status == NOT_SIGNED
    assert judge(None, log.request(0)).status == UNKNOWN_LOG


def test_a_key_that_is_pinned_for_two_names_signs_for_its_own_only() -> None:
    other = SigningKey("other.example/audit", b"s" * 32)
    watched = Watched(ORIGIN, (LOG.verifier, other.verifier), None)
    verdict = judge(watched, SignedLog(numbered(3), other).request(0))
    assert verdict.status == NOT_SIGNED


def test_what_is_kept_bears_the_signature_of_the_log_alone(log: SignedLog) -> None:
    text = Note.parse(log.note()).text
    crowded = Note(text, (LOG.sign(text), WITNESSES[0].cosign(text, 1))).encode()
    verdict = judge(holding(), AddCheckpoint(0, (), crowded))
    assert verdict.note == log.note()


def test_a_signature_that_was_changed_is_refused(log: SignedLog) -> None:
    changed = log.note().replace(b"\n10\n", b"\n11\n")
    verdict: Verdict = judge(holding(), AddCheckpoint(0, (), changed))
    assert verdict.status == NOT_SIGNED
