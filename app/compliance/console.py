"""`flask --app wsgi privacy ...`: the pack for an impact assessment."""

from pathlib import Path

import click

from app.access import CONSOLE
from app.audit.service import append
from app.compliance import privacy_pack, processing
from app.console import RoomCommands
from app.runtime import runtime

commands = RoomCommands("privacy", help="The record of processing and the impact assessment.")


@commands.command("pack")
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True)
def pack(folder: Path) -> None:
    """Write record of processing, impact assessment and tables into a new folder."""
    with runtime().database.transaction() as session:
        record = processing.build(session, runtime().settings)
        append(session, CONSOLE, "privacy.pack", object_type="record")
    try:
        names = privacy_pack.write(record, folder)
    except FileExistsError:
        raise click.ClickException(f"{folder} is not empty. Name a new folder.") from None
    except OSError as error:
        raise click.ClickException(
            f"{folder} cannot be written ({type(error).__name__}). Name another folder."
        ) from None
    click.echo(f"Written to {folder}: {', '.join(names)}")
