"""The pages of disclosure requests: both boxes, one request, and the owner's rules.

They ask what the interface for programs asks, by the same verbs, and are logged as the same acts.
What needs a key is done on premises: the page shows the command. A refusal brings the page back
with the reason; it is logged, and what the verb had done is undone first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app import clock
from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.disclosures import decisions, requests, rules
from app.disclosures.decisions import GIVING, KEEPING, Ruling
from app.disclosures.messages import wrong
from app.disclosures.refusal_words import refusal_words
from app.disclosures.requests import Page as Listed
from app.disclosures.shown import ShownRequest
from app.disclosures.storage import Wanted
from app.disclosures.transitions import GIVEN, WAITING, Act, may
from app.errors import (
    ConflictError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    PosternError,
)
from app.organisations import contacts, service
from app.runtime import runtime
from postern.vocabulary import (
    Answer,
    DecisionReason,
    DecisionState,
    FourEyes,
    MessageKind,
    RequestState,
    Role,
    Urgency,
)

Page = tuple[str, int]
Answered = Response | Page

blueprint = Blueprint("disclosure_pages", __name__)

ASKERS = frozenset({Role.ANALYST, Role.COMPLIANCE})
DECIDERS = frozenset({Role.APPROVER, Role.COMPLIANCE})
_READERS = (Role.ANALYST, Role.APPROVER, Role.COMPLIANCE)
_RULES_READERS = (Role.APPROVER, Role.COMPLIANCE, Role.POLICY_OWNER)
_REFUSALS = (ConflictError, InvalidRequestError, NotAllowedError)
_DONE = frozenset(
    {
        "answered",
        "asked",
        "changed",
        "confirmed",
        "proposed",
        "questioned",
        "refused",
        "rejected",
        "released",
        "reviewed",
        "withdrawn",
    }
)

PAGE = 25  # requests of one list

_LONGEST_NUMBER = 4  # digits of what may be typed as days

_OVER = frozenset(RequestState) - WAITING - GIVEN
SHELVES: dict[str, frozenset[RequestState] | None] = {
    "waiting": WAITING,
    "given": GIVEN,
    "over": _OVER,
    "all": None,
}
"""What a list shows, by the word in its address."""


@dataclass(frozen=True)
class Moment:
    """Something that happened to a request; `what` names the words that the page has for it."""

    at: datetime
    what: str
    value: Any = None


@blueprint.get("/disclosures")
@audited("disclosure.list", roles=_READERS)
def show_all() -> str:
    """Show what others ask of one's organisation, or what it asked of others.

    What waits stands in the order in which it is due, all else newest first.
    """
    boxes = _boxes()
    box = request.args.get("box", "")
    box = box if box in boxes else boxes[0]
    shelf = request.args.get("show", "")
    shelf = shelf if shelf in SHELVES else "waiting"
    before = _uuid(request.args.get("before"))
    read = decisions.list_received if box == "received" else requests.list_asked
    urgency = next((each for each in Urgency if each.value == request.args.get("urgency")), None)
    members = _others()
    other = request.args.get("other", "")
    wanted = Wanted(
        states=SHELVES[shelf],
        urgency=urgency,
        other=other if other in members else None,
        due_first=shelf == "waiting",
    )
    found: Listed = read(transaction(), caller(), wanted=wanted, limit=PAGE, cursor=before)
    return render_template(
        "disclosures/requests.html",
        boxes=boxes,
        box=box,
        shelves=list(SHELVES),
        shelf=shelf,
        found=found,
        wanted=wanted,
        urgencies=list(Urgency),
        members=members,
        narrowed={
            name: value
            for name, value in (("urgency", urgency and urgency.value), ("other", wanted.other))
            if value
        },
        is_later_page=before is not None,
        now=clock.now(),
    )


@blueprint.get("/disclosures/<uuid:request_id>")
@audited("disclosure.read", roles=_READERS)
def show(request_id: UUID) -> Page:
    """Show one request with all that one's side may know, and what to do."""
    return _page(request_id)


