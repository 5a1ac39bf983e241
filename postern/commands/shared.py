"""`postern shared`: what do others let us have without our asking for one identifier?"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from postern.client import MOST_SHARED, Client, SharedCount, SharedIndicator
from postern.client_errors import FileNotWrittenError
from postern.commands.indicator_words import conditions, observed, plain
from postern.commands.options import WordType, needed, needed_case, why
from postern.commands.terminal import (
    Chosen,
    connected,
    counted,
    notice,
    require_scopes,
    results,
    say,
)
from postern.private_files import being_written
from postern.vocabulary import Kind, LegalBasis, PartyRole, Purpose, Scope, Substance, Tlp

_FORMS = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".xlsx": "xlsx"}
_MOST = 1000  # records, unless --most says otherwise


@dataclass(frozen=True, slots=True)
class _Question:
    """Why, and what of it."""

    purpose: Purpose
    legal_basis: LegalBasis
    case: str
    filters: Mapping[str, str]


@click.command()
@why
@click.option("--owner", metavar="CODE", help="Only what this organisation shares.")
@click.option("--kind", type=WordType(Kind))
@click.option("--role", type=WordType(PartyRole))
@click.option("--barrier-step", type=click.IntRange(1, 7))
@click.option("--substance", type=WordType(Substance))
@click.option("--tlp", type=WordType(Tlp))
@click.option(
    "--seen-since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="YYYY-MM-DD or later."
)
@click.option("--counts", "only_counts", is_flag=True, help="Count instead of listing.")
@click.option(
    "--most",
    type=click.IntRange(1),
    default=_MOST,
    show_default=True,
    metavar="NUMBER",
    help="Stop after so many records, newest first.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.option(
    "--export",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take everything away as a file: .csv, .xlsx or .ndjson, which its name ends with.",
)
@click.pass_context
def shared(context: click.Context, /, **options: Any) -> None:
    """List, count or take away what other organisations share with yours.

    What their policies let you have in bulk for this purpose, newest first. Every page is logged,
    and each owner learns which of its records you got. The handling conditions bind you.
    """
    chosen: Chosen = context.obj
    settings = chosen.settings()
    file: Path | None = options["file"]
    form = None if file is None else _form_of(file)
    question = _Question(
        needed(options["purpose"], settings.defaults.purpose, "--purpose"),
        needed(options["legal_basis"], settings.defaults.legal_basis, "--legal-basis"),
        needed_case(options["case"], settings.defaults),
        _filters(options),
    )
    with connected(settings) as (client, _):
        require_scopes(client.me(), Scope.INDICATORS_READ)
        if file is not None and form is not None:
            _take_away(client, question, file, form)
        elif options["only_counts"]:
            _tell_counts(_counts(client, question), as_json=options["as_json"])
        else:
            _tell(client, question, options["most"], as_json=options["as_json"])


def _form_of(file: Path) -> str:
    """The form of a new file, by its name. UsageError when it is none, or the file is there."""
    form = _FORMS.get(file.suffix.lower())
    if form is None:
        raise click.BadParameter(
            "Give a name that ends with .csv, .xlsx or .ndjson.", param_hint="--export"
        )
    if file.exists():
        raise click.BadParameter(
            f"{file} exists already. Give another name, or remove it.", param_hint="--export"
        )
    return form


def _take_away(client: Client, question: _Question, file: Path, form: str) -> None:
    try:
        with being_written(file) as written:
            client.shared_file(
                question.filters,
                purpose=question.purpose,
                legal_basis=question.legal_basis,
                case=question.case,
                form=form,
                into=written,
            )
            size = written.tell()
    except OSError as error:
        raise FileNotWrittenError(error.strerror or "its folder refuses it") from error
    say(f"{file} holds what is shared with you ({size:,} bytes).")
    notice("The handling conditions bind you. Erase each record on its day expires_on.")


def _filters(options: Mapping[str, Any]) -> dict[str, str]:
    since: datetime | None = options["seen_since"]
    given = {
        name: options[name]
        for name in ("owner", "kind", "role", "barrier_step", "substance", "tlp")
        if options[name] is not None
    }
    if since is not None:
        given["seen_since"] = since.date()
    return {name: str(value) for name, value in given.items()}


def _counts(client: Client, question: _Question) -> Sequence[SharedCount]:
    return client.shared_counts(
        question.filters,
        purpose=question.purpose,
        legal_basis=question.legal_basis,
        case=question.case,
    )


def _pages(
    client: Client, question: _Question, most: int
) -> Iterator[tuple[Sequence[SharedIndicator], bool]]:
    """The records, page by page, `most` at most, and whether there are more after them."""
    cursor = None
    left = most
    while left > 0:
        page = client.shared(
            question.filters,
            purpose=question.purpose,
            legal_basis=question.legal_basis,
            case=question.case,
            limit=min(left, MOST_SHARED),
            cursor=cursor,
        )
        yield page.indicators, page.next is not None
        left -= len(page.indicators)
        cursor = page.next
        if cursor is None or not page.indicators:
            return


def _tell(client: Client, question: _Question, most: int, *, as_json: bool) -> None:
    found: list[SharedIndicator] = []
    more = False
    for page, more in _pages(client, question, most):  # noqa: B007 - the last one says it
        if as_json:
            for each in page:
                say(json.dumps(each.raw))
        found += page
    if not as_json:
        if found:
            results().print(_table(found))
        say(f"{counted(len(found), 'record')} shared with you.")
    if more:
        notice("There are more. Narrow the question, or raise --most.")


def _table(found: Sequence[SharedIndicator]) -> Table:
    table = Table("Organisation", "Kind", "Role", "Step", "Observed", "Conditions", "Indicator")
    for each in found:
        step = each.report.get("barrier_step")
        table.add_row(
            f"{plain(each.organisation.name)} ({plain(each.organisation.code)})",
            plain(str(each.indicator.get("kind", ""))),
            plain(str(each.indicator.get("role", ""))),
            "" if step is None else plain(str(step)),
            observed(each.indicator),
            conditions(each.indicator),
            plain(str(each.indicator.get("id", ""))),
        )
    return table


def _tell_counts(counts: Sequence[SharedCount], *, as_json: bool) -> None:
    if as_json:
        for each in counts:
            say(
                json.dumps(
                    {
                        "organisation": each.organisation,
                        "kind": each.kind,
                        "barrier_step": each.barrier_step,
                        "indicators": each.indicators,
                    }
                )
            )
        return
    if counts:
        table = Table("Organisation", "Kind", "Step", "Records")
        for each in counts:
            step = "" if each.barrier_step is None else str(each.barrier_step)
            table.add_row(plain(each.organisation), plain(each.kind), step, f"{each.indicators:,}")
        results().print(table)
    say(f"{counted(sum(each.indicators for each in counts), 'record')} shared with you.")
