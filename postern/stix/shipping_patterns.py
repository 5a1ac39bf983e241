"""A shared shipping pattern as STIX: an indicator, the way of working that it indicates, a link.

The indicator carries the rule's own YAML in an extension, so that nothing is lost, and what of it
STIX patterning cannot say (`postern.patterns.stix`).
"""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from postern.patterns.model import PATTERN_FORMAT, Rule
from postern.patterns.reading import read_rules
from postern.patterns.stix import StixPattern, stix_pattern
from postern.stix.names import (
    EXTENSIONS,
    KILL_CHAIN,
    PHASES,
    TLP_IDS,
    derived,
    identity_id,
    stix_id,
    timestamp,
)
from postern.stix.records import Entry, PatternRecord, Rendered
from postern.stix.support import (
    FIXED,
    entry_of,
    extension_definition,
    identity_of,
    platform_identity,
    tlp_definition,
)
from postern.stix.writing import quoted

_UNSAYABLE = "It cannot be said in STIX patterning: use the text of the rule."


def pattern_of(record: PatternRecord) -> Rendered:
    """The objects of a rule. Raises PatternError for a text that is not one rule."""
    (rule,) = read_rules(record.text)
    return objects_of_rule(rule, record)


def objects_of_rule(rule: Rule, record: PatternRecord) -> Rendered:
    """The same of a rule that was read from `record.text`, perhaps among others."""
    found = stix_pattern(rule)
    said = found or StixPattern(f"[x-postal-pattern:rule = {quoted(rule.id)}]", (_UNSAYABLE,))
    way = derived("attack-pattern", str(record.name))
    link = derived("relationship", str(record.name))
    own = (
        entry_of(_indicator(record, rule, said)),
        entry_of(_way(record, rule, stix_id("attack-pattern", way))),
        entry_of(
            {
                **_head(rule, record, "relationship", stix_id("relationship", link)),
                "relationship_type": "indicates",
                "source_ref": stix_id("indicator", record.name),
                "target_ref": stix_id("attack-pattern", way),
                "object_marking_refs": [TLP_IDS[rule.tlp]],
            }
        ),
    )
    support = (
        platform_identity(),
        extension_definition("shipping-pattern"),
        _producer(rule, record),
        tlp_definition(rule.tlp),
    )
    return Rendered(support, own)


def rule_name(rule: Rule) -> UUID:
    """The name by which a rule that no platform shares is known: it follows from its id alone."""
    return derived("shipping-pattern", rule.id)


def _producer(rule: Rule, record: PatternRecord) -> Entry:
    if record.owner:
        return identity_of(record.owner)
    return entry_of(
        {
            "type": "identity",
            "spec_version": "2.1",
            "id": _producer_id(rule, record),
            "created": timestamp(FIXED),
            "modified": timestamp(FIXED),
            "name": rule.author,
            "identity_class": "organization",
        }
    )


def _producer_id(rule: Rule, record: PatternRecord) -> str:
    if record.owner:
        return identity_id(record.owner.code)
    return stix_id("identity", derived("author", rule.author))


def _indicator(record: PatternRecord, rule: Rule, said: StixPattern) -> dict[str, Any]:
    until = max(
        datetime.combine(rule.expires, time(), UTC),
        record.created + timedelta(milliseconds=1),  # a period cannot be empty
    )
    extension: dict[str, Any] = {
        **_extension(rule),
        "text": record.text,
        **({"losses": list(said.losses)} if said.losses else {}),
    }
    return {
        **_head(rule, record, "indicator", stix_id("indicator", record.name)),
        "name": rule.title,
        "description": rule.description,
        "indicator_types": ["anomalous-activity"],
        "pattern": said.pattern,
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": timestamp(record.created),
        "valid_until": timestamp(until),
        "kill_chain_phases": _phases(rule),
        "labels": ["postal", "kind:pattern", f"level:{rule.level}"],
        "object_marking_refs": [TLP_IDS[rule.tlp]],
        "extensions": {EXTENSIONS["shipping-pattern"]: extension},
    }


def _way(record: PatternRecord, rule: Rule, name: str) -> dict[str, Any]:
    return {
        **_head(rule, record, "attack-pattern", name),
        "name": rule.title,
        "description": rule.description,
        "kill_chain_phases": _phases(rule),
        "object_marking_refs": [TLP_IDS[rule.tlp]],
        "extensions": {EXTENSIONS["shipping-pattern"]: _extension(rule)},
    }


def _extension(rule: Rule) -> dict[str, Any]:
    return {
        "extension_type": "property-extension",
        "format": PATTERN_FORMAT,
        "rule": rule.id,
        "sha256": rule.sha256,
        "severity": rule.level.value,
    }


def _phases(rule: Rule) -> list[dict[str, str]]:
    phase = PHASES[rule.barrier_step - 1]
    return [{"kill_chain_name": KILL_CHAIN, "phase_name": phase}]


def _head(rule: Rule, record: PatternRecord, type_: str, name: str) -> dict[str, Any]:
    return {
        "type": type_,
        "spec_version": "2.1",
        "id": name,
        "created_by_ref": _producer_id(rule, record),
        "created": timestamp(record.created),
        "modified": timestamp(record.modified),
    }
