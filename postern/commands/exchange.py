"""`postern exchange`: what others share in bulk, fetched from TAXII 2.1 servers and kept here."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from postern.commands.exchange_find import find
from postern.commands.exchange_misp import misp_import
from postern.commands.exchange_options import chosen_folder, folder_option, server_option, taxii
from postern.commands.exchange_push import push
from postern.commands.exchange_sighted import sighted
from postern.commands.options import WordType
from postern.commands.terminal import Chosen, ExitCode, counted, listing, notice, results, say
from postern.taxii.client import (
    PAGE,
    Collection,
    Discovery,
    Status,
    TaxiiClient,
    found_collection,
)
from postern.taxii.errors import NotThereError, plain
from postern.taxii.finding import tokens_in
from postern.taxii.folder import Folder
from postern.taxii.index_rows import Kept, Source, Taken
from postern.taxii.moments import sortable
from postern.taxii.objects import State
from postern.taxii.pulling import Pull, Pulling
from postern.taxii.receipts import Receipts
from postern.taxii.servers import key_of_receipts

_MOST = 1000  # objects, unless --most says otherwise
_AT_ONCE = 500  # objects read from the index at once
_SHOWN_REFUSALS = 5


@click.group()
def exchange() -> None:
    """Fetch what others share in bulk from TAXII 2.1 servers, search it, and answer.

    The server is the own platform, or one that the settings name. What is received lies in a
    folder of this machine; it is bound by the conditions that its owners gave it.
    """


exchange.add_command(find)
exchange.add_command(misp_import)
exchange.add_command(push)
exchange.add_command(sighted)


@exchange.command()
@server_option
@click.option("--json", "as_json", is_flag=True, help="Print the collections as JSON.")
@click.pass_obj
def collections(chosen: Chosen, /, server: str, *, as_json: bool) -> None:
    """List the collections of a server, and what may be done with each."""
    with taxii(chosen.settings(), server) as (_, client):
        discovery, found = _everything(client)
    if as_json:
        say(json.dumps([_collection_as_json(each) for each in found], indent=1))
        return
    say(f"{plain(discovery.title) or 'The server'}: {counted(len(found), 'collection')}.")
    if not found:
        return
    table = Table("Collection", "Id", "Read", "Write", "What it is")
    for each in found:
        may = ["yes" if right else "no" for right in (each.can_read, each.can_write)]
        table.add_row(each.title, each.id, *may, each.description)
    results().print(table)


@exchange.command()
@click.argument("named", metavar="[COLLECTION]...", nargs=-1)
@server_option
@folder_option
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="Begin a new collection with what was added since that day, not with its beginning.",
)
@click.option(
    "--compare", is_flag=True, help="Compare with the manifest: fetch what lacks, end what is gone."
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=PAGE,
    show_default=True,
    metavar="NUMBER",
    help="Objects in one page.",
)
@click.option(
    "--receipt-key",
    metavar="KEY",
    help="Key of another Postern by which it must sign a receipt of each page; else receipt_key of "
    "the server in the settings.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def pull(context: click.Context, /, named: tuple[str, ...], **options: Any) -> None:
    """Fetch what is new in each COLLECTION, or in all that may be read.

    A collection is named by its id, its alias or its title. A pull that is cut off goes on where it
    ended; nothing is kept twice. What its producer withdrew, and what is valid no longer, is
    erased. Each page is logged at a Postern as given to you.

    Ends with 0 when everything was kept, with 3 when some objects could not be, with 1 when it
    failed.
    """
    chosen: Chosen = context.obj
    settings = chosen.settings()
    with taxii(settings, options["server"]) as (server, client):
        key = server.receipt_key
        if options["receipt_key"] is not None:
            key = key_of_receipts(options["receipt_key"], "--receipt-key")
        discovery, offered = _everything(client)
        wanted = [found_collection(offered, each) for each in named]
        if not named:
            wanted = [each for each in offered if each.can_read]
            if not wanted:
                notice(
                    "There is no collection that you may read. At a Postern, an administrator of "
                    "your organisation opens one; elsewhere, ask the server's operator."
                )
        path = chosen_folder(settings, options["folder"])
        with (
            Folder(path, writing=True, tokens_of=tokens_in) as folder,
            _counting() as bar,
        ):
            client.demand = Receipts(key, path, server.address) if key is not None else None
            task = bar.add_task("Pulling", total=None, objects=0)
            since = options["since"]
            pulling = Pulling(
                client,
                folder,
                is_exact=discovery.is_exact,
                limit=options["limit"],
                since=f"{since:%Y-%m-%d}T00:00:00.000Z" if since else None,
                on_page=lambda page: bar.update(task, objects=_arrivals(page), refresh=True),
            )
            pulls = [pulling.pull(each, compare=options["compare"]) for each in wanted]
            refusals = {each.source.number: folder.refusals(each.source.number) for each in pulls}
    _tell_pulls(pulls, refusals, path, as_json=options["as_json"])
    if any(each.taken.refused for each in pulls):
        context.exit(ExitCode.SOME_REJECTED)


@exchange.command()
@folder_option
@click.option("--collection", metavar="ID", help="Only of this collection.")
@click.option("--type", "type_", metavar="TYPE", help="Only of this type of STIX, as indicator.")
@click.option("--state", type=WordType(State), default=State.CURRENT, show_default=True)
@click.option(
    "--most",
    type=click.IntRange(1),
    default=_MOST,
    show_default=True,
    metavar="NUMBER",
    help="Stop after so many objects.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each object itself, one a line.")
@click.pass_obj
def objects(chosen: Chosen, /, **options: Any) -> None:
    """List the received objects, or print them as JSON Lines."""
    with Folder(chosen_folder(chosen.settings(), options["folder"]), writing=False) as folder:
        sources = _sources(folder, options["collection"])
        table = Table("Type", "Id", "State", "Version", "Valid until", "What it says", "Collection")
        told = 0
        for kept in _kept(folder, sources, options):
            if told == options["most"]:
                notice("There are more. Narrow the question, or raise --most.")
                break
            content = folder.content(kept)
            if options["as_json"]:
                if content is None:
                    continue  # it ended while we read, or has no content
                say(json.dumps(content, ensure_ascii=False))
            else:
                table.add_row(*_row(kept, content, sources[kept.source]))
            told += 1
        if not options["as_json"]:
            if told:
                results().print(table)
            say(f"{counted(told, 'object')}.")


@exchange.command()
@click.argument("named", metavar="[STATUS]", required=False)
@server_option
@folder_option
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def status(chosen: Chosen, /, named: str | None, **options: Any) -> None:
    """Show what was received, from where and until when; or what became of a request.

    With STATUS, the id that a server gave to a request, the server is asked about that.
    """
    settings = chosen.settings()
    if named is not None:
        with taxii(settings, options["server"]) as (_, client):
            _tell_status(_status(client, named), as_json=options["as_json"])
        return
    with Folder(chosen_folder(settings, options["folder"]), writing=False) as folder:
        counts = folder.counts()
        for source in folder.sources():
            of_source = {state.value: counts.get((source.number, state), 0) for state in State}
            refused = len(folder.refusals(source.number))
            _tell_source(folder, source, of_source, refused, as_json=options["as_json"])


def _everything(client: TaxiiClient) -> tuple[Discovery, list[Collection]]:
    discovery = client.discovery()
    found: list[Collection] = []
    for address in discovery.api_roots:
        found += client.collections(client.api_root(address))
    return discovery, found


def _status(client: TaxiiClient, named: str) -> Status:
    """The status from whichever API root has it. Raises NotThereError."""
    for address in client.discovery().api_roots:
        try:
            return client.status(client.api_root(address), named)
        except NotThereError:
            continue
    raise NotThereError("status of that id")


def _sources(folder: Folder, collection: str | None) -> dict[int, Source]:
    found = {
        each.number: each
        for each in folder.sources()
        if collection is None or collection in {each.collection, each.title}
    }
    if not found:
        raise click.UsageError(
            f"Nothing was received from a collection {collection!r}. `postern exchange status` "
            "lists the collections."
        )
    return found


def _kept(folder: Folder, sources: dict[int, Source], options: dict[str, Any]) -> Iterator[Kept]:
    for number in sources:
        after = (number, "")
        while few := folder.kept(
            number=number,
            type_=options["type_"],
            state=options["state"],
            after=after,
            most=_AT_ONCE,
        ):
            yield from few
            after = (number, few[-1].id)


def _row(kept: Kept, content: dict[str, Any] | None, source: Source) -> list[str]:
    said = content or {}
    words = said.get("name") or said.get("relationship_type") or ""
    return [
        plain(kept.type),
        plain(kept.id),
        kept.state.value,
        _minute(kept.version),
        _minute(kept.until),
        plain(words),
        plain(source.title or source.collection),
    ]


def _minute(form: str | None) -> str:
    return form[:16].replace("T", " ") if form else ""


def _arrivals(taken: Taken) -> int:
    return taken.fresh + taken.changed + taken.withdrawn + taken.expired + taken.known


def _counting() -> Progress:
    """A running count on standard error; how much there is, no server says."""
    console = results()
    console.stderr = True
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[objects]} objects in the last page"),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def _tell_pulls(
    pulls: list[Pull], refusals: dict[int, list[tuple[str, str]]], path: Path, *, as_json: bool
) -> None:
    if as_json:
        told = [_pull_as_json(each, refusals[each.source.number]) for each in pulls]
        say(json.dumps({"folder": str(path), "collections": told}, indent=1))
        return
    for each in pulls:
        begun = " (an earlier pull went on)" if each.is_resumed else ""
        say(f"{each.collection.title or each.collection.id}{begun}:")
        taken = each.taken
        rows = {
            "  new": f"{taken.fresh:,}",
            "  changed": f"{taken.changed:,}",
            "  withdrawn": f"{taken.withdrawn:,}",
            "  expired": f"{taken.expired:,}",
            "  known already": f"{taken.known:,}",
        }
        if each.compared:
            rows["  gone"] = f"{taken.gone:,}"
            rows["  lacked before"] = f"{each.fetched_missing:,}"
        if taken.refused:
            rows["  not kept"] = f"{taken.refused:,}"
        for line in listing(rows):
            say(line)
        for identifier, reason in refusals[each.source.number][:_SHOWN_REFUSALS]:
            notice(f"Not kept: {plain(identifier) or 'an object without an id'}: {reason}")
    if pulls:
        say(f"Received objects are in {path}.")


def _pull_as_json(pull: Pull, refusals: list[tuple[str, str]]) -> dict[str, Any]:
    taken = pull.taken
    return {
        "collection": pull.collection.id,
        "title": pull.collection.title,
        "file": pull.source.file,
        "resumed": pull.is_resumed,
        "pages": pull.pages,
        **{name: getattr(taken, name) for name in Taken.__slots__},
        "lacked": pull.fetched_missing if pull.compared else None,
        "not_kept": [{"id": identifier, "reason": reason} for identifier, reason in refusals],
    }


def _collection_as_json(collection: Collection) -> dict[str, Any]:
    return {
        "id": collection.id,
        "title": collection.title,
        "description": collection.description,
        "can_read": collection.can_read,
        "can_write": collection.can_write,
        "address": collection.address,
    }


def _tell_source(
    folder: Folder, source: Source, counts: dict[str, int], refused: int, *, as_json: bool
) -> None:
    under_way = source.place.next is not None
    if as_json:
        told = {
            "server": source.server,
            "collection": source.collection,
            "title": source.title,
            "file": str(folder.path / source.file),
            **counts,
            "not_kept": refused,
            "seen": source.place.seen,
            "under_way": under_way,
            "finished_at": source.finished_at,
        }
        say(json.dumps(told))
        return
    say(f"{plain(source.title) or source.collection} at {plain(source.server)}:")
    rows = {f"  {state}": f"{count:,}" for state, count in counts.items() if count}
    if refused:
        rows["  not kept"] = f"{refused:,}"
    rows["  last added"] = _minute(sortable(source.place.seen)) or "nothing yet"
    rows["  last read"] = _minute(source.finished_at) or "not to its end yet"
    if under_way:
        rows["  under way"] = "the next pull goes on"
    rows["  file"] = str(folder.path / source.file)
    for line in listing(rows):
        say(line)


def _tell_status(found: Status, *, as_json: bool) -> None:
    if as_json:
        told = {
            "id": found.id,
            "complete": found.is_complete,
            "taken": found.successes,
            "refused": found.failed,
            "pending": found.pending,
            "failures": [{"id": each.id, "reason": each.message} for each in found.failures],
        }
        say(json.dumps(told, indent=1))
        return
    done = "complete" if found.is_complete else f"under way, {found.pending:,} left"
    say(f"Request {found.id}: {done}; {found.successes:,} taken, {found.failed:,} refused.")
    for each in found.failures:
        say(f"{each.id}: {each.message or 'no reason is given'}")
