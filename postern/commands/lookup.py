"""`postern lookup`: does anyone hold an indicator that matches this value?"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from postern.client import MOST_QUERIES, Client, Hit, LookupResult, QueryResult
from postern.commands.evaluating import pseudonymiser
from postern.commands.indicator_words import conditions, observed, plain
from postern.commands.options import Why, why, why_of
from postern.commands.terminal import (
    Chosen,
    ExitCode,
    connected,
    counted,
    require_scopes,
    results,
    say,
    written_moment,
)
from postern.commands.values import Asked, asked_values, tell_faults, value_options
from postern.pseudonymise import Pseudonymiser
from postern.report_form import query
from postern.terms import Fault
from postern.vocabulary import Level, Scope


@click.command()
@why
@value_options
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
    asked, faults = asked_values(options, settings.defaults)
    why_asked = why_of(options, settings.defaults)
    tell_faults(faults)
    told = _Told(as_json=options["as_json"])
    if asked:
        with connected(settings) as (client, ring):
            require_scopes(client.me(), Scope.EVALUATE, Scope.LOOKUPS_WRITE)
            ring.refresh()
            with pseudonymiser(
                client, ring, settings.keys, purpose=why_asked.purpose, case=why_asked.case
            ) as made:
                for few, answer in look_up(asked, client, made, why_asked):
                    told.take(few, answer)
    told.end(faults)
    if faults:
        context.exit(ExitCode.SOME_REJECTED)


def look_up(
    asked: Iterable[Asked], client: Client, made: Pseudonymiser, why_asked: Why
) -> Iterator[tuple[Sequence[Asked], LookupResult]]:
    """The answers, a hundred values at a time, each beside what was asked. Raises ClientError."""
    rest = iter(asked)
    while few := list(islice(rest, MOST_QUERIES)):
        pseudonyms = made.pseudonymise([each.value for each in few])
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
                        "lookup": answer.lookup,
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
