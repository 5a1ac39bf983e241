"""The description of the interface itself: for programs, and as a page for people."""

import hashlib
import json

from flask import Response, current_app, render_template, request
from flask_smorest import Blueprint
from werkzeug.wrappers import Response as BaseResponse

from app.audit.guard import public
from app.errors import NotFoundError
from app.web.openapi import document
from app.web.reference import error_kinds, reference

blueprint = Blueprint(
    "interface", __name__, description="This description, and what each error means."
)


@blueprint.get("/api/openapi.json")
@public
@blueprint.response(200, {"type": "object"}, description="An OpenAPI 3.1 document.")
def openapi() -> BaseResponse:
    """This interface as OpenAPI 3.1

    For generators of clients and for validators. What each operation demands stands in
    `x-postern-roles`, `x-postern-scope` and `x-postern-act`.
    """
    body = json.dumps(document(current_app)).encode()
    response = Response(body, mimetype="application/json")
    response.set_etag(hashlib.sha256(body).hexdigest())
    response.headers["Cache-Control"] = "public, max-age=300"
    return response.make_conditional(request)


@blueprint.get("/api/docs")
@public
@blueprint.response(200, {"type": "string"}, content_type="text/html", description="A page.")
def docs() -> Response:
    """This interface as a page

    Every operation, every shape and every error, made from the same description.
    """
    told = reference(document(current_app))
    return Response(render_template("api_docs.html", reference=told, errors=error_kinds()))


@blueprint.get("/errors/<code>")
@public
@blueprint.response(200, {"type": "string"}, content_type="text/html", description="A page.")
def explain_error(code: str) -> Response:
    """What an error means

    The address that every problem carries as its `type`.
    """
    for kind in error_kinds():
        if kind.code == code:
            return Response(render_template("api_error.html", kind=kind))
    raise NotFoundError("There is no error with this code.")
