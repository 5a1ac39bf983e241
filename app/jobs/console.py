"""`flask --app wsgi jobs ...`: perform the periodic duties, and see how they stand."""

import signal
import sys
import threading

import click

from app.console import RoomCommands, as_json, show
from app.jobs import service
from app.runtime import runtime

commands = RoomCommands("jobs", help="Periodic duties: expiry and other upkeep.")


@commands.command()
@click.option("--once", is_flag=True, help="Do what is due, then end; exit code 1 if any failed.")
@click.option(
    "--pause",
    type=click.IntRange(1, 3600),
    default=30,
    show_default=True,
    help="Seconds between two looks at what is due.",
)
def run(once: bool, pause: int) -> None:
    """Perform the duties that are due, until SIGTERM or Ctrl-C; several may run side by side."""
    if once:
        sys.exit(1 if _round() else 0)
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    while not ended.is_set():
        _round()
        ended.wait(pause)


@commands.command("list")
@as_json
def list_(in_json: bool) -> None:
    """Show every duty: how often, when next, when it last succeeded, failures since then."""
    with runtime().database.reading() as session:
        found = service.standings(session, runtime())
    rows = [
        {
            "duty": each.name,
            "every_minutes": int(each.every.total_seconds() // 60),
            "due": each.due_at,
            "last_success": each.finished_at,
            "failures": each.failures,
        }
        for each in found
    ]
    show(rows, in_json=in_json, empty="No room has registered a duty.")


def _round() -> int:
    """Perform what is due and say so; returns how many duties failed."""
    failed = 0
    for performed in service.run_due(runtime()):
        if performed.count is None:
            failed += 1
            click.echo(f"{performed.name}: failed, see the log of the service", err=True)
        else:
            click.echo(f"{performed.name}: {performed.count} done")
    return failed
