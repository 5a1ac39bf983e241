"""Which column of a CSV file is which field, by its heading.

Recognised are the names of CN 23, the snake_case names of the fields, and their French, Dutch and
German forms; the words are data (`column_names.json`). A TOML file can name columns otherwise.
What is not recognised is listed, never dropped in silence.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from postern.client_errors import ClientError
from postern.normalise.folding import fold

IGNORE = "ignore"
MEASURES = frozenset({"gross_weight", "net_weight", "value", "total_value"})
"""The fields whose headings may name a unit."""

HeadingKey: TypeAlias = tuple[str, ...]

_WORD = re.compile(r"[a-z0-9]+", re.ASCII)


class ColumnsError(ClientError):
    """The headings cannot be used as they are; the message names the heading and the remedy."""


class ReadsCells(Protocol):
    """What makes fields of the cells of one file."""

    @property
    def fields(self) -> frozenset[str]:
        """Every field that a row may have."""

    @property
    def units(self) -> Mapping[str, str]:
        """Field -> unit that its heading names."""

    @property
    def unused(self) -> tuple[str, ...]:
        """Headings whose cells are not read."""

    def headings_of(self, field: str) -> tuple[str, ...]:
        """The headings whose cells may become a field."""

    def read(self, cells: Sequence[str]) -> dict[str, str]:
        """The fields of one row that hold something. Raises FaultError."""

    def told(self) -> Mapping[str, Any]:
        """All that decides what becomes of a cell, for a digest."""


@dataclass(frozen=True, slots=True)
class Columns:
    """How to read the cells of one file.

    `places`: field -> place of its column; `units`: field -> unit that its heading names;
    `unused`: headings whose cells are not read.
    """

    header: tuple[str, ...]
    places: Mapping[str, int]
    units: Mapping[str, str]
    unused: tuple[str, ...]

    @property
    def fields(self) -> frozenset[str]:
        """Every field that a row may have."""
        return frozenset(self.places)

    def headings_of(self, field: str) -> tuple[str, ...]:
        """The heading of the column that is a field, if one is."""
        return (self.header[self.places[field]],) if field in self.places else ()

    def told(self) -> Mapping[str, Any]:
        """The places of the fields."""
        return {"places": dict(self.places)}

    def read(self, cells: Sequence[str]) -> dict[str, str]:
        """The fields of one row that hold something, without space around it."""
        found = {field: cells[place].strip() for field, place in self.places.items()}
        return {field: text for field, text in found.items() if text}


def read_header(header: Sequence[str], overrides: Mapping[str, str]) -> Columns:
    """The columns of a header; `overrides` maps a heading to a field, as `load_overrides` does.

    Raises ColumnsError when two columns are one field, or an override names no column.
    """
    names = [text.strip() for text in header]
    missing = sorted(set(overrides) - set(names))
    if missing:
        raise ColumnsError(
            f"The file has no column named {missing[0]}, which the column file speaks of. Write "
            "the heading exactly as it stands in the first row."
        )
    places: dict[str, int] = {}
    units: dict[str, str] = {}
    unused = []
    for place, name in enumerate(names):
        field, unit = recognised(name) if name not in overrides else (overrides[name], "")
        if not field:
            unused.append(name or f"(column {place + 1}, without a heading)")
        if not field or field == IGNORE:
            continue
        if field in places:
            raise ColumnsError(
                f"The columns {names[places[field]]!r} and {name!r} are both read as {field}. Name "
                f'the field of each in a column file (--columns), or give one of them "{IGNORE}".'
            )
        places[field] = place
        if unit:
            units[field] = unit
    return Columns(tuple(names), places, units, tuple(unused))


def load_overrides(path: Path) -> dict[str, str]:
    """Heading -> field, from the table [columns] of a TOML file. Raises ColumnsError."""
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        raise ColumnsError(
            f"The column file {path} cannot be read: {error.strerror}. Correct its name."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ColumnsError(f"{path} is not valid TOML: {error}. Correct it.") from None
    table = document.get("columns")
    if not isinstance(table, dict) or len(document) != 1:
        raise ColumnsError(
            f"{path} does not consist of one table [columns]. Write lines such as "
            '"Client" = "addressee_name" under it.'
        )
    for heading, field in table.items():
        if not isinstance(field, str) or field not in FIELDS:
            raise ColumnsError(
                f"The column file gives the heading {heading!r} a field that is not known. Use "
                f"one of: {', '.join(sorted(FIELDS))}."
            )
    return {str(heading).strip(): str(field) for heading, field in table.items()}


def recognised(heading: str) -> tuple[str, str]:
    """The field of a heading and the unit it names; "" for what is not there."""
    if heading.lower() in FIELDS:
        return heading.lower(), ""
    found = _WORD.findall(fold(heading))
    field = _KNOWN.get(_key(found))
    if field:
        return field, ""
    unit = next((UNITS[word] for word in reversed(found) if word in UNITS), "")
    field = _KNOWN.get(_key(word for word in found if word not in UNITS))
    return (field, unit) if field in MEASURES else (field or "", "")


def heading_key(text: str) -> HeadingKey:
    """What headings of the same words have in common, whatever their case, accents and order."""
    return _key(_WORD.findall(fold(text)))


def _key(words: Iterable[str]) -> HeadingKey:
    return tuple(sorted(word for word in words if word not in JOINING_WORDS))


def _known_headings() -> dict[HeadingKey, str]:
    known: dict[HeadingKey, str] = {}
    for field, phrases in _NAMES["fields"].items():
        known[heading_key(field)] = field
        known |= {heading_key(text): field for text in phrases}
    for part, phrases in _NAMES["party_fields"].items():
        for text in (part, *phrases):
            known.setdefault(heading_key(text), part)
            for party, words in _NAMES["party_words"].items():
                for word in words:
                    known.setdefault(heading_key(f"{word} {text}"), f"{party}_{part}")
                    glued = heading_key(f"{word}{text}")  # Absendername, afzenderadres
                    known.setdefault(glued, f"{party}_{part}")
    # A column that is called "Sender" and nothing else holds the name.
    for party, words in _NAMES["party_words"].items():
        for word in words:
            if heading_key(word):
                known.setdefault(heading_key(word), f"{party}_name")
    return known


_NAMES: Mapping[str, Any] = json.loads(
    resources.files("postern").joinpath("column_names.json").read_text(encoding="utf-8")
)
JOINING_WORDS = frozenset(_NAMES["drop"])
"""Words that change neither a heading nor a word of a list, such as of, de and van."""

UNITS: Mapping[str, str] = _NAMES["units"]
"""Words of headings that name a unit, and the unit."""
_KNOWN = _known_headings()

PARTIES: tuple[str, ...] = tuple(_NAMES["party_words"])
PARTY_FIELDS: tuple[str, ...] = tuple(_NAMES["party_fields"])
FIELDS = frozenset(_KNOWN.values()) | {IGNORE}
"""Every name that a field can have."""
