"""From one row of a file to the values that become indicators, and the coarse shipment fields.

Clear values go no further than this process: what leaves `read_row` for the platform is the
shipment's bands and words, and values that are pseudonymised first. The exception is the code of an
induction point, a place of the operator.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from postern.address_text import read_address
from postern.columns import PARTIES
from postern.doubts import words_of
from postern.facets import facets
from postern.normalise import (
    Address,
    Email,
    InductionPoint,
    Item,
    NormalisationError,
    Normalised,
    Party,
    Payment,
    Pgp,
    Phone,
    Value,
    Vendor,
    normalise,
)
from postern.normalise.countries import country_code
from postern.shipment import AmountUnits, read_shipment
from postern.terms import Fault, FaultError, Terms, terms_of_row
from postern.vocabulary import Kind, PartyRole

LONGEST_NOTE = 10_000  # characters
LONGEST_FIELD = 1000  # characters of a column that is sealed

_PLACE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}", re.ASCII)  # as the platform takes it
_WHAT_TO_GIVE = (
    "Give an address, a name with an address, a telephone number, an e-mail address, an item "
    "identifier, an induction point, a vendor, a key or a payment address."
)
_ROLES = {"sender": PartyRole.SENDER, "addressee": PartyRole.ADDRESSEE}
_POSTAL = ("street", "street_2", "house_number", "box", "postcode", "city", "country")

VALUE_FIELDS: Mapping[Kind, frozenset[str]] = {
    Kind.PARTY: frozenset({"name", "business", *_POSTAL}),
    Kind.ADDRESS: frozenset(_POSTAL),
    Kind.PHONE: frozenset({"phone", "country"}),
    Kind.EMAIL: frozenset({"email"}),
    Kind.ITEM: frozenset({"item_id", "item_scheme"}),
    Kind.VENDOR: frozenset({"vendor_handle", "vendor_market"}),
    Kind.PGP: frozenset({"pgp"}),
    Kind.PAYMENT: frozenset({"payment", "payment_scheme"}),
}
"""The columns that a value of each kind may come from, as those of a row about one party.

An induction point has none: it is public, and sent in clear.
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What holds for every row of a file.

    `operator`, `country`: of induction points, and `country` also of national telephone numbers
    without a country; "" when they are not known. `seals`: notes are read, because they can be
    sealed; else they are left out.
    """

    today: date
    terms: Terms = field(default_factory=Terms)
    units: AmountUnits = field(default_factory=AmountUnits)
    operator: str = ""
    country: str = ""
    seals: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """One value that becomes one indicator or query. `source` is the field it stands in.

    `fields` are the columns from which it follows, named as in a row about one party: what is
    sealed of it.
    """

    source: str
    role: PartyRole
    value: Normalised
    place: dict[str, str] | None = None  # of an induction point, as it is sent
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row that can be sent. `flags` are doubts about the shipment's fields.

    `note` is free text, which leaves this machine sealed or not at all.
    """

    sightings: tuple[Sighting, ...]
    shipment: dict[str, str]
    terms: Terms
    flags: tuple[str, ...]
    note: str = ""


def read_row(row: Mapping[str, str], reading: Reading) -> ReadRow:
    """What a row says. Raises FaultError with everything that is wrong with it."""
    faults: list[Fault] = []
    terms = reading.terms
    try:
        terms = terms_of_row(row, reading.terms, reading.today)
    except FaultError as error:
        faults.extend(error.faults)
    try:
        found, doubts = sightings(row, reading)
    except FaultError as error:
        faults.extend(error.faults)
    if reading.seals:
        faults.extend(_too_long(row))
    if faults:
        raise FaultError(tuple(faults))
    if not found:
        reason = words_of(doubts[0]).capitalize() if doubts else "It holds nothing to compare"
        raise FaultError((Fault("row", f"{reason}.", _WHAT_TO_GIVE),))
    shipment, flags = read_shipment(row, reading.units)
    note = row.get("note", "") if reading.seals else ""
    return ReadRow(found, shipment, terms, (*doubts, *flags), note)


def sightings(
    row: Mapping[str, str], reading: Reading
) -> tuple[tuple[Sighting, ...], tuple[str, ...]]:
    """The values of a row that can be compared, and flags for those that hold too little.

    Raises FaultError when a field holds what cannot be its value.
    """
    found: list[Sighting] = []
    faults: list[Fault] = []
    flags: list[str] = []
    for source, role, value, clear in _values(row, reading):
        try:
            normalised = normalise(value)
        except NormalisationError as error:
            faults.append(Fault(source, error.reason, error.remedy))
            continue
        if not facets(normalised):
            flags.append(f"{source}_holds_too_little"[:40])
            continue
        place = None
        if isinstance(value, InductionPoint):
            place = {
                "operator": value.operator,
                "code": value.code,
                "country": country_code(value.country)[0].upper(),
            }
            faults.extend(_faults_of_place(place))
        found.append(Sighting(source, role, normalised, place, clear))
    if faults:
        raise FaultError(tuple(faults))
    return tuple(found), tuple(flags)


