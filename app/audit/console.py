"""`flask --app wsgi audit ...`: keep the log, check it, replace its key."""

import signal
import sys
import threading
from pathlib import Path

import click

from app.audit import keys, upkeep_console
from app.audit.high_water import Head, StoredMismatchError
from app.audit.models import KeyUse
from app.audit.receipts import receipt_key
from app.audit.running import LogKeeper, sequencer
from app.audit.tree import head
from app.audit.witness_console import alarms, close_alarm_, witness
from app.console import RoomCommands
from app.errors import StartRefusedError
from app.runtime import runtime

commands = RoomCommands("audit", help="The audit log as a transparency log.")

for each in (alarms, close_alarm_, witness, *upkeep_console.commands):
    commands.add_command(each)

_MISMATCH = 2  # exit code


@commands.command()
@click.option("--once", is_flag=True, help="Take what waits, sign, and end.")
def run(once: bool) -> None:
    """Give entries their place and sign checkpoints, until SIGTERM or Ctrl-C.

    Checks first what is stored. Ends with 2, and signs nothing, when that does not verify.
    """
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    runtime().database.work_unattended()
    try:
        keeper = LogKeeper(runtime(), sequencer(runtime()))
        click.echo(f"The stored log verifies: {_words(keeper.begin())}")
        if once:
            while keeper.sequencer.step().taken:
                pass
            return
        keeper.run(ended)
    except StoredMismatchError as mismatch:
        click.echo(f"Refused: {mismatch}", err=True)
        sys.exit(_MISMATCH)
    except StartRefusedError as refusal:
        raise click.ClickException(str(refusal)) from None


@commands.command()
@click.option("--newest", is_flag=True, help="Only the newest leaves, as at each start.")
def check(newest: bool) -> None:
    """Verify what is stored: signature, high water, tiles, every leaf. Ends with 2 if not."""
    made = sequencer(runtime())
    try:
        with click.progressbar(length=_size(), label="Checking") as bar:
            found = made.check(bar.update, whole=not newest)
    except StoredMismatchError as mismatch:
        click.echo(f"\n{mismatch}", err=True)
        sys.exit(_MISMATCH)
    click.echo(f"The stored log verifies: {_words(found)}")


@commands.command("keys")
def keys_() -> None:
    """Print the public keys that members compare and pin."""
    for key in sequencer(runtime()).keys:
        click.echo(f"{KeyUse.LOG.value:8} {key.verifier}")
    click.echo(f"{KeyUse.RECEIPT.value:8} {receipt_key()}")


@commands.command()
@click.confirmation_option(prompt="Did members confirm that this is the newest checkpoint?")
def adopt() -> None:
    """Take the stored log as the newest, after its checkpoint was compared with members'."""
    made = sequencer(runtime())
    click.echo(f"Adopted: {_words(made.adopt())}")


@commands.command("rotate-key")
def rotate_key() -> None:
    """Make a new log key; both sign until `retire-key`. Restart `audit run` afterwards."""
    try:
        keys.rotate(Path(runtime().settings.secrets.directory))
    except StartRefusedError as refusal:
        raise click.ClickException(str(refusal)) from None
    click.echo("A new key is there. Restart `audit run`, and give members the new key:")
    for key in sequencer(runtime()).keys:
        click.echo(f"  {key.verifier}")


@commands.command("retire-key")
@click.confirmation_option(prompt="Do all members and witnesses know the new key?")
def retire_key() -> None:
    """Remove the previous log key. Restart `audit run` afterwards."""
    try:
        keys.retire(Path(runtime().settings.secrets.directory))
    except StartRefusedError as refusal:
        raise click.ClickException(str(refusal)) from None
    click.echo("The previous key is gone. Restart `audit run`.")


def _size() -> int:
    with runtime().database.reading() as session:
        return head(session).size


def _words(found: Head) -> str:
    return f"{found.size} entries, root {found.root.hex()}"
