"""What a piece of text is likely to be: an address, a handle, a number of something, and why.

A pure function of text and country, the same in the platform's pages (app/web/modules/recognise.js)
and on premises; tests/data/recognised-1.json holds both to the same answers. It proposes; a person
decides, and may name another kind (`read_as`).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from postern.address_text import read_address
from postern.facets import facets
from postern.normalise import (
    Address,
    Email,
    Flag,
    InductionPoint,
    Item,
    NormalisationError,
    Normalised,
    Party,
    Payment,
    Pgp,
    Phone,
    PostalForm,
    SchemeForm,
    Value,
    Vendor,
    normalise,
)
from postern.normalise.tables import table
from postern.vocabulary import Kind

LONGEST = 1000  # characters; a longer text is no single value


class Certainty(StrEnum):
    """How sure it is that a text is of a kind."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Sign(StrEnum):
    """By what a kind was recognised."""

    MAIL_FORM = "mail_form"
    MARKET = "market"
    AT_FIRST = "at_first"
    ONE_WORD = "one_word"
    WORDS = "words"
    CHECK_DIGIT = "check_digit"
    WRONG_CHECK_DIGIT = "wrong_check_digit"
    WALLET_FORM = "wallet_form"
    PREFIX = "prefix"
    LETTERS_AND_DIGITS = "letters_and_digits"
    HEX_DIGITS = "hex_digits"
    INTERNATIONAL = "international"
    NATIONAL = "national"
    DIGITS = "digits"
    NAME_AND_ADDRESS = "name_and_address"
    STREET_AND_TOWN = "street_and_town"
    STREET = "street"
    PARTS = "parts"


