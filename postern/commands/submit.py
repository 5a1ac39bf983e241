"""`postern submit`: a CSV file of suspicious shipments becomes reports on the platform."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.progress import TaskID
from rich.table import Table

from postern.client_errors import ClientError
from postern.columns import ReadsCells, load_overrides, read_header
from postern.commands.evaluating import pseudonymiser
from postern.commands.mapped_files import (
    mapped_columns,
    mapping_option,
    tally_as_json,
    told_tally,
)
from postern.commands.options import GradeType, WordType, needed, needed_case, why
from postern.commands.own_keys import Trust, chosen_keys, open_keys, own_keys
from postern.commands.terminal import (
    Chosen,
    ExitCode,
    connected,
    counted,
    listing,
    notice,
    progress,
    require_scopes,
    results,
    say,
    written_moment,
)
from postern.csv_file import CsvFile, examine
from postern.doubts import words_of
from postern.imports import MappedColumns
from postern.imports.model import CONSTANTS
from postern.journal import Fate, Journal, RunHeader, journal_path
from postern.rejected import RejectedRows
from postern.rows import Reading
from postern.sealing import Sealer
from postern.settings import ClientSettings, Defaults, OwnKeys
from postern.shipment import AmountUnits
from postern.submission import Rehearsal, Source, Submission, rehearse
from postern.terms import Terms
from postern.vocabulary import (
    Assertion,
    Handling,
    Learned,
    LegalBasis,
    PermittedAction,
    Purpose,
    Scope,
    SubjectCategory,
    Tlp,
)

_FAULTS_SHOWN = 10
_MOST_DAYS = 3650


class FileChangedError(ClientError):
    """The file is not the one with which the run began."""


class TermsChangedError(ClientError):
    """The run was begun with other options, or with another version of postern."""


class NoColumnsError(ClientError):
    """No heading is known, so there is nothing to send."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@why
@click.option("--learned", type=WordType(Learned), help="How it was learned.")
@click.option("--tlp", type=WordType(Tlp), help="Traffic Light Protocol; the default is AMBER.")
@click.option("--handling", type=WordType(Handling), multiple=True, help="May be repeated.")
@click.option("--grade", type=GradeType(), metavar="GRADE", help="Source and information: X4.")
@click.option("--subject", type=WordType(SubjectCategory), help="Who the person is in the case.")
@click.option("--assertion", type=WordType(Assertion), help="Fact or assessment.")
@click.option("--permitted-action", type=WordType(PermittedAction), help="The default is know.")
@click.option("--expires-in", type=click.IntRange(1, _MOST_DAYS), metavar="DAYS")
@click.option("--barrier-step", type=click.IntRange(1, 7), help="Step of the barrier model.")
@click.option("--operator", metavar="NAME", help="Network of the induction points.")
@click.option("--country", metavar="CODE", help="Of induction points and national numbers.")
@click.option("--weight-unit", type=click.Choice(["g", "kg"]), help="Of weights without a unit.")
@click.option("--currency", metavar="CODE", help="Of values without a currency, such as EUR.")
@click.option(
    "--columns",
    "column_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="TOML file that says which column is which field.",
)
@mapping_option
@own_keys
@click.option("--unsealed", is_flag=True, help="Seal nothing, although the settings have keys.")
@click.option("--dry-run", is_flag=True, help="Read everything, send nothing.")
@click.option("--wait", is_flag=True, help="Wait when a quota is spent, instead of ending.")
@click.option("--new-run", is_flag=True, help="Forget an earlier run: every row is a new report.")
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Processes for the arithmetic; the default is the number of cores.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def submit(context: click.Context, /, file: Path, **options: Any) -> None:
    """Submit the rows of FILE, a CSV file, as reports.

    One row is one report. The first line holds the headings: the names of CN 23, the names in
    docs/submit.md, in English, French, Dutch or German. A row that cannot be used comes back in
    FILE.rejected.csv with the reason; the others go in. A run that is cut off goes on when the same
    command is given again.

    Records of another system, such as national seizures, are read with --mapping; `postern imports
    check` shows what becomes of them.

    With your organisation's key file, each row's values and its note go along sealed to your own
    keys, so that they can be disclosed when somebody asks and you agree.

    Ends with 0 when every row is in, with 3 when some were rejected, with 1 when it failed.
    """
    chosen: Chosen = context.obj
    if submit_file(file, chosen, options):
        context.exit(ExitCode.SOME_REJECTED)


