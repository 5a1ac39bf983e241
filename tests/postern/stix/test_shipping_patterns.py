"""Shared shipping patterns as STIX: nothing of a rule is lost."""

from datetime import UTC, datetime

import pytest
import stix2validator

from postern.patterns import PatternError, read_rules
from postern.stix.names import EXTENSIONS, new_name
from postern.stix.records import EndedRecord, PatternRecord
from postern.stix.shipping_patterns import objects_of_rule, pattern_of, rule_name
from postern.stix.writing import bundle_text, revoked
from postern.vocabulary import Kind
from tests.postern.patterns.examples import DOCUMENT, changed, row_rule
from tests.postern.stix.made import CREATED, LATER, OWNER, parse, read


def made(text: str) -> PatternRecord:
    return PatternRecord(new_name(), CREATED, LATER, OWNER, text)


def test_a_rule_is_an_indicator_of_a_way_of_working() -> None:
    rendered = pattern_of(made(DOCUMENT))
    indicator, way, link = map(read, rendered.own)
    extension = indicator["extensions"][EXTENSIONS["shipping-pattern"]]
    assert extension["text"] == DOCUMENT
    assert extension["rule"] == "5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a01"
    assert "Parcels are not grouped by origin_country, sender_postcode_area." in extension["losses"]
    assert indicator["pattern"].endswith("REPEATS 3 TIMES WITHIN 604800 SECONDS")
    assert indicator["valid_until"] == "2027-11-30T00:00:00.000Z"
    assert way["kill_chain_phases"] == [
        {"kill_chain_name": "postal-barrier-model", "phase_name": "hand-over"}
    ]
    assert link["relationship_type"] == "indicates"
    assert (link["source_ref"], link["target_ref"]) == (indicator["id"], way["id"])


def test_strict_readers_take_it() -> None:
    rendered = pattern_of(made(DOCUMENT))
    bundle = bundle_text(entry.text for entry in (*rendered.support, *rendered.own))
    parse(bundle)
    found = stix2validator.validate_string(
        bundle,
        stix2validator.ValidationOptions(version="2.1", strict=True, strict_properties=True),
    )
    assert (found.is_valid, found.errors) == (True, [])


def test_a_rule_without_an_aggregate_loses_nothing() -> None:
    indicator = read(pattern_of(made(row_rule("one: {pieces: 1}", "one"))).own[0])
    assert "losses" not in indicator["extensions"][EXTENSIONS["shipping-pattern"]]


def test_a_rule_that_stix_cannot_say_is_in_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postern.stix.shipping_patterns.stix_pattern", lambda _rule: None)
    indicator = read(pattern_of(made(DOCUMENT)).own[0])
    parse(indicator)
    rule = "5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a01"
    assert indicator["pattern"] == f"[x-postal-pattern:rule = '{rule}']"
    (lost,) = indicator["extensions"][EXTENSIONS["shipping-pattern"]]["losses"]
    assert "use the text" in lost


def test_a_rule_that_has_expired_still_has_a_period() -> None:
    text = changed("2027-11-30", "2026-11-24")
    indicator = read(pattern_of(made(text)).own[0])
    parse(indicator)
    assert indicator["valid_until"] > indicator["valid_from"]
    assert indicator["valid_until"] <= f"{datetime(2026, 11, 25, tzinfo=UTC):%Y-%m-%d}"


def test_its_revocation_covers_all_that_was_written() -> None:
    record = made(DOCUMENT)
    ended = EndedRecord(record.name, record.created, LATER, OWNER, Kind.PATTERN)
    assert [e.id for e in revoked(ended)] == [e.id for e in pattern_of(record).own]


def test_what_is_no_rule_is_refused_with_its_place() -> None:
    with pytest.raises(PatternError):
        pattern_of(made("format: another"))


def test_a_rule_that_no_platform_shares_is_of_its_author_and_named_by_its_id() -> None:
    rule, later = (read_rules(text)[0] for text in (DOCUMENT, changed("Documents from", "All of")))
    assert rule_name(rule) == rule_name(later)
    record = PatternRecord(rule_name(rule), CREATED, CREATED, None, DOCUMENT)
    rendered = objects_of_rule(rule, record)
    parse(bundle_text(entry.text for entry in (*rendered.support, *rendered.own)))
    author = read(rendered.support[2])
    assert author["name"] == "Post of Example"
    assert read(rendered.own[0])["created_by_ref"] == author["id"]