SIGN_WORDS: Mapping[Sign, str] = {
    Sign.MAIL_FORM: "it has the form of an e-mail address",
    Sign.MARKET: "a handle and a market stand on the two sides of an @",
    Sign.AT_FIRST: "it begins with an @",
    Sign.ONE_WORD: "it is one word",
    Sign.WORDS: "it is words without a number; a name is not looked up without an address",
    Sign.CHECK_DIGIT: "its check digits are right",
    Sign.WRONG_CHECK_DIGIT: "it has the form, but its check digits are wrong",
    Sign.WALLET_FORM: "it has the form of a wallet's address",
    Sign.PREFIX: "it begins as this kind does",
    Sign.LETTERS_AND_DIGITS: "it is one run of letters and digits, as carriers number items",
    Sign.HEX_DIGITS: "it has as many hexadecimal digits as a fingerprint",
    Sign.INTERNATIONAL: "it begins with + or 00 and has the digits of a telephone number",
    Sign.NATIONAL: "it begins with 0 and has the digits of a telephone number",
    Sign.DIGITS: "it is digits alone",
    Sign.NAME_AND_ADDRESS: "a name stands before an address",
    Sign.STREET_AND_TOWN: "it has a street, a house number and a postcode",
    Sign.STREET: "it has a house number with a street or a postcode",
    Sign.PARTS: "it has parts of an address",
}
"""One plain clause for each sign."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """One kind that a text may be of, with the value as the normaliser takes it."""

    kind: Kind
    value: Value
    certainty: Certainty
    why: Sign


def recognise(text: str, country: str = "") -> list[Recognised]:
    """What `text` may be, the surest first, each kind once; empty when it is nothing that is known.

    `country` (ISO 3166-1 alpha-2) holds for national telephone numbers, and for addresses that name
    none and whose postcode can be one of it. Every value that is returned can be normalised and
    has something to compare.
    """
    written = _plain(text)
    if not written or len(written) > LONGEST:
        return []
    found: dict[Kind, Recognised] = {}
    for rule in _RULES:
        for each in rule(written, country):
            known = found.get(each.kind)
            if known is None or _RANK[each.certainty] < _RANK[known.certainty]:
                found[each.kind] = each
    usable = [each for each in found.values() if _is_usable(each.value)]
    return sorted(usable, key=lambda each: _RANK[each.certainty])


def read_as(kind: Kind, text: str, country: str = "") -> Value:
    """The value of `text` when a person says of what kind it is; it need not be a good one."""
    return _READERS[kind](_plain(text), country)


def _plain(text: str) -> str:
    """Without white space at the ends, each run of it one space; lines stay lines."""
    lines = (_SPACES.sub(" ", line).strip(" ") for line in _LINE_ENDS.split(text))
    return "\n".join(line for line in lines if line)


def _is_usable(value: Value) -> bool:
    normalised = _normalised(value)
    return normalised is not None and bool(facets(normalised))


def _normalised(value: Value) -> Normalised | None:
    try:
        return normalise(value)
    except NormalisationError:
        return None


def _mail(text: str, _country: str) -> Iterator[Recognised]:
    if not _MAIL.fullmatch(text):
        return
    value = Email(text)
    normalised = _normalised(value)
    if normalised is None or Flag.EMAIL_FORM in normalised.flags:
        certainty = Certainty.POSSIBLE
    else:
        certainty = Certainty.POSSIBLE if _HIDDEN_SITE.search(text) else Certainty.CERTAIN
    yield Recognised(Kind.EMAIL, value, certainty, Sign.MAIL_FORM)


def _payment(text: str, _country: str) -> Iterator[Recognised]:
    named = _URI.fullmatch(text)
    if named and named[1].lower() in _PAYMENT_SCHEMES:
        value = Payment(named[1].lower(), text)
        yield Recognised(Kind.PAYMENT, value, Certainty.CERTAIN, Sign.PREFIX)
    elif _ACCOUNT.fullmatch(text) or _TOKEN.fullmatch(text):
        value = Payment("auto", text)
        normalised = _normalised(value)
        if normalised is None or not isinstance(normalised.form, SchemeForm):
            return
        if found := _sure_of_payment(normalised.form, normalised.flags):
            yield Recognised(Kind.PAYMENT, value, *found)


def _sure_of_payment(form: SchemeForm, flags: tuple[Flag, ...]) -> tuple[Certainty, Sign] | None:
    if form.scheme == "iban":
        if form.text[:2].lower() not in _ISO:
            return None
        if flags:
            return Certainty.LIKELY, Sign.WRONG_CHECK_DIGIT
        return Certainty.CERTAIN, Sign.CHECK_DIGIT
    if form.text.startswith(("0x", "bc1", "ltc1")):
        return Certainty.CERTAIN, Sign.PREFIX
    if form.scheme == "monero":
        return Certainty.CERTAIN, Sign.WALLET_FORM
    is_mixed = form.text != form.text.upper() and form.text != form.text.lower()
    return (Certainty.LIKELY if is_mixed else Certainty.POSSIBLE), Sign.WALLET_FORM


def _item(text: str, _country: str) -> Iterator[Recognised]:
    if not _ITEM.fullmatch(text):
        return
    value = Item("auto", text)
    normalised = _normalised(value)
    if normalised is None or not isinstance(normalised.form, SchemeForm):
        return
    scheme, written = normalised.form.scheme, normalised.form.text
    if scheme == "carrier":
        digits = sum(each in "0123456789" for each in written)
        if _TOKEN.fullmatch(text) and digits >= _CARRIER_DIGITS:
            yield _carrier(value, digits, len(written) - digits)
    elif _WRONG_CHECK.isdisjoint(normalised.flags):
        # One in ten numbers of 18 digits is an SSCC by chance; with 00 before it, it is none.
        by_chance = scheme == "sscc" and not _APPLICATION.match(text)
        certainty = Certainty.LIKELY if by_chance else Certainty.CERTAIN
        yield Recognised(Kind.ITEM, value, certainty, Sign.CHECK_DIGIT)
    else:
        yield Recognised(Kind.ITEM, value, Certainty.LIKELY, Sign.WRONG_CHECK_DIGIT)


def _carrier(value: Item, digits: int, letters: int) -> Recognised:
    if not letters:
        return Recognised(Kind.ITEM, value, Certainty.POSSIBLE, Sign.DIGITS)
    certainty = Certainty.LIKELY if digits > letters else Certainty.POSSIBLE
    return Recognised(Kind.ITEM, value, certainty, Sign.LETTERS_AND_DIGITS)


def _fingerprint(text: str, _country: str) -> Iterator[Recognised]:
    if _FINGERPRINT_URI.match(text):
        value = Pgp(_FINGERPRINT_URI.sub("", text))
        yield Recognised(Kind.PGP, value, Certainty.CERTAIN, Sign.PREFIX)
    elif _HEX.fullmatch(text):
        plain = re.sub(r"[ :]", "", text)
        is_ours = not plain.startswith("0x") and len(plain) == _FINGERPRINT_DIGITS
        certainty = Certainty.CERTAIN if is_ours else Certainty.LIKELY
        yield Recognised(Kind.PGP, Pgp(text), certainty, Sign.HEX_DIGITS)


def _telephone(text: str, country: str) -> Iterator[Recognised]:
    number = _TEL.sub("", text)
    if not _PHONE.fullmatch(number):
        return
    value = Phone(number, country)
    normalised = _normalised(value)
    if normalised is None:
        return
    digits = re.sub(r"[^0-9]", "", number)
    fits = Flag.PHONE_LENGTH not in normalised.flags
    if number.startswith("+") or digits.startswith("00"):
        certainty = Certainty.CERTAIN if fits and number.startswith("+") else Certainty.LIKELY
        yield Recognised(Kind.PHONE, value, certainty, Sign.INTERNATIONAL)
    elif digits.startswith("0") and fits and len(digits) in _NATIONAL_DIGITS:
        yield Recognised(Kind.PHONE, value, Certainty.LIKELY, Sign.NATIONAL)
    else:
        yield Recognised(Kind.PHONE, value, Certainty.POSSIBLE, Sign.DIGITS)


def _handle(text: str, _country: str) -> Iterator[Recognised]:
    if joined := _AT_MARKET.fullmatch(text):
        value = Vendor(joined[3], joined[1])
        is_apart = " " in joined[2] or bool(_HIDDEN_SITE.search(text))
        if is_apart or "." not in joined[3]:
            certainty = Certainty.CERTAIN if " " in joined[2] else Certainty.LIKELY
            yield Recognised(Kind.VENDOR, value, certainty, Sign.MARKET)
    elif _AT_FIRST.fullmatch(text):
        value = Vendor("", text.removeprefix("@"))
        yield Recognised(Kind.VENDOR, value, Certainty.LIKELY, Sign.AT_FIRST)
    elif _ONE_WORD.fullmatch(text) and _LETTER.search(text):
        yield Recognised(Kind.VENDOR, Vendor("", text), Certainty.POSSIBLE, Sign.ONE_WORD)
    elif _WORDS.fullmatch(text) and len(text) <= _LONGEST_HANDLE:
        yield Recognised(Kind.VENDOR, Vendor("", text), Certainty.POSSIBLE, Sign.WORDS)


def _postal(text: str, country: str) -> Iterator[Recognised]:
    if "@" in text or not _GAP.search(text) or not _WORD.search(text):
        return
    address = _read(text, country)
    party = _party(address) if len(address.lines) > 1 else None
    has_name = party is not None and _is_named(address.lines)
    if party is not None and has_name and (found := _sure_of_address(party)):
        certainty = max(Certainty.LIKELY, found[0], key=_RANK.__getitem__)
        yield Recognised(Kind.PARTY, party, certainty, Sign.NAME_AND_ADDRESS)
        yield Recognised(Kind.ADDRESS, _without_name(address), Certainty.POSSIBLE, found[1])
    elif found := _sure_of_address(address):
        yield Recognised(Kind.ADDRESS, address, *found)
        if party is not None:
            yield Recognised(Kind.PARTY, party, Certainty.POSSIBLE, Sign.NAME_AND_ADDRESS)


def _read(text: str, country: str) -> Address:
    """The address; the country of who asks holds only where the postcode can be one of it."""
    address = read_address(text, country)
    normalised = _normalised(address) if country and address.country == country else None
    is_elsewhere = normalised is not None and Flag.POSTCODE_FORM in normalised.flags
    return replace(address, country="") if is_elsewhere else address


def _is_named(lines: tuple[str, ...]) -> bool:
    """Whether the first line is a name: it has no digit, and is not the street of a bare number."""
    if _DIGIT.search(lines[0]):
        return False
    return not _BARE_NUMBER.fullmatch(lines[1]) and any(map(_DIGIT.search, lines[1:]))


def _sure_of_address(value: Address | Party) -> tuple[Certainty, Sign] | None:
    normalised = _normalised(value)
    if normalised is None or not isinstance(normalised.form, PostalForm):
        return None
    form = normalised.form
    if form.number and form.streets and form.postcode:
        return Certainty.CERTAIN, Sign.STREET_AND_TOWN
    if form.number and (form.streets or form.postcode):
        return Certainty.LIKELY, Sign.STREET
    return Certainty.POSSIBLE, Sign.PARTS


def _party(address: Address) -> Party:
    """The first line as the name."""
    name, *lines = address.lines
    return Party(name, tuple(lines), address.postcode, address.city, address.country)


def _without_name(address: Address) -> Address:
    return replace(address, lines=address.lines[1:])


def _as_address(text: str, country: str) -> Address:
    """Without the name that stands before it."""
    address = _read(text, country)
    has_name = len(address.lines) > 1 and _is_named(address.lines)
    return _without_name(address) if has_name else address


def _as_party(text: str, country: str) -> Party:
    address = _read(text, country)
    is_name = len(address.lines) > 1 or not any(map(_DIGIT.search, address.lines))
    if address.lines and is_name:
        return _party(address)
    return Party("", address.lines, address.postcode, address.city, address.country)


def _as_vendor(text: str, _country: str) -> Vendor:
    joined = _AT_MARKET.fullmatch(text)
    return Vendor(joined[3], joined[1]) if joined else Vendor("", text.removeprefix("@"))


def _as_payment(text: str, _country: str) -> Payment:
    named = _URI.fullmatch(text)
    is_known = named is not None and named[1].lower() in _PAYMENT_SCHEMES
    return Payment(named[1].lower() if named and is_known else "auto", text)


def _as_point(text: str, country: str) -> InductionPoint:
    """Operator, code and, where a third part stands, the country: "bpost, BRU-1, BE"."""
    parts = [part.strip(" ") for part in _POINT_BREAKS.split(text, maxsplit=2)]
    if len(parts) == 1:
        parts = text.split(" ", maxsplit=1)
    operator, code, named = [*parts, "", "", ""][:3]
    return InductionPoint(operator, code, named or country)


_CARRIER_DIGITS = 6  # fewer are no number of an item
_FINGERPRINT_DIGITS = 40  # of version 4; 64 may be the digest of anything
_NATIONAL_DIGITS = range(8, 13)
_LONGEST_HANDLE = 60

_ISO = frozenset(table("countries")["iso"])
_PAYMENT_SCHEMES = frozenset((*table("payments")["schemes"], *table("payments")["alias"]))
_WRONG_CHECK = frozenset({Flag.S10_CHECK_DIGIT, Flag.UPS_CHECK_DIGIT, Flag.SSCC_CHECK_DIGIT})

# Every class of characters is written out: Python and JavaScript mean different ones by \s and \w.
_LINE_ENDS = re.compile(r"[\n\r\x85\u2028\u2029]+")
_SPACES = re.compile(r"[\t\x0b\x0c\x1c-\x20\xa0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff]+")
_MAIL = re.compile(r"(?:mailto:)?[^ \n@<>,;]+@[^ \n@<>,;]+\.[^ \n@<>,;]+")
_HIDDEN_SITE = re.compile(r"\.(?:onion|i2p)$", re.IGNORECASE | re.ASCII)
_URI = re.compile(r"([A-Za-z]+):(?://)?([^ \n]+)", re.ASCII)
_ACCOUNT = re.compile(
    r"[A-Za-z]{2}[0-9]{2}(?:[ .-]?[0-9A-Za-z]{4}){2,7}(?:[ .-]?[0-9A-Za-z]{1,3})?", re.ASCII
)
_TOKEN = re.compile(r"[0-9A-Za-z]+", re.ASCII)
_ITEM = re.compile(r"[0-9A-Za-z().-]+(?: [0-9A-Za-z().-]+)*", re.ASCII)
_APPLICATION = re.compile(r"\(?00\)?", re.ASCII)
_FINGERPRINT_URI = re.compile(r"^openpgp4fpr:", re.IGNORECASE | re.ASCII)
_HEX = re.compile(r"(?:0x)?(?:[ :]*[0-9A-Fa-f]){40}(?:(?:[ :]*[0-9A-Fa-f]){24})?", re.ASCII)
_TEL = re.compile(r"^tel:", re.IGNORECASE | re.ASCII)
_PHONE = re.compile(
    r"[+(0-9][0-9 ()./+-]*(?: ?(?:ext|extension|x|poste|toestel|tst|dw)[. ]*[0-9]{1,6})?",
    re.IGNORECASE | re.ASCII,
)
_AT_MARKET = re.compile(r"([^@\n]*[^@ \n])( ?@ ?)([^@ \n][^@\n]*)")
_AT_FIRST = re.compile(r"@[^@ \n]+")
_ONE_WORD = re.compile(r"[^ \n,;@]{2,40}")
_WORDS = re.compile(r"[^\n,;@|0-9]+ [^\n,;@|0-9]+")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]{3,}")
_DIGIT = re.compile(r"\d")
_GAP = re.compile(r"[ \n,;|]")
_BARE_NUMBER = re.compile(r"[0-9]{1,5} ?[A-Za-z]{0,3}(?:[/-][0-9A-Za-z]{1,4})?", re.ASCII)
_POINT_BREAKS = re.compile(r" ?[,;/|\n] ?")

_RANK = {each: place for place, each in enumerate(Certainty)}

_RULES: tuple[Callable[[str, str], Iterator[Recognised]], ...] = (
    _mail,
    _payment,
    _item,
    _fingerprint,
    _telephone,
    _handle,
    _postal,
)
"""Of equal certainty the earlier rule stands first."""

_READERS: Mapping[Kind, Callable[[str, str], Value]] = {
    Kind.PARTY: _as_party,
    Kind.ADDRESS: _as_address,
    Kind.INDUCTION_POINT: _as_point,
    Kind.VENDOR: _as_vendor,
    Kind.PGP: lambda text, _country: Pgp(_FINGERPRINT_URI.sub("", text)),
    Kind.PHONE: lambda text, country: Phone(_TEL.sub("", text), country),
    Kind.EMAIL: lambda text, _country: Email(text),
    Kind.PAYMENT: _as_payment,
    Kind.ITEM: lambda text, _country: Item("auto", text),
}
