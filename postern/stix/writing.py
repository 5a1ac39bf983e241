"""From records to the text of STIX objects, made for feeds of a million of them.

Objects of one shape differ in a few places only: names, moments, tokens. So each shape is written
once with holes, kept, and filled. What fills a hole is checked by its form (a UUID, a moment, a
token, a code), so no text of a person can get into an object by way of a hole.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from postern.stix.ended import link_name, revoked, sighting_of, taken_back
from postern.stix.names import (
    EXTENSIONS,
    KILL_CHAIN,
    PHASES,
    TLP_IDS,
    derived,
    identity_id,
    location_name,
    stix_id,
    timestamp,
)
from postern.stix.records import Entry, IndicatorRecord, OwnerRecord, Rendered
from postern.stix.schema import PLACE_PATTERN, SHIPMENT_PATTERNS, SHIPMENT_WORDS
from postern.stix.support import (
    extension_definition,
    extension_definitions,
    handling_marking,
    identity_of,
    platform_identity,
    text_of,
    tlp_definition,
)
from postern.stix.tokens import EXCHANGE_TOKEN, RANK, REFERENCE, SCHEME, facet_name
from postern.stix.words import NAMES, ROLE_NAMES, confidence
from postern.vocabulary import EVALUATION_KIND, Handling, Kind, PermittedAction, Purpose, Tlp

__all__ = [
    "DESCRIPTION",
    "POINT_DESCRIPTION",
    "bundle_text",
    "extension_definition",
    "extension_definitions",
    "handling_marking",
    "identity_of",
    "objects_of",
    "pattern_of_place",
    "platform_identity",
    "quoted",
    "revoked",
    "sighting_of",
    "taken_back",
    "tlp_definition",
]

DESCRIPTION = (
    "A pseudonym under a key of the reading organisation: the value is not in it. Ask the owner "
    "for the value, under its reference."
)
POINT_DESCRIPTION = "A place of a postal or courier operator where items were posted."

_SHAPES = 8192  # kept; 2 kB each
_PARTS = 65_536  # kept; about 100 bytes each
_LEAST = timedelta(milliseconds=1)


def objects_of(record: IndicatorRecord) -> Rendered:
    """An indicator, and the location and relationship of an induction point.

    Raises ValueError for a record that cannot be written: an unknown facet, a token that is none.
    """
    place = record.place
    shape = _shape(
        record.owner,
        record.report.barrier_step,
        record.level,
        record.kind,
        record.role,
        record.subject_category,
        record.assertion,
        record.source_grade,
        record.information_grade,
        record.learned,
        record.legal_basis,
        record.tlp,
        record.handling,
        record.permitted_action,
        record.epoch,
        record.purposes,
        record.onward,
        place is not None,
    )
    tokens, pattern = ("", pattern_of_place(place)) if place else _tokens(record)
    name = str(record.name)
    created, modified = timestamp(record.created), timestamp(record.modified)
    first, last = record.observed_from, record.observed_to
    filled: dict[str, Any] = {
        "name": name,
        "created": created,
        "modified": modified,
        "pattern": pattern,
        "until": _until(record.expires_on, created),
        "reference": _checked(record.reference, REFERENCE),
        "tokens": tokens,
        "quality": _listed("quality", record.quality),
        "days": (f'"observed_from":"{first}",' if first else "")
        + (f'"observed_to":"{last}",' if last else ""),
        "review_on": record.review_on,
        "expires_on": record.expires_on,
        "shipment": _shipment(tuple(record.report.shipment.items())),
        "report": record.report.id,
    }
    if place is None:
        own: tuple[Entry, ...] = (
            Entry(f"indicator--{name}", "indicator", modified, shape.indicator % filled),
        )
    else:
        filled |= place
        filled["location"] = location_name(record.name)
        filled["link"] = link_name(record.name)
        own = (
            Entry(f"indicator--{name}", "indicator", modified, shape.indicator % filled),
            Entry(f"location--{filled['location']}", "location", modified, shape.location % filled),
            Entry(
                f"relationship--{filled['link']}",
                "relationship",
                modified,
                shape.relationship % filled,
            ),
        )
    return Rendered(shape.support, own)


def bundle_text(texts: Iterable[str]) -> str:
    """Texts of objects as a bundle with a name that follows from them."""
    joined = ",".join(texts)
    name = stix_id("bundle", derived("bundle", joined))
    return f'{{"type":"bundle","id":"{name}","objects":[{joined}]}}'


def pattern_of_place(place: Mapping[str, str]) -> str:
    """The pattern of an induction point. Raises ValueError for what is no code."""
    operator, code = (_checked(place[name], _PLACE) for name in ("operator", "code"))
    country = _checked(place["country"], _COUNTRY)
    return _pattern(f"point1.{country}.{operator}.{code}")


def quoted(text: str) -> str:
    """A text as a constant of STIX patterning."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class _Shape(NamedTuple):
    """Templates for `%` with names; location and relationship are empty where there is none."""

    support: tuple[Entry, ...]
    indicator: str
    location: str
    relationship: str


