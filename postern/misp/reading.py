"""Events of another MISP, read on premises: rows to submit, and what cannot become one.

Every attribute ends in exactly one place: in a row, among what is unmapped with its reason, or
noted. Nothing of it is sent: rows go the way of any file, and are pseudonymised first.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from postern.client_errors import ClientError
from postern.misp.mapping import (
    FROM_EXCHANGE,
    NO_VALUE,
    OTHER_ACCOUNT,
    SCHEMES,
    VALUE_COLUMNS,
    Told,
    Why,
    column_of,
    column_of_type,
    fingerprint,
    is_market,
)
from postern.misp.tags import SOURCE_TAG, terms_of_tags
from postern.stix.mapped import ForeignRow, Mapped, Unmapped

LARGEST = 100_000_000  # bytes of one file
MOST_EVENTS = 100_000

_DELETED = "It is deleted in MISP."
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ].*)?", re.ASCII)
_POSTAL = ("house_number", "box", "postcode", "city", "country")
_BESIDE = {
    "ShadowAttribute": "A proposal to change an event is not read.",
    "EventReport": "A report of an event is free text and is not read.",
    "Galaxy": "A galaxy says nothing that is compared.",
    "GalaxyCluster": "A galaxy says nothing that is compared.",
    "Sighting": "A sighting in MISP is not read: send it to the exchange by TAXII.",
}


class MispMalformedError(ClientError):
    """The file is not what MISP exports."""


def map_misp(stream: BinaryIO) -> Mapped:
    """All events of a file: one event, a list, the answer of a search, or a file of a feed.

    Raises MispMalformedError for what is no JSON, too large, nested without end, or no event.
    """
    found = _Found()
    for number, event in enumerate(_events(_parsed(stream))):
        if number >= MOST_EVENTS:
            raise MispMalformedError(f"The file holds over {MOST_EVENTS:,} events. Split it.")
        _map_event(event, str(number), found)
    return Mapped(tuple(found.rows), tuple(found.unmapped), tuple(found.noted))


def deleted_in(mapped: Mapped) -> frozenset[str]:
    """The attributes that are deleted in MISP: a report that came of one is to be withdrawn."""
    return frozenset(name for name, reason in mapped.noted if reason == _DELETED)


@dataclass(slots=True)
class _Found:
    rows: list[ForeignRow] = field(default_factory=list)
    unmapped: list[Unmapped] = field(default_factory=list)
    noted: list[tuple[str, str]] = field(default_factory=list)

    def leave(self, name: str, type_: str, why: Why) -> None:
        self.unmapped.append(Unmapped(name, type_, why.reason, why.remedy))


@dataclass(slots=True)
class _Draft:
    """What an object or attribute gives: columns with all their values, words for the note."""

    ids: list[str] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    first_seen: str = ""
    last_seen: str = ""

    def add(self, column: str, text: str) -> None:
        found = self.values.setdefault(column, [])
        if text and text not in found:
            found.append(text)


def _parsed(stream: BinaryIO) -> object:
    raw = stream.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise MispMalformedError(f"The file is larger than {LARGEST:,} bytes. Export it in parts.")
    try:
        return json.loads(raw, parse_constant=_refused_constant)
    except RecursionError:
        raise MispMalformedError(
            "The file is nested too deeply. Give an event as MISP exports it."
        ) from None
    except ValueError:  # no JSON, no UTF-8, or a number of thousands of digits
        raise MispMalformedError(
            "The file is no JSON in UTF-8. Export the event from MISP as JSON."
        ) from None


def _refused_constant(_text: str) -> object:
    raise ValueError


def _events(document: object) -> Iterator[Mapping[str, Any]]:
    """The events, from whichever of the forms in which MISP gives them."""
    if isinstance(document, list):
        for each in document:
            yield from _events_of(each)
        return
    yield from _events_of(document)


def _events_of(document: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(document, dict):
        if isinstance(event := document.get("Event"), dict):
            yield event
            return
        if isinstance(answer := document.get("response"), list):
            for each in answer:
                yield from _events_of(each)
            return
        if isinstance(answer, dict):
            yield from _events_of(answer)
            return
        if isinstance(document.get("Attribute"), list) or isinstance(document.get("Object"), list):
            yield document
            return
    raise MispMalformedError(
        "The file holds something that is no event of MISP. Export an event, or the result of a "
        "search, as JSON; of a feed give the files of its events, not its manifest."
    )


def _map_event(event: Mapping[str, Any], place: str, found: _Found) -> None:
    name = _text(event.get("uuid")) or f"event/{place}"
    tags = _tag_names(event)
    if SOURCE_TAG in tags:
        _leave_event(event, name, found)
        return
    _, unread = terms_of_tags(tags)
    for each in dict.fromkeys(unread):
        found.noted.append((name, f"The tag {each[:80]} of the event says nothing that is read."))
    for key, reason in _BESIDE.items():
        if event.get(key):
            found.noted.append((name, f"{key}: {reason}"))
    for number, attribute in enumerate(_list(event, "Attribute", name, found)):
        _map_attribute(attribute, f"{name}/attribute/{number}", tags, found)
    for number, each in enumerate(_list(event, "Object", name, found)):
        _map_object(each, f"{name}/object/{number}", tags, found)


def _leave_event(event: Mapping[str, Any], name: str, found: _Found) -> None:
    """What came from the exchange is not submitted again as one's own."""
    holders = [(event, name), *((each, name) for each in _list(event, "Object", name, found))]
    for holder, own in holders:
        if not isinstance(holder, dict):
            continue
        for number, attribute in enumerate(_list(holder, "Attribute", own, found)):
            uuid = _text(attribute.get("uuid")) if isinstance(attribute, dict) else ""
            found.leave(uuid or f"{own}/attribute/{number}", "attribute", FROM_EXCHANGE)


