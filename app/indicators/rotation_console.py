"""`flask --app wsgi keys rotate|rotations|close-epoch|rotation-proof|draw-factor`: rotate keys."""

import os
from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from app.access import CONSOLE
from app.console import as_json, show
from app.errors import NotFoundError
from app.indicators import rotating
from app.organisations.models import Organisation
from app.pseudonyms import rotation as rotations
from app.pseudonyms.console import commands
from app.pseudonyms.moved_shares import Standing, require_moved
from app.pseudonyms.rotation_models import RotationState
from app.pseudonyms.service import open_epoch
from app.runtime import runtime
from postern import group
from postern.vocabulary import EvaluationKind

LONGEST_OVERLAP = 366  # days

_KINDS = click.Choice([kind.value for kind in EvaluationKind])


@click.command("rotate")
@click.option("--kind", "kinds", type=_KINDS, multiple=True, help="Only this kind; repeatable.")
@click.option(
    "--overlap-days",
    type=click.IntRange(0, LONGEST_OVERLAP),
    default=14,
    show_default=True,
    help="How long the old epoch is still taken after the new one opens.",
)
@click.option(
    "--factor-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="By which holders moved their shares, for the one kind that they share.",
)
@click.option(
    "--prepare",
    is_flag=True,
    help="Only draw the keys, where web service and worker have secrets of their own.",
)
@click.option("--work", is_flag=True, help="Begin nothing; do what can be done of those that run.")
@with_appcontext
def rotate(
    kinds: tuple[str, ...],
    overlap_days: int,
    factor_file: Path | None,
    prepare: bool,
    work: bool,
) -> None:
    """Draw new evaluation keys and move what is stored, while everybody works on.

    Interrupted, it is gone on with by the periodic duties, or by `--work`.
    """
    if prepare and work:
        raise click.UsageError("Use --prepare or --work, not both.")
    if not work:
        chosen = [EvaluationKind(kind) for kind in dict.fromkeys(kinds)] or list(EvaluationKind)
        factor = None if factor_file is None else _read_factor(factor_file)
        if factor is not None and len(chosen) != 1:
            raise click.UsageError("A factor moves the key of one kind: name it with --kind.")
        if prepare:
            _prepare(chosen, factor)
            return
        _begin(chosen, overlap_days, factor)
    with runtime().database.reading() as session:
        if not rotating.may_work(session):
            click.echo(
                "This database role may not read the vault: the rows wait for a process whose "
                "role may. Give it its rights with: python -m app grants ROLE --for vault"
            )
            return
    while _step():
        pass
    with runtime().database.reading() as session:
        for standing in rotating.progress(session):
            if standing.rotation.state is not RotationState.DONE:
                click.echo(_told(standing))


