"""Timelines: all that the log tells of a person, an object or a case, as a page, oldest first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import groupby
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, url_for
from marshmallow import ValidationError

from app.audit import reading
from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.reading import Page, ReadEntry
from app.audit.schemas import Asked, TimelineQuerySchema
from app.audit.service import append
from app.audit.wording import wording
from app.compliance.verify_words import entry_words
from app.errors import InvalidRequestError
from postern.vocabulary import Role

blueprint = Blueprint("timelines", __name__)

_REFUSED = 422


class Subject(StrEnum):
    """Of what a timeline tells."""

    PERSON = "person"
    OBJECT = "object"
    CASE = "case"


@dataclass(frozen=True)
class Day:
    """The entries of one day, UTC, in their order."""

    on: date
    entries: Sequence[ReadEntry]


@blueprint.get("/access-log/timeline")
@audited("audit.timeline", roles=[Role.COMPLIANCE])
def show() -> str | tuple[str, int]:
    """Show one timeline day by day; without a subject, the form that asks for one."""
    given = {name: value.strip() for name, value in request.args.items() if value.strip()}
    try:
        asked: Asked = TimelineQuerySchema().load(given)
        page = reading.timeline(transaction(), caller(), asked.filters, asked.cursor, asked.limit)
    except (ValidationError, InvalidRequestError):
        return _refuse(given)
    return _render(given, page=page)


def days(entries: Sequence[ReadEntry]) -> Iterator[Day]:
    """The entries by their days, UTC; they come in order."""
    for on, of_day in groupby(entries, _day):
        yield Day(on, list(of_day))


def _day(entry: ReadEntry) -> date:
    return datetime.fromtimestamp(entry.fields["t"] / 1000, UTC).date()


def _refuse(given: Mapping[str, str]) -> str | tuple[str, int]:
    """The form alone is no error; it is logged like every page."""
    if not given:
        append(transaction(), caller(), "audit.timeline", object_type="audit-entry")
        return _render(given)
    append(
        transaction(),
        caller(),
        "audit.timeline",
        outcome=Outcome.ERROR,
        details={"refusal": InvalidRequestError.code},
    )
    return _render(given, is_wrong=True), _REFUSED


def _render(given: Mapping[str, str], page: Page | None = None, *, is_wrong: bool = False) -> str:
    subject = next((each for each in Subject if each in given), None)
    address = url_for(".show")
    following = page.next if page else None
    of_subject = {subject.value: given[subject]} if subject else {}
    return render_template(
        "compliance/timeline.html",
        subject=subject if page else None,
        value=given[subject] if subject else "",
        given=given,
        is_wrong=is_wrong,
        days=list(days(page.entries)) if page else [],
        page=page,
        is_later_page="cursor" in given,
        next_address=(
            f"{address}?{urlencode({**given, 'cursor': following})}" if following else ""
        ),
        first_address=f"{address}?{urlencode(of_subject)}",
        names=wording().organisations(transaction()),
        entry_words=entry_words(),
    )
