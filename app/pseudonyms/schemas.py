"""Fields of the evaluation interface."""

from marshmallow import RAISE, Schema, fields, validate

from app.fields import Base64Url, case_reference, purpose
from postern.signed_evaluation import REQUEST_ID_SIZE
from postern.signing_identity import SIGNATURE_SIZE
from postern.vocabulary import EvaluationKind

ELEMENT_LENGTH = 32  # bytes of a ristretto255 element
PROOF_LENGTH = 64  # bytes of a VOPRF proof
LARGEST_BATCH = 1000


class SignedSchema(Schema):
    class Meta:
        unknown = RAISE

    request_id = Base64Url(
        REQUEST_ID_SIZE,
        required=True,
        metadata={"description": "A number that the organisation uses once."},
    )
    asked_at = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(min=0, max=2**40),
        metadata={"description": "When it was signed, in seconds since 1970."},
    )
    signature = Base64Url(
        SIGNATURE_SIZE,
        required=True,
        metadata={"description": "Ed25519, by the organisation's signing key (docs/holders.md)."},
    )


class EvaluateSchema(Schema):
    class Meta:
        unknown = RAISE

    kind = fields.Enum(
        EvaluationKind,
        by_value=True,
        required=True,
        metadata={"description": "Whose key evaluates."},
    )
    epoch = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(min=1, max=32767),
        metadata={"description": "Key epoch, from the key document."},
    )
    elements = fields.List(
        Base64Url(ELEMENT_LENGTH),
        required=True,
        validate=validate.Length(min=1, max=LARGEST_BATCH),
        metadata={"description": "Blinded elements, each once; canonical ristretto255 encodings."},
    )
    purpose = purpose()
    case = case_reference()
    signed = fields.Nested(
        SignedSchema,
        metadata={"description": "The organisation's own signature, for a key with holders."},
    )


class PartSchema(Schema):
    key_id = fields.String(metadata={"description": "Which key made this part."})
    weight = Base64Url(
        ELEMENT_LENGTH,
        metadata={"description": "Scalar by which the part enters the sum, little-endian."},
    )
    elements = fields.List(
        Base64Url(ELEMENT_LENGTH), metadata={"description": "In the order of the request."}
    )
    proof = Base64Url(
        PROOF_LENGTH, metadata={"description": "RFC 9497 batch proof against the public key."}
    )


class QuotaSchema(Schema):
    left = fields.Integer(metadata={"description": "Evaluations left in the tightest window."})
    resets_at = fields.AwareDateTime(
        format="iso", metadata={"description": "When that window begins again."}
    )


class EvaluationSchema(Schema):
    kind = fields.Enum(EvaluationKind, by_value=True)
    epoch = fields.Integer()
    parts = fields.List(fields.Nested(PartSchema))
    quota = fields.Nested(QuotaSchema)
