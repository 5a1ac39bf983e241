"""Moments in the zone of who reads them."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from app import zones

SUMMER, WINTER = datetime(2026, 7, 1, 22, 30, tzinfo=UTC), datetime(2026, 1, 1, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("country", "name"),
    [("BE", "Europe/Brussels"), ("ES", "Europe/Madrid"), ("", "UTC"), ("XX", "UTC")],
)
def test_a_country_reads_by_its_capital_and_an_unknown_one_in_utc(country: str, name: str) -> None:
    assert zones.of_country(country) == name


def test_a_moment_follows_the_clocks_of_its_season(app: Flask) -> None:
    with app.app_context():
        zones.read_in("Europe/Brussels")
        assert f"{zones.local(SUMMER):%d %H:%M %Z}" == "02 00:30 CEST"
        assert f"{zones.local(WINTER):%d %H:%M %Z}" == "01 23:30 CET"


def test_where_nobody_reads_a_page_it_is_utc(app: Flask) -> None:
    assert zones.local(SUMMER) == SUMMER
    assert zones.local(SUMMER).tzname() == "UTC"
    with app.app_context():
        assert zones.local(SUMMER).tzname() == "UTC"
