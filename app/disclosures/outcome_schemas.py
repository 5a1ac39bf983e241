"""Fields of outcomes on the wire; docs/outcomes.md explains them for people."""

from decimal import Decimal
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields

from app.fields import IndicatorKind, case_reference
from app.indicators.schemas import PageArgumentsSchema
from app.indicators.shared_schemas import OwnerSchema
from postern.vocabulary import (
    Learned,
    OutcomeResult,
    Sector,
    SourceGrade,
    Step,
    Substance,
    Unit,
)

_DECIMALS = 3


def _few_decimals(quantity: Decimal) -> None:
    exponent = quantity.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_DECIMALS:
        raise ValidationError(f"Write at most {_DECIMALS} decimals.")


def _step(description: str) -> fields.Field[Any]:
    return fields.Enum(Step, by_value=True, required=True, metadata={"description": description})


class TellSchema(Schema):
    """What became of an indicator."""

    class Meta:
        unknown = RAISE

    indicator = fields.UUID(
        required=True, metadata={"description": "One that you were given, or one of your own."}
    )
    request = fields.UUID(
        load_default=None, metadata={"description": "The disclosure request that it follows."}
    )
    case = case_reference()
    asked = _step("Whether anybody was asked to act.")
    located = _step("Whether an item was located.")
    held = _step("Whether an item was held.")
    examined = _step("Whether an item was examined.")
    result = fields.Enum(
        OutcomeResult,
        by_value=True,
        required=True,
        metadata={"description": "`error`: the indicator itself was wrong."},
    )
    substance = fields.Enum(
        Substance,
        by_value=True,
        load_default=None,
        metadata={"description": "What was found."},
    )
    quantity = fields.Decimal(
        load_default=None,
        validate=_few_decimals,
        metadata={"description": "How much was found, above 0, with at most 3 decimals."},
    )
    unit = fields.Enum(
        Unit, by_value=True, load_default=None, metadata={"description": "Of the quantity."}
    )


class OutcomeToldSchema(Schema):
    id = fields.UUID()
    indicator = fields.UUID()
    result = fields.Enum(OutcomeResult, by_value=True)
    made_at = fields.AwareDateTime(format="iso")
    replaces = fields.UUID(
        allow_none=True, metadata={"description": "Your earlier outcome of the same indicator."}
    )


class OutcomeArgumentsSchema(PageArgumentsSchema):
    """Of what, how many and from where."""

    indicator = fields.UUID(load_default=None, metadata={"description": "One of your own."})
    report = fields.UUID(load_default=None, metadata={"description": "One of your own."})


class OutcomeSchema(Schema):
    """What became of an indicator, as one organisation told it."""

    id = fields.UUID()
    organisation = fields.Nested(
        OwnerSchema,
        attribute="other",
        metadata={"description": "Who told it; of what you told, the indicator's owner."},
    )
    indicator = fields.UUID()
    report = fields.UUID(
        allow_none=True, metadata={"description": "null if the indicator is not your own."}
    )
    request = fields.UUID(allow_none=True)
    kind = IndicatorKind()
    asked = fields.Enum(Step, by_value=True)
    located = fields.Enum(Step, by_value=True)
    held = fields.Enum(Step, by_value=True)
    examined = fields.Enum(Step, by_value=True)
    result = fields.Enum(OutcomeResult, by_value=True)
    substance = fields.Enum(Substance, by_value=True, allow_none=True)
    quantity = fields.Decimal(as_string=True, allow_none=True)
    unit = fields.Enum(Unit, by_value=True, allow_none=True)
    made_at = fields.AwareDateTime(format="iso")
    replaced_at = fields.AwareDateTime(
        format="iso",
        allow_none=True,
        metadata={"description": "When the same organisation told otherwise; null while it holds."},
    )


class OutcomesSchema(Schema):
    outcomes = fields.List(fields.Nested(OutcomeSchema), metadata={"description": "Newest first."})
    next = fields.UUID(
        allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
    )


class OutcomeCountsSchema(Schema):
    """Outcomes that hold, and of how many each step was taken and each result told."""

    told = fields.Integer()
    asked = fields.Integer()
    located = fields.Integer()
    held = fields.Integer()
    examined = fields.Integer()
    found = fields.Integer()
    not_found = fields.Integer()
    error = fields.Integer()


class TallySchema(OutcomeCountsSchema):
    """Outcomes that hold, and those of which the end is still awaited."""

    pending = fields.Integer()


class ReportOutcomesSchema(Schema):
    report = fields.UUID()
    created_at = fields.AwareDateTime(format="iso")
    counts = fields.Nested(TallySchema, attribute="tally")
    latest = fields.Nested(OutcomeSchema)


class BecameSchema(Schema):
    """Your reports of which something was told, with how many there are in all."""

    all_reports = fields.Integer(attribute="reports")
    with_outcome = fields.Integer()
    counts = fields.Nested(TallySchema, attribute="tally")
    reports = fields.List(
        fields.Nested(ReportOutcomesSchema),
        attribute="rows",
        metadata={"description": "Newest first."},
    )
    next = fields.UUID(
        allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
    )


class IntervalSchema(Schema):
    """The share of those examined in which something was found; Wilson's interval of 95 %."""

    share = fields.Float()
    low = fields.Float()
    high = fields.Float()


def _count() -> fields.Field[Any]:
    return fields.Integer(
        allow_none=True,
        metadata={"description": "null: fewer than 5, or it would give such a count away."},
    )


class CountedSchema(Schema):
    """Counts of outcomes that hold."""

    told = fields.Integer(metadata={"description": "All outcomes of the row, at least 5."})
    asked = _count()
    located = _count()
    held = _count()
    examined = _count()
    found = _count()
    not_found = _count()
    error = _count()
    precision = fields.Nested(IntervalSchema, allow_none=True)


class GroupSchema(Schema):
    source_grade = fields.Enum(SourceGrade, by_value=True)
    learned = fields.Enum(Learned, by_value=True)
    kind = IndicatorKind()
    barrier_step = fields.Integer(allow_none=True)


class ReliabilityRowSchema(CountedSchema):
    group = fields.Nested(
        GroupSchema,
        attribute="key",
        allow_none=True,
        metadata={"description": "null: all others together, which are too few alone."},
    )


class TableSchema(Schema):
    rows = fields.List(fields.Nested(ReliabilityRowSchema))
    total = fields.Nested(
        CountedSchema, allow_none=True, metadata={"description": "null: fewer than 5 in all."}
    )


class OfSectorSchema(Schema):
    sector = fields.Enum(Sector, by_value=True)
    table = fields.Nested(TableSchema)


class ReliabilitySchema(Schema):
    """How indicators turned out."""

    own = fields.Nested(TableSchema, metadata={"description": "Of your own indicators."})
    told = fields.Nested(TableSchema, metadata={"description": "What your organisation told."})
    others = fields.List(
        fields.Nested(OfSectorSchema),
        metadata={
            "description": "What others told of indicators that you were given, by their owners' "
            "sector."
        },
    )