def _hole(name: str) -> str:
    """Where a value goes. JSON text of ours has no control characters otherwise."""
    return f"\x00{name}\x00"


_HOLE = re.compile(r"\\u0000([a-z_]+)\\u0000")
_MEMBERS = re.compile(r'"\\u0000([a-z_]+)\\u0000":0,')
_PLACE = re.compile(PLACE_PATTERN, re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


def _template(content: Mapping[str, Any]) -> str:
    """The text of an object with `%(name)s` at each hole.

    A hole that is the name of a member, with 0, stands for members, each with a comma, or none.
    """
    text = text_of(content).replace("%", "%%")
    return _HOLE.sub(r"%(\1)s", _MEMBERS.sub(r"%(\1)s", text))


@lru_cache(maxsize=_SHAPES)
def _shape(*fields: Any) -> _Shape:
    return _Shaping(*fields).shape()


class _Shaping(NamedTuple):
    """What objects of one shape have in common."""

    owner: OwnerRecord
    barrier_step: int | None
    level: str
    kind: Kind
    role: Any
    subject_category: str
    assertion: str
    source_grade: Any
    information_grade: Any
    learned: str
    legal_basis: str
    tlp: Tlp
    handling: tuple[Handling, ...]
    permitted_action: PermittedAction
    epoch: int
    purposes: tuple[Purpose, ...]
    onward: bool | None
    is_place: bool

    def shape(self) -> _Shape:
        marking = handling_marking(self.handling, self.permitted_action, self.purposes, self.onward)
        used = {"postal-indicator", "consignment", "handling"}
        if self.is_place:
            used.add("induction-point")
        support = (
            platform_identity(),
            *(extension_definition(name) for name in EXTENSIONS if name in used),
            identity_of(self.owner),
            tlp_definition(self.tlp),
            marking,
        )
        markings = [TLP_IDS[self.tlp], marking.id]
        indicator = _template(self._indicator(markings))
        if not self.is_place:
            return _Shape(support, indicator, "", "")
        location = _template(self._location(markings))
        return _Shape(support, indicator, location, _template(self._relationship(markings)))

    def _indicator(self, markings: list[str]) -> dict[str, Any]:
        content: dict[str, Any] = {
            **self._head("indicator", "name"),
            "name": f"{NAMES[self.kind]} {ROLE_NAMES[self.role]}",
            "description": POINT_DESCRIPTION if self.is_place else DESCRIPTION,
            "indicator_types": ["anomalous-activity"],
            "pattern": _hole("pattern"),
            "pattern_type": "stix",
            "pattern_version": "2.1",
            "valid_from": _hole("created"),
            "valid_until": _hole("until"),
        }
        if self.barrier_step is not None:
            phase = PHASES[self.barrier_step - 1]
            content["kill_chain_phases"] = [{"kill_chain_name": KILL_CHAIN, "phase_name": phase}]
        content["labels"] = ["postal", f"kind:{self.kind}", f"role:{self.role}"]
        sure = confidence(self.source_grade, self.information_grade)
        if sure is not None:
            content["confidence"] = sure
        content["object_marking_refs"] = markings
        content["extensions"] = {
            EXTENSIONS["postal-indicator"]: self._postal(),
            **({EXTENSIONS["induction-point"]: _POINT} if self.is_place else {}),
            EXTENSIONS["consignment"]: self._consignment(),
        }
        return content

    def _postal(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "extension_type": "property-extension",
            "kind": self.kind,
            "role": self.role,
            "level": self.level,
        }
        if self.kind in EVALUATION_KIND:
            found |= {"scheme": SCHEME, "epoch": self.epoch}
        found |= {
            _hole("tokens"): 0,
            "reference": _hole("reference"),
            "subject_category": self.subject_category,
            "assertion": self.assertion,
            "source_grade": self.source_grade,
            "information_grade": self.information_grade,
            "learned": self.learned,
            "legal_basis": self.legal_basis,
        }
        if self.handling:
            found["handling"] = sorted(set(self.handling))
        return found | {
            "permitted_action": self.permitted_action,
            _hole("quality"): 0,
            _hole("days"): 0,
            "review_on": _hole("review_on"),
            "expires_on": _hole("expires_on"),
        }

    def _consignment(self) -> dict[str, Any]:
        step = {} if self.barrier_step is None else {"barrier_step": self.barrier_step}
        return {
            "extension_type": "property-extension",
            **step,
            _hole("shipment"): 0,
            "report": _hole("report"),
        }

    def _location(self, markings: list[str]) -> dict[str, Any]:
        return {
            **self._head("location", "location"),
            "name": f"Induction point {_hole('operator')} {_hole('code')}",
            "country": _hole("country"),
            "object_marking_refs": markings,
            "extensions": {EXTENSIONS["induction-point"]: _POINT},
        }

    def _relationship(self, markings: list[str]) -> dict[str, Any]:
        return {
            **self._head("relationship", "link"),
            "relationship_type": "related-to",
            "source_ref": f"indicator--{_hole('name')}",
            "target_ref": f"location--{_hole('location')}",
            "object_marking_refs": markings,
        }

    def _head(self, type_: str, name: str) -> dict[str, Any]:
        return {
            "type": type_,
            "spec_version": "2.1",
            "id": f"{type_}--{_hole(name)}",
            "created_by_ref": identity_id(self.owner.code),
            "created": _hole("created"),
            "modified": _hole("modified"),
        }


_POINT = {
    "extension_type": "property-extension",
    **{name: _hole(name) for name in ("operator", "code", "country")},
}
_BETWEEN = '","'


def _tokens(record: IndicatorRecord) -> tuple[str, str]:
    """The tokens as a member of the extension, and the pattern of what tells most."""
    if not record.tokens:
        return "", _pattern(record.reference)
    by_facet: dict[int, list[str]] = {}
    for number, token in record.tokens:
        by_facet.setdefault(number, []).append(_checked(token, EXCHANGE_TOKEN))
    try:
        ordered = sorted(by_facet, key=RANK.__getitem__)
    except KeyError:
        raise ValueError("A facet has a number that is not in use. Leave it out.") from None
    for found in by_facet.values():
        found.sort()
    written = ",".join(
        f'"{facet_name(number)}":["{_BETWEEN.join(by_facet[number])}"]' for number in ordered
    )
    return f'"tokens":{{{written}}},', _pattern(by_facet[ordered[0]][0])


def _pattern(user_id: str) -> str:
    return f"[user-account:user_id = '{user_id}']"


def _checked(text: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(text):
        raise ValueError("What goes into an object has not the form that it must have.")
    return text


@lru_cache(maxsize=_PARTS)
def _shipment(told: tuple[tuple[str, str | None], ...]) -> str:
    """Fields of a shipment as members. Raises ValueError for what is none."""
    found = []
    for name, word in told:
        if word is None:
            continue
        if name in SHIPMENT_WORDS:
            found.append(f'"{name}":"{SHIPMENT_WORDS[name](word).value}",')
        else:
            form = re.compile(SHIPMENT_PATTERNS.get(name, "(?!)"), re.ASCII)
            found.append(f'"{name}":"{_checked(word, form)}",')
    return "".join(found)


@lru_cache(maxsize=_PARTS)
def _listed(name: str, words: tuple[str, ...]) -> str:
    """A list of words as a member, or nothing for none."""
    if not words:
        return ""
    checked = (_checked(word, _WORD) for word in words)
    return f'"{name}":["{_BETWEEN.join(checked)}"],'


_WORD = re.compile(r"[a-z0-9_]{1,40}", re.ASCII)


def _until(expires_on: date, created: str) -> str:
    """The end of a period, which begins at `created` and cannot be empty."""
    end = f"{expires_on.isoformat()}T00:00:00.000Z"
    if end > created:
        return end
    return timestamp(datetime.fromisoformat(created) + _LEAST)
