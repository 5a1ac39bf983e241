"""The page of the record of processing, as an organisation's officer reads it."""

from flask import Blueprint, render_template

from app.audit.guard import audited, caller, transaction
from app.compliance import processing
from app.compliance.review_pages import OFFICER

blueprint = Blueprint("privacy", __name__)


@blueprint.get("/privacy")
@audited("privacy.read", roles=OFFICER)
def show() -> str:
    """Show what is processed, of whom, until when, who got it and what protects it."""
    return render_template(
        "compliance/privacy.html", record=processing.read(transaction(), caller())
    )
