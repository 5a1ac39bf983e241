"""Which object and attribute of MISP becomes which column of a row.

A row is what `postern submit` reads: its columns are Postern's own. The tables say what is compared
in the post; everything else is told with a reason, never left out in silence.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from postern.misp.templates import TEMPLATE_NAMES, template

TOKENS = frozenset({"postal-address-token", "postal-identifier-token"})
"""Templates whose objects hold tokens of one reader and never a value."""


class Told(Enum):
    """What becomes of an attribute that is no column."""

    NOTE = "note"  # its words go into the note
    UNMAPPED = "unmapped"


@dataclass(frozen=True, slots=True)
class Why:
    """Why something is not mapped, and what to do."""

    reason: str
    remedy: str


FREE_TEXT = Why(
    "It is free text, in which nothing is compared.",
    "Put what it names into an object such as postal-parcel, person or postal-address.",
)
NOT_POSTAL = Why(
    "Nothing in the post is compared by this type.",
    "Leave it, or look it up where it belongs.",
)
NAME_ALONE = Why(
    "A name without an address holds too little to be compared.",
    "Put it into an object with an address, such as postal-parcel.",
)
IS_TOKEN = Why(
    "It is a token of one reader: the value is not in it, and it means nothing to anybody else.",
    "Ask its owner for the value; submit what you know yourself in clear.",
)
IS_BAND = Why(
    "A band is made of the amount on your premises.",
    "Give gross-weight, declared-value or hs-code instead.",
)
NOT_FINGERPRINT = Why(
    "It is not the fingerprint of a key.",
    "Give the fingerprint, 40 or 64 hexadecimal digits.",
)
OTHER_ACCOUNT = Why(
    "It is an account of another kind of service than a market.",
    "If it is a vendor's, name the market in account-type, such as darknet-market.",
)
NO_VALUE = Why(
    "Its object holds no value that can be compared.",
    "Add an address, a telephone number, an identifier or an induction point.",
)
IS_PATTERN = Why(
    "A shipping pattern is about nobody and is not submitted as a report.",
    "Share its rule as a pattern: see `postern patterns`.",
)
FROM_EXCHANGE = Why(
    "It comes from a feed of the exchange and is another organisation's.",
    "Nothing need be done: it is there already, under its owner's policy.",
)
UNKNOWN_OBJECT = Why(
    "No object of this template is read.",
    "Put what matters into an object such as postal-parcel, person or postal-address.",
)

VALUE_COLUMNS = frozenset(
    {
        "name", "business", "street", "phone", "email",
        "sender_name", "sender_business", "sender_street", "sender_phone", "sender_email",
        "addressee_name", "addressee_business", "addressee_street", "addressee_phone",
        "addressee_email",
        "item_id", "induction_point", "vendor_handle", "pgp", "payment",
    }
)  # fmt: skip
"""Columns of which one at least makes a row."""

_SAME = (
    *(
        f"{party}-{part}"
        for party in ("sender", "addressee")
        for part in (
            "name", "business", "street", "postcode", "city", "country", "phone", "email",
        )
    ),
    "induction-operator", "induction-point", "induction-country",
    "origin-country", "destination-country", "service", "declared-category", "concealment",
    "substance", "barrier-step", "subject-category", "assertion", "learned", "legal-basis",
    "handling", "permitted-action", "expires-on", "source-grade", "information-grade",
)  # fmt: skip
_OWN: Mapping[str, str | Told | Why] = {
    **{relation: relation.replace("-", "_") for relation in _SAME},
    "item-identifier": "item_id",
    "gross-weight": "gross_weight",
    "declared-value": "total_value",
    "hs-code": "hs",
    "hs-chapter": "hs",
    "observed-on": "observed_from",
    "seized-on": "observed_from",
    "operator": "induction_operator",
    "code": "induction_point",
    "country": "induction_country",
    **dict.fromkeys(("note", "result", "quantity", "unit", "seized-by", "parcels"), Told.NOTE),
    **dict.fromkeys(("weight-band", "value-band"), IS_BAND),
    **dict.fromkeys(
        ("token", "reference", "epoch", "report", "kind", "party-role", "review-on"), IS_TOKEN
    ),
}
"""Relation of our own templates that may be filled in by hand -> what becomes of it."""

_PERSON: Mapping[str, str] = {
    "full-name": "name",
    "first-name": "first",
    "middle-name": "middle",
    "last-name": "last",
    "address": "street",
    "phone-number": "phone",
    "e-mail": "email",
}
_FIRM: Mapping[str, str] = {
    "name": "business",
    "address": "street",
    "phone-number": "phone",
    "e-mail": "email",
}

OBJECTS: Mapping[str, Mapping[str, str]] = {
    "person": _PERSON,
    "contact-list": _PERSON,
    "organization": _FIRM,
    "legal-entity": _FIRM,
    "postal-address": {
        "street": "street",
        "number": "house_number",
        "apartment": "box",
        "city": "city",
        "postal-code": "postcode",
        "country": "country",
    },
    "geolocation": {
        "address": "street",
        "zipcode": "postcode",
        "city": "city",
        "country": "country",
    },
    "user-account": {"username": "vendor_handle", "account-type": "vendor_market"},
    "coin-address": {
        "address": "payment",
        "address-crypto": "payment",
        "address-xmr": "payment",
        "symbol": "payment_scheme",
    },
    "cryptocurrency-transaction": {"address": "payment", "symbol": "payment_scheme"},
    "bank-account": {"iban": "payment"},
    "phone": {"msisdn": "phone"},
    "phone-number": {"phone-number": "phone"},
    "email": {
        "from": "email",
        "to": "email",
        "cc": "email",
        "bcc": "email",
        "reply-to": "email",
        "return-path": "email",
    },
}
"""Template of MISP -> relation -> column."""

TYPES: Mapping[str, str] = {
    "email": "email",
    "email-src": "email",
    "email-dst": "email",
    "email-reply-to": "email",
    "target-email": "email",
    "phone-number": "phone",
    "btc": "payment",
    "xmr": "payment",
    "iban": "payment",
    "pgp-public-key": "pgp",
    "primary-residence": "street",
}
"""Type of an attribute that stands alone -> column."""

SCHEMES: Mapping[str, str] = {"btc": "bitcoin", "xmr": "monero", "iban": "iban"}
"""Type of an attribute -> scheme of the payment address that it holds."""

_NAME_TYPES = frozenset({"full-name", "first-name", "middle-name", "last-name"})
_TEXT_TYPES = frozenset({"text", "comment", "other", "attachment"})
_FINGERPRINT = re.compile(r"(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})", re.ASCII)
_MARKET = re.compile(r"market|vendor|shop", re.IGNORECASE)


def is_own(name: str) -> bool:
    """Whether the exchange publishes the template."""
    return name in TEMPLATE_NAMES


def column_of(name: str, relation: str) -> str | Told | Why:
    """What becomes of a relation of an object: a column, words of the note, or why it is none."""
    if not is_own(name):
        return OBJECTS[name].get(relation, NOT_POSTAL) if name in OBJECTS else UNKNOWN_OBJECT
    if name in TOKENS:
        return IS_TOKEN
    if name == "postal-shipping-pattern":
        return IS_PATTERN
    return _OWN[relation] if relation in template(name).relations else NOT_POSTAL


def column_of_type(type_: str, value: str) -> str | Why:
    """What becomes of an attribute that stands alone: a column, or why it is none."""
    if type_ == "anonymised":
        return IS_TOKEN
    if type_ in _NAME_TYPES:
        return NAME_ALONE
    if type_ in _TEXT_TYPES:
        return FREE_TEXT
    if type_ == "pgp-public-key" and fingerprint(value) is None:
        return NOT_FINGERPRINT
    return TYPES.get(type_, NOT_POSTAL)


def fingerprint(text: str) -> str | None:
    """The fingerprint that a text is, without its spaces; None when it is none."""
    bare = "".join(text.split())
    return bare if _FINGERPRINT.fullmatch(bare) else None


def is_market(account_type: str) -> bool:
    """Whether an account of this type is a vendor's on a market."""
    return _MARKET.search(account_type) is not None
