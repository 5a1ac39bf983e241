"""Fields of barrier models on the wire; docs/barrier-model.md explains them for people."""

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from app.barriers.comparing import Part
from app.barriers.model import (
    BarrierType,
    Basis,
    CellKind,
    Cost,
    CostBasis,
    Finding,
    Reading,
    Status,
    Strength,
)
from app.barriers.modelling import LONGEST_NOTE, MOST_BYTES
from app.barriers.models import ModelState
from app.fields import plain_text
from app.indicators.shared_schemas import OwnerSchema
from postern.patterns.words import LANGUAGES

_LARGEST_NUMBER = 2**31 - 1


def _word(kind: type[Any], description: str, **kwargs: Any) -> fields.Field[Any]:
    return fields.Enum(kind, by_value=True, metadata={"description": description}, **kwargs)


def seq_field(description: str, **kwargs: Any) -> fields.Field[Any]:
    """The number of a version."""
    return fields.Integer(
        strict=kwargs.pop("strict", True),
        validate=validate.Range(min=1, max=_LARGEST_NUMBER),
        metadata={"description": description},
        **kwargs,
    )


def language_field() -> fields.Field[Any]:
    """The language of words in the answer."""
    return fields.String(
        load_default="en",
        validate=validate.OneOf(LANGUAGES),
        metadata={"description": "Of the words; the document's first where it has not this one."},
    )


class BarrierLanguageSchema(Schema):
    class Meta:
        unknown = RAISE

    language = language_field()


class ModelTextSchema(Schema):
    """A document, `barrier-model/1`."""

    class Meta:
        unknown = RAISE

    text = fields.String(
        required=True,
        validate=validate.Length(min=1, max=MOST_BYTES),
        metadata={"description": f"The document: YAML of up to {MOST_BYTES} bytes."},
    )


class NewModelSchema(ModelTextSchema):
    community = fields.String(
        load_default=None,
        allow_none=True,
        validate=[validate.Length(min=1, max=64), plain_text],
        metadata={"description": "Code of a community of yours that may read and use it too."},
    )


class ModelVersionSchema(Schema):
    """Which version of the model is meant."""

    class Meta:
        unknown = RAISE

    version = seq_field("The one you read.", required=True)


class ModelApprovalSchema(ModelVersionSchema):
    note = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=LONGEST_NOTE),
        metadata={"description": "For its author."},
    )


class ModelRefusalSchema(ModelVersionSchema):
    note = fields.String(
        required=True,
        validate=validate.Length(min=1, max=LONGEST_NOTE),
        metadata={"description": "Why; its author reads it."},
    )


class ModelComparingSchema(Schema):
    class Meta:
        unknown = RAISE

    before = seq_field("The earlier version.", required=True, strict=False)
    after = seq_field("The later version.", required=True, strict=False)


class ModelChoosingSchema(Schema):
    class Meta:
        unknown = RAISE

    model = fields.UUID(required=True, metadata={"description": "Id of a model in force."})


class ListedModelSchema(Schema):
    id = fields.UUID()
    document_id = fields.UUID(metadata={"description": "The id that its documents carry."})
    organisation = fields.Nested(
        OwnerSchema, allow_none=True, metadata={"description": "null: the platform's own."}
    )
    community = fields.String(
        allow_none=True, metadata={"description": "Its members may read and use it."}
    )
    is_own = fields.Boolean()
    title = fields.String()
    status = _word(
        Status, "What it claims to be; null: no version is in force or waits.", allow_none=True
    )
    version = fields.Integer(
        allow_none=True, metadata={"description": "In force; null: none ever was."}
    )
    number = fields.Integer(
        allow_none=True, metadata={"description": "The version that the document gives itself."}
    )
    proposed = fields.Integer(
        allow_none=True,
        metadata={"description": "The version that waits for a second person; of your own."},
    )


class ListedModelsSchema(Schema):
    models = fields.List(fields.Nested(ListedModelSchema))


class ModelVersionRowSchema(Schema):
    version = fields.Integer()
    number = fields.Integer()
    state = _word(ModelState, "How far it has come.")
    title = fields.String()
    sha256 = fields.String(metadata={"description": "Of the text's UTF-8 bytes."})
    proposed_at = fields.AwareDateTime(format="iso")
    proposed_by = fields.UUID(allow_none=True, metadata={"description": "Of your own."})
    decided_at = fields.AwareDateTime(format="iso", allow_none=True)
    decided_by = fields.UUID(allow_none=True, metadata={"description": "Of your own."})
    note = fields.String(allow_none=True, metadata={"description": "Of your own."})


