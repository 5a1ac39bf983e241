"""Fields of shared patterns on the wire; docs/patterns-shared.md explains them for people."""

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from app.fields import plain_text
from app.indicators.shared_schemas import OptionalGroundsSchema, OwnerSchema
from app.patterns.counting import MOST_EXAMINED, MOST_PARCELS
from app.patterns.documents import LANGUAGES, LARGEST_TEXT
from app.patterns.drafting import LONGEST_NOTE
from app.patterns.models import VersionState
from app.patterns.reading import MOST_LISTED, PatternState
from app.sharing.simulation_schemas import ExplainedSchema
from postern.patterns.model import Level, Status
from postern.patterns.reading import LAST_STEP
from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    LegalBasis,
    Purpose,
    SourceGrade,
    Substance,
    Tlp,
)

_LARGEST_NUMBER = 2**31 - 1


def _word(kind: type[Any], description: str, **kwargs: Any) -> fields.Field[Any]:
    return fields.Enum(kind, by_value=True, metadata={"description": description}, **kwargs)


def _count(most: int, description: str) -> fields.Field[Any]:
    return fields.Integer(
        strict=True,
        required=True,
        validate=validate.Range(min=0, max=most),
        metadata={"description": description},
    )


class PatternGroundsSchema(OptionalGroundsSchema):
    """Why this is asked; without purpose and legal basis one's own patterns only are answered."""


class ReadPatternSchema(PatternGroundsSchema):
    language = fields.String(
        load_default="en",
        validate=validate.OneOf(LANGUAGES),
        metadata={"description": "Of the explanation in words."},
    )


class ListPatternsSchema(PatternGroundsSchema):
    """Why, which, how many and from where."""

    own = fields.Boolean(metadata={"description": "Only your own, or only those of others."})
    subscribed = fields.Boolean(metadata={"description": "Only those you subscribe to, or not."})
    state = _word(PatternState, "Where they stand; left out: all but the expired.")
    level = _word(Level, "How grave a hit is.")
    barrier_step = fields.Integer(
        validate=validate.Range(min=1, max=LAST_STEP),
        metadata={"description": "Step of the barrier model, 1 to 7."},
    )
    owner = fields.String(
        validate=validate.Length(min=1, max=64),
        metadata={"description": "Code of the organisation that shares."},
    )
    words = fields.String(
        load_default="",
        validate=[validate.Length(max=100), plain_text],
        metadata={"description": "Each has to stand in the title or in the description."},
    )
    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(min=1, max=MOST_LISTED),
        metadata={"description": "Rows of the page."},
    )
    cursor = fields.UUID(load_default=None, metadata={"description": "`next` of the page before."})


class PatternBesideSchema(Schema):
    """What the share class of a pattern has and its document has not."""

    class Meta:
        unknown = RAISE

    handling = fields.List(
        fields.Enum(Handling, by_value=True),
        load_default=(),
        validate=validate.Length(max=len(Handling)),
        metadata={"description": "SIENA handling codes."},
    )
    source_grade = _word(SourceGrade, "Europol 4x4.", load_default=SourceGrade.X)
    information_grade = _word(InformationGrade, "Europol 4x4.", load_default=InformationGrade.FOUR)
    assertion = _word(Assertion, "Fact or assessment.", load_default=Assertion.ASSESSMENT)
    substance = _word(Substance, "What it is about.", load_default=Substance.UNKNOWN)


_TEXT = {"description": f"The document, `parcel-pattern/1`: YAML of up to {LARGEST_TEXT} bytes."}


class NewPatternSchema(PatternBesideSchema):
    """A document, and what stands beside it."""

    text = fields.String(
        required=True, validate=validate.Length(min=1, max=LARGEST_TEXT), metadata=_TEXT
    )


class PatternDraftSchema(NewPatternSchema):
    revision = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=1, max=_LARGEST_NUMBER),
        metadata={"description": "The one you read; null to open the next version."},
    )


