"""Fields of lookups on the wire; docs/lookups.md explains them for people."""

from marshmallow import RAISE, Schema, fields, validate

from app.fields import IndicatorKind, case_reference, purpose
from app.indicators.schemas import (
    LARGEST_EPOCH,
    FacetList,
    StoredIndicatorSchema,
)
from app.indicators.shared_schemas import OwnerSchema, ReportFactsSchema
from postern.explanation import Agreement, ComparedPart
from postern.pseudonym import TOKEN_SIZE
from postern.vocabulary import (
    Band,
    FacetAnswer,
    LegalBasis,
    Level,
    Purpose,
)

MOST_QUERIES = 100  # of one request, whatever the settings say


class QueryTokenSchema(Schema):
    class Meta:
        unknown = RAISE

    facet = fields.Integer(
        required=True, metadata={"description": "Number of the facet, see docs/matching.md."}
    )
    token = fields.String(
        required=True,
        metadata={
            "description": "The 16-byte token as base64url without padding.",
            "minLength": 22,
            "maxLength": 22,
        },
    )


class QuerySchema(Schema):
    """One value to look up, as the tokens of its facets."""

    class Meta:
        unknown = RAISE

    id = fields.String(
        required=True,
        validate=validate.Length(min=1, max=64),
        metadata={"description": "Your own, to find the result; it is not stored."},
    )
    kind = IndicatorKind(required=True, metadata={"description": "What is looked up."})
    epoch = fields.Integer(
        strict=True,
        load_default=0,
        validate=validate.Range(min=1, max=LARGEST_EPOCH),
        metadata={"description": "Key epoch of the tokens; not for an induction point."},
    )
    tokens = FacetList(
        QueryTokenSchema,
        "token",
        TOKEN_SIZE,
        required=True,
        metadata={"description": "The tokens of the value's facets."},
    )


class AskSchema(Schema):
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
    queries = fields.List(
        fields.Nested(QuerySchema),
        required=True,
        validate=validate.Length(min=1, max=MOST_QUERIES),
    )


class FacetAnswerSchema(Schema):
    facet = fields.Integer()
    answer = fields.Enum(FacetAnswer, by_value=True)
    weight = fields.Integer(metadata={"description": "Tenths of a bit that it adds to the points."})
    words = fields.String(metadata={"description": "The answer in plain words."})


class PartAgreementSchema(Schema):
    part = fields.Enum(ComparedPart, by_value=True)
    agreement = fields.Enum(
        Agreement,
        by_value=True,
        metadata={"description": "`unknown`: the facets do not prove how it is."},
    )


class HitSchema(Schema):
    """What the owner's policy lets you have; at `presence` only the first four fields are told."""

    organisation = fields.Nested(OwnerSchema)
    level = fields.Enum(Level, by_value=True)
    band = fields.Enum(Band, by_value=True)
    precision = fields.Float(
        allow_none=True,
        metadata={
            "description": "Least share of right matches in this band, as measured; null if not."
        },
    )
    points = fields.Integer(allow_none=True)
    explanation = fields.String(allow_none=True)
    parts = fields.List(
        fields.Nested(PartAgreementSchema),
        metadata={"description": "The same as the explanation, part by part."},
    )
    facets = fields.List(fields.Nested(FacetAnswerSchema))
    indicator = fields.Nested(StoredIndicatorSchema, allow_none=True)
    report = fields.Nested(ReportFactsSchema, allow_none=True)


class ResultSchema(Schema):
    id = fields.String(metadata={"description": "As in the request."})
    hits = fields.List(fields.Nested(HitSchema), metadata={"description": "Best first."})
    more = fields.Boolean(
        metadata={"description": "Whether there are more than matching.hits_per_query."}
    )


class AnswerSchema(Schema):
    lookup = fields.UUID()
    asked_at = fields.AwareDateTime(format="iso")
    results = fields.List(
        fields.Nested(ResultSchema), metadata={"description": "In the order of the request."}
    )


class ExplainedHitSchema(Schema):
    """A hit with the decision by which it was shown; a presence tells of its owner alone."""

    query = fields.Integer(metadata={"description": "Place of the query in its lookup, from 0."})
    organisation = fields.Nested(OwnerSchema)
    level = fields.Enum(Level, by_value=True)
    band = fields.Enum(Band, by_value=True)
    indicator = fields.UUID(allow_none=True)
    policy = fields.String(
        allow_none=True,
        metadata={"description": "The version of the policy that let you see it, as post-be/3."},
    )
    words = fields.String(metadata={"description": "The decision in plain words."})


class ExplanationSchema(Schema):
    lookup = fields.UUID()
    hits = fields.List(
        fields.Nested(ExplainedHitSchema),
        metadata={"description": "Query by query, best first; ended indicators are left out."},
    )


class OwnLookupSchema(Schema):
    id = fields.UUID()
    asked_at = fields.AwareDateTime(format="iso")
    person = fields.UUID(metadata={"description": "The pseudonym of who asked."})
    purpose = fields.Enum(Purpose, by_value=True)
    legal_basis = fields.Enum(LegalBasis, by_value=True)
    queries = fields.Integer()
    hits = fields.Integer()


class OwnLookupsSchema(Schema):
    lookups = fields.List(fields.Nested(OwnLookupSchema), metadata={"description": "Newest first."})
    next = fields.UUID(
        allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
    )
