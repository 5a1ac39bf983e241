"""The page of what others share: count it for a purpose, and take it away as a file.

The file leaves in parts that are each logged, as for programs. The page needs no script.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, render_template, request
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.errors import InvalidRequestError
from app.indicators import exporting, shared
from app.indicators.shared import Counts
from app.indicators.shared_schemas import FiltersSchema, Form
from app.indicators.telling import Grounds
from app.lookups.search_grounds import OFFERED
from app.organisations.service import directory
from postern.vocabulary import INDICATOR_KINDS, Role, Sector, Substance, Tlp

blueprint = Blueprint("shared_pages", __name__)

_READERS = (Role.ANALYST,)
_FILTERS = FiltersSchema()
_FIELDS = ("owner", "kind", "barrier_step", "substance", "tlp", "seen_since")
_STEPS = range(1, 8)
_WRONG = 422

Asked = tuple[Grounds, dict[str, Any]]


@blueprint.get("/shared")
@audited("interface.read", roles=_READERS)
def show() -> str:
    """Show the form: why, and what of it."""
    append(transaction(), caller(), "interface.read", object_type="account")
    return _page()


@blueprint.post("/shared")
@audited("indicator.count", roles=_READERS)
def count() -> str | tuple[str, int]:
    """Count what others share for this purpose."""
    try:
        grounds, wanted = _asked(request.form)
        with transaction().begin_nested():
            counts = shared.count_shared(transaction(), caller(), grounds, wanted=wanted)
    except (ValidationError, InvalidRequestError) as error:
        return _refused("indicator.count", error)
    return _page(counts=counts)


@blueprint.post("/shared/file")
@audited("indicator.export", roles=_READERS)
def take() -> Response | tuple[str, int]:
    """Give all of it as a file."""
    try:
        grounds, wanted = _asked(request.form)
        file = exporting.File(grounds, wanted, _form(request.form))
        with transaction().begin_nested():
            return exporting.whole(file)
    except (ValidationError, InvalidRequestError) as error:
        return _refused("indicator.export", error)


def _asked(form: MultiDict[str, str]) -> Asked:
    """Why and what of it; ValidationError names the fields that are wrong."""
    purpose, _, basis = form.get("grounds", "").partition(" ")
    given = {name: form[name] for name in _FIELDS if form.get(name)}
    why = {"purpose": purpose, "legal_basis": basis, "case": form.get("case", "")}
    asked = _FILTERS.load({**why, **given})
    grounds = Grounds(asked.pop("purpose"), asked.pop("legal_basis"), asked.pop("case"))
    return grounds, asked


def _form(form: MultiDict[str, str]) -> Form:
    try:
        return Form(form.get("format", ""))
    except ValueError:
        raise ValidationError({"format": ["It is none of the forms."]}) from None


def _refused(act: str, error: ValidationError | InvalidRequestError) -> tuple[str, int]:
    append(
        transaction(),
        caller(),
        act,
        outcome=Outcome.ERROR,
        object_type="indicator",
        details={"refusal": InvalidRequestError.code},
    )
    return _page(wrong=_places(error)), _WRONG


def _places(error: ValidationError | InvalidRequestError) -> frozenset[str]:
    """The fields of the form that are wrong."""
    if isinstance(error, ValidationError):
        named = set(error.messages_dict)
    else:
        named = {each["field"].removeprefix("query.") for each in error.extensions["errors"]}
    return frozenset("grounds" if name in {"purpose", "legal_basis"} else name for name in named)


def _page(counts: Counts | None = None, wrong: frozenset[str] = frozenset()) -> str:
    members = directory(transaction())
    own = members[caller().member[0]]
    return render_template(
        "lookups/shared.html",
        offered=OFFERED[Sector(own.sector)],
        owners={each.code: each.name for each in members.values() if each.code != own.code},
        names={each.code: each.name for each in members.values()},
        kinds=INDICATOR_KINDS,
        steps=_STEPS,
        substances=list(Substance),
        markings=list(Tlp),
        forms=_offered_forms(),
        counts=counts,
        typed=request.form,
        wrong=wrong,
    )


def _offered_forms() -> Mapping[Form, str]:
    """The forms with the endings of their files."""
    return {form: f".{form.value}" for form in (Form.XLSX, Form.CSV, Form.NDJSON)}
