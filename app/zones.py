"""In which time zone moments are written to the person who reads the answer in progress.

Moments are stored, hashed, exported and sent by mail in UTC; only pages write them in a person's
own zone, and name it. Which zone that is, the web room decides once for each request.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

import pytz
from flask import g, has_app_context

NAMES: Sequence[str] = tuple(pytz.common_timezones)
"""IANA names that a person may choose."""


def read_in(name: str) -> None:
    """Let the answer in progress write moments in the zone of that name, one of NAMES."""
    g.zone = pytz.timezone(name)


def zone() -> tzinfo:
    """The zone of the answer in progress; UTC where nobody reads it as a page."""
    found: tzinfo = g.get("zone", UTC) if has_app_context() else UTC
    return found


def local(at: datetime) -> datetime:
    """The moment as the reader's clocks show it."""
    return at.astimezone(zone())


def of_country(country: str) -> str:
    """The name of the zone of a country (ISO 3166-1 alpha-2), "UTC" for one that is not known.

    Of several zones it is the one that the time zone database names first: where most people live.
    """
    names: Sequence[str] = pytz.country_timezones.get(country, ("UTC",))
    return names[0]
