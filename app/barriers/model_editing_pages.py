"""Proposing a barrier model, or the next version of one's own: typed, pasted, or as a file.

What is refused comes back with what was typed; nothing is kept before it is proposed.
"""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, render_template, request, url_for
from flask_babel import lazy_gettext as _
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.barriers import model_storage, modelling
from app.barriers.fault_words import fault_in_words
from app.barriers.model import BarrierModel, CellKind
from app.barriers.modelling import MOST_BYTES, WRITERS, Checked, Model
from app.barriers.page_requests import REFUSED, identity, log_refusal, reasons
from app.errors import InvalidRequestError, NotFoundError, PosternError
from postern.yaml_documents import Fault

Page = tuple[str, int]
Answer = Response | Page

blueprint = Blueprint("barrier_drafts", __name__)

_NEXT = "/barriers/models/<uuid:model_id>/next"
_NOT_TEXT = _("The file is not UTF-8. Save it as UTF-8 text.")
_TOO_LONG = _("The file is too long for a model.")


@dataclass(frozen=True, slots=True)
class _Typed:
    text: str
    community: str


@blueprint.get("/barriers/models/new")
@audited("model.check", roles=WRITERS)
def begin() -> Page:
    """Show the form, empty or with a copy of a model that one may read."""
    append(transaction(), caller(), "model.check", object_type="barrier-model")
    copied = identity("from")
    text = ""
    if copied is not None:
        found = modelling.read(transaction(), caller(), copied)
        if found.found.version is None:
            raise NotFoundError
        text = _as_ones_own(found.found.version.text)
    return _page(None, _Typed(text, ""))


@blueprint.post("/barriers/models/new")
@audited("model.draft", roles=WRITERS)
def keep() -> Answer:
    """Check the text, or propose it as the first version of a model of one's own."""
    return _step(None)


@blueprint.get(_NEXT)
@audited("model.read", roles=WRITERS)
def begin_next(model_id: UUID) -> Page:
    """Show the form with the text of the newest version, to write the next one."""
    shown = _own(model_id)
    newest = shown.found.version or next(iter(shown.versions))
    return _page(shown, _Typed(newest.text, ""))


@blueprint.post(_NEXT)
@audited("model.draft", roles=WRITERS)
def keep_next(model_id: UUID) -> Answer:
    """Check the text, or propose it as the next version."""
    return _step(_own(model_id))


def _step(shown: Model | None) -> Answer:
    """What the button says: check, or propose."""
    typed = _Typed(
        request.form.get("text", "").replace("\r\n", "\n"), request.form.get("community", "")
    )
    objects = [shown.found.model.public_id] if shown else []
    try:
        typed = _Typed(_uploaded() or typed.text, typed.community)
        if request.form.get("do") == "check":
            checked = modelling.check(transaction(), caller(), typed.text)
            return _page(shown, typed, checked=checked)
        with transaction().begin_nested():
            if shown is None:
                community = typed.community or None
                made = modelling.begin(transaction(), caller(), typed.text, community)
            else:
                public_id = shown.found.model.public_id
                made = modelling.propose(transaction(), caller(), public_id, typed.text)
    except REFUSED as error:
        log_refusal("model.draft", "barrier-model", objects, error)
        return _page(shown, typed, problem=error)
    public_id = made.found.model.public_id
    return redirect(url_for("barrier_models.show", model_id=public_id, done="proposed"), code=303)


def _uploaded() -> str:
    """The text of the file that was sent along; empty for none."""
    sent = request.files.get("file")
    raw = sent.read(MOST_BYTES + 1) if sent else b""
    if len(raw) > MOST_BYTES:
        raise _wrong(_TOO_LONG)
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise _wrong(_NOT_TEXT) from None


def _wrong(reason: Any) -> InvalidRequestError:
    return InvalidRequestError(errors=[{"field": "json.file", "reason": str(reason)}])


def _own(model_id: UUID) -> Model:
    """A model of the caller's own organisation; NotFoundError for any other."""
    shown = modelling.read(transaction(), caller(), model_id)
    if not shown.found.is_own:
        raise NotFoundError
    return shown


def _as_ones_own(text: str) -> str:
    """A text with an id of its own, in its first version, and no claim but that it is one's own."""
    for key, value in (("id", str(uuid4())), ("version", "1"), ("status", "own")):
        text = re.sub(rf"^{key}: .*$", f"{key}: {value}", text, count=1, flags=re.MULTILINE)
    return text


def _page(
    shown: Model | None,
    typed: _Typed,
    *,
    checked: Checked | None = None,
    problem: PosternError | None = None,
) -> Page:
    organisation_id, _person = caller().member
    faults = [*(checked.faults if checked else ()), *_refused_lines(problem)]
    page = render_template(
        "barriers/model_write.html",
        shown=shown,
        title=(shown.found.version or next(iter(shown.versions))).title if shown else "",
        typed=typed,
        lines=typed.text.splitlines(),
        faults=[(each, fault_in_words(each)) for each in faults],
        checked=checked,
        held=_held(checked.model) if checked and checked.model else (),
        communities=model_storage.own_communities(transaction(), organisation_id),
        problem=problem,
        wrong=reasons(problem),
        most_bytes=MOST_BYTES,
    )
    return page, problem.status if problem else 200


def _held(model: BarrierModel) -> list[tuple[CellKind, int]]:
    """How many cells each column has."""
    kinds = [kind for step in model.steps for kind, _cell in step.cells]
    return [(kind, kinds.count(kind)) for kind in CellKind]


def _refused_lines(problem: PosternError | None) -> list[Fault]:
    errors = problem.extensions.get("errors", ()) if problem else ()
    return [
        Fault(each["line"], each["column"], each["reason"], each["remedy"])
        for each in errors
        if "line" in each
    ]
