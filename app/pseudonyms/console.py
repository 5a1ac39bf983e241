"""`flask --app wsgi keys ...`: key epochs and evaluation allowances, by the administrator."""

import click

from app.access import CONSOLE
from app.console import RoomCommands
from app.pseudonyms import service
from app.pseudonyms.models import Window
from app.runtime import runtime
from postern.vocabulary import EvaluationKind

commands = RoomCommands("keys", help="Evaluation keys and the quotas on their use.")


@commands.command("open")
def open_() -> None:
    """Open the first key epoch of every kind that has none; safe to repeat."""
    with runtime().database.transaction() as session:
        opened = service.open_first_epochs(session, CONSOLE)
    click.echo(f"Opened: {', '.join(kind.value for kind in opened) or 'none missing'}")
    click.echo(f"Fingerprint of the key document: {service.directory_fingerprint()}")


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
