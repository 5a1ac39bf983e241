"""The page on which an analyst asks the owner of a hit for its clear text.

The message is sealed in the page; what is sent goes to the interface for programs.
"""

from uuid import UUID

from flask import Blueprint, render_template, request

from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.disclosures import preparing
from app.disclosures.refusal_words import refusal_words
from app.errors import NotFoundError
from app.runtime import runtime
from postern.vocabulary import Role, SealedPart

blueprint = Blueprint("asking", __name__)


@blueprint.get("/disclosures/new")
@audited("disclosure.prepare", roles=[Role.ANALYST])
def new() -> str:
    """Show the form for one hit of one's own lookup, or how to come to one."""
    named = request.args.get("lookup"), request.args.get("indicator")
    asked = None
    if not any(named):
        append(transaction(), caller(), "disclosure.prepare")
    else:
        lookup, indicator = (_uuid(text) for text in named)
        asked = preparing.prepare(transaction(), caller(), lookup=lookup, indicator=indicator)
    return render_template(
        "disclosures/new.html",
        asked=asked,
        parts=list(SealedPart),
        settings=runtime().settings.disclosure,
        refusals=refusal_words(),
    )


def _uuid(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        raise NotFoundError from None
