"""Which column of a manifest is which field: by its heading, or as a small TOML file says.

    decimal = ","                      # the mark before decimals; "." unless said otherwise
    encoding = "windows-1252"          # "utf-8" unless said otherwise
    weight_unit = "kg"                 # of weights whose heading names no unit
    currency = "EUR"                   # of amounts when there is no column for it
    item = "mailItem"                  # of XML: the element that holds one parcel
    [columns]
    "Client no." = "account"           # or "ignore"
    [words.service]
    "X1" = "express"
    [rates]                            # euro for one unit, on a day that you choose
    USD = "0.92"

What is not said is not guessed.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path
from typing import Any

from postern.columns import ColumnsError, read_header
from postern.manifest_errors import ManifestError
from postern.normalise.folding import fold
from postern.patterns.fields import FIELDS, FieldType

IGNORE = "ignore"
PARTIES = ("sender", "addressee")
_PARTY_PARTS = (
    *("name", "business", "street", "house_number", "box", "postcode", "city", "country"),
    *("phone", "email"),
)
MANIFEST_FIELDS: tuple[str, ...] = (
    *("item_id", "account", "posted_on", "posted_time", "origin_country", "destination_country"),
    *("goods_origin", "induction_point", "induction_postcode", "service", "declared_category"),
    *("payment", "delivery", "contents", "hs_code", "pieces", "gross_weight", "net_weight"),
    *("value", "currency", "postage"),
    *(f"{party}_{part}" for party in PARTIES for part in _PARTY_PARTS),
)
"""Every field that a column of a manifest can be."""

WEIGHTS = ("gross_weight", "net_weight")
_OTHER_NAMES = {"observed_from": "posted_on", "total_value": "value", "hs": "hs_code"}
_KEYS = frozenset(
    {"decimal", "encoding", "weight_unit", "currency", "item", "columns", "words", "rates"}
)
_ENCODINGS = ("utf-8", "windows-1252", "utf-16")
_ELEMENT = re.compile(r"[^\W\d][\w.-]{0,99}")
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_WORD = re.compile(r"[a-z0-9]+", re.ASCII)
_WORD_FIELDS = tuple(name for name, each in FIELDS.items() if each.type is FieldType.WORD)
_TABLES: Mapping[str, Any] = json.loads(
    resources.files("postern").joinpath("manifest_columns.json").read_text(encoding="utf-8")
)


@dataclass(frozen=True, slots=True)
class ManifestMapping:
    """How one operator's manifests are read."""

    decimal: str = "."
    encoding: str | None = None
    weight_unit: str = ""
    currency: str = ""
    item: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    rates: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ManifestColumns:
    """The columns of one file: field -> place; weight field -> "g" or "kg"; headings not read."""

    places: Mapping[str, int]
    units: Mapping[str, str]
    unused: tuple[str, ...]


