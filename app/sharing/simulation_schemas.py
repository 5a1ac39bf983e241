"""What a simulation, a replay and an audience look like on the wire."""

from enum import StrEnum
from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from app.sharing.classes import AGE_BANDS
from app.sharing.policy_text import LONGEST_TEXT
from app.sharing.replay import LONGEST_DAYS
from app.sharing.schemas import PolicyFaultSchema
from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    LegalBasis,
    Level,
    PartyRole,
    PermittedAction,
    Purpose,
    SourceGrade,
    Substance,
    Tlp,
    Told,
)

REPLAYED_DAYS = 30
_LAST_BARRIER_STEP = 7


def _number(description: str) -> fields.Field[Any]:
    return fields.Integer(required=True, metadata={"description": description})


def _word(
    words: type[StrEnum], description: str, *, is_optional: bool = False
) -> fields.Field[Any]:
    return fields.Enum(
        words,
        by_value=True,
        required=True,
        allow_none=is_optional,
        metadata={"description": description},
    )


def _words(words: type[StrEnum], description: str) -> fields.Field[Any]:
    return fields.List(
        fields.Enum(words, by_value=True), required=True, metadata={"description": description}
    )


def _flag(description: str) -> fields.Field[Any]:
    return fields.Boolean(required=True, metadata={"description": description})


def _moment(description: str, *, is_optional: bool = False) -> fields.Field[Any]:
    return fields.AwareDateTime(
        required=True, allow_none=is_optional, metadata={"description": description}
    )


def _text(description: str) -> fields.Field[Any]:
    return fields.String(required=True, metadata={"description": description})


def _nested(schema: type[Schema], description: str) -> fields.Field[Any]:
    return fields.Nested(schema, required=True, metadata={"description": description})


def _listed(schema: type[Schema], description: str) -> fields.Field[Any]:
    return fields.List(fields.Nested(schema), required=True, metadata={"description": description})


def _age_band() -> fields.Field[Any]:
    return fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(min=0, max=len(AGE_BANDS) - 1),
        metadata={"description": "0 under 7 days, 1 under 30, 2 under 90, 3 under 365, 4 older."},
    )


_BASES = "Legal bases on which it is so; empty where it is so on all that they may rely on."


class SimulatedTextSchema(Schema):
    """The text that would take the place of the policy."""

    class Meta:
        unknown = RAISE

    text = fields.String(
        required=True,
        validate=validate.Length(max=LONGEST_TEXT),
        metadata={"description": "The text in Cedar; empty to see what stopping would change."},
    )


class ReplayedDaysSchema(Schema):
    """How far back to look."""

    class Meta:
        unknown = RAISE

    days = fields.Integer(
        load_default=REPLAYED_DAYS,
        strict=True,
        validate=validate.Range(min=1, max=LONGEST_DAYS),
        metadata={"description": "How many days back; 30 when left out."},
    )


class NamedSchema(Schema):
    """An organisation."""

    class Meta:
        unknown = RAISE

    code = _text("By which policies name it.")
    name = _text("Its name.")


class RuleLabelSchema(Schema):
    """A policy that decided."""

    class Meta:
        unknown = RAISE

    id = _text("Its `@id`; those that begin with platform/ are the platform's own.")
    label = _text("What it does, as its author says it.")


class AccessSchema(Schema):
    """What a reader gets of an indicator."""

    class Meta:
        unknown = RAISE

    level = _word(Level, "The highest level; null when the reader gets nothing.", is_optional=True)
    may_screen = _flag("Whether it goes into filters that are matched against parcels.")
    may_feed = _flag("Whether it may be listed, counted, exported and fed.")
    told = _word(Told, "Who is told of a hit; null when nobody is.", is_optional=True)


class FigureSchema(Schema):
    """Numbers of live indicators."""

    class Meta:
        unknown = RAISE

    before = _number("Under the version compared with.")
    after = _number("Under the text.")
    gained = _number("After and not before.")
    lost = _number("Before and not after.")