class CheckPatternSchema(Schema):
    """A document to be looked at; nothing of it is kept."""

    class Meta:
        unknown = RAISE

    text = fields.String(
        required=True, validate=validate.Length(min=1, max=LARGEST_TEXT), metadata=_TEXT
    )
    language = fields.String(
        load_default="en",
        validate=validate.OneOf(LANGUAGES),
        metadata={"description": "Of the explanation in words."},
    )


class PatternRevisionSchema(Schema):
    """Which revision of the draft is meant."""

    class Meta:
        unknown = RAISE

    revision = fields.Integer(
        strict=True,
        required=True,
        validate=validate.Range(min=1, max=_LARGEST_NUMBER),
        metadata={"description": "The one you read: a later one is not decided on unread."},
    )


class DiscardArgumentsSchema(Schema):
    """Which revision of the draft is meant, in the address."""

    class Meta:
        unknown = RAISE

    revision = fields.Integer(
        required=True,
        validate=validate.Range(min=1, max=_LARGEST_NUMBER),
        metadata={"description": "The one you read: a later one is not discarded unread."},
    )


class PatternApprovalSchema(PatternRevisionSchema):
    note = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=LONGEST_NOTE),
        metadata={"description": "For the author."},
    )


class PatternRefusalSchema(PatternRevisionSchema):
    note = fields.String(
        required=True,
        validate=validate.Length(min=1, max=LONGEST_NOTE),
        metadata={"description": "Why; the author reads it."},
    )


class PatternDeprecatingSchema(Schema):
    class Meta:
        unknown = RAISE

    reason = fields.String(
        required=True,
        validate=validate.Length(min=1, max=LONGEST_NOTE),
        metadata={"description": "Why it is used no longer; subscribers read it."},
    )
    superseded_by = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={"description": "Your own published pattern that replaces it."},
    )


class PatternSubscriptionSchema(Schema):
    """For what the organisation screens with the pattern; asked of the policy at each fetch."""

    class Meta:
        unknown = RAISE

    purpose = _word(Purpose, "Why you screen.", required=True)
    legal_basis = _word(LegalBasis, "Under which kind of law.", required=True)


class DayOfPatternSchema(Schema):
    class Meta:
        unknown = RAISE

    version = fields.Integer(
        strict=True,
        required=True,
        validate=validate.Range(min=1, max=_LARGEST_NUMBER),
        metadata={"description": "The version that was run."},
    )
    day = fields.Date(required=True, metadata={"description": "The day of the run."})


class PatternRunSchema(DayOfPatternSchema):
    """Counts of one day; told again, the newest stand."""

    parcels = _count(MOST_PARCELS, "Parcels that were screened.")
    hits = _count(MOST_PARCELS, "Parcels that hit.")


class PatternExaminedSchema(DayOfPatternSchema):
    """What examining parcels that hit that day showed; told again, the newest stands."""

    examined = _count(MOST_EXAMINED, "The sum of the following three.")
    found = _count(MOST_EXAMINED, "Something was found.")
    not_found = _count(MOST_EXAMINED, "Nothing was found.")
    wrong = _count(MOST_EXAMINED, "The rule should not have hit.")


class ListedPatternSchema(Schema):
    """A pattern without its rule."""

    id = fields.UUID()
    organisation = fields.Nested(OwnerSchema)
    is_own = fields.Boolean()
    title = fields.String()
    description = fields.String()
    level = fields.Enum(Level, by_value=True, allow_none=True)
    barrier_step = fields.Integer(allow_none=True)
    substance = fields.Enum(Substance, by_value=True)
    tlp = fields.Enum(Tlp, by_value=True, allow_none=True)
    version = fields.Integer(metadata={"description": "The one in force; of a draft the newest."})
    published_on = fields.Date(allow_none=True)
    expires_on = fields.Date(allow_none=True)
    state = fields.Enum(PatternState, by_value=True)
    may_screen = fields.Boolean(metadata={"description": "Whether you may have the rule."})
    is_subscribed = fields.Boolean()
    has_draft = fields.Boolean(metadata={"description": "Of your own: an open version."})
    awaits_decision = fields.Boolean(metadata={"description": "Of your own: it was proposed."})