@blueprint.post("/disclosures/<uuid:request_id>/refusal")
@audited("disclosure.decide", roles=[Role.APPROVER])
def refuse(request_id: UUID) -> Answered:
    """Give nothing, with a reason that needs no message."""
    try:
        with transaction().begin_nested():
            ruling = Ruling(Answer.NOTHING, _reason())
            decisions.decide(transaction(), caller(), request_id, ruling)
    except _REFUSALS as error:
        return _again("disclosure.decide", request_id, error)
    return _back(request_id, "refused")


@blueprint.post("/disclosures/<uuid:request_id>/judgement")
@audited("disclosure.confirm", roles=[Role.APPROVER])
def judge(request_id: UUID) -> Answered:
    """Agree, as the second person, with what another approver decided, or do not."""
    agrees = request.form.get("agrees") == "yes"
    decision = _uuid(request.form.get("decision"))
    if decision is None:
        raise NotFoundError
    try:
        with transaction().begin_nested():
            found = decisions.judge(transaction(), caller(), request_id, decision, agrees=agrees)
    except _REFUSALS as error:
        return _again("disclosure.confirm", request_id, error)
    is_review = found.decision is not None and found.decision.review_due_at is not None
    return _back(request_id, "reviewed" if is_review else "confirmed" if agrees else "rejected")


@blueprint.post("/disclosures/<uuid:request_id>/withdrawal")
@audited("disclosure.withdraw", roles=[Role.ANALYST])
def withdraw(request_id: UUID) -> Answered:
    """Withdraw one's own request."""
    try:
        with transaction().begin_nested():
            requests.withdraw(transaction(), caller(), request_id)
    except _REFUSALS as error:
        return _again("disclosure.withdraw", request_id, error)
    return _back(request_id, "withdrawn")


@blueprint.get("/disclosures/rules")
@audited("disclosure.rules-read", roles=_RULES_READERS)
def show_rules() -> Page:
    """Show when a second person is needed, and how long a delivery lives."""
    return _rules_page()


@blueprint.post("/disclosures/rules")
@audited("disclosure.rules", roles=[Role.POLICY_OWNER])
def change_rules() -> Answered:
    """Let other rules hold."""
    typed = request.form.get("delivery_days", "").strip()
    is_number = typed.isascii() and typed.isdecimal() and len(typed) <= _LONGEST_NUMBER
    days = int(typed) if is_number else 0
    chosen = request.form.get("four_eyes", "")
    try:
        four_eyes = next((each for each in FourEyes if each.value == chosen), None)
        if four_eyes is None:
            raise wrong("four_eyes", "Choose when a second person is needed.")
        with transaction().begin_nested():
            rules.change(transaction(), caller(), four_eyes=four_eyes, delivery_days=days)
    except _REFUSALS as error:
        _log_refusal("disclosure.rules", error)
        return _rules_page(problem=error)
    return redirect(url_for("disclosure_pages.show_rules", done="changed"), 303)


def _others() -> dict[str, str]:
    """The names of the other members by their codes, in their order."""
    members = sorted(service.directory(transaction()).values(), key=lambda each: each.name)
    return {each.code: each.name for each in members if each.code != caller().organisation}


def _boxes() -> list[str]:
    held = caller().roles
    received = ["received"] if held & DECIDERS else []
    return [*received, *(["asked"] if held & ASKERS else [])]


def _read(request_id: UUID) -> tuple[ShownRequest, bool]:
    """The request, and whether one's organisation is the owner; NotFoundError."""
    boxes = _boxes()
    if "received" in boxes:
        try:
            return decisions.read_received(transaction(), caller(), request_id), True
        except NotFoundError:
            if "asked" not in boxes:
                raise
    return requests.read_asked(transaction(), caller(), request_id), False


def _page(request_id: UUID, problem: PosternError | None = None) -> Page:
    found, is_owner = _read(request_id)
    at = clock.now()
    other_id, _ = service.find(transaction(), (found.requester if is_owner else found.owner).code)
    held = caller().roles
    done = request.args.get("done", "")
    page = render_template(
        "disclosures/request.html",
        asked=found,
        is_owner=is_owner,
        other=found.requester if is_owner else found.owner,
        desk=contacts.contact(transaction(), other_id),
        coarse=decisions.coarse(transaction(), caller(), request_id) if is_owner else None,
        moments=sorted(_moments(found, is_owner=is_owner), key=lambda each: each.at),
        verdict=_verdict(found, is_owner=is_owner),
        is_own_decision=found.decision is not None and found.decision.person == caller().person,
        is_approver=is_owner and Role.APPROVER in held,
        is_analyst=not is_owner and Role.ANALYST in held,
        may_refuse=may(found.state, Act.REFUSE),
        may_withdraw=may(found.state, Act.WITHDRAW),
        reasons=[each for each in DecisionReason if each in KEEPING - {DecisionReason.OTHER}],
        giving_reasons=_giving_reasons(found),
        deliveries=[each for each in found.deliveries if each.available],
        is_life=found.urgency is Urgency.LIFE,
        refusals=refusal_words(),
        done=done if done in _DONE else None,
        now=at,
        **_problem(problem),
    )
    return page, problem.status if problem else 200


