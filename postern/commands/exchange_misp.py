"""`postern exchange misp-import`: events of one's own MISP become reports, pseudonymised here."""

from pathlib import Path
from typing import Any

import click

from postern.commands.exchange_push import PUSH_OPTIONS, push_mapped, withdraw_revoked
from postern.commands.terminal import Chosen, ExitCode
from postern.misp.reading import MispMalformedError, deleted_in, map_misp
from postern.taxii.errors import ForeignFileError


@click.command("misp-import", params=[*PUSH_OPTIONS])
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--withdraw",
    is_flag=True,
    help="Withdraw the reports of what FILE says is deleted in MISP.",
)
@click.pass_context
def misp_import(context: click.Context, /, file: Path, *, withdraw: bool, **options: Any) -> None:
    """Submit what the events of MISP in FILE say, pseudonymised on this machine.

    FILE is JSON as MISP exports it: an event, a list of events, the result of a search, or a file
    of a feed. Objects such as postal-parcel, person and user-account, and attributes
    such as e-mail addresses, telephone numbers and wallets, become reports by the same way as a row
    of `postern submit`; docs/misp.md lists them. What cannot become one is listed in
    FILE.unmapped.csv with its reason. What went in is not sent again.

    Ends with 0 when everything is in, with 3 when something was left out, with 1 when it failed.
    """
    try:
        with file.open("rb") as stream:
            mapped = map_misp(stream)
    except MispMalformedError as error:
        raise ForeignFileError(f"{file} cannot be read. {error}") from error
    chosen: Chosen = context.obj
    is_some_left = push_mapped(context, mapped, file, options)
    if (deleted := deleted_in(mapped)) and not options["dry_run"]:
        withdraw_revoked(chosen.settings(), deleted, really=withdraw)
    if is_some_left:
        context.exit(ExitCode.SOME_REJECTED)
