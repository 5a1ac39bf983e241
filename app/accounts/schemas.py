"""A person's own account and API tokens on the wire."""

from marshmallow import RAISE, Schema, fields, validate

from app.organisations.schemas import MemberSchema
from postern.vocabulary import Role, Scope


class MeSchema(Schema):
    """Who the request comes from, as the log knows them."""

    class Meta:
        unknown = RAISE

    person = fields.UUID(required=True, metadata={"description": "Pseudonym used in the log."})
    organisation = fields.Nested(
        MemberSchema, required=True, metadata={"description": "For which the person acts."}
    )
    roles = fields.List(
        fields.Enum(Role, by_value=True),
        required=True,
        metadata={"description": "Roles held now."},
    )
    scopes = fields.List(
        fields.Enum(Scope, by_value=True),
        required=True,
        allow_none=True,
        metadata={"description": "What the API token allows now; null for a web session."},
    )
    expires_at = fields.AwareDateTime(
        format="iso",
        required=True,
        allow_none=True,
        metadata={"description": "When the API token ends; null for a web session."},
    )


class NewTokenSchema(Schema):
    """What to make an API token for."""

    class Meta:
        unknown = RAISE

    scopes = fields.List(
        fields.Enum(Scope, by_value=True),
        required=True,
        validate=validate.Length(min=1, max=len(Scope)),
        metadata={"description": "At most what your roles allow."},
    )
    days = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(min=1),
        metadata={"description": "For how long; the platform sets the longest."},
    )


class TokenSchema(Schema):
    """An API token, without its secret."""

    class Meta:
        unknown = RAISE

    id = fields.UUID(required=True, metadata={"description": "By which it is revoked."})
    scopes = fields.List(
        fields.Enum(Scope, by_value=True),
        required=True,
        metadata={"description": "What it was made for; roles withdrawn since count less."},
    )
    created_at = fields.AwareDateTime(
        format="iso", required=True, metadata={"description": "When it was made."}
    )
    expires_at = fields.AwareDateTime(
        format="iso", required=True, metadata={"description": "When it ends."}
    )
    revoked_at = fields.AwareDateTime(
        format="iso",
        required=True,
        allow_none=True,
        metadata={"description": "When it was revoked, null when it was not."},
    )
    last_used_on = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "Day (UTC) of its last use, null when never used."},
    )


class MadeTokenSchema(TokenSchema):
    """An API token at the only moment at which its text is shown."""

    token = fields.String(
        required=True,
        metadata={"description": "Send as `Authorization: Bearer`. It is never shown again."},
    )


class TokensSchema(Schema):
    """A person's own API tokens."""

    class Meta:
        unknown = RAISE

    tokens = fields.List(
        fields.Nested(TokenSchema),
        required=True,
        metadata={"description": "Newest first, ended ones too."},
    )
