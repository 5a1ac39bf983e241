"""The access log of one's own organisation as a page, for its compliance officer.

The page asks the same question as the interface for programs and is logged as the same act. It
needs no script: filters and pages are plain addresses.
"""

from collections.abc import Mapping
from datetime import date
from functools import partial
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request, url_for
from marshmallow import ValidationError

from app import clock
from app.audit import facets, reading
from app.audit.catalogue import CATALOGUE, Operation
from app.audit.entry import Outcome
from app.audit.export import MOST_EXPORTED
from app.audit.facets import Facets
from app.audit.guard import audited, caller, transaction
from app.audit.reading import Page
from app.audit.schemas import Asked, AuditQuerySchema
from app.audit.service import append
from app.audit.wording import wording
from app.compliance import (
    breach_pages,
    hold_pages,
    log_pages,
    privacy_pages,
    retention_pages,
    review_pages,
    signal_pages,
    subject_pages,
    timelines,
)
from app.compliance.export_api import ExportAsked, ExportQuerySchema, file_answer
from app.compliance.exporting import MOST_IN_DOCUMENT, Form, export
from app.compliance.month_figures import months
from app.compliance.month_report import month_report
from app.compliance.verify_words import entry_words
from app.errors import InvalidRequestError
from postern.vocabulary import LegalBasis, Purpose, Role

blueprint = Blueprint("compliance", __name__)
blueprint.register_blueprint(breach_pages.blueprint)
blueprint.register_blueprint(hold_pages.blueprint)
blueprint.register_blueprint(log_pages.blueprint)
blueprint.register_blueprint(privacy_pages.blueprint)
blueprint.register_blueprint(retention_pages.blueprint)
blueprint.register_blueprint(review_pages.blueprint)
blueprint.register_blueprint(signal_pages.blueprint)
blueprint.register_blueprint(subject_pages.blueprint)
blueprint.register_blueprint(timelines.blueprint)

_REFUSED = 422  # the filters were understood and refused
_KINDS_OF_REVIEWS = frozenset({"act", "operation", "purpose", "outcome"})
_FILTERS = (
    "q",
    "act",
    "operation",
    "actor",
    "case",
    "object",
    "organisation",
    "purpose",
    "basis",
    "outcome",
    "from",
    "to",
)


@blueprint.get("/access-log")
@audited("audit.read", roles=[Role.COMPLIANCE])
def access_log() -> str | tuple[str, int]:
    """Show the entries that name one's organisation, newest first, by the filters of the address.

    Filters that are not valid bring the form back with the reasons and no entry.
    """
    given = _given()
    try:
        asked: Asked = AuditQuerySchema().load(given)
        filters = asked.understood(transaction())
        page = reading.read(transaction(), caller(), filters, asked.cursor, asked.limit)
    except ValidationError as error:
        return _refuse("audit.read", given, error.messages_dict)
    except InvalidRequestError:
        return _refuse("audit.read", given, {"cursor": []})
    unknown = filters.words.unknown if filters.words else ()
    # What was found is counted once, with its first page.
    is_first = asked.cursor is None
    found = facets.count(transaction(), caller().organisation, filters) if is_first else None
    return _render(given, page=page, unknown=unknown, found=found)


@blueprint.get("/access-log/export")
@audited("audit.export", roles=[Role.COMPLIANCE])
def take_away() -> Response | tuple[str, int]:
    """Give the entries that fit the filters of the address as a file, oldest first."""
    given = _given()
    try:
        asked: ExportAsked = ExportQuerySchema().load(given)
        filters, cursor = asked.filters, asked.asked.cursor
        return file_answer(export(transaction(), caller(), filters, asked.form, cursor))
    except ValidationError as error:
        return _refuse("audit.export", given, error.messages_dict)
    except InvalidRequestError:
        return _refuse("audit.export", given, {"cursor": []})


@blueprint.get("/access-log/month")
@audited("oversight.report", roles=[Role.COMPLIANCE])
def take_month() -> Response:
    """Give the report of the month of the address (YYYY-MM) as a PDF."""
    made = month_report(transaction(), caller(), _month())
    answer = Response(made.content, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return answer


def _month() -> date:
    """The month of the address; InvalidRequestError for none that can be chosen."""
    typed = request.args.get("month", "")
    for month in months(clock.now()):
        if month.isoformat()[:7] == typed:
            return month
    raise InvalidRequestError(
        errors=[{"field": "query.month", "reason": "Choose a month of the list, as YYYY-MM."}]
    )


def _given() -> dict[str, str]:
    return {name: value.strip() for name, value in request.args.items() if value.strip()}


def _refuse(act: str, given: Mapping[str, str], wrong: Mapping[str, object]) -> tuple[str, int]:
    append(
        transaction(),
        caller(),
        act,
        outcome=Outcome.ERROR,
        details={"refusal": InvalidRequestError.code},
    )
    return _render(given, wrong=frozenset(wrong)), _REFUSED


def _with_filter(filters: Mapping[str, str], name: str, value: str = "") -> str:
    """The address with one filter more, or without it."""
    asked = {each: told for each, told in filters.items() if each != name}
    asked |= {name: value} if value else {}
    address = url_for("compliance.access_log")
    return f"{address}?{urlencode(asked)}" if asked else address


def _render(
    given: Mapping[str, str],
    page: Page | None = None,
    wrong: frozenset[str] = frozenset(),
    unknown: tuple[str, ...] = (),
    found: Facets | None = None,
) -> str:
    filters = {name: value for name, value in given.items() if name in _FILTERS}
    address = url_for("compliance.access_log")
    following = page.next if page else None
    return render_template(
        "compliance/access_log.html",
        given=given,
        filters=filters,
        wrong=wrong,
        unknown=unknown,
        is_bad_address=bool(wrong - set(_FILTERS)),
        page=page,
        found=found,
        with_filter=partial(_with_filter, filters),
        is_reviewable=bool(filters) and filters.keys() <= _KINDS_OF_REVIEWS,
        is_later_page="cursor" in given,
        next_address=f"{address}?{urlencode({**given, 'cursor': following})}" if following else "",
        first_address=f"{address}?{urlencode(filters)}" if filters else address,
        names=wording().organisations(transaction()),
        acts=sorted(CATALOGUE),
        operations=list(Operation),
        purposes=list(Purpose),
        bases=list(LegalBasis),
        outcomes=list(Outcome),
        forms=list(Form),
        most=MOST_EXPORTED,
        most_in_document=MOST_IN_DOCUMENT,
        entry_words=entry_words(),
        months=months(clock.now()),
    )
