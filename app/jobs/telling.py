"""What this room asks of rooms above it: who an organisation is, and what a notification says.

The room of the web hands both in at start, since a room imports only from those below it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.jobs.notifications import Notice


@dataclass(frozen=True)
class Recipient:
    """An organisation that is told; `is_active` is False for one that is suspended."""

    code: str
    name: str
    is_active: bool


@dataclass(frozen=True)
class Message:
    """A notification in words of one language; neither part holds a value of an indicator."""

    subject: str  # one line
    text: str


@dataclass(frozen=True)
class Telling:
    """How to find a recipient by its id, and how to say a notification in a language."""

    recipient: Callable[[Session, int], Recipient]
    message: Callable[[Session, Notice, Recipient, str], Message]
