"""Fields of the board on the wire; docs/barrier-methods.md says what they mean."""

from enum import StrEnum
from typing import Any

from marshmallow import Schema, fields, validate

from app.barriers.barrier_schemas import BarrierGroundsSchema, StepGapSchema
from app.barriers.methods.changes import Rival
from app.barriers.methods.displacement import Movement
from app.barriers.methods.effect import Verdict
from app.barriers.methods.trend import Direction
from app.barriers.visible_counts import Kind
from app.disclosures.outcome_schemas import OutcomeCountsSchema

MOST_TOGETHER = 12
"""Countries that are looked at as one."""


class BoardArgumentsSchema(BarrierGroundsSchema):
    """Why, and around which day countries are compared. There are no filters."""

    changed = fields.Date(
        load_default=None,
        metadata={
            "description": "Countries are compared before and after this day; by default the middle"
            " of the time."
        },
    )
    together = fields.String(
        load_default="",
        validate=validate.Regexp(
            rf"(?:[A-Z]{{2}}(?:,[A-Z]{{2}}){{1,{MOST_TOGETHER - 1}}})?\Z",
            error="It is no list of countries.\nUse two to twelve ISO 3166-1 codes, with commas.",
        ),
        metadata={
            "description": "Countries of origin that are looked at as one, such as the neighbours"
            " where a rise is expected: choose them before you see the counts. Without it each"
            " country stands by itself."
        },
    )


def _number(description: str) -> fields.Field[Any]:
    return fields.Float(metadata={"description": description})


def _word(kind: type[StrEnum], description: str, **kwargs: Any) -> fields.Field[Any]:
    return fields.Enum(kind, by_value=True, metadata={"description": description}, **kwargs)


class BoardEstimateSchema(Schema):
    """A figure and what it lies within, at 95 %."""

    value = fields.Float()
    low = fields.Float()
    high = fields.Float()


class BoardSeriesSchema(Schema):
    """One row of a table: a count for each four of weeks, or each week of `origin_week`."""

    table = _word(Kind, "Which table it is a row of.")
    step = fields.Integer(allow_none=True, metadata={"description": "0: a report without a step."})
    words = fields.List(
        fields.String(),
        metadata={
            "description": "What it counts by: origin and destination (* is all others of the"
            " origin), substance, concealment, signal, or country, operator and code of a point."
            " Empty: not told."
        },
    )
    own = fields.List(fields.Integer(), metadata={"description": "Your own reports, exactly."})
    others = fields.List(
        fields.Integer(allow_none=True),
        metadata={"description": "Those that others let you count, protected. Null: not told."},
    )


class BoardBandedSchema(Schema):
    """A figure with its interval, and the band of 1 to 5 of each."""

    figure = fields.Nested(BoardEstimateSchema)
    band = fields.Integer()
    lowest = fields.Integer()
    highest = fields.Integer()


class BoardRankSchema(Schema):
    place = fields.Integer(metadata={"description": "1 is the largest risk."})
    best = fields.Integer()
    worst = fields.Integer()


class BoardTrendSchema(Schema):
    direction = _word(Direction, "Whether it rises.")
    ratio = fields.Nested(
        BoardEstimateSchema,
        allow_none=True,
        metadata={"description": "1.1: 10 % more each four weeks."},
    )


class BoardLineSchema(Schema):
    """A step or a corridor: likelihood, impact, and their product, which is what is ranked."""

    step = fields.Integer(allow_none=True)
    origin = fields.String(allow_none=True)
    destination = fields.String(allow_none=True)
    likelihood = fields.Nested(BoardBandedSchema)
    impact = fields.Nested(BoardBandedSchema)
    expected = fields.Nested(
        BoardEstimateSchema, metadata={"description": "Severity times reports in four weeks."}
    )
    rank = fields.Nested(BoardRankSchema)
    trend = fields.Nested(BoardTrendSchema)


class BoardComparedSchema(Schema):
    """A place against the typical one."""

    place = fields.String()
    before = fields.Float()
    after = fields.Float()
    expected = _number("How many there would be after, had it gone as the typical one.")
    ratio = fields.Nested(BoardEstimateSchema)


class BoardPlaceSchema(BoardComparedSchema):
    changed = fields.Boolean(metadata={"description": "Whether it stands out among so many."})


class BoardDisplacementSchema(Schema):
    movement = _word(Movement, "Whether something moved. nothing_seen is not nothing happened.")
    places = fields.List(fields.Nested(BoardPlaceSchema))
    missing = fields.Nested(BoardEstimateSchema, allow_none=True)
    regained = fields.Nested(BoardEstimateSchema, allow_none=True)


class BoardRivalSchema(Schema):
    """What else may explain it."""

    rival = _word(Rival, "What else changed.")
    whose = fields.String(metadata={"description": "A barrier, a place or a version of the model."})
    day = fields.Date(allow_none=True)
    ratio = fields.Nested(BoardEstimateSchema, allow_none=True)


class BoardEffectSchema(Schema):
    """Before and after a registered barrier; null where there is too little to compare."""

    barrier = fields.UUID()
    verdict = _word(Verdict, "not_shown is not no effect.", allow_none=True)
    place = fields.Nested(BoardComparedSchema, allow_none=True)
    changes = fields.List(fields.Nested(BoardRivalSchema))


class BoardAnalysisSchema(Schema):
    """What the methods say of the periods without a gap."""

    since = fields.Date(allow_none=True, metadata={"description": "Null: nothing was compared."})
    steps = fields.List(fields.Nested(BoardLineSchema))
    corridors = fields.List(fields.Nested(BoardLineSchema))
    displacement = fields.Nested(BoardDisplacementSchema, allow_none=True)
    effects = fields.List(fields.Nested(BoardEffectSchema))


class BoardOutcomesSchema(OutcomeCountsSchema):
    """What was told of your own reports of a step."""

    step = fields.Integer()


class BoardSchema(Schema):
    """Reports by step, what comes of them, and where no barrier holds."""

    as_of = fields.Date(metadata={"description": "Counted as they were when this day began."})
    periods = fields.List(
        fields.Date(), metadata={"description": "First days of the fours of weeks that are told."}
    )
    error = _number("A count of others is within this of the true one in 95 of 100 cases.")
    sees_others = fields.Boolean(metadata={"description": "Whether others let you count any."})
    model = fields.UUID()
    version = fields.Integer()
    label = fields.String(metadata={"description": "What the model claims to be, in words."})
    counts = fields.List(fields.Nested(BoardSeriesSchema))
    own = fields.Nested(BoardAnalysisSchema)
    others = fields.Nested(BoardAnalysisSchema)
    outcomes = fields.List(fields.Nested(BoardOutcomesSchema))
    gaps = fields.List(fields.Nested(StepGapSchema))
