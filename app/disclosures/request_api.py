"""Disclosure requests over HTTP: of the requester, of the owner, and the owner's rules."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from flask import Response, request
from flask_smorest import Blueprint
from werkzeug.exceptions import RequestEntityTooLarge

from app.access import current_caller
from app.audit.guard import audited, caller, transaction
from app.disclosures import decisions, deliveries, requests, rules
from app.disclosures.decisions import Ruling
from app.disclosures.deliveries import Proof
from app.disclosures.messages import Sent, sent
from app.disclosures.releasing import HandedIn
from app.disclosures.requests import Page, Question
from app.disclosures.schemas import (
    LARGEST_DECISION,
    DeliveryReceiptSchema,
    DisclosureArgumentsSchema,
    DisclosureAskSchema,
    DisclosureRequestSchema,
    DisclosureRequestsSchema,
    DisclosureRulesSchema,
    DisclosureRulingSchema,
    ReceivedDisclosureSchema,
    SealedMessageSchema,
    SecondPersonSchema,
    ShownDisclosureRulesSchema,
)
from app.disclosures.shown import ShownRequest
from app.disclosures.storage import Wanted
from app.indicators.envelopes_api import OCTETS
from postern.vocabulary import Role, Scope

P = ParamSpec("P")
R = TypeVar("R")

blueprint = Blueprint(
    "disclosures",
    __name__,
    url_prefix="/api/v1/disclosures",
    description="Asking the owner of an indicator for its clear text, and deciding on that.",
)

_ASKER = [Role.ANALYST]
_ASKERS = [Role.ANALYST, Role.COMPLIANCE]
_DECIDER = [Role.APPROVER]
_DECIDERS = [Role.APPROVER, Role.COMPLIANCE]
_RULES_READERS = [Role.APPROVER, Role.COMPLIANCE, Role.POLICY_OWNER]
_OCTETS = {"type": "string", "format": "binary"}


def _received(view: Callable[P, R]) -> Callable[P, R]:
    """Take the body in before the transaction begins, as of an approver it may be large."""

    @functools.wraps(view)
    def receiving(*args: P.args, **kwargs: P.kwargs) -> R:
        who = current_caller()
        if who is not None and Role.APPROVER in who.roles:
            request.max_content_length = LARGEST_DECISION
            try:
                request.get_data()
            except RequestEntityTooLarge:
                request.max_content_length = 0  # refused again below, by the guard's own path
        return view(*args, **kwargs)

    return receiving


@blueprint.post("")
@audited("disclosure.ask", roles=_ASKER, scope=Scope.DISCLOSURES_ASK)
@blueprint.arguments(DisclosureAskSchema)
@blueprint.response(201, DisclosureRequestSchema)
def ask(asked: dict[str, Any]) -> ShownRequest:
    """Ask for the clear text of a hit

    Of one indicator that your own lookup found and that its owner's policy lets you ask for now.
    The owner sees your organisation, the purpose and legal basis of the lookup, what you ask and
    how urgent it is, and opens the message; it learns neither your name nor the lookup. What you
    may not ask for is answered like what does not exist.
    """
    question = Question(
        case=asked["case"],
        urgency=asked["urgency"],
        asked=asked["asked"],
        action=asked["action"],
        message=sent(asked["message"], asked["record"]),
    )
    return requests.ask(
        transaction(),
        caller(),
        lookup=asked["lookup"],
        indicator=asked["indicator"],
        question=question,
    )


@blueprint.get("/asked")
@audited("disclosure.list", roles=_ASKERS, scope=Scope.DISCLOSURES_ASK)
@blueprint.arguments(DisclosureArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, DisclosureRequestsSchema)
def list_asked(asked: dict[str, Any]) -> Page:
    """List what your organisation asked of others

    Newest first, in pages, with clocks, decisions and deliveries.
    """
    return requests.list_asked(transaction(), caller(), **_wanted(asked))


@blueprint.get("/asked/<uuid:request_id>")
@audited("disclosure.read", roles=_ASKERS, scope=Scope.DISCLOSURES_ASK)
@blueprint.response(200, DisclosureRequestSchema)
def read_asked(request_id: UUID) -> ShownRequest:
    """Read one request of your organisation

    Another organisation's request is answered like one that does not exist.
    """
    return requests.read_asked(transaction(), caller(), request_id)


@blueprint.post("/asked/<uuid:request_id>/answer")
@audited("disclosure.answer", roles=_ASKER, scope=Scope.DISCLOSURES_ASK)
@blueprint.arguments(SealedMessageSchema)
@blueprint.response(200, DisclosureRequestSchema)
def answer(asked: dict[str, Any], request_id: UUID) -> ShownRequest:
    """Answer the owner's question

    Its clock, which stood still, goes on.
    """
    message = Sent(asked["message"], asked["record"])
    return requests.answer(transaction(), caller(), request_id, message)


@blueprint.post("/asked/<uuid:request_id>/withdrawal")
@audited("disclosure.withdraw", roles=_ASKER, scope=Scope.DISCLOSURES_ASK)
@blueprint.response(200, DisclosureRequestSchema)
def withdraw(request_id: UUID) -> ShownRequest:
    """Withdraw a request

    While it is not decided; the owner is told.
    """
    return requests.withdraw(transaction(), caller(), request_id)


@blueprint.get("/asked/<uuid:request_id>/deliveries/<uuid:delivery_id>")
@audited("disclosure.fetch", roles=_ASKER, scope=Scope.DISCLOSURES_ASK)
@blueprint.response(200, _OCTETS, content_type=OCTETS, description="The envelope.")
def fetch(request_id: UUID, delivery_id: UUID) -> Response:
    """Fetch what was released

    An envelope that your own keys open, on your own premises. The fetch stands in the log of both
    organisations before the bytes leave.
    """
    raw = deliveries.fetch(transaction(), caller(), request_id, delivery_id)
    return Response(raw, content_type=OCTETS)


@blueprint.post("/asked/<uuid:request_id>/deliveries/<uuid:delivery_id>/receipt")
@audited("disclosure.receipt", roles=_ASKER, scope=Scope.DISCLOSURES_ASK)
@blueprint.arguments(DeliveryReceiptSchema)
@blueprint.response(200, DisclosureRequestSchema)
def receive(asked: dict[str, Any], request_id: UUID, delivery_id: UUID) -> ShownRequest:
    """Prove that a delivery was opened

    Signed by your signing identity, with what came of deriving the token again from the value.
    The same receipt again changes nothing.
    """
    return deliveries.receive(transaction(), caller(), request_id, delivery_id, Proof(**asked))


@blueprint.get("/received")
@audited("disclosure.list", roles=_DECIDERS, scope=Scope.DISCLOSURES_DECIDE)
@blueprint.arguments(DisclosureArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, DisclosureRequestsSchema)
def list_received(asked: dict[str, Any]) -> Page:
    """List what others ask of your organisation

    Newest first, in pages, with clocks, decisions and deliveries.
    """
    return decisions.list_received(transaction(), caller(), **_wanted(asked))


@blueprint.get("/received/<uuid:request_id>")
@audited("disclosure.read", roles=_DECIDERS, scope=Scope.DISCLOSURES_DECIDE)
@blueprint.response(200, ReceivedDisclosureSchema)
def read_received(request_id: UUID) -> ShownRequest:
    """Read one request to your organisation

    With its sealed messages, and the sealed parts that it is about while it is not decided.
    """
    return decisions.read_received(transaction(), caller(), request_id)


@blueprint.get("/received/<uuid:request_id>/envelopes/<uuid:envelope_id>")
@audited("disclosure.open", roles=_DECIDER, scope=Scope.DISCLOSURES_DECIDE)
@blueprint.response(200, _OCTETS, content_type=OCTETS, description="The envelope.")
def read_envelope(request_id: UUID, envelope_id: UUID) -> Response:
    """Fetch a sealed part that is asked for

    Your own keys open it, on your own premises, so that you can decide.
    """
    raw = decisions.read_envelope(transaction(), caller(), request_id, envelope_id)
    return Response(raw, content_type=OCTETS)


@blueprint.post("/received/<uuid:request_id>/question")
@audited("disclosure.question", roles=_DECIDER, scope=Scope.DISCLOSURES_DECIDE)
@blueprint.arguments(SealedMessageSchema)
@blueprint.response(200, ReceivedDisclosureSchema)
def question(asked: dict[str, Any], request_id: UUID) -> ShownRequest:
    """Ask the requester back

    The clock stands still until it answers, except where a life is at risk.
    """
    message = Sent(asked["message"], asked["record"])
    return decisions.question(transaction(), caller(), request_id, message)


@blueprint.post("/received/<uuid:request_id>/decision")
@_received
@audited("disclosure.decide", roles=_DECIDER, scope=Scope.DISCLOSURES_DECIDE)
@blueprint.arguments(DisclosureRulingSchema)
@blueprint.response(200, ReceivedDisclosureSchema)
def decide(asked: dict[str, Any], request_id: UUID) -> ShownRequest:
    """Decide on a request: all, part or nothing

    Each part is handed in sealed again on your premises, to the requester's present keys and for
    this request alone. Where your rules want a second person, nothing leaves before that person
    agrees.
    """
    ruling = Ruling(
        answer=asked["answer"],
        reason=asked["reason"],
        parts=[HandedIn(**part) for part in asked["parts"]],
        message=sent(asked["message"], asked["record"]),
    )
    return decisions.decide(transaction(), caller(), request_id, ruling)


@blueprint.post("/received/<uuid:request_id>/confirmation")
@audited("disclosure.confirm", roles=_DECIDER, scope=Scope.DISCLOSURES_DECIDE)
@blueprint.arguments(SecondPersonSchema)
@blueprint.response(200, ReceivedDisclosureSchema)
def judge(asked: dict[str, Any], request_id: UUID) -> ShownRequest:
    """Judge what another approver decided

    Never one's own decision. Of a proposal: it takes effect, or its envelopes are erased and the
    request is open again. Of a release by break-glass: it stands, or what is left is erased.
    """
    return decisions.judge(
        transaction(), caller(), request_id, asked["decision"], agrees=asked["agrees"]
    )


@blueprint.get("/rules")
@audited("disclosure.rules-read", roles=_RULES_READERS)
@blueprint.response(200, ShownDisclosureRulesSchema)
def read_rules() -> rules.Rules:
    """Read how your organisation decides on disclosure

    When a second person is needed, and how long a delivery lives.
    """
    return rules.read(transaction(), caller())


@blueprint.put("/rules")
@audited("disclosure.rules", roles=[Role.POLICY_OWNER])
@blueprint.arguments(DisclosureRulesSchema)
@blueprint.response(200, ShownDisclosureRulesSchema)
def change_rules(asked: dict[str, Any]) -> rules.Rules:
    """Change how your organisation decides on disclosure

    From now on; your compliance officers are told.
    """
    return rules.change(transaction(), caller(), **asked)


def _wanted(asked: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a list, with one state as those that are wanted."""
    state = asked.pop("state")
    return {**asked, "wanted": Wanted(states=None if state is None else [state])}
