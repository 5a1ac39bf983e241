"""The pages of one's own reports: where each stands, who got it, what came of it; amend, withdraw.

They ask what the interface for programs asks, by the same verbs, and are logged as the same acts. A
refusal brings the page back with the reason; it is logged, and what the verb had done is undone
first. They need no script.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask_babel import lazy_gettext as _
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.clock import now
from app.disclosures import ledger_reading, outcome_reading, own_reports
from app.disclosures.own_reports import LEDGER_READERS, OUTCOME_READERS, Filters, Shelf
from app.errors import ConflictError, InvalidRequestError, NotFoundError, PosternError
from app.indicators import amending, holds, service
from app.indicators.amending import Correction
from app.zones import zone
from postern.vocabulary import (
    INDICATOR_KINDS,
    Assertion,
    Concealment,
    DeclaredCategory,
    Handling,
    InformationGrade,
    PermittedAction,
    RecallReason,
    Role,
    Service,
    SourceGrade,
    SubjectCategory,
    Substance,
    Tlp,
    ValueBand,
    WeightBand,
)

Page = tuple[str, int]
Answer = Response | Page
Word = TypeVar("Word", bound=StrEnum)

blueprint = Blueprint("own_reports", __name__)

PAGE = 25  # reports of one list
MOST_READ = 200  # indicators and outcomes of one report

READERS = (Role.SUBMITTER, Role.ANALYST, Role.APPROVER, Role.COMPLIANCE)
WRITERS = (Role.SUBMITTER,)
WITHDRAWALS: Mapping[str, Any] = {
    "error": _("It was wrong"),
    "unlawful": _("It should not have been sent"),
    "obsolete": _("It is needed no longer"),
}
"""Why a report is withdrawn, as the interface knows it."""

CHOOSE = _("Choose one of the list.")
WRITE_DAY = _("Write the day as YYYY-MM-DD.")
WRITE_COUNTRY = _("Write the country as two capital letters.")
_SENTENCES = (
    # Of the verbs: told with their remedy in one.
    _("The day lies in the future or before 1970. Correct the day."),
    _("It ends before it begins. Exchange the two days."),
    _(
        "It lies in the past or after the expiry. Choose a day from today until expires_on, or "
        "leave it out."
    ),
)

_NOTICES = frozenset({"amended", "same", "withdrawn"})
_FILTERS = ("shelf", "kind", "step", "outcome", "since", "until")
_REFUSED = (ConflictError, InvalidRequestError)
_OF_INDICATOR: Mapping[str, type[StrEnum]] = {
    "subject_category": SubjectCategory,
    "assertion": Assertion,
    "source_grade": SourceGrade,
    "information_grade": InformationGrade,
    "tlp": Tlp,
    "permitted_action": PermittedAction,
}
_DAYS = ("observed_from", "observed_to", "review_on", "expires_on")
_OF_SHIPMENT: Mapping[str, type[StrEnum]] = {
    "service": Service,
    "weight_band": WeightBand,
    "value_band": ValueBand,
    "declared_category": DeclaredCategory,
    "concealment": Concealment,
    "substance": Substance,
}
_COUNTRIES = ("origin_country", "destination_country")
_LAST_STEP = 7
_STEPS = list(range(1, _LAST_STEP + 1))


@blueprint.get("/reports")
@audited("report.list", roles=READERS)
def show_all() -> Page:
    """Show the organisation's own reports that fit the filters, newest first."""
    given = {name: request.args[name].strip() for name in _FILTERS if request.args.get(name)}
    filters, wrong = _filters(given)
    if wrong:
        append(
            transaction(),
            caller(),
            "report.list",
            outcome=Outcome.ERROR,
            details={"refusal": InvalidRequestError.code},
        )
    before = _uuid(request.args.get("before"))
    page = None
    if not wrong:
        page = own_reports.follow(transaction(), caller(), filters, PAGE, before)
    following = page.next if page else None
    text = render_template(
        "indicators/reports.html",
        page=page,
        given=given,
        wrong=wrong,
        shelves=list(Shelf),
        kinds=list(INDICATOR_KINDS),
        steps=_STEPS,
        is_later_page=before is not None,
        first_address=_address(given),
        next_address=_address(given, before=following) if following else "",
        may_submit=_may(WRITERS),
        sees_readers=_may(LEDGER_READERS),
        sees_outcomes=_may(OUTCOME_READERS),
    )
    return text, InvalidRequestError.status if wrong else 200


