"""`postern attach`: photos and X-ray images of a report, sealed to one's own keys."""

import mimetypes
from pathlib import Path
from typing import Any

import click

from postern.client_errors import ClientError
from postern.client_reports import OwnReports
from postern.commands.own_keys import Trust, chosen_keys, open_keys, own_keys
from postern.commands.terminal import Chosen, counted, require_scopes, say, session
from postern.envelope import LARGEST_CONTENT
from postern.sealed_content import MOST_ATTACHMENTS, Attachment, AttachmentTooLargeError
from postern.sealing import Sealer
from postern.vocabulary import Scope, SealedPart

_UNKNOWN = "application/octet-stream"


class TooManyAttachmentsError(ClientError):
    """A report has room for fewer files than are given."""

    def __init__(self, there: int, given: int) -> None:
        super().__init__(
            f"The report holds {counted(there, 'file')}, and {given} are given; it may hold "
            f"{MOST_ATTACHMENTS}. Attach fewer, or put several pictures into one file."
        )


@click.command()
@click.argument("report")
@click.argument(
    "files",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    nargs=-1,
    required=True,
    metavar="FILE...",
)
@own_keys
@click.pass_obj
def attach(chosen: Chosen, /, report: str, files: tuple[Path, ...], **options: Any) -> None:
    """Attach FILEs, such as the photo of a label or an X-ray image, to your REPORT.

    REPORT is its id, which the journal of `postern submit` holds. Each file, up to 10 MB, goes
    sealed to your own keys with its name; nobody else can open it unless you disclose it.
    """
    settings = chosen.settings()
    for file in files:
        _check_size(file)
    keys = open_keys(chosen_keys(options, settings.keys))
    with session(settings) as client:
        me = client.me()
        require_scopes(me, Scope.REPORTS_READ, Scope.REPORTS_WRITE)
        Trust.of(client, settings).check_own(keys, me.organisation.code)
        reports, sealer = OwnReports(client.transport), Sealer.of(keys)
        client_key = reports.client_key(report)
        taken = [
            each.number
            for each in reports.envelopes(report)
            if each.part == SealedPart.ATTACHMENT.value
        ]
        if len(taken) + len(files) > MOST_ATTACHMENTS:
            raise TooManyAttachmentsError(len(taken), len(files))
        free = (number for number in range(1, MOST_ATTACHMENTS + 1) if number not in taken)
        for number, file in zip(free, files, strict=False):
            sealed = sealer.attachment(client_key, number, _read(file))
            stored = reports.attach(report, number, sealed)
            say(f"{file.name} is attached as number {stored.number}, {stored.size:,} bytes sealed.")


def _check_size(path: Path) -> None:
    if path.stat().st_size > LARGEST_CONTENT:
        raise AttachmentTooLargeError(path.name)


def _read(path: Path) -> Attachment:
    """One file at a time is in memory. Raises AttachmentTooLargeError, SealedContentError."""
    media_type = mimetypes.guess_type(path.name)[0] or _UNKNOWN
    return Attachment(path.name, media_type, path.read_bytes())
