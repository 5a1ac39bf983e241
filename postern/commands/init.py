"""`postern init` and `postern keys`: which platform, and which of its keys are trusted."""

from datetime import UTC, datetime
from pathlib import Path

import click

from postern import key_document
from postern.client import Client
from postern.client_errors import ClientError
from postern.commands.terminal import Chosen, listing, notice, say, written_moment
from postern.key_errors import FingerprintMismatchError, KeyDocumentError
from postern.key_ring import load_pins, pin
from postern.pins import compare_with_pins
from postern.settings import pin_file_of, read_token, write
from postern.transport import checked_address


class SettingsExistError(ClientError):
    """There is a settings file already."""


@click.command()
@click.option("--address", required=True, metavar="URL", help="The platform, https://HOST.")
@click.option(
    "--token-file",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File with the API token, readable by you only.",
)
@click.option("--fingerprint", help="The platform's fingerprint, as you got it by another channel.")
@click.option(
    "--ca-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Certificate authority of the platform, when it is your own.",
)
@click.option("--replace", is_flag=True, help="Replace settings and pinned keys that are there.")
@click.pass_obj
def init(
    chosen: Chosen,
    *,
    address: str,
    token_file: Path,
    fingerprint: str | None,
    ca_file: Path | None,
    replace: bool,
) -> None:
    """Write the settings file and pin the platform's keys.

    The fingerprint of the key document is shown; compare it with the one that the platform's
    administrator gives you by another channel, such as the telephone.
    """
    if chosen.path.exists() and not replace:
        raise SettingsExistError(
            f"There is a settings file {chosen.path} already. Edit it, or replace it and its "
            "pinned keys with --replace."
        )
    address = checked_address(address)
    read_token(token_file)
    client = Client.at(address, ca_file=ca_file)
    try:
        signed = client.keys().raw
    finally:
        client.close()
    key_document.read(signed, None, datetime.now(UTC))
    found = key_document.signer(signed)
    if fingerprint is None:
        notice(f"The platform at {address} signs its keys with the fingerprint\n\n    {found}\n")
        click.confirm(
            "Is it the one that the platform's administrator gave you by another channel?",
            abort=True,
            err=True,
        )
    pin(signed, fingerprint or found, pin_file_of(chosen.path), datetime.now(UTC))
    write(chosen.path, address=address, token_file=token_file, ca_file=ca_file)
    say(f"Pinned {found}.")
    say(f"Wrote {chosen.path}. Try it with: postern check")


@click.group()
def keys() -> None:
    """The platform's keys that are pinned here."""


@keys.command("show")
@click.pass_obj
def show(chosen: Chosen) -> None:
    """Show the pinned fingerprint and the key epochs."""
    pins = load_pins(pin_file_of(chosen.path))
    document = key_document.read(
        pins.signed,
        pins.fingerprint,
        datetime.fromisoformat(pins.signed["document"]["issued_at"]),
    )
    told = {
        "platform": document.platform,
        "fingerprint": pins.fingerprint,
        "pinned": written_moment(pins.pinned_at),
        "key document of": written_moment(document.issued_at),
    }
    for line in listing(told):
        say(line)
    for each in document.epochs:
        say(
            f"  {each.kind:10} epoch {each.epoch:<5} "
            f"{each.valid_from:%Y-%m-%d} to {each.valid_to:%Y-%m-%d}"
        )


@keys.command("accept")
@click.option(
    "--fingerprint",
    required=True,
    help="The fingerprint as the platform's operator confirmed it by another channel.",
)
@click.pass_obj
def accept(chosen: Chosen, fingerprint: str) -> None:
    """Pin the platform's present keys after a change that the operator confirmed."""
    settings = chosen.settings()
    client = Client.at(settings.address, ca_file=settings.ca_file)
    try:
        signed = client.keys().raw
    finally:
        client.close()
    now = datetime.now(UTC)
    document = key_document.read(signed, fingerprint, now)
    try:
        pins = load_pins(settings.pin_file)
        before = key_document.read(
            pins.signed, None, datetime.fromisoformat(pins.signed["document"]["issued_at"])
        )
        if key_document.signer(signed) != key_document.signer(pins.signed):
            raise FingerprintMismatchError(pins.fingerprint, key_document.signer(signed))
        compare_with_pins(before, document)
    except (ClientError, KeyDocumentError, KeyError, ValueError) as error:
        notice(f"Accepted although it differs from what was pinned: {error}")
    pin(signed, fingerprint, settings.pin_file, now)
    say(f"Pinned {key_document.signer(signed)} with {len(document.epochs)} key epochs.")
