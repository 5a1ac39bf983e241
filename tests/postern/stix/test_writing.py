"""What is written: strict readers take it, schemas hold, and nothing of a person gets in."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from postern.stix.names import EXTENSIONS, PHASES, TLP_IDS, identity_id, new_name, split_id
from postern.stix.records import (
    EndedRecord,
    Entry,
    IndicatorRecord,
    ReportRecord,
    SightingRecord,
)
from postern.stix.schema import schema, schema_names
from postern.stix.writing import (
    bundle_text,
    extension_definitions,
    handling_marking,
    identity_of,
    objects_of,
    revoked,
    sighting_of,
    tlp_definition,
)
from postern.vocabulary import (
    INDICATOR_KINDS,
    Handling,
    InformationGrade,
    Kind,
    PermittedAction,
    SourceGrade,
    Tlp,
)
from tests.postern.stix.made import (
    CREATED,
    LATER,
    OWNER,
    POINT,
    UUID_REPORT,
    assert_valid,
    parse,
    read,
    record,
    records,
    tokens,
)

POSTAL = EXTENSIONS["postal-indicator"]
ROOT = Path(__file__).parents[3]
REF = re.compile(r'"((?:[a-z-]+)--[0-9a-f-]{36})"')


def everything(kinds: Iterable[Kind] = INDICATOR_KINDS) -> list[Entry]:
    """Each kind with tokens, without them and revoked, sighted, and all that it refers to."""
    found: dict[str, Entry] = {entry.id: entry for entry in extension_definitions()}
    for kind in kinds:
        for made in (record(kind), record(kind, tokens=None)):
            rendered = objects_of(made)
            seen = SightingRecord(
                new_name(), CREATED, LATER, OWNER, made.name, Tlp.RED, 3, CREATED, LATER
            )
            sighted = sighting_of(seen)
            gone = revoked(EndedRecord(new_name(), CREATED, LATER, OWNER, kind))
            for entry in (*rendered.support, *rendered.own, *sighted.support, *sighted.own, *gone):
                found[entry.id] = entry
    for entry in revoked(EndedRecord(new_name(), CREATED, LATER, OWNER, Kind.PATTERN)):
        found[entry.id] = entry
    for tlp in Tlp:
        found[TLP_IDS[tlp]] = tlp_definition(tlp)
    return list(found.values())


def test_the_validator_of_oasis_finds_neither_errors_nor_warnings_at_its_strictest() -> None:
    assert_valid(bundle_text(entry.text for entry in everything()))


def test_the_library_of_oasis_takes_the_whole_bundle_without_custom_content() -> None:
    parse(bundle_text(entry.text for entry in everything()))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records())
def test_whatever_the_closed_lists_allow_is_written_right(made: IndicatorRecord) -> None:
    rendered = objects_of(made)
    known: set[str] = set()
    for entry in (*rendered.support, *rendered.own):
        content = read(entry)
        _parsed(entry.text)
        assert (entry.id, entry.type) == (content["id"], content["type"])
        assert entry.version == content.get("modified", content["created"])
        named = set(REF.findall(entry.text)) - set(EXTENSIONS.values())
        assert named - {entry.id} - _declared(content) <= known | {one.id for one in rendered.own}
        known.add(entry.id)
        for name, extension in content.get("extensions", {}).items():
            found = [each for each, id_ in EXTENSIONS.items() if id_ == name]
            if found:
                _validator(found[0]).validate(extension)
    (indicator, *beside) = rendered.own
    assert len(beside) == (2 if made.kind is Kind.INDUCTION_POINT else 0)
    assert read(indicator)["valid_from"] < read(indicator)["valid_until"]


@cache
def _validator(name: str) -> Any:
    return jsonschema.Draft202012Validator(schema(name))


@cache
def _parsed(text: str) -> Any:
    return parse(text)


def _declared(content: dict[str, object]) -> set[str]:
    """Ids inside the text of a schema, and of the extension of TLP, which OASIS defines."""
    text = str(content.get("schema", ""))
    return {*re.findall(r"[a-z-]+--[0-9a-f-]{36}", text), *_TLP_EXTENSION}


_TLP_EXTENSION = {"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"}


def test_an_indicator_says_what_it_is_and_how_far_it_may_be_used() -> None:
    content = read(objects_of(record()).own[0])
    assert content["name"] == "Name with address of a sender"
    assert content["created"] == "2026-11-24T07:00:00.123Z"
    assert content["modified"] == "2026-11-24T09:00:00.123Z"
    assert content["valid_until"] == "2027-03-01T00:00:00.000Z"
    assert content["created_by_ref"] == identity_id("post-be")
    assert content["labels"] == ["postal", "kind:party", "role:sender"]
    assert content["kill_chain_phases"] == [
        {"kill_chain_name": "postal-barrier-model", "phase_name": "hand-over"}
    ]
    marking = handling_marking((Handling.H1,), PermittedAction.WATCH)
    assert content["object_marking_refs"] == [TLP_IDS[Tlp.AMBER], marking.id]
    assert content["extensions"][POSTAL]["handling"] == ["H1"]
    consignment = content["extensions"][EXTENSIONS["consignment"]]
    assert consignment == {
        "extension_type": "property-extension",
        "report": "5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a01",
        "barrier_step": 5,
        "service": "letter",
    }


def test_the_pattern_names_the_token_that_tells_most_whatever_the_order() -> None:
    made = record(Kind.ADDRESS)
    assert made.tokens is not None
    content = read(objects_of(made).own[0])
    listed = content["extensions"][POSTAL]["tokens"]
    assert next(iter(listed)) == "t3_p_ht"
    assert content["pattern"] == f"[user-account:user_id = '{listed['t3_p_ht'][0]}']"
    turned = replace(made, tokens=tuple(reversed(made.tokens)))
    assert objects_of(turned) == objects_of(made)


def test_tokens_of_one_facet_stand_together() -> None:
    listed = read(objects_of(record(Kind.VENDOR)).own[0])["extensions"][POSTAL]["tokens"]
    assert {name: len(found) for name, found in listed.items()} == {
        "vendor_market": 2,
        "vendor": 1,
        "vendor_stripped": 1,
        "vendor_sound": 1,
    }


def test_without_the_right_to_match_there_is_a_reference_and_no_token() -> None:
    made = record(tokens=None)
    content = read(objects_of(made).own[0])
    assert content["pattern"] == f"[user-account:user_id = '{made.reference}']"
    assert "tokens" not in content["extensions"][POSTAL]
    assert content["extensions"][POSTAL]["reference"] == made.reference


def test_an_induction_point_is_a_coarse_place_in_clear() -> None:
    made = record(Kind.INDUCTION_POINT)
    indicator, location, relationship = map(read, objects_of(made).own)
    assert indicator["pattern"] == "[user-account:user_id = 'point1.BE.bpost.BXL 1/2']"
    assert location["country"] == "BE"
    assert not {"latitude", "longitude", "street_address", "city"} & location.keys()
    point = EXTENSIONS["induction-point"]
    for each in (indicator, location):
        assert each["extensions"][point] == {"extension_type": "property-extension", **POINT}
    assert relationship["source_ref"] == indicator["id"]
    assert relationship["target_ref"] == location["id"]


@pytest.mark.parametrize("kind", [*INDICATOR_KINDS, Kind.PATTERN])
def test_what_is_revoked_says_its_kind_and_nothing_else_of_what_it_was(kind: Kind) -> None:
    ended = EndedRecord(new_name(), CREATED, LATER, OWNER, kind)
    for entry in revoked(ended):
        content = read(entry)
        assert content["revoked"] is True
        assert (content["created"], entry.version) == (
            "2026-11-24T07:00:00.123Z",
            "2026-11-24T09:00:00.123Z",
        )
        assert not {"extensions", "object_marking_refs", "confidence", "country"} & content.keys()
    assert read(revoked(ended)[0])["pattern"] == "[user-account:user_id = 'withdrawn']"


@pytest.mark.parametrize("kind", INDICATOR_KINDS)
def test_a_revocation_covers_exactly_what_was_written(kind: Kind) -> None:
    made = record(kind)
    ended = EndedRecord(made.name, made.created, LATER + timedelta(hours=1), OWNER, kind)
    written, gone = objects_of(made).own, revoked(ended)
    assert [entry.id for entry in gone] == [entry.id for entry in written]
    assert all(one.version > other.version for one, other in zip(gone, written, strict=True))


@pytest.mark.parametrize(
    ("source", "information", "sure"),
    [("A", "1", 90), ("B", "2", 70), ("A", "3", 50), ("X", "1", 70), ("C", "3", 30)],
)
def test_grades_become_confidence_by_the_scale_of_the_admiralty(
    source: str, information: str, sure: int
) -> None:
    made = record(source_grade=SourceGrade(source), information_grade=InformationGrade(information))
    assert read(objects_of(made).own[0])["confidence"] == sure


def test_what_cannot_be_judged_has_no_confidence() -> None:
    made = record(information_grade=InformationGrade.FOUR)
    assert "confidence" not in read(objects_of(made).own[0])


def test_a_sighting_names_the_indicator_and_who_saw_it() -> None:
    of = new_name()
    made = SightingRecord(new_name(), CREATED, LATER, OWNER, of, Tlp.AMBER, 2, CREATED, None)
    content = read(sighting_of(made).own[0])
    assert content["sighting_of_ref"] == f"indicator--{of}"
    assert content["where_sighted_refs"] == [identity_id("post-be")]
    assert (content["count"], content["first_seen"]) == (2, "2026-11-24T07:00:00.123Z")
    assert "last_seen" not in content


def test_what_ends_on_the_day_it_came_still_has_a_period() -> None:
    content = read(objects_of(record(expires_on=date(2026, 11, 24))).own[0])
    assert content["valid_until"] == "2026-11-24T07:00:00.124Z"


def test_a_renamed_organisation_is_a_later_version_of_the_same_identity() -> None:
    before = identity_of(OWNER)
    after = identity_of(replace(OWNER, name="Another", since=LATER))
    assert before.id == after.id
    assert before.version < after.version


def test_every_platform_writes_the_same_support_objects() -> None:
    for name in schema_names():
        assert split_id(EXTENSIONS[name])
    first = handling_marking((Handling.H2, Handling.H1), PermittedAction.KNOW)
    assert first == handling_marking((Handling.H1, Handling.H2), PermittedAction.KNOW)
    assert first.id != handling_marking((Handling.H1,), PermittedAction.KNOW).id


def test_phases_are_the_steps_of_the_model_that_is_shipped() -> None:
    text = (ROOT / "policies" / "barriers" / "postal-seven-steps.yml").read_text()
    assert tuple(re.findall(r"^    key: ([a-z-]+)$", text, re.MULTILINE)) == PHASES


@pytest.mark.parametrize(
    "changed",
    [
        {"tokens": ((1, "Rue de la Loi 16"),)},
        {"tokens": ((1, "postal1.3." + "A" * 21),)},
        {"tokens": ((99, tokens(Kind.PARTY)[0][1]),)},
        {"reference": "J. Doe"},
        {"tokens": None, "reference": "' OR x:y = '"},
    ],
)
def test_what_has_not_the_form_of_a_token_is_never_written(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"form|facet"):
        objects_of(record(**changed))


def test_a_place_cannot_make_holes_of_its_own() -> None:
    place = {**POINT, "code": "\x00"}
    with pytest.raises(ValueError, match="form"):
        objects_of(record(Kind.INDUCTION_POINT, place=place))


@pytest.mark.parametrize(
    "changed",
    [
        {"report": ReportRecord(UUID_REPORT, None, {"service": "J. Doe"})},
        {"report": ReportRecord(UUID_REPORT, None, {"origin_country": "J. Doe"})},
        {"report": ReportRecord(UUID_REPORT, None, {"sender": "J. Doe"})},
        {"quality": ("J. Doe",)},
    ],
)
def test_what_is_no_word_of_its_list_is_never_written(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"form|Service"):
        objects_of(record(**changed))


def test_names_beside_an_indicator_follow_from_its_random_name_alone() -> None:
    name = UUID("5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a01")
    one = objects_of(record(Kind.INDUCTION_POINT, name=name)).own
    other = objects_of(
        record(Kind.INDUCTION_POINT, name=name, place={**POINT, "code": "ANOTHER"})
    ).own
    assert [entry.id for entry in one] == [entry.id for entry in other]
