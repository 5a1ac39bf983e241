"""Blind evaluation, and the signed key document by which clients check it."""

import hashlib
import json
from typing import Any

from flask import request
from flask_smorest import Blueprint
from werkzeug.wrappers import Response

from app.audit.guard import audited, caller, public, transaction
from app.pseudonyms import service
from app.pseudonyms.schemas import EvaluateSchema, EvaluationSchema
from app.runtime import runtime
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "pseudonyms",
    __name__,
    description="Pseudonymise identifiers without showing them (RFC 9497, verifiable mode).",
)

_EVALUATORS = [Role.SUBMITTER, Role.ANALYST, Role.COMPLIANCE]


@blueprint.post("/api/v1/evaluate")
@audited("evaluation.evaluate", roles=_EVALUATORS, scope=Scope.EVALUATE)
@blueprint.arguments(EvaluateSchema)
@blueprint.response(200, EvaluationSchema)
def evaluate(asked: dict[str, Any]) -> service.Evaluation:
    """Evaluate blinded elements

    Each element counts against the quotas of your organisation and of yourself. The platform does
    not learn what was blinded; the log keeps who, when, which kind, how many, why and which case.
    """
    return service.evaluate(transaction(), caller(), **asked)


@blueprint.get("/.well-known/postern-keys.json")
@public
@blueprint.response(200, {"type": "object"}, description="The document and its signature.")
def keys() -> Response:
    """The signed key document

    Public keys of every kind and epoch, the same for all, signed by the platform's directory key
    whose fingerprint clients pin.
    """
    with runtime().database.reading() as session:
        body = json.dumps(service.signed_document(session), sort_keys=True).encode()
    response = Response(body, mimetype="application/json")
    response.set_etag(hashlib.sha256(body).hexdigest())
    response.headers["Cache-Control"] = "public, max-age=60"
    return response.make_conditional(request)
