"""The page of screening filters: which were made, how old and large, and what is left to evaluate.

It changes nothing: a filter is made and fetched where the parcels are, by `postern filter fetch`.
"""

from uuid import UUID

from flask import Blueprint, render_template, request, url_for

from app import clock
from app.audit.guard import audited, caller, transaction
from app.patterns import filters, screening_quota
from postern.vocabulary import Role

blueprint = Blueprint("screening_filters", __name__)

READERS = (Role.ANALYST, Role.COMPLIANCE)
PAGE = 25  # filters of one list


@blueprint.get("/filters")
@audited("filter.list", roles=READERS)
def show_all() -> str:
    """Show the organisation's filters, newest first, and its allowance for screening."""
    organisation_id, _ = caller().member
    typed = request.args.get("cursor", "")
    try:
        cursor = UUID(typed) if typed else None
    except ValueError:
        cursor = None
    page = filters.list_issues(transaction(), caller(), PAGE, cursor)
    return render_template(
        "patterns/filters.html",
        page=page,
        now=clock.now(),
        standings=screening_quota.standings(transaction(), organisation_id),
        days=filters.LIFETIME.days,
        is_later_page=cursor is not None,
        first_address=url_for("pattern_pages.screening_filters.show_all"),
    )