def submit_file(file: Path, chosen: Chosen, options: dict[str, Any]) -> int:
    """Submit a CSV file under the options of the command; how many rows are rejected."""
    return _Run(file, chosen, options).do()


class _Run:
    """One call of the command; `do` returns how many rows are rejected."""

    def __init__(self, file: Path, chosen: Chosen, options: dict[str, Any]) -> None:
        self._options = options
        # A dry run needs no settings, but uses their defaults when they are there.
        has_settings = chosen.path.exists() or not options["dry_run"]
        self._settings = chosen.settings() if has_settings else None
        self._defaults = self._settings.defaults if self._settings else Defaults()
        self._keys = chosen_keys(options, self._settings.keys if self._settings else OwnKeys())
        if options["unsealed"] and options["key_file"]:
            raise click.UsageError("--key-file and --unsealed contradict each other. Give one.")
        self._seals = self._keys.file is not None and not options["unsealed"]
        self._file = examine(file)
        self._mapped: MappedColumns | None = None
        if options["mapping"]:
            if options["column_file"]:
                raise click.UsageError(
                    "--columns and --mapping contradict each other. Give one: a mapping names "
                    "columns too."
                )
            self._mapped = mapped_columns(self._file, options["mapping"], options)
        self._columns: ReadsCells = self._mapped or _plain_columns(self._file, options)

    def do(self) -> int:
        self._tell_about_file()
        if self._options["dry_run"]:
            return self._rehearse()
        if self._settings is None:
            raise LookupError("a run has settings")
        purpose = needed(self._options["purpose"], self._defaults.purpose, "--purpose")
        case = needed_case(self._options["case"], self._defaults)
        keys = open_keys(self._keys) if self._seals else None
        with connected(self._settings) as (client, ring):
            me = client.me()
            require_scopes(me, Scope.EVALUATE, Scope.REPORTS_WRITE)
            ring.refresh()
            sealer = None
            if keys:
                Trust.of(client, self._settings).check_own(keys, me.organisation.code)
                sealer = Sealer.of(keys)
            with (
                self._journal(self._settings, purpose) as (journal, source),
                pseudonymiser(
                    client,
                    ring,
                    self._keys,
                    purpose=purpose,
                    case=case,
                    workers=self._workers(),
                    keys=keys,
                ) as evaluating,
                progress("Submitting") as bar,
            ):
                task = bar.add_task("rows", total=self._file.rows, completed=journal.done)
                rejected = RejectedRows(
                    journal.path.parent / journal.header.rejected,
                    self._file,
                    size=journal.rejected_bytes,
                )
                submission = Submission(
                    source,
                    journal,
                    rejected,
                    client,
                    evaluating,
                    sealer=sealer,
                    wait=self._options["wait"],
                    on_rows=lambda done: bar.update(task, completed=done),
                    on_wait=_tell_wait,
                )
                submission.run()
            self._tell_result(journal, rejected.path, submission, evaluating.evaluations)
        return journal.counts[Fate.REJECTED]

    @contextmanager
    def _journal(
        self, settings: ClientSettings, purpose: Purpose
    ) -> Iterator[tuple[Journal, Source]]:
        """The journal of this run, new or resumed, and the source as that run reads it."""
        path = journal_path(self._file.path)
        found = Journal.resume(path)
        try:
            day = datetime.now(UTC).date()
            if found is not None and not self._options["new_run"]:
                day = found.header.day
            source = self._source(day)
            terms = source.terms_digest(address=settings.address, purpose=purpose)
            if found is None or self._options["new_run"]:
                header = RunHeader.new(
                    file_sha256=self._file.sha256,
                    terms=terms,
                    day=day,
                    rejected=_free_name(path.parent, self._file.path),
                )
                if found is not None:
                    found.close()
                found = Journal.create(path, header)
            else:
                _require_same(found, self._file, terms)
                left = self._file.rows - found.done
                notice(
                    f"An earlier run is known from {path}: {counted(found.done, 'row')} done, "
                    f"{left:,} left."
                )
            yield found, source
        finally:
            if found is not None:
                found.close()

    def _source(self, day: date) -> Source:
        options, defaults = self._options, self._defaults
        learned = options["learned"] or defaults.learned
        legal_basis: LegalBasis | None = options["legal_basis"] or defaults.legal_basis
        for column, found in (("learned", learned), ("legal_basis", legal_basis)):
            if column not in self._columns.fields:
                needed(found, None, f"--{column.replace('_', '-')}")
        grade = options["grade"] or (None, None)
        days = options["expires_in"]
        terms = Terms(
            learned=learned,
            legal_basis=legal_basis,
            subject_category=options["subject"],
            assertion=options["assertion"],
            source_grade=grade[0],
            information_grade=grade[1],
            tlp=options["tlp"] or defaults.tlp,
            handling=tuple(sorted(set(options["handling"]))),
            permitted_action=options["permitted_action"] or defaults.permitted_action,
            expires_on=day + timedelta(days=days) if days else None,
            barrier_step=options["barrier_step"],
        )
        units = AmountUnits(
            weight=options["weight_unit"] or "",
            currency=(options["currency"] or "").upper(),
            of_columns=self._columns.units,
        )
        operator = options["operator"] or defaults.operator or ""
        if "induction_point" in self._columns.fields and not (
            operator or "induction_operator" in self._columns.fields
        ):
            raise click.UsageError(
                "--operator is missing, and the file has a column of induction points. Give the "
                "name of the network whose points they are."
            )
        country = options["country"] or defaults.country or ""
        return Source(
            self._file, self._columns, Reading(day, terms, units, operator, country, self._seals)
        )

    def _workers(self) -> int:
        chosen: int | None = self._options["workers"]
        if chosen is not None:
            return chosen
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1

    def _tell_about_file(self) -> None:
        file, columns = self._file, self._columns
        if file.is_guessed:
            notice(
                "The file is not UTF-8 and is read as windows-1252: check a name with an accent."
            )
        if columns.fields <= {"goods_origin", "note", *CONSTANTS}:
            raise NoColumnsError(
                f"No column of {file.path} is known. Name the columns in a column file "
                "(--columns); docs/submit.md lists the fields."
            )

    def _rehearse(self) -> int:
        with progress("Reading") as bar:
            task = bar.add_task("rows", total=self._file.rows)
            source = self._source(datetime.now(UTC).date())
            found = rehearse(
                source, most_faults=_FAULTS_SHOWN, on_row=_every(100, bar.update, task)
            )
        if self._options["as_json"]:
            told = _rehearsal_as_json(found, self._unused())
            say(json.dumps({**told, **self._mapped_as_json(), "sealed": self._seals}, indent=1))
        else:
            _tell_rehearsal(found, self._file)
            self._tell_columns_and_doubts(found.flags)
        return found.rejected

    def _tell_result(
        self, journal: Journal, rejected: Path, submission: Submission, evaluations: int
    ) -> None:
        counts = journal.counts
        if self._options["as_json"]:
            told = {
                "rows": journal.done,
                **{fate.name.lower(): counts[fate] for fate in Fate},
                "rejected_file": str(rejected) if counts[Fate.REJECTED] else None,
                "evaluations": evaluations,
                "unused_columns": list(self._unused()),
                "doubts": dict(submission.flags),
                **self._mapped_as_json(),
                "journal": str(journal.path),
                "sealed": self._seals,
            }
            say(json.dumps(told, indent=1))
            return
        rows = {
            "rows read": f"{journal.done:,}",
            "  created": f"{counts[Fate.CREATED]:,}",
            "  existing": f"{counts[Fate.EXISTING]:,}",
            "  rejected": f"{counts[Fate.REJECTED]:,}",
            "evaluations": f"{evaluations:,} (in this call)",
        }
        for line in listing(rows):
            say(line)
        if counts[Fate.REJECTED]:
            say(
                f"The rejected rows are in {rejected}, each with its reason. Correct and submit it."
            )
        self._tell_columns_and_doubts(submission.flags)

    def _tell_columns_and_doubts(self, flags: dict[str, int]) -> None:
        if self._seals:
            noted = " and notes" if "note" in self._columns.fields else ""
            say(f"Values{noted} are sealed to your own keys.")
        else:
            say("Values are not sealed (no key file is named), so they can never be disclosed.")
        unused = self._unused()
        if unused:
            say(f"Columns that are not used: {', '.join(unused)}.")
        for flag, count in sorted(flags.items(), key=lambda each: -each[1]):
            say(f"Doubt in {counted(count, 'value')}: {words_of(flag)}.")
        if self._mapped:
            for line in told_tally(self._mapped, is_sealed=self._seals):
                say(line)

    def _mapped_as_json(self) -> dict[str, Any]:
        return {"mapping": tally_as_json(self._mapped)} if self._mapped else {}

    def _unused(self) -> tuple[str, ...]:
        """Headings that are not read, the origin of goods, and a note that nothing seals."""
        columns = self._columns
        left_out = {"goods_origin": "of the goods, not of the shipment"}
        if not self._seals and self._mapped is None:  # of a mapping the tally tells it
            left_out["note"] = "free text goes sealed or not at all: give --key-file"
        told = (
            f"{heading} ({why_not})"
            for field, why_not in left_out.items()
            for heading in columns.headings_of(field)
        )
        return (*columns.unused, *told)


