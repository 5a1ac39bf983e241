"""What may be kept of an object that another server sent: its form decides, and nothing in clear.

Of an indicator that a Postern wrote, its closed lists, tokens and dates are kept, each by its own
form, and no other word of it. A shipping pattern names nobody: its rule is put before a person of
the organisation as a proposal. Everything else leaves only a count by reason: an id that follows
from a clear value would give it away as well. Names are kept of organisations alone, and of a
server that is a Postern (pulling.py).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from app.exchange.server_models import NotKept
from postern.stix.form import check_object
from postern.stix.names import EXTENSIONS, KILL_CHAIN, PHASES, TLP_IDS, moment, split_id
from postern.stix.sent_pattern import is_pattern, read_pattern
from postern.stix.tokens import EXCHANGE_TOKEN, REFERENCE, facet_number
from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    Level,
    PartyRole,
    PermittedAction,
    SourceGrade,
)

IDENTITY, INDICATOR, SIGHTING = "identity", "indicator", "sighting"

_WORDS: Mapping[str, type[StrEnum]] = {
    "kind": Kind,
    "role": PartyRole,
    "level": Level,
    "assertion": Assertion,
    "source_grade": SourceGrade,
    "information_grade": InformationGrade,
    "permitted_action": PermittedAction,
}
_PLACE: Mapping[str, re.Pattern[str]] = {
    "operator": re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}", re.ASCII),
    "code": re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}", re.ASCII),
    "country": re.compile(r"[A-Z]{2}", re.ASCII),
}
_TLP = {identifier: tlp.value for tlp, identifier in TLP_IDS.items()}
_SUPPORT = frozenset(
    {"marking-definition", "extension-definition", "location", "relationship", "attack-pattern"}
)
_MOST_TOKENS = 64  # of one facet
_MOST_SIGHTED = 999_999_999  # STIX 2.1, 5.2
_LAST_EPOCH = 9_999_999_999
_LONGEST_NAME = 120  # characters
_LONGEST_ID = 80  # characters, of a row
_LONGEST_VERSION = 40


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of an object, as it is stored; `ends_on` is when its sender lets it end."""

    stix_id: str
    type: str
    version: str
    is_revoked: bool
    ends_on: date | None
    content: Mapping[str, Any]
    rule: str = ""  # the text of a shipping pattern: proposed, and not kept with the object


def kept_of(sent: object) -> Kept | NotKept:
    """What is kept of an object, or the reason why nothing is."""
    if not isinstance(sent, dict):
        return NotKept.MALFORMED
    kind, found = sent.get("type"), split_id(sent.get("id"))
    if found is None or found[0] != kind:
        return NotKept.MALFORMED
    if kind not in _READ or len(sent["id"]) > _LONGEST_ID:
        return NotKept.SUPPORT if kind in _SUPPORT else NotKept.IN_CLEAR
    version = sent.get("modified")
    if moment(version) is None or len(str(version)) > _LONGEST_VERSION:
        return NotKept.MALFORMED
    if sent.get("revoked") is True:
        return _kept(sent, {})
    return _READ[kind](sent)


def _indicator(sent: Mapping[str, Any]) -> Kept | NotKept:
    """An indicator that a Postern wrote; any other may hold anything."""
    extensions = sent.get("extensions")
    postal = _part(extensions, "postal-indicator")
    if postal is None:
        return _pattern(sent) if is_pattern(sent) else NotKept.IN_CLEAR
    content = {name: postal[name] for name in _WORDS if _is_word(name, postal.get(name))}
    reference, place = postal.get("reference"), _place(_part(extensions, "induction-point"))
    tokens = _tokens(postal.get("tokens"))
    if "kind" not in content or tokens is None:
        return NotKept.MALFORMED
    if isinstance(reference, str) and REFERENCE.fullmatch(reference):
        content["reference"] = reference
    if not (tokens or place or "reference" in content):
        return NotKept.MALFORMED
    epoch = postal.get("epoch")
    if type(epoch) is int and 0 < epoch <= _LAST_EPOCH:
        content["epoch"] = epoch
    handling = postal.get("handling")
    if isinstance(handling, list):
        content["handling"] = sorted({each for each in handling if each in list(Handling)})
    content |= {
        name: value
        for name, value in (
            ("tokens", tokens),
            ("place", place),
            ("tlp", _tlp(sent)),
            ("step", _step(sent)),
        )
        if value
    }
    return _kept(sent, {**content, **_owner(sent)})


