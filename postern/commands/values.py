"""The values that a command is about: options for each kind, or a file with them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from postern.address_text import read_address
from postern.columns import load_overrides, read_header
from postern.commands.terminal import notice
from postern.csv_file import examine, read_rows
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
from postern.recognise import SIGN_WORDS, recognise
from postern.rows import Reading, sightings
from postern.settings import Defaults
from postern.terms import Fault, FaultError

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Asked:
    """One value; `label` says where it came from and does not repeat it."""

    label: str
    value: Normalised


def value_options(command: Decorated) -> Decorated:
    """--text, --address, --name, --phone and the others, and --file with --columns."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def asked_values(
    options: Mapping[str, Any], defaults: Defaults
) -> tuple[list[Asked], list[tuple[str, Fault]]]:
    """The values of `value_options`, and what cannot be used, with where it came from.

    Raises click.UsageError when there is nothing.
    """
    country = options["country"] or defaults.country or ""
    asked: list[Asked] = []
    faults: list[tuple[str, Fault]] = []
    given = list(_values(options, country))
    if not given and not options["text"] and not options["file"]:
        raise click.UsageError("There is no value. Give one, or --file FILE.")
    for label, value in given:
        try:
            normalised = normalise(value)
        except NormalisationError as error:
            faults.append((label, Fault(error.field, error.reason, error.remedy)))
            continue
        _take(label, normalised, asked, faults)
    for text in options["text"]:
        _take_recognised(text, country, asked, faults)
    if options["file"]:
        reading = Reading(
            datetime.now(UTC).date(), operator=defaults.operator or "", country=country
        )
        for label, found in _values_of_file(options["file"], options["column_file"], reading):
            if isinstance(found, Fault):
                faults.append((label, found))
            else:
                _take(label, found, asked, faults)
    return asked, faults


def tell_faults(faults: list[tuple[str, Fault]]) -> None:
    """Say what cannot be used, and why."""
    for label, fault in faults:
        notice(f"{label}, {fault.field}: {fault.reason} {fault.remedy}")


def _take(
    label: str, value: Normalised, asked: list[Asked], faults: list[tuple[str, Fault]]
) -> None:
    if facets(value):
        asked.append(Asked(label, value))
    else:
        words = "It holds too little to be compared with others."
        faults.append((label, Fault("value", words, "Add a house number and a postcode or city.")))


def _take_recognised(
    text: str, country: str, asked: list[Asked], faults: list[tuple[str, Fault]]
) -> None:
    found = recognise(text, country)
    if not found:
        remedy = "Say of what kind it is by another option."
        faults.append(("text", Fault("text", "It was not recognised.", remedy)))
        return
    best = found[0]
    label = best.kind.value.replace("_", " ")
    notice(f"Read as {label} ({best.certainty.value}): {SIGN_WORDS[best.why]}.")
    _take(label, normalise(best.value), asked, faults)


def _values(options: Mapping[str, Any], country: str) -> Iterator[tuple[str, Value]]:
    name, street = options["name"], options["street"]
    parts = (options["postcode"] or "", options["city"] or "", country)
    addresses = [read_address(text, country) for text in options["address"]]
    if street or options["postcode"]:
        addresses.insert(0, Address((street,) if street else (), *parts))
    if name:
        if len(addresses) != 1:
            raise click.UsageError("--name needs one address beside it: --street or --address.")
        address = addresses.pop()
        yield (
            "party",
            Party(name, address.lines, address.postcode, address.city, address.country),
        )
    yield from (("address", address) for address in addresses)
    yield from (("phone", Phone(text, country)) for text in options["phone"])
    yield from (("email", Email(text)) for text in options["email"])
    yield from (("vendor", Vendor(market, handle)) for market, handle in options["vendor"])
    yield from (("pgp", Pgp(text)) for text in options["pgp"])
    yield from (("payment", Payment("auto", text)) for text in options["payment"])
    yield from (("item", Item("auto", text)) for text in options["item"])
    for operator, code in options["point"]:
        yield "induction point", InductionPoint(operator, code, country)


def _values_of_file(
    path: Path, column_file: Path | None, reading: Reading
) -> Iterator[tuple[str, Normalised | Fault]]:
    file = examine(path)
    if file.is_guessed:
        notice("The file is not UTF-8 and is read as windows-1252: check a name with an accent.")
    columns = read_header(file.header, load_overrides(column_file) if column_file else {})
    notes = [columns.header[place] for field, place in columns.places.items() if field == "note"]
    if columns.unused or notes:
        notice(f"Columns that are not used: {', '.join((*columns.unused, *notes))}.")
    for row in read_rows(file):
        where = f"line {row.line}"
        if row.fault:
            yield where, Fault("row", row.fault, "Correct the line.")
            continue
        try:
            found, flags = sightings(columns.read(row.cells), reading)
        except FaultError as error:
            yield from ((where, fault) for fault in error.faults)
            continue
        for sighting in found:
            yield f"{where}, {sighting.source}", sighting.value
        if not found:
            words = words_of(flags[0]) if flags else "It holds nothing that can be looked up"
            yield where, Fault("row", f"{words}.", "Fill in the row, or leave it out.")


_OPTIONS = (
    click.option(
        "--text", multiple=True, metavar="TEXT", help="Anything: what it is, is recognised."
    ),
    click.option(
        "--address", multiple=True, metavar="TEXT", help='"16 rue de la Loi, 1040 Bruxelles"'
    ),
    click.option("--name", metavar="TEXT", help="Of the person or firm at the address."),
    click.option("--street", metavar="TEXT", help="With the house number."),
    click.option("--postcode", metavar="TEXT"),
    click.option("--city", metavar="TEXT"),
    click.option("--country", metavar="CODE", help="Of addresses, telephone numbers and points."),
    click.option("--phone", multiple=True, metavar="NUMBER"),
    click.option("--email", multiple=True, metavar="ADDRESS"),
    click.option("--vendor", multiple=True, type=(str, str), metavar="MARKET HANDLE"),
    click.option("--pgp", multiple=True, metavar="FINGERPRINT"),
    click.option("--payment", multiple=True, metavar="ADDRESS", help="A wallet or an IBAN."),
    click.option("--item", multiple=True, metavar="ID", help="Identifier of an item, such as S10."),
    click.option("--point", multiple=True, type=(str, str), metavar="OPERATOR CODE"),
    click.option(
        "--file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="CSV file with the columns that `postern submit` knows.",
    ),
    click.option(
        "--columns",
        "column_file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="FILE",
        help="TOML file that says which column is which field.",
    ),
)
