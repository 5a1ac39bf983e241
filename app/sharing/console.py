"""Commands of the platform's administrator: `flask --app wsgi policies ...`."""

import sys
from pathlib import Path

import click

from app.access import CONSOLE
from app.console import RoomCommands, as_json, show
from app.organisations import service as organisations
from app.runtime import runtime
from app.sharing import history, service, stored
from app.sharing.history import KeptVersion
from app.sharing.policy_text import Fault, PolicyRefusedError

commands = RoomCommands("policies", help="Sharing policies: who may see what, for which purpose.")

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@commands.command()
@click.argument("code")
@click.argument("file", type=_FILE)
@as_json
def check(code: str, file: Path, in_json: bool) -> None:
    """Tell whether the policy in FILE could take effect for CODE, and list what it says."""
    with runtime().database.transaction() as session:
        organisation_id, _ = organisations.find(session, code)
        found = service.examine(session, organisation_id, _text(file))
    if found.faults:
        raise _refused(file, PolicyRefusedError(found.faults))
    for warning in found.warnings:
        click.echo(f"Warning: {_line(file, warning)}", err=True)
    rows = [{"line": each.line, "id": each.id, "says": each.label} for each in found.policies]
    show(rows, in_json=in_json, empty="The policy is valid and shares nothing.")


@commands.command()
@click.argument("code")
@click.argument("file", type=_FILE)
def publish(code: str, file: Path) -> None:
    """Put the policy in FILE in force as the first one of the organisation CODE, at once."""
    with runtime().database.transaction() as session:
        try:
            version = service.publish_first(session, CONSOLE, code, _text(file))
        except PolicyRefusedError as refusal:
            raise _refused(file, refusal) from None
    click.echo(f"Version {version} of the policy of {code} is in force.")


@commands.command(name="versions")
@click.argument("code")
@as_json
def versions_command(code: str, in_json: bool) -> None:
    """List the versions of the policy of the organisation CODE, newest first."""
    with runtime().database.transaction() as session:
        found = history.read_history_of(session, CONSOLE, code)
    show([_row(each) for each in found], in_json=in_json, empty=f"{code} has published no policy.")


@commands.command(name="show")
@click.argument("code")
@click.option("--version", type=click.IntRange(1, 2**31 - 1), help="Another one than in force.")
def show_command(code: str, version: int | None) -> None:
    """Print the policy in force of the organisation CODE, or another version of it."""
    with runtime().database.transaction() as session:
        if version is not None:
            kept = history.read_version_of(session, CONSOLE, code, version)
            told = f"{kept.state.replace('_', ' ')}, from {kept.version.valid_from:%F %T} UTC"
            _print(code, version, told, kept.version.text, is_valid=kept.version.is_valid)
            return
        found = service.current(session, CONSOLE, code)
    if not found.version:
        click.echo(f"// {code} has published no policy: it shares nothing.")
        return
    told = f"in force since {found.valid_from:%F %T} UTC"
    _print(code, found.version, told, found.text, is_valid=found.is_valid)


@commands.command(name="check-stored")
@as_json
def check_stored(in_json: bool) -> None:
    """List policies in force or to come that are no longer valid; exit code 1 if there are any."""
    with runtime().database.transaction() as session:
        found = stored.read_invalid(session, CONSOLE)
    rows = [
        {
            "policy": each.name,
            "state": "in_force" if each.is_in_force else "scheduled",
            "line": fault.line,
            "rule": fault.policy,
            "reason": fault.reason,
        }
        for each in found
        for fault in each.faults
    ]
    show(rows, in_json=in_json, empty="Every stored policy is valid.")
    sys.exit(1 if found else 0)


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
    lines = [_line(file, fault) for fault in refusal.faults]
    return click.ClickException("\n".join([f"{refusal.detail}.", *lines]))


def _line(file: Path, fault: Fault) -> str:
    return f"{file.name}:{fault.line}: {fault.policy}: {fault.reason}. {fault.remedy}"


def _row(kept: KeptVersion) -> dict[str, object]:
    return {
        "version": kept.version.seq,
        "state": kept.state.value,
        "valid_from": kept.version.valid_from,
        "cause": kept.version.cause.value,
        "author": kept.version.author,
        "approved_by": kept.version.approved_by,
        "valid": kept.version.is_valid,
    }


def _print(code: str, version: int, told: str, text: str, *, is_valid: bool) -> None:
    click.echo(f"// Version {version} of {code}, {told}")
    if not is_valid:
        click.echo("// It is no longer valid and shares nothing until it is corrected.")
    click.echo(text.rstrip("\n"))
