"""An indicator of a Postern, as a reader has it: closed words, tokens and days, nothing else.

Whatever is not of its form makes the whole object none of ours: a server that is not to be trusted
can put no text of its own into what is kept.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from postern.stix.names import EXTENSIONS, KILL_CHAIN, PHASES, moment, split_id
from postern.stix.schema import (
    DAYS,
    INDICATOR_WORDS,
    MOST_TOKENS,
    PLACE_PATTERN,
    SHIPMENT_PATTERNS,
    SHIPMENT_WORDS,
)
from postern.stix.sent_reading import MARKED_TLP
from postern.stix.tokens import EXCHANGE_TOKEN, REFERENCE, facet_number
from postern.vocabulary import INDICATOR_KINDS, Handling, Kind, PartyRole, Tlp

Word = TypeVar("Word", bound=StrEnum)

_PLACE = re.compile(PLACE_PATTERN, re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_LAST_EPOCH = 32767
_LAST_STEP = 7
_KIND_LABEL = "kind:"


@dataclass(frozen=True, slots=True)
class Received:
    """One version. Of one that is `revoked` there is no more than its id, its owner and its kind.

    `words` are the words of its extension by name: level, source_grade, learned and so on. `tokens`
    are by facet number; there are none where only `reference` was given. `owner` is the STIX id of
    an identity.
    """

    id: str
    modified: str  # as its sender writes it
    revoked: bool
    owner: str | None = None
    kind: Kind | None = None
    role: PartyRole | None = None
    epoch: int = 0
    tokens: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    reference: str | None = None
    place: Mapping[str, str] | None = None
    tlp: Tlp | None = None
    handling: tuple[Handling, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    days: Mapping[str, date] = field(default_factory=dict)
    shipment: Mapping[str, str] = field(default_factory=dict)
    barrier_step: int | None = None
    valid_until: datetime | None = None


class _OtherFormError(ValueError):
    """Something is not of the form that a Postern writes."""


def received_of(obj: Mapping[str, Any]) -> Received | None:
    """The indicator, or None when it is none that a Postern wrote. Any indicator can be revoked."""
    found, modified = split_id(obj.get("id")), obj.get("modified")
    if found is None or found[0] != "indicator" or obj.get("type") != "indicator":
        return None
    if not isinstance(modified, str) or moment(modified) is None:
        return None
    author = obj.get("created_by_ref")
    named = split_id(author)
    owner = author if named and named[0] == "identity" and isinstance(author, str) else None
    try:
        if obj.get("revoked") is True:
            kind = _kind_of(obj.get("labels"))
            return Received(obj["id"], modified, revoked=True, owner=owner, kind=kind)
        return _read(obj, modified, owner)
    except _OtherFormError:
        return None


def _read(obj: Mapping[str, Any], modified: str, owner: str | None) -> Received:
    extensions = _object(obj.get("extensions"))
    postal = _object(extensions.get(EXTENSIONS["postal-indicator"]))
    consignment = _object(extensions.get(EXTENSIONS["consignment"], {}))
    kind = _word(postal.get("kind"), Kind)
    if kind not in INDICATOR_KINDS:
        raise _OtherFormError
    place = None
    if kind is Kind.INDUCTION_POINT:
        place = _place(_object(extensions.get(EXTENSIONS["induction-point"])))
    tokens = _tokens(_object(postal.get("tokens", {})))
    reference = postal.get("reference")
    if reference is not None and not (
        isinstance(reference, str) and REFERENCE.fullmatch(reference)
    ):
        raise _OtherFormError
    if place is None and not tokens and reference is None:
        raise _OtherFormError
    return Received(
        id=obj["id"],
        modified=modified,
        revoked=False,
        owner=owner,
        kind=kind,
        role=_word(postal.get("role"), PartyRole),
        epoch=_number(postal.get("epoch", 0), _LAST_EPOCH),
        tokens=tokens,
        reference=reference,
        place=place,
        tlp=_tlp(obj.get("object_marking_refs", [])),
        handling=tuple(_word(each, Handling) for each in _list(postal.get("handling", []))),
        words={
            name: _word(postal[name], words).value
            for name, words in INDICATOR_WORDS.items()
            if name in postal
        },
        days={name: _day(postal[name]) for name in DAYS if name in postal},
        shipment=_shipment(consignment),
        barrier_step=_step(obj, consignment),
        valid_until=moment(obj.get("valid_until")),
    )


def _tokens(found: Mapping[str, Any]) -> dict[int, tuple[str, ...]]:
    tokens: dict[int, tuple[str, ...]] = {}
    for name, listed in found.items():
        number = facet_number(name)
        texts = _list(listed)
        if number is None or not all(isinstance(each, str) for each in texts):
            raise _OtherFormError
        if not all(map(EXCHANGE_TOKEN.fullmatch, texts)):
            raise _OtherFormError
        tokens[number] = tuple(texts)
    if sum(map(len, tokens.values())) > MOST_TOKENS:
        raise _OtherFormError
    return tokens


def _shipment(consignment: Mapping[str, Any]) -> dict[str, str]:
    found = {
        name: _word(consignment[name], words).value
        for name, words in SHIPMENT_WORDS.items()
        if name in consignment
    }
    for name, pattern in SHIPMENT_PATTERNS.items():
        if name in consignment:
            found[name] = _text(consignment[name], re.compile(pattern, re.ASCII))
    return found


def _place(point: Mapping[str, Any]) -> dict[str, str]:
    return {
        "operator": _text(point.get("operator"), _PLACE),
        "code": _text(point.get("code"), _PLACE),
        "country": _text(point.get("country"), _COUNTRY),
    }


def _step(obj: Mapping[str, Any], consignment: Mapping[str, Any]) -> int | None:
    if "barrier_step" in consignment:
        return _number(consignment["barrier_step"], _LAST_STEP)
    for phase in _list(obj.get("kill_chain_phases", [])):
        name = _object(phase).get("phase_name")
        if phase.get("kill_chain_name") == KILL_CHAIN and name in PHASES:
            return PHASES.index(name) + 1
    return None


def _tlp(refs: object) -> Tlp | None:
    """The strictest, if there are several."""
    found = {MARKED_TLP[ref] for ref in _list(refs) if isinstance(ref, str) and ref in MARKED_TLP}
    return max(found, key=list(Tlp).index, default=None)


def _kind_of(labels: object) -> Kind | None:
    for label in labels if isinstance(labels, list) else []:
        if isinstance(label, str) and label.removeprefix(_KIND_LABEL) in set(Kind):
            return Kind(label.removeprefix(_KIND_LABEL))
    return None


def _object(found: object) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise _OtherFormError
    return found


def _list(found: object) -> list[Any]:
    if not isinstance(found, list) or len(found) > MOST_TOKENS:
        raise _OtherFormError
    return found


def _word(found: object, words: type[Word]) -> Word:
    if not isinstance(found, str):
        raise _OtherFormError
    try:
        return words(found)
    except ValueError:
        raise _OtherFormError from None


def _number(found: object, most: int) -> int:
    if type(found) is not int or not 0 <= found <= most:
        raise _OtherFormError
    return found


def _text(found: object, form: re.Pattern[str]) -> str:
    if not isinstance(found, str) or not form.fullmatch(found):
        raise _OtherFormError
    return found


def _day(found: object) -> date:
    try:
        return date.fromisoformat(_text(found, _DAY))
    except ValueError:
        raise _OtherFormError from None
