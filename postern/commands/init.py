"""`postern init`: which platform, and which of its keys are trusted from now on."""

from datetime import UTC, datetime
from pathlib import Path

import click

from postern import key_document
from postern.client import Client
from postern.client_errors import ClientError
from postern.commands.terminal import Chosen, notice, say
from postern.key_ring import pin
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
@click.option(
    "--client-certificate",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Your own TLS certificate, when the token is bound to it.",
)
@click.option(
    "--client-key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="The key of that certificate, when it is in another file.",
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
    client_certificate: Path | None,
    client_key: Path | None,
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
    if client_key and not client_certificate:
        raise click.UsageError("--client-key needs --client-certificate beside it.")
    address = checked_address(address)
    read_token(token_file)
    certificate = (client_certificate, client_key) if client_certificate else None
    client = Client.at(address, ca_file=ca_file, certificate=certificate)
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
    write(
        chosen.path,
        address=address,
        token_file=token_file,
        ca_file=ca_file,
        client_certificate=client_certificate,
        client_key=client_key,
    )
    say(f"Pinned {found}.")
    say(f"Wrote {chosen.path}. Try it with: postern check")
