"""The sharing policy of one's own organisation as pages: in force, to come, drafted, explained.

The pages ask what the interface for programs asks, by the same verbs, and are logged as the same
acts. They need no script.
"""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app import clock
from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.errors import InvalidRequestError, NotFoundError, PosternError
from app.sharing import (
    composing,
    draft_pages,
    drafts,
    explanation,
    history,
    side_by_side,
    versions,
)
from app.sharing.draft_pages import READERS, WRITERS, Page, may_decide
from app.sharing.history import KeptVersion, VersionState
from app.sharing.models import DraftStatus
from app.sharing.text_diff import differences
from postern.vocabulary import Role

blueprint = Blueprint("sharing", __name__)
blueprint.register_blueprint(draft_pages.blueprint)

AUDIENCE_READERS = (Role.SUBMITTER, Role.APPROVER, Role.COMPLIANCE, Role.POLICY_OWNER)

_NOTICES = frozenset({"approved", "refused", "discarded", "cancelled", "stopped"})
_LONGEST_SEQ = 10  # digits
_SEQ = "<int(max=2147483647):seq>"


@blueprint.get("/policy")
@audited("policy.read", roles=READERS)
def overview() -> str:
    """Show the version in force, the one to come, proposals, drafts and all versions."""
    kept = history.read_history(transaction(), caller())
    proposed = drafts.list_drafts(transaction(), caller(), DraftStatus.PROPOSED)
    done = request.args.get("done")
    return render_template(
        "sharing/overview.html",
        notice=done if done in _NOTICES else None,
        held=_of_state(kept, VersionState.IN_FORCE),
        scheduled=_of_state(kept, VersionState.SCHEDULED),
        kept=kept,
        to_decide=[each for each in proposed if may_decide(each)],
        waiting=[each for each in proposed if not may_decide(each)],
        others=[
            each
            for each in drafts.list_drafts(transaction(), caller())
            if each.status is not DraftStatus.PROPOSED
        ],
        may_write=Role.POLICY_OWNER in caller().roles,
    )


@blueprint.get(f"/policy/versions/{_SEQ}")
@audited("policy.read", roles=READERS)
def version(seq: int) -> str:
    """Show one version and how it differs from the one before."""
    found = history.read_version(transaction(), caller(), seq)
    organisation_id, _ = caller().member
    before = versions.version(transaction(), organisation_id, seq - 1) if seq > 1 else None
    return render_template(
        "sharing/version.html",
        kept=found,
        before=before,
        lines=differences(before.text if before else "", found.version.text),
        may_write=Role.POLICY_OWNER in caller().roles,
    )


@blueprint.get("/policy/compare")
@audited("policy.read", roles=READERS)
def compare() -> str:
    """Show two versions side by side, by default the two newest; the address names others."""
    kept = history.read_history(transaction(), caller())
    newest = [each.version.seq for each in kept]
    chosen = _chosen("from", newest, 1), _chosen("to", newest, 0)
    found = {each.version.seq: each.version for each in kept}
    before, after = (found.get(seq) for seq in chosen)
    return render_template(
        "sharing/compare.html",
        kept=kept,
        before=before,
        after=after,
        rows=side_by_side.rows(before.text, after.text) if before and after else [],
        rules=side_by_side.rules(before.policies, after.policies) if before and after else [],
    )


@blueprint.post(f"/policy/versions/{_SEQ}/draft")
@audited("policy.draft", roles=WRITERS)
def draft_version(seq: int) -> Response:
    """Make a draft of a version, to go back to it."""
    title = request.form.get("title") or None
    made = drafts.from_version(transaction(), caller(), seq, title)
    address = url_for("sharing.drafts.show", draft_id=made.id, done="begun")
    return redirect(address, code=303)


@blueprint.post(f"/policy/versions/{_SEQ}/cancel")
@audited("policy.cancel", roles=WRITERS)
def cancel_version(seq: int) -> Response:
    """Cancel the version that waits for its time."""
    organisation_id, _ = caller().member
    versions.cancel(transaction(), caller(), organisation_id, seq)
    return redirect(url_for("sharing.overview", done="cancelled"), code=303)


@blueprint.get("/policy/stop")
@audited("policy.read", roles=WRITERS)
def ask_stop() -> str:
    """Ask whether all sharing is to stop, and say what that means."""
    kept = history.read_history(transaction(), caller())
    return render_template(
        "sharing/stop.html",
        held=_of_state(kept, VersionState.IN_FORCE),
        scheduled=_of_state(kept, VersionState.SCHEDULED),
    )


@blueprint.post("/policy/stop")
@audited("policy.publish", roles=WRITERS)
def stop() -> Response:
    """Stop all sharing."""
    organisation_id, _ = caller().member
    versions.stop(transaction(), caller(), organisation_id)
    return redirect(url_for("sharing.overview", done="stopped"), code=303)


@blueprint.get("/policy/new")
@audited("policy.read", roles=WRITERS)
def begin() -> str:
    """Offer the beginnings of a draft: templates, the text in force, empty, by hand."""
    kept = history.read_history(transaction(), caller())
    return render_template(
        "sharing/new.html",
        offered=composing.offered_templates(transaction(), caller()),
        held=_of_state(kept, VersionState.IN_FORCE),
    )


@blueprint.get("/policy/audience")
@audited("policy.explain", roles=AUDIENCE_READERS)
def audience() -> Page:
    """Show who can see one indicator of one's own, named by its id in the address."""
    typed = request.args.get("indicator", "").strip()
    if not typed:
        append(transaction(), caller(), "policy.explain", object_type="indicator")
        return render_template("sharing/audience.html", typed=""), 200
    try:
        indicator = UUID(typed)
    except ValueError:
        return _no_audience(typed, InvalidRequestError, is_wrong=True)
    try:
        explained = explanation.audience(transaction(), caller(), indicator, clock.now())
    except NotFoundError:
        return _no_audience(typed, NotFoundError, is_unknown=True)
    return render_template("sharing/audience.html", typed=typed, explained=explained), 200


def _chosen(name: str, newest: Sequence[int], place: int) -> int:
    """The version of the address, or the one at that place from the newest; 0 for none."""
    typed = request.args.get(name, "")
    if typed.isascii() and typed.isdecimal() and len(typed) <= _LONGEST_SEQ:
        return int(typed)
    return newest[place] if place < len(newest) else 0


def _no_audience(typed: str, error: type[PosternError], **why: bool) -> Page:
    append(
        transaction(),
        caller(),
        "policy.explain",
        outcome=Outcome.ERROR,
        object_type="indicator",
        details={"refusal": error.code},
    )
    return render_template("sharing/audience.html", typed=typed, **why), error.status


def _of_state(kept: list[KeptVersion], state: VersionState) -> KeptVersion | None:
    return next((each for each in kept if each.state is state), None)
