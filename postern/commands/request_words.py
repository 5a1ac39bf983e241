"""What a disclosure request and sealed content look like on a terminal.

Texts, values and names of files were written by others: nothing of them is read as more than
characters, and a file gets a name of one's own choice.
"""

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.table import Table

from postern.client import Organisation
from postern.client_disclosures import Delivery, Request
from postern.client_errors import ClientError
from postern.commands.indicator_words import plain
from postern.commands.terminal import listing, say, written_moment
from postern.disclosing import Opened
from postern.private_files import PRIVATE
from postern.sealed_content import Attachment, Note, Value
from postern.sealed_message import Message

_WAITING = frozenset({"open", "questioned", "proposed"})
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_FILE_NAME = 80  # characters


class NotSavedError(ClientError):
    """A file cannot be written where it should be."""


def table_of(requests: Sequence[Request], *, received: bool) -> Table:
    """Requests with their clocks."""
    other = "Who asks" if received else "Owner"
    table = Table("Request", "State", other, "Kind", "Asked", "Urgency", "Clock")
    now = datetime.now(UTC)
    for each in requests:
        table.add_row(
            plain(each.id),
            plain(each.state),
            named(each.requester if received else each.owner),
            plain(each.kind),
            plain(", ".join(each.asked)),
            plain(each.urgency),
            clock(each, now),
        )
    return table


def clock(request: Request, now: datetime) -> str:
    """How long there is left to decide, or how late it is."""
    if request.state not in _WAITING:
        return ""
    if request.state == "questioned":
        return "stands still until the requester answers"
    left = request.due_at - now
    when = written_moment(request.due_at)
    words = _words_of_span(abs(left))
    return f"{words} left, until {when}" if left >= timedelta(0) else f"OVERDUE by {words}"


def tell_request(request: Request) -> None:
    """Everything that is not sealed."""
    told = {
        "request": plain(request.id),
        "state": plain(request.state),
        "asked by": named(request.requester),
        "owner": named(request.owner),
        "indicator": f"{plain(request.indicator)}, a {plain(request.kind)} ({plain(request.role)})",
        "asked": plain(", ".join(request.asked)),
        "action": plain(request.action),
        "urgency": plain(request.urgency),
        "purpose": plain(request.purpose),
        "legal basis": plain(request.legal_basis),
        "made": written_moment(request.made_at),
        "clock": clock(request, datetime.now(UTC)) or "over",
    }
    decision = request.decision
    if decision:
        told["decision"] = plain(
            f"{decision.id}: {decision.answer} ({decision.reason}), {decision.state}"
        )
    for line in listing(told):
        say(line)
    for each in request.deliveries:
        say(
            f"  delivered: {plain(each.envelope.part_name)}, until "
            f"{written_moment(each.expires_at)}{_state_of(each)}"
        )


def tell_message(kind: str, sender: str, at: datetime, message: Message | None) -> None:
    """One message, opened; None when its text was erased."""
    say("")
    say(f"{plain(kind)} of {plain(sender)}, {written_moment(at)}:")
    if message is None:
        say("  (its text was erased)")
        return
    if message.about:
        say(f"  case {plain(message.about.case)}")
    for line in message.text.splitlines():
        say(f"  {plain(line)}")


def tell_opened(found: Opened) -> None:
    """A value, a note, or a file's name and size."""
    say("")
    content = found.content
    match content:
        case Value():
            say(f"value ({content.kind}):")
            for line in listing({name: plain(text) for name, text in content.fields.items()}):
                say(f"  {line}")
        case Note():
            say("note:")
            for line in content.text.splitlines():
                say(f"  {plain(line)}")
        case Attachment():
            say(
                f"{found.sealed_at.part_name}: {plain(content.name)} "
                f"({plain(content.media_type)}, {len(content.content):,} bytes)"
            )


def opened_as_json(found: Opened) -> dict[str, Any]:
    """The same for programs; a file without its bytes."""
    content = found.content
    told: dict[str, Any] = {"part": found.sealed_at.part_name}
    match content:
        case Value():
            told |= {"kind": content.kind.value, "fields": dict(content.fields)}
        case Note():
            told["note"] = content.text
        case Attachment():
            told |= {
                "name": content.name,
                "media_type": content.media_type,
                "size": len(content.content),
            }
    return told


def save_attachment(found: Opened, directory: Path) -> Path | None:
    """Write a file into a directory, mode 0600, over nothing; None when it is no file.

    The name that others gave it is kept as far as it is harmless. Raises NotSavedError.
    """
    content = found.content
    if not isinstance(content, Attachment):
        return None
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = _UNSAFE.sub("_", content.name).lstrip("._-")[-_LONGEST_FILE_NAME:] or "attachment"
    path = directory / f"{found.sealed_at.number}-{found.sealed_at.id[-12:]}-{name}"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.content)
    except FileExistsError:
        if path.read_bytes() == content.content:
            return path
        raise NotSavedError(
            f"{path} exists and is another file. Move it away, or name another directory."
        ) from None
    return path


def named(organisation: Organisation) -> str:
    """Name, code, sector and country of an organisation."""
    return plain(
        f"{organisation.name} ({organisation.code}, {organisation.sector}, {organisation.country})"
    )


def _words_of_span(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min"


def _state_of(delivery: Delivery) -> str:
    if delivery.received_at:
        return ", received"
    return ", erased" if delivery.is_erased else ""
