"""The sharing policy of one's own organisation: read, drafted, checked, approved, stopped.

By people alone: nothing that decides on sharing is done with an API token.
"""

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from app import clock
from app.audit.guard import audited, caller, transaction
from app.sharing import (
    composing,
    drafts,
    explanation,
    history,
    replay,
    service,
    simulation,
    versions,
)
from app.sharing.classes import ClassAttributes
from app.sharing.draft_schemas import (
    ApprovalSchema,
    CheckedDraftSchema,
    DraftContentSchema,
    DraftsArgumentsSchema,
    DraftSchema,
    DraftsSchema,
    EditedDraftSchema,
    FromVersionSchema,
    ProposalSchema,
    RefusalSchema,
)
from app.sharing.rule_schemas import to_form
from app.sharing.schemas import (
    ComposedPolicySchema,
    CurrentPolicySchema,
    PolicyCheckSchema,
    PolicyFormSchema,
    PolicyTextSchema,
    PolicyVersionSchema,
    PolicyVersionsSchema,
    StoppedSchema,
    TemplatesSchema,
)
from app.sharing.simulation_schemas import (
    AudienceQuestionSchema,
    ExplainedSchema,
    ReplayedDaysSchema,
    ReplaySchema,
    SimulatedTextSchema,
    SimulationSchema,
)
from postern.vocabulary import Role

blueprint = Blueprint(
    "policies",
    __name__,
    url_prefix="/api/v1/policies",
    description="Who may see what of an organisation, for which purpose.",
)

_READERS = [Role.POLICY_OWNER, Role.APPROVER, Role.COMPLIANCE]
_WRITERS = [Role.POLICY_OWNER]
_DECIDERS = [Role.POLICY_OWNER, Role.APPROVER]

_SEQ = "<int(max=2147483647):version>"


@blueprint.get("/current")
@audited("policy.read", roles=_READERS)
@blueprint.response(200, CurrentPolicySchema)
def read_current() -> service.CurrentPolicy:
    """Read the policy in force of your own organisation"""
    return service.current(transaction(), caller(), caller().organisation)


@blueprint.get("/versions")
@audited("policy.read", roles=_READERS)
@blueprint.response(200, PolicyVersionsSchema)
def list_versions() -> dict[str, Any]:
    """List all versions of your organisation's policy

    Newest first: in force, waiting for their time, cancelled and past ones.
    """
    return {"versions": history.read_history(transaction(), caller())}


@blueprint.get(f"/versions/{_SEQ}")
@audited("policy.read", roles=_READERS)
@blueprint.response(200, PolicyVersionSchema)
def read_version(version: int) -> history.KeptVersion:
    """Read one version of your organisation's policy"""
    return history.read_version(transaction(), caller(), version)


@blueprint.post(f"/versions/{_SEQ}/draft")
@audited("policy.draft", roles=_WRITERS)
@blueprint.arguments(FromVersionSchema)
@blueprint.response(201, CheckedDraftSchema)
def draft_from_version(asked: dict[str, Any], version: int) -> dict[str, Any]:
    """Go back to a version: make a draft of it

    The draft takes the same way as any other: proposed, and approved by a second person.
    """
    return _checked(drafts.from_version(transaction(), caller(), version, asked["title"]))


@blueprint.post(f"/versions/{_SEQ}/cancel")
@audited("policy.cancel", roles=_WRITERS)
@blueprint.response(200, PolicyVersionSchema)
def cancel_version(version: int) -> history.KeptVersion:
    """Cancel a version that waits for its time

    The policy in force stays.
    """
    organisation_id, _ = caller().member
    versions.cancel(transaction(), caller(), organisation_id, version)
    return history.read_version(transaction(), caller(), version)


@blueprint.post("/stop")
@audited("policy.publish", roles=_WRITERS)
@blueprint.response(200, StoppedSchema)
def stop() -> dict[str, Any]:
    """Stop all sharing at once

    From the next question on nobody else sees anything of your organisation. A version that waits
    for its time is cancelled. Nobody needs to approve, since it only takes back. To share again,
    make a draft of an earlier version.
    """
    organisation_id, _ = caller().member
    return {"version": versions.stop(transaction(), caller(), organisation_id)}


