"""`postern exchange sighted`: tell the owner that what an indicator is about was seen again."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from postern.commands.exchange_options import chosen_folder, folder_option, server_option, taxii
from postern.commands.terminal import Chosen, notice, say
from postern.stix.names import new_name, stix_id, timestamp
from postern.taxii.client import Collection, TaxiiClient, found_collection
from postern.taxii.errors import NotThereError, ServerRefusedError
from postern.taxii.folder import Folder
from postern.taxii.objects import State

_MOST = 999_999_999  # STIX 2.1, 5.2


@click.command()
@click.argument("indicator")
@server_option
@folder_option
@click.option(
    "--collection",
    "named",
    metavar="ID",
    help="The collection that takes it; else the only one that may be written to.",
)
@click.option("--count", type=click.IntRange(1, _MOST), default=1, show_default=True)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="The day on which it was seen first; else today.",
)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="The day on which it was seen last; else today.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what became of it as JSON.")
@click.pass_obj
def sighted(chosen: Chosen, /, indicator: str, **options: Any) -> None:
    """Tell the owner of INDICATOR, the id of a received object, that it was seen again.

    What is sent is that id, how often, and the days: nothing of the value, and no case. At a
    Postern the owner is told as far as its policy says.
    """
    settings = chosen.settings()
    days = _days(options["since"], options["until"])
    with taxii(settings, options["server"]) as (server, client):
        with Folder(chosen_folder(settings, options["folder"]), writing=False) as folder:
            _require_received(folder, server.address, indicator)
        collection = _collection(client, options["named"])
        now = timestamp(datetime.now(UTC))
        sighting = {
            "type": "sighting",
            "spec_version": "2.1",
            "id": stix_id("sighting", new_name()),
            "created": now,
            "modified": now,
            "first_seen": timestamp(days[0]),
            "last_seen": timestamp(days[1]),
            "count": options["count"],
            "sighting_of_ref": indicator,
        }
        (status,) = client.add(collection, [sighting])
    if status.failed:
        reason = status.failures[0].message if status.failures else ""
        raise ServerRefusedError(422, reason.rstrip("."))
    if options["as_json"]:
        told = {"id": sighting["id"], "status": status.id, "complete": status.is_complete}
        say(json.dumps(told))
    elif status.is_complete:
        say(f"Told, as {sighting['id']}.")
    else:
        say(f"Sent, as {sighting['id']}; `postern exchange status {status.id}` tells the rest.")
    if options["since"] is None and options["until"] is None and not options["as_json"]:
        notice("Seen today, as no day was given.")


def _days(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """From the beginning of a day to the end of one, or to now."""
    now = datetime.now(UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    last = until.replace(tzinfo=UTC) if until else today
    first = since.replace(tzinfo=UTC) if since else last
    if first > last or last > today:
        raise click.UsageError(
            "--since lies after --until, or one of them after today. Correct the days."
        )
    return first, min(last + timedelta(days=1, milliseconds=-1), now)


def _require_received(folder: Folder, server: str, indicator: str) -> None:
    """Return when it is here and stands. Raises click.UsageError."""
    for source in folder.sources():
        kept = folder.one(source.number, indicator) if source.server == server else None
        if kept is not None and kept.state is State.CURRENT and kept.type == "indicator":
            return
    raise click.UsageError(
        "No indicator of this id was received from this server, or it is withdrawn or over. "
        "`postern exchange objects --type indicator` lists those that stand."
    )


def _collection(client: TaxiiClient, named: str | None) -> Collection:
    found: Sequence[Collection] = client.every_collection()
    if named is not None:
        return found_collection(found, named)
    writable = [each for each in found if each.can_write]
    if not writable:
        raise NotThereError("collection to write to")
    if len(writable) > 1:
        raise click.UsageError(
            "--collection is missing, and there are several that may be written to: "
            f"{', '.join(each.id for each in writable)}. Name one."
        )
    return writable[0]
