"""Which server, and where what was received lies: options that several commands share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from postern.commands.terminal import tell_trouble
from postern.settings import ClientSettings, receipts_of, received_folder_of
from postern.taxii.client import TaxiiClient
from postern.taxii.servers import PLATFORM, Server, server_named

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

server_option = click.option(
    "--server",
    metavar="NAME",
    default=PLATFORM,
    show_default=True,
    help="A section [servers.NAME] of the settings, or the own platform.",
)

folder_option = click.option(
    "--into",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Folder of received objects; else the one beside the settings.",
)


def chosen_folder(settings: ClientSettings, named: Path | None) -> Path:
    """The folder of received objects."""
    return named or received_folder_of(settings)


@contextmanager
def taxii(settings: ClientSettings, name: str) -> Iterator[tuple[Server, TaxiiClient]]:
    """A server and a client of it. Raises SettingsError, TokenFileError, TaxiiError."""
    server = server_named(settings, name)
    receipts = receipts_of(settings)
    client = TaxiiClient.at(
        server.address,
        server.access,
        keep_receipt=receipts.keep if server.is_platform else None,  # others' are none of its log
    )
    try:
        yield server, client
    finally:
        client.close()
        tell_trouble(receipts)
