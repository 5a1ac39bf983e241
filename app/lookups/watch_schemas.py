"""Fields of watches and deconfliction on the wire; docs/watches.md explains them for people."""

from enum import StrEnum

from marshmallow import RAISE, Schema, fields, validate

from app.fields import IndicatorKind, case_reference, purpose
from app.indicators.schemas import LARGEST_EPOCH, FacetList, StoredIndicatorSchema
from app.indicators.shared_schemas import OwnerSchema, ReportFactsSchema
from app.lookups.schemas import QueryTokenSchema
from app.lookups.watches import MOST_LISTED
from postern.pseudonym import TOKEN_SIZE
from postern.vocabulary import Band, LegalBasis, Level, Purpose, Tlp, Told, WatchEnd


class WatchState(StrEnum):
    """Whether a watch waits."""

    LIVE = "live"
    ENDED = "ended"


class SetWatchSchema(Schema):
    class Meta:
        unknown = RAISE

    purpose = purpose()
    legal_basis = fields.Enum(
        LegalBasis,
        by_value=True,
        required=True,
        metadata={"description": "Under which kind of law you watch."},
    )
    case = case_reference()
    kind = IndicatorKind(required=True, metadata={"description": "What is waited for."})
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
        metadata={"description": "The tokens of all the value's facets."},
    )
    tells = fields.Enum(
        Told,
        by_value=True,
        load_default=Told.BOTH,
        metadata={"description": "Who is told of a match, as far as the owner's policy lets them."},
    )
    deconflicts = fields.Boolean(
        load_default=False,
        metadata={"description": "Whether others that watch for the same may learn of you."},
    )
    tlp = fields.Enum(
        Tlp,
        by_value=True,
        load_default=Tlp.AMBER,
        metadata={"description": "Marking of the watch, by which your policy lets others know."},
    )
    expires_on = fields.Date(
        required=True,
        metadata={"description": "The day on which it ends; at most disclosure.watch_days ahead."},
    )


class WatchSetSchema(Schema):
    id = fields.UUID()
    made_at = fields.AwareDateTime(format="iso")
    expires_on = fields.Date()
    advice = fields.String(metadata={"description": "What to do as well; always the same."})


class OwnWatchSchema(Schema):
    """One of your organisation's watches; neither its case nor what it waits for is told."""

    id = fields.UUID(attribute="kept.id")
    kind = IndicatorKind(attribute="kept.kind")
    epoch = fields.Integer(attribute="kept.epoch")
    is_current = fields.Boolean(
        metadata={"description": "Whether its key epoch is open: false, set it anew."}
    )
    person = fields.UUID(
        attribute="kept.person", metadata={"description": "The pseudonym of who set it."}
    )
    purpose = fields.Enum(Purpose, by_value=True, attribute="kept.purpose")
    legal_basis = fields.Enum(LegalBasis, by_value=True, attribute="kept.legal_basis")
    tells = fields.Enum(Told, by_value=True, attribute="kept.tells")
    deconflicts = fields.Boolean(attribute="kept.deconflicts")
    tlp = fields.Enum(Tlp, by_value=True, attribute="kept.tlp")
    made_at = fields.AwareDateTime(format="iso", attribute="kept.made_at")
    expires_on = fields.Date(attribute="kept.expires_on")
    state = fields.Function(
        lambda watch: WatchState.LIVE if watch.is_live else WatchState.ENDED,
        metadata={"type": "string", "enum": [state.value for state in WatchState]},
    )
    ended_at = fields.AwareDateTime(format="iso", attribute="kept.ended_at", allow_none=True)
    end = fields.Enum(WatchEnd, by_value=True, attribute="kept.end", allow_none=True)
    has_news = fields.Boolean(
        metadata={"description": "Whether it found something that nobody has looked at."}
    )


class WatchPageArgumentsSchema(Schema):
    state = fields.Enum(
        WatchState, by_value=True, metadata={"description": "Only those that wait, or have ended."}
    )
    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(min=1, max=MOST_LISTED),
        metadata={"description": "At most so many watches."},
    )
    cursor = fields.UUID(load_default=None, metadata={"description": "`next` of the page before."})


class OwnWatchesSchema(Schema):
    watches = fields.List(fields.Nested(OwnWatchSchema), metadata={"description": "Newest first."})
    next = fields.UUID(
        allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
    )


class WatchMatchSchema(Schema):
    """What the owner's policy lets you have now; at `presence` what follows `words` is empty."""

    organisation = fields.Nested(OwnerSchema)
    level = fields.Enum(Level, by_value=True)
    band = fields.Enum(Band, by_value=True)
    matched_at = fields.AwareDateTime(format="iso")
    is_new = fields.Boolean(metadata={"description": "Whether nobody of you had looked at it."})
    words = fields.String(metadata={"description": "Why it is shown, in plain words."})
    policy = fields.String(
        allow_none=True,
        metadata={"description": "The version of the policy that lets you see it, as post-be/3."},
    )
    rules = fields.List(
        fields.String(), metadata={"description": "The labels of its rules that let you see it."}
    )
    indicator = fields.Nested(StoredIndicatorSchema, allow_none=True)
    report = fields.Nested(ReportFactsSchema, allow_none=True)


class WatchReadingSchema(Schema):
    watch = fields.Nested(OwnWatchSchema)
    matches = fields.List(
        fields.Nested(WatchMatchSchema), metadata={"description": "Newest first, at most 200."}
    )
    more = fields.Boolean(metadata={"description": "Whether there are more matches than shown."})


class DeskSchema(Schema):
    """The desk of an organisation: a function, never a person."""

    desk = fields.String()
    mail = fields.String(metadata={"description": "Empty where there is none, as is `phone`."})
    phone = fields.String()
    hours = fields.String()


class DeconflictionSchema(Schema):
    id = fields.UUID()
    watch = fields.UUID(metadata={"description": "Your own watch."})
    found_at = fields.AwareDateTime(format="iso")
    organisation = fields.Nested(OwnerSchema)
    contact = fields.Nested(
        DeskSchema, allow_none=True, metadata={"description": "Null until it entered its desk."}
    )


class DeconflictionsSchema(Schema):
    deconflictions = fields.List(
        fields.Nested(DeconflictionSchema), metadata={"description": "Newest first, at most 200."}
    )
