"""Fields of reports and indicators on the wire; docs/reports.md explains them for people.

A refusal is written "reason, line feed, remedy": `app.indicators.reading` tells the two apart.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate

from app.fields import IndicatorKind
from app.indicators.models import ReportStatus
from app.indicators.sealed_fields import SealedSchema
from postern.base64url import from_base64url
from postern.facet_kinds import FACETS
from postern.normalise import Flag
from postern.vocabulary import (
    Assertion,
    Concealment,
    DeclaredCategory,
    Handling,
    InformationGrade,
    Learned,
    LegalBasis,
    PartyRole,
    PermittedAction,
    RecallReason,
    SealedPart,
    Service,
    SourceGrade,
    SubjectCategory,
    Substance,
    Tlp,
    ValueBand,
    WeightBand,
)

ELEMENT_LENGTH = 32  # bytes of a ristretto255 element
MOST_FACETS = 20  # of one indicator or query
MOST_INDICATORS = 20  # of one report
MOST_REPORTS = 500  # of one request, whatever the settings say
LARGEST_EPOCH = 32767  # what the column holds

CLIENT_KEY = r"[A-Za-z0-9._:-]{1,64}\Z"
_PLACE_NAME = r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}\Z"


class FacetList(fields.List[dict[str, Any]]):
    """Facet numbers, each with bytes, read in one pass: there are thousands in a request.

    Gives a list of (facet number, bytes). `member` is the name under which the bytes stand,
    `length` how many they are; what they mean is asked later.
    """

    def __init__(self, schema: type[Schema], member: str, length: int, **kwargs: Any) -> None:
        kwargs["metadata"] = {"minItems": 1, "maxItems": MOST_FACETS, **kwargs["metadata"]}
        super().__init__(fields.Nested(schema), **kwargs)
        self.member = member
        self.length = length

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        if type(value) is not list or not 1 <= len(value) <= MOST_FACETS:
            raise ValidationError(
                f"It is not a list of 1 to {MOST_FACETS} facets.\n"
                f"Send one {self.member} for each facet of the value."
            )
        read = []
        faults: dict[int, list[str]] = {}
        for place, item in enumerate(value):
            pair = self._pair(item)
            if pair is None:
                faults[place] = [self._fault()]
            else:
                read.append(pair)
        if faults:
            raise ValidationError(faults)
        return read

    def _pair(self, item: Any) -> tuple[int, bytes] | None:
        if type(item) is not dict or len(item) != _MEMBERS:
            return None
        facet, text = item.get("facet"), item.get(self.member)
        if type(facet) is not int or facet not in FACETS or type(text) is not str:
            return None
        content = from_base64url(text)
        if content is None or len(content) != self.length:
            return None
        return facet, content

    def _fault(self) -> str:
        return (
            f"It is not a facet number with {self.length} bytes as base64url without padding.\n"
            f"Write an object of facet, a number, and {self.member}, a string."
        )


class Remembered(fields.Nested):
    """A nested object whose coarse part is read once for all equal ones.

    Rows of one file say much the same of themselves: who learned it how, under which law, with
    which grades. What was read without a fault is kept by its JSON text; `apart` names members
    that differ each time and are read each time. What lacks the first of them is not kept.
    """

    def __init__(self, schema: type[Schema], apart: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(schema, **kwargs)
        self.apart = apart
        self.known: dict[str, dict[str, Any]] = {}

    def _deserialize(
        self,
        value: Any,
        attr: str | None,
        data: Mapping[str, Any] | None,
        partial: Any = None,
        **kwargs: Any,
    ) -> Any:
        if type(value) is not dict or (self.apart and self.apart[0] not in value):
            return super()._deserialize(value, attr, data, partial, **kwargs)
        text = json.dumps({name: each for name, each in value.items() if name not in self.apart})
        found = self.known.get(text)
        if found is None:
            loaded: dict[str, Any] = super()._deserialize(value, attr, data, partial, **kwargs)
            if len(self.known) >= _MOST_REMEMBERED:
                self.known.clear()
            self.known[text] = {name: loaded[name] for name in loaded if name not in self.apart}
            return loaded
        read, faults = dict(found), {}
        for name in self.apart:
            try:
                # What is left out takes its default here too.
                read[name] = self.schema.fields[name].deserialize(
                    value.get(name, missing), name, value
                )
            except ValidationError as error:
                faults[name] = error.messages
        if faults:
            raise ValidationError(faults)
        return read


class ItemList(fields.List[dict[str, Any]]):
    """A list whose items are described here but read one by one, so that good ones go in."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        if type(value) is not list:
            raise ValidationError("Not a list.")
        return value


