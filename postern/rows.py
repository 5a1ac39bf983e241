"""From one row of a file to the values that become indicators, and the coarse shipment fields.

Clear values go no further than this process: what leaves `read_row` for the platform is the
shipment's bands and words, and values that are pseudonymised first. The exception is the code of an
induction point, a place of the operator.
"""

import re
from collections.abc import Iterator, Mapping
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
from postern.vocabulary import PartyRole

_PLACE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}", re.ASCII)  # as the platform takes it
_WHAT_TO_GIVE = (
    "Give an address, a name with an address, a telephone number, an e-mail address, an item "
    "identifier, an induction point, a vendor, a key or a payment address."
)
_ROLES = {"sender": PartyRole.SENDER, "addressee": PartyRole.ADDRESSEE}


@dataclass(frozen=True, slots=True)
class Reading:
    """What holds for every row of a file.

    `operator`, `country`: of induction points, and `country` also of national telephone numbers
    without a country; "" when they are not known.
    """

    today: date
    terms: Terms = field(default_factory=Terms)
    units: AmountUnits = field(default_factory=AmountUnits)
    operator: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One value that becomes one indicator or query. `source` is the field it stands in."""

    source: str
    role: PartyRole
    value: Normalised
    place: dict[str, str] | None = None  # of an induction point, as it is sent


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row that can be sent. `flags` are doubts about the shipment's fields."""

    sightings: tuple[Sighting, ...]
    shipment: dict[str, str]
    terms: Terms
    flags: tuple[str, ...]


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
    if faults:
        raise FaultError(tuple(faults))
    if not found:
        reason = words_of(doubts[0]).capitalize() if doubts else "It holds nothing to compare"
        raise FaultError((Fault("row", f"{reason}.", _WHAT_TO_GIVE),))
    shipment, flags = read_shipment(row, reading.units)
    return ReadRow(found, shipment, terms, (*doubts, *flags))


def sightings(
    row: Mapping[str, str], reading: Reading
) -> tuple[tuple[Sighting, ...], tuple[str, ...]]:
    """The values of a row that can be compared, and flags for those that hold too little.

    Raises FaultError when a field holds what cannot be its value.
    """
    found: list[Sighting] = []
    faults: list[Fault] = []
    flags: list[str] = []
    for source, role, value in _values(row, reading):
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
        found.append(Sighting(source, role, normalised, place))
    if faults:
        raise FaultError(tuple(faults))
    return tuple(found), tuple(flags)


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


def _values(row: Mapping[str, str], reading: Reading) -> Iterator[tuple[str, PartyRole, Value]]:
    for party in ("", *PARTIES):
        yield from _values_of_party(row, party, reading)
    if text := row.get("item_id"):
        yield "item_id", PartyRole.SHIPMENT, Item(row.get("item_scheme", "auto"), text)
    if text := row.get("induction_point"):
        operator = row.get("induction_operator") or reading.operator
        country = row.get("induction_country") or reading.country
        yield "induction_point", PartyRole.INDUCTION_POINT, InductionPoint(operator, text, country)
    if text := row.get("vendor_handle"):
        yield "vendor_handle", PartyRole.VENDOR, Vendor(row.get("vendor_market", ""), text)
    if text := row.get("pgp"):
        yield "pgp", PartyRole.VENDOR, Pgp(text)
    if text := row.get("payment"):
        yield "payment", PartyRole.VENDOR, Payment(row.get("payment_scheme", "auto"), text)


def _values_of_party(
    row: Mapping[str, str], party: str, reading: Reading
) -> Iterator[tuple[str, PartyRole, Value]]:
    prefix = f"{party}_" if party else ""
    role = _ROLES.get(party, PartyRole.UNKNOWN)
    name = row.get(f"{prefix}name") or row.get(f"{prefix}business", "")
    address = _address(row, prefix)
    if name:
        parts = (address.lines, address.postcode, address.city, address.country)
        yield f"{prefix}name", role, Party(name, *parts)
    elif address.lines:
        yield f"{prefix}street", role, address
    if text := row.get(f"{prefix}phone"):
        country = address.country or reading.country
        yield f"{prefix}phone", role, Phone(text, country)
    if text := row.get(f"{prefix}email"):
        yield f"{prefix}email", role, Email(text)


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
