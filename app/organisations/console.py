"""Commands of the platform's administrator: `flask --app wsgi organisations ...`."""

from dataclasses import asdict

import click

from app.access import CONSOLE
from app.console import RoomCommands, as_json, show
from app.organisations import service
from app.organisations.models import OrganisationStatus
from app.runtime import runtime
from postern.vocabulary import Sector

commands = RoomCommands("organisations", help="Members of the exchange and their communities.")


@commands.command()
@click.argument("code")
@click.option("--name", required=True, help="Name for people.")
@click.option(
    "--sector",
    required=True,
    type=click.Choice([sector.value for sector in Sector]),
    help="What the organisation is.",
)
@click.option("--country", required=True, help="ISO 3166-1 alpha-2 code, such as BE.")
def create(code: str, name: str, sector: str, country: str) -> None:
    """Let an organisation join under CODE (2 to 40 of a-z, 0-9 and -), which never changes."""
    with runtime().database.transaction() as session:
        service.create(
            session, CONSOLE, code=code, name=name, sector=Sector(sector), country=country
        )
    click.echo(f"Organisation {code} joined.")


@commands.command(name="list")
@as_json
def list_command(in_json: bool) -> None:
    """List the organisations, suspended ones too."""
    with runtime().database.transaction() as session:
        members = service.list_all(session, CONSOLE)
    show([asdict(member) for member in members], in_json=in_json, empty="No organisation yet.")


@commands.command()
@click.argument("code")
def suspend(code: str) -> None:
    """Shut CODE out at once: its people cannot sign in, its tokens are refused."""
    _set_status(code, OrganisationStatus.SUSPENDED)
    click.echo(f"Organisation {code} is suspended.")


@commands.command()
@click.argument("code")
def activate(code: str) -> None:
    """Let a suspended organisation in again."""
    _set_status(code, OrganisationStatus.ACTIVE)
    click.echo(f"Organisation {code} is active.")


@commands.command()
@click.argument("code")
@click.argument("community")
@click.option("--name", default="", help="Name of the community, when it is new.")
def join(code: str, community: str, name: str) -> None:
    """Put the organisation CODE in COMMUNITY, which is made when it is new."""
    with runtime().database.transaction() as session:
        service.join(session, CONSOLE, code, community, name)
    click.echo(f"Organisation {code} is in the community {community}.")


@commands.command()
@click.argument("code")
@click.argument("community")
def leave(code: str, community: str) -> None:
    """Take the organisation CODE out of COMMUNITY."""
    with runtime().database.transaction() as session:
        service.leave(session, CONSOLE, code, community)
    click.echo(f"Organisation {code} is no longer in the community {community}.")


@commands.command()
@as_json
def communities(in_json: bool) -> None:
    """List the communities and their members."""
    with runtime().database.transaction() as session:
        found = service.list_communities(session, CONSOLE)
    show([asdict(one) for one in found], in_json=in_json, empty="No community yet.")


def _set_status(code: str, status: OrganisationStatus) -> None:
    with runtime().database.transaction() as session:
        service.set_status(session, CONSOLE, code, status)