def _giving_reasons(found: ShownRequest) -> list[DecisionReason]:
    """The reasons to release; one life at risk only where the requester tells of it."""
    reasons = [each for each in DecisionReason if each in GIVING]
    is_life = found.urgency is Urgency.LIFE
    return [each for each in reasons if is_life or each is not DecisionReason.LIFE_AT_RISK]


def _verdict(found: ShownRequest, *, is_owner: bool) -> str:
    """What waits for a second person: a proposal, a review of a break-glass, or nothing."""
    decision = found.decision
    if not is_owner or decision is None:
        return ""
    if decision.state is DecisionState.PROPOSED:
        return "proposal"
    return "review" if decision.review_due_at and not decision.judged_at else ""


def _moments(found: ShownRequest, *, is_owner: bool) -> Iterator[Moment]:
    yield Moment(found.made_at, "asked")
    for message in found.messages:
        if message.kind in {MessageKind.QUESTION, MessageKind.ANSWER}:
            yield Moment(message.at, message.kind.value)
    if found.escalated_at is not None:
        yield Moment(found.escalated_at, "overdue")
    decision = found.decision
    if decision is not None:
        is_proposal = decision.state is not DecisionState.EFFECTIVE or decision.judged_at
        told = "proposed" if is_owner and is_proposal and not decision.review_due_at else "decided"
        yield Moment(decision.made_at, told, decision)
        if decision.judged_at is not None and is_owner:
            yield Moment(decision.judged_at, "judged", decision)
    for delivery in found.deliveries:
        if delivery.fetched_at is not None:
            yield Moment(delivery.fetched_at, "fetched", delivery)
        if delivery.received_at is not None:
            yield Moment(delivery.received_at, "received", delivery)
    ended = {RequestState.WITHDRAWN, RequestState.LAPSED, RequestState.ENDED}
    if found.closed_at is not None and found.state in ended:
        yield Moment(found.closed_at, found.state.value)


def _rules_page(problem: PosternError | None = None) -> Page:
    page = render_template(
        "disclosures/rules.html",
        held=rules.read(transaction(), caller()),
        choices=list(FourEyes),
        most_days=runtime().settings.disclosure.delivery_days,
        may_change=Role.POLICY_OWNER in caller().roles,
        given=request.form,
        done=request.args.get("done") == "changed",
        settings=runtime().settings.disclosure,
        **_problem(problem),
    )
    return page, problem.status if problem else 200


def _again(act: str, request_id: UUID, error: PosternError) -> Page:
    _log_refusal(act, error, request_id)
    return _page(request_id, problem=error)


def _log_refusal(act: str, error: PosternError, about: UUID | None = None) -> None:
    append(
        transaction(),
        caller(),
        act,
        outcome=Outcome.DENIED if isinstance(error, NotAllowedError) else Outcome.ERROR,
        objects=[str(about)] if about else [],
        details={"refusal": error.code},
    )


def _back(request_id: UUID, done: str) -> Response:
    return redirect(url_for("disclosure_pages.show", request_id=request_id, done=done), 303)


def _problem(problem: PosternError | None) -> dict[str, Any]:
    errors = problem.extensions.get("errors", ()) if problem else ()
    reasons = {each["field"].removeprefix("json."): each["reason"] for each in errors}
    return {"problem": problem, "wrong": reasons}


def _reason() -> DecisionReason:
    typed = request.form.get("reason", "")
    found = next((each for each in KEEPING if each.value == typed), None)
    if found is None:
        raise wrong("reason", "Choose a reason of the list.")
    return found


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
