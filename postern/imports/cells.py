"""From a cell of another system to a cell of Postern: words, days and amounts.

What comes out is text as `postern.rows` reads it: a word of a closed list, a day in ISO 8601, a
number with its unit beside it.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from postern.bands import read_amount, unit_letters
from postern.columns import JOINING_WORDS
from postern.imports.model import (
    GRAMS,
    STRICT,
    WEIGHT_UNIT,
    WEIGHTS,
    DayForm,
    MappedColumn,
    is_country,
    known_word,
)
from postern.normalise.folding import fold
from postern.shipment import folded_word

_TIME = r"(?:[T ,].*)?"
_ISO = re.compile(rf"([0-9]{{4}})-?([0-9]{{2}})-?([0-9]{{2}}){_TIME}", re.ASCII | re.DOTALL)
_NUMBERS = re.compile(
    rf"([0-9]{{1,2}})([./-])([0-9]{{1,2}})\2([0-9]{{4}}|[0-9]{{2}}){_TIME}", re.ASCII | re.DOTALL
)
_NAMED = re.compile(r"([0-9]{1,2})(?:er|e|st|nd|rd|th)? ([a-z]{3,9}) ([0-9]{4})(?: .*)?", re.ASCII)
_SERIAL = re.compile(r"[0-9]{5}(?:[.,][0-9]+)?", re.ASCII)
_SERIAL_BEGIN = date(1899, 12, 30)
_CENTURY = 2000
_FIRST_YEAR = 100
_MONTHS = (
    ("jan",),
    ("feb", "fev"),
    ("mar", "maart", "mrt", "mae", "mrz"),
    ("apr", "avr"),
    ("may", "mai", "mei"),
    ("jun", "juin"),
    ("jul", "juil"),
    ("aug", "aou"),
    ("sep",),
    ("oct", "okt"),
    ("nov",),
    ("dec", "dez"),
)
_BETWEEN = re.compile(r"[;,/+|&\n]")
_BRACKETS = re.compile(r"\([^()]*\)")


def word_of(column: MappedColumn, text: str) -> tuple[str | None, tuple[str, ...], bool]:
    """What a cell of a closed list says: the word, what in it is not known, whether it says more.

    The word is "" for what says nothing that is sent, and None when nothing in it is known. Of a
    cell that says several words the first one counts.
    """
    whole = _known(column, text)
    if whole is not None or is_country(column.field) or column.field in STRICT:
        return whole, () if whole is not None else (text,), False
    pieces = [piece.strip() for piece in _BETWEEN.split(text) if piece.strip()]
    said = [(_known(column, piece), piece) for piece in pieces]
    words = list(dict.fromkeys(word for word, _ in said if word))
    if not words:
        return None, (text,), False
    return words[0], tuple(piece for word, piece in said if word is None), len(words) > 1


def day_of(column: MappedColumn, text: str) -> str | None:
    """A day in ISO 8601, from the first form of the column in which it is one; None if none."""
    for form in column.days:
        try:
            found = _day(form, text)
        except (ValueError, OverflowError):
            continue
        if found is not None and found.year >= _FIRST_YEAR:
            return found.isoformat()
    return None


def amount_of(column: MappedColumn, text: str, unit: str) -> str:
    """An amount with its unit beside it, weights in grams where Postern has no such unit.

    `unit` is the one of another column or of the heading, "" for none; one in the cell goes before
    it. What cannot be read is left as it is: then no band is made of it, and that is told.
    """
    letters = unit_letters(text)
    if column.field not in WEIGHTS:
        known = unit or column.unit
        return text if letters or not known else f"{text} {known}"
    found = unit_of(letters) if letters else unit or column.unit
    if found is None or not found:
        return text
    if found in {"g", "kg"}:
        return text if letters else f"{text} {found}"
    amount = read_amount(text, three_decimals=found not in {"mg", "g"})
    if amount is None:
        return text
    grams = (amount * Decimal(GRAMS[found])).quantize(Decimal("0.01"))
    return f"{grams} g"


def unit_of(text: str) -> str | None:
    """The unit of weight that a word names; None when it is not known."""
    return known_word(WEIGHT_UNIT, text)


def _known(column: MappedColumn, text: str) -> str | None:
    """The word that a text says as it stands, without brackets, or without words that say nothing.

    "" when the mapping says that it tells nothing.
    """
    for each in _readings(column, text):
        folded = folded_word(each)
        if folded in column.words:
            return column.words[folded]
        if folded and (word := known_word(column.field, each)) is not None:
            return word
    return None


def _readings(column: MappedColumn, text: str) -> Iterator[str]:
    yield text
    without = _BRACKETS.sub(" ", text)
    if without != text:
        yield without
    words = folded_word(without).split("_")
    kept = [word for word in words if word not in column.ignoring | JOINING_WORDS]
    if len(kept) < len(words):
        yield " ".join(kept)


def _day(form: DayForm, text: str) -> date | None:
    if form is DayForm.ISO:
        found = _ISO.fullmatch(text)
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    if form is DayForm.MONTH_NAME:
        return _named_day(text)
    if form is DayForm.SERIAL:
        if not _SERIAL.fullmatch(text):
            return None
        return _SERIAL_BEGIN + timedelta(days=int(text.replace(",", ".").partition(".")[0]))
    found = _NUMBERS.fullmatch(text)
    if not found:
        return None
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    year += 0 if year >= _FIRST_YEAR or len(found[4]) > 2 else _CENTURY  # noqa: PLR2004 - digits
    day, month = (first, second) if form is DayForm.DAY_FIRST else (second, first)
    return date(year, month, day)


def _named_day(text: str) -> date | None:
    plain = " ".join(re.findall(r"[a-z0-9]+", fold(text), re.ASCII))
    found = _NAMED.fullmatch(plain)
    if not found:
        return None
    for number, beginnings in enumerate(_MONTHS, start=1):
        if any(found[2].startswith(each) for each in beginnings):
            return date(int(found[3]), number, int(found[1]))
    return None
