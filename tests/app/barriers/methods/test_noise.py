"""The noise of a count depends on its set alone, and is as large as stated."""

from random import Random

import pytest

from app.barriers.methods.noise import KEY_BITS, VARIANCE, WIDEST, most_entropy, noise


def test_the_same_set_has_the_same_noise_in_whatever_order_it_is_added_up() -> None:
    drawn = Random(1)  # noqa: S311 - reproducible keys
    keys = [drawn.getrandbits(KEY_BITS) for _ in range(50)]
    assert noise(sum(keys)) == noise(sum(reversed(keys))) == noise(sum(keys) + 2**KEY_BITS)


def test_noise_has_the_mean_the_variance_and_the_width_that_are_stated() -> None:
    drawn = Random(2)  # noqa: S311 - reproducible keys
    found = [noise(drawn.getrandbits(KEY_BITS)) for _ in range(20_000)]
    assert min(found) == -WIDEST
    assert max(found) == WIDEST
    assert sum(found) / len(found) == pytest.approx(0, abs=0.06)
    assert sum(each**2 for each in found) / len(found) == pytest.approx(VARIANCE, abs=0.15)


def test_the_distribution_is_symmetric_and_has_the_variance() -> None:
    found = most_entropy(WIDEST, VARIANCE)
    distances = range(-WIDEST, WIDEST + 1)
    assert sum(found) == pytest.approx(1)
    assert found == pytest.approx(list(reversed(found)))
    assert sum(p * d * d for p, d in zip(found, distances, strict=True)) == pytest.approx(VARIANCE)


def test_the_noise_of_two_sets_says_nothing_of_the_noise_of_both_together() -> None:
    drawn = Random(3)  # noqa: S311 - reproducible keys
    pairs = [(drawn.getrandbits(KEY_BITS), drawn.getrandbits(KEY_BITS)) for _ in range(20_000)]
    both = [(noise(a), noise(b), noise(a + b)) for a, b in pairs]
    of_sum = sum((a + b) * c for a, b, c in both) / len(both)
    of_product = sum(a * b * c for a, b, c in both) / len(both)
    assert of_sum == pytest.approx(0, abs=0.15)
    assert of_product == pytest.approx(0, abs=0.3)
