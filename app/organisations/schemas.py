"""What the directory looks like on the wire."""

from marshmallow import RAISE, Schema, fields

from postern.vocabulary import Sector


class MemberSchema(Schema):
    """An organisation of the exchange."""

    class Meta:
        unknown = RAISE

    code = fields.String(
        required=True, metadata={"description": "Stable code, used in policies and in the log."}
    )
    name = fields.String(required=True, metadata={"description": "Name for people."})
    sector = fields.Enum(
        Sector, by_value=True, required=True, metadata={"description": "What it is."}
    )
    country = fields.String(required=True, metadata={"description": "ISO 3166-1 alpha-2 code."})


class DirectorySchema(Schema):
    """The active organisations of the exchange."""

    class Meta:
        unknown = RAISE

    organisations = fields.List(
        fields.Nested(MemberSchema),
        required=True,
        metadata={"description": "In order of their codes; suspended ones are not shown."},
    )