class ModelSourceSchema(Schema):
    key = fields.String()
    title = fields.String()
    publisher = fields.String()
    date = fields.String(metadata={"description": "A day, month or year; empty: not known."})
    url = fields.String()
    read = _word(Reading, "How much of it the makers have read.")


class ModelEvidenceSchema(Schema):
    strength = _word(Strength, "The strongest that speaks about it.")
    finding = _word(Finding, "What it says.", allow_none=True)
    text = fields.String(allow_none=True)
    sources = fields.List(fields.String())


class ModelCellSchema(Schema):
    """One statement about a step; what follows `suggests` is of barriers alone."""

    column = _word(CellKind, "Where it stands.")
    key = fields.String()
    text = fields.String()
    basis = _word(Basis, "What it rests on.")
    sources = fields.List(fields.String(), metadata={"description": "Keys of sources."})
    suggests = fields.String(
        allow_none=True,
        metadata={"description": "Of a signal: the rule that suggests it, as it is written."},
    )
    type = _word(BarrierType, "The kind of thing that it is.", allow_none=True)
    set_by = fields.List(fields.String(), metadata={"description": "Keys of partners."})
    cost = _word(Cost, "What it costs whoever sets it.", allow_none=True)
    cost_basis = _word(CostBasis, "What that rests on.", allow_none=True)
    legal_basis = fields.String(allow_none=True, metadata={"description": "null: not known."})
    evidence = fields.Nested(ModelEvidenceSchema, allow_none=True)


class ModelStepSchema(Schema):
    number = fields.Integer()
    key = fields.String()
    title = fields.String()
    summary = fields.String()
    basis = _word(Basis, "What it rests on.")
    sources = fields.List(fields.String())
    cells = fields.List(fields.Nested(ModelCellSchema))


class ModelDocumentSchema(Schema):
    """A model in one language. `label` is to be shown wherever any of it is."""

    title = fields.String()
    status = _word(Status, "What it claims to be.")
    label = fields.String(metadata={"description": "The same in words."})
    statement = fields.String()
    languages = fields.List(fields.String())
    sources = fields.List(fields.Nested(ModelSourceSchema))
    steps = fields.List(fields.Nested(ModelStepSchema))


class ModelSchema(Schema):
    """A model with its versions; `document` is that in force."""

    listed = fields.Nested(ListedModelSchema)
    is_in_use = fields.Boolean(metadata={"description": "Whether your organisation uses it."})
    document = fields.Nested(ModelDocumentSchema, allow_none=True)
    versions = fields.List(
        fields.Nested(ModelVersionRowSchema), metadata={"description": "Newest first."}
    )


class ModelKeptTextSchema(Schema):
    text = fields.String()


class ModelFaultSchema(Schema):
    line = fields.Integer()
    column = fields.Integer()
    reason = fields.String()
    remedy = fields.String()


class CheckedModelSchema(Schema):
    """What a text holds: a document, or faults."""

    document = fields.Nested(ModelDocumentSchema, allow_none=True)
    faults = fields.List(fields.Nested(ModelFaultSchema))


class CheckModelSchema(ModelTextSchema):
    language = language_field()


class ComparedPartSchema(Schema):
    part = _word(Part, "What it is.")
    step = fields.Integer()
    key = fields.String()


class MovedPartSchema(ComparedPartSchema):
    step_before = fields.Integer()


class RewordedPartSchema(ComparedPartSchema):
    languages = fields.List(fields.String())


class ModelComparisonSchema(Schema):
    """What the later version changes of the earlier one."""

    objections = fields.List(
        fields.String(), metadata={"description": "Why it is no next version, in English."}
    )
    heading = fields.List(
        fields.String(), metadata={"description": "Parts of the document itself that differ."}
    )
    added = fields.List(fields.Nested(ComparedPartSchema))
    removed = fields.List(fields.Nested(ComparedPartSchema))
    moved = fields.List(fields.Nested(MovedPartSchema))
    reworded = fields.List(fields.Nested(RewordedPartSchema))
    changed = fields.List(fields.Nested(ComparedPartSchema))


class ModelChoiceSchema(Schema):
    model = fields.UUID()
    since = fields.AwareDateTime(format="iso")
    community = fields.String(
        allow_none=True, metadata={"description": "The one that chose for its members."}
    )


class ModelInUseSchema(Schema):
    """The model by which your organisation tags and registers."""

    model = fields.UUID()
    version = fields.Integer()
    document = fields.Nested(ModelDocumentSchema)
    history = fields.List(
        fields.Nested(ModelChoiceSchema),
        metadata={"description": "What was chosen, newest first; empty: the platform's own."},
    )
