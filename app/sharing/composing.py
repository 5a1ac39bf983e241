"""Before there is a draft: templates, the text that a form makes, and what is wrong with a text."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.organisations import service as organisations
from app.sharing import service
from app.sharing.draft_content import clean_text, content
from app.sharing.rules import Rule
from app.sharing.service import Examined
from app.sharing.templates import Ask, templates


@dataclass(frozen=True)
class OfferedTemplate:
    """A template with its rules as they would be for the organisation that reads it."""

    id: str
    title: str
    summary: str
    asks: tuple[Ask, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Composed:
    """What a form comes to: its rules written out, the text made of them, and its examination."""

    form: list[dict[str, Any]]
    text: str
    examined: Examined


def offered_templates(session: Session, caller: Caller) -> list[OfferedTemplate]:
    """The templates that are meant for the caller's organisation, in the order to show them in."""
    _, member = organisations.find(session, caller.organisation)
    found = [
        OfferedTemplate(
            each.id, each.title, each.summary, each.asks, tuple(each.rules(member.country))
        )
        for each in templates(member.sector)
    ]
    append(session, caller, "policy.read", object_type="policy-template", count=len(found))
    return found


def compose(session: Session, caller: Caller, form: Sequence[Mapping[str, Any]]) -> Composed:
    """The text that a form makes, and its faults and warnings; nothing is kept.

    InvalidRequestError lists the faults of the form by their places.
    """
    text, stored = content(caller.organisation, None, form)
    return Composed(stored or [], text, check(session, caller, text))


def check(session: Session, caller: Caller, text: str) -> Examined:
    """The faults and warnings of a text as the policy of the caller's organisation.

    InvalidRequestError for a text that is too long to be read, or is no plain text.
    """
    organisation_id, _ = caller.member
    text = clean_text(text)
    found = service.examine(session, organisation_id, text)
    append(
        session,
        caller,
        "policy.check",
        object_type="policy-text",
        details={
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "faults": len(found.faults),
        },
    )
    return found
