"""Streets that have a name in two languages, compared under one."""

import re

from postern.normalise.folding import fold, skeleton
from postern.normalise.lines import read_line
from postern.normalise.tables import table

_STREETS = table("streets")
_POSTCODE: re.Pattern[str] = re.compile(_STREETS["postcode"], re.ASCII)


def in_one_language(street: str, country: str, postcode: str) -> str:
    """The core of a street, in the language in which all its names are compared.

    Only in the countries of the table, or where the country is unknown and the postcode could be
    theirs. A name of some length is recognised by its sound, so that an error does not hide it.
    """
    if country not in _COUNTRIES and (country or not _POSTCODE.fullmatch(postcode)):
        return street
    found = _BY_NAME.get(street)
    if found is None and len(street) >= _MIN_LENGTH:
        found = _BY_SOUND.get(skeleton(street))
    return found or street


def _core(name: str) -> str:
    line = read_line(fold(name))
    return line.street if line else ""


_COUNTRIES = frozenset(_STREETS["countries"])
_MIN_LENGTH: int = _STREETS["min_length_by_sound"]
_BY_NAME = {_core(name): _core(common) for name, common in _STREETS["names"]}
_BY_SOUND = {
    skeleton(name): common for name, common in _BY_NAME.items() if len(name) >= _MIN_LENGTH
}
