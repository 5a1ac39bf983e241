"""What the caller's roles should know: the interface for programs."""

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.jobs import notifications
from app.jobs.schemas import NoticesSchema

blueprint = Blueprint(
    "notifications",
    __name__,
    url_prefix="/api/v1",
    description="What people of your roles should know, until one of them saw it.",
)


@blueprint.get("/notifications")
@audited("notification.read", any_scope=True)
@blueprint.response(200, NoticesSchema)
def read() -> dict[str, Any]:
    """Read your notifications

    Those of your organisation that were written for one of your roles; first those that nobody
    has seen. A notification carries codes and counts and leads to a page; it names no person.
    """
    return {"notifications": notifications.read(transaction(), caller())}


@blueprint.post("/notifications/<uuid:notification>/seen")
@audited("notification.seen", any_scope=True)
@blueprint.response(204)
def mark_seen(notification: UUID) -> None:
    """Mark a notification as seen

    For everybody of your roles: one person who takes care of it is enough. Safe to repeat.
    """
    notifications.mark_seen(transaction(), caller(), notification)
