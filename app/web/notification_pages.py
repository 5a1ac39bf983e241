"""The pages of notifications: what people of one's roles should know, until one of them saw it."""

from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.audit.guard import audited, caller, transaction
from app.jobs import notice_board, notifications
from app.jobs.notice_board import Box, Subject
from app.organisations.service import directory

blueprint = Blueprint("notices", __name__)


@blueprint.get("/notifications")
@audited("notification.read")
def show() -> str:
    """Show the person's notifications: what waits or what was seen, of all subjects or one.

    A choice that the page does not offer is as good as none.
    """
    box = _box(request.args.get("box", ""))
    subject = _subject(request.args.get("subject", ""))
    before = _notification(request.args.get("before", ""))
    found = notice_board.page(transaction(), caller(), box, subject, before)
    return render_template(
        "overview/notifications.html",
        page=found,
        box=box,
        subject=subject,
        subjects=list(Subject),
        is_later_page=before is not None,
        marked=request.args.get("marked", default=0, type=int),
        names={member.code: member.name for member in directory(transaction()).values()},
        kept_days=notifications.KEPT.days,
    )


@blueprint.post("/notifications/<uuid:notification>/seen")
@audited("notification.seen")
def mark_seen(notification: UUID) -> Response:
    """Mark a notification as seen, for everybody of the person's roles."""
    notifications.mark_seen(transaction(), caller(), notification)
    return redirect(_address(_subject(request.form.get("subject", ""))), 303)


@blueprint.post("/notifications/<uuid:notification>/seen-up-to")
@audited("notification.seen")
def mark_all_seen(notification: UUID) -> Response:
    """Mark what waits as seen, up to the newest that the page showed; of the subject chosen."""
    subject = _subject(request.form.get("subject", ""))
    marked = notice_board.mark_all_seen(transaction(), caller(), subject, notification)
    return redirect(_address(subject, marked=marked), 303)


def _address(subject: Subject | None, marked: int | None = None) -> str:
    return url_for(".show", subject=subject, marked=marked)


def _box(written: str) -> Box:
    return Box(written) if written in set(Box) else Box.WAITING


def _subject(written: str) -> Subject | None:
    return Subject(written) if written in set(Subject) else None


def _notification(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None