def load_mapping(path: Path) -> ManifestMapping:
    """The mapping in a TOML file. Raises ManifestError that names the key and the remedy."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ManifestError(
            f"{path} cannot be read: {error.strerror}. Correct its name or permissions."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} is not TOML in UTF-8: {error}. Correct it.") from None
    for key in document:
        if key not in _KEYS:
            raise _wrong(path, key, f"it is not known. Use one of: {', '.join(sorted(_KEYS))}")
    return ManifestMapping(
        decimal=_choice(path, document, "decimal", (".", ","), "."),
        encoding=_choice(path, document, "encoding", _ENCODINGS, None),
        weight_unit=_choice(path, document, "weight_unit", ("g", "kg"), ""),
        currency=_currency(path, document.get("currency", "")),
        item=_element(path, document.get("item", "")),
        columns=_columns(path, document.get("columns", {})),
        words=_words(path, document.get("words", {})),
        rates=_rates(path, document.get("rates", {})),
    )


def manifest_columns(header: Sequence[str], mapping: ManifestMapping) -> ManifestColumns:
    """Which column is which field. Raises ManifestError when two are one, or a unit is missing."""
    names = [heading.strip() for heading in header]
    for heading in mapping.columns:
        if heading not in names:
            raise ManifestError(
                f"The manifest has no column {heading!r}, which the mapping speaks of. Write the "
                "heading exactly as it stands in the first row."
            )
    places: dict[str, int] = {}
    units: dict[str, str] = {}
    unused = []
    for place, heading in enumerate(names):
        known = mapping.columns.get(heading)
        found, unit = (known, "") if known else recognised(heading)
        if not found:
            unused.append(heading or f"(column {place + 1}, without a heading)")
        if not found or found == IGNORE:
            continue
        if found in places:
            raise ManifestError(
                f"The columns {names[places[found]]!r} and {heading!r} are both read as {found}. "
                f'Name the field of each in a mapping file, or give one of them "{IGNORE}".'
            )
        places[found] = place
        if found in WEIGHTS:
            units[found] = _unit(heading, unit or mapping.weight_unit)
    if "posted_on" not in places:
        raise ManifestError(
            "The manifest has no column for the day of posting. Name it in a mapping file: "
            '"Their heading" = "posted_on" under [columns].'
        )
    return ManifestColumns(places, units, tuple(unused))


def _unit(heading: str, unit: str) -> str:
    if not unit:
        raise ManifestError(
            f'The heading {heading!r} names no unit of weight. Set weight_unit to "g" or "kg" '
            "in a mapping file."
        )
    return unit


def recognised(heading: str) -> tuple[str, str]:
    """The field that a heading names and the unit of weight in it; "" for what is not there."""
    plain = heading.strip().lower()
    for weight in WEIGHTS:
        if plain in {f"{weight}_g", f"{weight}_kg"}:
            return weight, plain.rpartition("_")[2]
    if plain in MANIFEST_FIELDS:
        return plain, ""
    found = _HEADINGS.get(_key(heading))
    if found:
        return found, ""
    try:
        columns = read_header([heading], {})
    except ColumnsError:
        return "", ""
    name = next(iter(columns.places), "")
    unit = columns.units.get(name, "")
    name = _OTHER_NAMES.get(name, name)
    if name not in MANIFEST_FIELDS or name == "payment":  # there it is a wallet or an account
        return "", ""
    return name, unit if name in WEIGHTS else ""


def known_words(name: str, mapping: ManifestMapping) -> dict[str, str]:
    """Folded text -> word of the closed list of a field, as written by operators."""
    tables: Mapping[str, Sequence[str]] = _TABLES["words"].get(name, {})
    known = {_folded(word): word for word in FIELDS[name].words}
    known |= {_folded(text): word for word, texts in tables.items() for text in texts}
    return known | {_folded(text): word for text, word in mapping.words.get(name, {}).items()}


def folded_word(text: str) -> str:
    """A cell of a closed list as `known_words` has it."""
    return _folded(text)


def _key(heading: str) -> str:
    return " ".join(sorted(_WORD.findall(fold(heading))))


def _folded(text: str) -> str:
    return "_".join(_WORD.findall(fold(text)))


def _wrong(path: Path, key: str, why: str) -> ManifestError:
    return ManifestError(f"{path}: {key}: {why}.")


def _choice(
    path: Path, document: Mapping[str, Any], key: str, allowed: Sequence[str], default: Any
) -> Any:
    found = document.get(key, default)
    if found != default and found not in allowed:
        raise _wrong(path, key, f"write one of: {', '.join(allowed)}")
    return found


def _currency(path: Path, found: Any) -> str:
    if found == "" or (isinstance(found, str) and _CURRENCY.fullmatch(found)):
        return str(found)
    raise _wrong(path, "currency", "write three capitals of ISO 4217")


def _element(path: Path, found: Any) -> str:
    if found == "" or (isinstance(found, str) and _ELEMENT.fullmatch(found)):
        return str(found)
    raise _wrong(path, "item", "write the local name of an element, without < and >")


def _columns(path: Path, table: Any) -> dict[str, str]:
    if not isinstance(table, dict):
        raise _wrong(path, "columns", 'write lines such as "Their heading" = "field"')
    for heading, name in table.items():
        if not isinstance(name, str) or name not in {*MANIFEST_FIELDS, IGNORE}:
            raise _wrong(
                path, f"columns.{heading}", f"write one of: {', '.join(MANIFEST_FIELDS)}, {IGNORE}"
            )
    return {str(heading).strip(): str(name) for heading, name in table.items()}


def _words(path: Path, table: Any) -> dict[str, dict[str, str]]:
    if not isinstance(table, dict) or not all(isinstance(each, dict) for each in table.values()):
        raise _wrong(path, "words", "write a table for each field, such as [words.service]")
    for name, words in table.items():
        if name not in _WORD_FIELDS or FIELDS[name].is_derived:
            raise _wrong(path, f"words.{name}", "it is not a field with a closed list of words")
        for text, word in words.items():
            if word not in FIELDS[name].words:
                raise _wrong(
                    path,
                    f"words.{name}.{text}",
                    f"write one of: {', '.join(FIELDS[name].words)}",
                )
    return {
        name: {str(key): str(each) for key, each in found.items()} for name, found in table.items()
    }


def _rates(path: Path, table: Any) -> dict[str, Decimal]:
    if not isinstance(table, dict):
        raise _wrong(path, "rates", 'write lines such as USD = "0.92"')
    found = {"EUR": Decimal(1)}
    for currency, rate in table.items():
        try:
            amount = Decimal(str(rate))
        except InvalidOperation:
            amount = Decimal(0)
        if not _CURRENCY.fullmatch(currency) or not Decimal(0) < amount < Decimal(10**6):
            raise _wrong(path, f"rates.{currency}", 'write euro for one unit, such as "0.92"')
        found[currency] = amount
    return found


def _known_headings() -> dict[str, str]:
    known: dict[str, str] = {}
    for name, texts in _TABLES["headings"].items():
        known[_key(name)] = name
        known |= {_key(text): name for text in texts}
    return known


_HEADINGS = _known_headings()