@click.command("draw-factor")
@click.option("--to", "path", required=True, type=click.Path(path_type=Path, dir_okay=False))
def draw_factor(path: Path) -> None:
    """Write a new factor by which holders move their shares of a key, before `rotate`.

    It tells nothing of the key; whoever has it and the old key knows the new one. Delete it, here
    and at the holders, once all have moved.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(
            f"{path} cannot be written ({error.strerror}). Name a new file."
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(group.random_scalar())
    click.echo(f"Wrote {path}. Give it to every holder, and to `keys move-sharing`.")


@click.command("rotations")
@as_json
@with_appcontext
def list_(in_json: bool) -> None:
    """List rotations: their state, what is left of it, and the head of their proof."""
    with runtime().database.reading() as session:
        rows = [
            {
                "kind": each.rotation.kind.value,
                "from": each.rotation.old_epoch,
                "to": each.rotation.new_epoch,
                "state": each.rotation.state.value,
                "left": each.left,
                "watches": each.waiting,
                "chunks": each.rotation.chunks,
                "elements": each.rotation.elements,
                "began": each.rotation.began_at,
                "ended": each.rotation.done_at,
                "head": bytes(each.rotation.head).hex(),
            }
            for each in rotating.progress(session)
        ]
    show(rows, in_json=in_json, empty="No key was rotated.")


@click.command("close-epoch")
@click.argument("kind", type=_KINDS)
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def close_epoch(kind: str, yes: bool) -> None:
    """Close the old epoch of KIND before its time; watches that have only its tokens go deaf."""
    evaluated = EvaluationKind(kind)
    with runtime().database.reading() as session:
        found = rotations.running(session, evaluated)
        lost = 0 if found is None else rotations.waiting(session, found)
    if not yes:
        click.confirm(f"{lost} watches will answer nothing any more. Close?", abort=True)
    with runtime().database.transaction() as session:
        lost = rotations.close_now(session, CONSOLE, evaluated)
    click.echo(f"Closed. {lost} watches answer nothing any more.")


@click.command("rotation-proof")
@click.argument("kind", type=_KINDS)
@click.argument("epoch", type=click.IntRange(2, 32767))
@click.option("--to", "path", required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--organisation", metavar="CODE", help="With the rows of this organisation.")
@with_appcontext
def rotation_proof(kind: str, epoch: int, path: Path, organisation: str | None) -> None:
    """Write the proof of the rotation of KIND to EPOCH: see `postern keys verify-rotation`."""
    with runtime().database.transaction() as session, path.open("x", encoding="utf-8") as file:
        path.chmod(0o600)
        owner = None
        if organisation is not None:
            owner = session.scalar(select(Organisation.id).where(Organisation.code == organisation))
            if owner is None:
                raise NotFoundError(f"There is no organisation {organisation}.")
        count = -1
        for line in rotations.read_proof(
            session, CONSOLE, EvaluationKind(kind), epoch, owner=owner, organisation=organisation
        ):
            file.write(line + "\n")
            count += 1
    click.echo(f"Wrote {path} with {count} chunks.")


def install() -> None:
    """Put the commands beside those of the room that owns the keys."""
    for command in (rotate, list_, close_epoch, rotation_proof, draw_factor):
        commands.add_command(command)


def _read_factor(path: Path) -> bytes:
    factor = path.read_bytes()
    try:
        group.check_scalar(factor)
    except group.InvalidScalarError as error:
        raise click.ClickException(f"{path} holds no factor: {error}") from None
    return factor


def _begin(kinds: list[EvaluationKind], overlap_days: int, factor: bytes | None) -> None:
    """Begin a rotation of each kind; holders of a shared key are asked first."""
    if factor is not None:
        _ask_holders(kinds[0])
    with runtime().database.transaction() as session:
        begun = rotations.begin(session, CONSOLE, kinds, overlap_days, factor)
    for each in begun:
        click.echo(f"{each.kind.value}: epoch {each.old_epoch} moves to {each.new_epoch}")


def _prepare(kinds: list[EvaluationKind], factor: bytes | None) -> None:
    """Draw the keys, and say which files other processes need before the rotation begins."""
    with runtime().database.reading() as session:
        for path in rotations.prepare(session, kinds, factor):
            click.echo(f"Wrote {path}.")
    click.echo(
        "Copy these, for their users alone, to the secrets of the web service and of the worker; "
        "then give the command again without --prepare. Delete the copies once it is done."
    )


def _ask_holders(kind: EvaluationKind) -> None:
    """Return when enough holders moved their shares of a kind, and name those that did not."""
    with runtime().database.reading() as session:
        new = open_epoch(session, kind) + 1
        found = require_moved(session, runtime().settings.holders, kind, new)
    for name, each in found.items():
        if each is not Standing.MOVED:
            click.echo(
                f"Holder {name} {each.value}, {kind.value}/{new}. Enough others do; until it runs "
                "`holder move` as well, one less may fail."
            )


def _step() -> bool:
    """One transaction of work; whether there may be more."""
    with runtime().database.transaction() as session:
        did = False
        for rotation in rotations.all_running(session):
            did |= rotating.step(session, rotation)[0] > 0
        return did


def _told(each: rotating.Progress) -> str:
    what = f"{each.rotation.kind.value}: {each.rotation.state.value}"
    if each.rotation.state is RotationState.OVERLAPPING:
        return f"{what}; {each.waiting} watches need the old epoch, {each.left} rows are left"
    return f"{what}; {each.left} rows are left"
