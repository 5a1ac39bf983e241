"""Telephone numbers, e-mail addresses and OpenPGP fingerprints."""

import re

from postern.normalise.countries import country_code
from postern.normalise.errors import NormalisationError
from postern.normalise.folding import alphanumeric, fold
from postern.normalise.tables import table
from postern.normalise.values import (
    MAX_FIELD_LENGTH,
    Email,
    Flag,
    Normalised,
    Pgp,
    Phone,
    TextForm,
)
from postern.vocabulary import Kind

_PHONES = table("phones")

_PLUS_FIRST = re.compile(r"[^0-9]*[+\uff0b]", re.ASCII)  # the second is the full-width plus
_NOT_DIGIT = re.compile(r"[^0-9]", re.ASCII)
_EXTENSION = re.compile(
    r"\b(?:" + "|".join(_PHONES["extension_words"]) + r")[ .]*[0-9]{1,6}$", re.ASCII
)
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.ASCII)
_HEXADECIMAL = re.compile(r"[0-9A-F]+", re.ASCII)

_MIN_PHONE_DIGITS = 6
_MAX_PHONE_DIGITS = 15  # ITU-T E.164, 6.2
_FINGERPRINT_DIGITS = frozenset({40, 64})  # OpenPGP versions 4 and 6: RFC 9580, 5.5.4


def normalise_phone(phone: Phone) -> Normalised:
    """The number in E.164, such as +32475123456; national digits, flagged, without a country.

    Raises NormalisationError for fewer than 6 or more than 15 digits.
    """
    _check_length("number", phone.number)
    iso, flags = country_code(phone.country)
    international = _PLUS_FIRST.match(phone.number) is not None
    digits = _NOT_DIGIT.sub("", _EXTENSION.sub("", fold(phone.number.replace("(0)", ""))))
    if not international and digits.startswith("00"):
        international, digits = True, digits[2:]
    if not _MIN_PHONE_DIGITS <= len(digits) <= _MAX_PHONE_DIGITS:
        raise NormalisationError(
            "number",
            "A telephone number has between 6 and 15 digits.",
            "Give the whole number, with its country code or with a country.",
        )
    if international:
        text, doubts = _international(digits)
    else:
        text, doubts = _national(digits, iso)
    return Normalised(Kind.PHONE, TextForm(text), (*flags, *doubts))


def normalise_email(email: Email) -> Normalised:
    """The address folded to lower-case ASCII, local part and domain alike.

    RFC 5321 (2.4) lets a local part distinguish case, but the large providers do not, and a label
    is typed by hand; a missed match costs more here than a false one, which a person would see.
    Raises NormalisationError when there is nothing on either side of an @.
    """
    _check_length("address", email.address)
    local, at, domain = email.address.rpartition("@")
    folded_local = _fold_mail(local).removeprefix("mailto:")
    folded_domain = _fold_mail(domain).rstrip(".")
    if not at or not folded_local or not folded_domain:
        raise NormalisationError(
            "address",
            "An e-mail address has something on each side of an @.",
            "Give the whole address.",
        )
    fits = _LOCAL.fullmatch(folded_local) and _DOMAIN.fullmatch(folded_domain)
    flags = () if fits else (Flag.EMAIL_FORM,)
    return Normalised(Kind.EMAIL, TextForm(f"{folded_local}@{folded_domain}"), flags)


def normalise_pgp(pgp: Pgp) -> Normalised:
    """The fingerprint as 40 or 64 upper-case hexadecimal digits.

    Raises NormalisationError for anything else: a short key ID can be forged in seconds.
    """
    _check_length("fingerprint", pgp.fingerprint)
    plain = alphanumeric(pgp.fingerprint).removeprefix("0x").upper()
    if len(plain) not in _FINGERPRINT_DIGITS or not _HEXADECIMAL.fullmatch(plain):
        raise NormalisationError(
            "fingerprint",
            "An OpenPGP fingerprint has 40 or 64 hexadecimal digits.",
            "Give the whole fingerprint; a key ID of 8 or 16 digits is not enough.",
        )
    return Normalised(Kind.PGP, TextForm(plain), ())


def _check_length(field: str, text: str) -> None:
    if len(text) > MAX_FIELD_LENGTH:
        raise NormalisationError(
            field,
            f"It is longer than {MAX_FIELD_LENGTH} characters.",
            "Give what belongs in this field only.",
        )


def _international(digits: str) -> tuple[str, list[Flag]]:
    for calling, trunk, fewest, most in _BY_CALLING_CODE:
        if digits.startswith(calling):
            national = digits[len(calling) :]
            if trunk and len(national) > most - len(trunk):
                # "+32 0475 12 34 56": the trunk prefix is written although it should not be.
                national = _without_trunk(national, trunk)
            fits = fewest <= len(national) <= most
            return f"+{calling}{national}", [] if fits else [Flag.PHONE_LENGTH]
    return f"+{digits}", []


def _national(digits: str, iso: str) -> tuple[str, list[Flag]]:
    rule = _PHONES["countries"].get(iso)
    if rule is None:
        return digits, [Flag.NO_COUNTRY]
    calling, trunk, fewest, most = rule
    national = _without_trunk(digits, trunk)
    if len(national) > most and digits.startswith(calling):
        return _international(digits)
    fits = fewest <= len(national) <= most
    return f"+{calling}{national}", [] if fits else [Flag.PHONE_LENGTH]


def _without_trunk(national: str, trunk: str) -> str:
    return national.removeprefix(trunk) if trunk else national


def _fold_mail(part: str) -> str:
    # Characters that fold() turns into spaces mean something in a local part: keep all ASCII.
    return "".join(
        character.lower() if character.isascii() else alphanumeric(character)
        for character in part
        if character > " "
    )


def _by_calling_code() -> list[tuple[str, str, int, int]]:
    rules: dict[str, tuple[str, str, int, int]] = {}
    for calling, trunk, fewest, most in _PHONES["countries"].values():
        rules.setdefault(calling, (calling, trunk, fewest, most))
    # Calling codes are prefix-free (ITU-T E.164), so that the order does not matter.
    return list(rules.values())


_BY_CALLING_CODE = _by_calling_code()