def _list(holder: Mapping[str, Any], key: str, name: str, found: _Found) -> Sequence[Any]:
    listed = holder.get(key)
    if listed is None:
        return ()
    if not isinstance(listed, list):
        found.leave(name, key, Why(f"Its {key} is no list.", "Export it from MISP again."))
        return ()
    return listed


def _map_attribute(attribute: object, place: str, tags: Sequence[str], found: _Found) -> None:
    """An attribute that stands alone: one row, or why it is none."""
    if not isinstance(attribute, dict):
        found.leave(place, "attribute", Why("It is no attribute.", "Export it from MISP again."))
        return
    name, type_ = _text(attribute.get("uuid")) or place, _text(attribute.get("type"))
    if _is_deleted(attribute):
        found.noted.append((name, _DELETED))
        return
    value = _text(attribute.get("value"))
    column = column_of_type(type_, value)
    if isinstance(column, Why):
        found.leave(name, type_ or "attribute", column)
        return
    draft = _Draft(ids=[name], tags=[*tags, *_tag_names(attribute)])
    draft.add(column, _value_of(column, value))
    if type_ in SCHEMES:
        draft.add("payment_scheme", SCHEMES[type_])
    _keep_circumstances(attribute, draft)
    _make_rows(draft, found)


def _map_object(each: object, place: str, tags: Sequence[str], found: _Found) -> None:
    """An object: what it holds is one row, and one more for each further telephone and the like."""
    if not isinstance(each, dict):
        found.leave(place, "object", Why("It is no object.", "Export it from MISP again."))
        return
    name, form = _text(each.get("uuid")) or place, _text(each.get("name"))
    draft = _Draft(tags=[*tags, *_tag_names(each)])
    is_gone = _is_deleted(each)
    for number, attribute in enumerate(_list(each, "Attribute", name, found)):
        if not isinstance(attribute, dict):
            why = Why("It is no attribute.", "Export it from MISP again.")
            found.leave(f"{name}/attribute/{number}", form or "object", why)
            continue
        own = _text(attribute.get("uuid")) or f"{name}/attribute/{number}"
        if is_gone or _is_deleted(attribute):
            found.noted.append((own, _DELETED))
            continue
        _add(form, attribute, own, draft, found)
    _keep_circumstances(each, draft)
    _join_names(draft)
    _join_grade(draft)
    if not draft.ids:
        return
    if form == "user-account" and not is_market(" ".join(draft.values.get("vendor_market", ()))):
        _leave_all(draft, form, OTHER_ACCOUNT, found)
    elif VALUE_COLUMNS.isdisjoint(draft.values):
        _leave_all(draft, form, NO_VALUE, found)
    else:
        _make_rows(draft, found)


