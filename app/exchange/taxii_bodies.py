"""The body of a POST, read strictly: JSON of one meaning only, and an envelope of objects."""

import json
import math
from typing import Any

from app.exchange.taxii_errors import (
    MalformedEnvelopeError,
    MalformedJsonError,
    TooManyObjectsError,
)

MOST_OBJECTS = 5000  # of one envelope


def read_envelope(body: bytes) -> list[dict[str, Any]]:
    """The objects of an envelope (TAXII 2.1, section 3.7), at least one.

    MalformedJsonError, MalformedEnvelopeError or TooManyObjectsError for anything else.
    """
    found = _read_json(body)
    if not isinstance(found, dict):
        raise MalformedEnvelopeError("The body is not a JSON object")
    objects = found.get("objects")
    if not isinstance(objects, list) or not objects:
        raise MalformedEnvelopeError("The envelope has no list `objects`, or an empty one")
    if len(objects) > MOST_OBJECTS:
        raise TooManyObjectsError(f"The envelope holds more than {MOST_OBJECTS} objects")
    for place, each in enumerate(objects):
        if not isinstance(each, dict):
            raise MalformedEnvelopeError(f"objects[{place}] is not a JSON object")
    return objects


def _read_json(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
        return json.loads(
            text, object_pairs_hook=_members, parse_constant=_constant, parse_float=_finite
        )
    except (ValueError, RecursionError):  # neither repeats what was sent
        raise MalformedJsonError from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number
