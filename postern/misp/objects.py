"""One shared indicator as an object of MISP, made of its stored STIX object and of nothing else.

What an instance has it never forgets by itself: it must be told what is gone, by the same uuid as
before and a later timestamp. So every uuid here follows from the collection, the STIX id and the
place of an attribute in its template, and an object that ended is written again with every
attribute that it may have had, as deleted, with nothing of what stood there.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from postern.facet_kinds import FACET_WORDS, FACETS, MAX_POSTAL_FACETS
from postern.misp.tags import tlp_tags, use_tags
from postern.misp.templates import TEMPLATE_OF, Relation, Template, template
from postern.stix.names import EXTENSIONS, PHASES, TLP_IDS, derived
from postern.stix.tokens import facet_number
from postern.vocabulary import Kind, Tlp

INHERIT = "5"  # distribution: as the event's, which the settings of the feed decide
TOKEN = "token"  # noqa: S105  # the name of a relation
WITHDRAWN = "withdrawn"

_INDICATOR = EXTENSIONS["postal-indicator"]
_CONSIGNMENT = EXTENSIONS["consignment"]
_POINT = EXTENSIONS["induction-point"]
_PATTERN = EXTENSIONS["shipping-pattern"]
_TLP_OF = {stix_id: tlp for tlp, stix_id in TLP_IDS.items()}
_LABEL = "kind:"
_CATEGORIES = {
    "stix2-pattern": "Payload installation",
    "phone-number": "Person",
    "full-name": "Person",
    "email": "Social network",
}
_NEUTRAL = {
    "counter": "0",
    "float": "0",
    "datetime": "1970-01-01T00:00:00+00:00",
    "stix2-pattern": "[x-postal-withdrawn:is_withdrawn = true]",
}
_TAGGED = frozenset({TOKEN, "code", "rule"})  # relations that carry what matters
_MANY = {TOKEN: MAX_POSTAL_FACETS, "not-said": 8, "reference-text": 8}  # of a multiple relation


@dataclass(frozen=True, slots=True)
class Shown:
    """An object of STIX with what a feed needs: `second` is its timestamp, in seconds since 1970.

    `content` is the parsed indicator; `is_changed`: an earlier version may have been fetched.
    """

    content: Mapping[str, Any]
    second: int
    is_changed: bool


@dataclass(frozen=True, slots=True)
class _Value:
    """The text of an attribute and its comment."""

    text: str
    comment: str = ""


class NotShownError(ValueError):
    """The STIX object is not one that has an object of MISP; the text says why."""


def object_of(shown: Shown, collection: UUID) -> dict[str, Any]:
    """The object of an indicator, or of one that was withdrawn. Raises NotShownError."""
    content = shown.content
    kind = _kind(content)
    form = template(TEMPLATE_OF[kind])
    name = object_uuid(collection, content["id"])
    is_gone = content.get("revoked", False) is True
    values = {} if is_gone else dict(_values(content, form))
    found: dict[str, Any] = {
        "name": form.name,
        "meta-category": form.meta_category,
        "description": form.description,
        "template_uuid": form.uuid,
        "template_version": str(form.version),
        "uuid": str(name),
        "timestamp": str(shown.second),
        "distribution": INHERIT,
        "comment": "" if is_gone else content.get("name", ""),
        "deleted": is_gone,
        "ObjectReference": [],
        "Attribute": list(_attributes(shown, form, name, values, is_gone=is_gone)),
    }
    if not is_gone:
        found |= _seen(_extension(content, _INDICATOR))
    return found


def object_uuid(collection: UUID, stix_id: str) -> UUID:
    """The uuid of an object: another in every collection, since an instance takes each once."""
    return derived("misp-object", str(collection), stix_id)


def matching_values(content: Mapping[str, Any]) -> Iterator[str]:
    """The values of an indicator by which it can match, for the hashes of a feed.

    None of one that was withdrawn, and none of a kind that has no object.
    """
    if content.get("revoked", False) is not True:
        yield from (text for _, text in _tokens(_extension(content, _INDICATOR)))
        if code := _extension(content, _POINT).get("code"):
            yield code


def _kind(content: Mapping[str, Any]) -> Kind:
    """The kind: by the extension, of one that ended by its label."""
    word = _extension(content, _INDICATOR).get("kind")
    if word is None and _PATTERN in content.get("extensions", {}):
        return Kind.PATTERN
    if word is None:
        labels = (each for each in content.get("labels", ()) if each.startswith(_LABEL))
        word = next(labels, _LABEL).removeprefix(_LABEL)
    if content.get("type") != "indicator" or word not in TEMPLATE_OF:
        raise NotShownError(f"{content.get('id')} is no indicator of a known kind.")
    return Kind(word)


def _extension(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = content.get("extensions", {}).get(name, {})
    return found


def _values(content: Mapping[str, Any], form: Template) -> Iterator[tuple[tuple[str, int], _Value]]:
    """(relation, place) -> what stands there."""
    said = _extension(content, _INDICATOR)
    if form.name == TEMPLATE_OF[Kind.PATTERN]:
        yield from _values_of_pattern(content)
        return
    for place, (facet, text) in enumerate(_tokens(said)[:MAX_POSTAL_FACETS]):
        kind = FACETS[facet]
        comment = f"{kind}: {FACET_WORDS[kind]}; epoch {said.get('epoch', 0)}"
        yield (TOKEN, place), _Value(text, comment)
    facts = {**said, **_extension(content, _CONSIGNMENT), **_extension(content, _POINT)}
    facts["party_role"] = said.get("role")
    if codes := said.get("handling"):
        facts["handling"] = " ".join(codes)
    for relation in form.relations.values():
        value = facts.get(relation.name.replace("-", "_"))
        if relation.name == TOKEN or value is None:
            continue
        yield (relation.name, 0), _Value(_written(relation, value))


def _values_of_pattern(content: Mapping[str, Any]) -> Iterator[tuple[tuple[str, int], _Value]]:
    said = _extension(content, _PATTERN)
    yield ("title", 0), _Value(content.get("name", "Shipping pattern"))
    if text := said.get("text"):
        yield ("rule", 0), _Value(text)
    if content.get("pattern_type") == "stix":
        yield ("stix-pattern", 0), _Value(content["pattern"])
    if severity := said.get("severity"):
        yield ("level", 0), _Value(severity)
    for place, text in enumerate(said.get("losses", ())[: _MANY["not-said"]]):
        yield ("not-said", place), _Value(text)
    sources = (each.get("description") for each in content.get("external_references", ()))
    for place, text in enumerate([each for each in sources if each][: _MANY["reference-text"]]):
        yield ("reference-text", place), _Value(text)
    for phase in content.get("kill_chain_phases", ()):
        if phase["phase_name"] in PHASES:
            yield ("barrier-step", 0), _Value(str(PHASES.index(phase["phase_name"]) + 1))
    if until := content.get("valid_until"):
        yield ("expires-on", 0), _Value(_midnight(until[:10]))


def _tokens(said: Mapping[str, Any]) -> list[tuple[int, str]]:
    """(facet number, token), in the order in which they are written: what tells most first."""
    found = []
    for name, texts in said.get("tokens", {}).items():
        number = facet_number(name)
        if number is not None:
            found += [(number, text) for text in texts]
    return found


def _attributes(
    shown: Shown,
    form: Template,
    name: UUID,
    values: Mapping[tuple[str, int], _Value],
    *,
    is_gone: bool,
) -> Iterator[dict[str, Any]]:
    """What the object has; and where an earlier version may be kept, what it has no more."""
    content = shown.content
    markings: list[dict[str, Any]] = []
    use: list[dict[str, Any]] = []
    if not is_gone:
        step = _extension(content, _CONSIGNMENT).get("barrier_step")
        markings = tlp_tags(_tlp(content), is_changed=shown.is_changed)
        use = use_tags(_extension(content, _INDICATOR), step, is_changed=shown.is_changed)
    for relation in form.relations.values():
        for place in range(_MANY.get(relation.name, 1)):
            value = values.get((relation.name, place))
            if value is None and not (is_gone or shown.is_changed):
                break
            attribute = _attribute(relation, name, place, value, shown.second)
            if value is not None:
                is_marked = relation.name in _TAGGED
                attribute["Tag"] = [*markings, *use] if is_marked else markings
            yield attribute


def _attribute(
    relation: Relation, name: UUID, place: int, value: _Value | None, second: int
) -> dict[str, Any]:
    uuid = _attribute_uuid(name, relation.name, place)
    is_there = value is not None
    return {
        "uuid": uuid,
        "object_relation": relation.name,
        "type": relation.type,
        "category": _CATEGORIES.get(relation.type, "Other"),
        "value": value.text if value else _nothing(relation, uuid),
        "comment": value.comment if value else "",
        "to_ids": relation.to_ids and is_there,
        "disable_correlation": not (relation.correlates and is_there),
        "distribution": INHERIT,
        "timestamp": str(second),
        "deleted": not is_there,
    }


def _attribute_uuid(name: UUID, relation: str, place: int) -> str:
    """The uuid of an attribute, of the form of version 4: written at once, for there are many."""
    found = hashlib.sha256(name.bytes + b"%s:%d" % (relation.encode(), place)).hexdigest()
    variant = "89ab"[int(found[16], 16) & 3]
    return f"{found[:8]}-{found[8:12]}-4{found[13:16]}-{variant}{found[17:20]}-{found[20:32]}"


def _nothing(relation: Relation, uuid: str) -> str:
    """What stands in place of a value that is gone: it must have the form of its type."""
    return uuid if relation.type == "uuid" else _NEUTRAL.get(relation.type, WITHDRAWN)


def _tlp(content: Mapping[str, Any]) -> Tlp:
    """The marking; RED where none is known, because what is not said is not free."""
    markings = (_TLP_OF.get(each) for each in content.get("object_marking_refs", ()))
    return next((each for each in markings if each), Tlp.RED)


def _written(relation: Relation, value: object) -> str:
    if relation.type == "datetime":
        return _midnight(str(value))
    return str(value)


def _midnight(day: str) -> str:
    return datetime.combine(date.fromisoformat(day), time(), UTC).isoformat()


def _seen(said: Mapping[str, Any]) -> dict[str, str]:
    """First and last seen of the object, from its days."""
    first = said.get("observed_from") or said.get("observed_to")
    last = said.get("observed_to") or first
    return {
        name: f"{day}T00:00:00.000000+00:00"
        for name, day in (("first_seen", first), ("last_seen", last))
        if day
    }
