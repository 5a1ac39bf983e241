"""Over HTTP: screening filters, and the bulk evaluation by which premises use them."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from flask import Response, g, request
from flask_smorest import Blueprint
from werkzeug.exceptions import RequestEntityTooLarge

from app.access import current_caller
from app.audit.guard import audited, caller, transaction
from app.errors import InvalidRequestError, NotFoundError, TooLargeError
from app.indicators.telling import Grounds
from app.patterns import filter_changes, filters, screening
from app.patterns.filter_models import FilterState
from app.patterns.filter_schemas import (
    ChangesArgumentsSchema,
    EvaluateScreeningArgumentsSchema,
    FilterPageArgumentsSchema,
    FiltersPageSchema,
    MakeFilterSchema,
    PartArgumentsSchema,
    ScreeningSchema,
    WholeFilterSchema,
)
from postern.evaluation_octets import (
    LEFT_HEADER,
    MOST,
    PARTS_HEADER,
    RESETS_HEADER,
    packed,
    split,
)
from postern.group import SIZE
from postern.vocabulary import EvaluationKind, Role, Scope

P = ParamSpec("P")
R = TypeVar("R")

OCTETS = "application/octet-stream"

blueprint = Blueprint(
    "filters",
    __name__,
    url_prefix="/api/v1/filters",
    description="Signed lists by which you test your own parcels on your own premises.",
)

bulk = Blueprint(
    "screening",
    __name__,
    url_prefix="/api/v1/evaluate/screening",
    description="Evaluate the values of your own parcels blindly and in bulk.",
)

_ANALYST = [Role.ANALYST]
_READERS = [Role.ANALYST, Role.COMPLIANCE]
_FILE = {"type": "string", "format": "binary"}


@blueprint.post("")
@audited("filter.make", roles=_ANALYST, scope=Scope.SCREENING_RUN)
@blueprint.arguments(MakeFilterSchema)
@blueprint.response(201, WholeFilterSchema)
@blueprint.alt_response(
    202, schema=WholeFilterSchema, description="It is large and being built: read it again later."
)
def make(asked: dict[str, Any]) -> tuple[filters.Issue, int]:
    """Make a screening filter

    Of everything that the policies of others let you screen now, for this purpose and on this legal
    basis, and of your own. It is good for 7 days. Each owner learns how many of its indicators
    went in, unless its policy says otherwise, and a recall of one of them reaches you.
    """
    grounds = Grounds(asked["purpose"], asked["legal_basis"], asked["case"])
    issue = filters.make(transaction(), caller(), grounds)
    return issue, 202 if issue.state is FilterState.BUILDING else 201


@blueprint.get("")
@audited("filter.list", roles=_READERS, scope=Scope.SCREENING_RUN)
@blueprint.arguments(FilterPageArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, FiltersPageSchema)
def list_filters(asked: dict[str, Any]) -> filters.IssuePage:
    """List your organisation's screening filters

    Newest first, in pages.
    """
    return filters.list_issues(transaction(), caller(), asked["limit"], asked["cursor"])


@blueprint.get("/<uuid:filter_id>")
@audited("filter.read", roles=_READERS, scope=Scope.SCREENING_RUN)
@blueprint.response(200, WholeFilterSchema)
def read_filter(filter_id: UUID) -> filters.Issue:
    """Read one of your organisation's screening filters

    With its signed header. Another organisation's is answered like one that does not exist.
    """
    return filters.read_issue(transaction(), caller(), filter_id)


@blueprint.get("/<uuid:filter_id>/content")
@audited("filter.fetch", roles=_ANALYST, scope=Scope.SCREENING_RUN)
@blueprint.arguments(PartArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, _FILE, content_type=OCTETS, description="Up to one MiB of the content.")
def fetch(asked: dict[str, Any], filter_id: UUID) -> Response:
    """Fetch a part of a screening filter

    The parts in their order are the content: records of nine bytes, whose digest the header signs.
    A filter that is over or called back is not given out (410).
    """
    content = filters.fetch(transaction(), caller(), filter_id, asked["part"])
    return Response(content, content_type=OCTETS)


@blueprint.get("/<uuid:filter_id>/changes")
@audited("filter.changes", roles=_ANALYST, scope=Scope.SCREENING_RUN)
@blueprint.arguments(ChangesArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, _FILE, content_type=OCTETS, description="What came, and what was revoked.")
def changes(asked: dict[str, Any], filter_id: UUID) -> Response:
    """Fetch what changed since an older screening filter

    Four bytes with the number of added records, these records, and the tags that are revoked. What
    comes of it must have the digest of this filter's header.
    """
    content = filter_changes.changes(transaction(), caller(), filter_id, asked["since"])
    return Response(content, content_type=OCTETS)


def _received(view: Callable[P, R]) -> Callable[P, R]:
    """Take the body in before the transaction begins: a slow sender must not hold it open.

    It is read from members only, and never more of it than a request may have.
    """

    @functools.wraps(view)
    def receiving(*args: P.args, **kwargs: P.kwargs) -> R:
        request.max_content_length = MOST * SIZE
        g.elements = None
        if current_caller() is not None:
            try:
                g.elements = request.get_data(cache=False)
            except RequestEntityTooLarge:
                g.elements = None
        return view(*args, **kwargs)

    return receiving


@bulk.post("/<kind>/<int:epoch>")
@_received
@audited("evaluation.screen", roles=_ANALYST, scope=Scope.SCREENING_RUN)
@bulk.arguments(EvaluateScreeningArgumentsSchema, location="query", unknown=None)
@bulk.response(
    200,
    _FILE,
    content_type=OCTETS,
    description=f"The header `{LEFT_HEADER}` tells how many are left today, `{RESETS_HEADER}` "
    f"when the next day begins, `{PARTS_HEADER}` whose the parts are where the key has holders.",
)
@bulk.doc(
    requestBody={
        "required": True,
        "description": f"1 to {MOST:,} blinded elements of {SIZE} bytes, each once.",
        "content": {OCTETS: {"schema": _FILE}},
    }
)
def evaluate(asked: dict[str, Any], kind: str, epoch: int) -> Response:
    """Evaluate blinded elements for screening

    Counted against what is agreed for screening with your organisation, not against the quotas of
    lookups. For each 1000 elements the answer holds as many evaluated ones and a proof of 64 bytes.
    Where the key has holders a request has up to 1000, signed by your organisation, and the answer
    as many of each holder that took part, whom a header names.
    """
    evaluated = screening.evaluate(
        transaction(),
        caller(),
        kind=_kind(kind),
        epoch=epoch,
        elements=_elements(g.pop("elements")),
        **asked,
    )
    answer = Response(packed(evaluated.parts), content_type=OCTETS)
    if evaluated.names:
        answer.headers[PARTS_HEADER] = ",".join(evaluated.names)
    answer.headers[LEFT_HEADER] = str(evaluated.standing.left)
    answer.headers[RESETS_HEADER] = evaluated.standing.resets_at.isoformat(timespec="seconds")
    return answer


@bulk.get("")
@audited("screening.read", roles=_READERS, scope=Scope.SCREENING_RUN)
@bulk.response(200, ScreeningSchema)
def read_agreed() -> dict[str, Any]:
    """Read what is agreed for screening

    How many evaluations a day and until when, by kind, and how many are left today.
    """
    return {"kinds": screening.read_agreed(transaction(), caller())}


def _kind(told: str) -> EvaluationKind:
    try:
        return EvaluationKind(told)
    except ValueError:
        raise NotFoundError from None


def _elements(raw: bytes | None) -> list[bytes]:
    if raw is None:
        raise TooLargeError(
            f"A request has up to {MOST:,} elements of {SIZE} bytes.",
            remedy="Split it into smaller requests.",
        )
    try:
        return split(raw)
    except ValueError:
        reason = f"Send 1 to {MOST:,} elements of {SIZE} bytes each."
        raise InvalidRequestError(errors=[{"field": "body", "reason": reason}]) from None
