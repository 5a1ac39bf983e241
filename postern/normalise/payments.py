"""Where money goes: wallets and bank accounts.

Case is kept where it carries meaning (base58) and folded where it does not (bech32, hexadecimal).
"""

import re

from postern.normalise.errors import NormalisationError
from postern.normalise.folding import alphanumeric
from postern.normalise.tables import table
from postern.normalise.values import MAX_FIELD_LENGTH, Flag, Normalised, Payment, SchemeForm
from postern.vocabulary import Kind

_PAYMENTS = table("payments")

_URI = re.compile(r"^\s*[A-Za-z]+:(?://)?", re.ASCII)
_NOT_WALLET = re.compile(r"[^0-9A-Za-z]", re.ASCII)

_MIN_LENGTH = 6
_IBAN_MODULUS = 97  # ISO 13616, ISO 7064 MOD 97-10


def normalise_payment(payment: Payment) -> Normalised:
    """The scheme's name and the account or wallet without spaces.

    Raises NormalisationError for an empty or far too short address, for one that is too long, and
    when scheme `auto` recognises nothing.
    """
    if len(payment.address) > MAX_FIELD_LENGTH * 2:
        raise NormalisationError(
            "address",
            f"It is longer than {MAX_FIELD_LENGTH * 2} characters.",
            "Give the address only.",
        )
    written = _URI.sub("", payment.address).partition("?")[0]
    plain = _NOT_WALLET.sub("", written)
    if len(plain) < _MIN_LENGTH:
        raise NormalisationError(
            "address",
            f"It has fewer than {_MIN_LENGTH} letters and digits.",
            "Give the whole account number or wallet address.",
        )
    scheme = alphanumeric(payment.scheme)
    scheme = _PAYMENTS["alias"].get(scheme, scheme)
    if scheme in {"", "auto"}:
        scheme = _recognise(plain)
    text = _with_case(scheme, plain)
    flags = [] if _has_the_form_of(scheme, text) else [Flag.PAYMENT_FORM]
    if scheme == "iban" and not flags and not iban_check(text):
        flags.append(Flag.IBAN_CHECK_DIGITS)
    return Normalised(Kind.PAYMENT, SchemeForm(scheme, text), tuple(flags))


def iban_check(text: str) -> bool:
    """Whether an IBAN (upper case, no spaces) has right check digits (ISO 7064 MOD 97-10)."""
    moved = text[4:] + text[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % _IBAN_MODULUS == 1


def _recognise(plain: str) -> str:
    for scheme in _PAYMENTS["recognised"]:
        if _has_the_form_of(scheme, _with_case(scheme, plain)):
            found: str = scheme
            return found
    raise NormalisationError(
        "scheme",
        "The address has the form of no scheme that is recognised.",
        "Name the scheme, such as bitcoin, monero or iban.",
    )


def _with_case(scheme: str, plain: str) -> str:
    case = _PAYMENTS["schemes"].get(scheme, {"case": "keep"})["case"]
    if case == "upper":
        return plain.upper()
    lower = plain.lower()
    if case == "fold" or lower.startswith(_FOLDED_PREFIXES):
        return lower
    return plain


def _has_the_form_of(scheme: str, text: str) -> bool:
    rule = _PAYMENTS["schemes"].get(scheme)
    return rule is None or re.fullmatch(rule["form"], text, re.ASCII) is not None


_FOLDED_PREFIXES: tuple[str, ...] = tuple(_PAYMENTS["folded_prefixes"])
