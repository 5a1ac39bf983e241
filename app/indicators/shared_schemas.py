"""Fields of what other organisations share; docs/shared.md explains them for people."""

from enum import StrEnum
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from app.fields import IndicatorKind, case_reference, plain_text, purpose
from app.indicators.schemas import ShipmentSchema, StoredIndicatorSchema
from app.indicators.shared import MOST_EXPORTED, MOST_LISTED
from postern.vocabulary import LegalBasis, Level, PartyRole, Purpose, Sector, Substance, Tlp

_LONGEST_CASE = 128  # characters


class Form(StrEnum):
    """As what an export leaves."""

    CSV = "csv"
    NDJSON = "ndjson"
    XLSX = "xlsx"


class GroundsSchema(Schema):
    """Why this is asked."""

    class Meta:
        unknown = RAISE

    purpose = purpose()
    legal_basis = fields.Enum(
        LegalBasis,
        by_value=True,
        required=True,
        metadata={"description": "Under which kind of law you ask."},
    )
    case = case_reference()


class OptionalGroundsSchema(Schema):
    """Why this is asked; without purpose and legal basis one's own only is answered."""

    class Meta:
        unknown = RAISE

    purpose = fields.Enum(
        Purpose,
        by_value=True,
        metadata={"description": "Why this is asked; needed for what others share."},
    )
    legal_basis = fields.Enum(
        LegalBasis,
        by_value=True,
        metadata={"description": "Under which kind of law; needed for what others share."},
    )
    case = fields.String(
        load_default="",
        validate=[validate.Length(max=_LONGEST_CASE), plain_text],
        metadata={"description": "Reference of the case file, if there is one."},
    )

    @validates_schema
    def demand_both(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Refuse a purpose without a basis, and the other way round."""
        if ("purpose" in data) != ("legal_basis" in data):
            missing = "legal_basis" if "purpose" in data else "purpose"
            raise ValidationError("Give both, or neither for your own only.", missing)


class FiltersSchema(GroundsSchema):
    """Why, and what of it; the filters are combined."""

    owner = fields.String(
        validate=validate.Length(min=1, max=64),
        metadata={"description": "Code of the organisation that shares."},
    )
    kind = IndicatorKind(metadata={"description": "What it is an indicator of."})
    role = fields.Enum(
        PartyRole, by_value=True, metadata={"description": "The part that it plays."}
    )
    barrier_step = fields.Integer(
        validate=validate.Range(min=1, max=7),
        metadata={"description": "Step of the barrier model, 1 to 7."},
    )
    substance = fields.Enum(
        Substance,
        by_value=True,
        metadata={"description": "What was found or is suspected; `unknown`: or none is named."},
    )
    tlp = fields.Enum(Tlp, by_value=True, metadata={"description": "Traffic Light Protocol 2.0."})
    seen_since = fields.Date(
        metadata={"description": "Only what was last seen on this day or later."}
    )


class ListArgumentsSchema(FiltersSchema):
    """Why, what of it, how much and from where."""

    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(min=1, max=MOST_LISTED),
        metadata={"description": "Rows of the page."},
    )
    cursor = fields.UUID(load_default=None, metadata={"description": "`next` of the page before."})


class ExportArgumentsSchema(FiltersSchema):
    """Why, what of it, as what, how much and from where."""

    format = fields.Enum(
        Form, by_value=True, load_default=Form.CSV, metadata={"description": "What the file is."}
    )
    limit = fields.Integer(
        load_default=None,
        validate=validate.Range(min=1, max=MOST_EXPORTED),
        metadata={
            "description": "Indicators of this file, where several short ones are wanted; without"
            " it one file holds all."
        },
    )
    cursor = fields.UUID(
        load_default=None,
        metadata={"description": "Only what comes after it: `Postern-Next` of the file before."},
    )


class OnwardArgumentsSchema(GroundsSchema):
    """Why, and to whom."""

    to = fields.String(
        required=True,
        validate=validate.Length(min=1, max=64),
        metadata={"description": "Code of the organisation that would receive it."},
    )


class OwnerSchema(Schema):
    """The organisation that holds an indicator."""

    code = fields.String()
    name = fields.String()
    sector = fields.Enum(Sector, by_value=True)
    country = fields.String()


class ReportFactsSchema(Schema):
    """The report to which an indicator belongs."""

    id = fields.UUID()
    barrier_step = fields.Integer(allow_none=True)
    shipment = fields.Nested(ShipmentSchema)


class SharedIndicatorSchema(Schema):
    """An indicator with its owner and its report; tokens never leave."""

    organisation = fields.Nested(OwnerSchema)
    level = fields.Enum(
        Level,
        by_value=True,
        metadata={"description": "`request`: you may also ask its owner for the clear text."},
    )
    indicator = fields.Nested(StoredIndicatorSchema)
    report = fields.Nested(ReportFactsSchema)


class BesideSchema(Schema):
    indicators = fields.List(
        fields.Nested(SharedIndicatorSchema), metadata={"description": "At most 100."}
    )


class SharedIndicatorsSchema(Schema):
    indicators = fields.List(
        fields.Nested(SharedIndicatorSchema), metadata={"description": "Newest first."}
    )
    next = fields.UUID(
        allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
    )


class SharedCountSchema(Schema):
    organisation = fields.String(metadata={"description": "Code of the owner."})
    kind = IndicatorKind()
    barrier_step = fields.Integer(
        allow_none=True, metadata={"description": "null: the reports name none."}
    )
    indicators = fields.Integer()


class SharedCountsSchema(Schema):
    indicators = fields.Integer(metadata={"description": "The sum: as many as the list holds."})
    counts = fields.List(
        fields.Nested(SharedCountSchema),
        metadata={"description": "By owner, kind and barrier step."},
    )


class OnwardSchema(Schema):
    """Whether it may be passed on; of a denial nothing more is told."""

    indicator = fields.UUID()
    to = fields.String()
    allowed = fields.Boolean()
    policy = fields.String(
        allow_none=True,
        metadata={"description": "The version of the policy that allows it, such as post-be/3."},
    )
    rules = fields.List(
        fields.String(), metadata={"description": "Labels of the rules that allow it."}
    )
