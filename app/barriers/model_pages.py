"""The pages of barrier models: which there are, what each says, how it changed, who decides.

They ask what the interface for programs asks, by the same verbs, and are logged as the same acts.
They need no script.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.audit.guard import audited, caller, transaction
from app.barriers import model_changes, model_storage, modelling
from app.barriers.model import BarrierModel, Signal
from app.barriers.modelling import DECIDERS, LONGEST_NOTE, READERS, WRITERS, Model
from app.barriers.models import ModelState, ModelVersion
from app.barriers.page_requests import attempt, may, notice, number
from app.barriers.wording import spoken_language
from app.errors import NotFoundError, PosternError

Page = tuple[str, int]
Answer = Response | Page

blueprint = Blueprint("barrier_models", __name__)

_ONE = "/barriers/models/<uuid:model_id>"
_NOTICES = frozenset({"proposed", "approved", "refused", "withdrawn", "chosen"})


@dataclass(frozen=True, slots=True)
class _Read:
    """A version as the page shows it; `numbers` count its sources in their order."""

    version: ModelVersion
    document: BarrierModel

    @property
    def numbers(self) -> dict[str, int]:
        return {each.key: place for place, each in enumerate(self.document.sources, 1)}

    def rule(self, signal: Signal) -> str:
        return model_changes.rule_text(signal, spoken_language())


@blueprint.get("/barriers/models")
@audited("model.list", roles=READERS)
def show_all() -> str:
    """Show the models that the organisation may read, and which of them it uses."""
    found = modelling.list_models(transaction(), caller())
    has_one = any(each.version for each in found)
    # Only these are read whole: the others are named in their own first language.
    platforms = [each for each in found if each.owner is None]
    return render_template(
        "barriers/models.html",
        found=found,
        used=modelling.current(transaction(), caller()) if has_one else None,
        wordings={
            each.model.public_id: model_storage.read_kept(each.version).title
            for each in platforms
            if each.version
        },
        titles={each.model.public_id: (each.version or each.proposal) for each in found},
        may_write=may(WRITERS),
    )


@blueprint.get(_ONE)
@audited("model.read", roles=READERS)
def show(model_id: UUID) -> Page:
    """Show one model, in the version in force or in the one that the address names."""
    return _one(model_id)


@blueprint.get(f"{_ONE}/compare")
@audited("model.compare", roles=READERS)
def compare(model_id: UUID) -> str:
    """Show in words what one version changes of another, by default the two newest."""
    shown = modelling.read(transaction(), caller(), model_id)
    seqs = [each.seq for each in shown.versions]
    chosen = {
        "from": number("from") or (seqs[1] if len(seqs) > 1 else 0),
        "to": number("to") or (seqs[0] if seqs else 0),
    }
    is_found = len(seqs) > 1 and set(chosen.values()) <= set(seqs)
    changes = None
    if is_found:
        both = modelling.both(transaction(), caller(), model_id, chosen["from"], chosen["to"])
        changes = model_changes.changes(*both, spoken_language())
    return render_template(
        "barriers/model_compare.html",
        shown=shown,
        title=_title(shown),
        chosen=chosen,
        versions={each.seq: each for each in shown.versions},
        changes=changes,
    )


@blueprint.get(f"{_ONE}/versions/<int:seq>/text")
@audited("model.read", roles=READERS)
def download(model_id: UUID, seq: int) -> Response:
    """Give the text of a version as a file."""
    text = modelling.version_text(transaction(), caller(), model_id, seq)
    answer = Response(text, mimetype="application/yaml")
    answer.headers["Content-Disposition"] = f'attachment; filename="barrier-model-{seq}.yml"'
    return answer


@blueprint.post(f"{_ONE}/approve")
@audited("model.publish", roles=DECIDERS)
def approve(model_id: UUID) -> Answer:
    """Put the proposed version in force, as the second person."""

    def verb() -> None:
        note = request.form.get("note", "").strip() or None
        modelling.approve(transaction(), caller(), model_id, number("version") or 0, note)

    return _done("model.publish", model_id, verb, "approved")


@blueprint.post(f"{_ONE}/refuse")
@audited("model.draft", roles=DECIDERS)
def refuse(model_id: UUID) -> Answer:
    """Refuse the proposed version, with a reason."""

    def verb() -> None:
        note = request.form.get("note", "").strip()
        modelling.refuse(transaction(), caller(), model_id, number("version") or 0, note)

    return _done("model.draft", model_id, verb, "refused")


@blueprint.post(f"{_ONE}/withdraw")
@audited("model.draft", roles=WRITERS)
def withdraw(model_id: UUID) -> Answer:
    """Take a proposal back."""

    def verb() -> None:
        modelling.withdraw(transaction(), caller(), model_id, number("version") or 0)

    return _done("model.draft", model_id, verb, "withdrawn")


@blueprint.post(f"{_ONE}/choose")
@audited("model.choose", roles=DECIDERS)
def choose(model_id: UUID) -> Answer:
    """Use this model from now on."""

    def verb() -> None:
        modelling.choose(transaction(), caller(), model_id)

    return _done("model.choose", model_id, verb, "chosen")


def _done(act: str, model_id: UUID, verb: Callable[[], None], done: str) -> Answer:
    """The way back after the verb; the page itself with the reason when it is refused."""
    problem = attempt(act, "barrier-model", [model_id], verb)
    if problem is not None:
        return _one(model_id, act, problem)
    return redirect(url_for("barrier_models.show", model_id=model_id, done=done), code=303)


def _one(model_id: UUID, act: str = "", problem: PosternError | None = None) -> Page:
    shown = modelling.read(transaction(), caller(), model_id)
    found, proposal = shown.found, shown.found.proposal
    read = _read(model_id, shown)
    changes = None
    if proposal is not None and found.version is not None:
        both = modelling.both(transaction(), caller(), model_id, found.version.seq, proposal.seq)
        changes = model_changes.changes(*both, spoken_language())
    page = render_template(
        "barriers/model.html",
        shown=shown,
        found=found,
        title=_title(shown),
        read=read,
        document=read.document,
        proposal=proposal,
        changes=changes,
        is_mine=proposal is not None and caller().person == proposal.proposed_by,
        may_write=found.is_own and may(WRITERS),
        may_copy=may(WRITERS),
        may_decide=found.is_own and may(DECIDERS),
        may_choose=may(DECIDERS) and found.version is not None and not shown.is_in_use,
        longest_note=LONGEST_NOTE,
        done=notice(_NOTICES),
        refused_act=act,
        problem=problem,
        typed=request.form,
    )
    return page, problem.status if problem else 200


def _read(model_id: UUID, shown: Model) -> _Read:
    """The version that the address names, else the one in force, else the newest."""
    current = shown.found.version
    asked = number("shown")
    if current is not None and shown.document is not None and asked in {None, current.seq}:
        return _Read(current, shown.document)
    known = [each.seq for each in shown.versions if each.state is not ModelState.PUBLISHED]
    if asked is None and not known:
        raise NotFoundError
    seq = known[0] if asked is None else asked
    return _Read(*modelling.read_version(transaction(), caller(), model_id, seq))


def _title(shown: Model) -> str:
    version = shown.found.version or shown.found.proposal or next(iter(shown.versions), None)
    return version.title if version else ""
