"""`flask --app wsgi budgets ...`: how many different values an organisation may look up."""

import click

from app.access import CONSOLE
from app.console import RoomCommands
from app.lookups import value_budget
from app.pseudonyms.models import Window
from app.runtime import runtime
from postern.vocabulary import Kind

commands = RoomCommands("budgets", help="Budgets of different values that are looked up.")


@commands.command("allow")
@click.argument("organisation")
@click.argument("kind", type=click.Choice([kind.value for kind in Kind]))
@click.option("--day", type=click.IntRange(min=1), required=True)
@click.option("--month", type=click.IntRange(min=1), required=True)
def allow(organisation: str, kind: str, day: int, month: int) -> None:
    """Let ORGANISATION look up its own number of different values of KIND a day and a month."""
    if day > month:
        raise click.UsageError("Order the allowance: day <= month.")
    with runtime().database.transaction() as session:
        value_budget.allow(
            session,
            CONSOLE,
            organisation,
            Kind(kind),
            {Window.DAY: day, Window.MONTH: month},
        )
    click.echo(f"{organisation} may look up {kind}: {day} different values a day, {month} a month")
