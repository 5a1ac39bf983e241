"""What the caller's roles should know, and by which channels they are told: for programs."""

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.jobs import channels, notifications
from app.jobs.channels import KEEPERS
from app.jobs.schemas import (
    ChannelOrderSchema,
    ChannelsSchema,
    DispatchesArgumentsSchema,
    DispatchesSchema,
    NewChannelSchema,
    NoticesSchema,
    SecretOrderSchema,
)

blueprint = Blueprint(
    "notifications",
    __name__,
    url_prefix="/api/v1",
    description="What people of your roles should know, until one of them saw it.",
)
channel_blueprint = Blueprint(
    "channels",
    __name__,
    url_prefix="/api/v1",
    description="By what your organisation is told beside its pages: mail and signed webhooks.",
)
blueprints = (blueprint, channel_blueprint)


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


@channel_blueprint.get("/channels")
@audited("channel.list", roles=KEEPERS)
@channel_blueprint.response(200, ChannelsSchema)
def list_channels() -> dict[str, Any]:
    """List the channels of your organisation

    With how many messages each of them sent, and how many wait, were withheld or given up.
    """
    return {"channels": channels.list_own(transaction(), caller())}


@channel_blueprint.post("/channels")
@audited("channel.add", roles=KEEPERS)
@channel_blueprint.arguments(ChannelOrderSchema)
@channel_blueprint.response(201, NewChannelSchema)
def add_channel(asked: dict[str, Any]) -> channels.Shown:
    """Set up a channel

    From now on, what people of these roles are told is sent by it too: what it is about in general
    words, and the address of the page, never a value. A webhook is signed by Standard Webhooks;
    its secret is in this answer and in no other.
    """
    return channels.add(transaction(), caller(), **asked)


@channel_blueprint.delete("/channels/<uuid:channel>")
@audited("channel.remove", roles=KEEPERS)
@channel_blueprint.response(204)
def remove_channel(channel: UUID) -> None:
    """Remove a channel

    Nothing leaves by it any more, not even what waits; its address is erased.
    """
    channels.remove(transaction(), caller(), channel)


@channel_blueprint.post("/channels/<uuid:channel>/secret")
@audited("channel.rotate", roles=KEEPERS)
@channel_blueprint.arguments(SecretOrderSchema)
@channel_blueprint.response(200, NewChannelSchema)
def rotate_secret(asked: dict[str, int], channel: UUID) -> channels.Shown:
    """Replace the secret of a webhook

    For `overlap_hours` each message carries two signatures, one under each secret, so that a
    receiver may change over in its own time. The new secret is in this answer and in no other.
    """
    return channels.rotate(transaction(), caller(), channel, asked["overlap_hours"])


@channel_blueprint.get("/channels/<uuid:channel>/dispatches")
@audited("channel.read", roles=KEEPERS)
@channel_blueprint.arguments(DispatchesArgumentsSchema, location="query", unknown=None)
@channel_blueprint.response(200, DispatchesSchema)
def list_dispatches(asked: dict[str, Any], channel: UUID) -> dict[str, Any]:
    """List what was sent by a channel, and what was to be

    The newest first, in pages.
    """
    found = channels.read(transaction(), caller(), channel, before=asked["before"])
    return {"dispatches": found.dispatches, "next": found.next}


@channel_blueprint.post("/channels/<uuid:channel>/trial")
@audited("channel.trial", roles=KEEPERS)
@channel_blueprint.response(202)
def try_channel(channel: UUID) -> None:
    """Send a trial message by a channel

    It takes the way of any other; what became of it stands among the channel's dispatches.
    """
    channels.try_out(transaction(), caller(), channel)
