"""What a refused request asked for, as far as the log may hold it: codes, a case and ids.

A refused consultation is to be justified like another one. Nothing is taken over that is not of a
closed list, a case reference or an id, so that no clear value enters with a malformed request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask import request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from app.audit.catalogue import CATALOGUE, Operation
from app.fields import plain_text
from postern.vocabulary import LegalBasis, Purpose

_LONGEST_CASE = 128  # characters


@dataclass(frozen=True)
class Attempt:
    """The grounds and the objects that a request named; empty where it named none."""

    purpose: str = ""
    basis: str = ""
    case: str = ""
    objects: tuple[str, ...] = ()


def attempted(act: str) -> Attempt:
    """What the request in progress asked for.

    Grounds only of acts on indicators: elsewhere the same names are filters.
    """
    found = tuple(str(one) for one in (request.view_args or {}).values() if isinstance(one, UUID))
    if CATALOGUE[act].operation is Operation.ADMINISTRATION:
        return Attempt(objects=found)
    given = _given()
    return Attempt(
        purpose=_code(Purpose, given.get("purpose")),
        basis=_code(LegalBasis, given.get("legal_basis")),
        case=_case(given.get("case")),
        objects=found,
    )


def _given() -> Mapping[str, Any]:
    if request.args:
        return request.args
    try:
        body = request.get_json(silent=True)
    except (HTTPException, RecursionError):  # longer or deeper than is accepted
        return {}
    return body if isinstance(body, dict) else {}


def _code(known: type[StrEnum], given: object) -> str:
    return given if isinstance(given, str) and given in set(known) else ""


def _case(given: object) -> str:
    if not isinstance(given, str) or len(given) > _LONGEST_CASE:
        return ""
    try:
        plain_text(given)
    except ValidationError:
        return ""
    return given.strip()
