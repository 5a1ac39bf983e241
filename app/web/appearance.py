"""How pages look in this browser: theme, time zone, and whether single keys do something.

Each is a cookie of its own, so that the first byte of a page is right and nothing flashes. They
stay out of the account: a screen in a dark hall and a laptop abroad belong to one person, and
where people work is nobody's to store. No cookie names a person.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby

import flask_babel
from flask import Flask, request
from werkzeug.wrappers import Response

from app import zones
from app.accounts.authentication import signed_in
from app.problems import is_for_machines
from app.runtime import runtime

_ONE_YEAR = 365 * 24 * 3600  # seconds


class Theme(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True)
class Appearance:
    """`zone` is "" where the country of one's organisation decides; `keys`: single keys work."""

    theme: Theme
    zone: str
    keys: bool


COOKIES = {"theme": "postern_theme", "zone": "postern_zone", "keys": "postern_keys"}

_OFF = "off"
_CHOICES = {
    "theme": frozenset(theme.value for theme in Theme),
    "zone": frozenset({"", *zones.NAMES}),
    "keys": frozenset({"on", _OFF}),
}


def install_appearance(app: Flask) -> None:
    """Decide each request's zone, and let templates write moments in it."""
    app.before_request(_read_in_the_persons_zone)
    app.jinja_env.globals["appearance"] = appearance
    app.jinja_env.globals["zones_by_region"] = _zones_by_region
    app.jinja_env.globals["usual_zone"] = _usual_zone
    app.jinja_env.filters.update(
        datetimeformat=_datetime, dateformat=_date, timeformat=_time, zone=_zone, in_utc=_in_utc
    )


def appearance() -> Appearance:
    """What this browser chose; what it never chose, or made up, is as it comes."""
    chosen = {name: request.cookies.get(cookie, "") for name, cookie in COOKIES.items()}
    theme = chosen["theme"] if chosen["theme"] in _CHOICES["theme"] else Theme.SYSTEM
    zone = chosen["zone"] if chosen["zone"] in _CHOICES["zone"] else ""
    return Appearance(Theme(theme), zone, keys=chosen["keys"] != _OFF)


def is_choice(name: str, value: str) -> bool:
    """Whether `value` is one that the pages offer for `name`."""
    return value in _CHOICES.get(name, ())


def remember(response: Response, name: str, value: str) -> None:
    """Keep one choice in the browser for a year; "" forgets it."""
    response.set_cookie(
        COOKIES[name],
        value,
        max_age=_ONE_YEAR if value else 0,
        secure=runtime().settings.platform.secure_cookies,
        httponly=True,
        samesite="Lax",
    )


def _read_in_the_persons_zone() -> None:
    if is_for_machines():
        return  # they are told moments in UTC
    zones.read_in(appearance().zone or _usual_zone())


def _usual_zone() -> str:
    """The name of the zone in which a person who chose none reads: that of their organisation."""
    person = signed_in()
    return zones.of_country(person.country if person else "")


def _zones_by_region() -> list[tuple[str, list[str]]]:
    regions = groupby(zones.NAMES, lambda name: name.partition("/")[0])
    return [(region, list(names)) for region, names in regions]


def _datetime(at: datetime, length: str = "medium") -> str:
    """A moment; "short" leaves the seconds out and keeps the month in letters."""
    if length != "short":
        return str(flask_babel.format_datetime(zones.local(at), length, rebase=False))
    return f"{_date(at)}, {_time(at, 'short')}"


def _date(on: object, length: str = "medium") -> str:
    there = zones.local(on) if isinstance(on, datetime) else on
    return str(flask_babel.format_date(there, length, rebase=False))


def _time(at: datetime, length: str = "medium") -> str:
    return str(flask_babel.format_time(zones.local(at), length, rebase=False))


def _zone(at: datetime) -> str:
    """The short name of the zone at that moment, such as CET or CEST."""
    return zones.local(at).tzname() or "UTC"


def _in_utc(at: datetime) -> str:
    return f"{flask_babel.format_datetime(at, 'medium')} UTC"
