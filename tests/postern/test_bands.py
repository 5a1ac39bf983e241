from datetime import date

import pytest

from postern.bands import day, hs_chapter, value_band, weight_band
from postern.vocabulary import ValueBand, WeightBand


@pytest.mark.parametrize(
    ("text", "unit", "band"),
    [
        ("0", "g", WeightBand.UP_TO_100),
        ("100", "g", WeightBand.UP_TO_100),
        ("100,1", "g", WeightBand.UP_TO_500),
        ("0.5", "kg", WeightBand.UP_TO_500),
        ("1,5", "kg", WeightBand.UP_TO_2000),
        ("1.234", "kg", WeightBand.UP_TO_2000),
        ("1.234", "g", WeightBand.UP_TO_2000),
        ("1 234,5", "g", WeightBand.UP_TO_2000),
        ("1.234.567", "g", WeightBand.OVER_20000),
        ("20", "kg", WeightBand.UP_TO_20000),
        ("20.001", "kg", WeightBand.OVER_20000),
        ("500 g", "kg", WeightBand.UP_TO_500),
        ("0,1 kg", "", WeightBand.UP_TO_100),
        ("5 grammes", "", WeightBand.UP_TO_100),
    ],
)
def test_a_weight_falls_into_its_band(text: str, unit: str, band: WeightBand) -> None:
    assert weight_band(text, unit) == (band, "")


@pytest.mark.parametrize(
    ("text", "unit", "flag"),
    [
        ("500", "", "weight_without_unit"),
        ("5 lb", "kg", "weight_unit_unknown"),
        ("-5", "g", "weight_unreadable"),
        ("12.34.5", "g", "weight_unreadable"),
        ("1 g and 2", "g", "weight_unit_unknown"),
        ("1/2", "g", "weight_unit_unknown"),
        ("", "g", "weight_unreadable"),
    ],
)
def test_a_weight_that_cannot_be_told_is_flagged_and_not_guessed(
    text: str, unit: str, flag: str
) -> None:
    assert weight_band(text, unit) == (None, flag)


@pytest.mark.parametrize(
    ("text", "currency", "band"),
    [
        ("0", "", ValueBand.NONE),
        ("0,00", "USD", ValueBand.NONE),
        ("22", "EUR", ValueBand.UP_TO_22),
        ("22,01", "eur", ValueBand.UP_TO_150),
        ("25,00 EUR", "", ValueBand.UP_TO_150),
        ("€ 25", "", ValueBand.UP_TO_150),
        ("1.000,00", "EUR", ValueBand.UP_TO_1000),
        ("1,250.00", "EUR", ValueBand.OVER_1000),
        ("1'250.50", "EUR", ValueBand.OVER_1000),
        ("1.250", "EUR", ValueBand.OVER_1000),
        ("12 euro", "USD", ValueBand.UP_TO_22),
    ],
)
def test_a_value_in_euro_falls_into_its_band(text: str, currency: str, band: ValueBand) -> None:
    assert value_band(text, currency) == (band, "")


@pytest.mark.parametrize(
    ("text", "currency", "flag"),
    [
        ("12", "", "value_without_currency"),
        ("12", "USD", "value_not_in_euro"),
        ("$12", "EUR", "value_not_in_euro"),
        ("12 CHF", "", "value_not_in_euro"),
        ("much", "EUR", "value_unreadable"),
        ("1-2", "EUR", "value_unreadable"),
    ],
)
def test_a_value_that_cannot_be_told_in_euro_is_flagged(
    text: str, currency: str, flag: str
) -> None:
    assert value_band(text, currency) == (None, flag)


@pytest.mark.parametrize(
    ("text", "chapter"),
    [("2933.39", "29"), ("29", "29"), ("2933 39 99", "29"), ("0106", "01"), ("9999", "99")],
)
def test_an_hs_code_gives_its_chapter(text: str, chapter: str) -> None:
    assert hs_chapter(text) == (chapter, "")


@pytest.mark.parametrize("text", ["", "8", "293", "0011", "toys", "29333999999999"])
def test_what_is_no_hs_code_is_flagged(text: str) -> None:
    assert hs_chapter(text) == (None, "hs_unreadable")


@pytest.mark.parametrize(
    "text",
    ["2026-11-05", "20261105", "5/11/2026", "05.11.2026", "05-11-2026", "2026-11-05T09:00:00Z"],
)
def test_a_day_is_read_with_the_day_before_the_month(text: str) -> None:
    assert day(text) == date(2026, 11, 5)


@pytest.mark.parametrize("text", ["", "31/02/2026", "11/25/2026", "yesterday", "5/11/26"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert day(text) is None
