"""The pages of retention, of erasures, and of the growth of the log."""

from collections.abc import Sequence

from flask import Blueprint, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.audit import erasure, growth, retention
from app.audit.entry import Outcome
from app.audit.erasure import MOST_RECORDS, Wanted
from app.audit.guard import audited, caller, transaction
from app.audit.models import RetentionRule
from app.audit.retention import LONGEST, SOURCE_LENGTH
from app.audit.service import append
from app.clock import now
from app.compliance.retention_api import in_force, kind_of
from app.errors import InvalidRequestError
from app.runtime import runtime
from postern.vocabulary import Role

blueprint = Blueprint("upkeep", __name__)

_OFFICER = (Role.COMPLIANCE,)
_NOTICES = frozenset({"chosen", "default", "asked"})
_FIELDS = ("actor", "case", "objects", "query", "filters")


@blueprint.get("/log/retention")
@audited("retention.read", roles=_OFFICER)
def show() -> str:
    """Show how long details are kept, by which law, and which erasures were asked for."""
    append(transaction(), caller(), "retention.read", object_type="audit-retention")
    return _page()


@blueprint.post("/log/retention")
@audited("audit.retention", roles=_OFFICER)
def choose() -> Response | tuple[str, int]:
    """Set how long details are kept, or go back to the default of the country."""
    form = request.form
    if form.get("choice") == "default":
        retention.give_up(transaction(), caller())
        return redirect(url_for(".show", done="default"), 303)
    try:
        rule, length = _rule(form)
        retention.choose(transaction(), caller(), rule, length, form.get("legal_source", ""))
    except InvalidRequestError as error:
        return _refuse("audit.retention", error), error.status
    return redirect(url_for(".show", done="chosen"), 303)


@blueprint.post("/log/erasures")
@audited("audit.erasure", roles=_OFFICER)
def ask() -> Response | tuple[str, int]:
    """Ask for details to be erased: of records by their ids, or of all acts of a person."""
    form = request.form
    of_person = form.get("of") == "person"
    wanted = Wanted(
        records=frozenset() if of_person else frozenset(form.get("records", "").split()),
        person=form.get("person", "").strip() if of_person else None,
        fields=frozenset(form.getlist("field")) if form.get("which") == "some" else None,
    )
    try:
        erasure.ask(transaction(), caller(), wanted)
    except InvalidRequestError as error:
        return _refuse("audit.erasure", error), error.status
    return redirect(url_for(".show", done="asked"), 303)


@blueprint.get("/log/growth")
@audited("log.growth", roles=[Role.ADMINISTRATOR])
def show_growth() -> str:
    """Show how large the log is, how fast it grows, and until when the disk will do."""
    found = growth.read(transaction(), caller(), runtime().settings)
    return render_template(
        "compliance/growth.html",
        growth=found,
        days=list(found.days.items()),
        archive_months=runtime().settings.audit.archive_months,
    )


def _rule(form: MultiDict[str, str]) -> tuple[RetentionRule, int]:
    try:
        return RetentionRule(form.get("rule", "")), int(form.get("length", ""))
    except ValueError:
        raise InvalidRequestError(
            errors=[{"field": "json.length", "reason": "Choose a rule and write a whole number."}]
        ) from None


def _refuse(act: str, error: InvalidRequestError) -> str:
    append(transaction(), caller(), act, outcome=Outcome.ERROR, details={"refusal": error.code})
    reasons = [each["reason"] for each in error.extensions.get("errors", [])]
    return _page(reasons, wrong=act)


def _page(reasons: Sequence[str] = (), wrong: str = "") -> str:
    held = in_force(transaction(), caller())
    at = now()
    done = request.args.get("done", "")
    return render_template(
        "compliance/retention.html",
        held=held,
        before=held.before(at),
        erasures=erasure.asked_by(transaction(), caller().organisation),
        fields=_FIELDS,
        kind_of=kind_of,
        rules=list(RetentionRule),
        longest={rule.value: most for rule, most in LONGEST.items()},
        source_length=SOURCE_LENGTH,
        most_records=MOST_RECORDS,
        given=request.form,
        reasons=reasons,
        wrong=wrong,
        notice=done if done in _NOTICES else "",
    )
