"""Lookups over HTTP: ask, list one's own, and read why a hit was shown."""

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.indicators.schemas import PageArgumentsSchema
from app.lookups import explaining, service
from app.lookups.schemas import AnswerSchema, AskSchema, ExplanationSchema, OwnLookupsSchema
from app.lookups.scoring import Query
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "lookups",
    __name__,
    url_prefix="/api/v1/lookups",
    description="Who holds an indicator of this value, as far as its policy lets you know.",
)


@blueprint.post("")
@audited("lookup.ask", roles=[Role.ANALYST], scope=Scope.LOOKUPS_WRITE)
@blueprint.arguments(AskSchema)
@blueprint.response(200, AnswerSchema)
def ask(asked: dict[str, Any]) -> service.Answer:
    """Look up values by their tokens

    The question is logged with purpose, legal basis and case, whether or not it finds anything;
    each owner of an indicator that is found is told. What a policy hides is answered like what
    does not exist.
    """
    queries = [Query(**query) for query in asked.pop("queries")]
    return service.ask(transaction(), caller(), queries=queries, **asked)


@blueprint.get("")
@audited("lookup.list", roles=[Role.ANALYST, Role.COMPLIANCE], scope=Scope.LOOKUPS_WRITE)
@blueprint.arguments(PageArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, OwnLookupsSchema)
def list_own(asked: dict[str, Any]) -> service.Page:
    """List your organisation's lookups

    Newest first, in pages: when, who, why, how many queries and hits. Neither what was looked up
    nor the case is kept here; the case stands in the audit log.
    """
    return service.list_own(transaction(), caller(), asked["limit"], asked["cursor"])


@blueprint.get("/<uuid:lookup_id>/explanation")
@audited("policy.explain", roles=[Role.ANALYST, Role.COMPLIANCE], scope=Scope.LOOKUPS_WRITE)
@blueprint.response(200, ExplanationSchema)
def explain(lookup_id: UUID) -> explaining.Explanation:
    """Read why hits were shown

    For each hit of one of your organisation's lookups, the decision by which it was shown, as far
    as you may know it. Another organisation's lookup is answered like one that does not exist.
    """
    return explaining.explain(transaction(), caller(), lookup_id)