def _too_long(row: Mapping[str, str]) -> Iterator[Fault]:
    for name, text in row.items():
        most = LONGEST_NOTE if name == "note" else LONGEST_FIELD
        if len(text) > most:
            yield Fault(name, f"It is longer than {most:,} characters.", "Shorten it.")


def _faults_of_place(place: Mapping[str, str]) -> Iterator[Fault]:
    """A place is sent in clear, so the platform takes only what has the form of a code."""
    for name, source in (("operator", "induction_operator"), ("code", "induction_point")):
        if not _PLACE_NAME.fullmatch(place[name]):
            yield Fault(
                source,
                "It is not a short name or code.",
                "Use up to 40 letters without accents, digits, spaces and . _ / -",
            )
    if not place["country"]:
        yield Fault(
            "induction_country",
            "The country of the induction point is not known.",
            "Give --country, or fill in the column induction_country.",
        )


_Found = tuple[str, PartyRole, Value, Mapping[str, str]]
"""Where a value stands, its role, the value, and the columns from which it follows."""


def _values(row: Mapping[str, str], reading: Reading) -> Iterator[_Found]:
    for party in ("", *PARTIES):
        yield from _values_of_party(row, party, reading)
    if text := row.get("item_id"):
        item = Item(row.get("item_scheme", "auto"), text)
        yield "item_id", PartyRole.SHIPMENT, item, _some(row, ("item_id", "item_scheme"))
    if text := row.get("induction_point"):
        operator = row.get("induction_operator") or reading.operator
        country = row.get("induction_country") or reading.country
        point = InductionPoint(operator, text, country)
        yield "induction_point", PartyRole.INDUCTION_POINT, point, {}
    if text := row.get("vendor_handle"):
        vendor = Vendor(row.get("vendor_market", ""), text)
        clear = _some(row, ("vendor_handle", "vendor_market"))
        yield "vendor_handle", PartyRole.VENDOR, vendor, clear
    if text := row.get("pgp"):
        yield "pgp", PartyRole.VENDOR, Pgp(text), {"pgp": text}
    if text := row.get("payment"):
        payment = Payment(row.get("payment_scheme", "auto"), text)
        yield "payment", PartyRole.VENDOR, payment, _some(row, ("payment", "payment_scheme"))


def _values_of_party(row: Mapping[str, str], party: str, reading: Reading) -> Iterator[_Found]:
    prefix = f"{party}_" if party else ""
    role = _ROLES.get(party, PartyRole.UNKNOWN)
    named = "name" if row.get(f"{prefix}name") else "business"
    name = row.get(f"{prefix}{named}", "")
    address = _address(row, prefix)
    if name:
        parts = (address.lines, address.postcode, address.city, address.country)
        yield f"{prefix}name", role, Party(name, *parts), _some(row, (named, *_POSTAL), prefix)
    elif address.lines:
        yield f"{prefix}street", role, address, _some(row, _POSTAL, prefix)
    if text := row.get(f"{prefix}phone"):
        country = address.country or reading.country
        clear = {"phone": text, **({"country": country} if country else {})}
        yield f"{prefix}phone", role, Phone(text, country), clear
    if text := row.get(f"{prefix}email"):
        yield f"{prefix}email", role, Email(text), {"email": text}


def _some(row: Mapping[str, str], names: Iterable[str], prefix: str = "") -> dict[str, str]:
    return {name: row[f"{prefix}{name}"] for name in names if row.get(f"{prefix}{name}")}


def _address(row: Mapping[str, str], prefix: str) -> Address:
    street = row.get(f"{prefix}street", "")
    number, box = row.get(f"{prefix}house_number", ""), row.get(f"{prefix}box", "")
    second = row.get(f"{prefix}street_2", "")
    postcode, city = row.get(f"{prefix}postcode", ""), row.get(f"{prefix}city", "")
    country = row.get(f"{prefix}country", "")
    if street and not (number or second or postcode or city):
        return read_address(street, country)  # the whole address stands in one column
    line = " ".join(part for part in (street, number, box and f"bus {box}") if part)
    lines = [*line.splitlines(), *second.splitlines()]
    return Address(tuple(part for part in lines if part.strip()), postcode, city, country)
