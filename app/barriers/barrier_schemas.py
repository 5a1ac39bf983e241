"""Fields of tags and registered barriers on the wire; docs/barriers-shared.md explains them."""

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from app.barriers.model import MOST_STEPS, Cost
from app.barriers.model_schemas import language_field, seq_field
from app.barriers.parts import LONGEST_KEY
from app.barriers.registering import MOST_LISTED
from app.barriers.tagging import MOST_SIGNALS, Subject
from app.fields import plain_text
from app.indicators.shared_schemas import OptionalGroundsSchema, OwnerSchema
from app.sharing.simulation_schemas import ExplainedSchema
from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    LegalBasis,
    SourceGrade,
    Tlp,
)

POINT_NAME = r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}\Z"
_COUNTRY = validate.Regexp(
    r"[A-Z]{2}\Z", error="It is not a country code.\nUse ISO 3166-1, two capital letters."
)


def _word(kind: type[Any], description: str, **kwargs: Any) -> fields.Field[Any]:
    return fields.Enum(kind, by_value=True, metadata={"description": description}, **kwargs)


def _key(description: str, **kwargs: Any) -> fields.Field[Any]:
    return fields.String(
        validate=[validate.Length(min=1, max=LONGEST_KEY), plain_text],
        metadata={"description": description},
        **kwargs,
    )


def _country(description: str, **kwargs: Any) -> fields.Field[Any]:
    return fields.String(validate=_COUNTRY, metadata={"description": description}, **kwargs)


def _step(description: str, **kwargs: Any) -> fields.Field[Any]:
    return fields.Integer(
        validate=validate.Range(min=1, max=MOST_STEPS),
        metadata={"description": description},
        **kwargs,
    )


class BarrierGroundsSchema(OptionalGroundsSchema):
    """Why this is asked; without purpose and legal basis one's own barriers only are answered."""

    language = language_field()


class ListBarriersSchema(BarrierGroundsSchema):
    """Why, which, how many and from where."""

    own = fields.Boolean(metadata={"description": "Only your own, or only those of others."})
    owner = fields.String(
        validate=validate.Length(min=1, max=64),
        metadata={"description": "Code of the organisation that set it."},
    )
    step = _step("Step of its model.")
    country = _country("Those of this country, and those of none.")
    holds_on = fields.Date(metadata={"description": "Those that hold on that day."})
    model = fields.UUID(metadata={"description": "Those of this model."})
    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(min=1, max=MOST_LISTED),
        metadata={"description": "Rows of the page."},
    )
    cursor = fields.UUID(load_default=None, metadata={"description": "`next` of the page before."})


class GapsArgumentsSchema(BarrierGroundsSchema):
    country = _country("What holds in this country.", load_default=None)


class NewBarrierSchema(Schema):
    """A barrier of the model in use that your organisation has set."""

    class Meta:
        unknown = RAISE

    version = seq_field("Of the model, as you read it.", load_default=None, allow_none=True)
    step = _step("Step of the model.", required=True, strict=True)
    barrier = _key("Its key in the model.", required=True)
    country = _country("Where it holds; null: everywhere.", load_default=None, allow_none=True)
    operator = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(POINT_NAME, error="It is not a short name."),
        metadata={"description": "Of an induction point: its operator's name or code."},
    )
    code = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(POINT_NAME, error="It is not a short code."),
        metadata={"description": "Of an induction point: its public code."},
    )
    from_day = fields.Date(
        required=True, data_key="from", metadata={"description": "Its first day."}
    )
    to_day = fields.Date(
        load_default=None,
        allow_none=True,
        data_key="until",
        metadata={"description": "Its last day; null: it goes on."},
    )
    expires_on = fields.Date(
        load_default=None,
        allow_none=True,
        metadata={"description": "When the record ends; null: 366 days after it or from now."},
    )
    cost = _word(Cost, "What it costs you.", load_default=Cost.NOT_KNOWN)
    legal_basis = _word(LegalBasis, "On which kind of law it rests.", required=True)
    tlp = _word(Tlp, "Marking.", load_default=Tlp.GREEN)
    handling = fields.List(
        fields.Enum(Handling, by_value=True),
        load_default=(),
        validate=validate.Length(max=len(Handling)),
        metadata={"description": "SIENA handling codes."},
    )
    source_grade = _word(SourceGrade, "Europol 4x4.", load_default=SourceGrade.A)
    information_grade = _word(InformationGrade, "Europol 4x4.", load_default=InformationGrade.ONE)
    assertion = _word(Assertion, "Fact or assessment.", load_default=Assertion.FACT)


class BarrierRenewalSchema(Schema):
    class Meta:
        unknown = RAISE

    expires_on = fields.Date(
        load_default=None,
        allow_none=True,
        metadata={"description": "When the record ends; null: 366 days from now."},
    )


class BarrierEndSchema(Schema):
    class Meta:
        unknown = RAISE

    on = fields.Date(required=True, metadata={"description": "The last day on which it held."})


