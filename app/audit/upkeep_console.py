"""`flask --app wsgi audit months | archive | erase | growth`: the upkeep of the log."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.audit import erasure, growth, months, retention
from app.audit.archive import Archivist, TurnTakenError, archivist
from app.audit.archive_file import ArchiveFile
from app.audit.archives import all_archives, archive_at, check_archive, path_of
from app.audit.columns import unpacked
from app.audit.growth import Growth
from app.audit.high_water import StoredMismatchError
from app.audit.models import AuditErasure, ErasureState
from app.audit.retention import Countries
from app.audit.service import append
from app.audit.shelves import KeyRing
from app.clock import now
from app.console import RoomCommands, as_json, show
from app.runtime import runtime
from postern.audit.record import open_disclosures
from postern.tlog.tiles import TILE_WIDTH

_MISMATCH = 2  # exit code


@click.command("months")
@click.option("--ahead", type=click.IntRange(1, 24), default=months.AHEAD, show_default=True)
@with_appcontext
def months_(ahead: int) -> None:
    """Make the partitions of the months to come (PostgreSQL)."""
    with runtime().database.transaction() as session:
        made = months.make_ahead(session, now(), ahead)
    click.echo(f"Partitions made: {made}")


archive = RoomCommands("archive", help="Sealed archives of old months.")


@archive.command()
def run() -> None:
    """Seal what is old enough, then remove from the database the months that stand in archives.

    Safe to interrupt and to repeat. Ends with 2 when something stored is not what was signed.
    """
    keeper = archivist(runtime())
    try:
        keeper.sweep()
        while made := keeper.seal_next():
            click.echo(
                f"Sealed the places {made.first} to {made.first + made.count - 1} in {made.name}:"
                f" {made.length / made.count:.0f} bytes an entry"
            )
        click.echo(f"Entries that left the database: {keeper.leave()}")
    except StoredMismatchError as mismatch:
        click.echo(f"Refused: {mismatch}", err=True)
        sys.exit(_MISMATCH)


@archive.command("list")
@as_json
def list_(in_json: bool) -> None:
    """Show the archives, and whether each file is what was sealed."""
    with runtime().database.reading() as session:
        rows = [
            {
                "file": each.name,
                "first": each.first,
                "entries": each.count,
                "bytes": each.length,
                "sha256": bytes(each.sha256).hex(),
                "state": _state(partial(check_archive, each, path_of(each))),
            }
            for each in all_archives(session)
        ]
    show(rows, in_json=in_json, empty="Nothing was archived yet.")


@archive.command()
@click.argument("place", type=click.IntRange(0))
def read(place: int) -> None:
    """Print the entry at PLACE as JSON: its leaf, its record, and the details that still open.

    The log tells of it those who may read the entry.
    """
    with runtime().database.transaction() as session:
        found = archive_at(session, place)
        if found is None:
            raise click.ClickException(f"No archive has the place {place}. Read it from the log.")
        keys = KeyRing.load(session, archivist(runtime()).sealer)
        number, at = divmod(place - found.first, TILE_WIDTH)
        try:
            entry = ArchiveFile(path_of(found)).placed(number, keys.find)[at]
        except StoredMismatchError as damage:
            raise click.ClickException(str(damage)) from None
        record = json.loads(entry.record)
        append(
            session,
            CONSOLE,
            "audit.read",
            audience=record["aud"],
            object_type="audit-entry",
            objects=[record["id"]],
        )
    openings = unpacked(entry.openings)
    document = {
        "place": place,
        "leaf": json.loads(entry.leaf),
        "record": record,
        "details": open_disclosures(openings),
        "disclosures": openings.splitlines(),
    }
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


@click.command()
@with_appcontext
def erase() -> None:
    """Erase now what was asked for, and what its organisation may keep no longer."""
    keeper = archivist(runtime())
    try:
        wanted = _until_done(lambda session: erasure.perform_waiting(session, keeper), _waiting)
        due = _until_done(lambda session: _erase_due(session, keeper))
        keeper.sweep()
    except TurnTakenError:
        raise click.ClickException("Archives are being made just now. Try again later.") from None
    click.echo(
        f"Entries that lost details: {wanted} as asked, {due} by retention (one that stands in an"
        " archive and in the database counts twice)"
    )


@click.command("growth")
@as_json
@with_appcontext
def growth_(in_json: bool) -> None:
    """Show how large the log is, how fast it grows, and until when the disk will do."""
    with runtime().database.transaction() as session:
        found = growth.read(session, CONSOLE, runtime().settings)
    if in_json:
        click.echo(json.dumps(_document(found), indent=2))
        return
    for name, value in _summary(found).items():
        click.echo(f"{name.replace('_', ' '):28} {'-' if value is None else value}")
    rows = [{"table": table.name, "bytes": table.size} for table in found.tables]
    show(rows, in_json=False, empty="There are no tables.")


commands = (months_, archive, erase, growth_)


def _state(check: Callable[[], None]) -> str:
    try:
        check()
    except StoredMismatchError as damage:
        return str(damage)
    return "as sealed"


def _until_done(
    step: Callable[[Session], int], is_left: Callable[[Session], bool] = lambda _: False
) -> int:
    """Take steps, each a transaction, until one does nothing and nothing is left."""
    total = 0
    while True:
        with runtime().database.transaction() as session:
            count = step(session)
            left = is_left(session)
        total += count
        if not count and not left:
            return total


def _waiting(session: Session) -> bool:
    waiting = select(func.count()).where(AuditErasure.state == ErasureState.WAITING)
    return bool(session.execute(waiting).scalar_one())


def _erase_due(session: Session, keeper: Archivist) -> int:
    countries = runtime().part(Countries).by_code(session)
    return retention.erase_due(session, keeper, countries, now())


def _summary(found: Growth) -> Mapping[str, Any]:
    return {
        "entries": found.entries,
        "live": found.live,
        "waiting": found.waiting,
        "database_bytes": found.database_bytes,
        "bytes_an_entry": round(found.entry_bytes, 1),
        "entries_a_day": round(found.entries_a_day, 1),
        "bytes_a_day": round(found.bytes_a_day),
        "database_free_bytes": found.database_free,
        "full_on": found.full_on.isoformat() if found.full_on else None,
        "archives": found.archives,
        "archived": found.archived,
        "archive_bytes": found.archive_bytes,
        "bytes_an_archived_entry": round(found.archived_entry_bytes, 1),
        "archive_free_bytes": found.archive_free,
    }


def _document(found: Growth) -> Mapping[str, Any]:
    tables = [{**asdict(table), "months": dict(table.months)} for table in found.tables]
    days = {day.isoformat(): count for day, count in found.days.items()}
    return {**_summary(found), "tables": tables, "days": days}