class ListedPatternsSchema(Schema):
    patterns = fields.List(
        fields.Nested(ListedPatternSchema), metadata={"description": "Newest first."}
    )
    next = fields.UUID(
        allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
    )


class PatternFaultSchema(Schema):
    line = fields.Integer(metadata={"description": "From 1, as is the column."})
    column = fields.Integer()
    reason = fields.String()
    remedy = fields.String()


class TriedExampleSchema(Schema):
    """One of the document's own tests."""

    line = fields.Integer()
    must_hit = fields.Boolean()
    hit = fields.Boolean()
    parcels = fields.Integer()


class StixPatternSchema(Schema):
    """What STIX patterning can say of the rule, and what it cannot."""

    pattern = fields.String()
    losses = fields.List(fields.String())


class CheckedPatternSchema(Schema):
    """What a document is worth."""

    sha256 = fields.String()
    is_ready = fields.Boolean(metadata={"description": "Whether it may be proposed."})
    faults = fields.List(fields.Nested(PatternFaultSchema))
    explanation = fields.String(metadata={"description": "Empty as long as it cannot be read."})
    examples = fields.List(fields.Nested(TriedExampleSchema))
    stix = fields.Nested(StixPatternSchema, allow_none=True)


class PatternVersionSchema(Schema):
    """A version without its text; of another's no person and no note is told."""

    seq = fields.Integer()
    state = fields.Enum(VersionState, by_value=True)
    title = fields.String()
    level = fields.Enum(Level, by_value=True, allow_none=True)
    barrier_step = fields.Integer(allow_none=True)
    sha256 = fields.String(allow_none=True)
    published_on = fields.Date(allow_none=True)
    expires_on = fields.Date(allow_none=True)
    may_read_text = fields.Boolean()
    author = fields.UUID(allow_none=True, metadata={"description": "Pseudonym of who proposed it."})
    decided_by = fields.UUID(allow_none=True)
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)
    note = fields.String(allow_none=True)


class KeptPatternBesideSchema(Schema):
    """What stands beside the document."""

    handling = fields.List(fields.Enum(Handling, by_value=True))
    source_grade = fields.Enum(SourceGrade, by_value=True)
    information_grade = fields.Enum(InformationGrade, by_value=True)
    assertion = fields.Enum(Assertion, by_value=True)
    substance = fields.Enum(Substance, by_value=True)


class OpenPatternVersionSchema(Schema):
    """The open version of your own pattern."""

    seq = fields.Integer()
    revision = fields.Integer()
    state = fields.Enum(VersionState, by_value=True)
    text = fields.String()
    beside = fields.Nested(KeptPatternBesideSchema)
    checked = fields.Nested(CheckedPatternSchema)
    authors = fields.List(
        fields.UUID(), metadata={"description": "Pseudonyms of those who may not approve it."}
    )
    proposed_by = fields.UUID(allow_none=True)
    proposed_at = fields.AwareDateTime(format="iso", allow_none=True)
    updated_at = fields.AwareDateTime(format="iso")


class PatternDeprecationSchema(Schema):
    at = fields.AwareDateTime(format="iso")
    reason = fields.String()
    superseded_by = fields.UUID(allow_none=True)


class PatternSchema(Schema):
    """A pattern; without the right to screen what says what the rule is stays empty."""

    listed = fields.Nested(ListedPatternSchema)
    text = fields.String(allow_none=True)
    sha256 = fields.String(allow_none=True)
    explanation = fields.String(allow_none=True)
    status = fields.Enum(Status, by_value=True, allow_none=True)
    author = fields.String(allow_none=True)
    references = fields.List(fields.String())
    false_positives = fields.List(fields.String())
    stix = fields.Nested(StixPatternSchema, allow_none=True)
    beside = fields.Nested(KeptPatternBesideSchema, allow_none=True)
    versions = fields.List(
        fields.Nested(PatternVersionSchema), metadata={"description": "Newest first."}
    )
    draft = fields.Nested(OpenPatternVersionSchema, allow_none=True)
    deprecation = fields.Nested(PatternDeprecationSchema, allow_none=True)
    policy = fields.String(
        allow_none=True,
        metadata={"description": "The version of the policy that allows it, such as post-be/3."},
    )
    rules = fields.List(
        fields.String(), metadata={"description": "Labels of the rules that allow it."}
    )
    subscribers = fields.Integer(allow_none=True, metadata={"description": "Of your own."})