class FiguresSchema(Schema):
    """One figure for each thing that a policy gives."""

    class Meta:
        unknown = RAISE

    presence = _nested(FigureSchema, "Seen at presence or above.")
    metadata = _nested(FigureSchema, "Seen at metadata or above.")
    request = _nested(FigureSchema, "Of which the clear text may be asked for.")
    screen = _nested(FigureSchema, "In filters to screen with.")
    feed = _nested(FigureSchema, "In lists, counts, exports and feeds.")
    told_both = _nested(FigureSchema, "Of a hit on which the reader and the owner are told.")
    told_owner_only = _nested(FigureSchema, "Of a hit on which the owner alone is told.")
    told_requester_only = _nested(FigureSchema, "Of a hit on which the reader alone is told.")


class ExampleSchema(Schema):
    """One of your indicators that a change concerns."""

    class Meta:
        unknown = RAISE

    id = fields.UUID(required=True, metadata={"description": "Of the indicator."})
    kind = _word(Kind, "What it is an indicator of.")
    role = _word(PartyRole, "Its part in the shipment.")
    tlp = _word(Tlp, "Its marking.")
    age_band = _age_band()


class ChangeSchema(Schema):
    """Indicators of which a reader gets something else than before."""

    class Meta:
        unknown = RAISE

    before = _nested(AccessSchema, "What the reader gets of each.")
    after = _nested(AccessSchema, "What it would get.")
    count = _number("How many are live; 0 when you have none of the kind today, but had once.")
    examples = _listed(ExampleSchema, "Up to three of them.")
    rules_before = _listed(RuleLabelSchema, "Rules that grant what the reader gets.")
    rules_after = _listed(RuleLabelSchema, "Rules that would grant what it would get.")


class ReaderChangeSchema(Schema):
    """What changes for some organisations and one purpose; the figures hold for each of them."""

    class Meta:
        unknown = RAISE

    organisations = _listed(NamedSchema, "Those with the same answers.")
    purpose = _word(Purpose, "Why they ask.")
    bases = _words(LegalBasis, _BASES)
    is_new = _flag("Whether they see nothing of yours today, for no purpose, and would.")
    figures = _nested(FiguresSchema, "Of your live indicators.")
    changes = _listed(ChangeSchema, "What they get otherwise than before; empty when nothing.")


class ComparedSchema(Schema):
    """The version that the text is compared with."""

    class Meta:
        unknown = RAISE

    version = _number("Its number; 0 when there is none.")
    valid_from = _moment("From when it holds; null when there is none.", is_optional=True)
    is_scheduled = _flag("Whether it still waits for its time.")


class PatternExampleSchema(Schema):
    """One of your patterns that a change concerns."""

    class Meta:
        unknown = RAISE

    id = fields.UUID(required=True, metadata={"description": "Of the pattern."})
    title = _text("Of its version in force.")


class PatternReaderSchema(Schema):
    """What changes of your patterns for some organisations and one purpose."""

    class Meta:
        unknown = RAISE

    organisations = _listed(NamedSchema, "Those with the same answers.")
    purpose = _word(Purpose, "Why they ask.")
    bases = _words(LegalBasis, _BASES)
    known = _nested(FigureSchema, "Patterns of which each of them may know.")
    screened = fields.Nested(
        FigureSchema,
        attribute="whole",
        required=True,
        metadata={"description": "Of these, those whose rule it may read and screen with."},
    )
    gained = _listed(PatternExampleSchema, "Up to three of which it would get more.")
    lost = _listed(PatternExampleSchema, "Up to three of which it would get less.")


class PatternComparisonSchema(Schema):
    """What the text changes of your patterns in force."""

    class Meta:
        unknown = RAISE

    patterns = fields.Integer(
        attribute="assets",
        required=True,
        metadata={"description": "Your patterns in force, deprecated ones too."},
    )
    concerned = _number("How many of them change for somebody.")
    known = _nested(FigureSchema, "A pattern counts once, when anybody may know of it.")
    screened = fields.Nested(
        FigureSchema,
        attribute="whole",
        required=True,
        metadata={"description": "A pattern counts once, when anybody has its rule."},
    )
    gaining = _listed(NamedSchema, "Organisations that would get more.")
    losing = _listed(NamedSchema, "Organisations that would get less.")
    readers = _listed(PatternReaderSchema, "Everybody for whom something changes.")


class BarrierExampleSchema(Schema):
    """One of your registered barriers that a change concerns."""

    class Meta:
        unknown = RAISE

    id = fields.UUID(required=True, metadata={"description": "Of the barrier."})
    title = _text("Its key in its model, with its country and induction point.")


