"""Fields of amendments and of legal holds on the wire; docs/reports.md explains them for people."""

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load, validate

from app.fields import case_reference
from app.indicators.schemas import IndicatorSchema, ReportSchema, ShipmentSchema
from postern.vocabulary import (
    Assertion,
    Handling,
    HoldReason,
    InformationGrade,
    PermittedAction,
    RecallReason,
    SourceGrade,
    SubjectCategory,
    Tlp,
)

_FIXED = (
    "It says what the report is of, so it cannot be amended: withdraw the report and send it anew."
)


def _word(kind: type[Any], description: str) -> fields.Field[Any]:
    return fields.Enum(kind, by_value=True, metadata={"description": description})


def _day(description: str, *, allow_none: bool = False) -> fields.Field[Any]:
    return fields.Date(allow_none=allow_none, metadata={"description": description})


class ReasonSchema(Schema):
    """Why something is corrected."""

    class Meta:
        unknown = RAISE

    reason = fields.Enum(
        RecallReason,
        by_value=True,
        required=True,
        metadata={"description": "Why; told to those who got something of it, and to the log."},
    )

    fixed: frozenset[str] = frozenset()
    """Fields that can be sent and not be amended."""

    @pre_load
    def refuse_fixed(self, given: Any, **_: Any) -> Any:
        """Say of what cannot be amended what to do instead."""
        wrong = self.fixed.intersection(given) if isinstance(given, dict) else ()
        if wrong:
            raise ValidationError({name: [_FIXED] for name in sorted(wrong)})
        return given


class AmendIndicatorSchema(ReasonSchema):
    """What is right of an indicator; what is left out stays as it is."""

    subject_category = _word(SubjectCategory, "LED Art. 6.")
    assertion = _word(Assertion, "Fact or assessment (LED Art. 7).")
    source_grade = _word(SourceGrade, "Reliability of the source, Europol 4x4.")
    information_grade = _word(InformationGrade, "Accuracy of the information, Europol 4x4.")
    tlp = _word(Tlp, "Traffic Light Protocol 2.0.")
    handling = fields.List(
        fields.Enum(Handling, by_value=True),
        validate=validate.Length(max=len(Handling)),
        metadata={"description": "Handling codes H0 to H3; an empty list is none."},
    )
    permitted_action = _word(PermittedAction, "How far a recipient may go.")
    observed_from = _day("First day on which it was seen; null for none.", allow_none=True)
    observed_to = _day("Last day on which it was seen; null for none.", allow_none=True)
    review_on = _day("When to look at it again.")
    expires_on = _day("When it is erased.")

    fixed = frozenset(IndicatorSchema().fields) - {
        "subject_category",
        "assertion",
        "source_grade",
        "information_grade",
        "tlp",
        "handling",
        "permitted_action",
        "observed_from",
        "observed_to",
        "review_on",
        "expires_on",
    }


class AmendReportSchema(ReasonSchema, ShipmentSchema):
    """What is right of a report; what is left out stays as it is, null is nothing."""

    class Meta(ReasonSchema.Meta, ShipmentSchema.Meta):
        unknown = RAISE

    barrier_step = fields.Integer(
        strict=True,
        allow_none=True,
        validate=validate.Range(
            min=1, max=7, error="It is not a step. Use 1 to 7, or null for none."
        ),
        metadata={"description": "Step of the barrier model, 1 to 7."},
    )

    fixed = frozenset(ReportSchema().fields) - {"barrier_step"}


class AmendedFieldSchema(Schema):
    field = fields.String(metadata={"description": "Which field was changed."})
    old = fields.Raw(allow_none=True, metadata={"description": "Its word before."})
    new = fields.Raw(allow_none=True, metadata={"description": "Its word now."})


class AmendmentSchema(Schema):
    id = fields.UUID(metadata={"description": "Of the report or the indicator."})
    changes = fields.List(
        fields.Nested(AmendedFieldSchema),
        metadata={"description": "Empty when everything stood so already: nobody was told."},
    )
    indicators = fields.List(
        fields.UUID(), metadata={"description": "Indicators whose recipients are told."}
    )


class LegalHoldOrderSchema(Schema):
    """A legal hold to be placed on a report."""

    class Meta:
        unknown = RAISE

    reason = fields.Enum(
        HoldReason, by_value=True, required=True, metadata={"description": "Why it must be kept."}
    )
    until = fields.Date(
        required=True,
        metadata={"description": "The last day on which it is kept, at most five years from now."},
    )
    case = case_reference()


class LegalHoldSchema(Schema):
    """A legal hold on a report of one's own."""

    id = fields.UUID()
    report = fields.UUID()
    reason = fields.Enum(HoldReason, by_value=True)
    until = fields.Date(metadata={"description": "The last day on which it stands."})
    stands = fields.Boolean(metadata={"description": "Whether it keeps the report now."})
    restricted = fields.Integer(
        metadata={"description": "Indicators of the report whose time is over and that it keeps."}
    )
    made_at = fields.AwareDateTime(format="iso")
    made_by = fields.UUID(metadata={"description": "The pseudonym of who placed it."})
    released_at = fields.AwareDateTime(format="iso", allow_none=True)
    released_by = fields.UUID(allow_none=True)


class LegalHoldsSchema(Schema):
    holds = fields.List(fields.Nested(LegalHoldSchema), metadata={"description": "Newest first."})
    next = fields.UUID(
        allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
    )