class PatternTextSchema(Schema):
    text = fields.String()


class SubscribedDocumentSchema(Schema):
    """A document to screen with."""

    id = fields.UUID()
    version = fields.Integer()
    sha256 = fields.String(metadata={"description": "Of the text's UTF-8 bytes."})
    text = fields.String()
    organisation = fields.String(metadata={"description": "Code of the owner."})
    title = fields.String()
    level = fields.Enum(Level, by_value=True, allow_none=True)
    expires_on = fields.Date(allow_none=True)
    since = fields.AwareDateTime(format="iso")


class LostSubscriptionSchema(Schema):
    """A subscription to a pattern with which you may not screen any more.

    What you got last of it: nothing newer is told, nor why.
    """

    id = fields.UUID()
    organisation = fields.Nested(OwnerSchema)
    title = fields.String()
    version = fields.Integer()
    since = fields.AwareDateTime(format="iso")
    is_known = fields.Boolean(metadata={"description": "Whether it may be read of still."})


class SubscribedPatternsSchema(Schema):
    documents = fields.List(fields.Nested(SubscribedDocumentSchema))
    no_longer_shared = fields.List(fields.Nested(LostSubscriptionSchema))
    withdrawn = fields.List(
        fields.UUID(),
        metadata={"description": "Subscribed, and not to be used any more: remove them."},
    )


class PatternPrecisionSchema(Schema):
    """Share of `found`, and what it lies within with 95 % confidence (Wilson)."""

    share = fields.Float()
    low = fields.Float()
    high = fields.Float()


class PatternVersionFiguresSchema(Schema):
    """null: too small to be told, or it would give away what is.

    Of others they lag behind, so that no two answers differ by a small count.
    """

    version = fields.Integer(allow_none=True, metadata={"description": "null: the sum."})
    examined = fields.Integer(allow_none=True)
    found = fields.Integer(allow_none=True)
    not_found = fields.Integer(allow_none=True)
    wrong = fields.Integer(allow_none=True)
    precision = fields.Nested(PatternPrecisionSchema, allow_none=True)


class PatternMonthFiguresSchema(Schema):
    month = fields.String(metadata={"description": "As 2026-11."})
    parcels = fields.Integer(allow_none=True, metadata={"description": "Told of your own only."})
    hits = fields.Integer(allow_none=True, metadata={"description": "Told of your own only."})
    per_million = fields.Float(
        allow_none=True, metadata={"description": "Of others to two digits, from 5 hits on."}
    )


class PatternFiguresSideSchema(Schema):
    versions = fields.List(fields.Nested(PatternVersionFiguresSchema))
    total = fields.Nested(PatternVersionFiguresSchema, allow_none=True)
    months = fields.List(
        fields.Nested(PatternMonthFiguresSchema), metadata={"description": "Oldest first."}
    )


class PatternFiguresSchema(Schema):
    """How a pattern does: with all other organisations together, and with your own."""

    others = fields.Nested(PatternFiguresSideSchema)
    own = fields.Nested(PatternFiguresSideSchema)
    organisations = fields.Integer(
        allow_none=True,
        metadata={"description": "Others that ran it in 90 days; null: one to four."},
    )
    age_days = fields.Integer(allow_none=True)
    version_age_days = fields.Integer(allow_none=True)


class PatternAudienceSchema(Schema):
    """Who may have one of your patterns; null: its draft says too little to be judged."""

    id = fields.UUID()
    title = fields.String()
    is_draft = fields.Boolean(
        metadata={"description": "Whether it is told of the open version, were it published now."}
    )
    explained = fields.Nested(
        ExplainedSchema,
        allow_none=True,
        metadata={
            "description": "At metadata with feed they know of it, with screen they have its rule."
        },
    )
