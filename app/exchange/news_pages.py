"""The page of the addresses that a collection tells: name one, see how each fares, remove it."""

from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, PosternError
from app.exchange import collections, news
from app.exchange.news import MOST, News
from app.exchange.page_parts import reasons_of
from app.jobs.addresses import LONGEST
from app.jobs.webhooks import OVERLAPS
from postern.vocabulary import Role

blueprint = Blueprint("exchange_news", __name__)

KEEPERS = (Role.ADMINISTRATOR,)

Page = str | tuple[str, int]

_NEWS = "/exchange/<uuid:collection>/news"
_NOTICES = frozenset({"removed", "again"})


@blueprint.get(_NEWS)
@audited("exchange.news-list", roles=KEEPERS)
def show(collection: UUID) -> str:
    """Show the addresses that are told when the collection changed, and the form for another."""
    return _page(collection)


@blueprint.post(_NEWS)
@audited("exchange.news-add", roles=KEEPERS)
def add(collection: UUID) -> Page:
    """Name an address; its secret is on the page that answers, this once."""
    typed = request.form.get("address", "")
    try:
        with transaction().begin_nested():
            made = news.add(transaction(), caller(), collection, typed)
    except (InvalidRequestError, ConflictError) as error:
        _log_refusal("exchange.news-add", error, collection)
        return _page(collection, problem=error, typed=typed), error.status
    return _page(collection, made=made), 201


@blueprint.post(f"{_NEWS}/<uuid:address>/again")
@audited("exchange.news-again", roles=KEEPERS)
def again(collection: UUID, address: UUID) -> Response | Page:
    """Tell an address now how far the collection is."""
    try:
        with transaction().begin_nested():
            news.again(transaction(), caller(), collection, address)
    except ConflictError as error:
        _log_refusal("exchange.news-again", error, collection)
        return _page(collection, problem=error), error.status
    return redirect(url_for(".show", collection=collection, done="again"), 303)


@blueprint.post(f"{_NEWS}/<uuid:address>/secret")
@audited("exchange.news-rotate", roles=KEEPERS)
def rotate_secret(collection: UUID, address: UUID) -> Page:
    """Replace an address's secret; the new one is on the page that answers, this once."""
    hours = request.form.get("overlap_hours", -1, type=int)
    try:
        with transaction().begin_nested():
            made = news.rotate(transaction(), caller(), collection, address, hours)
    except InvalidRequestError as error:
        _log_refusal("exchange.news-rotate", error, collection)
        return _page(collection, problem=error), error.status
    return _page(collection, made=made, is_replaced=True)


@blueprint.post(f"{_NEWS}/<uuid:address>/remove")
@audited("exchange.news-remove", roles=KEEPERS)
def remove(collection: UUID, address: UUID) -> Response:
    """Tell an address nothing more."""
    news.remove(transaction(), caller(), collection, address)
    return redirect(url_for(".show", collection=collection, done="removed"), 303)


def _page(
    collection: UUID,
    problem: PosternError | None = None,
    typed: str = "",
    made: News | None = None,
    *,
    is_replaced: bool = False,
) -> str:
    addresses = news.list_news(transaction(), caller(), collection)
    done = request.args.get("done", "")
    return render_template(
        "exchange/news.html",
        collection=collections.find(transaction(), caller().member[0], collection),
        addresses=addresses,
        most=MOST,
        longest=LONGEST,
        notice=done if done in _NOTICES else "",
        problem=problem,
        wrong=reasons_of(problem),
        typed=typed,
        made=made,
        is_replaced=is_replaced,
        overlaps=OVERLAPS,
    )


def _log_refusal(act: str, error: PosternError, collection: UUID) -> None:
    append(
        transaction(),
        caller(),
        act,
        outcome=Outcome.ERROR,
        object_type=news.OBJECT,
        details={"refusal": error.code, "collection": str(collection)},
    )
