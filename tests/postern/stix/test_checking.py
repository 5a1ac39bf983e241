"""What a client may add: pseudonyms go in, everything in clear comes back with its reason."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import pytest
import stix2validator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.indicators.schemas import ReportSchema
from postern.stix.checking import (
    Ignored,
    Refused,
    SentIndicator,
    SentSighting,
    check_object,
    classify,
    submission_object,
)
from postern.stix.names import EXTENSIONS, TLP_IDS, new_name
from postern.stix.records import IndicatorRecord
from postern.stix.writing import (
    extension_definitions,
    handling_marking,
    identity_of,
    objects_of,
    tlp_definition,
)
from postern.vocabulary import Handling, Kind, PermittedAction, Purpose, Tlp
from tests.postern.stix.made import (
    CREATED,
    ELEMENT,
    LATER,
    OTHER_ELEMENT,
    OWNER,
    POINT,
    UUID_REPORT,
    parse,
    read,
    record,
    records,
)

POSTAL, CONSIGNMENT, PLACE = (
    EXTENSIONS[name] for name in ("postal-indicator", "consignment", "induction-point")
)
PARTY: dict[str, Any] = {
    "kind": "party",
    "role": "sender",
    "epoch": 3,
    "elements": [
        {"facet": 3, "element": ELEMENT},
        {"facet": 1, "element": OTHER_ELEMENT},
        {"facet": 1, "element": ELEMENT},
    ],
    "learned": "xray",
    "legal_basis": "postal_law",
    "source_grade": "B",
    "information_grade": "2",
    "tlp": "AMBER+STRICT",
    "handling": ["H1", "H2"],
    "permitted_action": "watch",
    "observed_to": "2026-11-20",
    "expires_on": "2027-03-01",
    "quality": ["no_city"],
}


def sent(indicator: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    """An object as a client posts it, with properties changed; None takes one away."""
    made = submission_object(
        new_name(), CREATED, indicator or PARTY, {"service": "letter"}, 5, "post-be", modified=LATER
    )
    return {name: word for name, word in {**made, **changed}.items() if word is not None}


def with_extension(name: str, **changed: Any) -> dict[str, Any]:
    made = sent()
    extension = {**made["extensions"][EXTENSIONS[name]], **changed}
    made["extensions"][EXTENSIONS[name]] = {
        key: word for key, word in extension.items() if word is not None
    }
    return made


def fields(found: object) -> list[str]:
    assert isinstance(found, Refused), found
    return sorted({fault.field for fault in found.faults})


def test_a_submission_becomes_an_indicator_as_a_report_has_it() -> None:
    found = classify(sent())
    assert isinstance(found, SentIndicator)
    ordered = [{"facet": 1, "element": ELEMENT}, {"facet": 1, "element": OTHER_ELEMENT}]
    assert found.indicator == {**PARTY, "elements": [*ordered, {"facet": 3, "element": ELEMENT}]}
    assert (found.shipment, found.barrier_step) == ({"service": "letter"}, 5)
    assert found.has_value
    report = {
        "client_key": "k",
        "barrier_step": found.barrier_step,
        "shipment": found.shipment,
        "indicators": [found.indicator],
    }
    ReportSchema().load(report)


def test_the_library_and_the_validator_take_a_submission() -> None:
    for made in (sent(), sent(POINT_INDICATOR)):
        parse(made)
        options = stix2validator.ValidationOptions(
            version="2.1", strict=True, strict_types=True, strict_properties=True
        )
        found = stix2validator.validate_instance(made, options)
        assert (found.is_valid, found.errors) == (True, [])


POINT_INDICATOR: dict[str, Any] = {
    "kind": "induction_point",
    "role": "induction_point",
    "place": POINT,
    "learned": "carrier_record",
    "legal_basis": "postal_law",
}


def test_an_induction_point_comes_with_its_place() -> None:
    found = classify(sent(POINT_INDICATOR))
    assert isinstance(found, SentIndicator)
    assert found.indicator == POINT_INDICATOR
    assert found.has_value


def test_objects_that_say_the_same_of_a_shipment_are_one_group() -> None:
    def group(report: Any, service: str = "letter") -> str:
        made = submission_object(
            new_name(), CREATED, PARTY, {"service": service}, 5, "post-be", report=report
        )
        found = classify(made)
        assert isinstance(found, SentIndicator)
        return found.group

    assert group(UUID_REPORT) == group(UUID_REPORT)
    assert len({group(UUID_REPORT), group(uuid4()), group(None), group(None, "parcel")}) == 4


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records())
def test_what_is_served_can_be_sent_back_as_a_later_version(made: IndicatorRecord) -> None:
    content = read(objects_of(made).own[0])
    if made.purposes or made.onward is not None:
        assert fields(classify(content)) == ["object_marking_refs"]
        return
    found = classify(content)
    assert isinstance(found, SentIndicator), found
    assert found.has_value is (made.place is not None)
    assert found.indicator["tlp"] == made.tlp
    assert found.indicator["kind"] == made.kind
    assert set(found.indicator.get("handling", ())) == set(made.handling)
    assert found.indicator["expires_on"] == made.expires_on.isoformat()
    assert found.barrier_step == made.report.barrier_step


def test_a_withdrawal_says_no_more_than_that() -> None:
    bare = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid4()}",
        "created": "2026-11-24T07:00:00Z",
        "modified": "2026-11-25T07:00:00Z",
        "revoked": True,
        "pattern": "[user-account:user_id = 'withdrawn']",
        "pattern_type": "stix",
        "valid_from": "2026-11-24T07:00:00Z",
    }
    found = classify(bare)
    assert isinstance(found, SentIndicator)
    assert (found.revoked, found.indicator) == (True, {})
    whole = classify(sent(revoked=True))
    assert isinstance(whole, SentIndicator)
    assert (whole.revoked, whole.indicator) == (True, {})


FROM_VALUE = uuid5(NAMESPACE_URL, "Main Street 5")
PHASE = {"kill_chain_name": "doe", "phase_name": "x"}


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"name": "J. Doe, Main Street 5"}, "name"),
        ({"description": "Lives above the shop"}, "description"),
        ({"labels": ["j-doe"]}, "labels"),
        ({"labels": ["kind:j-doe"]}, "labels"),
        ({"external_references": [{"source_name": "case 17"}]}, "external_references"),
        ({"pattern": "[email-addr:value = 'a@b.example']"}, "pattern"),
        ({"pattern": "[user-account:user_id = 'J Doe']"}, "pattern"),
        ({"pattern": "[user-account:user_id = 'point1.BE.bpost.J Doe']"}, "pattern"),
        ({"pattern_type": "sigma"}, "pattern"),
        ({"granular_markings": [{"selectors": ["name"], "lang": "nl"}]}, "granular_markings"),
        ({"x_note": "J. Doe"}, "property"),
        ({"J. Doe": "x"}, "property"),
        ({"indicator_types": ["j-doe"]}, "indicator_types"),
        ({"extensions": None}, "extensions"),
        ({"kill_chain_phases": [PHASE]}, "kill_chain_phases"),
        ({"object_marking_refs": [f"marking-definition--{uuid4()}"]}, "object_marking_refs"),
        (
            {"object_marking_refs": [TLP_IDS[Tlp.RED], TLP_IDS[Tlp.GREEN]]},
            "object_marking_refs",
        ),
        ({"valid_until": "2027-03-02T00:00:00Z"}, "valid_until"),
        ({"confidence": 90}, "confidence"),
        ({"confidence": 101}, "confidence"),
        ({"spec_version": "2.0"}, "spec_version"),
        ({"id": "indicator--1"}, "id"),
        ({"id": f"location--{uuid4()}"}, "id"),
        ({"modified": "2026-11-23T07:00:00Z"}, "modified"),
        ({"modified": "yesterday"}, "modified"),
        ({"valid_from": None}, "valid_from"),
        ({"created": None}, "created"),
        ({"type": "Indicator"}, "type"),
        ({"revoked": "yes"}, "revoked"),
        ({"lang": "J. Doe"}, "lang"),
        ({"pattern_version": "J. Doe"}, "pattern_version"),
        ({"id": f"indicator--{FROM_VALUE}"}, "id"),
    ],
)  # fmt: skip
def test_what_could_name_somebody_or_would_be_lost_is_refused(
    changed: dict[str, Any], where: str
) -> None:
    assert where in fields(classify(sent(**changed)))


@pytest.mark.parametrize(
    ("extension", "changed", "where"),
    [
        ("postal-indicator", {"kind": None}, "kind"),
        ("postal-indicator", {"kind": "barrier"}, "kind"),
        ("postal-indicator", {"kind": ["party"]}, "kind"),
        ("postal-indicator", {"role": "neighbour"}, "role"),
        ("postal-indicator", {"learned": None}, "learned"),
        ("postal-indicator", {"legal_basis": None}, "legal_basis"),
        ("postal-indicator", {"elements": None}, "elements"),
        ("postal-indicator", {"elements": {}}, "elements"),
        ("postal-indicator", {"elements": ["x"]}, "elements"),
        ("postal-indicator", {"elements": {"pgp": [ELEMENT]}}, "elements"),
        ("postal-indicator", {"elements": {"p_h": ELEMENT}}, "elements.p_h"),
        ("postal-indicator", {"elements": {"p_h": ["Main Street 5"]}}, "elements.p_h"),
        ("postal-indicator", {"elements": {"p_h": [ELEMENT] * 21}}, "elements"),
        ("postal-indicator", {"epoch": 0}, "epoch"),
        ("postal-indicator", {"epoch": True}, "epoch"),
        ("postal-indicator", {"epoch": 10**30}, "epoch"),
        ("postal-indicator", {"tokens": {"p_h": ["x"]}}, "tokens"),
        ("postal-indicator", {"reference": "J. Doe"}, "reference"),
        ("postal-indicator", {"scheme": "another"}, "scheme"),
        ("postal-indicator", {"handling": "H1"}, "handling"),
        ("postal-indicator", {"handling": [["H1"]]}, "handling"),
        ("postal-indicator", {"quality": ["lives above the shop"]}, "quality"),
        ("postal-indicator", {"expires_on": "2027-02-30"}, "expires_on"),
        ("postal-indicator", {"expires_on": 20270301}, "expires_on"),
        ("postal-indicator", {"note": "J. Doe"}, "property"),
        ("postal-indicator", {"extension_type": "new-sdo"}, "extension_type"),
        ("consignment", {"service": "pigeon"}, "service"),
        ("consignment", {"service": ["letter"]}, "service"),
        ("consignment", {"origin_country": "Belgium"}, "origin_country"),
        ("consignment", {"report": "case 17"}, "report"),
        ("consignment", {"sender": "J. Doe"}, "property"),
        ("consignment", {"barrier_step": "5"}, "barrier_step"),
        ("consignment", {"barrier_step": True}, "barrier_step"),
        ("consignment", {"barrier_step": [5]}, "barrier_step"),
    ],
)
def test_what_an_extension_may_not_say_is_named_by_its_place(
    extension: str, changed: dict[str, Any], where: str
) -> None:
    found = fields(classify(with_extension(extension, **changed)))
    assert f"extensions.{extension}.{where}" in found


def test_two_steps_contradict_each_other() -> None:
    found = classify(with_extension("consignment", barrier_step=4))
    assert fields(found) == ["kill_chain_phases"]


def test_only_an_induction_point_has_a_place_and_it_has_three_parts() -> None:
    made = sent()
    made["extensions"][PLACE] = {"extension_type": "property-extension", **POINT}
    assert "extensions.induction-point" in fields(classify(made))
    for changed in ({"code": "J. Doe's house"}, {"country": "Belgium"}, {"street": "x"}):
        point = sent(POINT_INDICATOR)
        point["extensions"][PLACE] |= changed
        assert "extensions.induction-point" in fields(classify(point))


def test_an_extension_of_others_is_refused_without_repeating_its_name() -> None:
    made = sent()
    made["extensions"]["extension-definition--" + str(uuid4())] = {"a": 1}
    assert fields(classify(made)) == ["extensions.property"]


def test_no_fault_repeats_a_value() -> None:
    secret = "Jane-Roe-Geheim"
    made = sent(name=secret, description=secret, labels=[secret], **{secret: secret})
    made["extensions"][POSTAL] |= {secret: secret, "role": secret, "elements": {secret: [secret]}}
    made["extensions"][CONSIGNMENT] |= {secret: secret, "service": secret}
    made["extensions"][secret] = {secret: secret}
    found = classify(made)
    assert isinstance(found, Refused)
    assert secret not in str(found.faults)
    assert secret not in str(check_object({**made, f"{secret}_refs": secret})[0].reason)


def test_the_handling_that_an_object_says_anyway_may_stand_in_a_marking() -> None:
    codes = (Handling.H1, Handling.H2)
    marking = handling_marking(codes, PermittedAction.WATCH).id
    assert isinstance(classify(sent(object_marking_refs=[marking])), SentIndicator)
    purposes = (Purpose.CUSTOMS_CONTROL,)
    marking = handling_marking(codes, PermittedAction.WATCH, purposes).id
    assert fields(classify(sent(object_marking_refs=[marking]))) == ["object_marking_refs"]


def test_tlp_1_is_read_as_what_it_is_in_tlp_2() -> None:
    white = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
    found = classify(sent({**PARTY, "handling": [], "tlp": None}, object_marking_refs=[white]))
    assert isinstance(found, SentIndicator)
    assert found.indicator["tlp"] == "CLEAR"


def test_confidence_stands_for_a_grade_that_is_not_given() -> None:
    made = with_extension("postal-indicator", information_grade=None)
    found = classify({**made, "confidence": 95})
    assert isinstance(found, SentIndicator)
    assert found.indicator["information_grade"] == "2"


def test_support_objects_are_taken_and_nothing_is_stored_of_them() -> None:
    point = objects_of(record(Kind.INDUCTION_POINT))
    entries = [
        *extension_definitions(),
        *map(tlp_definition, Tlp),
        identity_of(OWNER),
        handling_marking((), PermittedAction.KNOW),
        *point.own[1:],
    ]
    for entry in entries:
        assert isinstance(classify(read(entry)), Ignored), entry.type


BASE: dict[str, Any] = {
    "spec_version": "2.1",
    "created": "2026-11-24T07:00:00Z",
    "modified": "2026-11-24T07:00:00Z",
}


@pytest.mark.parametrize(
    "said",
    [
        {"type": "email-addr", "value": "a@b.example"},
        {"type": "ipv4-addr", "value": "192.0.2.1"},
        {"type": "user-account", "user_id": "J. Doe"},
        {"type": "identity", "name": "J. Doe", "identity_class": "individual"},
        {"type": "identity", "name": "J. Doe", "identity_class": ["organization"]},
        {"type": "identity", "name": "J. Doe"},
        {"type": "note", "content": "J. Doe", "object_refs": [f"indicator--{uuid4()}"]},
        {"type": "location", "country": "BE", "street_address": "Main Street 5"},
        {"type": "threat-actor", "name": "J. Doe"},
        {"type": "x-unheard-of", "value": "J. Doe"},
        {"type": "marking-definition", "name": "For J. Doe"},
        {
            "type": "relationship",
            "relationship_type": "uses",
            "source_ref": f"threat-actor--{uuid4()}",
            "target_ref": f"tool--{uuid4()}",
        },
    ],
)
def test_everything_in_clear_is_sent_to_the_command_that_pseudonymises(
    said: dict[str, Any],
) -> None:
    found = classify({**BASE, "id": f"{said['type']}--{uuid4()}", **said})
    assert isinstance(found, Refused)
    assert found.id
    assert "postern exchange push" in found.faults[0].remedy
    assert "Doe" not in str(found.faults)


def test_an_id_that_may_follow_from_a_value_is_not_repeated() -> None:
    account = {"type": "user-account", "id": f"user-account--{FROM_VALUE}", "user_id": "J. Doe"}
    found = classify(account)
    assert isinstance(found, Refused)
    assert found.id == ""


def sighting(**changed: Any) -> dict[str, Any]:
    return {
        **BASE,
        "type": "sighting",
        "id": f"sighting--{uuid4()}",
        "sighting_of_ref": "indicator--5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a01",
        **changed,
    }


def test_a_sighting_says_of_what_and_when() -> None:
    found = classify(
        sighting(
            count=3,
            first_seen="2026-11-20T00:00:00Z",
            last_seen="2026-11-21T00:00:00Z",
            where_sighted_refs=[f"identity--{uuid4()}"],
            object_marking_refs=[TLP_IDS[Tlp.AMBER]],
        )
    )
    assert isinstance(found, SentSighting)
    assert found.of == "indicator--5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a01"
    assert found.count == 3
    assert found.first_seen == datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"description": "J. Doe was there"}, "description"),
        ({"observed_data_refs": [f"observed-data--{uuid4()}"]}, "observed_data_refs"),
        ({"sighting_of_ref": f"malware--{uuid4()}"}, "sighting_of_ref"),
        ({"sighting_of_ref": 7}, "sighting_of_ref"),
        ({"confidence": 5}, "confidence"),
        ({"lang": "nl"}, "lang"),
        ({"object_marking_refs": [f"marking-definition--{uuid4()}"]}, "object_marking_refs"),
        ({"id": f"sighting--{FROM_VALUE}"}, "id"),
        ({"count": -1}, "count"),
        ({"count": 10**12}, "count"),
        ({"count": True}, "count"),
        ({"first_seen": "2026-11-22T00:00:00Z", "last_seen": "2026-11-21T00:00:00Z"}, "last_seen"),
    ],
)
def test_a_sighting_that_says_more_or_nothing_is_refused(
    changed: dict[str, Any], where: str
) -> None:
    assert where in fields(classify(sighting(**changed)))


@pytest.mark.parametrize("found", [None, 7, "x", [], True, {}, {"type": []}, {"id": {}}])
def test_what_is_no_object_at_all_is_refused_too(found: object) -> None:
    assert isinstance(classify(found), Refused)


def test_an_object_that_is_nested_too_deep_is_refused() -> None:
    deep: Any = {}
    for _ in range(10_000):
        deep = [deep]
    assert fields(classify(sent(x_deep=deep))) == ["object"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def _paths(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = content.items() if isinstance(content, dict) else ()
    return [path, *(found for name, each in inner for found in _paths(each, (*path, name)))]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_json_makes_it_fail(data: st.DataObject) -> None:
    made = json.loads(json.dumps(data.draw(st.sampled_from(HOSTILE))))
    path = data.draw(st.sampled_from(_paths(made)[1:]))
    inside = made
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = data.draw(JSON)
    assert isinstance(classify(made), SentIndicator | SentSighting | Ignored | Refused)


HOSTILE = [
    sent(),
    sent(POINT_INDICATOR),
    sighting(count=3, first_seen="2026-11-20T00:00:00Z"),
    *(read(entry) for entry in objects_of(record(Kind.INDUCTION_POINT)).own),
    read(identity_of(OWNER)),
    read(handling_marking((Handling.H1,), PermittedAction.KNOW)),
]
