"""An indicator as a client sends it, read into the form of a report; what is wrong is collected.

Every property that could hold free text must be absent, or one of the texts that
`postern.stix.writing` writes.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from postern.stix.form import PROPERTY_NAMES
from postern.stix.names import EXTENSIONS, KILL_CHAIN, PHASES, TLP_1_IDS, TLP_IDS, moment
from postern.stix.schema import (
    DAYS,
    ELEMENT_PATTERN,
    INDICATOR_WORDS,
    MOST_TOKENS,
    PLACE_PATTERN,
    SHIPMENT_PATTERNS,
    SHIPMENT_WORDS,
    facets_of,
)
from postern.stix.submitting import SUBMITTED
from postern.stix.tokens import EXCHANGE_TOKEN, RANK, REFERENCE, SCHEME, facet_name, facet_number
from postern.stix.words import NAMES, ROLE_NAMES, confidence, information_grade
from postern.stix.writing import DESCRIPTION, POINT_DESCRIPTION, handling_marking, pattern_of_place
from postern.terms import Fault
from postern.vocabulary import (
    EVALUATION_KIND,
    INDICATOR_KINDS,
    Handling,
    InformationGrade,
    Kind,
    PartyRole,
    PermittedAction,
    SourceGrade,
    Tlp,
)

PUSH = "Use `postern exchange push`, which makes pseudonyms of it on your own premises."

MARKED_TLP: Mapping[str, Tlp] = {**{id_: tlp for tlp, id_ in TLP_IDS.items()}, **TLP_1_IDS}
"""Id of a marking definition -> its TLP."""

KNOWN_OF_INDICATOR = frozenset(
    {
        *("type", "spec_version", "id", "created_by_ref", "created", "modified", "revoked"),
        *("name", "description", "indicator_types", "pattern", "pattern_type", "pattern_version"),
        *("valid_from", "valid_until", "kill_chain_phases", "labels", "confidence", "lang"),
        *("object_marking_refs", "extensions"),
    }
)

KNOWN_OF_SIGHTING = frozenset(
    {
        *("type", "spec_version", "id", "created_by_ref", "created", "modified", "revoked"),
        *("sighting_of_ref", "count", "first_seen", "last_seen", "where_sighted_refs"),
        "object_marking_refs",
    }
)

_OF_POSTAL = frozenset(
    {
        *("extension_type", "kind", "scheme", "epoch", "elements", "handling", "quality"),
        *("reference", "tokens", *INDICATOR_WORDS, *DAYS),
    }
)
_NAMED = (
    KNOWN_OF_INDICATOR
    | KNOWN_OF_SIGHTING
    | PROPERTY_NAMES
    | _OF_POSTAL
    | {"object", "report", "barrier_step", *SHIPMENT_WORDS, *SHIPMENT_PATTERNS}
)
_NAMES = frozenset(
    {"Withdrawn", *(f"{name} {role}" for name in NAMES.values() for role in ROLE_NAMES.values())}
)
_DESCRIPTIONS = frozenset(
    {DESCRIPTION, POINT_DESCRIPTION, "Withdrawn or no longer shared: erase what you keep of it."}
)
_TYPES = frozenset(
    {
        *("anomalous-activity", "anonymization", "attribution", "benign", "compromised"),
        *("malicious-activity", "unknown"),
    }
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_ELEMENT = re.compile(ELEMENT_PATTERN, re.ASCII)
_PLACE_WORD = re.compile(PLACE_PATTERN, re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_USER_ID = re.compile(r"\[user-account:user_id = '([^'\\]{1,120})'\]", re.ASCII)
_PLAIN_WORD = re.compile(r"[a-z0-9_:+-]{1,60}", re.ASCII | re.IGNORECASE)

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z]{2})?", re.ASCII)
_VERSION = re.compile(r"2\.1", re.ASCII)
_LAST_EPOCH = 32767
_LAST_STEP = 7


class SentReading:
    """Reads an indicator with our extension and collects what is wrong with it."""

    def __init__(self, obj: dict[str, Any]) -> None:
        self._obj = obj
        self.faults: list[Fault] = []
        extensions = obj["extensions"]
        self._postal: dict[str, Any] = extensions[EXTENSIONS["postal-indicator"]]
        self.consignment: dict[str, Any] = dict(extensions.get(EXTENSIONS["consignment"], {}))
        self._point: dict[str, Any] | None = extensions.get(EXTENSIONS["induction-point"])

    def read(self) -> tuple[dict[str, Any], dict[str, str], int | None]:
        self._foreign()
        indicator = self._words()
        if "kind" in indicator:
            self._value(Kind(indicator["kind"]), indicator)
        self._marked(indicator)
        self._period(indicator)
        self._graded(indicator)
        shipment = self._shipment()
        return indicator, shipment, self._step()

    def fault(self, place: str, reason: str, remedy: str) -> None:
        self.faults.append(Fault(place, reason, remedy))

    def _foreign(self) -> None:
        """Everything that could say something in clear, or that would be lost without a word."""
        obj = self._obj
        for found in obj.keys() - KNOWN_OF_INDICATOR:
            self.fault(shown(found), "The property is not taken here.", f"Leave it out. {PUSH}")
        for found in obj["extensions"].keys() - set(EXTENSIONS.values()):
            self.fault(
                f"extensions.{shown(found)}", "The extension is not known here.", "Leave it out."
            )
        self._texts()
        if obj.get("pattern_type") != "stix" or not self._is_neutral(obj["pattern"]):
            self.fault("pattern", "The pattern could hold a value in clear.", _NEUTRAL)

    def _texts(self) -> None:
        obj = self._obj
        for place, ours in (("name", _NAMES), ("description", _DESCRIPTIONS)):
            if place in obj and obj[place] not in ours:
                self.fault(place, "Free text is not taken: it could name somebody.", _WITHOUT_TEXT)
        for each in obj.get("labels", []):
            if not _is_label(each):
                self.fault("labels", "A label is not one of ours.", _WITHOUT_TEXT)
                break
        for place, form in (("lang", _LANGUAGE), ("pattern_version", _VERSION)):
            if place in obj and not form.fullmatch(obj[place]):
                self.fault(place, "It is no such code.", "Leave it out.")
        types = obj.get("indicator_types", [])
        if not set(types) <= _TYPES:
            self.fault("indicator_types", "A type is not of the vocabulary of STIX.", "Correct it.")

    def _is_neutral(self, pattern: str) -> bool:
        if self._point and _is_place(self._point) and pattern == pattern_of_place(self._point):
            return True
        found = _USER_ID.fullmatch(pattern)
        said = found[1] if found else ""
        return pattern == SUBMITTED or bool(
            EXCHANGE_TOKEN.fullmatch(said) or REFERENCE.fullmatch(said)
        )

    def _words(self) -> dict[str, Any]:
        postal = self._postal
        self._typed(postal, "postal-indicator")
        for name in postal.keys() - _OF_POSTAL:
            self.fault(_in_postal(shown(name)), "There is no such property.", "Leave it out.")
        if postal.get("scheme", SCHEME) != SCHEME:
            self.fault(_in_postal("scheme"), "The scheme is not known here.", f"Use {SCHEME}.")
        for name in ("tokens", "reference"):
            if name in postal and "elements" in postal:
                reason = "It is made by the platform for each reader."
                self.fault(_in_postal(name), reason, "Send elements only.")
        found: dict[str, Any] = {"kind": self._word("kind", INDICATOR_KINDS)}
        found |= {name: self._word(name, words) for name, words in INDICATOR_WORDS.items()}
        del found["level"]  # the platform decides it for each reader
        found |= {
            name: self._listed(name, postal[name])
            for name in ("handling", "quality")
            if name in postal
        }
        found |= {name: self._day(name, postal[name]) for name in DAYS if name in postal}
        return {name: word for name, word in found.items() if word is not None}

    def _word(self, name: str, words: Iterable[str]) -> str | None:
        word = self._postal.get(name)
        if word is None:
            if name in _NEEDED:
                self.fault(_in_postal(name), "It is missing.", f"Use one of: {', '.join(words)}.")
            return None
        if isinstance(word, str) and word in _WORDS[name]:
            return word
        reason = "The word is not in the list."
        self.fault(_in_postal(name), reason, f"Use one of: {', '.join(words)}.")
        return None

    def _typed(self, extension: Mapping[str, Any], name: str) -> None:
        if extension.get("extension_type") != "property-extension":
            self.fault(
                f"extensions.{name}.extension_type",
                "It is not property-extension.",
                "Write property-extension.",
            )

    def _listed(self, name: str, found: object) -> list[str] | None:
        if isinstance(found, list) and all(
            isinstance(each, str) and _PLAIN_WORD.fullmatch(each) for each in found
        ):
            return list(dict.fromkeys(found))
        self.fault(
            _in_postal(name), "It is not a list of words.", "Write a list of words of its list."
        )
        return None

    def _day(self, name: str, found: object) -> str | None:
        if isinstance(found, str) and _DAY.fullmatch(found) and _is_day(found):
            return found
        self.fault(_in_postal(name), "It is not a day.", "Write it as 2026-11-25.")
        return None

    def _value(self, kind: Kind, indicator: dict[str, Any]) -> None:
        postal = self._postal
        if kind not in EVALUATION_KIND:
            if self._point is None or not _is_place(self._point):
                self.fault(
                    "extensions.induction-point",
                    "The place is missing, or is not operator, code and country.",
                    "Give the three, as the schema of the extension says.",
                )
                return
            self._typed(self._point, "induction-point")
            indicator["place"] = {name: self._point[name] for name in _PLACE}
            if "elements" in postal or "epoch" in postal:
                self.fault(
                    "extensions.postal-indicator.elements",
                    "A place is in clear.",
                    "Leave elements and epoch out.",
                )
            return
        if self._point is not None:
            place = "extensions.induction-point"
            self.fault(place, "Only an induction point has one.", "Leave it out.")
        epoch = postal.get("epoch")
        if type(epoch) is int and 1 <= epoch <= _LAST_EPOCH:
            indicator["epoch"] = epoch
        else:
            self.fault(
                "extensions.postal-indicator.epoch",
                "It is not an epoch.",
                "Use the newest epoch of the kind in the key document.",
            )
        if "elements" in postal or not {"tokens", "reference"} & postal.keys():
            indicator["elements"] = self._elements(kind, postal.get("elements"))

    def _elements(self, kind: Kind, found: object) -> list[dict[str, Any]]:
        place = "extensions.postal-indicator.elements"
        names = _FACETS[kind]
        if not isinstance(found, dict) or not found:
            self.fault(place, "There are no elements.", f"Give elements by facet. {PUSH}")
            return []
        read: list[dict[str, Any]] = []
        for name in sorted(found, key=lambda each: (RANK.get(facet_number(each) or 0, 99), each)):
            number = facet_number(name)
            listed = found[name]
            if name not in names or number is None:
                reason = f"A {kind} has no facet of this name."
                self.fault(place, reason, f"Use {', '.join(sorted(names))}.")
            elif not isinstance(listed, list) or not all(
                isinstance(each, str) and _ELEMENT.fullmatch(each) for each in listed
            ):
                reason = "It is not a list of elements of 32 bytes as base64url without padding."
                self.fault(f"{place}.{name}", reason, "Send the evaluated elements.")
            else:
                read += ({"facet": number, "element": each} for each in sorted(listed))
        if not 1 <= len(read) <= MOST_TOKENS and not self.faults:
            self.fault(place, f"There are not 1 to {MOST_TOKENS}.", "Send one for each facet.")
        return read

    def _marked(self, indicator: dict[str, Any]) -> None:
        """TLP by its official ids; our own handling marking where it says what is said anyway."""
        try:
            codes = tuple(Handling(each) for each in indicator.get("handling") or ())
        except ValueError:
            codes = ()  # told by the platform, which knows the list
        action = PermittedAction(indicator.get("permitted_action", PermittedAction.KNOW))
        own = handling_marking(codes, action).id
        found: set[Tlp] = set()
        for each in self._obj.get("object_marking_refs", []):
            if each in MARKED_TLP:
                found.add(MARKED_TLP[each])
            elif each != own:
                self.fault(
                    "object_marking_refs",
                    "A marking is not known here, so it could not be kept to.",
                    "Use TLP 2.0 and the handling codes of the postal-indicator extension.",
                )
                return
        if len(found) > 1:
            self.fault("object_marking_refs", "It has two TLP markings.", "Leave one.")
        elif found:
            indicator["tlp"] = found.pop().value

    def _period(self, indicator: dict[str, Any]) -> None:
        until = moment(self._obj.get("valid_until"))
        if until is None:
            return
        told = indicator.setdefault("expires_on", until.date().isoformat())
        if told != until.date().isoformat():
            self.fault("valid_until", "It is another day than expires_on.", "Correct one of them.")

    def _graded(self, indicator: dict[str, Any]) -> None:
        sure = self._obj.get("confidence")
        if sure is None:
            return
        if "information_grade" not in indicator:
            indicator["information_grade"] = information_grade(sure).value
            return
        try:
            source = SourceGrade(indicator.get("source_grade", SourceGrade.X))
            expected = confidence(source, InformationGrade(indicator["information_grade"]))
        except ValueError:
            return
        if sure != expected:
            self.fault("confidence", "It contradicts the grades.", "Leave it out.")

    def _shipment(self) -> dict[str, str]:
        found: dict[str, str] = {}
        given = self.consignment
        if given:
            self._typed(given, "consignment")
        for name, word in given.items():
            place = f"extensions.consignment.{shown(name)}"
            if name in SHIPMENT_WORDS:
                if isinstance(word, str) and word in set(SHIPMENT_WORDS[name]):
                    found[name] = word
                else:
                    words = ", ".join(SHIPMENT_WORDS[name])
                    self.fault(place, "The word is not in the list.", f"Use one of: {words}.")
            elif name in SHIPMENT_PATTERNS:
                if isinstance(word, str) and re.fullmatch(SHIPMENT_PATTERNS[name], word, re.ASCII):
                    found[name] = word
                else:
                    self.fault(place, "It is not a code.", "Use the code that its schema names.")
            elif name == "report":
                if not (isinstance(word, str) and _UUID.fullmatch(word)):
                    self.fault(place, "It is not a UUID.", "Write a random one for each report.")
            elif name not in {"extension_type", "barrier_step"}:
                self.fault(place, "There is no such property.", "Leave it out.")
        return found

    def _step(self) -> int | None:
        told = self.consignment.get("barrier_step")
        if told is not None and not (type(told) is int and 1 <= told <= _LAST_STEP):
            place = "extensions.consignment.barrier_step"
            self.fault(place, "It is not a step.", "Use 1 to 7, or leave it out.")
            return None
        steps = set() if told is None else {told}
        for phase in self._obj.get("kill_chain_phases", []):
            if phase["kill_chain_name"] != KILL_CHAIN or phase["phase_name"] not in PHASES:
                self.fault(
                    "kill_chain_phases",
                    f"A phase is not one of {KILL_CHAIN}.",
                    f"Use one of: {', '.join(PHASES)}.",
                )
                return None
            steps.add(PHASES.index(phase["phase_name"]) + 1)
        if len(steps) > 1:
            self.fault("kill_chain_phases", "It names two steps.", "Leave one.")
            return None
        return steps.pop() if steps else None


_PLACE = ("operator", "code", "country")
_NEEDED = frozenset({"kind", "role", "learned", "legal_basis"})
_WITHOUT_TEXT = f"Leave it out. {PUSH}"
_NEUTRAL = f"Write {SUBMITTED}, and elements in the extension. {PUSH}"


_WORDS: Mapping[str, frozenset[str]] = {
    "kind": frozenset(INDICATOR_KINDS),
    **{name: frozenset(words) for name, words in INDICATOR_WORDS.items()},
}
_FACETS: Mapping[Kind, frozenset[str]] = {
    kind: frozenset(facet_name(number) for number in facets_of(kind)) for kind in INDICATOR_KINDS
}


def shown(name: str) -> str:
    """A name of STIX or of ours; another could be a value, and is not repeated."""
    return name if name in _NAMED else "property"


def _in_postal(name: str) -> str:
    return f"extensions.postal-indicator.{name}"


def _is_label(text: str) -> bool:
    head, _, word = text.partition(":")
    if head == "kind":
        return word in set(Kind)
    if head == "role":
        return word in set(PartyRole)
    return text == "postal"


def _is_place(point: Mapping[str, Any]) -> bool:
    if point.keys() - {"extension_type", *_PLACE} or not all(name in point for name in _PLACE):
        return False
    operator, code, country = (point[name] for name in _PLACE)
    return (
        isinstance(operator, str)
        and isinstance(code, str)
        and isinstance(country, str)
        and bool(_PLACE_WORD.fullmatch(operator))
        and bool(_PLACE_WORD.fullmatch(code))
        and bool(_COUNTRY.fullmatch(country))
    )


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