def _add(form: str, attribute: Mapping[str, Any], own: str, draft: _Draft, found: _Found) -> None:
    """One attribute of an object, added to what its object gives."""
    relation, value = _text(attribute.get("object_relation")), _text(attribute.get("value"))
    column = column_of(form, relation)
    if isinstance(column, Why) or not value:
        why = column if isinstance(column, Why) else Why("It is empty.", "Fill it in, or leave it.")
        found.leave(own, f"{form}/{relation}", why)
        return
    draft.ids.append(own)
    draft.tags += _tag_names(attribute)
    if column is Told.NOTE:
        draft.words.append(value if relation == "note" else f"{relation}: {value}")
    else:
        draft.add(str(column), _value_of(str(column), value))
    # Some templates give the type `btc` to any coin: there the object's symbol says which.
    if column == "payment" and (type_ := _text(attribute.get("type"))) in {"xmr", "iban"}:
        draft.add("payment_scheme", SCHEMES[type_])
    if comment := _text(attribute.get("comment")):
        draft.words.append(comment)


def _value_of(column: str, text: str) -> str:
    """A value as a cell of its column."""
    if column in {"observed_from", "expires_on"} and (found := _DAY.fullmatch(text)):
        return found[1]
    if column == "pgp":
        return fingerprint(text) or text
    if column == "phone" and text.isdecimal() and not text.startswith("0"):
        return f"+{text}"  # an MSISDN begins with the country and has no sign before it
    return text


def _keep_circumstances(holder: Mapping[str, Any], draft: _Draft) -> None:
    """When it was seen, and what is said beside it."""
    for key in ("first_seen", "last_seen"):
        if day := _DAY.fullmatch(_text(holder.get(key))):
            setattr(draft, key, day[1])
    if comment := _text(holder.get("comment")):
        draft.words.append(comment)


def _join_names(draft: _Draft) -> None:
    """First, middle and last name as one name, where no whole one is given."""
    parts = [" ".join(draft.values.pop(each, ())) for each in ("first", "middle", "last")]
    if (joined := " ".join(part for part in parts if part)) and "name" not in draft.values:
        draft.add("name", joined)


def _join_grade(draft: _Draft) -> None:
    """The two grades of our own templates as the one column that they are in a row."""
    source, information = (
        draft.values.pop(each, [""])[0] for each in ("source_grade", "information_grade")
    )
    if source or information:
        draft.add("grade", f"{source or 'X'}{information or '4'}")


def _leave_all(draft: _Draft, form: str, why: Why, found: _Found) -> None:
    for each in draft.ids:
        found.leave(each, form, why)


def _make_rows(draft: _Draft, found: _Found) -> None:
    """The row of the first values, and a row for each further one, under the same terms."""
    said, unread = terms_of_tags(draft.tags)
    for each in dict.fromkeys(unread):
        found.noted.append((draft.ids[0], f"The tag {each[:80]} says nothing that is read."))
    row = {column: texts[0] for column, texts in draft.values.items() if texts}
    common = {**said}
    if draft.first_seen:
        common["observed_from"] = draft.first_seen
    if draft.last_seen and draft.last_seen >= draft.first_seen:
        common["observed_to"] = draft.last_seen
    if draft.words:
        common["note"] = "\n".join(dict.fromkeys(draft.words))
    ids = tuple(draft.ids)
    found.rows.append(ForeignRow(ids, {**common, **row}))
    for column, texts in draft.values.items():
        for text in texts[1:]:
            found.rows.append(ForeignRow(ids, {**common, **_beside(column, row), column: text}))


def _beside(column: str, row: Mapping[str, str]) -> dict[str, str]:
    """What a further value needs of the row beside it: a name its address, a coin its kind."""
    prefix, _, part = column.rpartition("_")
    start = f"{prefix}_" if prefix in {"sender", "addressee"} else ""
    if part in {"name", "business", "street"}:
        names = [f"{start}{each}" for each in ("name", "street", *_POSTAL)]
        return {each: row[each] for each in names if each in row and each != column}
    if part == "phone" and (country := row.get(f"{start}country")):
        return {f"{start}country": country}
    beside = {"payment": "payment_scheme", "vendor_handle": "vendor_market"}.get(column)
    return {beside: row[beside]} if beside and beside in row else {}


def _tag_names(holder: Mapping[str, Any]) -> list[str]:
    listed = holder.get("Tag")
    if not isinstance(listed, list):
        return []
    return [
        _text(each.get("name"))
        for each in listed
        if isinstance(each, dict) and not _is_deleted(each) and _text(each.get("name"))
    ]


def _is_deleted(holder: Mapping[str, Any]) -> bool:
    return holder.get("deleted") in (True, "1", "true")  # it may be anything, so in no set


def _text(value: object) -> str:
    """A value as text, without space around it; "" of what is neither text nor a number."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""
