"""`postern outcomes import`: what was found of a file of seizures that was submitted."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from postern.client import Client
from postern.client_follow_up import FollowUps
from postern.client_reports import OwnReports
from postern.commands.mapped_files import mapped_columns, mapping_option
from postern.commands.options import needed_case
from postern.commands.terminal import Chosen, counted, require_scopes, say, session
from postern.csv_file import examine
from postern.imports.telling import Memory, Rehearsed, Told, reports_of, tell_finds
from postern.journal import journal_path
from postern.vocabulary import Scope


@click.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@mapping_option
@click.option("--case", metavar="REFERENCE", help="Reference of the case file, for the audit log.")
@click.option("--dry-run", is_flag=True, help="Count what would be told, and tell nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@click.pass_obj
def import_(chosen: Chosen, /, file: Path, **options: Any) -> None:
    """Tell what was found of the rows of FILE, which `postern submit` submitted with a mapping.

    For each row that is a report and of which the mapping says what came of it, an outcome is told
    on the report's first indicator: located, held, examined and found, with the substance and how
    much. FILE.outcomes remembers the rows that were told; the same command goes on.
    """
    if options["mapping"] is None:
        raise click.UsageError("--mapping is missing. Give the one with which it was submitted.")
    examined = examine(file)
    columns = mapped_columns(examined, options["mapping"], {})
    journal = journal_path(file)
    reports = reports_of(examined, journal)
    settings = chosen.settings()
    case = needed_case(options["case"], settings.defaults)
    with Memory(journal.with_suffix(".outcomes"), examined.sha256) as memory:
        if options["dry_run"]:
            told = tell_finds(examined, columns, reports, Rehearsed(memory.rows), lambda *_: None)
        else:
            with session(settings) as client:
                require_scopes(client.me(), Scope.OUTCOMES_WRITE, Scope.REPORTS_READ)
                told = tell_finds(examined, columns, reports, memory, _telling(client, case))
    if options["as_json"]:
        say(json.dumps(asdict(told), indent=1))
        return
    _say(told, "would be told" if options["dry_run"] else "told")


def _telling(client: Client, case: str) -> Callable[[str, dict[str, Any]], None]:
    reports, follow_ups = OwnReports(client.transport), FollowUps(client.transport)

    def tell(report: str, outcome: dict[str, Any]) -> None:
        indicator = reports.first_indicator(report)
        follow_ups.tell_outcome({"indicator": indicator, "case": case, **outcome})

    return tell


def _say(told: Told, done: str) -> None:
    say(f"{counted(told.told, 'outcome')} {done}; {told.before:,} were told before.")
    if told.without_quantity:
        say(
            f"{counted(told.without_quantity, 'of them is', 'of them are')} without an amount: no "
            "substance of the list, no unit or no number is known."
        )
    if told.silent:
        say(f"{counted(told.silent, 'row')} without a report, or that say nothing of it.")
    if told.gone:
        say(f"{counted(told.gone, 'report')} not there any more.")
