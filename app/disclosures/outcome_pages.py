"""The pages of outcomes: what became of one's own reports, what was told, and how reliable it is.

They ask what the interface for programs asks, by the same verbs, and are logged as the same acts. A
refusal brings the form back with the reasons and what was typed.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from marshmallow import ValidationError
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.disclosures import outcome_reading, outcomes, reliability
from app.disclosures.outcome_api import READERS, TELLERS
from app.disclosures.outcomes import Told
from app.errors import InvalidRequestError, NotFoundError, PosternError
from app.fields import case_reference
from postern.vocabulary import OutcomeResult, Role, Step, Substance, Unit

Page = tuple[str, int]
Choice = TypeVar("Choice", bound=StrEnum)

blueprint = Blueprint("outcomes", __name__)

PAGE = 25  # rows of one list

STEPS = ("asked", "located", "held", "examined")

_CASE = case_reference()
_DECIMALS = 3
_LONGEST_QUANTITY = 20  # characters


@blueprint.get("/outcomes")
@audited("outcome.list", roles=READERS)
def show_all() -> str:
    """Show what became of one's own reports, or every outcome of one of them."""
    before, report = _uuid(request.args.get("before")), _uuid(request.args.get("report"))
    if report is None:
        found = outcome_reading.became(transaction(), caller(), PAGE, before)
        return render_template(
            "disclosures/outcomes.html",
            found=found,
            is_later_page=before is not None,
            may_tell=_may_tell(),
        )
    page = outcome_reading.on_own(transaction(), caller(), report=report, limit=PAGE, cursor=before)
    return render_template(
        "disclosures/outcomes_told.html",
        report=report,
        page=page,
        is_later_page=before is not None,
        may_tell=_may_tell(),
        done=False,
    )


@blueprint.get("/outcomes/told")
@audited("outcome.list", roles=READERS)
def show_told() -> str:
    """Show what one's own organisation told."""
    before = _uuid(request.args.get("before"))
    return render_template(
        "disclosures/outcomes_told.html",
        report=None,
        page=outcome_reading.told(transaction(), caller(), PAGE, before),
        is_later_page=before is not None,
        may_tell=_may_tell(),
        done=request.args.get("done") == "told",
    )


@blueprint.get("/outcomes/new")
@audited("outcome.list", roles=TELLERS)
def begin() -> Page:
    """Show the form to tell what became of an indicator."""
    append(transaction(), caller(), "outcome.list", object_type="outcome", details={"box": "new"})
    return _form({name: request.args.get(name, "") for name in ("indicator", "request")})


@blueprint.post("/outcomes/new")
@audited("outcome.tell", roles=TELLERS)
def tell() -> Response | Page:
    """Tell what became of an indicator."""
    given = {name: value.strip() for name, value in request.form.items()}
    try:
        with transaction().begin_nested():
            _tell(given)
    except (InvalidRequestError, NotFoundError) as error:
        append(
            transaction(),
            caller(),
            "outcome.tell",
            outcome=Outcome.ERROR,
            details={"refusal": error.code},
        )
        return _form(given, error)
    return redirect(url_for("disclosure_pages.outcomes.show_told", done="told"), 303)


@blueprint.get("/outcomes/reliability")
@audited("outcome.count", roles=READERS)
def show_reliability() -> str:
    """Show how reliable indicators turned out."""
    return render_template(
        "disclosures/reliability.html",
        found=reliability.read(transaction(), caller()),
        may_tell=_may_tell(),
    )


def _tell(given: Mapping[str, str]) -> None:
    wrong: dict[str, str] = {}
    indicator = _uuid(given.get("indicator"))
    asked = _uuid(given.get("request"))
    if indicator is None or (asked is None and given.get("request")):
        raise NotFoundError
    steps = {name: _chosen(Step, given, name, wrong) for name in STEPS}
    result = _chosen(OutcomeResult, given, "result", wrong)
    substance = _optional(Substance, given, "substance", wrong)
    unit = _optional(Unit, given, "unit", wrong)
    quantity = _quantity(given.get("quantity", ""), wrong)
    case = _case(given.get("case", ""), wrong)
    if wrong:
        raise InvalidRequestError(
            errors=[{"field": f"json.{name}", "reason": reason} for name, reason in wrong.items()]
        )
    told = Told(**steps, result=result, substance=substance, quantity=quantity, unit=unit)
    outcomes.tell(transaction(), caller(), indicator=indicator, case=case, told=told, request=asked)


def _form(given: Mapping[str, str], problem: PosternError | None = None) -> Page:
    errors = problem.extensions.get("errors", ()) if problem else ()
    wrong = {each["field"].removeprefix("json."): each["reason"] for each in errors}
    if isinstance(problem, NotFoundError):
        wrong["indicator"] = (
            "Your organisation was not given this indicator, and it is none of its own."
        )
    page = render_template(
        "disclosures/outcome_form.html",
        given=given,
        problem=problem,
        wrong=wrong,
        steps=STEPS,
        step_words=list(Step),
        results=list(OutcomeResult),
        substances=list(Substance),
        units=list(Unit),
    )
    return page, problem.status if problem else 200


def _chosen(kind: type[Choice], given: Mapping[str, str], name: str, wrong: dict[str, str]) -> Any:
    found = next((each for each in kind if each.value == given.get(name)), None)
    if found is None:
        wrong[name] = "Choose one of the list."
    return found


def _optional(
    kind: type[Choice], given: Mapping[str, str], name: str, wrong: dict[str, str]
) -> Any:
    return _chosen(kind, given, name, wrong) if given.get(name) else None


def _quantity(typed: str, wrong: dict[str, str]) -> Decimal | None:
    """A decimal point or a decimal comma, as people type it."""
    if not typed:
        return None
    try:
        found = Decimal(typed[:_LONGEST_QUANTITY].replace(",", "."))
        exponent = found.as_tuple().exponent
        is_right = isinstance(exponent, int) and exponent >= -_DECIMALS
    except InvalidOperation:
        is_right = False
    if not is_right:
        wrong["quantity"] = "Write a quantity as a number with at most 3 decimals."
        return None
    return found


def _case(typed: str, wrong: dict[str, str]) -> str:
    try:
        return str(_CASE.deserialize(typed))
    except ValidationError:
        wrong["case"] = "Write the reference of the case, of 1 to 128 characters."
        return ""


def _may_tell() -> bool:
    return bool(caller().roles & {Role.ANALYST, Role.SUBMITTER})


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
