"""`postern exchange push`: what others wrote in clear becomes reports, pseudonymised here."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import click

from postern.client_reports import OwnReports
from postern.columns import IGNORE
from postern.commands.submit import submit, submit_file
from postern.commands.terminal import (
    Chosen,
    ExitCode,
    connected,
    counted,
    notice,
    require_scopes,
)
from postern.csv_file import examine, read_rows
from postern.journal import journal_path, submitted_reports
from postern.private_files import write_private
from postern.settings import ClientSettings, pushed_file_of
from postern.stix.mapped import ForeignRow, Mapped
from postern.stix.reading import StixMalformedError, map_objects, read_bundle
from postern.taxii.errors import ForeignFileError, plain
from postern.taxii.pushed import Pushed, Sent
from postern.vocabulary import RecallReason, Scope

_NOT_HERE = frozenset({"file", "column_file", "mapping", "new_run"})
_SHOWN = 5

PUSH_OPTIONS: Sequence[click.Parameter] = [
    each for each in submit.params if each.name not in _NOT_HERE
]
"""The options of `postern submit` that hold for rows of other platforms as well."""


@click.command(params=[*PUSH_OPTIONS])
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--withdraw",
    is_flag=True,
    help="Withdraw the reports of objects that FILE says are revoked.",
)
@click.pass_context
def push(context: click.Context, /, file: Path, *, withdraw: bool, **options: Any) -> None:
    """Submit what the STIX objects in FILE say, pseudonymised on this machine.

    FILE is a bundle, a TAXII envelope, an array or JSON Lines of STIX 2.1. What names a postal
    address, a handle, a telephone number, an e-mail address, an item, a key or a wallet becomes a
    report, by the same way as a row of `postern submit`. What cannot become one is listed in
    FILE.unmapped.csv with its reason. An object that went in is not sent again; an interrupted push
    goes on when the same command is given again.

    Ends with 0 when everything is in, with 3 when something was left out, with 1 when it failed.
    """
    revoked: set[str] = set()
    try:
        with file.open("rb") as stream:
            mapped = map_objects(_noting(read_bundle(stream), revoked))
    except StixMalformedError as error:
        raise ForeignFileError(f"{file} cannot be read. {error}") from error
    chosen: Chosen = context.obj
    is_some_left = push_mapped(context, mapped, file, options)
    if revoked and not options["dry_run"]:
        withdraw_revoked(chosen.settings(), revoked, really=withdraw)
    if is_some_left:
        context.exit(ExitCode.SOME_REJECTED)


def push_mapped(
    context: click.Context, mapped: Mapped, source: Path, options: dict[str, Any]
) -> bool:
    """Submit the rows of objects that another platform wrote; whether something was left out.

    `options` are those of PUSH_OPTIONS. Rows go the way of `postern submit`, with its journal, from
    the file SOURCE.rows.csv, which is there as long as the run is not over.
    """
    chosen: Chosen = context.obj
    left_out = _tell_unmapped(mapped, source)
    rows_file = source.with_name(f"{source.name}.rows.csv")
    full_options = {**options, "column_file": None, "mapping": None, "new_run": False}
    named = _named(mapped.rows)
    if options["dry_run"]:
        return _rehearse(chosen, named, rows_file, full_options) or left_out
    pushed = Pushed(pushed_file_of(chosen.settings()))
    rows = _fresh(named, pushed)
    text = _as_csv(rows)
    if rows_file.exists() and rows_file.read_bytes() != text.encode():
        _settle(rows_file, pushed)  # an earlier run, over other objects, was cut off
        rows = _fresh(named, pushed)
        text = _as_csv(rows)
    known = len(named) - len(rows)
    if known:
        notice(f"{counted(known, 'row')} went in earlier and {_are(known)} not sent again.")
    if not rows:
        notice("There is nothing new to send.")
        return left_out
    write_private(rows_file, text)
    rejected = submit_file(rows_file, chosen, full_options)
    _settle(rows_file, pushed)
    return bool(rejected) or left_out


def _noting(objects: Iterable[dict[str, Any]], revoked: set[str]) -> Iterator[dict[str, Any]]:
    for each in objects:
        if each.get("revoked") is True and isinstance(each.get("id"), str):
            revoked.add(each["id"])
        yield each


def _rehearse(
    chosen: Chosen, rows: Mapping[str, ForeignRow], rows_file: Path, options: dict[str, Any]
) -> bool:
    if not rows:
        notice("There is nothing to send.")
        return False
    write_private(rows_file, _as_csv(rows))
    try:
        return bool(submit_file(rows_file, chosen, options))
    finally:
        rows_file.unlink()


def _named(rows: Sequence[ForeignRow]) -> Mapping[str, ForeignRow]:
    """Rows by names that follow from their objects; several rows of the same ones are numbered."""
    numbers: Counter[tuple[str, ...]] = Counter()
    found = {}
    for row in rows:
        found[f"{' '.join(row.ids)} {numbers[row.ids]}"] = row
        numbers[row.ids] += 1
    return found


def _fresh(rows: Mapping[str, ForeignRow], pushed: Pushed) -> Mapping[str, ForeignRow]:
    """Those rows that did not go in already."""
    return {name: row for name, row in rows.items() if name not in pushed.rows}


def _as_csv(rows: Mapping[str, ForeignRow]) -> str:
    """The rows under their fields as headings; their names in a column that is read by nobody."""
    fields = sorted({field for each in rows.values() for field in each.row})
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow([*fields, IGNORE])
    for name, each in rows.items():
        writer.writerow([*(each.row.get(field, "") for field in fields), name])
    return written.getvalue()


def _settle(rows_file: Path, pushed: Pushed) -> None:
    """Record what became of the rows of a run, and remove its files, which hold clear values."""
    journal = journal_path(rows_file)
    found = submitted_reports(journal)
    if found is not None:
        reports = found[1]
        file = examine(rows_file)
        place = [name.strip() for name in file.header].index(IGNORE)
        pushed.add(
            Sent(name, tuple(name.split()[:-1]), reports[row.number])
            for row in read_rows(file)
            if row.number in reports and (name := row.cells[place])
        )
    rows_file.unlink(missing_ok=True)
    journal.unlink(missing_ok=True)


def _tell_unmapped(mapped: Mapped, source: Path) -> bool:
    """Write what could not be mapped into a file, and say how much it is; whether it is any."""
    place = source.with_name(f"{source.name}.unmapped.csv")
    if mapped.noted:
        noted = counted(len(mapped.noted), "object")
        notice(f"{noted} noted that need no report, such as markings and authors.")
    if not mapped.unmapped:
        place.unlink(missing_ok=True)
        return False
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(["id", "type", "reason", "remedy"])
    for each in mapped.unmapped:
        writer.writerow([each.id, each.type, each.reason, each.remedy])
    write_private(place, written.getvalue())
    number = len(mapped.unmapped)
    notice(f"{counted(number, 'object')} could not become a report; the reasons are in {place}.")
    for each in mapped.unmapped[:_SHOWN]:
        notice(f"{plain(each.id)}: {each.reason} {each.remedy}")
    return True


def withdraw_revoked(settings: ClientSettings, revoked: Set[str], *, really: bool) -> None:
    """Withdraw the reports of revoked objects, or say which those are."""
    pushed = Pushed(pushed_file_of(settings))
    reports = pushed.reports_of(revoked)
    if not reports:
        return
    if not really:
        notice(
            f"{counted(len(reports), 'report')} came of objects that are revoked now: "
            f"{', '.join(reports[:_SHOWN])}{' ...' if len(reports) > _SHOWN else ''}. Give the "
            "same command with --withdraw to withdraw them, with a recall of what others got."
        )
        return
    with connected(settings) as (client, _):
        require_scopes(client.me(), Scope.REPORTS_WRITE)
        own = OwnReports(client.transport)
        for report in reports:
            own.withdraw(report, reason="obsolete", recall=RecallReason.SOURCE_WITHDREW)
            pushed.add_withdrawal(report)
    notice(f"{counted(len(reports), 'report')} withdrawn; who got something of them is told.")


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
