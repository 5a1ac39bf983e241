"""The pages of channels, and of how the work in the background stands."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, NotFoundError, PosternError
from app.jobs import channels, draining, service
from app.jobs.addresses import LONGEST
from app.jobs.channels import KEEPERS, LANGUAGES, MOST, Shown
from app.jobs.webhooks import OVERLAPS
from app.runtime import runtime
from postern.vocabulary import ChannelKind, Role

blueprint = Blueprint("jobs", __name__)

Page = str | tuple[str, int]

_NOTICES = frozenset({"removed", "trial"})


@blueprint.get("/channels")
@audited("channel.list", roles=KEEPERS)
def show_channels() -> str:
    """Show the organisation's channels and the form for another."""
    return _channels_page()


@blueprint.post("/channels")
@audited("channel.add", roles=KEEPERS)
def add_channel() -> Page:
    """Set up a channel; the secret of a webhook is on the page that answers, this once."""
    form = request.form
    try:
        with transaction().begin_nested():
            made = channels.add(transaction(), caller(), **_order(form))
    except (InvalidRequestError, ConflictError) as error:
        _log_refusal("channel.add", error)
        return _channels_page(problem=error, typed=form), error.status
    return _channels_page(made=made), 201


@blueprint.get("/channels/<uuid:channel>")
@audited("channel.read", roles=KEEPERS)
def show_channel(channel: UUID) -> str:
    """Show one channel and what became of each message."""
    return _channel_page(channel)


@blueprint.post("/channels/<uuid:channel>/trial")
@audited("channel.trial", roles=KEEPERS)
def try_channel(channel: UUID) -> Response | Page:
    """Have a trial message sent."""
    try:
        with transaction().begin_nested():
            channels.try_out(transaction(), caller(), channel)
    except ConflictError as error:
        _log_refusal("channel.trial", error, channel)
        return _channel_page(channel, problem=error), error.status
    return redirect(url_for(".show_channel", channel=channel, done="trial"), 303)


@blueprint.post("/channels/<uuid:channel>/secret")
@audited("channel.rotate", roles=KEEPERS)
def rotate_secret(channel: UUID) -> Page:
    """Replace a webhook's secret; the new one is on the page that answers, this once."""
    hours = request.form.get("overlap_hours", -1, type=int)
    try:
        with transaction().begin_nested():
            made = channels.rotate(transaction(), caller(), channel, hours)
    except (InvalidRequestError, ConflictError) as error:
        _log_refusal("channel.rotate", error, channel)
        return _channel_page(channel, problem=error), error.status
    return _channel_page(channel, made=made)


@blueprint.post("/channels/<uuid:channel>/remove")
@audited("channel.remove", roles=KEEPERS)
def remove_channel(channel: UUID) -> Response:
    """Remove a channel with its address."""
    channels.remove(transaction(), caller(), channel)
    return redirect(url_for(".show_channels", done="removed"), 303)


@blueprint.get("/jobs")
@audited("job.read", roles=[Role.ADMINISTRATOR])
def show_jobs() -> str:
    """Show how duties and the outbox stand, and which jobs are dead."""
    session = transaction()
    append(session, caller(), "job.read", object_type="job")
    return render_template(
        "jobs/jobs.html",
        topics=draining.standings(session, runtime()),
        dead=draining.dead(session),
        failing=draining.failing(session),
        may_retry=_runs_the_platform(),
        notice=request.args.get("done") == "retried",
        most=draining.MOST_LISTED,
        duties=service.standings(session, runtime()),
    )


@blueprint.post("/jobs/retry")
@audited("job.retry", roles=[Role.ADMINISTRATOR])
def retry_job() -> Response:
    """Let a dead job begin anew, for administrators of the member that runs the platform."""
    if not _runs_the_platform():
        raise NotFoundError
    draining.retry(transaction(), request.form.get("job", 0, type=int), caller())
    return redirect(url_for(".show_jobs", done="retried"), 303)


def _runs_the_platform() -> bool:
    operator = runtime().settings.audit.operator
    return bool(operator) and caller().organisation == operator


def _order(form: MultiDict[str, str]) -> dict[str, Any]:
    """What the form asks for; InvalidRequestError for what it does not offer."""
    try:
        return {
            "kind": ChannelKind(form.get("kind", "")),
            "roles": [Role(each) for each in form.getlist("roles")],
            "language": form.get("language", ""),
            "address": form.get("address", ""),
        }
    except ValueError:
        raise InvalidRequestError(
            errors=[{"field": "kind", "reason": "Choose from what the form offers."}]
        ) from None


def _channels_page(
    problem: PosternError | None = None,
    typed: MultiDict[str, str] | None = None,
    made: Shown | None = None,
) -> str:
    done = request.args.get("done", "")
    return render_template(
        "jobs/channels.html",
        channels=channels.list_own(transaction(), caller()),
        kinds=list(ChannelKind),
        roles=list(Role),
        languages=LANGUAGES,
        most=MOST,
        longest=LONGEST,
        sends_mail=bool(runtime().settings.mail.host),
        notice=done if done in _NOTICES else "",
        problem=problem,
        wrong=_reasons(problem),
        typed=MultiDict() if typed is None else typed,
        made=made,
    )


def _channel_page(
    channel: UUID, problem: PosternError | None = None, made: Shown | None = None
) -> str:
    try:
        before = UUID(request.args["before"]) if "before" in request.args else None
    except ValueError:
        before = None
    found = channels.read(transaction(), caller(), channel, before=before)
    done = request.args.get("done", "")
    return render_template(
        "jobs/channel.html",
        channel=found.channel,
        dispatches=found.dispatches,
        following=found.next,
        is_later_page=before is not None,
        notice=done if done in _NOTICES else "",
        problem=problem,
        wrong=_reasons(problem),
        made=made,
        overlaps=OVERLAPS,
    )


def _reasons(problem: PosternError | None) -> Mapping[str, str]:
    """Why each field was refused, by its name."""
    errors: Sequence[Mapping[str, str]] = problem.extensions.get("errors", ()) if problem else ()
    return {each["field"]: each["reason"] for each in errors}


def _log_refusal(act: str, error: PosternError, channel: UUID | None = None) -> None:
    append(
        transaction(),
        caller(),
        act,
        outcome=Outcome.ERROR,
        object_type="channel",
        objects=[] if channel is None else [str(channel)],
        details={"refusal": error.code},
    )
