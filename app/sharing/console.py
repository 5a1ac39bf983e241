"""Commands of the platform's administrator: `flask --app wsgi policies ...`."""

from pathlib import Path

import click

from app.access import CONSOLE
from app.console import RoomCommands, as_json, show
from app.runtime import runtime
from app.sharing import service
from app.sharing.policy_text import PolicyRefusedError

commands = RoomCommands("policies", help="Sharing policies: who may see what, for which purpose.")

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@commands.command()
@click.argument("file", type=_FILE)
@as_json
def check(file: Path, in_json: bool) -> None:
    """Tell whether the policy in FILE could be published, and list what it says."""
    with runtime().database.transaction() as session:
        try:
            policies = service.check(session, _text(file))
        except PolicyRefusedError as refusal:
            raise _refused(file, refusal) from None
    rows = [{"line": each.line, "id": each.id, "says": each.label} for each in policies]
    show(rows, in_json=in_json, empty="The policy is valid and shares nothing.")


@commands.command()
@click.argument("code")
@click.argument("file", type=_FILE)
def publish(code: str, file: Path) -> None:
    """Put the policy in FILE in force for the organisation CODE, at once."""
    with runtime().database.transaction() as session:
        try:
            version = service.publish(session, CONSOLE, code, _text(file))
        except PolicyRefusedError as refusal:
            raise _refused(file, refusal) from None
    click.echo(f"Version {version} of the policy of {code} is in force.")


@commands.command(name="show")
@click.argument("code")
def show_command(code: str) -> None:
    """Print the policy in force of the organisation CODE."""
    with runtime().database.transaction() as session:
        found = service.current(session, CONSOLE, code)
    if not found.version:
        click.echo(f"// {code} has published no policy: it shares nothing.")
        return
    click.echo(f"// Version {found.version} of {code}, in force since {found.valid_from:%F %T} UTC")
    click.echo(found.text.rstrip("\n"))


@commands.command()
def refill() -> None:
    """Decide everything anew; needed only after the database was edited by hand."""
    with runtime().database.transaction() as session:
        grants = service.refill(session, CONSOLE)
    click.echo(f"{grants} grants laid out.")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise click.ClickException(f"{file} is not UTF-8 text. Save it as UTF-8.") from None


def _refused(file: Path, refusal: PolicyRefusedError) -> click.ClickException:
    lines = [
        f"{file.name}:{fault.line}: {fault.policy}: {fault.reason}. {fault.remedy}"
        for fault in refusal.faults
    ]
    return click.ClickException("\n".join([f"{refusal.detail}.", *lines]))