@blueprint.get("/reports/<uuid:report_id>")
@audited("report.read", roles=READERS)
def show(report_id: UUID) -> Page:
    """Show one report: its indicators, who got them, what came of it."""
    return _one(report_id)


@blueprint.post("/reports/<uuid:report_id>/withdraw")
@audited("report.withdraw", roles=WRITERS)
def withdraw(report_id: UUID) -> Answer:
    """Withdraw a report."""

    def work() -> str:
        reason = request.form.get("reason", "")
        if reason not in WITHDRAWALS:
            raise _wrong(reason=CHOOSE)
        recall = _word(RecallReason, "recall") if request.form.get("recall") else None
        service.withdraw(transaction(), caller(), report_id, reason, recall)
        return "withdrawn"

    return _done("report.withdraw", report_id, work)


@blueprint.post("/reports/<uuid:report_id>/amend")
@audited("report.amend", roles=WRITERS)
def amend(report_id: UUID) -> Answer:
    """Amend what a report tells of the shipment."""

    def work() -> str:
        report = service.read_own(transaction(), caller(), report_id)
        present = {"barrier_step": report.barrier_step, **report.shipment}
        fields = _changed(_shipment(), present)
        correction = Correction(fields, _word(RecallReason, "why"))
        made = amending.amend_report(transaction(), caller(), report_id, correction)
        return "amended" if made.changes else "same"

    return _done("report.amend", report_id, work)


@blueprint.post("/reports/<uuid:report_id>/indicators/<uuid:indicator_id>/amend")
@audited("indicator.amend", roles=WRITERS)
def amend_indicator(report_id: UUID, indicator_id: UUID) -> Answer:
    """Amend grades, markings and days of an indicator."""

    def work() -> str:
        report = service.read_own(transaction(), caller(), report_id)
        present = [each for each in report.indicators if each["id"] == indicator_id]
        try:
            chosen = _of_indicator()
            # What is not shown, such as what was seen tomorrow, is for the verb to find or not.
            fields = _changed(chosen, present[0]) if present else chosen
            correction = Correction(fields, _word(RecallReason, "why"))
        except InvalidRequestError:
            if not present:
                raise NotFoundError from None
            raise
        made = amending.amend_indicator(
            transaction(), caller(), report_id, indicator_id, correction
        )
        return "amended" if made.changes else "same"

    return _done("indicator.amend", report_id, work, indicator_id)


def _done(
    act: str, report_id: UUID, work: Callable[[], str], indicator_id: UUID | None = None
) -> Answer:
    try:
        with transaction().begin_nested():
            notice = work()
    except _REFUSED as error:
        append(
            transaction(),
            caller(),
            act,
            outcome=Outcome.ERROR,
            object_type="report",
            objects=[str(report_id)],
            details={"refusal": error.code},
        )
        return _one(report_id, problem=error, about=indicator_id or report_id, of=act)
    address = url_for("disclosure_pages.own_reports.show", report_id=report_id, done=notice)
    return redirect(address, 303)


def _one(
    report_id: UUID,
    problem: PosternError | None = None,
    about: UUID | None = None,
    of: str = "",
) -> Page:
    followed = own_reports.follow_one(transaction(), caller(), report_id)
    given, told = {}, None
    if _may(LEDGER_READERS):
        filters = ledger_reading.Filters(report=report_id)
        found = ledger_reading.read(transaction(), caller(), filters, MOST_READ)
        given = {each.indicator: each for each in found.indicators}
    if _may(OUTCOME_READERS):
        told = outcome_reading.on_own(
            transaction(), caller(), report=report_id, limit=MOST_READ
        ).outcomes
    organisation_id, _person = caller().member
    done = request.args.get("done", "")
    page = render_template(
        "indicators/own_report.html",
        followed=followed,
        report=followed.report,
        given=given,
        told=told,
        holds=holds.of_reports(transaction(), organisation_id, [report_id]),
        lists=_LISTS,
        withdrawals=WITHDRAWALS,
        today=now().date(),
        may_write=_may(WRITERS),
        may_hold=_may((Role.COMPLIANCE,)),
        sees_readers=_may(LEDGER_READERS),
        done=done if done in _NOTICES else None,
        problem=problem,
        about=about,
        refused_act=of,
        typed=request.form,
        wrong=_errors(problem),
    )
    return page, problem.status if problem else 200


