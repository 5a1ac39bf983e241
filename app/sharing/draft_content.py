"""What a draft may hold: a title, a text or a form of rules, a reason, a time to take effect."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app import clock
from app.errors import InvalidRequestError
from app.sharing.policy_text import LONGEST_TEXT
from app.sharing.rule_schemas import from_form, to_form
from app.sharing.rules import cedar

LONGEST_TITLE = 200  # characters
LONGEST_REASON = 500  # characters
LONGEST_WAIT = timedelta(days=365)  # from the proposal until the version takes effect


def content(
    organisation: str, text: str | None, form: Sequence[Mapping[str, Any]] | None
) -> tuple[str, list[dict[str, Any]] | None]:
    """The text to keep, and the form that it is made of if it is.

    InvalidRequestError for a text that cannot be kept, for a form with faults, and unless there is
    one of the two.
    """
    if (text is None) == (form is None):
        raise wrong("text", "Give either a text or the rules of a form.")
    if form is None:
        return clean_text(text or ""), None
    rules = from_form(form)
    return clean_text(cedar(rules, organisation)), to_form(rules)


def clean_text(text: str) -> str:
    """The text with line feeds at the ends of lines, as browsers do not; InvalidRequestError."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > LONGEST_TEXT:
        raise wrong("text", f"A text has up to {LONGEST_TEXT} characters.")
    if not _is_plain(text.replace("\n", "").replace("\t", "")):
        raise wrong("text", "Leave out control characters and broken ones.")
    return text


def clean_title(title: str) -> str:
    """The title without space around it; InvalidRequestError."""
    title = title.strip()
    if not title or len(title) > LONGEST_TITLE or not _is_plain(title):
        raise wrong("title", f"A title has 1 to {LONGEST_TITLE} characters of one line.")
    return title


def clean_reason(reason: str | None) -> str | None:
    """The reason without space around it, None when nothing is left; InvalidRequestError."""
    reason = (reason or "").replace("\r\n", "\n").strip()
    if len(reason) > LONGEST_REASON or not _is_plain(reason.replace("\n", "")):
        raise wrong("reason", f"A reason has up to {LONGEST_REASON} characters of plain text.")
    return reason or None


def clean_time(activate_at: datetime | None) -> datetime | None:
    """The moment in whole seconds, by which decisions are laid out.

    InvalidRequestError when it has passed or lies more than LONGEST_WAIT ahead.
    """
    if activate_at is None:
        return None
    if activate_at.tzinfo is None:
        raise wrong("activate_at", "Write the moment with its time zone.")
    now, activate_at = clock.now(), activate_at.replace(microsecond=0)
    if activate_at <= now:
        raise wrong(
            "activate_at", "This moment has passed; leave it out to take effect with the approval."
        )
    if activate_at > now + LONGEST_WAIT:
        raise wrong("activate_at", "This moment lies more than a year ahead; choose an earlier.")
    return activate_at


def wrong(field: str, reason: str) -> InvalidRequestError:
    """The refusal of one field."""
    return InvalidRequestError(errors=[{"field": field, "reason": reason}])


def _is_plain(text: str) -> bool:
    return not any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)
