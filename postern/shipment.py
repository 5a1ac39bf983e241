"""The coarse fields of a shipment, from the columns of a row: bands, closed words, countries.

What cannot be read is flagged and left out: a shipment field only narrows a search, so it is no
reason to refuse what was seen.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from importlib import resources
from typing import Any

from postern.bands import hs_chapter, value_band, weight_band
from postern.normalise.countries import country_code
from postern.normalise.folding import fold
from postern.vocabulary import Concealment, DeclaredCategory, Service, Substance

Reader = Callable[[str], tuple[str | None, str]]

_WORD = re.compile(r"[a-z0-9]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class AmountUnits:
    """Units of amounts that stand without one: `weight` is g or kg, `currency` an ISO 4217 code.

    `of_columns`: field -> unit in its heading, which goes before. "" where none is known.
    """

    weight: str = ""
    currency: str = ""
    of_columns: Mapping[str, str] = field(default_factory=dict)


def read_shipment(
    row: Mapping[str, str], units: AmountUnits
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The shipment's fields as they are sent, and a flag for each that could not be read."""
    shipment: dict[str, str] = {}
    flags: list[str] = []
    for name, columns, read in _readers(row, units):
        for column in columns:
            if (text := row.get(column)) and name not in shipment:
                found, flag = read(column)(text)
                if found:
                    shipment[name] = found
                else:
                    flags.append(flag)
    return shipment, tuple(flags)


def _readers(
    row: Mapping[str, str], units: AmountUnits
) -> list[tuple[str, tuple[str, ...], Callable[[str], Reader]]]:
    """Field, the columns that may hold it, the best first, and how a column is read."""

    def weight(column: str) -> Reader:
        return partial(weight_band, unit=units.of_columns.get(column) or units.weight)

    def value(column: str) -> Reader:
        known = row.get("currency") or units.of_columns.get(column) or units.currency
        return partial(value_band, currency=known)

    return [
        ("origin_country", ("origin_country", "sender_country"), _country),
        ("destination_country", ("destination_country", "addressee_country"), _country),
        ("weight_band", ("gross_weight", "net_weight"), weight),
        ("value_band", ("total_value", "value"), value),
        ("hs_chapter", ("hs",), lambda _: hs_chapter),
        *((name, (name,), _closed) for name in CLOSED),
    ]


def _country(column: str) -> Reader:
    def read(text: str) -> tuple[str | None, str]:
        return country_code(text)[0].upper() or None, f"{column}_unknown"

    return read


def _closed(column: str) -> Reader:
    def read(text: str) -> tuple[str | None, str]:
        return closed_word(column, text), f"{column}_unknown"

    return read


def closed_word(column: str, text: str) -> str | None:
    """The word of a shipment's closed list that a text says; None when it says none of them."""
    folded = folded_word(text)
    return folded if folded in set(CLOSED[column]) else _WRITTEN[column].get(folded)


def folded_word(text: str) -> str:
    """What spellings of the same word have in common."""
    return "_".join(_WORD.findall(fold(text)))


def _written() -> dict[str, dict[str, str]]:
    tables: dict[str, Any] = json.loads(
        resources.files("postern").joinpath("shipment_words.json").read_text(encoding="utf-8")
    )
    return {
        name: {
            folded_word(text): word
            for word, texts in tables.get(name, {}).items()
            for text in texts
        }
        for name in CLOSED
    }


CLOSED: Mapping[str, type[StrEnum]] = {
    "declared_category": DeclaredCategory,
    "service": Service,
    "concealment": Concealment,
    "substance": Substance,
}
"""The closed lists of a shipment."""

_WRITTEN = _written()