def _of_indicator() -> dict[str, Any]:
    """What was chosen for an indicator, by the names of the interface."""
    fields: dict[str, Any] = {name: _word(kind, name) for name, kind in _OF_INDICATOR.items()}
    codes = request.form.getlist("handling")
    if not set(codes) <= set(Handling):
        raise _wrong(handling=CHOOSE)
    fields["handling"] = sorted(Handling(code) for code in set(codes))
    for name in _DAYS:
        fields[name] = _day(name)
    for name in ("review_on", "expires_on"):
        if fields[name] is None:
            raise _wrong(**{name: WRITE_DAY})
    return fields


def _shipment() -> dict[str, Any]:
    """What was chosen for a report, by the names of the interface; None for nothing."""
    fields: dict[str, Any] = {
        name: _word(kind, name) if request.form.get(name) else None
        for name, kind in _OF_SHIPMENT.items()
    }
    for name in _COUNTRIES:
        typed = request.form.get(name, "").strip().upper()
        if typed and not (len(typed) == len("BE") and typed.isascii() and typed.isalpha()):
            raise _wrong(**{name: WRITE_COUNTRY})
        fields[name] = typed or None
    step = request.form.get("barrier_step", "")
    if step and step not in {str(each) for each in range(1, _LAST_STEP + 1)}:
        raise _wrong(barrier_step=CHOOSE)
    fields["barrier_step"] = int(step) if step else None
    return fields


def _changed(chosen: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """What differs: only that is amended, so that what stands is not judged anew."""
    return {name: value for name, value in chosen.items() if _plain(value) != _plain(present[name])}


def _plain(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list) else value


def _word(kind: type[Word], name: str) -> Word:
    found = next((each for each in kind if each.value == request.form.get(name)), None)
    if found is None:
        raise _wrong(**{name: CHOOSE})
    return found


def _day(name: str) -> date | None:
    typed = request.form.get(name, "").strip()
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise _wrong(**{name: WRITE_DAY}) from None


def _wrong(**reasons: Any) -> InvalidRequestError:
    errors = [{"field": f"json.{name}", "reason": str(why)} for name, why in reasons.items()]
    return InvalidRequestError(errors=errors)


def _errors(problem: PosternError | None) -> dict[str, str]:
    errors = problem.extensions.get("errors", ()) if problem else ()
    return {each["field"].removeprefix("json."): each["reason"] for each in errors}


def _filters(given: Mapping[str, str]) -> tuple[Filters, frozenset[str]]:
    """What the address asks for, and which of it means nothing."""
    wrong = set()
    shelf = next((each for each in Shelf if each.value == given.get("shelf")), None)
    kind = next((each for each in INDICATOR_KINDS if each.value == given.get("kind")), None)
    step = {"none": 0, **{str(each): each for each in _STEPS}}.get(given.get("step", ""))
    outcome = {"told": True, "none": False}.get(given.get("outcome", ""))
    for name, found in (("shelf", shelf), ("kind", kind), ("step", step), ("outcome", outcome)):
        if name in given and found is None:
            wrong.add(name)
    moments: dict[str, datetime | None] = {"since": None, "until": None}
    for name, more in (("since", 0), ("until", 1)):
        try:
            if name in given:
                day = date.fromisoformat(given[name]) + timedelta(days=more)
                moments[name] = _beginning(day)
        except (ValueError, OverflowError):
            wrong.add(name)
    filters = Filters(shelf, kind, step, outcome, moments["since"], moments["until"])
    return filters, frozenset(wrong)


def _beginning(day: date) -> datetime:
    """The first moment of a day where the reader is."""
    here, at = zone(), datetime.combine(day, time())
    localize: Callable[[datetime], datetime] | None = getattr(here, "localize", None)
    return localize(at) if localize else at.replace(tzinfo=here)


def _may(roles: Iterable[Role]) -> bool:
    return bool(caller().roles & frozenset(roles))


def _address(given: Mapping[str, str], **more: Any) -> str:
    asked = urlencode({**given, **more})
    address = url_for("disclosure_pages.own_reports.show_all")
    return f"{address}?{asked}" if asked else address


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


_LISTS = {
    **{name: list(kind) for name, kind in (*_OF_INDICATOR.items(), *_OF_SHIPMENT.items())},
    "handling": list(Handling),
    "reasons": list(RecallReason),
    "steps": _STEPS,
}
