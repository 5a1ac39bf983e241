"""`flask --app wsgi holder ...`: shares of keys and the organisations that may use them."""

import sys
from pathlib import Path

import click

from app.access import CONSOLE
from app.console import RoomCommands, as_json, show
from app.pseudonyms import holder_health, holder_service
from app.runtime import runtime
from postern.client_errors import ClientError
from postern.group import InvalidScalarError, check_scalar
from postern.holder_share import read_share
from postern.key_file_form import read as read_key_file
from postern.key_sharing import read_ceremony
from postern.organisation_entry import EntryRefusedError, read_chain
from postern.passphrase import read_passphrase_file
from postern.strict_json import MalformedError, parse_object
from postern.threshold import ShareRefusedError
from postern.vocabulary import EvaluationKind

commands = RoomCommands("holder", help="Shares of evaluation keys that are held here.")

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_LARGEST_CHAIN = 2_000_000  # bytes


@commands.command()
@click.argument("share", type=_FILE)
@click.argument("ceremony", type=_FILE)
@click.option("--passphrase-file", type=_FILE, required=True, help="Opens SHARE; mode 600.")
def install(share: Path, ceremony: Path, passphrase_file: Path) -> None:
    """Keep the shares in the file SHARE after checking them against the file CEREMONY.

    Afterwards SHARE belongs offline, in a safe.
    """
    _require_holder()
    try:
        public = read_ceremony(ceremony.read_bytes())
        opened = read_share(read_key_file(share), read_passphrase_file(passphrase_file), public)
        with runtime().database.transaction() as session:
            holder_service.install(
                session,
                CONSOLE,
                number=opened.number,
                epoch=public.epoch,
                commitments=dict(public.commitments),
                shares=dict(opened.shares),
            )
    except (ClientError, ShareRefusedError) as error:
        raise click.ClickException(str(error)) from None
    kinds = ", ".join(kind.value for kind in sorted(opened.shares))
    click.echo(f"Holder {opened.name}, number {opened.number}, holds shares of: {kinds}.")


@commands.command()
@click.argument("entries", type=_FILE)
@click.option("--fingerprint", required=True, help="Of the newest entry, heard by telephone.")
def admit(entries: Path, fingerprint: str) -> None:
    """Take the signing key in the file ENTRIES for that of its organisation.

    The organisation writes the file with `postern keys show --entry-file`. It must have been
    created here under its code (`organisations create`). Repeat it when it rotates its keys.
    """
    _require_holder()
    try:
        raw = entries.read_bytes()[: _LARGEST_CHAIN + 1]
        chain = read_chain(parse_object(b'{"chain":%b}' % raw).content["chain"])
    except (EntryRefusedError, MalformedError) as error:
        raise click.ClickException(str(error)) from None
    if _bare(chain[-1].entry.fingerprint) != _bare(fingerprint):
        raise click.ClickException(
            f"The newest entry has the fingerprint {chain[-1].entry.fingerprint}. Get the entries "
            "from the organisation itself."
        )
    with runtime().database.transaction() as session:
        admitted = holder_service.admit(session, CONSOLE, chain)
    click.echo(f"Admitted {admitted.organisation}, entry {admitted.entry}.")


@commands.command()
@click.argument("kind", type=click.Choice([kind.value for kind in EvaluationKind]))
@click.argument("old", type=click.IntRange(min=1))
@click.option("--factor-file", type=_FILE, required=True, help="The 32 bytes of the rotation.")
def move(kind: str, old: int, factor_file: Path) -> None:
    """Make the share of the epoch after OLD of KIND, for a rotation."""
    _require_holder()
    factor = factor_file.read_bytes()
    try:
        check_scalar(factor)
    except InvalidScalarError as error:
        raise click.ClickException(str(error)) from None
    with runtime().database.transaction() as session:
        holder_service.move(session, CONSOLE, EvaluationKind(kind), old, new=old + 1, factor=factor)
    click.echo(f"The share of {kind}/{old + 1} is held.")


@commands.command()
@click.argument("kind", type=click.Choice([kind.value for kind in EvaluationKind]))
@click.argument("epoch", type=click.IntRange(min=1))
def forget(kind: str, epoch: int) -> None:
    """Erase the share of KIND and EPOCH, once the platform has closed that epoch.

    The file of the share in the safe, and older backups, hold it too: destroy them.
    """
    _require_holder()
    with runtime().database.transaction() as session:
        holder_service.forget(session, CONSOLE, EvaluationKind(kind), epoch)
    click.echo(f"The share of {kind}/{epoch} is erased.")


@commands.command(name="list")
def list_() -> None:
    """List the shares that are held here."""
    _require_holder()
    with runtime().database.reading() as session:
        for each in holder_service.held(session):
            click.echo(f"{each.kind.value:10} epoch {each.epoch:<4} holder {each.number}")


@commands.command()
@as_json
def status(in_json: bool) -> None:
    """Say whether shares, members, database, log, clock and disk are well; else ends with 1."""
    _require_holder()
    with runtime().database.reading() as session:
        found = holder_health.findings(session, runtime())
    rows = [
        {
            "part": each.part,
            "state": "well" if each.is_well else "WRONG",
            "found": each.found,
            "what to do": each.remedy,
        }
        for each in found
    ]
    show(rows, in_json=in_json, empty="")
    sys.exit(0 if all(each.is_well for each in found) else 1)


def _require_holder() -> None:
    if runtime().settings.platform.mode != "holder":
        raise click.ClickException(
            "This instance is a platform, where no share belongs. Run this at a holder, whose "
            'settings say platform.mode = "holder".'
        )


def _bare(fingerprint: str) -> str:
    return "".join(digit for digit in fingerprint.upper() if digit.isalnum())
