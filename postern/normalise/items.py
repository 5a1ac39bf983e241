"""Identifiers of items: UPU S10, UPS 1Z, SSCC and the carriers' own.

A wrong check digit is a warning and never a refusal: the sample in an official table fails its own
(specification of the domain, 3.3).
"""

import re

from postern.normalise.errors import NormalisationError
from postern.normalise.folding import alphanumeric
from postern.normalise.tables import table
from postern.normalise.values import MAX_FIELD_LENGTH, Flag, Item, Normalised, SchemeForm
from postern.vocabulary import Kind

_ISO = frozenset(table("countries")["iso"])

_S10 = re.compile(r"([a-z])([a-z])([0-9]{8})([0-9])([a-z]{2})", re.ASCII)
_UPS = re.compile(r"1z([0-9a-z]{15})([0-9])", re.ASCII)
_SSCC = re.compile(r"(?:00)?([0-9]{17})([0-9])", re.ASCII)
_CARRIER = re.compile(r"[0-9a-z]{6,40}", re.ASCII)

_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_S10_RESERVED = frozenset("jkstw")
_SSCC_APPLICATION_DIGITS = 20  # with the application identifier 00 in front


def normalise_item(item: Item) -> Normalised:
    """The identifier in upper case without spaces, with its scheme.

    Raises NormalisationError when the scheme is unknown or the value cannot be one of its
    identifiers at all.
    """
    if len(item.value) > MAX_FIELD_LENGTH:
        raise NormalisationError(
            "value",
            f"It is longer than {MAX_FIELD_LENGTH} characters.",
            "Give the identifier only.",
        )
    plain = alphanumeric(item.value)
    if not plain:
        raise NormalisationError(
            "value", "It holds no letter and no digit.", "Give the identifier of the item."
        )
    scheme = alphanumeric(item.scheme)
    if scheme in {"", "auto"}:
        scheme = _recognise(plain)
    reader = _READERS.get(scheme)
    if reader is None:
        raise NormalisationError(
            "scheme",
            "This scheme of item identifiers is not known.",
            "Use s10, ups, sscc, carrier or auto.",
        )
    text, flags = reader(plain)
    return Normalised(Kind.ITEM, SchemeForm(scheme, text), tuple(flags))


def s10_check_digit(serial: str) -> int:
    """The check digit of an 8-digit S10 serial: weights 8 6 4 2 3 5 9 7, modulo 11 (UPU S10)."""
    total = sum(weight * int(digit) for weight, digit in zip(_S10_WEIGHTS, serial, strict=True))
    return {10: 0, 11: 5}.get(11 - total % 11, 11 - total % 11)


def gs1_check_digit(digits: str) -> int:
    """The modulo-10 check digit of `digits`: weights 3 and 1 from the right (GS1, 7.9)."""
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits)))
    return -total % 10


def ups_check_digit(body: str) -> int:
    """The check digit of the 15 characters after 1Z; a letter counts as (code - 63) mod 10."""
    total = 0
    for place, character in enumerate(body):
        value = int(character) if character.isdigit() else (ord(character.upper()) - 63) % 10
        total += value * (1, 2)[place % 2]
    return -total % 10


def _recognise(plain: str) -> str:
    if _S10.fullmatch(plain):
        return "s10"
    if _UPS.fullmatch(plain):
        return "ups"
    sscc = _SSCC.fullmatch(plain)
    if sscc and (
        len(plain) == _SSCC_APPLICATION_DIGITS
        or gs1_check_digit(sscc.group(1)) == int(sscc.group(2))
    ):
        return "sscc"
    return "carrier"


def _read_s10(plain: str) -> tuple[str, list[Flag]]:
    match = _S10.fullmatch(plain)
    if match is None:
        raise NormalisationError(
            "value",
            "An S10 identifier has two letters, nine digits and two letters.",
            "Check the identifier, or give scheme carrier when it is not S10.",
        )
    service, _, serial, check, country = match.groups()
    flags = []
    if s10_check_digit(serial) != int(check):
        flags.append(Flag.S10_CHECK_DIGIT)
    if country not in _ISO:
        flags.append(Flag.S10_COUNTRY)
    if service in _S10_RESERVED:
        flags.append(Flag.S10_SERVICE)
    return plain.upper(), flags


def _read_ups(plain: str) -> tuple[str, list[Flag]]:
    match = _UPS.fullmatch(plain)
    if match is None:
        raise NormalisationError(
            "value",
            "A UPS number is 1Z, fifteen letters or digits and a check digit.",
            "Check the number, or give scheme carrier.",
        )
    body, check = match.groups()
    wrong = ups_check_digit(body) != int(check)
    return plain.upper(), [Flag.UPS_CHECK_DIGIT] if wrong else []


def _read_sscc(plain: str) -> tuple[str, list[Flag]]:
    match = _SSCC.fullmatch(plain)
    if match is None:
        raise NormalisationError(
            "value",
            "An SSCC has 18 digits, or 20 with the application identifier 00.",
            "Check the code, or give scheme carrier.",
        )
    body, check = match.groups()
    wrong = gs1_check_digit(body) != int(check)
    return body + check, [Flag.SSCC_CHECK_DIGIT] if wrong else []


def _read_carrier(plain: str) -> tuple[str, list[Flag]]:
    if _CARRIER.fullmatch(plain) is None:
        raise NormalisationError(
            "value",
            "A carrier's identifier has between 6 and 40 letters and digits.",
            "Give the whole identifier.",
        )
    return plain.upper(), []


_READERS = {"s10": _read_s10, "ups": _read_ups, "sscc": _read_sscc, "carrier": _read_carrier}
