"""`flask --app wsgi keys ...`: key epochs and evaluation allowances, by the administrator."""

from pathlib import Path

import click

from app.access import CONSOLE
from app.console import RoomCommands
from app.pseudonyms import service
from app.pseudonyms.models import Window
from app.pseudonyms.sharing import move, share_keys
from app.runtime import runtime
from postern.client_errors import ClientError
from postern.group import InvalidScalarError, check_scalar
from postern.key_sharing import read_ceremony
from postern.vocabulary import EvaluationKind

commands = RoomCommands("keys", help="Evaluation keys and the quotas on their use.")


@commands.command("open")
def open_() -> None:
    """Open the first key epoch of every kind that has none; safe to repeat."""
    with runtime().database.transaction() as session:
        opened = service.open_first_epochs(session, CONSOLE)
    click.echo(f"Opened: {', '.join(kind.value for kind in opened) or 'none missing'}")
    click.echo(f"Fingerprint of the key document: {service.directory_fingerprint()}")


@commands.command("share")
@click.argument("ceremony", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def share(ceremony: Path) -> None:
    """Open the keys of the file CEREMONY, which the platform holds with others.

    Only for kinds that have no key yet: before `keys open`, which opens the rest.
    """
    try:
        public = read_ceremony(ceremony.read_bytes())
    except ClientError as error:
        raise click.ClickException(str(error)) from None
    with runtime().database.transaction() as session:
        opened = share_keys(session, CONSOLE, public)
    names = ", ".join(each.name for each in public.holders)
    click.echo(f"Shared with {names}: {', '.join(kind.value for kind in opened)}")
    click.echo(f"Digest of the ceremony: {public.digest()}")


@commands.command("move-sharing")
@click.argument("kind", type=click.Choice([kind.value for kind in EvaluationKind]))
@click.argument("old", type=click.IntRange(min=1))
@click.option(
    "--factor-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    help="The 32 bytes of the rotation.",
)
def move_sharing(kind: str, old: int, factor_file: Path) -> None:
    """Publish how the key of the epoch after OLD of KIND is shared, for a rotation.

    The holders move their shares by the same factor (`holder move`).
    """
    factor = factor_file.read_bytes()
    try:
        check_scalar(factor)
    except InvalidScalarError as error:
        raise click.ClickException(str(error)) from None
    with runtime().database.transaction() as session:
        move(session, CONSOLE, EvaluationKind(kind), old, factor)
    click.echo(f"The key of {kind}, epoch {old + 1}, is shared as that of epoch {old}.")


@commands.command("list")
def list_() -> None:
    """List the key epochs and the fingerprint that clients compare."""
    with runtime().database.reading() as session:
        for each in service.epochs(session):
            click.echo(
                f"{each.kind.value:10} epoch {each.epoch:<4} norm {each.norm:<4} "
                f"{each.valid_from:%Y-%m-%d} to {each.valid_to:%Y-%m-%d}"
            )
    click.echo(f"Fingerprint of the key document: {service.directory_fingerprint()}")


@commands.command("allow")
@click.argument("organisation")
@click.argument("kind", type=click.Choice([kind.value for kind in EvaluationKind]))
@click.option("--hour", type=click.IntRange(min=1), required=True)
@click.option("--day", type=click.IntRange(min=1), required=True)
@click.option("--month", type=click.IntRange(min=1), required=True)
def allow(organisation: str, kind: str, hour: int, day: int, month: int) -> None:
    """Give ORGANISATION its own number of evaluations of KIND per hour, day and month."""
    if not hour <= day <= month:
        raise click.UsageError("Order the allowance: hour <= day <= month.")
    with runtime().database.transaction() as session:
        service.allow(
            session,
            CONSOLE,
            organisation,
            EvaluationKind(kind),
            {Window.HOUR: hour, Window.DAY: day, Window.MONTH: month},
        )
    click.echo(f"{organisation} may evaluate {kind}: {hour} an hour, {day} a day, {month} a month")
