"""`flask --app wsgi screening ...`: what is agreed for screening, by the administrator."""

from datetime import datetime

import click

from app.access import CONSOLE
from app.console import RoomCommands, as_json, show
from app.patterns import screening_quota
from app.runtime import runtime
from postern.vocabulary import EvaluationKind

commands = RoomCommands("screening", help="Evaluations that are agreed for screening parcels.")

_KINDS = click.Choice([kind.value for kind in EvaluationKind])


@commands.command("allow")
@click.argument("organisation")
@click.argument("kind", type=_KINDS)
@click.option("--day", type=click.IntRange(min=1), required=True, help="Evaluations a day.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="The last day, within a year.",
)
@click.option("--reason", required=True, help="What was agreed, and with whom.")
def allow(organisation: str, kind: str, day: int, until: datetime, reason: str) -> None:
    """Agree that ORGANISATION may evaluate so many of KIND a day to screen its parcels."""
    with runtime().database.transaction() as session:
        screening_quota.allow(
            session,
            CONSOLE,
            organisation,
            EvaluationKind(kind),
            elements=day,
            ends_on=until.date(),
            reason=reason,
        )
    click.echo(f"{organisation} may evaluate {day} {kind} a day to screen, until {until:%Y-%m-%d}")


@commands.command("end")
@click.argument("organisation")
@click.argument("kind", type=_KINDS)
def end(organisation: str, kind: str) -> None:
    """End at once what is agreed with ORGANISATION for KIND."""
    with runtime().database.transaction() as session:
        screening_quota.end(session, CONSOLE, organisation, EvaluationKind(kind))
    click.echo(f"{organisation} may evaluate no {kind} to screen any more")


@commands.command("list")
@as_json
def list_(in_json: bool) -> None:
    """List what is agreed with whom, until when and why."""
    with runtime().database.reading() as session:
        found = screening_quota.agreed(session)
    rows = [
        {
            "organisation": each.organisation,
            "kind": each.kind.value,
            "a_day": each.elements,
            "until": each.ends_on.isoformat(),
            "reason": each.reason,
        }
        for each in found
    ]
    show(rows, in_json=in_json, empty="Nothing is agreed with anybody.")
