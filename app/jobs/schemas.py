"""Fields of the interface of notifications and channels."""

from marshmallow import RAISE, Schema, fields, validate

from app.fields import plain_text
from app.jobs.addresses import LONGEST
from app.jobs.channels import LANGUAGES
from app.jobs.webhooks import MOST_OVERLAP
from postern.vocabulary import ChannelKind, DispatchState, Role


class NoticeSchema(Schema):
    id = fields.UUID(required=True)
    roles = fields.List(
        fields.Enum(Role, by_value=True),
        required=True,
        metadata={"description": "Your roles for which it was written."},
    )
    kind = fields.String(required=True, metadata={"description": "Names what happened."})
    facts = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata={"description": "Codes and counts of what happened; no personal data."},
    )
    address = fields.String(required=True, metadata={"description": "Path of the page to open."})
    made_at = fields.AwareDateTime(required=True)
    seen_at = fields.AwareDateTime(required=True, allow_none=True)


class NoticesSchema(Schema):
    notifications = fields.List(fields.Nested(NoticeSchema), required=True)


class ChannelOrderSchema(Schema):
    """A channel to set up."""

    class Meta:
        unknown = RAISE

    kind = fields.Enum(
        ChannelKind, by_value=True, required=True, metadata={"description": "Mail or webhook."}
    )
    roles = fields.List(
        fields.Enum(Role, by_value=True),
        required=True,
        validate=validate.Length(min=1, max=len(Role)),
        metadata={"description": "Whose notifications leave by it."},
    )
    language = fields.String(
        required=True,
        validate=validate.OneOf(LANGUAGES),
        metadata={"description": "Of what a mail says; a webhook carries codes."},
    )
    address = fields.String(
        required=True,
        validate=[validate.Length(min=3, max=LONGEST), plain_text],
        metadata={"description": "A mail address, or the https address of a receiver."},
    )


class DispatchCountsSchema(Schema):
    """How many messages stand in which state."""

    waiting = fields.Integer(required=True)
    sent = fields.Integer(required=True)
    withheld = fields.Integer(
        required=True,
        metadata={"description": "Policy, or the end of the channel, no longer let them leave."},
    )
    given_up = fields.Integer(
        required=True, metadata={"description": "Tried as often as it is tried."}
    )


class ChannelSchema(Schema):
    id = fields.UUID(required=True)
    kind = fields.Enum(ChannelKind, by_value=True, required=True)
    roles = fields.List(fields.Enum(Role, by_value=True), required=True)
    language = fields.String(required=True)
    address = fields.String(
        required=True, metadata={"description": "Masked; the whole is never shown again."}
    )
    made_at = fields.AwareDateTime(required=True)
    states = fields.Nested(DispatchCountsSchema, required=True)
    last_sent_at = fields.AwareDateTime(required=True, allow_none=True)
    former_until = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "The secret before this one signs too until then; else null."},
    )


class SecretOrderSchema(Schema):
    """How a secret is replaced."""

    class Meta:
        unknown = RAISE

    overlap_hours = fields.Integer(
        load_default=24,
        validate=validate.Range(min=0, max=MOST_OVERLAP),
        metadata={"description": "For how long messages are signed with the former one too."},
    )


class NewChannelSchema(ChannelSchema):
    secret = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "Of a webhook: what its messages are signed with. Shown this once."
        },
    )


class ChannelsSchema(Schema):
    channels = fields.List(fields.Nested(ChannelSchema), required=True)


class DispatchesArgumentsSchema(Schema):
    before = fields.UUID(
        load_default=None,
        metadata={"description": "`next` of the page before, to read the one after it."},
    )


class DispatchSchema(Schema):
    id = fields.UUID(
        required=True,
        metadata={"description": "The Message-ID of a mail and the webhook-id begin with it."},
    )
    notification = fields.UUID(required=True)
    kind = fields.String(required=True, metadata={"description": "Of the notification."})
    state = fields.Enum(DispatchState, by_value=True, required=True)
    tries = fields.Integer(required=True)
    made_at = fields.AwareDateTime(required=True)
    tried_at = fields.AwareDateTime(required=True, allow_none=True)
    error = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Name of the last error, null for none."},
    )


class DispatchesSchema(Schema):
    dispatches = fields.List(fields.Nested(DispatchSchema), required=True)
    next = fields.UUID(required=True, allow_none=True)