class BarrierReaderSchema(Schema):
    """What changes of your barriers for some organisations and one purpose."""

    class Meta:
        unknown = RAISE

    organisations = _listed(NamedSchema, "Those with the same answers.")
    purpose = _word(Purpose, "Why they ask.")
    bases = _words(LegalBasis, _BASES)
    known = _nested(FigureSchema, "Barriers of which each of them may know.")
    gained = _listed(BarrierExampleSchema, "Up to three of which it would come to know.")
    lost = _listed(BarrierExampleSchema, "Up to three of which it would know no longer.")


class BarrierComparisonSchema(Schema):
    """What the text changes of the barriers that you registered."""

    class Meta:
        unknown = RAISE

    barriers = fields.Integer(
        attribute="assets",
        required=True,
        metadata={"description": "Your barriers whose record has not ended."},
    )
    concerned = _number("How many of them change for somebody.")
    known = _nested(FigureSchema, "A barrier counts once, when anybody may know of it.")
    gaining = _listed(NamedSchema, "Organisations that would know of more.")
    losing = _listed(NamedSchema, "Organisations that would know of fewer.")
    readers = _listed(BarrierReaderSchema, "Everybody for whom something changes.")


class ComparisonSchema(Schema):
    """What the text changes against one version."""

    class Meta:
        unknown = RAISE

    against = _nested(ComparedSchema, "The version compared with.")
    words = _text("The outcome in a few sentences.")
    indicators = _number("Your live indicators.")
    concerned = _number("How many of them change for somebody.")
    is_nothing = _flag("Whether nothing changes for anybody.")
    shared = _nested(FiguresSchema, "An indicator counts once, when anybody gets it.")
    gaining = _listed(NamedSchema, "Organisations that would get more.")
    losing = _listed(NamedSchema, "Organisations that would get less.")
    new_readers = _listed(NamedSchema, "Those who would see something of yours for the first time.")
    lost_readers = _listed(NamedSchema, "Those who would see nothing any more.")
    readers = _listed(
        ReaderChangeSchema, "Everybody who gets something before or after, new readers first."
    )
    passing_on_differs = _flag(
        "Whether rules about passing on differ; what they come to is not counted."
    )
    patterns = _nested(
        PatternComparisonSchema, "Your shipping patterns, which are counted here alone."
    )
    barriers = _nested(
        BarrierComparisonSchema, "Your registered barriers, which are counted here alone."
    )


class SimulationSchema(Schema):
    """Who would gain and who would lose what."""

    class Meta:
        unknown = RAISE

    at = _moment("The moment at which indicators were counted.")
    sha256 = _text("Of the text, in hexadecimal digits.")
    comparisons = _listed(
        ComparisonSchema, "With the version in force, then with the one that waits, if one does."
    )
    faults = _listed(PolicyFaultSchema, "Why the text could not take effect.")
    warnings = _listed(PolicyFaultSchema, "What its author may not have meant.")


class ReplayedHitSchema(Schema):
    """A hit of the past that would have been another."""

    class Meta:
        unknown = RAISE

    at = _moment("When it was found.")
    indicator = fields.UUID(required=True, metadata={"description": "Your indicator."})
    legal_basis = _word(LegalBasis, "On which it was asked for.")
    then = _word(
        Level, "What the reader got; null when you alone were told of it.", is_optional=True
    )
    now = _nested(AccessSchema, "What it would get under the text.")


class ReplayedReaderSchema(Schema):
    """The hits of one organisation for one purpose."""

    class Meta:
        unknown = RAISE

    organisation = _nested(NamedSchema, "Who asked.")
    purpose = _word(Purpose, "Why.")
    same = _number("Hits at the level that they had.")
    higher = _number("Hits at a higher level.")
    lower = _number("Hits at a lower level.")
    owner_alone = _number("Hits of which you alone would have been told.")
    nothing = _number("Hits of which nobody would have been told.")
    untold = _number("Hits of which you would not have been told.")
    gone = _number("Hits on indicators that have ended: not decided again.")
    examples = _listed(ReplayedHitSchema, "Up to three that differ, newest first.")


