"""The page of the ledger: who got what of one's own indicators, and the same as a file."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for

from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.disclosures import ledger_reading
from app.disclosures.ledger_api import READERS
from app.disclosures.ledger_reading import MOST_EXPORTED, Filters, LedgerPage
from app.errors import InvalidRequestError
from app.organisations.service import directory

Page = tuple[str, int]

blueprint = Blueprint("ledger", __name__)

PAGE = 25  # indicators of one page

_FILTERS = ("indicator", "report", "recipient")


@blueprint.get("/ledger")
@audited("ledger.read", roles=READERS)
def show() -> Page:
    """Show which organisations got what, by the filters of the address."""
    given, filters, wrong = _asked()
    if wrong:
        return _refuse("ledger.read", given, wrong)
    before = _uuid(request.args.get("before"))
    return _render(given, ledger_reading.read(transaction(), caller(), filters, PAGE, before))


@blueprint.get("/ledger/export")
@audited("ledger.export", roles=READERS)
def export() -> Response | Page:
    """Give what fits the filters of the address as a file, newest indicators first."""
    given, filters, wrong = _asked()
    if wrong:
        return _refuse("ledger.export", given, wrong)
    before = _uuid(request.args.get("before"))
    content, following = ledger_reading.export(transaction(), caller(), filters, before)
    answer = Response(content, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="ledger.csv"'
    if following is not None:
        answer.headers["Postern-Next"] = str(following)
    return answer


def _asked() -> tuple[dict[str, str], Filters, frozenset[str]]:
    """What was typed, what it means, and which of it means nothing."""
    given = {
        name: request.args[name].strip() for name in _FILTERS if request.args.get(name, "").strip()
    }
    ids = ("indicator", "report")
    wrong = {name for name in given if name in ids and _uuid(given[name]) is None}
    codes = {member.code for member in directory(transaction()).values()}
    if "recipient" in given and given["recipient"] not in codes:
        wrong.add("recipient")
    filters = Filters(
        _uuid(given.get("indicator")), _uuid(given.get("report")), given.get("recipient")
    )
    return given, filters, frozenset(wrong)


def _refuse(act: str, given: dict[str, str], wrong: frozenset[str]) -> Page:
    append(
        transaction(),
        caller(),
        act,
        outcome=Outcome.ERROR,
        details={"refusal": InvalidRequestError.code},
    )
    return _render(given, LedgerPage([], None), wrong)


def _render(given: dict[str, str], page: LedgerPage, wrong: frozenset[str] = frozenset()) -> Page:
    members = sorted(directory(transaction()).values(), key=lambda member: member.name)
    text = render_template(
        "disclosures/ledger.html",
        given=given,
        wrong=wrong,
        page=page,
        is_later_page="before" in request.args,
        members=[each for each in members if each.code != caller().organisation],
        first_address=_address(given),
        next_address=_address(given, before=page.next) if page.next else "",
        export_address=f"{url_for('disclosure_pages.ledger.export')}?{urlencode(given)}",
        most=MOST_EXPORTED,
    )
    return text, InvalidRequestError.status if wrong else 200


def _address(given: dict[str, str], **more: Any) -> str:
    return f"{url_for('disclosure_pages.ledger.show')}?{urlencode({**given, **more})}"


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
