"""Fields of screening filters and of bulk evaluation; docs/token-screening.md explains them."""

import re
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app.fields import case_reference, purpose
from app.patterns.filter_models import FilterState
from app.pseudonyms.schemas import SignedSchema
from postern.vocabulary import EvaluationKind, LegalBasis, Purpose

MOST_LISTED = 100
_SECONDS = re.compile(r"[0-9]{1,13}")


class MakeFilterSchema(Schema):
    """Why the filter is made."""

    class Meta:
        unknown = RAISE

    purpose = purpose()
    legal_basis = fields.Enum(
        LegalBasis,
        by_value=True,
        required=True,
        metadata={"description": "Under which kind of law you screen."},
    )
    case = case_reference()


class FilterPageArgumentsSchema(Schema):
    class Meta:
        unknown = RAISE

    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(min=1, max=MOST_LISTED),
        metadata={"description": "Rows of the page."},
    )
    cursor = fields.UUID(load_default=None, metadata={"description": "`next` of the page before."})


class PartArgumentsSchema(Schema):
    class Meta:
        unknown = RAISE

    part = fields.Integer(
        required=True,
        validate=validate.Range(min=1, max=32767),
        metadata={"description": "Number of the part, from 1 to `parts`."},
    )


class ChangesArgumentsSchema(Schema):
    class Meta:
        unknown = RAISE

    since = fields.Integer(
        required=True,
        validate=validate.Range(min=1, max=2**31 - 1),
        metadata={"description": "`seq` of the filter that you have."},
    )


class SignedText(fields.String):
    """An organisation's signature in one word; loads as `SignedSchema` does."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        words = super()._deserialize(value, attr, data, **kwargs).split(".")
        if len(words) != 3 or not _SECONDS.fullmatch(words[1]):  # noqa: PLR2004 - as documented
            raise ValidationError("It is not three words with full stops between them.")
        request_id, asked_at, signature = words
        raw = {"request_id": request_id, "asked_at": int(asked_at), "signature": signature}
        return SignedSchema().load(raw)


class EvaluateScreeningArgumentsSchema(Schema):
    """Why parcels are screened."""

    class Meta:
        unknown = RAISE

    purpose = purpose()
    case = case_reference()
    signed = SignedText(
        metadata={
            "description": "Where the key has holders: the organisation's signature, as request "
            "id, moment and signature of `/api/v1/evaluate` with full stops between them."
        }
    )


class FilterSchema(Schema):
    id = fields.UUID()
    seq = fields.Integer(metadata={"description": "Number of the filter in your organisation."})
    state = fields.Enum(FilterState, by_value=True)
    purpose = fields.Enum(Purpose, by_value=True)
    legal_basis = fields.Enum(LegalBasis, by_value=True)
    epochs = fields.Dict(
        keys=fields.Enum(EvaluationKind, by_value=True),
        values=fields.Integer(),
        metadata={"description": "Key epoch of each evaluation kind whose tokens it lists."},
    )
    count = fields.Integer(
        allow_none=True, metadata={"description": "Records; null while it is built."}
    )
    bytes = fields.Integer(
        attribute="size", allow_none=True, metadata={"description": "Of the content."}
    )
    parts = fields.Integer(metadata={"description": "In which the content is fetched."})
    made_at = fields.AwareDateTime(format="iso")
    expires_at = fields.AwareDateTime(format="iso")


class WholeFilterSchema(FilterSchema):
    header = fields.Dict(
        allow_none=True,
        metadata={
            "description": "The document `postern-filter/1` with its key and signature; null "
            "unless the filter is ready."
        },
    )


class FiltersPageSchema(Schema):
    filters = fields.List(
        fields.Nested(FilterSchema),
        attribute="issues",
        metadata={"description": "Newest first."},
    )
    next = fields.UUID(
        allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
    )


class ScreeningStandingSchema(Schema):
    kind = fields.Enum(EvaluationKind, by_value=True)
    elements_per_day = fields.Integer(attribute="elements")
    ends_on = fields.Date(metadata={"description": "The last day of what is agreed."})
    used = fields.Integer(metadata={"description": "Today (UTC)."})
    left = fields.Integer()
    resets_at = fields.AwareDateTime(format="iso")


class ScreeningSchema(Schema):
    kinds = fields.List(
        fields.Nested(ScreeningStandingSchema),
        metadata={"description": "Those for which something is agreed with your organisation."},
    )