class ElementSchema(Schema):
    class Meta:
        unknown = RAISE

    facet = fields.Integer(
        required=True, metadata={"description": "Number of the facet, see docs/matching.md."}
    )
    element = fields.String(
        required=True,
        metadata={
            "description": "The unblinded group element, 32 bytes as base64url without padding.",
            "minLength": 43,
            "maxLength": 43,
        },
    )


class PlaceSchema(Schema):
    """An induction point: a counter, box or locker of the operator. Never a person's address."""

    class Meta:
        unknown = RAISE

    operator = fields.String(
        required=True,
        validate=validate.Regexp(
            _PLACE_NAME,
            error="It is not a short name.\nUse up to 40 letters, digits, spaces and . _ / -",
        ),
        metadata={"description": "The operator's name or code.", "pattern": _PLACE_NAME},
    )
    code = fields.String(
        required=True,
        validate=validate.Regexp(
            _PLACE_NAME,
            error="It is not a short code.\nUse up to 40 letters, digits, spaces and . _ / -",
        ),
        metadata={
            "description": "The operator's own code of the point.",
            "pattern": _PLACE_NAME,
        },
    )
    country = fields.String(
        required=True,
        validate=validate.Regexp(
            r"[A-Z]{2}\Z", error="It is not a country code.\nUse ISO 3166-1, two capital letters."
        ),
        metadata={"description": "ISO 3166-1 alpha-2.", "example": "BE"},
    )


def _country(description: str) -> fields.Field[Any]:
    return fields.String(
        allow_none=True,
        validate=validate.Regexp(
            r"[A-Z]{2}\Z", error="It is not a country code.\nUse ISO 3166-1, two capital letters."
        ),
        metadata={"description": f"{description}, ISO 3166-1 alpha-2."},
    )


def _optional(kind: type[Any], description: str) -> fields.Field[Any]:
    return fields.Enum(kind, by_value=True, allow_none=True, metadata={"description": description})


def _word(kind: type[Any], description: str, **kwargs: Any) -> fields.Field[Any]:
    return fields.Enum(kind, by_value=True, metadata={"description": description}, **kwargs)


class ShipmentSchema(Schema):
    """What the shipment was like, coarsely; each field may be left out."""

    class Meta:
        unknown = RAISE

    origin_country = _country("Where it was posted")
    destination_country = _country("Where it was to go")
    service = _optional(Service, "The postal or courier product.")
    weight_band = _optional(WeightBand, "Gross weight in grams.")
    value_band = _optional(ValueBand, "Declared value in euro.")
    declared_category = _optional(DeclaredCategory, "Category on CN 22 or CN 23.")
    hs_chapter = fields.String(
        allow_none=True,
        validate=validate.Regexp(
            r"[0-9]{2}\Z", error="It is not a chapter.\nUse the first two digits of the HS code."
        ),
        metadata={"description": "First two digits of the HS code.", "example": "39"},
    )
    concealment = _optional(Concealment, "Where the substance was, or was thought to be, hidden.")
    substance = _optional(Substance, "What was found or is suspected.")


