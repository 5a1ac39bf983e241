"""`postern patterns fetch | tell | outcome`: patterns that others share, and how they fare."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from postern.client_errors import ClientError
from postern.client_screening import Screenings
from postern.commands.terminal import (
    Chosen,
    ExitCode,
    counted,
    notice,
    require_scopes,
    say,
    session,
)
from postern.pattern_folder import held_by_rule, keep_subscribed
from postern.screening_results import JSON
from postern.vocabulary import Scope

_FOLDER = click.Path(path_type=Path, file_okay=False)


class ResultsError(ClientError):
    """A directory holds no results of `postern screen`."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"There are no readable results {path}. Name the directory that `postern screen` wrote."
        )


class _PastDay(click.ParamType[date]):
    """Today or a day before, as 2026-11-30."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            found = value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            self.fail("it is not a day: write it as 2026-11-30", param, ctx)
        if found > _today():
            self.fail("the day is still to come", param, ctx)
        return found


@click.command()
@click.argument("folder", metavar="FOLDER", type=_FOLDER)
@click.pass_context
def fetch(context: click.Context, folder: Path) -> None:
    """Bring FOLDER to the shared patterns that your organisation subscribed to.

    What is deprecated, expired or shared with you no more is removed from it. Files of your own in
    the folder stay. Screen with `postern screen --patterns FOLDER`.

    Ends with 3 when a pattern could not be used.
    """
    chosen: Chosen = context.obj
    with session(chosen.settings()) as client:
        require_scopes(client.me(), Scope.PATTERNS_READ)
        subscribed = Screenings(client.transport).subscribed()
    kept = keep_subscribed(folder, subscribed)
    for title in kept.written:
        say(f"New: {_plain(title)}")
    for _, why in kept.refused:
        notice(_plain(why))
    say(
        f"{counted(len(kept.written), 'pattern')} written, {kept.unchanged:,} unchanged, "
        f"{kept.removed:,} removed."
    )
    if kept.refused:
        context.exit(ExitCode.SOME_REJECTED)


@click.command()
@click.argument(
    "results",
    nargs=-1,
    required=True,
    metavar="RESULTS",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
)
@click.option(
    "--patterns",
    "folder",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="FOLDER",
    help="The folder of `postern patterns fetch` that was screened with.",
)
@click.option("--day", type=_PastDay(), metavar="DATE", help="When it was screened; else today.")
@click.pass_obj
def tell(chosen: Chosen, /, results: tuple[Path, ...], folder: Path, day: date | None) -> None:
    """Tell how many parcels a day's RESULTS screened, and how many hit each shared pattern.

    Two numbers for each pattern, and nothing of any parcel. Name all results of the day at once:
    they are added up, and what is told of a day again replaces what was told before.
    """
    held = held_by_rule(folder)
    parcels, hits = _added(results)
    told = 0
    with session(chosen.settings()) as client:
        require_scopes(client.me(), Scope.PATTERNS_WRITE)
        screenings = Screenings(client.transport)
        for rule, number in parcels.items():
            pattern = held.get(rule)
            if pattern is not None:
                screenings.tell_run(
                    pattern.id, pattern.version, day or _today(), number, hits[rule]
                )
                told += 1
    say(f"Told of {counted(told, 'shared pattern')}.")


@click.command()
@click.argument("pattern", metavar="ID")
@click.option("--version", type=click.IntRange(1), required=True, metavar="NUMBER")
@click.option("--day", type=_PastDay(), metavar="DATE", help="When it was examined; else today.")
@click.option("--found", type=click.IntRange(0), default=0, help="Parcels with drugs.")
@click.option("--not-found", type=click.IntRange(0), default=0, help="Parcels without.")
@click.option(
    "--wrong", type=click.IntRange(0), default=0, help="Parcels that the pattern misread."
)
@click.pass_obj
def outcome(
    chosen: Chosen,
    /,
    *,
    pattern: str,
    version: int,
    day: date | None,
    found: int,
    not_found: int,
    wrong: int,
) -> None:
    """Tell what the examined hits of a shared pattern came to on a day, in numbers.

    All who may see the pattern see its precision; numbers below five are never shown. What is told
    of a day again replaces what was told before.
    """
    if not found + not_found + wrong:
        raise click.UsageError("Nothing was examined. Give --found, --not-found or --wrong.")
    with session(chosen.settings()) as client:
        require_scopes(client.me(), Scope.PATTERNS_WRITE)
        Screenings(client.transport).tell_outcomes(
            pattern, version, day or _today(), found=found, not_found=not_found, wrong=wrong
        )
    say(f"Told of {counted(found + not_found + wrong, 'examined parcel')}.")


def _added(results: Sequence[Path]) -> tuple[Counter[str], Counter[str]]:
    """Parcels screened with each rule, and its hits, over all results."""
    parcels: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for directory in results:
        path = directory / JSON
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            screened = int(document["account"]["screened"])
            for each in document["patterns"]:
                parcels[str(each["id"])] += screened
                hits[str(each["id"])] += int(each["hits"])
        except (OSError, ValueError, TypeError, KeyError):
            raise ResultsError(path) from None
    return parcels, hits


def _plain(text: str) -> str:
    """A text from outside that can do nothing to a terminal."""
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)


def _today() -> date:
    return datetime.now(UTC).date()
