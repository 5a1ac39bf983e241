"""What a policy, its versions and its faults look like on the wire."""

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from app.sharing.history import VersionState
from app.sharing.models import Cause
from app.sharing.policy_text import LONGEST_TEXT
from app.sharing.rule_schemas import MOST_RULES, RuleSchema


class PolicySchema(Schema):
    """One policy of the text."""

    class Meta:
        unknown = RAISE

    id = fields.String(required=True, metadata={"description": "By which decisions name it."})
    label = fields.String(required=True, metadata={"description": "What it does, in a sentence."})
    line = fields.Integer(required=True, metadata={"description": "Its first line in the text."})


class PolicyFaultSchema(Schema):
    """What is wrong or odd with one policy of a text, and what to do."""

    class Meta:
        unknown = RAISE

    policy = fields.String(
        required=True,
        metadata={"description": "Its id, or its place; `text` for the text as a whole."},
    )
    line = fields.Integer(required=True, metadata={"description": "Its first line in the text."})
    reason = fields.String(required=True, metadata={"description": "What is wrong."})
    remedy = fields.String(required=True, metadata={"description": "What to do."})


class PolicyCheckSchema(Schema):
    """Whether a text could take effect now: it could when it has no faults."""

    class Meta:
        unknown = RAISE

    policies = fields.List(
        fields.Nested(PolicySchema),
        required=True,
        metadata={"description": "The policies of the text; none while it cannot be read."},
    )
    faults = fields.List(
        fields.Nested(PolicyFaultSchema),
        required=True,
        metadata={"description": "Why the text cannot take effect."},
    )
    warnings = fields.List(
        fields.Nested(PolicyFaultSchema),
        required=True,
        metadata={"description": "What its author may not have meant; it can take effect."},
    )


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
    is_valid = fields.Boolean(
        required=True,
        metadata={
            "description": "False when a later release no longer accepts the text: it shares "
            "nothing until it is corrected."
        },
    )


class StoredForm(fields.List[Any]):
    """A form as it is stored, which is how it travels."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fields.Nested(RuleSchema), **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value


class PolicyVersionSummarySchema(Schema):
    """A version of the policy without its text; it is kept for ever and never changed."""

    class Meta:
        unknown = RAISE

    version = fields.Integer(
        attribute="version.seq", required=True, metadata={"description": "Its number, from 1."}
    )
    state = fields.Enum(
        VersionState,
        by_value=True,
        required=True,
        metadata={"description": "In force, waiting for its time, cancelled before it, or past."},
    )
    valid_from = fields.AwareDateTime(
        format="iso",
        attribute="version.valid_from",
        required=True,
        metadata={"description": "When it took or takes effect."},
    )
    created_at = fields.AwareDateTime(
        format="iso",
        attribute="version.created_at",
        required=True,
        metadata={"description": "When it was approved."},
    )
    cancelled_at = fields.AwareDateTime(
        format="iso",
        attribute="version.cancelled_at",
        required=True,
        allow_none=True,
        metadata={"description": "When it was cancelled before its time; null when it was not."},
    )
    cause = fields.Enum(
        Cause,
        by_value=True,
        attribute="version.cause",
        required=True,
        metadata={
            "description": "An organisation's first policy from the console, an approved draft, "
            "or a stop of all sharing."
        },
    )
    author = fields.UUID(
        attribute="version.author",
        required=True,
        allow_none=True,
        metadata={"description": "Pseudonym of who proposed it or stopped; null from the console."},
    )
    approved_by = fields.UUID(
        attribute="version.approved_by",
        required=True,
        allow_none=True,
        metadata={"description": "Pseudonym of who approved it; null where nobody had to."},
    )
    draft = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "Id of the draft that it was; null when it was none."},
    )
    is_valid = fields.Boolean(
        attribute="version.is_valid",
        required=True,
        metadata={"description": "False when a later release no longer accepts the text."},
    )


class PolicyVersionsSchema(Schema):
    """All versions of the policy of the caller's organisation."""

    class Meta:
        unknown = RAISE

    versions = fields.List(
        fields.Nested(PolicyVersionSummarySchema),
        required=True,
        metadata={"description": "Newest first, cancelled ones too."},
    )


class PolicyVersionSchema(PolicyVersionSummarySchema):
    """A version of the policy."""

    sha256 = fields.Function(
        lambda kept: kept.version.sha256.hex(),
        required=True,
        metadata={
            "type": "string",
            "description": "Digest of the text in hexadecimal, as the log has it.",
        },
    )
    text = fields.String(
        attribute="version.text", required=True, metadata={"description": "The text in Cedar."}
    )
    rules = StoredForm(
        attribute="version.form",
        required=True,
        allow_none=True,
        metadata={"description": "The form that the text is made of; null when by hand."},
    )
    policies = fields.List(
        fields.Nested(PolicySchema),
        attribute="version.policies",
        required=True,
        metadata={"description": "The policies of the text; none while it is not valid."},
    )


class StoppedSchema(Schema):
    """All sharing has ended."""

    class Meta:
        unknown = RAISE

    version = fields.Integer(
        required=True, metadata={"description": "Number of the version that shares nothing."}
    )


class PolicyTextSchema(Schema):
    """A policy text to check."""

    class Meta:
        unknown = RAISE

    text = fields.String(
        required=True,
        validate=validate.Length(max=LONGEST_TEXT),
        metadata={"description": "The text in Cedar."},
    )


class PolicyFormSchema(Schema):
    """A form of rules to make a text of."""

    class Meta:
        unknown = RAISE

    rules = fields.List(
        fields.Nested(RuleSchema),
        required=True,
        validate=validate.Length(max=MOST_RULES),
        metadata={"description": "In any order; what forbids wins."},
    )


class ComposedPolicySchema(Schema):
    """The text that a form makes."""

    class Meta:
        unknown = RAISE

    rules = StoredForm(
        attribute="form",
        required=True,
        metadata={"description": "The form with every parameter written out."},
    )
    text = fields.String(required=True, metadata={"description": "The text in Cedar."})
    check = fields.Nested(
        PolicyCheckSchema,
        attribute="examined",
        required=True,
        metadata={"description": "Whether it could take effect."},
    )


class TemplateAskSchema(Schema):
    """A parameter that the short form of a template shows."""

    class Meta:
        unknown = RAISE

    rule = fields.String(required=True, metadata={"description": "Name of the rule."})
    field = fields.String(required=True, metadata={"description": "Name of the parameter."})


class TemplateSchema(Schema):
    """A form of rules to begin with."""

    class Meta:
        unknown = RAISE

    id = fields.String(required=True, metadata={"description": "Its name, which never changes."})
    title = fields.String(required=True, metadata={"description": "What it is for."})
    summary = fields.String(required=True, metadata={"description": "What it does, in words."})
    asks = fields.List(
        fields.Nested(TemplateAskSchema),
        required=True,
        metadata={"description": "What most organisations choose for themselves."},
    )
    rules = fields.List(
        fields.Nested(RuleSchema),
        required=True,
        metadata={"description": "The rules, with your own country filled in."},
    )


class TemplatesSchema(Schema):
    """The templates that suit the sector of the caller's organisation."""

    class Meta:
        unknown = RAISE

    templates = fields.List(
        fields.Nested(TemplateSchema),
        required=True,
        metadata={"description": "In the order to show them in."},
    )
