"""`flask --app wsgi barriers ...`: judge the text of a model, before anybody loads it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from app.barriers.comparing import Comparison, Named, compared
from app.barriers.documents import read_model
from app.barriers.errors import ModelError
from app.barriers.model import BarrierModel, Basis, CellKind
from app.barriers.schema import written_schema
from app.barriers.words import words
from app.console import RoomCommands

commands = RoomCommands("barriers", help="Barrier models: check a text, compare two versions.")

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
