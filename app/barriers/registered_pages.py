"""The pages of registered barriers: one's own and those of others, and the steps without any.

They ask what the interface for programs asks, by the same verbs, and are logged as the same acts.
They need no script.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask_babel import lazy_gettext as _
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.audit.guard import audited, caller, transaction
from app.barriers import modelling, registering
from app.barriers.barrier_storage import BarrierFilters
from app.barriers.model import Cost
from app.barriers.modelling import READERS, InUse
from app.barriers.models import RegisteredBarrier
from app.barriers.page_requests import (
    attempt,
    identity,
    log_refusal,
    may,
    notice,
    number,
    reasons,
)
from app.barriers.refusals import NoModelError
from app.barriers.registered_form import LISTS, USUAL, WRITE_DAY, day_of, typed_barrier, wrong
from app.barriers.registering import REGISTRARS, REMINDED
from app.clock import now
from app.errors import PosternError
from app.indicators.report_pages import countries
from app.patterns.page_requests import shown_grounds

Page = tuple[str, int]
Answer = Response | Page

blueprint = Blueprint("barrier_pages", __name__)

PAGE = 25  # barriers of one list
_ONE = "/barriers/<uuid:barrier_id>"
_FILTERS = ("whose", "step", "country", "when")
_NOTICES = frozenset({"registered", "renewed", "ended"})
_SENTENCES = (
    # Of the verbs.
    _("This step of the model in use has no such barrier."),
    _("Give a day from 2000 on, within three years from now."),
    _("It ends before it begins."),
    _("Give operator and code, or neither."),
    _("Give the country of the induction point."),
    _("It contradicts the marking; change one of the two."),
    _("Give a day after today."),
    _("Give a day within three years of the barrier's end or of today."),
    _("Give a day from the barrier's first one on, before the end of its record."),
)


class Standing(StrEnum):
    """Whether a barrier holds today."""

    TO_COME = "to_come"
    HOLDS = "holds"
    OVER = "over"


@blueprint.get("/barriers")
@audited("barrier.list", roles=READERS)
def show_all() -> str:
    """Show the barriers that the organisation may know of and that fit the filters."""
    given = {name: request.args[name].strip() for name in _FILTERS if request.args.get(name)}
    shown, cursor, used = shown_grounds(), identity("cursor"), _in_use()
    page = registering.list_barriers(
        transaction(), caller(), shown.grounds, wanted=_wanted(given), limit=PAGE, cursor=cursor
    )
    kept = {**given, **shown.arguments}
    return render_template(
        "barriers/list.html",
        page=page,
        given=given,
        shown=shown,
        used=used,
        countries=countries(),
        names=_country_names(),
        standing_of=_standing,
        ends_soon=_ends_soon,
        is_later_page=cursor is not None,
        first_address=_address("barrier_pages.show_all", kept),
        next_address=_address("barrier_pages.show_all", kept, cursor=page.next)
        if page.next
        else "",
        may_register=may(REGISTRARS),
    )


@blueprint.get("/barriers/gaps")
@audited("barrier.gaps", roles=READERS)
def show_gaps() -> Page:
    """Show each step of the model in use with what holds today, and where nothing does."""
    shown = shown_grounds()
    chosen = request.args.get("country", "")
    country = chosen if chosen in _country_names() else None
    found, problem = None, None
    try:
        found = registering.gaps(transaction(), caller(), shown.grounds, country)
    except NoModelError as error:
        problem = error
        log_refusal("barrier.gaps", "barrier", [], error)
    page = render_template(
        "barriers/gaps.html",
        found=found,
        texts={each.key: each for step in found.document.steps for each in step.barriers}
        if found
        else {},
        problem=problem,
        shown=shown,
        country=country,
        countries=countries(),
        names=_country_names(),
        may_register=may(REGISTRARS),
    )
    return page, 200


@blueprint.get("/barriers/new")
@audited("model.read", roles=REGISTRARS)
def begin() -> Page:
    """Show the form; the address may name the barrier of the model, and a country."""
    return _form({"barrier": request.args.get("barrier", ""), **_usual()})


@blueprint.post("/barriers/new")
@audited("barrier.register", roles=REGISTRARS)
def register() -> Answer:
    """Register the barrier."""
    made: list[UUID] = []

    def verb() -> None:
        used = _in_use()
        if used is None:
            raise NoModelError
        new = typed_barrier(used.document)
        kept = registering.register(transaction(), caller(), new, number("version"))
        made.append(kept.found.barrier.public_id)

    problem = attempt("barrier.register", "barrier", [], verb)
    if problem is not None:
        return _form(request.form, problem)
    address = url_for("barrier_pages.show", barrier_id=made[0], done="registered")
    return redirect(address, code=303)


@blueprint.get(_ONE)
@audited("barrier.read", roles=READERS)
def show(barrier_id: UUID) -> Page:
    """Show one barrier, and to its owner how it is renewed and ended."""
    return _one(barrier_id)


@blueprint.post(f"{_ONE}/renew")
@audited("barrier.change", roles=REGISTRARS)
def renew(barrier_id: UUID) -> Answer:
    """Say that one's own barrier still holds."""

    def verb() -> None:
        registering.renew(transaction(), caller(), barrier_id, day_of("expires_on"))

    return _done(barrier_id, verb, "renewed")


