"""`postern screen`: a manifest against shipping patterns, where the manifest lies."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from postern.commands.screen_tokens import (
    LISTED,
    Run,
    listed_as_json,
    require_tokens,
    screen_against,
    tell_tokens,
    token_options,
)
from postern.commands.terminal import Chosen, counted, notice, progress, say, written_moment
from postern.duckdb_engine import Engine
from postern.manifest import Prepared, Progress, prepare
from postern.manifest_mapping import ManifestMapping, load_mapping
from postern.patterns.files import filters_of, rules_of
from postern.patterns.words import LANGUAGES
from postern.private_files import write_private
from postern.screening import Screening, in_force
from postern.screening import screen as screened
from postern.screening_results import CSV, HTML, JSON, PARQUET, write_results
from postern.screening_spark import Spark
from postern.token_screening import TokenScreening

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_PLACE = click.Path(path_type=Path, exists=True)
_MOST = 10_000


def patterns_option(command: Decorated) -> Decorated:
    """--patterns: files and folders of rules."""
    return click.option(
        "--patterns",
        "paths",
        multiple=True,
        required=True,
        type=_PLACE,
        metavar="FILES",
        help="A file or folder of rules; may be given several times.",
    )(command)


@click.command()
@click.argument("manifest", metavar="MANIFEST", type=_FILE)
@patterns_option
@click.option(
    "--filters", multiple=True, type=_PLACE, metavar="FILES", help="What is kept out of the hits."
)
@click.option("--mapping", type=_FILE, metavar="FILE", help="How the columns are read.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIRECTORY",
    help="Where the results go; else MANIFEST-hits beside it.",
)
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="What finds the hits; both find the same.",
)
@click.option("--master", metavar="URL", help="The Spark master, such as spark://host:7077.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@click.option(
    "--most",
    type=click.IntRange(1),
    default=_MOST,
    show_default=True,
    metavar="NUMBER",
    help="The highest hits that get their reasons in words; Parquet has them all.",
)
@click.option("--memory", type=click.IntRange(200), default=700, show_default=True, metavar="MIB")
@token_options
@click.pass_obj
def screen(chosen: Chosen, /, manifest: Path, paths: tuple[Path, ...], **options: Any) -> None:
    """Screen MANIFEST (CSV, Excel or Parquet) against shipping patterns.

    Nothing is sent: the manifest stays where it lies. The results name lines, items and reasons,
    and no person. A hit is a reason to look; what is done is decided by a person.

    With --tokens, senders and addressees of the parcels that a pattern points to are compared with
    a token filter too: blinded, so that the platform learns how many, and of no parcel. Only what
    is on the list is looked up, for the filter's purpose and --case.
    """
    rules, ended = in_force(rules_of(paths), _today())
    for rule in ended:
        notice(f"Left out, as it expired or is deprecated: {rule.title}")
    if not rules:
        raise click.UsageError("No rule is in force. Give --patterns a file with one that is.")
    require_tokens(options)
    filters = filters_of(options["filters"])
    out: Path = options["out"] or manifest.with_name(f"{manifest.name}-hits")
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    finder = Spark(options["master"]) if options["engine"] == "spark" else None
    with (
        tempfile.TemporaryDirectory(prefix=".work-", dir=out) as directory,
        running_engine(Path(directory), memory_mib=options["memory"]) as engine,
        _shown(manifest.stat().st_size) as tell,
    ):
        work = Path(directory)
        tokens: Path | None = options["tokens"]
        made = prepared_manifest(
            manifest, options["mapping"], work, engine, tell, keeps_cells=tokens is not None
        )
        listed: TokenScreening | None = None
        if tokens:
            listed = screen_against(
                chosen.settings(), tokens, options, Run(made, rules, filters, engine, work, tell)
            )
            made = listed.prepared
        found = screened(
            made,
            rules,
            filters,
            engine,
            work=work,
            most=options["most"],
            language=options["language"],
            progress=tell,
            finder=finder,
        )
        tell("writing", 0)
        about = f"{manifest.name}, {written_moment(datetime.now(UTC))}"
        write_results(found, engine, out, options["language"], about)
        made.faults.replace(out / "faults.csv")
        if listed:
            write_private(out / LISTED, listed_as_json(listed))
    _tell(found, out)
    if listed:
        tell_tokens(listed, out)


def prepared_manifest(
    manifest: Path,
    mapping: Path | None,
    work: Path,
    engine: Engine,
    tell: Progress,
    *,
    keeps_cells: bool = False,
) -> Prepared:
    """The manifest, read as a mapping file says or as it is recognised."""
    known = load_mapping(mapping) if mapping else ManifestMapping()
    return prepare(manifest, work, known, engine, tell, keeps_cells=keeps_cells)


@contextmanager
def running_engine(work: Path, *, memory_mib: int = 700) -> Iterator[Engine]:
    """DuckDB in a directory of its own, closed at the end."""
    engine = Engine(work, memory_mib=memory_mib)
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def _shown(size: int) -> Iterator[Progress]:
    """A progress bar for each thing that is done."""
    with progress("{task.description}") as bar:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int) -> None:
            if what not in tasks:
                for task in tasks.values():
                    bar.update(task, completed=bar.tasks[task].total)
                tasks[what] = bar.add_task(what, total=size if what == "reading" else 100)
            if what == "reading":
                bar.advance(tasks[what], done)
            else:
                bar.update(tasks[what], completed=done)

        yield tell


def _tell(found: Screening, out: Path) -> None:
    account = found.account
    say(
        f"{counted(account.lines, 'line')}: {counted(account.header, 'header')}, "
        f"{account.blank:,} blank, {account.rejected:,} not readable, "
        f"{account.screened:,} screened."
    )
    if account.flawed or account.rejected:
        say(f"{counted(account.flawed, 'parcel')} with a doubtful field: {out / 'faults.csv'}")
    if account.unused_columns:
        notice(f"Columns that were not read: {', '.join(account.unused_columns)}")
    say(f"{counted(found.parcels, 'parcel')} hit.")
    for rule in sorted(found.rules, key=lambda each: -found.by_rule[each.id]):
        if found.by_rule[rule.id]:
            say(f"{found.by_rule[rule.id]:>9,}  {rule.level:<8}  {rule.title}")
    say(f"Results: {', '.join((HTML, CSV, JSON, PARQUET))} in {out}")


def _today() -> date:
    return datetime.now(UTC).date()