class IndicatorSchema(Schema):
    """One thing that was seen: evaluated elements, or the place of an induction point in clear."""

    class Meta:
        unknown = RAISE

    kind = IndicatorKind(required=True, metadata={"description": "What it is an indicator of."})
    role = _word(PartyRole, "The part that it plays in the shipment.", required=True)
    epoch = fields.Integer(
        strict=True,
        load_default=0,
        validate=validate.Range(
            min=1,
            max=LARGEST_EPOCH,
            error="It is not an epoch.\nUse the newest epoch of the kind in the key document.",
        ),
        metadata={"description": "Key epoch of the elements; not for an induction point."},
    )
    elements = FacetList(
        ElementSchema,
        "element",
        ELEMENT_LENGTH,
        load_default=(),
        metadata={"description": "The evaluated facets; not for an induction point."},
    )
    place = fields.Nested(
        PlaceSchema,
        load_default=None,
        metadata={"description": "Only for an induction point, instead of epoch and elements."},
    )
    subject_category = _word(
        SubjectCategory,
        "LED Art. 6; `unwitting` is a person whose name or address was borrowed.",
        load_default=SubjectCategory.UNKNOWN,
    )
    assertion = _word(
        Assertion, "Fact or assessment (LED Art. 7).", load_default=Assertion.ASSESSMENT
    )
    source_grade = _word(
        SourceGrade, "Reliability of the source, Europol 4x4.", load_default=SourceGrade.X
    )
    information_grade = _word(
        InformationGrade,
        "Accuracy of the information, Europol 4x4.",
        load_default=InformationGrade.FOUR,
    )
    learned = _word(Learned, "How it was learned.", required=True)
    legal_basis = _word(LegalBasis, "Under which kind of law it is shared.", required=True)
    tlp = _word(Tlp, "Traffic Light Protocol 2.0.", load_default=Tlp.AMBER)
    handling = fields.List(
        fields.Enum(Handling, by_value=True),
        load_default=(),
        validate=validate.Length(max=len(Handling)),
        metadata={"description": "Handling codes H0 to H3."},
    )
    permitted_action = _word(
        PermittedAction, "How far a recipient may go.", load_default=PermittedAction.KNOW
    )
    observed_from = fields.Date(
        load_default=None, metadata={"description": "First day on which it was seen."}
    )
    observed_to = fields.Date(
        load_default=None, metadata={"description": "Last day on which it was seen."}
    )
    review_on = fields.Date(
        load_default=None,
        metadata={"description": "When to look at it again; by default halfway to its expiry."},
    )
    expires_on = fields.Date(
        load_default=None,
        metadata={"description": "When it is erased; by default after retention.indicator_days."},
    )
    quality = fields.List(
        fields.Enum(Flag, by_value=True),
        load_default=(),
        validate=validate.Length(max=len(Flag)),
        metadata={"description": "What the normaliser found doubtful."},
    )
    sealed = fields.Nested(
        SealedSchema,
        load_default=None,
        allow_none=True,
        metadata={"description": "What your own keys alone open; docs/keys.md has the form."},
    )


class ReportSchema(Schema):
    """One suspicious shipment. There is no field for free text in clear."""

    class Meta:
        unknown = RAISE

    client_key = fields.String(
        required=True,
        validate=validate.Regexp(
            CLIENT_KEY, error="It is not a key.\nUse 1 to 64 letters, digits and . _ : -"
        ),
        metadata={
            "description": "Your own opaque key: sending it again does nothing twice. "
            "It must not say anything of the shipment.",
            "pattern": CLIENT_KEY,
        },
    )
    barrier_step = fields.Integer(
        strict=True,
        load_default=None,
        validate=validate.Range(
            min=1, max=7, error="It is not a step.\nUse 1 to 7, or leave it out."
        ),
        metadata={"description": "Step of the barrier model, 1 to 7."},
    )
    shipment = Remembered(ShipmentSchema, load_default=None)
    indicators = fields.List(
        Remembered(IndicatorSchema, apart=("elements", "sealed")),
        required=True,
        validate=validate.Length(
            min=1,
            max=MOST_INDICATORS,
            error=f"It holds too few or too many.\nSend 1 to {MOST_INDICATORS} indicators.",
        ),
    )


class ReportsSchema(Schema):
    class Meta:
        unknown = RAISE

    reports = ItemList(
        fields.Nested(ReportSchema),
        required=True,
        validate=validate.Length(min=1, max=MOST_REPORTS),
        metadata={
            "description": "Each is accepted or refused by itself.",
            "minItems": 1,
            "maxItems": MOST_REPORTS,
        },
    )


class FaultSchema(Schema):
    field = fields.String(metadata={"description": "Place in the report, such as indicators.0.tlp"})
    reason = fields.String(metadata={"description": "What is wrong."})
    remedy = fields.String(metadata={"description": "What to do."})


class ReportResultSchema(Schema):
    client_key = fields.String(
        allow_none=True, metadata={"description": "As sent; null when it is not a key."}
    )
    status = fields.String(
        validate=validate.OneOf(["created", "existing", "rejected"]),
        metadata={"description": "`existing`: the same report was there already."},
    )
    id = fields.UUID(allow_none=True)
    indicators = fields.List(
        fields.UUID(),
        metadata={"description": "Ids in the order of the request; those expired since are gone."},
    )
    errors = fields.List(fields.Nested(FaultSchema))