@blueprint.post(f"{_ONE}/end")
@audited("barrier.change", roles=REGISTRARS)
def end(barrier_id: UUID) -> Answer:
    """Say on which day one's own barrier held last."""

    def verb() -> None:
        on = day_of("on")
        if on is None:
            raise wrong(on=WRITE_DAY)
        registering.end(transaction(), caller(), barrier_id, on)

    return _done(barrier_id, verb, "ended")


def _done(barrier_id: UUID, verb: Callable[[], None], done: str) -> Answer:
    registering.demand_own(transaction(), caller(), barrier_id)  # before the form is looked at
    problem = attempt("barrier.change", "barrier", [barrier_id], verb)
    if problem is not None:
        return _one(barrier_id, problem, done)
    return redirect(url_for("barrier_pages.show", barrier_id=barrier_id, done=done), code=303)


def _one(barrier_id: UUID, problem: PosternError | None = None, refused: str = "") -> Page:
    shown = shown_grounds()
    one = registering.read(transaction(), caller(), shown.grounds, barrier_id)
    row, step = one.found.barrier, one.document.steps[one.found.barrier.step - 1]
    page = render_template(
        "barriers/barrier.html",
        one=one,
        row=row,
        step=step,
        described=next(each for each in step.barriers if each.key == row.barrier_key),
        shown=shown,
        names=_country_names(),
        standing=_standing(row),
        ends_soon=_ends_soon(row),
        today=now().date(),
        may_change=one.found.is_own and may(REGISTRARS) and _standing(row) != Standing.OVER,
        done=notice(_NOTICES),
        problem=problem,
        refused=refused,
        typed=request.form,
        wrong=reasons(problem),
    )
    return page, problem.status if problem else 200


def _form(typed: Mapping[str, Any], problem: PosternError | None = None) -> Page:
    used = _in_use()
    codes = request.form.getlist("handling")
    page = render_template(
        "barriers/register.html",
        used=used,
        typed=typed,
        codes=codes,
        countries=countries(),
        lists=LISTS,
        problem=problem,
        wrong=reasons(problem),
        today=now().date(),
    )
    return page, problem.status if problem else 200


def _usual() -> dict[str, str]:
    """What is chosen when the form opens."""
    usual = {name: str(word) for name, word in USUAL.items()}
    chosen = request.args.get("country", "")
    return {
        **usual,
        "cost": str(Cost.NOT_KNOWN),
        "from": now().date().isoformat(),
        "country": chosen if chosen in _country_names() else "",
    }


def _in_use() -> InUse | None:
    """The model in use; None while there is none at all."""
    try:
        return modelling.current(transaction(), caller())
    except NoModelError as error:
        log_refusal("model.read", "barrier-model", [], error)
        return None


def _wanted(given: Mapping[str, str]) -> BarrierFilters:
    """What the address asks for; what means nothing is left out, as if it were not asked."""
    country = given.get("country", "")
    return BarrierFilters(
        own={"own": True, "others": False}.get(given.get("whose", "")),
        step=number("step") or None,
        country=country if country in _country_names() else None,
        holds_on=now().date() if given.get("when") == "now" else None,
    )


def _standing(row: RegisteredBarrier) -> Standing:
    today = now().date()
    if row.from_day > today:
        return Standing.TO_COME
    return Standing.OVER if row.to_day is not None and row.to_day < today else Standing.HOLDS


def _ends_soon(row: RegisteredBarrier) -> bool:
    """Whether its record ends soon though the barrier goes on."""
    return row.to_day is None and row.expires_on <= now().date() + REMINDED


def _country_names() -> Mapping[str, str]:
    return {each.code: each.name for each in countries()}


def _address(endpoint: str, kept: Mapping[str, str], **more: Any) -> str:
    asked = urlencode({**kept, **more})
    address = url_for(endpoint)
    return f"{address}?{asked}" if asked else address
