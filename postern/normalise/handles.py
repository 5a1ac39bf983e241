"""Handles of vendors, and the operator's own codes of induction points."""

import re

from postern.normalise.countries import country_code
from postern.normalise.errors import NormalisationError
from postern.normalise.folding import alphanumeric, skeleton
from postern.normalise.tables import table
from postern.normalise.values import (
    MAX_FIELD_LENGTH,
    Flag,
    HandleForm,
    InductionPoint,
    Normalised,
    TextForm,
    Vendor,
)
from postern.vocabulary import Kind

_HANDLES = table("handles")

_DIGITS_AT_THE_END = re.compile(r"[0-9]+$", re.ASCII)
_OUTER_SEPARATORS = re.compile(r"^[^0-9A-Za-z]+|[^0-9A-Za-z]+$", re.ASCII)


def normalise_vendor(vendor: Vendor) -> Normalised:
    """The handle in three strengths: folded, without leet and suffixes, and by its sound.

    The two vaguer strengths are empty when too little is left to compare.
    Source: specification of matching, section 5. Raises NormalisationError for an empty handle.
    """
    for field, text in (("market", vendor.market), ("handle", vendor.handle)):
        if len(text) > MAX_FIELD_LENGTH:
            raise NormalisationError(
                field,
                f"It is longer than {MAX_FIELD_LENGTH} characters.",
                "Give the name only.",
            )
    handle = vendor.handle.translate(_LOOK_ALIKES)
    folded = alphanumeric(handle)
    if not folded:
        raise NormalisationError(
            "handle", "It holds no letter and no digit.", "Give the handle as the market shows it."
        )
    market = alphanumeric(vendor.market)
    stripped = _stripped(handle)
    sound = skeleton(stripped)
    flags = [] if market else [Flag.NO_MARKET]
    if len(sound) < _HANDLES["min_skeleton"]:
        sound = ""
        flags.append(Flag.SHORT_HANDLE)
    return Normalised(Kind.VENDOR, HandleForm(market, folded, stripped, sound), tuple(flags))


def normalise_induction_point(point: InductionPoint) -> Normalised:
    """`operator|code|country`, each in lower-case letters and digits.

    Raises NormalisationError when the operator or the code is empty.
    """
    operator, code = alphanumeric(point.operator), alphanumeric(point.code)
    for field, text, written in (
        ("operator", operator, point.operator),
        ("code", code, point.code),
    ):
        if not text or len(written) > MAX_FIELD_LENGTH:
            raise NormalisationError(
                field,
                f"It is empty or longer than {MAX_FIELD_LENGTH} characters.",
                "Give the operator's name and its own code of the counter, box or locker.",
            )
    iso, flags = country_code(point.country)
    if not iso and not flags:
        flags.append(Flag.NO_COUNTRY)
    return Normalised(Kind.INDUCTION_POINT, TextForm(f"{operator}|{code}|{iso}"), tuple(flags))


def _stripped(handle: str) -> str:
    """The handle without digits at its end, leet, and words of what or where; never too short."""
    without_digits = _DIGITS_AT_THE_END.sub("", _OUTER_SEPARATORS.sub("", handle))
    if len(alphanumeric(without_digits)) < _HANDLES["min_rest"]:
        without_digits = handle
    plain = alphanumeric(without_digits.translate(_LEET))
    while True:
        shorter = _without_affix(plain)
        if shorter == plain:
            return plain if len(plain) >= _HANDLES["min_rest"] else ""
        plain = shorter


def _without_affix(plain: str) -> str:
    for affix in _SUFFIXES:
        rest = plain.removesuffix(affix)
        if rest != plain and len(rest) >= _HANDLES["min_rest"]:
            return rest
    for affix in _PREFIXES:
        rest = plain.removeprefix(affix)
        if rest != plain and len(rest) >= _HANDLES["min_rest"]:
            return rest
    return plain


_LOOK_ALIKES = {ord(seen): meant for seen, meant in _HANDLES["look_alikes"].items()}
# Leet is looked up in lower case: an L is an l, and so an i.
_LEET = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
for _seen, _meant in _HANDLES["leet"].items():
    _LEET[ord(_seen)] = _LEET[ord(_seen.upper())] = _meant
# Affixes are compared after leet, in which an l is written i.
_SUFFIXES = [alphanumeric(word.translate(_LEET)) for word in _HANDLES["suffixes"]]
_PREFIXES = [alphanumeric(word.translate(_LEET)) for word in _HANDLES["prefixes"]]
