"""Commands of the platform's administrator: `flask --app wsgi break-glass ...`."""

from typing import Any

import click

from app.access import CONSOLE
from app.accounts import break_glass
from app.accounts.break_glass import Glass
from app.console import RoomCommands, as_json, show
from app.runtime import runtime

commands = RoomCommands("break-glass", help="Emergency accounts: one for each organisation.")


@commands.command()
@click.argument("organisation")
@click.option(
    "--minutes", type=int, default=60, show_default=True, help="Open after its first use."
)
def make(organisation: str, minutes: int) -> None:
    """Give ORGANISATION an emergency account and print its secret, and nothing else, once."""
    with runtime().database.transaction() as session:
        secret = break_glass.make(session, CONSOLE, organisation, minutes)
    _tell(secret)


@commands.command()
@click.argument("organisation")
def seal(organisation: str) -> None:
    """Print another secret for ORGANISATION's account, once; after a use two people look first."""
    with runtime().database.transaction() as session:
        secret = break_glass.seal(session, CONSOLE, organisation)
    _tell(secret)


@commands.command()
@click.argument("organisation")
def end(organisation: str) -> None:
    """End ORGANISATION's open emergency account now, with its sessions."""
    with runtime().database.transaction() as session:
        break_glass.end(session, CONSOLE, organisation)
    click.echo("The account opens nothing any more. Two people look at what was done.")


@commands.command(name="show")
@as_json
def show_all(in_json: bool) -> None:
    """Show how the emergency accounts stand; this is written to the log."""
    with runtime().database.transaction() as session:
        found = break_glass.read_all(session, CONSOLE)
    show([_row(glass) for glass in found], in_json=in_json, empty="No emergency account yet.")


def _tell(secret: str) -> None:
    click.echo(secret)
    click.echo(
        "It is shown only now. Write it on paper, put it in an envelope that shows when it was "
        "opened, and lock it away. It is entered at /sign-in/break-glass.",
        err=True,
    )


def _row(glass: Glass) -> dict[str, Any]:
    return {
        "organisation": glass.organisation,
        "state": glass.state,
        "minutes": glass.minutes,
        "sealed_at": glass.sealed_at,
        "opened_at": glass.opened_at,
        "ends_at": glass.ends_at,
        "uses": glass.uses,
        "seen_by": glass.seen_by,
    }
