"""`flask --app wsgi barriers ...`: judge the text of a model, load the shipped one, choose."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import click

from app.access import CONSOLE
from app.barriers import closing, model_upkeep, recounting
from app.barriers.comparing import Comparison, Named, compared
from app.barriers.documents import read_model
from app.barriers.errors import ModelError
from app.barriers.model import BarrierModel, Basis, CellKind
from app.barriers.schema import written_schema
from app.barriers.words import words
from app.clock import now
from app.console import RoomCommands
from app.runtime import runtime

commands = RoomCommands("barriers", help="Barrier models: check, compare, load, choose.")

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@commands.command("check")
@click.argument("file", type=_FILE)
def check(file: Path) -> None:
    """Check the barrier model in FILE, and tell what it holds and what it lacks."""
    for line in _told(_model(file)):
        click.echo(line)


@commands.command("compare")
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE)
def compare(before: Path, after: Path) -> None:
    """Tell what the model in AFTER adds, removes and changes of that in BEFORE."""
    found = compared(_model(before), _model(after))
    for line in _differences(found):
        click.echo(line)


@commands.command("schema")
def schema() -> None:
    """Print the JSON Schema of a barrier model, for editors that complete and warn."""
    click.echo(written_schema(), nl=False)


@commands.command("load")
def load() -> None:
    """Put the shipped model in force as the platform's own; a duty does the same every hour."""
    try:
        with runtime().database.transaction() as session:
            count = model_upkeep.load_shipped(session)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo("The shipped model is in force." if count else "It was in force already.")


@commands.command("count")
def count() -> None:
    """Count the reports of the last week that is over anew; a duty does it once a week."""
    with runtime().database.transaction() as session:
        counted = closing.recount(session, now())
    click.echo(f"{counted} reports counted.")


@commands.command("compare-counts")
def compare_counts() -> None:
    """Count all reports again and tell what differs from the board; a duty does it every week."""
    at, compared, differing = now(), 0, 0
    while True:
        with runtime().database.transaction() as session:
            found = recounting.compare(session, at)
        if not found.compared:
            break
        compared += found.compared
        differing += len(found.differences)
        for each in found.differences:
            click.echo(f"{each.day}: {each.stored} reports stand, {each.counted} are right")
    click.echo(f"{compared} days compared, {differing} differ; the next closing counts those anew.")


@commands.command("choose")
@click.argument("community")
@click.argument("model", type=click.UUID)
def choose(community: str, model: UUID) -> None:
    """Let the members of COMMUNITY use MODEL (its id here) unless they choose another one."""
    with runtime().database.transaction() as session:
        model_upkeep.choose_for_community(session, CONSOLE, community, model)
    click.echo(f"{community} uses {model} from now on, where a member did not choose.")


def _model(path: Path) -> BarrierModel:
    try:
        return read_model(path.read_text(encoding="utf-8-sig"), path.name)
    except ModelError as error:
        raise click.ClickException(str(error)) from None
    except UnicodeDecodeError:
        raise click.ClickException(f"{path.name} is not UTF-8. Save it as UTF-8 text.") from None


def _told(model: BarrierModel) -> Iterator[str]:
    title, _ = model.title.said(model.languages[0])
    names = words("en").names
    yield f"{title}, version {model.version}: {model.label('en')}."
    kinds = Counter(kind for step in model.steps for kind, _ in step.cells)
    told = "; ".join(f"{names['column'][kind]}: {kinds[kind]}" for kind in CellKind)
    yield f"Steps: {len(model.steps)}; {told}."
    bases = Counter(cell.basis for step in model.steps for _, cell in step.cells)
    told = "; ".join(f"{names['basis'][basis]}: {bases[basis]}" for basis in Basis)
    yield f"What they rest on: {told}."
    suggested = sum(signal.suggest is not None for _, signal in model.signals)
    yield f"Signals that a rule suggests: {suggested}."
    for step in model.steps:
        held = {kind for kind, _ in step.cells}
        lacking = [names["column"][kind] for kind in CellKind if kind not in held]
        if lacking:
            yield f"Step {step.number} has no {', no '.join(lacking)}."


def _differences(found: Comparison) -> Iterator[str]:
    yield from found.objections
    if found.is_empty:
        yield "Nothing differs."
    if found.heading:
        yield f"of the document: {', '.join(found.heading)}"
    yield from (f"added     {_name(each)}" for each in found.added)
    yield from (f"removed   {_name(each)}" for each in found.removed)
    yield from (f"moved     {_name(each.named)}, before {each.step_before}" for each in found.moved)
    yield from (
        f"reworded  {_name(each.named)} ({', '.join(each.languages)})" for each in found.reworded
    )
    yield from (f"changed   {_name(each)}" for each in found.changed)


def _name(named: Named) -> str:
    return f"step {named.step}: {named.part} {named.key}"
