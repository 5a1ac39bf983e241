"""What is kept of an indicator of another Postern: its form decides, nothing in clear gets in."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postern.stix.names import EXTENSIONS, identity_id, new_name, timestamp
from postern.stix.received import Received, received_of
from postern.stix.records import EndedRecord, IndicatorRecord
from postern.stix.writing import objects_of, revoked
from postern.vocabulary import Kind, Tlp
from tests.postern.stix.made import CREATED, LATER, OWNER, POINT, read, record, records

POSTAL = EXTENSIONS["postal-indicator"]


def content(of: Kind = Kind.PARTY, /, **changed: Any) -> dict[str, Any]:
    made = read(objects_of(record(of)).own[0])
    made["extensions"][POSTAL] |= changed
    return made


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records())
def test_whatever_is_written_is_received_whole(made: IndicatorRecord) -> None:
    found = received_of(read(objects_of(made).own[0]))
    assert found is not None
    assert found.owner == identity_id(made.owner.code)
    assert (found.kind, found.role, found.tlp) == (made.kind, made.role, made.tlp)
    assert found.reference == made.reference
    assert set(found.handling) == set(made.handling)
    assert {(n, t) for n, each in found.tokens.items() for t in each} == set(made.tokens or ())
    assert found.place == made.place
    assert found.words["level"] == made.level
    assert found.words["source_grade"] == made.source_grade
    assert found.days["expires_on"] == made.expires_on
    assert found.days.get("observed_from") == made.observed_from
    assert found.shipment == {k: v for k, v in made.report.shipment.items() if v}
    assert found.barrier_step == made.report.barrier_step
    assert found.modified == timestamp(made.modified)


def test_of_what_is_revoked_there_is_its_id_and_its_kind() -> None:
    ended = EndedRecord(new_name(), CREATED, LATER, OWNER, Kind.VENDOR)
    assert received_of(read(revoked(ended)[0])) == Received(
        f"indicator--{ended.name}",
        "2026-11-24T09:00:00.123Z",
        revoked=True,
        owner=identity_id("post-be"),
        kind=Kind.VENDOR,
    )


def test_the_stricter_of_two_markings_counts() -> None:
    made = content()
    made["object_marking_refs"].append("marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1")
    found = received_of(made)
    assert found is not None
    assert found.tlp is Tlp.RED


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "J. Doe"},
        {"kind": "barrier"},
        {"role": "J. Doe"},
        {"tokens": {"p_h": ["J. Doe"]}},
        {"tokens": {"J. Doe": []}},
        {"tokens": {"p_h": "postal1.3." + "A" * 22}},
        {"tokens": {"p_h": ["postal1.3." + "A" * 22] * 21}},
        {"reference": "J. Doe"},
        {"learned": "J. Doe"},
        {"handling": ["J. Doe"]},
        {"handling": "H1"},
        {"expires_on": "J. Doe"},
        {"expires_on": "2027-02-30"},
        {"epoch": "J. Doe"},
        {"epoch": -1},
        {"epoch": True},
        {"level": ["metadata"]},
    ],
)
def test_one_word_of_another_form_makes_it_none_of_ours(changed: dict[str, Any]) -> None:
    assert received_of(content(**changed)) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "indicator--1"},
        {"id": None},
        {"type": "sighting"},
        {"modified": "J. Doe"},
        {"modified": None},
        {"extensions": None},
        {"extensions": {POSTAL: None}},
        {"object_marking_refs": {}},
    ],
)
def test_what_is_no_indicator_of_a_postern_is_none(changed: dict[str, Any]) -> None:
    assert received_of({**content(), **changed}) is None


def test_a_place_has_the_form_of_a_code() -> None:
    made = content(Kind.INDUCTION_POINT)
    found = received_of(made)
    assert found is not None
    assert found.place == POINT
    made["extensions"][EXTENSIONS["induction-point"]]["operator"] = "J. Doe's house"
    assert received_of(made) is None


def test_without_tokens_and_reference_it_says_nothing() -> None:
    made = content()
    for name in ("tokens", "reference"):
        del made["extensions"][POSTAL][name]
    assert received_of(made) is None


def test_an_author_that_is_no_identity_is_not_kept() -> None:
    found = received_of({**content(), "created_by_ref": "J. Doe"})
    assert found is not None
    assert found.owner is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


def _paths(inside: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = inside.items() if isinstance(inside, dict) else ()
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
    received_of(made)


HOSTILE = [
    content(),
    content(Kind.INDUCTION_POINT),
    read(revoked(EndedRecord(new_name(), CREATED, LATER, OWNER, Kind.VENDOR))[0]),
]
