"""A shipping pattern as another Postern sends it: the text of its rule, checked against the rest.

Only the text is taken. Everything else that the object says follows from it, so what contradicts
it, or says more, is told.
"""

from collections.abc import Mapping
from typing import Any

from postern.patterns import PatternError, Rule, read_rules
from postern.patterns.model import PATTERN_FORMAT
from postern.stix.names import EXTENSIONS, TLP_IDS
from postern.stix.sent_reading import KNOWN_OF_INDICATOR, MARKED_TLP, shown
from postern.terms import Fault

LONGEST_TEXT = 64 * 1024  # bytes of UTF-8, as a platform shares them at most

_OF_PATTERN = frozenset(
    {"extension_type", "format", "rule", "text", "sha256", "severity", "losses"}
)
_PLACE = "extensions.shipping-pattern"


def is_pattern(obj: Mapping[str, Any]) -> bool:
    """Whether an indicator is a shipping pattern of a Postern."""
    extensions = obj.get("extensions")
    return (
        isinstance(extensions, dict)
        and isinstance(extensions.get(EXTENSIONS["shipping-pattern"]), dict)
        and EXTENSIONS["postal-indicator"] not in extensions
    )


def read_pattern(obj: Mapping[str, Any]) -> tuple[str, tuple[Fault, ...]]:
    """The text of the rule, and what is wrong with the object. `is_pattern` of it is true."""
    said: Mapping[str, Any] = obj["extensions"][EXTENSIONS["shipping-pattern"]]
    faults = [
        Fault(shown(name), "The property is not taken here.", "Leave it out.")
        for name in sorted(obj.keys() - KNOWN_OF_INDICATOR)
    ]
    others = obj["extensions"].keys() - {EXTENSIONS["shipping-pattern"]}
    if others or said.keys() - _OF_PATTERN:
        reason = "It says more than a shipping pattern does."
        faults.append(Fault(_PLACE, reason, "Leave out what its schema does not name."))
    if said.get("format") != PATTERN_FORMAT:
        reason = "The format is not known here."
        faults.append(Fault(f"{_PLACE}.format", reason, f"Use {PATTERN_FORMAT}."))
    text = said.get("text")
    if not isinstance(text, str) or len(text.encode("utf-8", "replace")) > LONGEST_TEXT:
        remedy = f"Send the rule, of at most {LONGEST_TEXT:,} bytes."
        return "", (*faults, Fault(f"{_PLACE}.text", "There is no such text.", remedy))
    try:
        rules = read_rules(text)
    except PatternError as error:
        first = error.faults[0]
        place = f"{_PLACE}.text, line {first.line}"
        return text, (*faults, Fault(place, first.reason, first.remedy))
    if len(rules) == 1:
        faults += _contradictions(obj, said, rules[0])
    else:
        faults.append(Fault(f"{_PLACE}.text", "It is not one rule.", "Send each by itself."))
    return text, tuple(faults)


def _contradictions(obj: Mapping[str, Any], said: Mapping[str, Any], rule: Rule) -> list[Fault]:
    faults = []
    told = {"rule": rule.id, "sha256": rule.sha256, "severity": rule.level.value}
    for name, expected in told.items():
        if said.get(name, expected) != expected:
            reason = "It is not that of the text."
            faults.append(Fault(f"{_PLACE}.{name}", reason, "Correct it, or leave it out."))
    markings = {MARKED_TLP.get(each) for each in obj.get("object_marking_refs", ())}
    if markings - {rule.tlp}:
        reason = "A marking is not that of the text."
        faults.append(Fault("object_marking_refs", reason, f"Use {TLP_IDS[rule.tlp]}."))
    return faults
