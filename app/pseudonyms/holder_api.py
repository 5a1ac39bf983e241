"""What a holder of key shares answers: what organisations signed, evaluated."""

from typing import Any

from flask import g, request
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app.audit.guard import audited, caller, public, transaction
from app.errors import InvalidRequestError, MalformedRequestError
from app.fields import Base64Url, purpose
from app.pseudonyms import holder_service
from app.pseudonyms.holders import PATH
from app.pseudonyms.moved_shares import PATH as SHARES_PATH
from app.pseudonyms.schemas import ELEMENT_LENGTH, LARGEST_BATCH, PROOF_LENGTH, SignedSchema
from app.pseudonyms.sharing import split
from app.runtime import runtime
from postern.signed_evaluation import Question, Signed
from postern.vocabulary import EvaluationKind

blueprint = Blueprint(
    "holder", __name__, description="Evaluate with a share of a key what an organisation signed."
)
told_blueprint = Blueprint("held", __name__, description="Tell which shares are held.")
blueprints = (blueprint, told_blueprint)


class HeldQuestionSchema(Schema):
    class Meta:
        unknown = RAISE

    organisation = fields.String(required=True, validate=validate.Length(min=2, max=40))
    kind = fields.Enum(EvaluationKind, by_value=True, required=True)
    epoch = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=32767))
    purpose = purpose()
    elements = fields.List(
        Base64Url(ELEMENT_LENGTH),
        required=True,
        validate=validate.Length(min=1, max=LARGEST_BATCH),
    )
    signed = fields.Nested(SignedSchema, required=True)


class HeldEvaluationSchema(Schema):
    elements = fields.List(Base64Url(ELEMENT_LENGTH))
    proof = Base64Url(PROOF_LENGTH)


class HeldKeySchema(Schema):
    kind = fields.Enum(EvaluationKind, by_value=True)
    epoch = fields.Integer()
    commitments = fields.List(
        Base64Url(ELEMENT_LENGTH), metadata={"description": "As the key document has them."}
    )


class HeldKeysSchema(Schema):
    shares = fields.List(fields.Nested(HeldKeySchema))


@blueprint.before_request
def know_the_signer() -> None:
    """Find out who signed, before the guard asks who is calling: a signature is the sign-in."""
    raw = request.get_json(silent=True)
    if not isinstance(raw, dict):
        raise MalformedRequestError
    try:
        asked: dict[str, Any] = HeldQuestionSchema().load(raw)
    except ValidationError as error:
        told = error.messages if isinstance(error.messages, dict) else {}
        wrong = sorted(str(field) for field in told) or ["_schema"]
        raise InvalidRequestError(
            errors=[{"field": f"json.{field}", "reason": "It is not valid."} for field in wrong]
        ) from None
    signed = Signed(**asked.pop("signed"))
    with runtime().database.reading() as session:
        commitment = holder_service.commitment(session, asked["kind"], asked["epoch"])
        question = Question(commitment=commitment, **asked)
        g.caller = holder_service.signer(session, question, signed)
    g.held_question, g.held_signed = question, signed


@blueprint.post(PATH)
@audited("holder.evaluate", any_scope=True)
@blueprint.response(200, HeldEvaluationSchema)
def evaluate() -> holder_service.HeldEvaluation:
    """Evaluate blinded elements with this holder's share

    The organisation named signs the question; a signature is taken once, and for minutes.
    """
    return holder_service.evaluate(transaction(), caller(), g.held_question, g.held_signed)


@told_blueprint.get(SHARES_PATH)
@public
@told_blueprint.response(200, HeldKeysSchema)
def shares() -> dict[str, Any]:
    """Tell which shares are held

    By the commitments to their keys, which are public: so a platform sees, before it rotates a
    key, who has moved its share.
    """
    with runtime().database.reading() as session:
        found = holder_service.held(session)
        return {
            "shares": [
                {
                    "kind": each.kind,
                    "epoch": each.epoch,
                    "commitments": split(bytes(each.commitments)),
                }
                for each in found
            ]
        }
