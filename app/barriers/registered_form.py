"""What the form of a barrier says, read field by field; every fault is told at its field."""

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from flask import request
from flask_babel import lazy_gettext as _

from app.barriers.barrier_schemas import POINT_NAME
from app.barriers.model import BarrierModel, Cost
from app.barriers.registering import NewBarrier, Place
from app.errors import InvalidRequestError
from postern.normalise.countries import ISO
from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    LegalBasis,
    SourceGrade,
    Tlp,
)

WRITE_DAY = "Write the day as YYYY-MM-DD."
_CHOOSE = "Choose one of the list."
_WRITE_NAME = _("Use letters, digits, spaces and . _ / - in up to 40 characters.")

USUAL: Mapping[str, StrEnum] = {
    "tlp": Tlp.GREEN,
    "source_grade": SourceGrade.A,
    "information_grade": InformationGrade.ONE,
    "assertion": Assertion.FACT,
}
"""As the interface for programs takes it where nothing is said."""

_WORDS: Mapping[str, type[StrEnum]] = {
    "cost": Cost,
    "legal_basis": LegalBasis,
    **{name: type(word) for name, word in USUAL.items()},
}

LISTS: Mapping[str, list[Any]] = {
    **{name: list(kind) for name, kind in _WORDS.items()},
    "handling": list(Handling),
}
"""What may be chosen."""

_COUNTRIES = frozenset(each.upper() for each in ISO)

_Faults = dict[str, str]


def typed_barrier(document: BarrierModel) -> NewBarrier:
    """What the form says; InvalidRequestError names each field that says nothing possible."""
    faults: _Faults = {}
    key = request.form.get("barrier", "")
    steps = {each.key: step.number for step in document.steps for each in step.barriers}
    if key not in steps:
        faults["barrier"] = _CHOOSE
    first, last, ends = _days(faults)
    words, codes, place = _words(faults), _codes(faults), _place(faults)
    if faults or first is None:
        raise wrong(**faults)
    return NewBarrier(
        step=steps[key],
        key=key,
        from_day=first,
        to_day=last,
        expires_on=ends,
        place=place,
        handling=codes,
        **words,
    )


def day_of(name: str) -> date | None:
    """A day of the form, None where it is left empty; InvalidRequestError for what is no day."""
    typed = request.form.get(name, "").strip()
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise wrong(**{name: WRITE_DAY}) from None


def wrong(**reasons: str) -> InvalidRequestError:
    """A refusal that tells of each field what is wrong with it."""
    errors = [{"field": f"json.{name}", "reason": why} for name, why in reasons.items()]
    return InvalidRequestError(errors=errors)


def _days(faults: _Faults) -> tuple[date | None, date | None, date | None]:
    """The first and the last day, and that on which the record ends."""
    days: dict[str, date | None] = {}
    for name in ("from", "until", "expires_on"):
        try:
            days[name] = day_of(name)
        except InvalidRequestError:
            faults[name] = WRITE_DAY
    if days.get("from") is None:
        faults["from"] = WRITE_DAY
    return days.get("from"), days.get("until"), days.get("expires_on")


def _words(faults: _Faults) -> dict[str, Any]:
    words: dict[str, Any] = {}
    for name, kind in _WORDS.items():
        typed = request.form.get(name)
        words[name] = next((each for each in kind if each.value == typed), USUAL.get(name))
        if words[name] is None or (typed and words[name] != typed):
            faults[name] = _CHOOSE
    return words


def _codes(faults: _Faults) -> frozenset[Handling]:
    codes = set(request.form.getlist("handling"))
    if not codes <= set(Handling):
        faults["handling"] = _CHOOSE
        return frozenset()
    return frozenset(Handling(code) for code in codes)


def _place(faults: _Faults) -> Place:
    country = request.form.get("country") or None
    if country is not None and country not in _COUNTRIES:
        faults["country"] = _CHOOSE
    point = {name: request.form.get(name, "").strip() or None for name in ("operator", "code")}
    for name, text in point.items():
        if text is not None and not re.match(POINT_NAME, text):
            faults[name] = str(_WRITE_NAME)
    return Place(country, point["operator"], point["code"])
