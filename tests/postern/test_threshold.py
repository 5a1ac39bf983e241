"""Shares of a key: every pair of three gives the RFC's own outputs, and fewer give nothing."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern import group, threshold, voprf

SUITE: dict[str, Any] = next(
    suite
    for suite in json.loads(
        (Path(__file__).parents[1] / "data" / "rfc9497-vectors.json").read_text()
    )["vectors"]
    if suite["mode"] == 1
)
KEY = bytes.fromhex(SUITE["skSm"])
PAIRS = list(itertools.combinations((1, 2, 3), 2))


def octets(listed: str) -> list[bytes]:
    return [bytes.fromhex(each) for each in listed.split(",")]


def split() -> tuple[bytes, threshold.Dealt]:
    """The vector's key as a platform's share and two of three holders' shares."""
    own = group.random_scalar()
    return own, threshold.deal(2, (1, 2, 3), constant=group.scalar_sub(KEY, own))


@pytest.mark.parametrize("chosen", [*PAIRS, (1, 2, 3)], ids=str)
@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "second", "batch"])
def test_every_two_of_three_reproduce_the_vectors_of_the_rfc(
    chosen: tuple[int, ...], place: int
) -> None:
    vector = SUITE["vectors"][place]
    blinded, values = octets(vector["BlindedElement"]), octets(vector["Input"])
    own, dealt = split()
    parts = {}
    for number in chosen:
        key = threshold.share_key(dealt.commitments, number)
        elements, proof = voprf.evaluate(dealt.shares[number], key, blinded)
        voprf.verify(key, blinded, elements, proof)
        parts[number] = elements
    evaluated = threshold.combine(voprf.evaluate(own, group.base(own), blinded)[0], parts)
    assert evaluated == octets(vector["EvaluationElement"])
    blinds = octets(vector["Blind"])
    unblinded = [voprf.unblind(r, each) for r, each in zip(blinds, evaluated, strict=True)]
    outputs = [voprf.output(value, n) for value, n in zip(values, unblinded, strict=True)]
    assert outputs == octets(vector["Output"])


def test_one_holder_or_none_or_all_without_the_platform_do_not() -> None:
    vector = SUITE["vectors"][0]
    blinded, right = octets(vector["BlindedElement"]), octets(vector["EvaluationElement"])
    own, dealt = split()
    mine = group.mul_each(own, blinded)
    of = {number: group.mul_each(share, blinded) for number, share in dealt.shares.items()}
    assert mine != right
    for number, theirs in of.items():
        assert threshold.combine(mine, {number: theirs}) != right
    weights = threshold.weights((1, 2, 3))
    alone = [group.weighted_sum([weights[n] for n in (1, 2, 3)], [of[n][0] for n in (1, 2, 3)])]
    assert alone != right


def test_the_public_key_is_the_sum_of_the_platforms_and_the_first_commitment() -> None:
    own, dealt = split()
    assert group.add(group.base(own), dealt.commitments[0]) == bytes.fromhex(SUITE["pkSm"])


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_holder_checks_its_share_against_the_commitments(number: int) -> None:
    _, dealt = split()
    threshold.check_share(dealt.shares[number], number, dealt.commitments)
    other = number % 3 + 1
    with pytest.raises(threshold.ShareRefusedError) as refused:
        threshold.check_share(dealt.shares[other], number, dealt.commitments)
    assert refused.value.number == number
    forged = (*dealt.commitments[:-1], group.base(group.random_scalar()))
    with pytest.raises(threshold.ShareRefusedError):
        threshold.check_share(dealt.shares[number], number, forged)


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_any_t_of_n_give_one_result_and_fewer_another(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 7))
    t = data.draw(st.integers(2, n))
    numbers = data.draw(st.permutations(range(1, n + 1)))
    key = group.random_scalar()
    dealt = threshold.deal(t, range(1, n + 1), constant=key)

    def restored(chosen: list[int]) -> bytes:
        scalars = threshold.weights(chosen)
        total = 0
        for number in chosen:
            product = group.scalar_mul(scalars[number], dealt.shares[number])
            total += int.from_bytes(product, "little")
        return (total % group.L).to_bytes(32, "little")

    assert restored(numbers[:t]) == key
    assert restored(numbers) == key
    if t > 1:
        assert restored(numbers[: t - 1]) != key


def test_a_rotation_moves_shares_keys_and_commitments_by_one_factor() -> None:
    factor = group.random_scalar()
    own, dealt = split()
    shares = dict(
        zip(dealt.shares, threshold.moved(list(dealt.shares.values()), factor), strict=True)
    )
    commitments = threshold.moved_elements(dealt.commitments, factor)
    for number, share in shares.items():
        threshold.check_share(share, number, commitments)
    (mine,) = threshold.moved([own], factor)
    blinded = octets(SUITE["vectors"][0]["BlindedElement"])
    before = group.mul_each(KEY, blinded)
    after = threshold.combine(
        group.mul_each(mine, blinded),
        {number: group.mul_each(shares[number], blinded) for number in (1, 3)},
    )
    assert after == group.mul_each(factor, before)


@pytest.mark.parametrize(
    ("least", "numbers"),
    [(1, (1, 2, 3)), (4, (1, 2, 3)), (2, (1, 1, 2)), (2, (0, 1)), (2, (1, 17)), (2, ())],
    ids=["one-alone", "more-than-all", "twice", "number-zero", "too-high", "nobody"],
)
def test_holders_out_of_bounds_are_refused(least: int, numbers: tuple[int, ...]) -> None:
    with pytest.raises(threshold.ThresholdError):
        threshold.deal(least, numbers)


@pytest.mark.parametrize("numbers", [(1, 1), (0, 1), (17, 1)], ids=["twice", "zero", "too-high"])
def test_a_sum_counts_each_holder_once(numbers: tuple[int, ...]) -> None:
    with pytest.raises(threshold.ThresholdError):
        threshold.weights(numbers)


def test_what_is_dealt_shows_no_share() -> None:
    _, dealt = split()
    assert not any(share.hex() in repr(dealt) for share in dealt.shares.values())
    assert repr(dealt) == "Dealt(holders=[1, 2, 3])"
