"""Names and moments: one form in, one form out."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.stix.names import derived, identity_id, moment, new_name, split_id, timestamp

NAME = "5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a01"


def test_a_derived_name_has_the_form_of_a_random_one() -> None:
    name = derived("location", NAME)
    assert name.version == new_name().version == 4
    assert name == derived("location", NAME)


def test_parts_cannot_run_into_each_other() -> None:
    assert derived("a", "bc") != derived("ab", "c")


def test_an_organisation_has_one_identity_by_its_code() -> None:
    assert identity_id("post-be") == identity_id("post-be") != identity_id("post-nl")


@pytest.mark.parametrize(
    "text",
    [
        "",
        NAME,
        f"indicator-{NAME}",
        f"Indicator--{NAME}",
        f"indicator--{NAME.upper()}",
        f"indicator--{NAME}\n",
        f"in_dicator--{NAME}",
        "indicator--00000000-0000-0000-0000-000000000000",
        f"{'a' * 300}--{NAME}",
        7,
        None,
    ],
)
def test_what_is_no_id_is_none(text: object) -> None:
    assert split_id(text) is None


def test_an_id_is_its_type_and_its_name() -> None:
    assert split_id(f"x-our-type--{NAME}") == ("x-our-type", UUID(NAME))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-24T07:00:00Z", datetime(2026, 11, 24, 7, tzinfo=UTC)),
        ("2026-11-24T07:00:00.5Z", datetime(2026, 11, 24, 7, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-24T07:00:00.123456789Z", datetime(2026, 11, 24, 7, 0, 0, 123_456, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
    ],
)
def test_timestamps_of_any_precision_are_read(text: str, at: datetime) -> None:
    assert moment(text) == at


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24",
        "2026-11-24T07:00:00",
        "2026-11-24T07:00:00+00:00",
        "2026-11-24t07:00:00z",
        "2026-13-24T07:00:00Z",
        "2026-11-24T25:00:00Z",
        "2026-11-24T07:00:00.Z",
        "2026-11-24T07:00:00.1234567890Z",
        "٢٠٢٦-11-24T07:00:00Z",
        "9999-12-31T23:59:60Z",
        20261124,
        None,
    ],
)
def test_what_is_no_timestamp_is_none(text: object) -> None:
    assert moment(text) is None


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_moment_comes_back_in_milliseconds(at: datetime) -> None:
    assert moment(timestamp(at)) == at.replace(microsecond=at.microsecond // 1000 * 1000)


def test_another_zone_is_written_in_utc() -> None:
    at = datetime(2026, 11, 24, 9, tzinfo=timezone(timedelta(hours=2)))
    assert timestamp(at) == "2026-11-24T07:00:00.000Z"
