"""What goes into the normaliser (values as people write them) and what comes out of it."""

from dataclasses import dataclass
from enum import StrEnum

from postern.vocabulary import Kind

MAX_FIELD_LENGTH = 200  # characters of one field; a longer one is not a field of a label
MAX_LINES = 6  # address lines of one party; UPU S42 templates need no more


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address: `lines` hold street and number, building or locality, in any order."""

    lines: tuple[str, ...]
    postcode: str = ""
    city: str = ""
    country: str = ""  # ISO 3166-1 alpha-2, either case; empty when it is not known


@dataclass(frozen=True, slots=True)
class Party:
    """A person or firm at an address, as sender or addressee."""

    name: str
    lines: tuple[str, ...] = ()
    postcode: str = ""
    city: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class InductionPoint:
    """Where an item entered the network: the operator's own code of the counter, box or locker."""

    operator: str
    code: str
    country: str


@dataclass(frozen=True, slots=True)
class Vendor:
    """A seller's handle on a market; `market` may be empty when it is not known."""

    market: str
    handle: str


@dataclass(frozen=True, slots=True)
class Pgp:
    """The fingerprint of an OpenPGP key: 40 (version 4) or 64 (version 6) hexadecimal digits."""

    fingerprint: str


@dataclass(frozen=True, slots=True)
class Phone:
    """A telephone number; `country` is needed when the number is written nationally."""

    number: str
    country: str = ""


@dataclass(frozen=True, slots=True)
class Email:
    """An e-mail address."""

    address: str


@dataclass(frozen=True, slots=True)
class Payment:
    """Where money goes: a wallet or account; `scheme` such as bitcoin, monero, iban, or auto."""

    scheme: str
    address: str


@dataclass(frozen=True, slots=True)
class Item:
    """The identifier of one item; `scheme` is s10, ups, sscc, carrier or auto."""

    scheme: str
    value: str


Value = Party | Address | InductionPoint | Vendor | Pgp | Phone | Email | Payment | Item


@dataclass(frozen=True, slots=True)
class PostalForm:
    """The canonical form of a party or an address. Every string is of [a-z0-9] only.

    `name_words` are sorted, so that word order never matters. `streets` holds at most two street
    strings, without type and stop words.
    """

    name_words: tuple[str, ...]
    streets: tuple[str, ...]
    number: str
    suffix: str
    box: str
    postcode: str
    city: str
    country: str


@dataclass(frozen=True, slots=True)
class HandleForm:
    """The canonical form of a vendor, from exact to vague (specification: matching, section 5)."""

    market: str
    folded: str
    stripped: str
    skeleton: str


@dataclass(frozen=True, slots=True)
class SchemeForm:
    """The canonical form of a value that belongs to a scheme: an item or a payment address."""

    scheme: str
    text: str


@dataclass(frozen=True, slots=True)
class TextForm:
    """The canonical form of a telephone, an e-mail, a fingerprint or an induction point."""

    text: str


Form = PostalForm | HandleForm | SchemeForm | TextForm


class Flag(StrEnum):
    """What is doubtful about a value. A flag is a warning: the value is used all the same."""

    NO_NAME = "no_name"
    NO_STREET = "no_street"
    NO_HOUSE_NUMBER = "no_house_number"
    NO_POSTCODE = "no_postcode"
    NO_CITY = "no_city"
    POSTCODE_FORM = "postcode_form"
    SEVERAL_HOUSE_NUMBERS = "several_house_numbers"
    POSTE_RESTANTE = "poste_restante"
    UNKNOWN_COUNTRY = "unknown_country"
    NO_COUNTRY = "no_country"
    NO_MARKET = "no_market"
    SHORT_HANDLE = "short_handle"
    PHONE_LENGTH = "phone_length"
    EMAIL_FORM = "email_form"
    PAYMENT_FORM = "payment_form"
    IBAN_CHECK_DIGITS = "iban_check_digits"
    S10_CHECK_DIGIT = "s10_check_digit"
    S10_COUNTRY = "s10_country"
    S10_SERVICE = "s10_service"
    UPS_CHECK_DIGIT = "ups_check_digit"
    SSCC_CHECK_DIGIT = "sscc_check_digit"


FLAG_WORDS: dict[Flag, str] = {
    Flag.NO_NAME: "no name was given",
    Flag.NO_STREET: "no street was recognised",
    Flag.NO_HOUSE_NUMBER: "no house number was recognised",
    Flag.NO_POSTCODE: "no postcode was given",
    Flag.NO_CITY: "no city was given",
    Flag.POSTCODE_FORM: "the postcode does not have the form used in that country",
    Flag.SEVERAL_HOUSE_NUMBERS: "a range of house numbers was given; the first is used",
    Flag.POSTE_RESTANTE: "this is a poste restante, a post-office box or a parcel locker",
    Flag.UNKNOWN_COUNTRY: "the country code is not one of ISO 3166-1",
    Flag.NO_COUNTRY: "a national number without a country: only the same writing will match it",
    Flag.NO_MARKET: "no market was given",
    Flag.SHORT_HANDLE: "the handle is too short to be compared by its sound",
    Flag.PHONE_LENGTH: "a number of this country does not have this length",
    Flag.EMAIL_FORM: "the address does not have the form of an e-mail address",
    Flag.PAYMENT_FORM: "the address does not have the form used by this scheme",
    Flag.IBAN_CHECK_DIGITS: "the check digits of the IBAN are wrong",
    Flag.S10_CHECK_DIGIT: "the check digit of the S10 identifier is wrong",
    Flag.S10_COUNTRY: "the country of the S10 identifier is unknown",
    Flag.S10_SERVICE: "the first letter of the S10 identifier is reserved",
    Flag.UPS_CHECK_DIGIT: "the check digit of the UPS number is wrong",
    Flag.SSCC_CHECK_DIGIT: "the check digit of the SSCC is wrong",
}
"""One plain clause for each flag, to show beside the field."""


@dataclass(frozen=True, slots=True)
class Normalised:
    """A value in canonical form: equal forms mean the same thing, however it was written."""

    kind: Kind
    form: Form
    flags: tuple[Flag, ...]
