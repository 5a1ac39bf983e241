"""The pages of reviews: order one, see its rounds, judge the drawn entries.

They ask what the interface for programs asks, by the same verbs, and are logged as the same acts.
A refusal brings the page back with the reason and what was typed; it is logged, and what the verb
had done is undone first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as BaseResponse

from app.audit.catalogue import CATALOGUE, Operation
from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.compliance import reviews, rounds
from app.compliance.api import csv_answer
from app.compliance.models import Verdict
from app.compliance.reviews import LARGEST_SAMPLE, Kinds
from app.compliance.sealing import LONGEST_NOTE, LONGEST_TITLE, wrong
from app.errors import ConflictError, InvalidRequestError, NotAllowedError, PosternError
from app.organisations.service import directory
from postern.vocabulary import Purpose, Role

Page = tuple[str, int]
Answer = BaseResponse | Page
Choice = TypeVar("Choice", bound=StrEnum)

blueprint = Blueprint("reviews", __name__)

OFFICER = (Role.COMPLIANCE,)
REFUSALS = (ConflictError, InvalidRequestError, NotAllowedError)

_LONGEST_NUMBER = 9  # digits
_NOTICES = frozenset({"ordered", "ended", "judged"})
_KINDS = ("act", "operation", "purpose", "outcome")
_STARTING_KINDS = {"operation": Operation.CONSULTATION.value, "outcome": Outcome.OK.value}


@dataclass(frozen=True)
class Typed:
    """What was typed for the entry at `place` and not kept."""

    place: int
    verdict: str
    note: str


@blueprint.get("/reviews")
@audited("review.list", roles=OFFICER)
def show_all() -> Page:
    """Show the reviews, what waits to be judged, and the form to order one.

    The address may fill the form in: that is how the access log leads here from a search.
    """
    asked = {name: request.args[name] for name in _KINDS if name in request.args}
    return _all(given=asked) if asked else _all()


@blueprint.post("/reviews")
@audited("review.order", roles=OFFICER)
def order() -> Answer:
    """Order a review."""
    try:
        with transaction().begin_nested():
            made = reviews.order(
                transaction(),
                caller(),
                title=request.form.get("title", ""),
                kinds=_kinds(),
                sample=_number("sample"),
            )
    except REFUSALS as error:
        log_refusal("review.order", error)
        return _all(given=request.form, problem=error)
    return redirect(url_for("compliance.reviews.show", review_id=made.id, done="ordered"), 303)


@blueprint.get("/reviews/<uuid:review_id>")
@audited("review.read", roles=OFFICER)
def show(review_id: UUID) -> Page:
    """Show a review and its rounds."""
    return _one(review_id)


@blueprint.post("/reviews/<uuid:review_id>/end")
@audited("review.end", roles=OFFICER)
def end(review_id: UUID) -> Answer:
    """End a review."""
    try:
        with transaction().begin_nested():
            reviews.end(transaction(), caller(), review_id)
    except REFUSALS as error:
        log_refusal("review.end", error, review_id)
        return _one(review_id, problem=error)
    return redirect(url_for("compliance.reviews.show", review_id=review_id, done="ended"), 303)


@blueprint.get("/reviews/rounds/<uuid:round_id>")
@audited("review.read", roles=OFFICER)
def show_round(round_id: UUID) -> Page:
    """Show the drawn entries of a round, each with the form to judge it."""
    return _round(round_id)


@blueprint.post("/reviews/rounds/<uuid:round_id>/judge")
@audited("review.judge", roles=OFFICER)
def judge(round_id: UUID) -> Answer:
    """Record what was found of one entry."""
    typed = Typed(_number("place"), request.form.get("verdict", ""), request.form.get("note", ""))
    try:
        with transaction().begin_nested():
            rounds.judge(
                transaction(),
                caller(),
                round_id,
                place=typed.place,
                verdict=chosen_verdict(typed.verdict),
                note=typed.note,
            )
    except REFUSALS as error:
        log_refusal("review.judge", error, round_id)
        return _round(round_id, typed=typed, problem=error)
    address = url_for(
        "compliance.reviews.show_round",
        round_id=round_id,
        done="judged",
        _anchor=f"entry-{typed.place}",
    )
    return redirect(address, 303)


@blueprint.get("/reviews/rounds/<uuid:round_id>/findings.csv")
@audited("review.export", roles=OFFICER)
def export(round_id: UUID) -> Response:
    """Take the findings away as a file."""
    return csv_answer(rounds.findings_csv(transaction(), caller(), round_id), round_id)


def log_refusal(act: str, error: PosternError, about: UUID | None = None) -> None:
    """Tell the log of a form that was refused and shown again."""
    append(
        transaction(),
        caller(),
        act,
        outcome=Outcome.DENIED if isinstance(error, NotAllowedError) else Outcome.ERROR,
        objects=[str(about)] if about else [],
        details={"refusal": error.code},
    )


def chosen_verdict(typed: str) -> Verdict:
    """The verdict of a form; InvalidRequestError for none."""
    return _choice(Verdict, typed) or _missing("verdict", "Choose what you found.")


def names() -> Mapping[str, str]:
    """The name of each organisation by its code, for the sentences of entries."""
    return {member.code: member.name for member in directory(transaction()).values()}


def _all(given: Mapping[str, str] = _STARTING_KINDS, problem: PosternError | None = None) -> Page:
    page = render_template(
        "compliance/reviews.html",
        reviews=reviews.list_reviews(transaction(), caller()),
        given=given,
        acts=sorted(CATALOGUE),
        operations=list(Operation),
        purposes=list(Purpose),
        outcomes=list(Outcome),
        longest_title=LONGEST_TITLE,
        largest_sample=LARGEST_SAMPLE,
        **_problem(problem),
    )
    return page, problem.status if problem else 200


def _one(review_id: UUID, problem: PosternError | None = None) -> Page:
    page = render_template(
        "compliance/review.html",
        review=reviews.read(transaction(), caller(), review_id),
        verdicts=list(Verdict),
        notice=_notice(),
        **_problem(problem),
    )
    return page, problem.status if problem else 200


def _round(round_id: UUID, typed: Typed | None = None, problem: PosternError | None = None) -> Page:
    page = render_template(
        "compliance/round.html",
        sample=rounds.read_round(transaction(), caller(), round_id),
        names=names(),
        verdicts=list(Verdict),
        typed=typed,
        longest_note=LONGEST_NOTE,
        notice=_notice(),
        **_problem(problem),
    )
    return page, problem.status if problem else 200


def _problem(problem: PosternError | None) -> dict[str, Any]:
    """The problem, and the reason of each field that is wrong."""
    errors = problem.extensions.get("errors", ()) if problem else ()
    return {"problem": problem, "wrong": {each["field"]: each["reason"] for each in errors}}


def _notice() -> str | None:
    done = request.args.get("done", "")
    return done if done in _NOTICES else None


def _kinds() -> Kinds:
    act = request.form.get("act", "")
    if act and act not in CATALOGUE:
        _missing("act", "Choose an act of the list.")
    return Kinds(
        act=act or None,
        operation=_optional(Operation, "operation", "Choose an operation of the list."),
        purpose=_optional(Purpose, "purpose", "Choose a purpose of the list."),
        outcome=_optional(Outcome, "outcome", "Choose an outcome of the list."),
    )


def _optional(kind: type[Choice], field: str, reason: str) -> Choice | None:
    typed = request.form.get(field, "")
    return (_choice(kind, typed) or _missing(field, reason)) if typed else None


def _choice(kind: type[Choice], typed: str) -> Choice | None:
    return next((each for each in kind if each.value == typed), None)


def _missing(field: str, reason: str) -> Any:
    raise wrong(field, reason)


def _number(field: str) -> int:
    """What was typed; 0, which nothing has, when it is not a number."""
    typed = request.form.get(field, "").strip()
    is_number = typed.isascii() and typed.isdecimal() and len(typed) <= _LONGEST_NUMBER
    return int(typed) if is_number else 0
