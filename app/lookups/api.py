"""Lookups and watches over HTTP: ask, wait, list one's own, and read what was found and why."""

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.indicators.schemas import PageArgumentsSchema
from app.indicators.telling import Grounds
from app.lookups import deconfliction, explaining, service, watch_ending, watch_reading, watches
from app.lookups.schemas import AnswerSchema, AskSchema, ExplanationSchema, OwnLookupsSchema
from app.lookups.scoring import Query
from app.lookups.watch_schemas import (
    DeconflictionsSchema,
    OwnWatchesSchema,
    SetWatchSchema,
    WatchPageArgumentsSchema,
    WatchReadingSchema,
    WatchSetSchema,
    WatchState,
)
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "lookups",
    __name__,
    url_prefix="/api/v1/lookups",
    description="Who holds an indicator of this value, as far as its policy lets you know.",
)

watching = Blueprint(
    "watches",
    __name__,
    url_prefix="/api/v1/watches",
    description="Being told when somebody comes to hold an indicator of a value.",
)

deconflictions = Blueprint(
    "deconflictions",
    __name__,
    url_prefix="/api/v1/deconflictions",
    description="Who else works on what you watch for, if both policies let it be known.",
)

blueprints = (blueprint, watching, deconflictions)


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


@watching.post("")
@audited("watch.set", roles=[Role.ANALYST], scope=Scope.WATCHES_WRITE)
@watching.arguments(SetWatchSchema)
@watching.response(201, WatchSetSchema)
def set_watch(asked: dict[str, Any]) -> watches.SetWatch:
    """Watch for a value by its tokens

    The watch tells only of what is submitted from now on; look the value up as well. The answer
    is the same whatever is there and whoever else watches.
    """
    grounds = Grounds(*(asked.pop(name) for name in ("purpose", "legal_basis", "case")))
    return watches.set_up(transaction(), caller(), grounds, watches.Wanted(**asked))


@watching.get("")
@audited("watch.list", roles=[Role.ANALYST, Role.COMPLIANCE], scope=Scope.WATCHES_WRITE)
@watching.arguments(WatchPageArgumentsSchema, location="query", unknown=None)
@watching.response(200, OwnWatchesSchema)
def list_watches(asked: dict[str, Any]) -> watches.Page:
    """List your organisation's watches

    Newest first, in pages. Neither what is waited for nor the case is kept here; the case stands
    in the audit log.
    """
    state = asked.pop("state", None)
    is_live = None if state is None else state is WatchState.LIVE
    return watches.list_own(transaction(), caller(), is_live=is_live, **asked)


@watching.get("/<uuid:watch_id>")
@audited("watch.read", roles=[Role.ANALYST], scope=Scope.WATCHES_WRITE)
@watching.response(200, WatchReadingSchema)
def read_watch(watch_id: UUID) -> watch_reading.Reading:
    """Read what a watch found

    What you were told of and may see now, by the policies in force. Another organisation's watch
    is answered like one that does not exist.
    """
    return watch_reading.read_own(transaction(), caller(), watch_id)


@watching.delete("/<uuid:watch_id>")
@audited("watch.stop", roles=[Role.ANALYST, Role.COMPLIANCE], scope=Scope.WATCHES_WRITE)
@watching.response(204)
def stop_watch(watch_id: UUID) -> None:
    """Stop a watch

    Its tokens are erased at once; that it was there stays listed. Stopping it again changes
    nothing.
    """
    watch_ending.stop(transaction(), caller(), watch_id)


@deconflictions.get("")
@audited("deconfliction.list", roles=[Role.ANALYST], scope=Scope.WATCHES_WRITE)
@deconflictions.response(200, DeconflictionsSchema)
def list_deconflictions() -> dict[str, Any]:
    """List who else works on what you watch for

    The other organisation and its desk, nothing of its watch, while your own watch waits and as
    far as both policies let it be known now.
    """
    return {"deconflictions": deconfliction.list_own(transaction(), caller())}
