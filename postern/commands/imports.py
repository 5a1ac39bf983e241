"""`postern imports`: see what becomes of another system's records before they are submitted."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from postern.commands.mapped_files import (
    column_as_json,
    mapped_columns,
    mapping_option,
    tally_as_json,
    told_tally,
)
from postern.commands.options import WordType
from postern.commands.terminal import ExitCode, counted, results, say
from postern.csv_file import CsvFile, examine
from postern.doubts import words_of
from postern.imports import SHIPPED, MappedColumns, find_mapping, shipped_text
from postern.imports.converting import write_converted
from postern.imports.model import DROP, ImportMapping
from postern.imports.schema import mapping_schema
from postern.rows import Reading
from postern.shipment import AmountUnits
from postern.submission import Line, Source
from postern.terms import Terms
from postern.vocabulary import Learned, LegalBasis

_FAULTS_SHOWN = 10
_SHIPMENT = (
    *("substance", "concealment", "weight_band", "value_band", "origin_country"),
    *("destination_country", "service", "hs_chapter"),
)


@click.group()
def imports() -> None:
    """Read records of other systems, such as national seizures, by a mapping. Nothing is sent."""


@imports.command("list")
def list_() -> None:
    """List the mappings that come along, with what is known about them."""
    for name in SHIPPED:
        mapping = find_mapping(name)
        say(f"{name}: {mapping.title}. {_verified(mapping)}")
        say(f"  {mapping.statement}")


@imports.command()
@click.argument("name", type=click.Choice(tuple(SHIPPED)))
def show(name: str) -> None:
    """Print the mapping NAME, to make one of your own of it."""
    click.echo(shipped_text(name), nl=False)


@imports.command()
def schema() -> None:
    """Print the JSON Schema of a mapping, for editors that complete and warn."""
    say(json.dumps(mapping_schema(), indent=1))


@imports.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@mapping_option
@click.option("--learned", type=WordType(Learned), help="How it was learned.")
@click.option("--legal-basis", type=WordType(LegalBasis), help="Under which kind of law.")
@click.option("--operator", metavar="NAME", help="Network of the induction points.")
@click.option("--country", metavar="CODE", help="Of induction points and national numbers.")
@click.option("--weight-unit", type=click.Choice(["g", "kg"]), help="Of weights without a unit.")
@click.option("--currency", metavar="CODE", help="Of values without a currency, such as EUR.")
@click.option("--rows", type=click.IntRange(0, 100_000), default=20, show_default=True)
@click.option(
    "--write",
    "written",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the rows with Postern's own columns into a new CSV file, for the page.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.pass_context
def check(context: click.Context, /, file: Path, **options: Any) -> None:
    """Tell what would be sent of FILE, a CSV file, row by row, and what is dropped.

    Of the first rows the coarse fields are shown and the kinds of their indicators; of all rows the
    counts, the columns that are not read and the words that are not known, each once. No value of a
    person is shown, but for words that stand where the mapping expects words of a list.

    Ends with 3 when some rows cannot be sent.
    """
    if options["mapping"] is None:
        raise click.UsageError(
            f"--mapping is missing. Give {', '.join(SHIPPED)}, or a file of your own."
        )
    examined = examine(file)
    columns = mapped_columns(examined, options["mapping"], options)
    found = _Check(examined, columns, options)
    if options["written"] is not None:
        found.converted = write_converted(options["written"], examined, columns)
        columns.tally.clear()
    found.read(most=options["rows"])
    if options["as_json"]:
        say(json.dumps(found.as_json(), indent=1))
    else:
        found.tell()
    if found.wrong:
        context.exit(ExitCode.SOME_REJECTED)


class _Check:
    """What a reading of the whole file finds; memory grows with the rows that are shown alone."""

    def __init__(self, file: CsvFile, columns: MappedColumns, options: dict[str, Any]) -> None:
        self._file, self._columns, self._options = file, columns, options
        self._missing = [
            name
            for name in ("learned", "legal_basis")
            if options[name] is None and name not in columns.fields
        ]
        # What is missing is told; the rows are looked at as if it had been said.
        terms = Terms(
            learned=options["learned"] or Learned.CUSTOMS_CONTROL,
            legal_basis=options["legal_basis"] or LegalBasis.CUSTOMS_LAW,
        )
        units = AmountUnits(options["weight_unit"] or "", (options["currency"] or "").upper())
        operator, country = options["operator"] or "", options["country"] or ""
        day = datetime.now(UTC).date()
        self._source = Source(
            file, columns, Reading(day, terms, units, operator, country, seals=True)
        )
        self.rows = self.wrong = 0
        self.converted: int | None = None
        self._shown: list[Line] = []
        self._faults: list[str] = []
        self._said: Counter[tuple[str, str]] = Counter()
        self._indicators: Counter[tuple[str, str]] = Counter()
        self._doubts: Counter[str] = Counter()

    def read(self, *, most: int) -> None:
        """Read every row, and keep the first ones to show."""
        for line in self._source.rows():
            self.rows += 1
            if len(self._shown) < most:
                self._shown.append(line)
            if line.read is None:
                self.wrong += 1
                room = _FAULTS_SHOWN - len(self._faults)
                self._faults += [
                    f"Line {line.row.line}, {each.field}: {each.reason} {each.remedy}"
                    for each in line.faults[:room]
                ]
                continue
            self._said.update(line.read.shipment.items())
            step = line.read.terms.barrier_step
            self._said["barrier_step", str(step) if step else "not said"] += 1
            self._doubts.update(line.read.flags)
            for sighting in line.read.sightings:
                self._indicators[sighting.value.kind.value, sighting.role.value] += 1
                self._doubts.update(sighting.value.flags)

    def tell(self) -> None:
        """Say it to a person."""
        mapping = self._columns.mapping
        say(f"{mapping.title}. {_verified(mapping)}")
        say(mapping.statement)
        results().print(self._column_table())
        if self._shown:
            results().print(self._row_table())
        say(f"{counted(self.rows, 'row')} read; {self.wrong:,} cannot be sent; nothing was sent.")
        if self.converted is not None:
            say(f"{counted(self.converted, 'row')} written to {self._options['written']}.")
        for line in self._faults:
            say(line)
        for (name, word), count in sorted(self._said.items()):
            say(f"{name} {word}: {counted(count, 'row')}.")
        for (kind, role), count in sorted(self._indicators.items()):
            say(f"Indicators: {kind} as {role}: {count:,}.")
        if self._columns.unused:
            say(
                f"Columns that nobody knows: {', '.join(self._columns.unused)}. To read them, add "
                "their headings to a mapping of your own."
            )
        for line in told_tally(self._columns, is_sealed=None):
            say(line)
        for flag, count in self._doubts.most_common():
            say(f"Doubt in {counted(count, 'value')}: {words_of(flag)}.")
        for name in self._missing:
            say(f"Not said: {name}. To submit, give --{name.replace('_', '-')}.")

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "rows": self.rows,
            "usable": self.rows - self.wrong,
            "rejected": self.wrong,
            "mapping": tally_as_json(self._columns),
            "unused_columns": list(self._columns.unused),
            "missing": self._missing,
            "shown": [_line_as_json(each) for each in self._shown],
            "said": [
                {"field": name, "word": word, "rows": rows}
                for (name, word), rows in sorted(self._said.items())
            ],
            "indicators": [
                {"kind": kind, "role": role, "count": count}
                for (kind, role), count in sorted(self._indicators.items())
            ],
            "first_faults": self._faults,
            "doubts": dict(self._doubts),
            **({} if self.converted is None else {"written": self.converted}),
        }

    def _column_table(self) -> Table:
        table = Table("Column", "becomes", "item of the source", "verified")
        for each in self._columns.columns:
            said = column_as_json(each.line, is_own=each.is_own)
            table.add_row(
                each.heading,
                "dropped" if each.line.field == DROP else each.line.field,
                "Postern's own name" if each.is_own else each.line.item,
                said["verified"] or "",
            )
        return table

    def _row_table(self) -> Table:
        table = Table("Line", *_SHIPMENT, "learned", "day", "step", "indicators")
        for line in self._shown:
            table.add_row(*_row_cells(line))
        return table


def _row_cells(line: Line) -> Iterator[str]:
    yield str(line.row.line)
    read = line.read
    if read is None:
        yield from [""] * (len(_SHIPMENT) + 3)
        yield "cannot be sent: " + ", ".join(each.field for each in line.faults)
        return
    yield from (read.shipment.get(name, "") for name in _SHIPMENT)
    yield str(read.terms.learned or "")
    yield str(read.terms.observed_from or "")
    yield str(read.terms.barrier_step or "")
    yield ", ".join(f"{each.value.kind.value} ({each.role.value})" for each in read.sightings) + (
        ", note sealed" if read.note else ""
    )


def _line_as_json(line: Line) -> dict[str, Any]:
    if line.read is None:
        faults = [{"field": each.field, "reason": each.reason} for each in line.faults]
        return {"line": line.row.line, "faults": faults}
    terms = line.read.terms
    return {
        "line": line.row.line,
        "shipment": line.read.shipment,
        "observed_from": terms.observed_from.isoformat() if terms.observed_from else None,
        "barrier_step": terms.barrier_step,
        "indicators": [
            {"kind": each.value.kind.value, "role": each.role.value} for each in line.read.sightings
        ],
        "has_note": bool(line.read.note),
    }


def _verified(mapping: ImportMapping) -> str:
    """How many lines are of which standing."""
    counts = Counter(each.verified.value for each in mapping.columns)
    told = ", ".join(f"{counts[name]} {name}" for name in sorted(counts))
    return f"{counted(len(mapping.columns), 'entry', 'entries')}: {told}."
