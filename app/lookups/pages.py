"""The pages of watches: what one's organisation waits for, what was found, who else works on it.

A watch is set where its value is turned into a pseudonym: in the page of search, or on premises
with the command `postern watch`. Its value must not come here.
"""

from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as BaseResponse

from app.audit.guard import audited, caller, transaction
from app.lookups import (
    deconfliction,
    search_pages,
    shared_pages,
    watch_ending,
    watch_reading,
    watches,
)
from postern.vocabulary import Role

blueprint = Blueprint("watching", __name__)

blueprints = (blueprint, search_pages.blueprint, shared_pages.blueprint)

_SEEING = (Role.ANALYST,)
_LISTING = (Role.ANALYST, Role.COMPLIANCE)
_PAGE = 50


@blueprint.get("/watches")
@audited("watch.list", roles=_LISTING)
def show_all() -> str:
    """Show the watches that wait, or those that ended, and who else works on the same."""
    is_live = request.args.get("state") != "ended"
    try:
        cursor = UUID(request.args["cursor"]) if "cursor" in request.args else None
    except ValueError:
        cursor = None
    page = watches.list_own(transaction(), caller(), is_live=is_live, limit=_PAGE, cursor=cursor)
    may_see = Role.ANALYST in caller().roles
    shows_others = may_see and is_live and cursor is None
    return render_template(
        "lookups/watches.html",
        page=page,
        is_live=is_live,
        is_later_page=cursor is not None,
        may_see=may_see,
        others=deconfliction.list_own(transaction(), caller()) if shows_others else (),
        has_stopped=request.args.get("done") == "stopped",
    )


@blueprint.get("/watches/<uuid:watch_id>")
@audited("watch.read", roles=_SEEING)
def show(watch_id: UUID) -> str:
    """Show one watch and what it found, as the owners' policies let it be seen now."""
    reading = watch_reading.read_own(transaction(), caller(), watch_id)
    return render_template(
        "lookups/watch.html", reading=reading, most_shown=watch_reading.MOST_SHOWN
    )


@blueprint.post("/watches/<uuid:watch_id>/stop")
@audited("watch.stop", roles=_LISTING)
def stop(watch_id: UUID) -> BaseResponse:
    """Stop a watch."""
    watch_ending.stop(transaction(), caller(), watch_id)
    return redirect(url_for("watching.show_all", done="stopped"), 303)
