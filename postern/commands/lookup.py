"""`postern lookup`: does anyone hold an indicator that matches this value?"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from postern.address_text import read_address
from postern.client import MOST_QUERIES, Client, Hit, LookupResult, QueryResult
from postern.columns import load_overrides, read_header
from postern.commands.indicator_words import conditions, observed, plain
from postern.commands.options import needed, needed_case, why
from postern.commands.terminal import (
    Chosen,
    ExitCode,
    connected,
    counted,
    notice,
    require_scopes,
    results,
    say,
    written_moment,
)
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
from postern.pseudonymise import Pseudonymiser
from postern.report_form import query
from postern.rows import Reading, sightings
from postern.settings import Defaults
from postern.terms import Fault, FaultError
from postern.vocabulary import LegalBasis, Level, Purpose, Scope


@dataclass(frozen=True, slots=True)
class Asked:
    """One value to look up; `label` says where it came from and does not repeat it."""

    label: str
    value: Normalised


@dataclass(frozen=True, slots=True)
class _Why:
    purpose: Purpose
    legal_basis: LegalBasis
    case: str


@click.command()
@why
@click.option("--address", multiple=True, metavar="TEXT", help='"16 rue de la Loi, 1040 Bruxelles"')
@click.option("--name", metavar="TEXT", help="Of the person or firm at the address.")
@click.option("--street", metavar="TEXT", help="With the house number.")
@click.option("--postcode", metavar="TEXT")
@click.option("--city", metavar="TEXT")
@click.option("--country", metavar="CODE", help="Of addresses, telephone numbers and points.")
@click.option("--phone", multiple=True, metavar="NUMBER")
@click.option("--email", multiple=True, metavar="ADDRESS")
@click.option("--vendor", multiple=True, type=(str, str), metavar="MARKET HANDLE")
@click.option("--pgp", multiple=True, metavar="FINGERPRINT")
@click.option("--payment", multiple=True, metavar="ADDRESS", help="A wallet or an IBAN.")
@click.option("--item", multiple=True, metavar="ID", help="Identifier of an item, such as S10.")
@click.option("--point", multiple=True, type=(str, str), metavar="OPERATOR CODE")
@click.option(
    "--file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="CSV file with the columns that `postern submit` knows.",
)
@click.option(
    "--columns",
    "column_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="TOML file that says which column is which field.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_context
def lookup(context: click.Context, /, **options: Any) -> None:
    """Look values up for a stated purpose and case.

    Several may be given at once; --name goes with --street or with one --address. What others hold
    and let you see is listed, best match first. Every lookup is logged, one without hits too.

    A shell keeps its history: for more than a try, put values into a file and use --file.

    Ends with 0 when every value was looked up, with 3 when some could not be, with 1 when it
    failed.
    """
    chosen: Chosen = context.obj
    settings = chosen.settings()
    asked, faults = _asked(options, settings.defaults)
    why_asked = _Why(
        needed(options["purpose"], settings.defaults.purpose, "--purpose"),
        needed(options["legal_basis"], settings.defaults.legal_basis, "--legal-basis"),
        needed_case(options["case"], settings.defaults),
    )
    for label, fault in faults:
        notice(f"{label}, {fault.field}: {fault.reason} {fault.remedy}")
    told = _Told(as_json=options["as_json"])
    if asked:
        with connected(settings) as (client, ring):
            require_scopes(client.me(), Scope.EVALUATE, Scope.LOOKUPS_WRITE)
            ring.refresh()
            with Pseudonymiser(
                client, ring, purpose=why_asked.purpose, case=why_asked.case
            ) as pseudonymiser:
                for few, answer in look_up(asked, client, pseudonymiser, why_asked):
                    told.take(few, answer)
    told.end(faults)
    if faults:
        context.exit(ExitCode.SOME_REJECTED)


def look_up(
    asked: Iterable[Asked], client: Client, pseudonymiser: Pseudonymiser, why_asked: _Why
) -> Iterator[tuple[Sequence[Asked], LookupResult]]:
    """The answers, a hundred values at a time, each beside what was asked. Raises ClientError."""
    rest = iter(asked)
    while few := list(islice(rest, MOST_QUERIES)):
        pseudonyms = pseudonymiser.pseudonymise([each.value for each in few])
        queries = [query(str(place), each) for place, each in enumerate(pseudonyms)]
        yield (
            few,
            client.look_up(
                queries,
                purpose=why_asked.purpose,
                legal_basis=why_asked.legal_basis,
                case=why_asked.case,
            ),
        )


def _asked(
    options: Mapping[str, Any], defaults: Defaults
) -> tuple[list[Asked], list[tuple[str, Fault]]]:
    """What is looked up, and what cannot be, with where it came from."""
    country = options["country"] or defaults.country or ""
    asked: list[Asked] = []
    faults: list[tuple[str, Fault]] = []
    given = list(_values(options, country))
    if not given and not options["file"]:
        raise click.UsageError("There is nothing to look up. Give a value, or --file FILE.")
    for label, value in given:
        try:
            normalised = normalise(value)
        except NormalisationError as error:
            faults.append((label, Fault(error.field, error.reason, error.remedy)))
            continue
        _take(label, normalised, asked, faults)
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


def _take(
    label: str, value: Normalised, asked: list[Asked], faults: list[tuple[str, Fault]]
) -> None:
    if facets(value):
        asked.append(Asked(label, value))
    else:
        words = "It holds too little to be compared with others."
        faults.append((label, Fault("value", words, "Add a house number and a postcode or city.")))


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
    if columns.unused:
        notice(f"Columns that are not used: {', '.join(columns.unused)}.")
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


def _pairs(asked: Sequence[Asked], answer: LookupResult) -> Iterator[tuple[Asked, QueryResult]]:
    by_id = {result.query: result for result in answer.results}
    for place, each in enumerate(asked):
        result = by_id.get(str(place))
        if result is not None:
            yield each, result


class _Told:
    """Tells answers: as tables when they come, or as one JSON document at the end."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = results()
        self._lookups: list[dict[str, str]] = []
        self._results: list[dict[str, Any]] = []
        self._values = self._hits = 0

    def take(self, asked: Sequence[Asked], answer: LookupResult) -> None:
        self._lookups.append({"lookup": answer.lookup, "asked_at": answer.asked_at.isoformat()})
        for each, result in _pairs(asked, answer):
            self._values += 1
            self._hits += len(result.hits)
            if self._as_json:
                self._results.append(
                    {
                        "value": each.label,
                        "kind": each.value.kind.value,
                        "hits": [hit.raw for hit in result.hits],
                        "more": result.more,
                    }
                )
            elif result.hits:
                _tell_result(self._console, each, result)
        if not self._as_json:
            when = written_moment(answer.asked_at)
            say(f"Logged as lookup {plain(answer.lookup)} at {when}.")

    def end(self, faults: Sequence[tuple[str, Fault]]) -> None:
        if self._as_json:
            not_looked_up = [
                {
                    "value": label,
                    "field": fault.field,
                    "reason": fault.reason,
                    "remedy": fault.remedy,
                }
                for label, fault in faults
            ]
            found = {"lookups": self._lookups, "results": self._results}
            say(json.dumps({**found, "not_looked_up": not_looked_up}, indent=1))
        elif self._values:
            found_words = counted(self._hits, "hit") if self._hits else "no hits that you may see"
            say(f"{counted(self._values, 'value')} looked up: {found_words}.")
            if self._hits:
                say("A hit is a lead, not a finding: check it before anyone acts on it.")


def _tell_result(console: Console, asked: Asked, result: QueryResult) -> None:
    table = Table(
        "Organisation",
        "Level",
        "Strength",
        "Why",
        "Observed",
        "Conditions",
        "Indicator",
        title=asked.label,
        title_justify="left",
        show_lines=True,
    )
    for hit in result.hits:
        table.add_row(
            f"{plain(hit.organisation.name)} ({plain(hit.organisation.code)})",
            plain(hit.level),
            _strength(hit),
            plain(hit.explanation or _NOTHING_MORE.get(hit.level, "")),
            observed(hit.indicator),
            conditions(hit.indicator),
            plain(str((hit.indicator or {}).get("id", ""))),
        )
    console.print(table)
    if result.more:
        say(f"{asked.label}: there are more hits than are shown; the best are above.")


def _strength(hit: Hit) -> str:
    if hit.precision is None:
        return f"{plain(hit.band)} (precision not measured)"
    return f"{plain(hit.band)} (at least {hit.precision:.0%} right when measured)"


_NOTHING_MORE = {Level.PRESENCE.value: "its owner shows that it is there, and no more"}
