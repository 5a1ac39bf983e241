"""An address that stands in one piece of text, taken apart into lines, postcode, city, country.

"16 rue de la Loi, 1040 Bruxelles" and the like: the last line that begins or ends with a postcode
is the town's; what stands before it is the street's; a country may follow.
"""

import re

from postern.normalise import Address
from postern.normalise.countries import country_code
from postern.normalise.values import MAX_LINES

_STATE = 2  # letters of a state of the United States

_BREAKS = re.compile(r"[,;\n\r|]+")
# A town's line: the postcode first (Europe) or last (United Kingdom, United States).
_POSTCODE = (
    r"(?:[A-Za-z]{1,2}-)?"  # a country's letters: B-1040, L-2222
    r"(?:[0-9]{4} ?[A-Za-z]{2}|[0-9]{3} [0-9]{2}|[0-9]{2}-[0-9]{3}|[0-9]{4}-[0-9]{3}|[0-9]{4,7})"
)
_BRITISH = r"[A-Za-z]{1,2}[0-9][0-9A-Za-z]? ?[0-9][A-Za-z]{2}"
_FIRST = re.compile(rf"({_POSTCODE})\s+([^\W\d].*)")
_LAST = re.compile(rf"(.*[^\W\d])\s+({_BRITISH}|[0-9]{{5}}(?:-[0-9]{{4}})?)")
_ALONE = re.compile(rf"{_POSTCODE}|{_BRITISH}")
_INSIDE = re.compile(rf"(.*\d.*?|.*[^\W\d])\s+({_POSTCODE})\s+([^\W\d][^\d]*)")


def read_address(text: str, country: str = "") -> Address:
    """The parts of an address in one text; `country` holds when the text names none.

    What is not recognised as a town or a country stays a line: the normaliser looks there too.
    """
    parts = [part.strip() for part in _BREAKS.split(text) if part.strip()]
    if len(parts) > 1 and _is_country(parts[-1]):
        country = parts.pop()
    if len(parts) == 1:
        parts = _split_once(parts[0])
    for place in range(len(parts) - 1, 0, -1):
        postcode, city = _town(parts[place])
        if postcode:
            lines = [*parts[:place], *parts[place + 1 :]]
            if len(city) == _STATE and city.isupper() and place > 1:
                city = lines.pop(place - 1)  # "..., New York, NY 10118"
            elif not city and place + 1 < len(parts):
                city = lines.pop(place)  # "..., 1040, Bruxelles"
            elif not city and place > 1:
                city = lines.pop(place - 1)  # "..., London, SW1A 2AA"
            return Address(tuple(lines[:MAX_LINES]), postcode, city, country)
    if len(parts) > 1:
        return Address(tuple(parts[:-1][:MAX_LINES]), "", parts[-1], country)
    return Address(tuple(parts), "", "", country)


def _is_country(text: str) -> bool:
    return not any(each.isdigit() for each in text) and bool(country_code(text)[0])


def _town(part: str) -> tuple[str, str]:
    if _ALONE.fullmatch(part):
        return part, ""
    if found := _FIRST.fullmatch(part):
        return found[1], found[2]
    if found := _LAST.fullmatch(part):
        return found[2], found[1]
    return "", ""


def _split_once(part: str) -> list[str]:
    """ "16 rue de la Loi 1040 Bruxelles" has no comma: cut before the last postcode."""
    found = _INSIDE.fullmatch(part)
    return [found[1], f"{found[2]} {found[3]}"] if found else [part]
