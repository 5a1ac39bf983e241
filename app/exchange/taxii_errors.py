"""Errors as TAXII 2.1 has them (section 3.6.1), and those that only TAXII knows.

The members that the standard names are strings: `http_status` too.
"""

import json
from collections.abc import Mapping
from typing import Any

from flask import Response

from app.errors import PosternError
from app.exchange.negotiation import MEDIA_TYPE
from app.runtime import runtime


class NotAcceptableError(PosternError):
    status = 406
    code = "not-acceptable"
    title = "What is asked for in Accept is not spoken here"
    remedy = f"Send Accept: {MEDIA_TYPE}."


class NotTaxiiError(PosternError):
    status = 415
    code = "not-taxii"
    title = "The body is not a TAXII 2.1 message by its content type"
    remedy = f"Send it with Content-Type: {MEDIA_TYPE}."


class MalformedEnvelopeError(PosternError):
    status = 422
    code = "malformed-envelope"
    title = "The body is not an envelope of objects"
    remedy = 'Send {"objects": [...]} with at least one STIX 2.1 object, in UTF-8.'


class MalformedJsonError(PosternError):
    status = 400
    code = "malformed-json"
    title = "The body is not JSON that can be read"
    remedy = "Send JSON (RFC 8259) in UTF-8 with finite numbers, no name twice, and little nesting."


class InvalidFilterError(PosternError):
    """An argument of the address cannot be read; `errors` names it."""

    status = 400
    code = "invalid-filter"
    title = "An argument of the address cannot be read"
    remedy = "Correct the arguments listed in details; docs/taxii.md has their forms."


class TooManyObjectsError(PosternError):
    status = 413
    code = "too-many-objects"
    title = "The envelope holds more objects than are taken at once"
    remedy = "Split it into several envelopes."


def answer(problem: Mapping[str, Any]) -> Response:
    """The body of an error; whoever calls sets the status and the headers."""
    message = {
        "title": problem["title"],
        "description": f"{problem['detail']}. {problem['remedy']}".replace(".. ", ". "),
        "error_id": problem["instance"],
        "error_code": problem["code"],
        "http_status": str(problem["status"]),
        "external_details": f"{runtime().settings.platform.origin}/errors/{problem['code']}",
    }
    details = {each["field"]: each["reason"] for each in problem.get("errors", ())}
    if details:
        message["details"] = details
    return Response(json.dumps(message), content_type=MEDIA_TYPE)
