"""What an import mapping is: how the file of another system becomes rows of Postern's own fields.

A mapping says which heading is which field, what its words mean, in which forms its days are
written, and of every line what is known about it and from where. It is data, and decides nothing
about who may see what.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources

from postern.columns import FIELDS, IGNORE, MEASURES, PARTY_FIELDS
from postern.normalise.countries import country_code
from postern.shipment import CLOSED, closed_word, folded_word
from postern.terms import LAST_STEP
from postern.vocabulary import (
    Assertion,
    InformationGrade,
    Learned,
    LegalBasis,
    OutcomeResult,
    PermittedAction,
    SourceGrade,
    SubjectCategory,
    Tlp,
)

FORMAT = "import-mapping/1"
DROP = "drop"  # the cells are read by nobody
SCOPE = "scope"  # whether the row is about post at all
WEIGHT_UNIT = "weight_unit"  # of weights in other columns that stand without one
OWN_PARTIES = ("person", "business")
"""Parties whose role stands in a column of its own."""

_TERMS: Mapping[str, type[StrEnum]] = {
    "learned": Learned,
    "legal_basis": LegalBasis,
    "subject_category": SubjectCategory,
    "assertion": Assertion,
    "tlp": Tlp,
    "permitted_action": PermittedAction,
}
GRAMS: Mapping[str, str] = {
    "mg": "0.001",
    "g": "1",
    "kg": "1000",
    "t": "1000000",
    "oz": "28.349523125",
    "lb": "453.59237",
}
"""Units of weight in grams; the ounce and the pound are the avoirdupois ones."""

_UNITS_WRITTEN: Mapping[str, str] = {
    "mg": "milligram milligrams milligramme milligrammes milligramm",
    "g": "gr gram grams gramme grammes gramm",
    "kg": "kgs kilo kilos kilogram kilograms kilogramme kilogrammes kilogramm",
    "t": "ton tons tonne tonnes tonnen",
    "oz": "ounce ounces",
    "lb": "lbs pound pounds",
}
_AMOUNTS_WRITTEN: Mapping[str, str] = {
    **_UNITS_WRITTEN,
    "ml": "millilitre millilitres milliliter milliliters",
    "l": "litre litres liter liters",
    "pieces": "piece tablet tablets tabs pill pills capsule capsules blotter blotters dose doses "
    "unit units comprime comprimes pilule pilules gelule gelules buvard buvards unite unites stuk "
    "stuks tabletten pil pillen stuck stueck tablette pille kapsel kapseln",
}
WEIGHTS = frozenset({"gross_weight", "net_weight"})
AMOUNTS = MEASURES
DAYS = frozenset({"observed_from", "observed_to", "expires_on"})


class Verified(StrEnum):
    """What is known about a line. It speaks of the item, not of its headings or words."""

    ANNEX_TEXT = "annex_text"  # the item stands in a text of law that was read
    PRESS = "press"  # a publication says that such a thing is told, not how the field is called
    ASSUMED = "assumed"  # nobody was found who says so


class DayForm(StrEnum):
    """How a day is written."""

    ISO = "iso"  # 2026-11-25 or 20261125
    DAY_FIRST = "day_first"  # 25/11/2026, 25.11.2026, 25-11-2026, or with two digits of the year
    MONTH_FIRST = "month_first"  # 11/25/2026, or with two digits of the year
    MONTH_NAME = "month_name"  # 25 November 2026, in the four languages
    SERIAL = "serial"  # days since 30 December 1899, as spreadsheets keep them


STRICT = frozenset({"learned", "legal_basis", "tlp", "permitted_action"})
"""Fields of which an unknown word refuses the row: without it, more might be done than allowed."""

DAY_EXAMPLES: Mapping[str, str] = {
    "iso": "2026-11-25",
    "day_first": "25/11/2026",
    "month_first": "11/25/2026",
    "month_name": "25 November 2026",
    "serial": "46351",
}
"""The same day in each form."""

USUAL_DAYS = (DayForm.ISO, DayForm.DAY_FIRST, DayForm.MONTH_NAME)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a line comes from. `is_whole`: the whole text was read, not an excerpt."""

    title: str
    url: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One line of a mapping: a field, and the headings under which it stands.

    `item` is what the source calls it; `source` the key of a source, or "". Cells of several
    columns of one field join in the order of their `part`; of the same part, the first that holds
    something counts. `words`: folded text -> word of the field's list, "" when it says nothing
    that is sent. `ignoring` are folded words that change nothing. `why` says why it is dropped.
    """

    field: str
    headings: tuple[str, ...]
    item: str
    verified: Verified
    source: str = ""
    part: int = 0
    unit: str = ""
    days: tuple[DayForm, ...] = USUAL_DAYS
    words: Mapping[str, str] = dataclasses.field(default_factory=dict)
    ignoring: frozenset[str] = frozenset()
    why: str = ""


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """A whole mapping. `constants` hold for rows in which no column says otherwise."""

    title: str
    statement: str
    sources: Mapping[str, Source]
    constants: Mapping[str, str]
    columns: tuple[MappedColumn, ...]
    sha256: str


_PARTS = tuple(part for part in PARTY_FIELDS if part != "business")
INVOLVEMENTS = tuple(f"{party}_involvement" for party in OWN_PARTIES)
MAPPED_FIELDS: tuple[str, ...] = (
    *sorted(FIELDS - {IGNORE}),
    *(f"{party}_{part}" for party in OWN_PARTIES for part in _PARTS),
    *INVOLVEMENTS,
    *(*("outcome", "found_quantity", "found_unit"), WEIGHT_UNIT, SCOPE, DROP),
)
"""Every name that the field of a line can have."""

CONSTANTS: tuple[str, ...] = (
    *(*_TERMS, "grade", "barrier_step", *CLOSED),
    *("origin_country", "destination_country", "induction_country", "induction_operator"),
    *("currency", "outcome"),
)
"""The fields that a mapping can say once for every row."""


def listed(name: str) -> tuple[str, ...] | None:
    """The words of the closed list of a field; None when it has none, or is a country."""
    return _LISTS.get(name)


def is_country(name: str) -> bool:
    """Whether the cells of a field are countries."""
    return name == "country" or name.endswith("_country")


def has_words(name: str) -> bool:
    """Whether the cells of a field are words that must be known."""
    return listed(name) is not None or is_country(name)


def known_word(name: str, text: str) -> str | None:
    """The word of a field's list that a text says by itself; None when it says none of them.

    Countries become their ISO code.
    """
    if is_country(name):
        return country_code(text)[0].upper() or _COUNTRIES.get(folded_word(text))
    if name in CLOSED:
        return closed_word(name, text)
    return _BY_FOLD.get(name, {}).get(folded_word(text))


def compared_words() -> dict[str, dict[str, str]]:
    """Field -> folded text -> word, of the lists that are not those of a shipment."""
    return {name: dict(words) for name, words in _BY_FOLD.items() if name not in CLOSED}


def compared_countries() -> dict[str, str]:
    """Folded name -> ISO code, of the countries that the normaliser does not know by name."""
    return dict(_COUNTRIES)


_LISTS: Mapping[str, tuple[str, ...]] = {
    **{name: tuple(words) for name, words in (*CLOSED.items(), *_TERMS.items())},
    "grade": tuple(f"{source}{grade}" for source in SourceGrade for grade in InformationGrade),
    "barrier_step": tuple(str(step) for step in range(1, LAST_STEP + 1)),
    **dict.fromkeys(INVOLVEMENTS, ("sender", "addressee", "other")),
    SCOPE: ("within", "outside"),
    WEIGHT_UNIT: tuple(GRAMS),
    "outcome": (OutcomeResult.FOUND, OutcomeResult.NOT_FOUND, OutcomeResult.PENDING),
    "found_unit": (*GRAMS, "ml", "l", "pieces"),
}
_BY_FOLD: dict[str, dict[str, str]] = {
    name: {folded_word(word): word for word in words} for name, words in _LISTS.items()
}
for _name, _written in ((WEIGHT_UNIT, _UNITS_WRITTEN), ("found_unit", _AMOUNTS_WRITTEN)):
    _BY_FOLD[_name] |= {word: unit for unit, words in _written.items() for word in words.split()}
_COUNTRIES: Mapping[str, str] = {
    folded_word(name): code
    for code, names in json.loads(
        resources.files("postern.imports").joinpath("country_names.json").read_text("utf-8")
    )["names"].items()
    for name in names
}