class BarrierSchema(Schema):
    """A registered barrier, with the words of the version of the model that it was taken from."""

    id = fields.UUID()
    organisation = fields.Nested(OwnerSchema)
    is_own = fields.Boolean()
    model = fields.UUID()
    version = fields.Integer()
    label = fields.String(metadata={"description": "What the model claims to be, in words."})
    step = fields.Integer()
    step_title = fields.String()
    barrier = fields.String(metadata={"description": "Its key in the model."})
    text = fields.String()
    country = fields.String(allow_none=True)
    operator = fields.String(allow_none=True)
    code = fields.String(allow_none=True)
    from_day = fields.Date(data_key="from", attribute="from")
    to_day = fields.Date(data_key="until", attribute="until", allow_none=True)
    cost = _word(Cost, "What it costs who set it.")
    legal_basis = _word(LegalBasis, "On which kind of law it rests.")
    tlp = _word(Tlp, "Marking.")
    handling = fields.List(fields.String())
    source_grade = _word(SourceGrade, "Europol 4x4.")
    information_grade = _word(InformationGrade, "Europol 4x4.")
    assertion = _word(Assertion, "Fact or assessment.")
    expires_on = fields.Date()
    registered_at = fields.AwareDateTime(format="iso")
    policy = fields.String(
        allow_none=True,
        metadata={"description": "The version of the policy that allows it, such as post-be/3."},
    )
    rules = fields.List(
        fields.String(), metadata={"description": "Labels of the rules that allow it."}
    )


class BarriersSchema(Schema):
    barriers = fields.List(fields.Nested(BarrierSchema))
    next = fields.UUID(allow_none=True, metadata={"description": "Cursor of the next page."})


class HeldBarrierSchema(Schema):
    barrier = fields.String()
    text = fields.String()
    own = fields.Integer(metadata={"description": "How many of yours hold."})
    others = fields.Integer(metadata={"description": "How many hold that others share with you."})


class StepGapSchema(Schema):
    number = fields.Integer()
    key = fields.String()
    title = fields.String()
    is_gap = fields.Boolean(metadata={"description": "Whether nothing that you know of holds."})
    barriers = fields.List(fields.Nested(HeldBarrierSchema))


class GapsSchema(Schema):
    """The steps of the model in use, and what holds at each."""

    model = fields.UUID()
    version = fields.Integer()
    label = fields.String(metadata={"description": "What the model claims to be, in words."})
    on = fields.Date()
    steps = fields.List(fields.Nested(StepGapSchema))
    elsewhere = fields.Integer(
        metadata={"description": "Barriers that hold and are told by other models or versions."}
    )


class SuggestedSignalSchema(Schema):
    step = fields.Integer()
    signal = fields.String()
    text = fields.String()
    reason = fields.String(metadata={"description": "Which facts counted."})


class SuggestedSchema(Schema):
    """Suggestions for a report; nothing follows from them until a person decides."""

    model = fields.UUID()
    version = fields.Integer()
    label = fields.String(metadata={"description": "What the model claims to be, in words."})
    steps = fields.List(fields.Integer(), metadata={"description": "The likeliest first."})
    signals = fields.List(fields.Nested(SuggestedSignalSchema))


class TagsArgumentsSchema(Schema):
    class Meta:
        unknown = RAISE

    subject = _word(Subject, "What it is that is tagged.", required=True)
    language = language_field()


class NewTagSchema(Schema):
    """At which step something is, and which signals it shows."""

    class Meta:
        unknown = RAISE

    subject = _word(Subject, "What it is that is tagged.", required=True)
    version = seq_field("Of the model, as you read it.", load_default=None, allow_none=True)
    step = _step("null: at none of the steps.", required=True, allow_none=True, strict=True)
    signals = fields.List(
        _key("Key of a signal."),
        load_default=(),
        validate=validate.Length(max=MOST_SIGNALS),
        metadata={"description": "Keys of the model; what was suggested and left out is rejected."},
    )
    language = language_field()


class TaggedSignalSchema(Schema):
    signal = fields.String()
    text = fields.String()
    reason = fields.String(
        allow_none=True, metadata={"description": "Why it was suggested; null: it was not."}
    )


class TagSchema(Schema):
    model = fields.UUID()
    version = fields.Integer()
    label = fields.String(metadata={"description": "What the model claims to be, in words."})
    step = fields.Integer(allow_none=True)
    signals = fields.List(fields.Nested(TaggedSignalSchema))
    rejected = fields.List(fields.String(), metadata={"description": "Suggested and not taken."})
    made_at = fields.AwareDateTime(format="iso")
    made_by = fields.UUID()


class TagsSchema(Schema):
    """Newest first: the first one holds."""

    tags = fields.List(fields.Nested(TagSchema))


class BarrierAudienceSchema(Schema):
    """Who may know of one of your barriers."""

    id = fields.UUID()
    explained = fields.Nested(
        ExplainedSchema, metadata={"description": "At metadata with feed they know of it."}
    )