@blueprint.get("/templates")
@audited("policy.read", roles=_READERS)
@blueprint.response(200, TemplatesSchema)
def list_templates() -> dict[str, Any]:
    """List the templates for an organisation of your sector

    With your own country filled in. A template is a beginning: use its rules in a draft.
    """
    return {"templates": composing.offered_templates(transaction(), caller())}


@blueprint.post("/compose")
@audited("policy.check", roles=_WRITERS)
@blueprint.arguments(PolicyFormSchema)
@blueprint.response(200, ComposedPolicySchema)
def compose(asked: dict[str, Any]) -> composing.Composed:
    """Make the Cedar text of a form of rules, and check it

    Nothing is kept.
    """
    return composing.compose(transaction(), caller(), to_form(asked["rules"]))


@blueprint.post("/check")
@audited("policy.check", roles=_WRITERS)
@blueprint.arguments(PolicyTextSchema)
@blueprint.response(200, PolicyCheckSchema)
def check(asked: dict[str, Any]) -> service.Examined:
    """Check a text as the policy of your own organisation

    Faults keep a text from taking effect, warnings do not. Nothing is kept.
    """
    return composing.check(transaction(), caller(), asked["text"])


@blueprint.post("/simulate")
@audited("policy.simulate", roles=_READERS)
@blueprint.arguments(SimulatedTextSchema)
@blueprint.response(200, SimulationSchema)
def simulate(asked: dict[str, Any]) -> simulation.Simulation:
    """Compute who would gain and who would lose what by a text

    Against the policy in force, and against the version that waits if one does, on your live
    indicators. Nothing is kept.
    """
    return simulation.simulate(transaction(), caller(), asked["text"], clock.now())


@blueprint.post("/audience")
@audited("policy.explain", roles=[Role.SUBMITTER, *_READERS])
@blueprint.arguments(AudienceQuestionSchema)
@blueprint.response(200, ExplainedSchema)
def foresee_audience(asked: dict[str, Any]) -> explanation.Explained:
    """Read who would see a record before it is submitted

    Which organisations, how far, for which purposes and by which rules.
    """
    band = asked.pop("age_band")
    attributes = ClassAttributes(**{**asked, "handling": frozenset(asked["handling"])})
    return explanation.audience_of_class(transaction(), caller(), attributes, band, clock.now())


@blueprint.get("/drafts")
@audited("policy.read", roles=_READERS)
@blueprint.arguments(DraftsArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, DraftsSchema)
def list_drafts(asked: dict[str, Any]) -> dict[str, Any]:
    """List the drafts of your organisation

    Newest first, in pages, closed ones too.
    """
    found = drafts.list_drafts(transaction(), caller(), asked["status"], asked["before"])
    return {"drafts": found, "next": found[-1].id if len(found) == drafts.PAGE else None}


@blueprint.post("/drafts")
@audited("policy.draft", roles=_WRITERS)
@blueprint.arguments(DraftContentSchema)
@blueprint.response(201, CheckedDraftSchema)
def create_draft(asked: dict[str, Any]) -> dict[str, Any]:
    """Begin a draft

    With a text in Cedar or with rules, of which the platform makes the text. A text with faults is
    kept too; the answer tells them.
    """
    return _checked(drafts.create(transaction(), caller(), **_content(asked)))


@blueprint.get("/drafts/<uuid:draft_id>")
@audited("policy.read", roles=_READERS)
@blueprint.response(200, CheckedDraftSchema)
def read_draft(draft_id: UUID) -> dict[str, Any]:
    """Read a draft of your organisation

    Another organisation's draft is answered like one that does not exist.
    """
    return _checked(drafts.read(transaction(), caller(), draft_id))


@blueprint.put("/drafts/<uuid:draft_id>")
@audited("policy.draft", roles=_WRITERS)
@blueprint.arguments(EditedDraftSchema)
@blueprint.response(200, CheckedDraftSchema)
def edit_draft(asked: dict[str, Any], draft_id: UUID) -> dict[str, Any]:
    """Save a new revision of a draft

    Whoever saves one may not approve the draft. A revision that is not the newest is refused, and
    the answer names the newest; so is a draft that is proposed or closed.
    """
    return _checked(
        drafts.edit(transaction(), caller(), draft_id, asked["revision"], **_content(asked))
    )


