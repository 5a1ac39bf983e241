"""`postern patterns fetch | tell | outcome`: patterns that others share, and how they fare."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
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
from postern.pattern_folder import fetched, keep_subscribed
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
@click.pass_context
def tell(
    context: click.Context, /, results: tuple[Path, ...], folder: Path, day: date | None
) -> None:
    """Tell how many parcels a day's RESULTS screened, and how many hit each shared pattern.

    Two numbers for each version of a pattern, and nothing of any parcel. Name all results of the
    day at once: they are added up, and what is told of a day again replaces what was told before.

    What a pattern was screened with, the results say themselves: a version that was fetched since
    makes no difference, and a text that was never fetched is not told of. Then it ends with 3.
    """
    chosen: Chosen = context.obj
    known = fetched(folder)
    screened = _added(results)
    shared = {each.rule for each in known.values()}
    with session(chosen.settings()) as client:
        require_scopes(client.me(), Scope.PATTERNS_WRITE)
        screenings = Screenings(client.transport)
        told = [known[digest] for digest in screened if digest in known]
        for pattern in told:
            counts = screened[pattern.sha256]
            screenings.tell_run(
                pattern.id, pattern.version, day or _today(), counts.parcels, counts.hits
            )
    say(f"Told of {counted(len(told), 'shared pattern')}.")
    changed = [
        each.title
        for digest, each in screened.items()
        if each.rule in shared and digest not in known
    ]
    for title in changed:
        notice(f"Not told, for its text is none that was fetched: {_plain(title)}")
    if changed:
        context.exit(ExitCode.SOME_REJECTED)


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


@dataclass
class _Counts:
    """Of one text of a rule over all results."""

    rule: str
    title: str
    parcels: int = 0
    hits: int = 0


def _added(results: Sequence[Path]) -> dict[str, _Counts]:
    """Parcels screened with each text, by its digest, and its hits, over all results."""
    found: dict[str, _Counts] = {}
    for directory in results:
        path = directory / JSON
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            screened = int(document["account"]["screened"])
            for each in document["patterns"]:
                new = _Counts(str(each["id"]), str(each["title"]))
                counts = found.setdefault(str(each["sha256"]), new)
                counts.parcels += screened
                counts.hits += int(each["hits"])
        except (OSError, ValueError, TypeError, KeyError):
            raise ResultsError(path) from None
    return found


def _plain(text: str) -> str:
    """A text from outside that can do nothing to a terminal."""
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)


def _today() -> date:
    return datetime.now(UTC).date()
