"""Fields of disclosure requests on the wire; docs/disclosures.md explains them for people."""

from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app.disclosures.messages import LARGEST_MESSAGE
from app.fields import Base64Url, IndicatorKind, case_reference
from app.indicators.sealed_fields import EnvelopeSchema
from app.indicators.shared_schemas import OwnerSchema
from postern.base64url import from_base64url, to_base64url
from postern.envelope import LARGEST_CONTENT
from postern.hpke import KID_SIZE
from postern.signing_identity import SIGNATURE_SIZE
from postern.vocabulary import (
    Answer,
    DecisionReason,
    DecisionState,
    FourEyes,
    LegalBasis,
    MessageKind,
    PartyRole,
    Purpose,
    RequestedAction,
    RequestState,
    SealedPart,
    TokenCheck,
    Urgency,
)

MOST_LISTED = 100  # requests of one page
MOST_PARTS = 12  # of one decision: a value, a note and the files of a report
LARGEST_PART = LARGEST_CONTENT + 100_000  # bytes of an envelope
LARGEST_DECISION = 60_000_000  # bytes of a decision's body: four of the largest files


class Sealed(fields.Field[bytes]):
    """An envelope of up to `most` bytes, as base64url without padding."""

    def __init__(self, most: int, **kwargs: Any) -> None:
        self.most = most
        self.characters = -(-most * 4 // 3)
        shape: dict[str, Any] = {
            "type": "string",
            "format": "base64url",
            "maxLength": self.characters,
        }
        super().__init__(metadata=shape | kwargs.pop("metadata", {}), **kwargs)

    def _serialize(self, value: bytes | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else to_base64url(value)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> bytes:
        is_short = type(value) is str and len(value) <= self.characters
        content = from_base64url(value) if is_short else None
        if not content or len(content) > self.most:
            raise ValidationError(f"Send up to {self.most} bytes as base64url without padding.")
        return content


def _once(parts: list[SealedPart]) -> None:
    if len(set(parts)) != len(parts):
        raise ValidationError("Name a part once.")


def _record(*, required: bool) -> fields.Field[Any]:
    more: dict[str, Any] = {} if required else {"load_default": None, "allow_none": True}
    return fields.String(
        required=required,
        validate=validate.Length(min=1, max=96),
        metadata={
            "description": "The record of the message's context: `ask/` or the request's id and "
            "`/`, then 22 random characters of base64url."
        },
        **more,
    )


def _message(description: str, *, required: bool) -> Sealed:
    more: dict[str, Any] = {} if required else {"load_default": None, "allow_none": True}
    return Sealed(LARGEST_MESSAGE, required=required, metadata={"description": description}, **more)


class DisclosureAskSchema(Schema):
    class Meta:
        unknown = RAISE

    lookup = fields.UUID(
        required=True,
        metadata={"description": "Your own lookup in which it was a hit: its purpose and basis."},
    )
    indicator = fields.UUID(required=True, metadata={"description": "One hit of that lookup."})
    case = case_reference()
    urgency = fields.Enum(
        Urgency,
        by_value=True,
        required=True,
        metadata={"description": "Sets the clock; `life` needs a message that says why."},
    )
    asked = fields.List(
        fields.Enum(SealedPart, by_value=True),
        required=True,
        validate=[
            validate.Length(min=1, max=len(SealedPart)),
            _once,
        ],
        metadata={"description": "Which parts of it are needed, and no more."},
    )
    action = fields.Enum(
        RequestedAction,
        by_value=True,
        load_default=RequestedAction.NONE,
        metadata={"description": "What is asked beside being told."},
    )
    message = _message(
        "Why, sealed to the keys of the owner and to your own; null for none.", required=False
    )
    record = _record(required=False)


class SealedMessageSchema(Schema):
    """A sealed message of one side to both."""

    class Meta:
        unknown = RAISE

    message = _message("Sealed to the keys of both organisations.", required=True)
    record = _record(required=True)


class HandedInSchema(Schema):
    class Meta:
        unknown = RAISE

    envelope = fields.UUID(
        required=True, metadata={"description": "The stored envelope whose content this is."}
    )
    sealed = Sealed(
        LARGEST_PART,
        required=True,
        metadata={"description": "The same content, sealed to the requester for this request."},
    )


class DisclosureRulingSchema(Schema):
    class Meta:
        unknown = RAISE

    answer = fields.Enum(
        Answer, by_value=True, required=True, metadata={"description": "What is given."}
    )
    reason = fields.Enum(
        DecisionReason,
        by_value=True,
        required=True,
        metadata={"description": "Why; the requester is told. Reasons to give or to keep."},
    )
    parts = fields.List(
        fields.Nested(HandedInSchema),
        load_default=list,
        validate=validate.Length(max=MOST_PARTS),
        metadata={"description": "What is given; all: every part that is asked for and held."},
    )
    message = _message("The reason in words; needed for the reason `other`.", required=False)
    record = _record(required=False)


class SecondPersonSchema(Schema):
    class Meta:
        unknown = RAISE

    decision = fields.UUID(required=True, metadata={"description": "The decision that is judged."})
    agrees = fields.Boolean(
        required=True,
        truthy={True},
        falsy={False},
        metadata={"description": "Whether the second person agrees."},
    )


class DeliveryReceiptSchema(Schema):
    class Meta:
        unknown = RAISE

    signature = Base64Url(
        SIGNATURE_SIZE,
        required=True,
        metadata={"description": "Over the receipt, by your signing identity."},
    )
    kid = Base64Url(
        KID_SIZE, required=True, metadata={"description": "Name of the signing key, as published."}
    )
    check = fields.Enum(
        TokenCheck,
        by_value=True,
        required=True,
        metadata={"description": "Whether the value gives the token by which it was found."},
    )


class DisclosureArgumentsSchema(Schema):
    state = fields.Enum(
        RequestState, by_value=True, load_default=None, metadata={"description": "Only these."}
    )
    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(min=1, max=MOST_LISTED),
        metadata={"description": "Requests of the page."},
    )
    cursor = fields.UUID(load_default=None, metadata={"description": "`next` of the page before."})


class ShownMessageSchema(Schema):
    id = fields.UUID()
    kind = fields.Enum(MessageKind, by_value=True)
    organisation = fields.String(metadata={"description": "Code of who wrote it."})
    record = fields.String(metadata={"description": "Of the context in which it opens."})
    at = fields.AwareDateTime(format="iso")
    sealed = Sealed(
        LARGEST_MESSAGE,
        allow_none=True,
        metadata={"description": "Null in a list, and once it is erased."},
    )


class ShownDecisionSchema(Schema):
    id = fields.UUID()
    answer = fields.Enum(Answer, by_value=True)
    reason = fields.Enum(DecisionReason, by_value=True)
    state = fields.Enum(DecisionState, by_value=True)
    made_at = fields.AwareDateTime(format="iso")
    judged_at = fields.AwareDateTime(
        format="iso", allow_none=True, metadata={"description": "When a second person judged it."}
    )
    review_due_at = fields.AwareDateTime(
        format="iso",
        allow_none=True,
        metadata={"description": "Of a release by break-glass: by when a second person looks."},
    )
    person = fields.UUID(
        allow_none=True,
        metadata={"description": "Pseudonym of the approver; null for the requester."},
    )
    second = fields.UUID(
        allow_none=True, metadata={"description": "The second person; null for the requester."}
    )


class ShownDeliverySchema(Schema):
    """A released part without its bytes, with the context in which it opens."""

    id = fields.UUID()
    part = fields.Enum(SealedPart, by_value=True)
    number = fields.Integer(metadata={"description": "Of an attachment, from 1; else 0."})
    kind = fields.String()
    epoch = fields.Integer()
    token = Base64Url(16)
    record = fields.String()
    size = fields.Integer(metadata={"description": "Bytes of the envelope."})
    digest = Base64Url(32, metadata={"description": "SHA-256 of the envelope."})
    available = fields.Boolean(metadata={"description": "Whether it can be fetched now."})
    expires_at = fields.AwareDateTime(format="iso")
    fetched_at = fields.AwareDateTime(format="iso", allow_none=True)
    received_at = fields.AwareDateTime(
        format="iso", allow_none=True, metadata={"description": "When its receipt was proved."}
    )
    check = fields.Enum(TokenCheck, by_value=True, allow_none=True)
    erased = fields.Boolean()


class DisclosureRequestSchema(Schema):
    """A request as one side may know it."""

    id = fields.UUID()
    state = fields.Enum(RequestState, by_value=True)
    requester = fields.Nested(OwnerSchema)
    owner = fields.Nested(OwnerSchema)
    indicator = fields.UUID()
    kind = IndicatorKind()
    role = fields.Enum(PartyRole, by_value=True)
    lookup = fields.UUID(
        allow_none=True, metadata={"description": "The requester's own; null for the owner."}
    )
    purpose = fields.Enum(Purpose, by_value=True)
    legal_basis = fields.Enum(LegalBasis, by_value=True)
    urgency = fields.Enum(Urgency, by_value=True)
    asked = fields.List(fields.String(validate=validate.OneOf([part.value for part in SealedPart])))
    action = fields.Enum(RequestedAction, by_value=True)
    made_at = fields.AwareDateTime(format="iso")
    due_at = fields.AwareDateTime(
        format="iso", metadata={"description": "It stands still while a question waits."}
    )
    lapses_at = fields.AwareDateTime(
        format="iso", metadata={"description": "Undecided, it ends then without anything given."}
    )
    messages = fields.List(fields.Nested(ShownMessageSchema))
    decision = fields.Nested(ShownDecisionSchema, allow_none=True)
    deliveries = fields.List(fields.Nested(ShownDeliverySchema))


class ReceivedDisclosureSchema(DisclosureRequestSchema):
    """A request to your organisation, with what is sealed here of the parts that are asked."""

    envelopes = fields.List(
        fields.Nested(EnvelopeSchema), metadata={"description": "Empty once it is decided."}
    )


class DisclosureRequestsSchema(Schema):
    requests = fields.List(
        fields.Nested(DisclosureRequestSchema),
        metadata={"description": "Newest first."},
    )
    next = fields.UUID(
        allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
    )


class DisclosureRulesSchema(Schema):
    """How your organisation decides."""

    class Meta:
        unknown = RAISE

    four_eyes = fields.Enum(
        FourEyes,
        by_value=True,
        required=True,
        metadata={"description": "When a release needs a second person."},
    )
    delivery_days = fields.Integer(
        strict=True,
        required=True,
        metadata={"description": "Days after which a delivery is erased."},
    )


class ShownDisclosureRulesSchema(DisclosureRulesSchema):
    changed_at = fields.AwareDateTime(
        format="iso", allow_none=True, metadata={"description": "Null where the defaults hold."}
    )
