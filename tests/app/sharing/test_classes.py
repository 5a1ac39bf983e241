"""Share classes and bands of age."""

from dataclasses import replace

import pytest

from app.sharing.classes import AGE_BANDS, age_band, read
from postern.vocabulary import Handling, Kind, Substance
from tests.app.sharing.world import PLAIN


def test_a_class_is_read_as_it_was_stored() -> None:
    attributes = replace(
        PLAIN,
        handling=frozenset({Handling.H2, Handling.H0}),
        barrier_step=3,
        substance=Substance.MDMA,
    )
    assert read(attributes.stored()) == attributes


def test_a_record_without_step_and_substance_says_so() -> None:
    stored = PLAIN.stored()
    assert (stored["barrier_step"], stored["substance"]) == (0, "unknown")


def test_keys_stay_what_they_are_in_databases_that_exist() -> None:
    assert PLAIN.key(1).hex() == "560b6136f5cfb1bbc54faf8cad1ad456"


def test_the_key_tells_owner_and_every_attribute_but_not_the_order_of_codes() -> None:
    both = replace(PLAIN, handling=frozenset({Handling.H2, Handling.H0}))
    assert both.key(1) == replace(PLAIN, handling=frozenset({Handling.H0, Handling.H2})).key(1)
    keys = {PLAIN.key(1), PLAIN.key(2), both.key(1), replace(PLAIN, kind=Kind.ADDRESS).key(1)}
    assert len(keys) == 4
    assert {len(key) for key in keys} == {16}


def test_the_bands_cover_every_age_once() -> None:
    days = [day for first, last in AGE_BANDS for day in range(first, last + 1)]
    assert days == list(range(32768))
    assert [(age_band(first), age_band(last)) for first, last in AGE_BANDS] == [
        (band, band) for band in range(5)
    ]


@pytest.mark.parametrize(
    ("days", "band"),
    [(-1, 0), (0, 0), (6, 0), (7, 1), (29, 1), (30, 2), (89, 2), (90, 3), (364, 3), (365, 4)],
)
def test_an_age_falls_into_its_band(days: int, band: int) -> None:
    assert age_band(days) == band
