"""`flask --app wsgi audit witness ...` and the alarms about the log, for the administrator."""

from datetime import timedelta

import click
from flask.cli import AppGroup, with_appcontext

from app.access import CONSOLE
from app.audit import witnesses
from app.audit.alarms import close_alarm, open_alarms
from app.clock import moment
from app.console import as_json, show
from app.errors import InvalidRequestError
from app.runtime import runtime

witness = AppGroup("witness", help="The witnesses of the log.")


@witness.command()
@click.argument("organisation")
@click.argument("vkey")
@click.option(
    "--address",
    metavar="URL",
    help="Where the witness takes checkpoints, without /add-checkpoint; else it fetches them.",
)
def add(organisation: str, vkey: str, address: str | None) -> None:
    """Register the public key of a member's witness, as its compliance officer gave it to you."""
    with runtime().database.transaction() as session:
        if organisation not in witnesses.members(session):
            raise InvalidRequestError(
                "No organisation has this code.",
                remedy="List the codes with: flask --app wsgi organisations list",
            )
        witnesses.register(session, CONSOLE, vkey, organisation, address)
    click.echo(f"A witness of {organisation} counts from now on.")


@witness.command("list")
@as_json
def list_(in_json: bool) -> None:
    """Show every witness: whose, its key, the newest size that it cosigned and when."""
    settings = runtime().settings.audit
    with runtime().database.reading() as session:
        found = witnesses.standings(session, timedelta(hours=settings.silent_hours))
    rows = [
        {
            "organisation": each.organisation,
            "state": each.state.value,
            "size": each.size,
            "seen": each.seen_at,
            "address": each.address,
            "key": each.key,
        }
        for each in found
    ]
    show(rows, in_json=in_json, empty="No witness is registered.")


@witness.command()
@click.argument("vkey")
def end(vkey: str) -> None:
    """Let a witness count no more; what it cosigned stays."""
    with runtime().database.transaction() as session:
        witnesses.end(session, CONSOLE, vkey)
    click.echo("The witness counts no more.")


@click.command("alarms")
@with_appcontext
@as_json
def alarms(in_json: bool) -> None:
    """Show the open alarms about the log, with their numbers."""
    with runtime().database.reading() as session:
        rows = [
            {
                "number": each.id,
                "alarm": each.kind.value,
                "raised": moment(each.raised_at),
                "reason": each.reason,
            }
            for each in open_alarms(session)
        ]
    show(rows, in_json=in_json, empty="No alarm is open.")


@click.command("close-alarm")
@with_appcontext
@click.argument("number", type=int)
@click.confirmation_option(prompt="Was it cleared up what the alarm tells, with other members?")
def close_alarm_(number: int) -> None:
    """Close an alarm about the log after it was cleared up; every organisation sees the entry."""
    with runtime().database.transaction() as session:
        close_alarm(session, CONSOLE, number)
    click.echo("The alarm is closed.")
