"""From the objects of others to rows: one thing is one row, with what other objects say of it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from postern.stix.form import check_object
from postern.stix.mapped import ForeignRow, Mapped, Unmapped
from postern.stix.names import EXTENSIONS, KILL_CHAIN, PHASES, moment
from postern.stix.observables import BY_HAND, IS_PSEUDONYM, OTHER_TYPE, Row, row_of
from postern.stix.patterns import things_of
from postern.stix.sent_reading import MARKED_TLP
from postern.stix.words import information_grade
from postern.vocabulary import Tlp

_OBSERVED = frozenset(
    {
        *("email-addr", "user-account", "phone-number", "x-phone-number", "tracking-number"),
        *("cryptocurrency-wallet", "x-cryptocurrency-wallet", "bank-account", "x-pgp-key"),
        *("x-postal-address", "postal-address"),
    }
)
_ABOUT = frozenset({"note", "opinion", "report", "grouping"})
_ROLES = {"role:sender": "sender_", "role:addressee": "addressee_"}
_PARTY_COLUMNS = frozenset(
    {
        *("name", "business", "street", "street_2", "house_number", "box", "postcode", "city"),
        *("country", "phone", "email"),
    }
)
_VENDOR_LABELS = frozenset({"vendor", "darknet-vendor"})
_TLP_OF_TEXT: Mapping[str, Tlp] = {
    **{tlp.value.lower(): tlp for tlp in Tlp},
    "white": Tlp.CLEAR,
}
_LONGEST_NOTE = 10_000  # characters, as a row takes them
_NOT_AN_OBJECT = "It is not STIX 2.1"


@dataclass(slots=True)
class _Found:
    """A row on its way, and the objects that it is made of."""

    row: Row
    ids: list[str] = field(default_factory=list)
    markings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    days: list[str] = field(default_factory=list)


class Translation:
    """Takes objects one by one, and says at the end what they became."""

    def __init__(self) -> None:
        self._found: list[_Found] = []
        self._by_id: dict[str, list[_Found]] = {}
        self._by_value: dict[tuple[tuple[str, str], ...], _Found] = {}
        self._unmapped: list[Unmapped] = []
        self._noted: list[tuple[str, str]] = []
        self._versions: dict[str, str] = {}
        self._latest: dict[str, str] = {}  # as text, which takes a fifth of the memory
        self._tlp: dict[str, Tlp] = dict(MARKED_TLP)

    def take(self, obj: dict[str, Any]) -> None:
        """Keep an object, in the place of an older version of it."""
        name = obj.get("id")
        faults = check_object(obj)
        if faults or not isinstance(name, str):
            first = faults[0]
            reason = f"{_NOT_AN_OBJECT}: {first.field}: {first.reason}"
            self._leave(obj, reason, first.remedy)
            return
        version = str(obj.get("modified", obj.get("created", "")))
        known = self._versions.get(name)
        if known is not None:
            self._noted.append((name, "Another version of it is in the file."))
            if _is_older(version, known):
                return
        self._versions[name] = version
        self._latest[name] = json.dumps(obj)

    def mapped(self) -> Mapped:
        """What became of everything; what was taken is used up."""
        later: list[dict[str, Any]] = []
        places: dict[str, dict[str, Any]] = {}
        for name in list(self._latest):
            self._first(json.loads(self._latest.pop(name)), later, places)
        self._people(later, places)
        for obj in later:
            self._second(obj)
        return Mapped(tuple(self._finished()), tuple(self._unmapped), tuple(self._noted))

    def _first(
        self, obj: dict[str, Any], later: list[dict[str, Any]], places: dict[str, dict[str, Any]]
    ) -> None:
        """Things and markings; what speaks of them comes when all of them are known."""
        type_ = obj["type"]
        if obj.get("revoked") is True:
            self._noted.append((obj["id"], "It is revoked: there is nothing to submit."))
        elif type_ == "indicator":
            self._indicator(obj)
        elif type_ in _OBSERVED:
            self._thing(obj)
        elif type_ == "threat-actor":
            self._actor(obj)
        elif type_ == "marking-definition":
            self._marking(obj)
        elif type_ == "extension-definition":
            self._noted.append((obj["id"], "It defines an extension."))
        elif type_ == "location":
            places[obj["id"]] = obj
        else:
            later.append(obj)

    def _indicator(self, obj: dict[str, Any]) -> None:
        if EXTENSIONS["postal-indicator"] in obj.get("extensions", {}):
            self._leave(obj, IS_PSEUDONYM, "Keep it with `postern exchange pull`.")
            return
        if "benign" in obj.get("indicator_types", []):
            self._leave(obj, "Its producer says that it is benign.", "Nothing is to be done.")
            return
        if obj["pattern_type"] != "stix":
            self._leave(obj, "Its pattern is not in STIX patterning.", BY_HAND)
            return
        things = things_of(obj["pattern"])
        if things is None:
            reason = "Its pattern says more than what one thing is."
            self._leave(obj, reason, BY_HAND)
            return
        for thing in things:
            types = {type_ for type_, _, _ in thing}
            if len(types) != 1:
                self._leave(obj, "Its pattern is about several things together.", BY_HAND)
                continue
            row = row_of(types.pop(), {path: text for _, path, text in thing})
            self._add(obj, row)

    def _thing(self, obj: dict[str, Any]) -> None:
        said = {name: text for name, text in obj.items() if isinstance(text, str)}
        self._add(obj, row_of(obj["type"], said))

    def _actor(self, obj: dict[str, Any]) -> None:
        """An actor is a vendor when its producer says so: else its name is no handle."""
        if _VENDOR_LABELS.isdisjoint(map(str.lower, obj.get("labels", []))):
            reason = "It is not said that its name is the handle of a vendor on a market."
            self._leave(obj, reason, "Label it darknet-vendor, if it is one.")
            return
        for handle in dict.fromkeys([obj["name"], *obj.get("aliases", [])]):
            self._add(obj, {"vendor_handle": handle})

    def _marking(self, obj: dict[str, Any]) -> None:
        name = obj["id"]
        definition = obj.get("definition")
        said = definition.get("tlp") if isinstance(definition, dict) else None
        if isinstance(said, str) and said.lower() in _TLP_OF_TEXT:
            self._tlp.setdefault(name, _TLP_OF_TEXT[said.lower()])
        if name in self._tlp:
            self._noted.append((name, "It is a marking of TLP."))
            return
        reason = "It is a marking that is not known here."
        self._leave(obj, reason, "See that what you submit keeps to it: --tlp and --handling.")

    def _people(self, later: list[dict[str, Any]], places: dict[str, dict[str, Any]]) -> None:
        """A person at a place is a party; a place alone is an address, if no body is there."""
        identities = {obj["id"]: obj for obj in later if obj["type"] == "identity"}
        lived: set[str] = set()
        bodies: set[str] = set()
        used: set[str] = set()
        for link in (obj for obj in later if obj["type"] == "relationship"):
            who, where = identities.get(link["source_ref"]), places.get(link["target_ref"])
            if link["relationship_type"] != "located-at" or who is None or where is None:
                continue
            used.add(link["id"])
            self._noted.append((link["id"], "It says who is where."))
            if who.get("identity_class") != "individual":
                bodies.add(where["id"])
                continue
            lived |= {who["id"], where["id"]}
            row = _address(where)
            self._add(who, {"name": who["name"], **row} if row else _NO_STREET, where)
        for place in places.values():
            if place["id"] in lived:
                continue
            if place["id"] in bodies:
                self._leave(place, "It is where an organisation is.", BY_HAND)
                continue
            self._add(place, _address(place) or _NO_STREET)
        for who in identities.values():
            if who["id"] in lived:
                continue
            if who.get("identity_class") == "individual":
                reason = "It is a name without an address, which cannot be compared."
                self._leave(who, reason, "Give the address, as a location with located-at.")
            else:
                self._noted.append((who["id"], "It is an organisation or a group."))
        later[:] = [obj for obj in later if obj["id"] not in used | identities.keys()]

    def _second(self, obj: dict[str, Any]) -> None:
        """What speaks of things: when they were seen, and what is said of them."""
        type_ = obj["type"]
        if type_ == "sighting":
            refs = [obj["sighting_of_ref"], *obj.get("observed_data_refs", [])]
            self._seen(obj, refs, obj.get("first_seen"), obj.get("last_seen"))
        elif type_ == "observed-data":
            first, last = obj["first_observed"], obj["last_observed"]
            self._seen(obj, obj.get("object_refs", []), first, last)
        elif type_ == "note":
            self._note(obj)
        elif type_ in _ABOUT:
            self._leave(obj, "It is free text, or a list, about other objects.", BY_HAND)
        elif type_ == "relationship":
            self._leave(obj, "Relationships are not kept.", BY_HAND)
        else:
            self._leave(obj, OTHER_TYPE, BY_HAND)

    def _seen(self, obj: dict[str, Any], refs: Iterable[str], *times: str | None) -> None:
        known = self._of(refs)
        if not known:
            reason = "Nothing that became a row is what it says was seen."
            self._leave(obj, reason, "Put what was seen into the same file.")
            return
        days = [found.date().isoformat() for found in map(moment, times) if found]
        for each in known:
            each.days += days
        self._noted.append((obj["id"], "It says when something was seen."))

    def _note(self, obj: dict[str, Any]) -> None:
        known = self._of(obj["object_refs"])
        if not known or not isinstance(obj["content"], str):
            self._leave(obj, "Nothing that became a row is what it is about.", BY_HAND)
            return
        for each in known:
            each.notes.append(obj["content"])
        self._noted.append((obj["id"], "It is the note of a row, and leaves sealed only."))

    def _of(self, refs: Iterable[str]) -> list[_Found]:
        return [found for ref in refs for found in self._by_id.get(ref, ())]

    def _add(
        self, obj: dict[str, Any], row: Row | str, other: dict[str, Any] | None = None
    ) -> None:
        """A thing that two objects name is one row, with what both say of it."""
        both = [obj] if other is None else [obj, other]
        if isinstance(row, str):
            for each in both:
                self._leave(each, row, BY_HAND)
            return
        prefix = next((_ROLES[each] for each in obj.get("labels", []) if each in _ROLES), "")
        named = {
            f"{prefix}{name}" if name in _PARTY_COLUMNS else name: text
            for name, text in row.items()
        }
        found = self._by_value.setdefault(tuple(sorted(named.items())), _Found(named))
        if not found.ids:
            self._found.append(found)
        for each in both:
            if each["id"] not in found.ids:
                found.ids.append(each["id"])
                self._by_id.setdefault(each["id"], []).append(found)
            found.markings += each.get("object_marking_refs", [])
        for name, text in _terms(obj).items():
            found.row.setdefault(name, text)
        if obj["type"] != "location" and isinstance(obj.get("description"), str):
            found.notes.append(obj["description"])

    def _leave(self, obj: Mapping[str, Any], reason: str, remedy: str) -> None:
        name, type_ = obj.get("id"), obj.get("type")
        self._unmapped.append(
            Unmapped(
                name if isinstance(name, str) else "",
                type_ if isinstance(type_, str) else "",
                reason,
                remedy,
            )
        )

    def _finished(self) -> Iterator[ForeignRow]:
        for found in self._found:
            tlps = [self._tlp[ref] for ref in found.markings if ref in self._tlp]
            if tlps:
                found.row["tlp"] = max(tlps, key=list(Tlp).index).value
            if found.days:
                found.row["observed_from"] = min(found.days)
                found.row["observed_to"] = max(found.days)
            if found.notes:
                found.row["note"] = "\n\n".join(dict.fromkeys(found.notes))[:_LONGEST_NOTE]
            yield ForeignRow(tuple(found.ids), found.row)


_NO_STREET = "It is a place without a street, which cannot be compared."


def _terms(obj: Mapping[str, Any]) -> Row:
    """What an object says of itself in words of a row."""
    row: Row = {}
    sure = obj.get("confidence")
    if type(sure) is int:
        row["grade"] = f"X{information_grade(sure)}"
    until = moment(obj.get("valid_until"))
    if until:
        row["expires_on"] = until.date().isoformat()
    for phase in obj.get("kill_chain_phases", []):
        if phase["kill_chain_name"] == KILL_CHAIN and phase["phase_name"] in PHASES:
            row["barrier_step"] = str(PHASES.index(phase["phase_name"]) + 1)
    return row


def _address(place: Mapping[str, Any]) -> Row | None:
    street = place.get("street_address")
    if not isinstance(street, str):
        return None
    found = {"street": street}
    for name, column in (("postal_code", "postcode"), ("city", "city"), ("country", "country")):
        text = place.get(name)
        if isinstance(text, str):
            found[column] = text
    return found


def _is_older(version: str, known: str) -> bool:
    one, other = moment(version), moment(known)
    return one is not None and other is not None and one < other