@blueprint.post("/drafts/<uuid:draft_id>/propose")
@audited("policy.draft", roles=_WRITERS)
@blueprint.arguments(ProposalSchema)
@blueprint.response(200, DraftSchema)
def propose_draft(asked: dict[str, Any], draft_id: UUID) -> drafts.Draft:
    """Put a draft before a second person

    Its text must have no faults, and no version may have come since it was saved. After 30 days
    without a decision it is discarded.
    """
    return drafts.propose(
        transaction(), caller(), draft_id, asked["revision"], asked["activate_at"]
    )


@blueprint.post("/drafts/<uuid:draft_id>/withdraw")
@audited("policy.draft", roles=_WRITERS)
@blueprint.response(200, DraftSchema)
def withdraw_draft(draft_id: UUID) -> drafts.Draft:
    """Withdraw a proposal, to edit it"""
    return drafts.withdraw(transaction(), caller(), draft_id)


@blueprint.post("/drafts/<uuid:draft_id>/approve")
@audited("policy.draft", roles=_DECIDERS)
@blueprint.arguments(ApprovalSchema)
@blueprint.response(200, DraftSchema)
def approve_draft(asked: dict[str, Any], draft_id: UUID) -> drafts.Draft:
    """Approve a proposal as the second person

    Nobody who wrote or proposed the draft may, in whatever role. It becomes a version, in force
    with this answer or at its time; when that time has passed, with this answer, which says so.
    """
    return drafts.approve(transaction(), caller(), draft_id, asked["revision"], asked["reason"])


@blueprint.post("/drafts/<uuid:draft_id>/refuse")
@audited("policy.draft", roles=_DECIDERS)
@blueprint.arguments(RefusalSchema)
@blueprint.response(200, DraftSchema)
def refuse_draft(asked: dict[str, Any], draft_id: UUID) -> drafts.Draft:
    """Refuse a proposal, with a reason

    The draft is closed and kept as it is.
    """
    return drafts.refuse(transaction(), caller(), draft_id, asked["revision"], asked["reason"])


@blueprint.post("/drafts/<uuid:draft_id>/discard")
@audited("policy.draft", roles=_WRITERS)
@blueprint.response(200, DraftSchema)
def discard_draft(draft_id: UUID) -> drafts.Draft:
    """Discard a draft that is no longer wanted

    It is closed and kept as it is.
    """
    return drafts.discard(transaction(), caller(), draft_id)


@blueprint.post("/drafts/<uuid:draft_id>/simulate")
@audited("policy.simulate", roles=_READERS)
@blueprint.response(200, SimulationSchema)
def simulate_draft(draft_id: UUID) -> simulation.Simulation:
    """Compute who would gain and who would lose what by a draft

    As for a text.
    """
    text = drafts.read(transaction(), caller(), draft_id).text
    return simulation.simulate(transaction(), caller(), text, clock.now())


@blueprint.post("/drafts/<uuid:draft_id>/replay")
@audited("policy.simulate", roles=_READERS)
@blueprint.arguments(ReplayedDaysSchema)
@blueprint.response(200, ReplaySchema)
def replay_draft(asked: dict[str, Any], draft_id: UUID) -> replay.Replay:
    """Compute what a draft would have changed over the last days

    From what your organisation was told of hits in its access log. Lookups that matched and were
    hidden are recorded nowhere, so what a wider text would have shown of them cannot be known.
    """
    text = drafts.read(transaction(), caller(), draft_id).text
    return replay.replay(transaction(), caller(), text, clock.now(), asked["days"])


def _content(asked: dict[str, Any]) -> dict[str, Any]:
    rules = asked["rules"]
    form = None if rules is None else to_form(rules)
    return {"title": asked["title"], "text": asked["text"], "form": form}


def _checked(draft: drafts.Draft) -> dict[str, Any]:
    """The draft with its faults and warnings; its own act is logged."""
    organisation_id, _ = caller().member
    return {
        **vars(draft),
        "sha256": draft.sha256,
        "time_had_passed": draft.time_had_passed,
        "check": service.examine(transaction(), organisation_id, draft.text),
    }
