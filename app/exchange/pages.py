"""The pages of collections: open, connect a program, see how each fares, close.

They ask the verbs that programs ask and are logged as the same acts. They need no script; one
copies settings where the browser lets it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app import clock
from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, PosternError
from app.exchange import collections, connecting, fed, news, news_pages, server_pages
from app.exchange.collections import (
    LONGEST_CASE,
    LONGEST_DAYS,
    LONGEST_DESCRIPTION,
    LONGEST_TITLE,
    MOST_OPEN,
    Standing,
)
from app.exchange.models import CollectionKind
from app.exchange.page_parts import before_given, reasons_of
from app.exchange.views import Collection
from app.indicators.telling import Grounds
from app.lookups import search_grounds
from app.organisations.service import directory
from app.runtime import runtime
from postern.vocabulary import LegalBasis, Level, Purpose, Role

KEEPERS = (Role.ADMINISTRATOR,)
"""Who opens and closes collections."""

READERS = (Role.ADMINISTRATOR, Role.COMPLIANCE, Role.ANALYST, Role.SUBMITTER)
"""Who sees which there are and how they fare: names and counts, no content."""

PAGE = 50  # entries of one page
DAYS = (30, 90, 180, LONGEST_DAYS)  # as the form offers them

_LEVELS = (Level.METADATA, Level.REQUEST)
_NOTICES = frozenset({"opened", "closed"})
_SEPARATOR = " "

_collections = Blueprint("exchange_pages", __name__)
blueprint = _collections
blueprints = (_collections, news_pages.blueprint, server_pages.blueprint)

Page = str | tuple[str, int]


@dataclass(frozen=True)
class Listed:
    """An open collection, how it stands and when a program of the organisation last asked it."""

    collection: Collection
    standing: Standing
    pollers: int
    asked_at: Any


@_collections.get("/exchange")
@audited("exchange.list", roles=READERS)
def show_all() -> str:
    """Show the organisation's collections, how to connect a program, and the form for another."""
    return _list_page()


@_collections.post("/exchange")
@audited("exchange.open", roles=KEEPERS)
def open_one() -> Response | Page:
    """Open a collection."""
    form = request.form
    try:
        with transaction().begin_nested():
            made = collections.open_collection(transaction(), caller(), **_order(form))
    except (InvalidRequestError, ConflictError) as error:
        _log_refusal("exchange.open", error)
        return _list_page(problem=error, typed=form), error.status
    return redirect(url_for(".show", collection=made.id, done="opened"), 303)


@_collections.get("/exchange/<uuid:collection>")
@audited("exchange.read", roles=READERS)
def show(collection: UUID) -> str:
    """Show one collection: how to connect to it, who polls it, and its newest entries."""
    found = collections.read_collection(transaction(), caller(), collection)
    before = before_given()
    entries = collections.recent(transaction(), found, PAGE + 1, before)
    done = request.args.get("done", "")
    return render_template(
        "exchange/collection.html",
        collection=found,
        is_open=found.is_open(clock.now().date()),
        standing=collections.standing(transaction(), found),
        pollers=collections.pollers(transaction(), found),
        entries=entries[:PAGE],
        following=entries[PAGE - 1].added if len(entries) > PAGE else None,
        is_later_page=before is not None,
        ways=connecting.ways(runtime().settings.platform.origin, found),
        names={member.code: member.name for member in directory(transaction()).values()},
        own_person=caller().person,
        news=news.of_collection(transaction(), found),
        may_keep=_may(KEEPERS),
        may_read_log=_may((Role.COMPLIANCE,)),
        notice=done if done in _NOTICES else "",
    )


@_collections.post("/exchange/<uuid:collection>/close")
@audited("exchange.close", roles=KEEPERS)
def close_one(collection: UUID) -> Response:
    """Close a collection: it serves nothing more."""
    collections.close(transaction(), caller(), collection)
    return redirect(url_for(".show_all", done="closed"), 303)


@_collections.get("/exchange/own")
@audited("exchange.fed", roles=fed.READERS)
def show_own() -> str:
    """Show what others fetched of the organisation's own as feeds, and what its programs added."""
    found = fed.read(transaction(), caller())
    organisation_id, _person = caller().member
    held = collections.collections_of(transaction(), organisation_id)
    return render_template(
        "exchange/own.html",
        found=found,
        collections=[each for each in held if each.is_own],
        may_read_recalls=True,
    )


def _list_page(
    problem: PosternError | None = None, typed: MultiDict[str, str] | None = None
) -> str:
    session = transaction()
    today = clock.now().date()
    found = collections.list_collections(session, caller(), ended=True)
    sector = directory(session)[caller().member[0]].sector
    done = request.args.get("done", "")
    return render_template(
        "exchange/list.html",
        listed=[_listed(each) for each in found if each.is_open(today)],
        ended=[each for each in found if not each.is_open(today)],
        kinds=list(CollectionKind),
        levels=_LEVELS,
        offered=search_grounds.OFFERED[sector],
        days=DAYS,
        most=MOST_OPEN,
        longest_title=LONGEST_TITLE,
        longest_description=LONGEST_DESCRIPTION,
        longest_case=LONGEST_CASE,
        origin=runtime().settings.platform.origin,
        may_keep=_may(KEEPERS),
        notice=done if done in _NOTICES else "",
        problem=problem,
        wrong=_reasons(problem),
        typed=MultiDict() if typed is None else typed,
    )


def _listed(collection: Collection) -> Listed:
    asked = collections.pollers(transaction(), collection)
    return Listed(
        collection,
        collections.standing(transaction(), collection),
        len(asked),
        asked[0].last_at if asked else None,
    )


def _order(form: MultiDict[str, str]) -> dict[str, Any]:
    """What the form asks for; InvalidRequestError for what it does not offer."""
    try:
        kind = CollectionKind(form.get("kind", ""))
        return {
            "kind": kind,
            "title": " ".join(form.get("title", "").split()),
            "description": form.get("description", "").strip(),
            "grounds": _grounds(form) if kind is CollectionKind.SHARED else None,
            "level": Level(form.get("level", "")),
            "with_revoked": form.get("revoked") == "1",
            "days": int(form.get("days", "")),
        }
    except ValueError:
        raise InvalidRequestError(
            errors=[{"field": "json.kind", "reason": "Choose from what the form offers."}]
        ) from None


def _grounds(form: MultiDict[str, str]) -> Grounds | None:
    """Purpose, basis and case; None where none was chosen, which the verb refuses by field."""
    chosen = form.get("grounds", "")
    if not chosen:
        return None
    purpose, _, basis = chosen.partition(_SEPARATOR)
    return Grounds(Purpose(purpose), LegalBasis(basis), form.get("case", "").strip())


def _reasons(problem: PosternError | None) -> Mapping[str, str]:
    """Why each field was refused; that of a purpose stands at the choice of both grounds."""
    named = reasons_of(problem)
    if "purpose" in named:
        named["grounds"] = named["purpose"]
    return named


def _may(roles: Sequence[Role]) -> bool:
    return bool(caller().roles & frozenset(roles))


def _log_refusal(act: str, error: PosternError) -> None:
    append(
        transaction(),
        caller(),
        act,
        outcome=Outcome.ERROR,
        object_type="collection",
        details={"refusal": error.code},
    )
