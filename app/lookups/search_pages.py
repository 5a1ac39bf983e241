"""The pages of search: the box in which an analyst asks, and the person's own past lookups.

The box works in the browser: values are normalised and blinded there and never come here. What is
asked, watched for and told from it goes through the interface for programs. Past lookups need no
script.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from flask import Blueprint, render_template, request
from marshmallow import ValidationError

from app.audit.guard import audited, caller, transaction
from app.clock import now
from app.fields import case_reference
from app.lookups import explaining, past
from app.lookups.search_grounds import OFFERED
from app.organisations.service import directory
from app.runtime import runtime
from postern.vocabulary import (
    INDICATOR_KINDS,
    OutcomeResult,
    Role,
    Sector,
    Step,
    Substance,
    Told,
    Unit,
)

blueprint = Blueprint("searching", __name__)

MOST_LINES = 1000  # of a pasted list
PAGE = 25  # past lookups of one page
RECENT = 5  # past lookups beside the box

_ASKERS = (Role.ANALYST,)
_USUAL_WATCH = timedelta(days=90)
_CASE = case_reference()
_FIRST_YEAR, _LAST_YEAR = 2000, 2199


@dataclass(frozen=True, slots=True)
class Watching:
    """The days that a watch may last, and how it is set unless somebody says otherwise."""

    first: date
    usual: date
    last: date


@blueprint.get("/search")
@audited("lookup.list", roles=_ASKERS)
def show() -> str:
    """Show the box, with the person's latest lookups."""
    member = directory(transaction())[caller().member[0]]
    settings = runtime().settings
    return render_template(
        "lookups/search.html",
        offered=OFFERED[Sector(member.sector)],
        country=member.country,
        person=caller().person,
        recent=past.own(transaction(), caller(), past.Wanted(), RECENT).lookups,
        kinds=list(INDICATOR_KINDS),
        watching=_watching(now().date(), settings.disclosure.watch_days),
        told=list(Told),
        steps=list(Step),
        results=list(OutcomeResult),
        substances=list(Substance),
        units=list(Unit),
        most_lines=MOST_LINES,
        most_queries=settings.limit.lookup_queries,
    )


@blueprint.get("/search/history")
@audited("lookup.list", roles=_ASKERS)
def show_past() -> str:
    """Show the person's own past lookups."""
    return _past(past.Wanted(), {})


@blueprint.post("/search/history")
@audited("lookup.list", roles=_ASKERS)
def find_past() -> tuple[str, int]:
    """Show those of one case or of some days. Posted, so that no address holds a case."""
    given = {name: request.form.get(name, "").strip() for name in ("case", "first", "last")}
    wrong: dict[str, str] = {}
    wanted = past.Wanted(
        case=_case(given["case"], wrong),
        first=_day("first", given["first"], wrong),
        last=_day("last", given["last"], wrong),
    )
    page = _past(wanted, given, wrong, request.form.get("cursor") or None)
    return page, 422 if wrong else 200


@blueprint.get("/search/history/<uuid:lookup_id>")
@audited("policy.explain", roles=_ASKERS)
def reopen(lookup_id: UUID) -> str:
    """Show what one of the organisation's lookups found, with the decisions of that day."""
    return render_template(
        "lookups/search_reopened.html",
        found=explaining.explain(transaction(), caller(), lookup_id),
    )


def _past(
    wanted: past.Wanted,
    given: Mapping[str, str],
    wrong: Mapping[str, str] | None = None,
    cursor: str | None = None,
) -> str:
    return render_template(
        "lookups/search_history.html",
        page=past.own(transaction(), caller(), wanted, PAGE, cursor),
        given=given,
        wrong=wrong or {},
        is_filtered=any(given.values()),
        is_later_page=cursor is not None,
    )


def _watching(today: date, most_days: int) -> Watching:
    last = today + timedelta(days=most_days)
    return Watching(today + timedelta(days=1), min(today + _USUAL_WATCH, last), last)


def _case(typed: str, wrong: dict[str, str]) -> str | None:
    if not typed:
        return None
    try:
        return str(_CASE.deserialize(typed))
    except ValidationError:
        wrong["case"] = "Write the reference of the case, of 1 to 128 characters."
        return None


def _day(name: str, typed: str, wrong: dict[str, str]) -> date | None:
    if not typed:
        return None
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        found = None
    if found is None or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        wrong[name] = "Write a day as YYYY-MM-DD."
        return None
    return found
