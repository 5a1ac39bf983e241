"""What the commands share: the settings in use, a client, and how things are said on a terminal.

Results go to standard output, notices and progress to standard error. Nothing is read as markup:
headings and the platform's words come from outside.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from postern.audit.receipts import ReceiptFile
from postern.client import Client, Me
from postern.client_errors import NotAllowedError
from postern.key_ring import KeyRing
from postern.settings import ClientSettings, load, read_token, receipts_of, settings_file
from postern.vocabulary import Scope

_WIDTH_OF_A_FILE = 500  # characters: no cell is broken where nobody reads on a screen


class ExitCode(IntEnum):
    """How a command ends; 2 is a wrong command line, as everywhere."""

    DONE = 0
    FAILED = 1
    SOME_REJECTED = 3
    MISMATCH = 4
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Chosen:
    """The settings file of this call."""

    path: Path

    def settings(self) -> ClientSettings:
        """The settings. Raises SettingsError."""
        return load(self.path)


def chosen_settings(path: Path | None) -> Chosen:
    """The settings file named by --config, else by the environment, else the usual one."""
    return Chosen(path or settings_file())


@contextmanager
def connected(settings: ClientSettings) -> Iterator[tuple[Client, KeyRing]]:
    """A client with the configured token, and the ring of the platform's keys."""
    receipts = receipts_of(settings)
    client = Client.at(
        settings.address,
        token=read_token(settings.token_file),
        ca_file=settings.ca_file,
        certificate=settings.certificate,
        keep_receipt=receipts.keep,
    )
    try:
        yield client, KeyRing(client, settings.pin_file)
    finally:
        client.close()
        tell_trouble(receipts)


def tell_trouble(receipts: ReceiptFile) -> None:
    """Say that receipts could not be kept, if so: what was done is done all the same."""
    if receipts.trouble:
        notice(
            f"Receipts of these acts could not be kept in {receipts.path}: {receipts.trouble}. "
            "Correct its permissions or free space; without them `postern audit verify` cannot "
            "tell whether these acts were dropped from the log."
        )


def require_scopes(me: Me, *scopes: Scope) -> None:
    """Return when the token has every scope. Raises NotAllowedError before anything is spent."""
    missing = [scope.value for scope in scopes if me.scopes is not None and scope not in me.scopes]
    if missing:
        raise NotAllowedError(f"it lacks the scope {' and '.join(missing)}")


@contextmanager
def session(settings: ClientSettings) -> Iterator[Client]:
    """A client with the configured token, for what needs no keys of the platform."""
    with connected(settings) as (client, _):
        yield client


def say(text: str) -> None:
    """A line of the result."""
    click.echo(text)


def notice(text: str) -> None:
    """A line that is not part of the result."""
    click.echo(text, err=True)


def results() -> Console:
    """A console for tables on standard output; wide when that is a file."""
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_FILE
    return console


def progress(what: str) -> Progress:
    """A progress bar on standard error with rate and time left; silent when that is a file."""
    console = Console(stderr=True)
    return Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def counted(number: int, one: str, several: str | None = None) -> str:
    """A number with its noun, such as "1 row" or "1,200 rows"."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def written_moment(moment: datetime) -> str:
    """A moment for people, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def listing(pairs: Mapping[str, str]) -> list[str]:
    """Lines of names and what they are, aligned."""
    width = max((len(name) for name in pairs), default=0)
    return [f"{name:<{width}}  {text}" for name, text in pairs.items()]


class _RateColumn(ProgressColumn):
    """Rows per second, over the last steps."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")
