"""Bulk evaluation: the bytes on the wire, and tokens from them."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern import voprf
from postern.client_errors import AnswerMalformedError, EvaluationRefusedError, QuotaSpentError
from postern.client_screening import BulkEvaluation
from postern.evaluation_octets import MOST, Proved, batches, packed, split, unpacked
from postern.key_document import KeyEpoch
from postern.normalise import NORMALISER_VERSION
from postern.pseudonym import derive_epoch_key, token
from postern.token_cache import TokenCache
from postern.token_evaluation import BulkTokens
from postern.vocabulary import EvaluationKind, Purpose

KIND = EvaluationKind.PHONE
SECRET, PUBLIC = derive_epoch_key(bytes(32), KIND, 1)
BEGUN, ENDED = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


class Keys:
    def epoch(self, kind: EvaluationKind, number: int | None = None) -> KeyEpoch:
        return KeyEpoch(kind, number or 1, NORMALISER_VERSION, PUBLIC, BEGUN, ENDED)


class Platform:
    """Evaluates at most `left` elements; may leave out a part or swap two elements."""

    def __init__(self, left: int = 10**6, fault: str = "", *, tells: bool = True) -> None:
        self.left, self.fault, self.tells = left, fault, tells
        self.sizes: list[int] = []

    def evaluate(
        self,
        kind: EvaluationKind,
        epoch: int,
        blinded: object,
        *,
        purpose: Purpose,
        case: str,
        signed: object = None,
    ) -> BulkEvaluation:
        assert isinstance(blinded, list)
        assert signed is None
        self.sizes.append(len(blinded))
        if len(blinded) > self.left:
            raise QuotaSpentError(None)
        self.left -= len(blinded)
        parts = [
            Proved(tuple(elements), proof)
            for elements, proof in (
                voprf.evaluate(SECRET, PUBLIC, each) for each in batches(blinded)
            )
        ]
        if self.fault == "swapped":
            first, second, *rest = parts[0].elements
            parts[0] = Proved((second, first, *rest), parts[0].proof)
        if self.fault == "short":
            parts = parts[:-1]
        return BulkEvaluation(tuple(parts), self.left if self.tells else None)


def bulk(platform: Platform, place: Path) -> BulkTokens:
    cache = TokenCache(place / "c.sqlite", place / "c.key", {KIND: 1}, date(2026, 11, 26))
    return BulkTokens(platform, Keys(), cache, purpose=Purpose.PARCEL_SCREENING, case="S-1")


def by_hand(value: bytes) -> bytes:
    blind, blinded = voprf.blind(value)
    (evaluated,), _ = voprf.evaluate(SECRET, PUBLIC, [blinded])
    return token(KIND, 1, voprf.unblind(blind, evaluated))


def test_more_than_one_proof_makes_the_same_tokens(tmp_path: Path) -> None:
    values = [b"%d" % number for number in range(voprf.MAX_BATCH + 2)]
    platform = Platform()
    with bulk(platform, tmp_path) as source:
        found = source.tokens(KIND, 1, [*values, values[0]])
        assert list(found) == values
        assert [found[value] for value in (values[0], values[-1])] == [
            by_hand(values[0]),
            by_hand(values[-1]),
        ]
        assert source.tokens(KIND, 1, values) == found
        assert platform.sizes == [len(values)]
        spent = source.spent
    assert (spent.asked, spent.cached, spent.evaluated) == (2 * len(values), *(len(values),) * 2)
    assert spent.bytes_received == len(values) * 32 + 2 * 64


@pytest.mark.parametrize("fault", ["swapped", "short"])
def test_what_is_not_proved_is_neither_used_nor_kept(tmp_path: Path, fault: str) -> None:
    with bulk(Platform(fault=fault), tmp_path) as source:
        with pytest.raises(EvaluationRefusedError):
            source.tokens(KIND, 1, [b"a", b"b", b"c"])
        assert source._cache.known(1, [b"a", b"b", b"c"]) == {}


@pytest.mark.parametrize("tells", [True, False])
def test_what_the_allowance_lets_through_is_kept(tmp_path: Path, tells: bool) -> None:
    values = [b"%d" % number for number in range(10)]
    with bulk(Platform(left=6, tells=tells), tmp_path) as source:
        with pytest.raises(QuotaSpentError):
            source.tokens(KIND, 1, values)
        kept = source._cache.known(1, values)
        assert len(kept) == 6
        assert all(kept[value] == by_hand(value) for value in kept)


@given(st.integers(1, 2_500))
def test_an_answer_is_read_as_it_was_written(count: int) -> None:
    elements = [number.to_bytes(32, "big") for number in range(count)]
    parts = tuple(Proved(tuple(each), bytes(64)) for each in batches(elements))
    content = packed(parts)
    assert unpacked(content, count) == parts
    assert split(b"".join(elements)) == elements
    for wrong in (content[:-1], content + b"x"):
        with pytest.raises(AnswerMalformedError):
            unpacked(wrong, count)


@pytest.mark.parametrize("size", [0, 31, 33, (MOST + 1) * 32])
def test_a_request_has_whole_elements_and_not_too_many(size: int) -> None:
    with pytest.raises(ValueError, match="Split it"):
        split(bytes(size))