class CountsSchema(Schema):
    created = fields.Integer()
    existing = fields.Integer()
    rejected = fields.Integer()


class ReportResultsSchema(Schema):
    results = fields.List(
        fields.Nested(ReportResultSchema),
        metadata={"description": "One for each report, in the order of the request."},
    )
    counts = fields.Nested(CountsSchema)


class PageArgumentsSchema(Schema):
    """How much of a list, and from where."""

    class Meta:
        unknown = RAISE

    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(min=1, max=200),
        metadata={"description": "Rows of the page."},
    )
    cursor = fields.UUID(load_default=None, metadata={"description": "`next` of the page before."})


class StoredIndicatorSchema(Schema):
    """An indicator as stored; tokens and elements never leave."""

    id = fields.UUID()
    kind = IndicatorKind()
    role = fields.Enum(PartyRole, by_value=True)
    subject_category = fields.Enum(SubjectCategory, by_value=True)
    assertion = fields.Enum(Assertion, by_value=True)
    source_grade = fields.Enum(SourceGrade, by_value=True)
    information_grade = fields.Enum(InformationGrade, by_value=True)
    learned = fields.Enum(Learned, by_value=True)
    legal_basis = fields.Enum(LegalBasis, by_value=True)
    tlp = fields.Enum(Tlp, by_value=True)
    handling = fields.List(fields.String())
    permitted_action = fields.Enum(PermittedAction, by_value=True)
    observed_from = fields.Date(allow_none=True)
    observed_to = fields.Date(allow_none=True)
    review_on = fields.Date()
    expires_on = fields.Date()
    quality = fields.List(fields.String())
    place = fields.Nested(PlaceSchema, allow_none=True)


class OwnIndicatorSchema(StoredIndicatorSchema):
    """What its owner sees besides."""

    epoch = fields.Integer(metadata={"description": "0 for an induction point."})
    facets = fields.List(
        fields.Integer(), metadata={"description": "Facets by which lookups can find it."}
    )
    facets_common = fields.List(
        fields.Integer(),
        metadata={"description": "Facets that too many of your indicators share to be stored."},
    )
    sealed = fields.List(
        fields.Enum(SealedPart, by_value=True),
        metadata={"description": "Parts that lie sealed here, for your own keys."},
    )
    amended_at = fields.AwareDateTime(
        format="iso", allow_none=True, metadata={"description": "When it was last amended."}
    )
    restricted_at = fields.AwareDateTime(
        format="iso",
        allow_none=True,
        metadata={
            "description": "Since when a legal hold alone keeps it: nobody else is told of it. "
            "Shown to submitters and compliance officers only."
        },
    )


class OwnReportSchema(Schema):
    id = fields.UUID()
    client_key = fields.String()
    status = fields.Enum(ReportStatus, by_value=True)
    created_at = fields.AwareDateTime(format="iso")
    barrier_step = fields.Integer(allow_none=True)
    shipment = fields.Nested(ShipmentSchema)
    indicators = fields.List(fields.Nested(OwnIndicatorSchema))
    attachments = fields.Integer(metadata={"description": "How many sealed files it has."})


class OwnReportsSchema(Schema):
    reports = fields.List(fields.Nested(OwnReportSchema), metadata={"description": "Newest first."})
    next = fields.UUID(
        allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
    )


class WithdrawSchema(Schema):
    class Meta:
        unknown = RAISE

    reason = fields.String(
        required=True,
        validate=validate.OneOf(["error", "unlawful", "obsolete"]),
        metadata={"description": "Why it is withdrawn; told to the audit log."},
    )
    recall = fields.Enum(
        RecallReason,
        by_value=True,
        load_default=None,
        metadata={
            "description": "What those are told who got something of it; by default what fits "
            "`reason`."
        },
    )


class WithdrawnSchema(Schema):
    id = fields.UUID()
    status = fields.Enum(ReportStatus, by_value=True)
    erased = fields.Integer(metadata={"description": "How many indicators were erased now."})
    restricted = fields.Integer(
        metadata={"description": "How many a legal hold keeps, restricted, until it ends."}
    )


_MEMBERS = 2  # of an item of FacetList
_MOST_REMEMBERED = 2000  # texts of a few hundred characters
