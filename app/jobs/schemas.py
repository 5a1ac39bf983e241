"""Fields of the interface of notifications."""

from marshmallow import Schema, fields

from postern.vocabulary import Role


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