def _pattern(sent: Mapping[str, Any]) -> Kept | NotKept:
    """A shipping pattern that a Postern wrote: what it is, and the rule for who decides on it."""
    if check_object(sent):
        return NotKept.MALFORMED
    text, faults = read_pattern(sent)
    if faults:
        return NotKept.PATTERN
    content = {"kind": Kind.PATTERN.value, "tlp": _tlp(sent), "step": _step(sent), **_owner(sent)}
    kept = _kept(sent, {name: value for name, value in content.items() if value})
    return replace(kept, rule=text)


def _sighting(sent: Mapping[str, Any]) -> Kept | NotKept:
    target, count = split_id(sent.get("sighting_of_ref")), sent.get("count", 1)
    if target is None or type(count) is not int or not 0 <= count <= _MOST_SIGHTED:
        return NotKept.MALFORMED
    if target[0] != INDICATOR:
        return NotKept.IN_CLEAR
    return _kept(sent, {"of": sent["sighting_of_ref"], "count": count, **_owner(sent)})


def _identity(sent: Mapping[str, Any]) -> Kept | NotKept:
    """The name of an organisation, that people know from whom something comes."""
    name, kind = sent.get("name"), sent.get("identity_class")
    if kind == "system":
        return NotKept.SUPPORT
    if kind != "organization" or not isinstance(name, str):
        return NotKept.IN_CLEAR
    return _kept(sent, {"name": " ".join(name.split())[:_LONGEST_NAME]})


_READ = {INDICATOR: _indicator, SIGHTING: _sighting, IDENTITY: _identity}


def _kept(sent: Mapping[str, Any], content: Mapping[str, Any]) -> Kept:
    until = moment(sent.get("valid_until"))
    return Kept(
        stix_id=sent["id"],
        type=sent["type"],
        version=sent["modified"],
        is_revoked=sent.get("revoked") is True,
        ends_on=until.date() if until else None,
        content=content,
    )


def _part(extensions: object, schema: str) -> Mapping[str, Any] | None:
    found = extensions.get(EXTENSIONS[schema]) if isinstance(extensions, dict) else None
    return found if isinstance(found, dict) else None


def _is_word(name: str, value: object) -> bool:
    return isinstance(value, str) and value in list(_WORDS[name])


def _tokens(told: object) -> Mapping[str, Sequence[str]] | None:
    """Facet to tokens, empty for none; None when something in it is no token."""
    if told is None:
        return {}
    if not isinstance(told, dict):
        return None
    for facet, tokens in told.items():
        if facet_number(facet) is None or not isinstance(tokens, list):
            return None
        if len(tokens) > _MOST_TOKENS:
            return None
        if not all(isinstance(each, str) and EXCHANGE_TOKEN.fullmatch(each) for each in tokens):
            return None
    return told


def _place(told: Mapping[str, Any] | None) -> Mapping[str, str] | None:
    """Operator, code and country of an induction point, which is a place of business."""
    if told is None:
        return None
    found = {name: told.get(name) for name in _PLACE}
    is_right = all(
        isinstance(value, str) and _PLACE[name].fullmatch(value) for name, value in found.items()
    )
    return {name: str(value) for name, value in found.items()} if is_right else None


def _tlp(sent: Mapping[str, Any]) -> str | None:
    markings = sent.get("object_marking_refs")
    told = markings if isinstance(markings, list) else []
    return next((_TLP[each] for each in told if isinstance(each, str) and each in _TLP), None)


def _step(sent: Mapping[str, Any]) -> int | None:
    phases = sent.get("kill_chain_phases")
    for each in phases if isinstance(phases, list) else []:
        if isinstance(each, dict) and each.get("kill_chain_name") == KILL_CHAIN:
            name = each.get("phase_name")
            return PHASES.index(name) + 1 if name in PHASES else None
    return None


def _owner(sent: Mapping[str, Any]) -> Mapping[str, str]:
    owner = sent.get("created_by_ref")
    found = split_id(owner)
    return {"owner": str(owner)} if found is not None and found[0] == IDENTITY else {}