class ReplayedPatternsSchema(Schema):
    """The rules of your patterns that one organisation got for one purpose."""

    class Meta:
        unknown = RAISE

    organisation = _nested(NamedSchema, "Who got them.")
    purpose = _word(Purpose, "Why.")
    same = _number("How often it would have got the rule as well.")
    known = _number("How often only title and figures.")
    nothing = _number("How often nothing.")
    gone = _number("How often of a pattern that is not in force any more: not decided again.")
    examples = _listed(PatternExampleSchema, "Up to three whose rule it would not have got.")


class ReplayedBarriersSchema(Schema):
    """How often one organisation was told of your barriers for one purpose."""

    class Meta:
        unknown = RAISE

    organisation = _nested(NamedSchema, "Who was told.")
    purpose = _word(Purpose, "Why.")
    same = _number("How often it would have been told as well.")
    nothing = _number("How often not.")
    gone = _number("How often of a barrier whose record has ended: not decided again.")
    examples = _listed(BarrierExampleSchema, "Up to three of which it would not have been told.")


class ReplaySchema(Schema):
    """What the last days would have been, as far as the log can tell."""

    class Meta:
        unknown = RAISE

    since = _moment("The beginning of the period.")
    until = _moment("Its end.")
    sha256 = _text("Of the text, in hexadecimal digits.")
    entries = _number("Entries of the log that were read.")
    hits = _number("Hits of which they tell.")
    erased = _number("Entries whose details are no longer kept.")
    is_cut = _flag("Whether there were more entries; the newest were read.")
    readers = _listed(ReplayedReaderSchema, "By organisation and purpose.")
    patterns = _listed(ReplayedPatternsSchema, "Of patterns, by organisation and purpose.")
    barriers = _listed(ReplayedBarriersSchema, "Of barriers, by organisation and purpose.")
    not_replayed = _text("What these figures cannot tell.")


class ShareClassSchema(Schema):
    """What a policy can know of a record beside its age."""

    class Meta:
        unknown = RAISE

    kind = _word(Kind, "What it is an indicator of.")
    role = _word(PartyRole, "Its part in the shipment.")
    tlp = _word(Tlp, "Its marking.")
    handling = _words(Handling, "Its handling codes.")
    source_grade = _word(SourceGrade, "Reliability of the source.")
    information_grade = _word(InformationGrade, "Accuracy of the information.")
    assertion = _word(Assertion, "Fact or assessment.")
    permitted_action = _word(PermittedAction, "How far a recipient may go.")
    barrier_step = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(min=0, max=_LAST_BARRIER_STEP),
        metadata={"description": "1 to 7; 0 where the report names none."},
    )
    substance = _word(Substance, "What was found or is suspected.")


class AudienceQuestionSchema(ShareClassSchema):
    """A record that was not submitted yet, as policies would know it."""

    age_band = _age_band()


class PeriodSchema(Schema):
    """What is given from an age on, until the next period begins."""

    class Meta:
        unknown = RAISE

    from_day = _number("Age in days at which it begins.")
    access = _nested(AccessSchema, "What is given.")
    rules = _listed(RuleLabelSchema, "The rules that grant it.")


class AudienceSchema(Schema):
    """Organisations that get the same of a record, for some purposes."""

    class Meta:
        unknown = RAISE

    organisations = _listed(NamedSchema, "Who.")
    purposes = _words(Purpose, "Why they ask.")
    bases = _words(LegalBasis, _BASES)
    periods = _listed(PeriodSchema, "By age; the first holds today.")
    onward = _listed(NamedSchema, "To whom they may pass on what they see; nobody to itself.")


class VersionAudienceSchema(Schema):
    """Who gets something of a record under one version."""

    class Meta:
        unknown = RAISE

    version = _number("Its number; 0 when there is none.")
    valid_from = _moment("From when it holds; null when there is none.", is_optional=True)
    audiences = _listed(AudienceSchema, "Those who get most first; who is not here gets nothing.")


class ExplainedSchema(Schema):
    """Who can see one of your records, for which purposes, by which rules."""

    class Meta:
        unknown = RAISE

    indicator = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "Its id; null for a class without a record."},
    )
    attributes = _nested(ShareClassSchema, "What policies know of it.")
    age_band = _age_band()
    in_force = _nested(VersionAudienceSchema, "Now.")
    scheduled = fields.Nested(
        VersionAudienceSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Under the version that waits; null when none does."},
    )