def _plain_columns(file: CsvFile, options: Mapping[str, Any]) -> ReadsCells:
    overrides = load_overrides(options["column_file"]) if options["column_file"] else {}
    return read_header(file.header, overrides)


def _require_same(journal: Journal, file: CsvFile, terms: str) -> None:
    """Return when a run may go on: with the same file and the same options."""
    if journal.header.file_sha256 != file.sha256:
        raise FileChangedError(
            f"{file.path} was changed since its run began; {counted(journal.done, 'row')} of the "
            "earlier file are done. Restore that file to go on, submit corrected rows as a file "
            "of their own, or submit every row anew with --new-run."
        )
    if journal.header.terms != terms:
        raise TermsChangedError(
            f"The run over {file.path} began with other options or another version of postern; "
            f"{counted(journal.done, 'row')} are done. Give the same options to go on, or submit "
            "every row anew with --new-run."
        )


def _free_name(directory: Path, file: Path) -> str:
    """A name for rejected rows that overwrites nobody's corrections."""
    stem = file.name.removesuffix(".csv")
    names = (f"{stem}.rejected{f'-{n}' if n > 1 else ''}.csv" for n in range(1, 10_000))
    return next(name for name in names if not (directory / name).exists())


def _tell_wait(until: datetime | None) -> None:
    when = f"until {written_moment(until)}" if until else "for a minute"
    notice(f"The quota is spent; waiting {when}. To stop, press Ctrl-C: the run can go on later.")


