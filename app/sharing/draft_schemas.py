"""What a draft of a policy looks like on the wire."""

from collections.abc import Callable
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from app.fields import plain_text
from app.sharing.draft_content import LONGEST_REASON, LONGEST_TITLE
from app.sharing.models import DraftStatus
from app.sharing.policy_text import LONGEST_TEXT
from app.sharing.rule_schemas import MOST_RULES, RuleSchema
from app.sharing.schemas import PolicyCheckSchema, StoredForm

_TITLE: list[Callable[[Any], Any]] = [
    validate.Length(min=1, max=LONGEST_TITLE),
    validate.Regexp(r".*\S", error="Write a few words."),
    plain_text,
]


def _revision() -> fields.Field[Any]:
    return fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(min=1),
        metadata={
            "description": "The revision that you read; any other is refused as `draft-changed`."
        },
    )


class DraftsArgumentsSchema(Schema):
    """Which drafts to list."""

    class Meta:
        unknown = RAISE

    status = fields.Enum(
        DraftStatus,
        by_value=True,
        load_default=None,
        metadata={"description": "Only drafts of this status."},
    )
    before = fields.UUID(load_default=None, metadata={"description": "`next` of the page before."})


class DraftContentSchema(Schema):
    """A title, and either a text or the rules of a form."""

    class Meta:
        unknown = RAISE

    title = fields.String(
        required=True,
        validate=_TITLE,
        metadata={"description": "What the change is about, up to 200 characters."},
    )
    text = fields.String(
        load_default=None,
        validate=validate.Length(max=LONGEST_TEXT),
        metadata={"description": "The text in Cedar; leave it out when you send rules."},
    )
    rules = fields.List(
        fields.Nested(RuleSchema),
        load_default=None,
        validate=validate.Length(max=MOST_RULES),
        metadata={"description": "The rules that the text is made of, in the place of a text."},
    )

    @validates_schema
    def _one_of_both(self, loaded: dict[str, Any], **_: Any) -> None:
        if (loaded["text"] is None) == (loaded["rules"] is None):
            raise ValidationError({"text": ["Send either a text or rules."]})


class EditedDraftSchema(DraftContentSchema):
    """A new revision of a draft."""

    revision = _revision()


class FromVersionSchema(Schema):
    """How to call the draft that goes back to a version."""

    class Meta:
        unknown = RAISE

    title = fields.String(
        load_default=None,
        validate=_TITLE,
        metadata={"description": "Up to 200 characters; left out, it names the version."},
    )


class ProposalSchema(Schema):
    """A draft put before a second person."""

    class Meta:
        unknown = RAISE

    revision = _revision()
    activate_at = fields.AwareDateTime(
        format="iso",
        load_default=None,
        metadata={
            "description": "When the version is to take effect, at most a year ahead and in whole "
            "seconds; null or left out: with the approval."
        },
    )


class ApprovalSchema(Schema):
    """A second person's consent."""

    class Meta:
        unknown = RAISE

    revision = _revision()
    reason = fields.String(
        load_default=None,
        validate=validate.Length(max=LONGEST_REASON),
        metadata={"description": "A remark for those who wrote it, up to 500 characters."},
    )


class RefusalSchema(Schema):
    """A second person's refusal."""

    class Meta:
        unknown = RAISE

    revision = _revision()
    reason = fields.String(
        required=True,
        validate=validate.Length(min=1, max=LONGEST_REASON),
        metadata={"description": "Why, for those who wrote it; up to 500 characters."},
    )


class Pseudonyms(fields.List[Any]):
    """Persons as the audit log names them, always in the same order."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fields.UUID(), **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return sorted(map(str, value))


class DraftSummarySchema(Schema):
    """A draft without its text. Persons are the pseudonyms of the audit log."""

    class Meta:
        unknown = RAISE

    id = fields.UUID(required=True, metadata={"description": "By which it is read."})
    title = fields.String(required=True, metadata={"description": "What the change is about."})
    status = fields.Enum(
        DraftStatus,
        by_value=True,
        required=True,
        metadata={"description": "Edited, proposed, or how it ended."},
    )
    revision = fields.Integer(
        required=True, metadata={"description": "Raised by every change; verbs name it."}
    )
    base_version = fields.Integer(
        attribute="base_seq",
        required=True,
        metadata={
            "description": "The version with which the text was compared when it was saved; 0 for "
            "none. With a newer one the draft can neither be proposed nor approved."
        },
    )
    activate_at = fields.AwareDateTime(
        format="iso",
        required=True,
        allow_none=True,
        metadata={"description": "When it is proposed to take effect; null: with the approval."},
    )
    created_at = fields.AwareDateTime(
        format="iso", required=True, metadata={"description": "When it was begun."}
    )
    created_by = fields.UUID(required=True, metadata={"description": "Who began it."})
    updated_at = fields.AwareDateTime(
        format="iso", required=True, metadata={"description": "When it was last changed."}
    )
    proposed_at = fields.AwareDateTime(
        format="iso",
        required=True,
        allow_none=True,
        metadata={"description": "When it was proposed; null when it is not."},
    )
    proposed_by = fields.UUID(
        required=True, allow_none=True, metadata={"description": "Who proposed it."}
    )
    decided_at = fields.AwareDateTime(
        format="iso",
        required=True,
        allow_none=True,
        metadata={"description": "When it ended; null while it is open."},
    )
    decided_by = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "Who ended it; null also when nobody decided in 30 days."},
    )
    reason = fields.String(
        required=True, allow_none=True, metadata={"description": "Why it was decided so."}
    )
    authors = Pseudonyms(
        required=True,
        metadata={
            "description": "Everybody who wrote or proposed it, now or before: they may not "
            "approve it."
        },
    )
    version = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Number of the version that it became; null before."},
    )
    valid_from = fields.AwareDateTime(
        format="iso",
        required=True,
        allow_none=True,
        metadata={"description": "When that version took or takes effect; null before."},
    )
    time_had_passed = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether `activate_at` had passed when it was approved, so that it took "
            "effect at once."
        },
    )


class DraftsSchema(Schema):
    """A page of the drafts of the caller's organisation."""

    class Meta:
        unknown = RAISE

    drafts = fields.List(
        fields.Nested(DraftSummarySchema),
        required=True,
        metadata={"description": "Newest first, closed ones too."},
    )
    next = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "Send as `before` for the next page; null on the last."},
    )


class DraftSchema(DraftSummarySchema):
    """A draft of the policy."""

    text = fields.String(required=True, metadata={"description": "The text in Cedar."})
    sha256 = fields.String(
        required=True,
        metadata={"description": "Digest of the text in hexadecimal, as the log has it."},
    )
    rules = StoredForm(
        attribute="form",
        required=True,
        allow_none=True,
        metadata={"description": "The form that the text is made of; null when by hand."},
    )


class CheckedDraftSchema(DraftSchema):
    """A draft of the policy, and whether its text could take effect."""

    check = fields.Nested(
        PolicyCheckSchema,
        required=True,
        metadata={"description": "Faults and warnings of the text as of now."},
    )
