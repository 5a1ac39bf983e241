"""The page that tells who may know of one of one's own registered barriers."""

from uuid import UUID

from flask import Blueprint, render_template

from app.audit.guard import audited, caller, transaction
from app.barriers.barrier_audience import audience
from app.barriers.modelling import READERS
from app.clock import now
from app.indicators.report_pages import countries

blueprint = Blueprint("barrier_audience", __name__)


@blueprint.get("/barriers/<uuid:barrier_id>/audience")
@audited("policy.explain", roles=READERS)
def show(barrier_id: UUID) -> str:
    """Show which organisations may know of one of one's own barriers, and by which rules."""
    found = audience(transaction(), caller(), barrier_id, now())
    return render_template(
        "barriers/audience.html", found=found, names={each.code: each.name for each in countries()}
    )