def _every(step: int, update: Callable[..., None], task: TaskID) -> Callable[[int], None]:
    def on_row(number: int) -> None:
        if number % step == 0:
            update(task, completed=number)

    return on_row


def _rehearsal_as_json(found: Rehearsal, unused: Sequence[str]) -> dict[str, Any]:
    return {
        "rows": found.rows,
        "usable": found.rows - found.rejected,
        "rejected": found.rejected,
        "indicators": [
            {"kind": kind, "role": role, "rows": rows}
            for (kind, role), rows in sorted(found.indicators.items())
        ],
        "facets": [
            {"kind": kind, "role": role, "facet": facet, "count": count}
            for (kind, role, facet), count in sorted(found.facets.items())
        ],
        "evaluations_at_most": dict(found.inputs),
        "shipment": [
            {"field": name, "word": word, "rows": rows}
            for (name, word), rows in sorted(found.shipment.items())
        ],
        "doubts": dict(found.flags),
        "first_faults": [
            {"line": line, "field": fault.field, "reason": fault.reason, "remedy": fault.remedy}
            for line, fault in found.first_faults
        ],
        "unused_columns": list(unused),
    }


def _tell_rehearsal(found: Rehearsal, file: CsvFile) -> None:
    say(f"Dry run: nothing was sent. {file.path} is {file.encoding}, with {file.delimiter!r}.")
    rows = {
        "rows read": f"{found.rows:,}",
        "  usable": f"{found.rows - found.rejected:,}",
        "  rejected": f"{found.rejected:,}",
        "evaluations": f"at most {found.inputs.total():,}; equal values are evaluated once",
    }
    for line in listing(rows):
        say(line)
    if found.indicators:
        table = Table("Indicator", "Role", "Rows", "Facets that would be sent")
        for (kind, role), count in sorted(found.indicators.items()):
            facets = [
                f"{facet} {number:,}"
                for (of_kind, of_role, facet), number in found.facets.items()
                if (of_kind, of_role) == (kind, role)
            ]
            table.add_row(kind, role, f"{count:,}", ", ".join(facets))
        results().print(table)
    for place, fault in found.first_faults:
        say(f"Line {place}, {fault.field}: {fault.reason} {fault.remedy}")
