"""`flask --app wsgi platform ...`: how the platform is and how large, for who runs it."""

import json
import sys
from typing import Any

import click
from flask_babel import force_locale

from app.administration import health as checks
from app.administration import size as sizes
from app.administration.health import Check, Light
from app.administration.health_words import finding_words, remedy_words
from app.administration.size import Measured
from app.console import RoomCommands, as_json, show
from app.runtime import runtime

commands = RoomCommands("platform", help="How the platform is, and how large.")


@commands.command()
@as_json
def health(in_json: bool) -> None:
    """Say of every part whether it is in order and what to do; ends with 1 when one is red."""
    with runtime().database.reading() as session:
        found = checks.check(session, runtime())
    with force_locale("en_GB"):  # commands speak English
        told = [_check(each) for each in found.checks]
    if in_json:
        click.echo(json.dumps(told, indent=2))
    else:
        for each in told:
            click.echo(f"{each['light']:6} {each['part']:10} {each['found']}")
            if each["what_to_do"]:
                click.echo(f"{'':17} {each['what_to_do']}")
    sys.exit(1 if found.worst is Light.RED else 0)


@commands.command()
@as_json
def size(in_json: bool) -> None:
    """Show the rows and bytes of every room, counted or as the database estimates them."""
    with runtime().database.reading() as session:
        found = sizes.measure(session)
    rows = [
        {
            "room": each.room,
            "rows": each.rows.value,
            "told": each.rows.precision,
            "bytes": each.size.value if each.size else None,
        }
        for each in found.rooms
    ]
    show(rows, in_json=in_json, empty="There is no table.")
    if not in_json:
        click.echo(f"\nDatabase: {_bytes(found.total)}")


def _check(each: Check) -> dict[str, Any]:
    return {
        "part": each.part.value,
        "light": each.light.value,
        "found": finding_words(each),
        "what_to_do": remedy_words(each),
    }


def _bytes(measured: Measured) -> str:
    return f"{measured.value:,} bytes"
