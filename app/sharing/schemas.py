"""What a policy looks like on the wire."""

from marshmallow import RAISE, Schema, fields


class PolicySchema(Schema):
    """One policy of the text."""

    class Meta:
        unknown = RAISE

    id = fields.String(required=True, metadata={"description": "By which decisions name it."})
    label = fields.String(required=True, metadata={"description": "What it does, in a sentence."})
    line = fields.Integer(required=True, metadata={"description": "Its first line in the text."})


class CurrentPolicySchema(Schema):
    """The sharing policy in force of the caller's organisation."""

    class Meta:
        unknown = RAISE

    organisation = fields.String(
        required=True, metadata={"description": "Code of the organisation whose policy it is."}
    )
    version = fields.Integer(
        required=True,
        metadata={"description": "Number of the version; 0 when none was ever published."},
    )
    valid_from = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "Since when it is in force; null when there is none."},
    )
    text = fields.String(
        required=True,
        metadata={"description": "The text in Cedar; empty when nothing is shared."},
    )
    policies = fields.List(
        fields.Nested(PolicySchema),
        required=True,
        metadata={"description": "The policies of the text, in its order."},
    )
