"""`flask --app wsgi exchange ...`: how collections stand, and keeping one up by hand."""

from uuid import UUID

import click

from app.console import RoomCommands, as_json, show
from app.exchange import collections, upkeep
from app.runtime import runtime

commands = RoomCommands("exchange", help="Collections that standard clients read.")


@commands.command("list")
@as_json
def list_(in_json: bool) -> None:
    """List the collections that are kept up: whose, of what kind, and how far they are written."""
    with runtime().database.reading() as session:
        rows = [
            {
                "collection": str(each.id),
                "organisation": each.organisation,
                "kind": each.kind.value,
                "until": each.expires_on.isoformat(),
                "objects": stands.objects,
                "revoked": stands.revoked,
                "compared": stands.compared_at.isoformat(timespec="seconds")
                if stands.compared_at
                else "",
            }
            for each in collections.open_ones(session)
            for stands in [collections.standing(session, each)]
        ]
    show(rows, in_json=in_json, empty="No organisation has opened a collection.")


@commands.command("compare")
@click.argument("collection", type=click.UUID)
def compare(collection: UUID) -> None:
    """Have COLLECTION compared with all that its organisation may see, by the worker."""
    with runtime().database.transaction() as session:
        upkeep.compare(session, collection)
    click.echo(f"{collection} will be compared")
