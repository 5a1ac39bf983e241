"""Coarse shipment fields from what people write: weight and value bands, HS chapter, days.

Amounts are generalised here, on premises: the platform never learns a weight or a value.
"""

import re
from datetime import date
from decimal import Decimal

from postern.vocabulary import ValueBand, WeightBand

_NUMBER = re.compile(r"[0-9][0-9.,' \u00a0\u202f\u2019]*", re.ASCII)
_GROUPING = re.compile(r"[' \u00a0\u202f\u2019]")
_LETTERS = re.compile(r"[^0-9.,' \u00a0\u202f\u2019+-]+")
_ISO_DAY = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:[T ].*)?", re.ASCII)
_EUROPEAN_DAY = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})", re.ASCII)
_GROUP = 3  # digits between separators of thousands
_LAST_CHAPTER = 99

_WEIGHTS: tuple[tuple[Decimal, WeightBand], ...] = (
    (Decimal(100), WeightBand.UP_TO_100),
    (Decimal(500), WeightBand.UP_TO_500),
    (Decimal(1000), WeightBand.UP_TO_1000),
    (Decimal(2000), WeightBand.UP_TO_2000),
    (Decimal(5000), WeightBand.UP_TO_5000),
    (Decimal(20000), WeightBand.UP_TO_20000),
)
_VALUES: tuple[tuple[Decimal, ValueBand], ...] = (
    (Decimal(0), ValueBand.NONE),
    (Decimal(22), ValueBand.UP_TO_22),
    (Decimal(150), ValueBand.UP_TO_150),
    (Decimal(1000), ValueBand.UP_TO_1000),
)
_GRAMS = {"g": Decimal(1), "kg": Decimal(1000)}
_WEIGHT_UNITS = {"g": "g", "gr": "g", "gram": "g", "grams": "g", "grammes": "g", "kg": "kg"}
_CURRENCY_SIGNS = {"€": "EUR", "euro": "EUR", "euros": "EUR", "$": "USD", "£": "GBP"}


def weight_band(text: str, unit: str) -> tuple[WeightBand | None, str]:
    """The band of a weight, or None and the quality flag that says why there is none.

    `unit` is g, kg or "" and gives way to a unit beside the number.
    """
    written = unit_letters(text)
    unit = _WEIGHT_UNITS.get(written, "?") if written else unit
    if unit not in _GRAMS:
        return None, "weight_unit_unknown" if unit else "weight_without_unit"
    amount = read_amount(text, three_decimals=unit == "kg")
    if amount is None:
        return None, "weight_unreadable"
    grams = amount * _GRAMS[unit]
    return next((band for most, band in _WEIGHTS if grams <= most), WeightBand.OVER_20000), ""


def value_band(text: str, currency: str) -> tuple[ValueBand | None, str]:
    """The band of a declared value in euro, or None and the quality flag that says why.

    `currency` is an ISO 4217 code or "" and gives way to a sign or code beside the number. Other
    currencies have no band: a rate of the day would be a guess. Nothing costs nothing in any.
    """
    written = unit_letters(text)
    currency = _CURRENCY_SIGNS.get(written, written.upper()) if written else currency.upper()
    amount = read_amount(text, three_decimals=False)
    if amount is None:
        return None, "value_unreadable"
    if not amount:
        return ValueBand.NONE, ""
    if not currency:
        return None, "value_without_currency"
    if _CURRENCY_SIGNS.get(currency.lower(), currency) != "EUR":
        return None, "value_not_in_euro"
    return next((band for most, band in _VALUES if amount <= most), ValueBand.OVER_1000), ""


def hs_chapter(text: str) -> tuple[str | None, str]:
    """The two digits of an HS chapter (01 to 99), or None and the quality flag."""
    digits = re.sub(r"[ .]", "", text)
    if not re.fullmatch(r"[0-9]{2,12}", digits, re.ASCII) or len(digits) % 2:
        return None, "hs_unreadable"
    chapter = digits[:2]
    return (chapter, "") if 1 <= int(chapter) <= _LAST_CHAPTER else (None, "hs_unreadable")


def day(text: str) -> date | None:
    """A day written 2026-11-25, 20261125, 25/11/2026, 25.11.2026 or 25-11-2026; None otherwise.

    The day comes before the month, as everywhere in Europe.
    """
    iso = _ISO_DAY.fullmatch(text)
    european = _EUROPEAN_DAY.fullmatch(text)
    try:
        if iso:
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
        if european:
            return date(int(european[3]), int(european[2]), int(european[1]))
    except ValueError:
        return None
    return None


def unit_letters(text: str) -> str:
    """What stands beside an amount, such as kg or €, in small letters."""
    return "".join(_LETTERS.findall(text)).lower()


def read_amount(text: str, *, three_decimals: bool) -> Decimal | None:
    """The one amount in `text`, written with a comma or a point for decimals.

    One separator before exactly three digits is ambiguous: `three_decimals` says what is meant.
    """
    if "-" in text:
        return None
    found = _NUMBER.findall(text)
    if len(found) != 1:
        return None
    plain = _GROUPING.sub("", found[0])
    last = max(plain.rfind(","), plain.rfind("."))
    if last < 0:
        return Decimal(plain)
    mark, after = plain[last], plain[last + 1 :]
    other = "," if mark == "." else "."
    alone = plain.count(mark) == 1
    if alone and (other in plain or len(after) != _GROUP or three_decimals):
        return Decimal(plain.replace(other, "").replace(mark, ".").rstrip(".") or "0")
    groups = [*plain[: last + 1].replace(other, mark).split(mark)[1:-1], after]
    if any(len(group) != _GROUP for group in groups):
        return None
    return Decimal(plain.replace(mark, "").replace(other, ""))
