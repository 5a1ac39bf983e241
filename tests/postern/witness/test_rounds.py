"""Rounds with a platform in memory: what is kept, in which order, and what is evidence."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from postern.client_errors import PlatformUnreachableError
from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import (
    KIND_ED25519,
    Note,
    Signature,
    SigningKey,
    VerifierKey,
    verified,
)
from postern.tlog.witnessing import AddCheckpoint
from postern.witness.errors import (
    CosignatureFailedError,
    LogContradictsItselfError,
    LogUnknownError,
)
from postern.witness.platform import LogPlatform
from postern.witness.rounds import AGAIN_AFTER, answer, pull
from postern.witness.rules import ACCEPTED, CONFLICT, INCONSISTENT, MALFORMED, UNKNOWN_LOG, Wrong
from postern.witness.state import Store
from tests.postern.tlog.vectors import NOON, VECTORS, numbered
from tests.postern.witness.conftest import ORIGIN, SignedLog, watched


class Platform(LogPlatform):
    """Shows one log and keeps the cosignatures; looks into the store when one arrives."""

    def __init__(self, log: SignedLog, store: Store) -> None:
        self.log = log
        self.store = store
        self.lines: list[tuple[Signature, int]] = []
        self.held_when_cosigned: list[int] = []
        self.is_away = False

    def pending(self, old: int) -> AddCheckpoint:
        return self.log.request(old)

    def cosign(self, line: Signature, size: int) -> None:
        self.held_when_cosigned.append(watched(self.store).size)
        if self.is_away:
            raise PlatformUnreachableError("it is away")
        self.lines.append((line, size))


@pytest.fixture
def platform(log: SignedLog, store: Store) -> Platform:
    return Platform(log, store)


def forged(size: int) -> SignedLog:
    return SignedLog([*numbered(9), leaf_hash(b"forged"), *numbered(size)[10:]])


def test_a_round_cosigns_what_grew(platform: Platform, store: Store) -> None:
    made = pull(store, ORIGIN, platform, lambda: NOON)
    assert (made.checkpoint.size, made.cosigned) == (10, True)
    ((line, size),) = platform.lines
    note = Note(Note.parse(platform.log.note()).text, (line,))
    (found,) = verified(note, [store.key().verifier])
    assert (size, found.time) == (10, NOON)


def test_what_is_cosigned_is_kept_before_the_cosignature_leaves(
    platform: Platform, store: Store
) -> None:
    pull(store, ORIGIN, platform, lambda: NOON)
    platform.log.grow(numbered(30)[10:])
    pull(store, ORIGIN, platform, lambda: NOON + 60)
    assert platform.held_when_cosigned == [10, 30]


def test_a_log_that_did_not_grow_is_cosigned_again_after_an_hour(
    platform: Platform, store: Store
) -> None:
    pull(store, ORIGIN, platform, lambda: NOON)
    assert not pull(store, ORIGIN, platform, lambda: NOON + AGAIN_AFTER - 1).cosigned
    assert pull(store, ORIGIN, platform, lambda: NOON + AGAIN_AFTER).cosigned
    assert len(platform.lines) == 2


def test_a_cosignature_that_did_not_arrive_is_given_again(platform: Platform, store: Store) -> None:
    platform.is_away = True
    with pytest.raises(PlatformUnreachableError):
        pull(store, ORIGIN, platform, lambda: NOON)
    platform.is_away = False
    assert pull(store, ORIGIN, platform, lambda: NOON + 1).cosigned


@pytest.mark.parametrize(
    ("shown", "wrong"),
    [
        (forged(10), Wrong.SPLIT_VIEW),
        (forged(15), Wrong.SPLIT_VIEW),
        (SignedLog(numbered(4)), Wrong.ROLLBACK),
    ],
    ids=["same size", "grew", "shrank"],
)
def test_a_contradiction_is_not_cosigned_and_both_checkpoints_are_kept(
    platform: Platform, store: Store, shown: SignedLog, wrong: Wrong
) -> None:
    honest = platform.log.note()
    pull(store, ORIGIN, platform, lambda: NOON)
    platform.log = shown
    with pytest.raises(LogContradictsItselfError) as raised:
        pull(store, ORIGIN, platform, lambda: NOON + 60)
    assert raised.value.is_new
    assert len(platform.lines) == 1
    assert watched(store).size == 10
    (kept,) = store.evidence()
    assert (kept.wrong, kept.held.encode(), kept.shown.encode()) == (wrong, honest, shown.note())
    assert kept.path == raised.value.evidence

    with pytest.raises(LogContradictsItselfError) as again:
        pull(store, ORIGIN, platform, lambda: NOON + 120)
    assert not again.value.is_new
    assert len(store.evidence()) == 1


def test_the_honest_log_is_cosigned_again_after_an_alarm(platform: Platform, store: Store) -> None:
    honest = platform.log
    pull(store, ORIGIN, platform, lambda: NOON)
    platform.log = forged(15)
    with pytest.raises(LogContradictsItselfError):
        pull(store, ORIGIN, platform, lambda: NOON + 60)
    platform.log = honest
    honest.grow(numbered(12)[10:])
    assert pull(store, ORIGIN, platform, lambda: NOON + 120).checkpoint.size == 12


def test_a_checkpoint_of_a_stranger_is_a_failure_and_no_evidence(
    platform: Platform, store: Store
) -> None:
    platform.log = SignedLog(numbered(10), SigningKey(ORIGIN, b"s" * 32))
    with pytest.raises(CosignatureFailedError):
        pull(store, ORIGIN, platform, lambda: NOON)
    assert store.evidence() == []


def test_a_log_that_is_not_watched_is_not_cosigned(platform: Platform, store: Store) -> None:
    with pytest.raises(LogUnknownError):
        pull(store, "other.example/audit", platform, lambda: NOON)


def test_a_rival_that_was_faster_is_no_rollback(
    platform: Platform, store: Store, log: SignedLog
) -> None:
    class Slow(Platform):
        def pending(self, old: int) -> AddCheckpoint:
            request = self.log.request(old)
            later = SignedLog(numbered(20))
            assert answer(self.store, later.request(old).encode(), lambda: NOON).line
            return request

    made = pull(store, ORIGIN, Slow(log, store), lambda: NOON)
    assert (made.checkpoint.size, made.cosigned) == (20, False)
    assert watched(store).size == 20


def statuses(store: Store, requests: Sequence[AddCheckpoint]) -> list[int]:
    return [answer(store, each.encode(), lambda: NOON).verdict.status for each in requests]


def test_the_published_requests_get_the_answers_that_they_demand(tmp_path: Path) -> None:
    vector = VECTORS["witness_add_checkpoint"]
    key = VerifierKey(vector["log_origin"], KIND_ED25519, bytes.fromhex(vector["log_pubkey_hex"]))
    store = Store(tmp_path / "fresh")
    store.create("witness.example/one")
    store.watch(key.name, (key,))
    assert len(vector["cases"]) == 9
    for case in vector["cases"]:
        made = answer(store, case["body"].encode(), lambda: NOON)
        is_known = f"\n{key.name}\n" in case["body"]
        # The reference is older than the rule that an unknown log is 404.
        assert made.verdict.status == (case["status"] if is_known else UNKNOWN_LOG), case["body"]
        assert (made.line is not None) == (made.verdict.status == ACCEPTED)
        if made.verdict.status == CONFLICT:
            assert case["response"] == f"{made.size}\n"
    found = store.watched(key.name)
    assert found
    assert found.size == 5


def test_requests_are_answered_like_the_protocol_demands(store: Store, log: SignedLog) -> None:
    larger = SignedLog(numbered(20))
    requests = [
        log.request(0),
        larger.request(9),
        larger.request(10),
        log.request(10),
        log.request(20),
        SignedLog(numbered(3), SigningKey("other.example/audit", b"s" * 32)).request(0),
    ]
    demanded = [ACCEPTED, CONFLICT, ACCEPTED, CONFLICT, MALFORMED, UNKNOWN_LOG]
    assert statuses(store, requests) == demanded
    assert store.evidence() == []
    assert answer(store, b"old 1").verdict.status == MALFORMED


def test_a_refused_request_that_proves_a_second_log_is_kept(store: Store, log: SignedLog) -> None:
    assert statuses(store, [log.request(0)]) == [ACCEPTED]
    made = answer(store, forged(15).request(10).encode(), lambda: NOON)
    assert made.verdict.status == INCONSISTENT
    assert made.alarm
    assert made.line is None
    assert [each.wrong for each in store.evidence()] == [Wrong.SPLIT_VIEW]


def test_a_proof_that_somebody_spoilt_is_refused_and_the_state_stays(
    store: Store, log: SignedLog
) -> None:
    assert statuses(store, [log.request(0)]) == [ACCEPTED]
    log.grow(numbered(20)[10:])
    request = log.request(10)
    spoilt = dataclasses.replace(request, proof=request.proof[:-1])
    assert statuses(store, [spoilt, request]) == [INCONSISTENT, ACCEPTED]
