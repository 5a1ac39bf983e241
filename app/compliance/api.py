"""Reviews and signals for programs; whatever judges is done by people, never with an API token."""

from typing import Any
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.compliance import reviews, rounds, signals
from app.compliance.export_api import blueprint as export_blueprint
from app.compliance.retention_api import blueprint as retention_blueprint
from app.compliance.schemas import (
    AssignmentSchema,
    ClosingSchema,
    JudgementSchema,
    ReviewOrderSchema,
    ReviewSchema,
    ReviewsSchema,
    SampleSchema,
    SignalsArgumentsSchema,
    SignalSchema,
    SignalsSchema,
)
from app.compliance.subject_api import blueprint as subject_blueprint
from postern.vocabulary import Role, Scope

review_blueprint = Blueprint(
    "reviews",
    __name__,
    url_prefix="/api/v1",
    description="Samples of your organisation's own entries, drawn monthly and judged by people.",
)
signal_blueprint = Blueprint(
    "signals",
    __name__,
    url_prefix="/api/v1",
    description="What is unusual in your organisation's own log, for people to look at.",
)
blueprints = (
    review_blueprint,
    signal_blueprint,
    export_blueprint,
    retention_blueprint,
    subject_blueprint,
)
blueprint = review_blueprint  # the first of them, by the name that every room has

_OFFICER = (Role.COMPLIANCE,)


@review_blueprint.get("/reviews")
@audited("review.list", roles=_OFFICER, scope=Scope.AUDIT_READ)
@review_blueprint.response(200, ReviewsSchema)
def list_reviews() -> dict[str, Any]:
    """List the reviews of your organisation

    With their rounds and how many entries were judged how.
    """
    return {"reviews": reviews.list_reviews(transaction(), caller())}


@review_blueprint.post("/reviews")
@audited("review.order", roles=_OFFICER)
@review_blueprint.arguments(ReviewOrderSchema)
@review_blueprint.response(201, ReviewSchema)
def order_review(asked: dict[str, Any]) -> reviews.Ordered:
    """Order a review

    From this month on, so many entries of these kinds are drawn after each month's end. Nobody can
    know or choose which.
    """
    return reviews.order(transaction(), caller(), **asked)


@review_blueprint.get("/reviews/<uuid:review_id>")
@audited("review.read", roles=_OFFICER, scope=Scope.AUDIT_READ)
@review_blueprint.response(200, ReviewSchema)
def read_review(review_id: UUID) -> reviews.Ordered:
    """Read a review of your organisation

    Another organisation's review is answered like one that does not exist.
    """
    return reviews.read(transaction(), caller(), review_id)


@review_blueprint.post("/reviews/<uuid:review_id>/end")
@audited("review.end", roles=_OFFICER)
@review_blueprint.response(200, ReviewSchema)
def end_review(review_id: UUID) -> reviews.Ordered:
    """End a review

    No further round is drawn; those that were drawn can still be judged.
    """
    return reviews.end(transaction(), caller(), review_id)


@review_blueprint.get("/reviews/rounds/<uuid:round_id>")
@audited("review.read", roles=_OFFICER, scope=Scope.AUDIT_READ)
@review_blueprint.response(200, SampleSchema)
def read_round(round_id: UUID) -> rounds.Sample:
    """Read a round of a review with its drawn entries

    The entries themselves are read from the audit log by the ids of their records.
    """
    return rounds.read_round(transaction(), caller(), round_id)


@review_blueprint.get("/reviews/rounds/<uuid:round_id>/findings.csv")
@audited("review.export", roles=_OFFICER, scope=Scope.AUDIT_READ)
@review_blueprint.response(200, content_type="text/csv")
def export_findings(round_id: UUID) -> Response:
    """Take the findings of a round away as CSV

    UTF-8 with a line of names; cells that a spreadsheet would compute begin with an apostrophe.
    """
    return csv_answer(rounds.findings_csv(transaction(), caller(), round_id), round_id)


@review_blueprint.post("/reviews/rounds/<uuid:round_id>/judge")
@audited("review.judge", roles=_OFFICER)
@review_blueprint.arguments(JudgementSchema)
@review_blueprint.response(200, SampleSchema)
def judge(asked: dict[str, Any], round_id: UUID) -> rounds.Sample:
    """Record what you found of one drawn entry

    Until the round is closed a judgement can be given anew; the log keeps both. Whoever did the
    act may not judge it.
    """
    return rounds.judge(transaction(), caller(), round_id, **asked)


@signal_blueprint.get("/signals")
@audited("signal.list", roles=_OFFICER, scope=Scope.AUDIT_READ)
@signal_blueprint.arguments(SignalsArgumentsSchema, location="query", unknown=None)
@signal_blueprint.response(200, SignalsSchema)
def list_signals(asked: dict[str, Any]) -> dict[str, Any]:
    """List the signals of your organisation

    Newest first, in pages.
    """
    found = signals.list_signals(
        transaction(),
        caller(),
        is_open=asked["open"],
        is_mine=asked["mine"],
        before=asked["before"],
    )
    return {"signals": found, "next": found[-1].id if len(found) == signals.PAGE else None}


@signal_blueprint.get("/signals/<uuid:signal_id>")
@audited("signal.read", roles=_OFFICER, scope=Scope.AUDIT_READ)
@signal_blueprint.response(200, SignalSchema)
def read_signal(signal_id: UUID) -> signals.Task:
    """Read a signal with the entries that show it

    Another organisation's signal is answered like one that does not exist.
    """
    return signals.read(transaction(), caller(), signal_id)


@signal_blueprint.post("/signals/<uuid:signal_id>/assign")
@audited("signal.assign", roles=_OFFICER)
@signal_blueprint.arguments(AssignmentSchema)
@signal_blueprint.response(200, SignalSchema)
def assign_signal(asked: dict[str, Any], signal_id: UUID) -> signals.Task:
    """Give an open signal to an officer

    With the day by which it is to be closed; `to` null gives it back to all officers. Any of them
    may still close it. Whom the signal is about cannot be given it.
    """
    return signals.assign(transaction(), caller(), signal_id, **asked)


@signal_blueprint.post("/signals/<uuid:signal_id>/close")
@audited("signal.close", roles=_OFFICER)
@signal_blueprint.arguments(ClosingSchema)
@signal_blueprint.response(200, SignalSchema)
def close_signal(asked: dict[str, Any], signal_id: UUID) -> signals.Task:
    """Close a signal with what you found

    Nothing follows from it by itself. Whom the signal is about may not close it.
    """
    return signals.close(transaction(), caller(), signal_id, **asked)


def csv_answer(content: bytes, round_id: UUID) -> Response:
    """The file as it leaves, for programs and pages."""
    answer = Response(content, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="findings-{round_id}.csv"'
    return answer
