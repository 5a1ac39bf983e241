"""An indicator as an object of MISP, and what a change and an end tell an instance."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.misp.objects import NotShownError, Shown, matching_values, object_of
from postern.misp.templates import template
from postern.stix.records import PatternRecord, ReportRecord
from postern.stix.shipping_patterns import pattern_of
from postern.stix.writing import tlp_definition
from postern.vocabulary import (
    INDICATOR_KINDS,
    Assertion,
    Concealment,
    DeclaredCategory,
    Handling,
    InformationGrade,
    Kind,
    Learned,
    LegalBasis,
    PartyRole,
    PermittedAction,
    Service,
    SourceGrade,
    SubjectCategory,
    Substance,
    Tlp,
    ValueBand,
    WeightBand,
)
from tests.postern.misp.shared import COLLECTION, MADE, OWNER, content, ended, record, shown

ROOT = Path(__file__).parent.parent.parent.parent


def _values(found: dict[str, object]) -> dict[str, str]:
    attributes: list[dict[str, str]] = found["Attribute"]  # type: ignore[assignment]
    return {each["object_relation"]: each["value"] for each in attributes if not each["deleted"]}


def test_a_party_shows_its_tokens_and_what_is_said_of_it() -> None:
    found = object_of(shown(), COLLECTION)
    assert found["name"] == "postal-address-token"
    tokens = [each for each in found["Attribute"] if each["object_relation"] == "token"]
    assert len(tokens) == 5
    assert all(each["type"] == "anonymised" and each["to_ids"] for each in tokens)
    assert all(each["value"].startswith("postal1.3.") for each in tokens)
    assert tokens[0]["comment"].endswith("; epoch 3")
    values = _values(found)
    assert values["kind"] == "party"
    assert values["barrier-step"] == "3"
    assert values["substance"] == "mdma"
    assert values["handling"] == "H1 H2"
    assert values["expires-on"] == "2027-02-01T00:00:00+00:00"
    assert found["first_seen"] == "2026-11-01T00:00:00.000000+00:00"


def test_every_attribute_bears_the_marking_and_tokens_the_rest() -> None:
    found = object_of(shown(), COLLECTION)
    for each in found["Attribute"]:
        names = [tag["name"] for tag in each["Tag"]]
        assert names[0] == "tlp:amber+strict"
        if each["object_relation"] != "token":
            assert len(names) == 1
            continue
        assert set(names[1:]) == {
            'admiralty-scale:source-reliability="b"',
            'admiralty-scale:information-credibility="2"',
            'postern:handling="H1"',
            'postern:handling="H2"',
            'postern:permitted-action="watch"',
            'postern:barrier-step="pack-and-conceal"',
        }


def test_an_indicator_without_tokens_shows_its_reference_alone() -> None:
    found = object_of(shown(tokens=None), COLLECTION)
    assert not [each for each in found["Attribute"] if each["object_relation"] == "token"]
    assert _values(found)["reference"].startswith("ref1.")
    assert not any(each["to_ids"] for each in found["Attribute"])


def test_an_induction_point_is_in_clear() -> None:
    values = _values(object_of(shown(Kind.INDUCTION_POINT), COLLECTION))
    assert (values["operator"], values["code"], values["country"]) == ("bpost", "1000-01", "BE")


@pytest.mark.parametrize("kind", INDICATOR_KINDS)
def test_a_change_keeps_every_uuid_and_tells_what_is_gone(kind: Kind) -> None:
    first = record(kind)
    before = object_of(Shown(content(first), 1_000, is_changed=False), COLLECTION)
    now = content(first)
    del now["extensions"]["extension-definition--9cddfd9a-6ee6-44a4-a003-8f5776ceedc8"]["substance"]
    after = object_of(Shown(now, 1_001, is_changed=True), COLLECTION)
    assert after["uuid"] == before["uuid"]
    known = {each["uuid"]: each for each in after["Attribute"]}
    for each in before["Attribute"]:
        later = known[each["uuid"]]
        assert int(later["timestamp"]) > int(each["timestamp"])
        assert later["deleted"] is (each["object_relation"] == "substance")


def test_a_changed_marking_takes_the_others_away() -> None:
    found = object_of(shown(is_changed=True), COLLECTION)
    token = next(each for each in found["Attribute"] if each["object_relation"] == "token")
    gone = {each["name"] for each in token["Tag"] if each.get("deleted")}
    gone = {each for each in gone if each.startswith("tlp:")}
    assert gone == {"tlp:clear", "tlp:green", "tlp:amber", "tlp:red"}


@pytest.mark.parametrize("kind", INDICATOR_KINDS)
def test_an_end_deletes_every_attribute_and_repeats_nothing(kind: Kind) -> None:
    first = record(kind)
    before = object_of(Shown(content(first), 1_000, is_changed=False), COLLECTION)
    after = object_of(ended(first), COLLECTION)
    assert after["uuid"] == before["uuid"]
    assert after["deleted"]
    assert after["template_uuid"] == before["template_uuid"]
    gone = {each["uuid"]: each for each in after["Attribute"]}
    assert all(each["deleted"] and not each["to_ids"] for each in after["Attribute"])
    said = {each["value"] for each in before["Attribute"]}
    for each in before["Attribute"]:
        assert gone[each["uuid"]]["type"] == each["type"]
    assert not said & {each["value"] for each in after["Attribute"]} - {"0"}
    assert "Tag" not in json.dumps(after)


def test_the_same_indicator_is_another_object_in_another_collection() -> None:
    first = Shown(content(record()), 1_000, is_changed=False)
    one, other = object_of(first, COLLECTION), object_of(first, uuid4())
    assert one["uuid"] != other["uuid"]
    uuids = [{each["uuid"] for each in found["Attribute"]} for found in (one, other)]
    assert not uuids[0] & uuids[1]


def test_what_matches_are_the_tokens_and_the_code_of_a_place() -> None:
    party = content(record())
    tokens = [
        each["value"]
        for each in object_of(Shown(party, 1, is_changed=False), COLLECTION)["Attribute"]
        if each["object_relation"] == "token"
    ]
    assert list(matching_values(party)) == tokens
    assert list(matching_values(content(record(Kind.INDUCTION_POINT)))) == ["1000-01"]
    assert not list(matching_values(ended(record()).content))


def test_a_shipping_pattern_shows_its_rule_and_what_stix_cannot_say_of_it() -> None:
    text = (ROOT / "policies" / "patterns" / "one-street-many-senders.yml").read_text("utf-8")
    written = pattern_of(PatternRecord(uuid4(), MADE, MADE, OWNER, text)).own[0]
    found = object_of(Shown(json.loads(written.text), 1_000, is_changed=False), COLLECTION)
    values = _values(found)
    assert found["name"] == "postal-shipping-pattern"
    assert values["rule"] == text
    assert {"title", "stix-pattern", "not-said", "level", "barrier-step"} <= set(values)
    assert not any(each["to_ids"] for each in found["Attribute"])


def test_what_is_no_indicator_has_no_object() -> None:
    definition = json.loads(tlp_definition(Tlp.AMBER).text)
    with pytest.raises(NotShownError):
        object_of(Shown(definition, 1, is_changed=False), COLLECTION)


def test_without_a_known_marking_it_is_red() -> None:
    bare = {**content(record()), "object_marking_refs": []}
    found = object_of(Shown(bare, 1, is_changed=False), COLLECTION)
    assert {each["Tag"][0]["name"] for each in found["Attribute"]} == {"tlp:red"}


@given(
    kind=st.sampled_from(INDICATOR_KINDS),
    role=st.sampled_from(PartyRole),
    subject_category=st.sampled_from(SubjectCategory),
    assertion=st.sampled_from(Assertion),
    source_grade=st.sampled_from(SourceGrade),
    information_grade=st.sampled_from(InformationGrade),
    learned=st.sampled_from(Learned),
    legal_basis=st.sampled_from(LegalBasis),
    tlp=st.sampled_from(Tlp),
    handling=st.lists(st.sampled_from(Handling), unique=True).map(tuple),
    permitted_action=st.sampled_from(PermittedAction),
    step=st.none() | st.integers(1, 7),
    shipment=st.fixed_dictionaries(
        {},
        optional={
            "service": st.sampled_from(Service),
            "weight_band": st.sampled_from(WeightBand),
            "value_band": st.sampled_from(ValueBand),
            "declared_category": st.sampled_from(DeclaredCategory),
            "hs_chapter": st.just("30"),
            "concealment": st.sampled_from(Concealment),
            "substance": st.sampled_from(Substance),
            "origin_country": st.just("NL"),
            "destination_country": st.just("DE"),
        },
    ),
)
def test_every_word_of_the_vocabulary_has_its_place(
    kind: Kind, step: int | None, shipment: dict[str, str], **said: object
) -> None:
    made = record(kind, **said, report=ReportRecord(uuid4(), step, shipment))
    found = object_of(Shown(content(made), 1_000, is_changed=False), COLLECTION)
    values = _values(found)
    assert set(values) <= set(template(found["name"]).relations)
    for name, word in shipment.items():
        assert values[name.replace("_", "-")] == word
    assert values.get("barrier-step") == (None if step is None else str(step))
    assert values["subject-category"] == said["subject_category"]
    assert values["report"] == str(made.report.id)
