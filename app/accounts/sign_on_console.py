"""Commands of the platform's administrator: `flask --app wsgi sso ...`."""

from typing import Any

import click

from app.accounts import sign_on_ending
from app.accounts.sign_on_ending import Linked, Standing
from app.console import RoomCommands, as_json, show
from app.runtime import runtime

commands = RoomCommands("sso", help="Single sign-on: providers of members and who is linked.")


@commands.command(name="show")
@click.option("--organisation", help="The linked accounts of the organisation with this code.")
@as_json
def show_all(organisation: str | None, in_json: bool) -> None:
    """Show the providers of all members, or who is linked with one; this is written to the log."""
    with runtime().database.transaction() as session:
        if organisation is None:
            rows = [_provider(each) for each in sign_on_ending.read_all(session)]
        else:
            rows = [_linked(each) for each in sign_on_ending.read_links(session, organisation)]
    empty = "No provider of sign-in yet." if organisation is None else "Nobody is linked."
    show(rows, in_json=in_json, empty=empty)


@commands.command()
@click.argument("organisation", required=False)
@click.option("--sessions", is_flag=True, help="Only the sessions that it began; links stay.")
@click.option("--login", help="Only the link of this account, with its sessions.")
def end(organisation: str | None, login: str | None, *, sessions: bool) -> None:
    """End ORGANISATION's provider with its links and sessions, or a part of it; at once."""
    if (organisation is None) == (login is None) or (login and sessions):
        raise click.UsageError("Say ORGANISATION, ORGANISATION --sessions, or --login LOGIN.")
    with runtime().database.transaction() as session:
        if login is not None:
            ended = sign_on_ending.end_link(session, login)
            told = f"The link is ended. Sessions ended: {ended}"
        elif sessions:
            ended = sign_on_ending.end_sessions(session, organisation or "")
            told = f"Sessions ended: {ended}. People may sign in by the provider again."
        else:
            sign_on_ending.end_provider(session, organisation or "")
            told = "The provider is ended, with its links and sessions. Passwords go on."
    click.echo(told)


def _provider(each: Standing) -> dict[str, Any]:
    return {
        "organisation": each.organisation,
        "state": each.state.value,
        "issuer": each.issuer,
        "client_id": each.client_id,
        "proposed_at": each.proposed_at,
        "linked": each.links,
        "sessions": each.sessions,
    }


def _linked(each: Linked) -> dict[str, Any]:
    return {
        "login": each.login,
        "person": each.person,
        "linked_at": each.linked_at,
        "sessions": each.sessions,
    }
