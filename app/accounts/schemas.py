"""A person's own account and API tokens on the wire."""

from marshmallow import RAISE, Schema, fields, validate

from app.accounts.token_bounds import LONGEST_NETWORK, MOST_NETWORKS
from app.organisations.schemas import MemberSchema
from postern.vocabulary import Role, Scope

LONGEST_THUMBPRINT = 95  # characters: 32 pairs of digits with colons between them


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
    networks = fields.List(
        fields.String(validate=validate.Length(max=LONGEST_NETWORK)),
        load_default=(),
        validate=validate.Length(max=MOST_NETWORKS),
        metadata={"description": "From which it may be used, in CIDR; none for anywhere."},
    )
    certificate = fields.String(
        load_default="",
        validate=validate.Length(max=LONGEST_THUMBPRINT),
        metadata={
            "description": "SHA-256 of the TLS client certificate that must come with it: "
            "`x5t#S256` (RFC 8705) or hexadecimal digits."
        },
    )
    certificate_suffices = fields.Boolean(
        load_default=False,
        metadata={
            "description": "Whether who holds the certificate's key may leave the secret out: the "
            "token is then `pst_ID_`."
        },
    )


class RotationSchema(Schema):
    """How a token is rotated."""

    class Meta:
        unknown = RAISE

    overlap_hours = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(min=0),
        metadata={"description": "For how long the former secret opens the token still."},
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
    last_network = fields.String(
        required=True,
        metadata={"description": "Coarse network (/16, /32) of the last use, or empty."},
    )
    networks = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "From which it may be used; empty for anywhere."},
    )
    certificate = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "`x5t#S256` of the certificate that must come with it."},
    )
    certificate_suffices = fields.Boolean(
        required=True,
        metadata={"description": "Whether the certificate opens it without the secret."},
    )
    rotated_at = fields.AwareDateTime(
        format="iso",
        required=True,
        allow_none=True,
        metadata={"description": "When it was rotated last, null when it was not."},
    )
    former_until = fields.AwareDateTime(
        format="iso",
        required=True,
        allow_none=True,
        metadata={"description": "Until when the former secret opens it too."},
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
