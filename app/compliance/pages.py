"""The access log of one's own organisation as a page, for its compliance officer.

The page asks the same question as the interface for programs and is logged as the same act. It
needs no script: filters and pages are plain addresses.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, url_for
from marshmallow import ValidationError

from app.audit import reading
from app.audit.catalogue import CATALOGUE, Operation
from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.reading import Page
from app.audit.schemas import Asked, AuditQuerySchema
from app.audit.service import append
from app.errors import InvalidRequestError
from app.organisations.service import directory
from postern.vocabulary import Purpose, Role

blueprint = Blueprint("compliance", __name__)

_REFUSED = 422  # the filters were understood and refused
_FILTERS = ("act", "operation", "actor", "case", "purpose", "outcome", "from", "to")


@blueprint.get("/access-log")
@audited("audit.read", roles=[Role.COMPLIANCE])
def access_log() -> str | tuple[str, int]:
    """Show the entries that name one's organisation, newest first, by the filters of the address.

    Filters that are not valid bring the form back with the reasons and no entry.
    """
    given = {name: value.strip() for name, value in request.args.items() if value.strip()}
    try:
        asked: Asked = AuditQuerySchema().load(given)
        page = reading.read(transaction(), caller(), asked.filters, asked.cursor, asked.limit)
    except ValidationError as error:
        return _refuse(given, error.messages_dict)
    except InvalidRequestError:
        return _refuse(given, {"cursor": []})
    return _render(given, page=page)


def _refuse(given: Mapping[str, str], wrong: Mapping[str, object]) -> tuple[str, int]:
    append(
        transaction(),
        caller(),
        "audit.read",
        outcome=Outcome.ERROR,
        details={"refusal": InvalidRequestError.code},
    )
    return _render(given, wrong=frozenset(wrong)), _REFUSED


def _render(
    given: Mapping[str, str], page: Page | None = None, wrong: frozenset[str] = frozenset()
) -> str:
    filters = {name: value for name, value in given.items() if name in _FILTERS}
    address = url_for(".access_log")
    following = page.next if page else None
    return render_template(
        "compliance/access_log.html",
        given=given,
        filters=filters,
        wrong=wrong,
        is_bad_address=bool(wrong - set(_FILTERS)),
        page=page,
        is_later_page="cursor" in given,
        next_address=f"{address}?{urlencode({**given, 'cursor': following})}" if following else "",
        first_address=f"{address}?{urlencode(filters)}" if filters else address,
        names={member.code: member.name for member in directory(transaction()).values()},
        acts=sorted(CATALOGUE),
        operations=list(Operation),
        purposes=list(Purpose),
        outcomes=list(Outcome),
    )
