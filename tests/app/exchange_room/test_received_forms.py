"""What is kept of an object of another server: what a Postern writes, and nothing in clear."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.exchange.received_forms import Kept, kept_of
from app.exchange.server_models import NotKept
from postern.stix.names import EXTENSIONS
from postern.stix.writing import (
    extension_definitions,
    objects_of,
    platform_identity,
    tlp_definition,
)
from postern.vocabulary import Kind, PartyRole, Tlp
from tests.app.exchange_room.peers import clear, identity, indicator, record, revoked

PLACE = {"operator": "post-fr", "code": "LYON 3", "country": "FR"}
POSTAL = EXTENSIONS["postal-indicator"]


def kept(sent: Any) -> Kept:
    found = kept_of(sent)
    assert isinstance(found, Kept), found
    return found


def test_of_an_indicator_of_a_postern_lists_tokens_and_dates_are_kept() -> None:
    sent = indicator()
    found = kept(sent)
    assert (found.stix_id, found.type, found.version) == (
        sent["id"],
        "indicator",
        sent["modified"],
    )
    assert found.ends_on is not None
    content = found.content
    assert (content["kind"], content["role"]) == ("party", "sender")
    assert content["tlp"] == "AMBER"
    assert content["step"] == 4
    assert content["epoch"] == 3
    assert len(content["tokens"]) == 1
    assert content["owner"] == sent["created_by_ref"]


def test_of_an_induction_point_its_place_is_kept() -> None:
    fields: dict[str, Any] = {"kind": Kind.INDUCTION_POINT, "role": PartyRole.INDUCTION_POINT}
    rendered = objects_of(record(tokens=None, epoch=0, place=PLACE, **fields))
    first, *beside = [json.loads(entry.text) for entry in rendered.own]
    assert kept(first).content["place"] == PLACE
    assert {kept_of(each) for each in beside} == {NotKept.SUPPORT}


def test_of_an_indicator_without_tokens_its_reference_is_kept() -> None:
    content = kept(indicator(tokens=None, epoch=3)).content
    assert content["reference"].startswith("ref1.")
    assert "tokens" not in content


def test_what_was_revoked_leaves_nothing_of_what_it_was() -> None:
    found = kept(revoked(indicator(), "2026-11-21T08:00:00.000Z"))
    assert (found.is_revoked, found.content) == (True, {})


def test_definitions_and_the_platform_itself_are_support() -> None:
    entries = (*extension_definitions(), tlp_definition(Tlp.RED), platform_identity())
    assert {kept_of(json.loads(entry.text)) for entry in entries} == {NotKept.SUPPORT}


def test_of_an_organisation_its_name_is_kept_and_of_a_person_nothing() -> None:
    assert kept(identity()).content == {"name": "Poste de France"}
    assert kept_of({**identity(), "identity_class": "individual"}) is NotKept.IN_CLEAR


@pytest.mark.parametrize(
    "sent",
    [
        clear(),
        {"type": "email-addr", "id": "email-addr--d4e7e1a0-6a37-5ef7-8a5a-6a9a0f9a7c11"},
        {
            "type": "note",
            "id": "note--6a0e2d8c-6b1a-4c4e-9a55-6d1e5f2b0cff",
            "modified": "2026-11-20T08:00:00Z",
            "content": "Jan de Vries",
        },
    ],
)
def test_what_is_in_clear_is_not_kept(sent: dict[str, Any]) -> None:
    assert kept_of(sent) is NotKept.IN_CLEAR


@pytest.mark.parametrize(
    "change",
    [
        {"tokens": {"p_h": ["Jan de Vries"]}},
        {"tokens": {"jan": []}},
        {"tokens": ["x"]},
        {"kind": "Jan de Vries"},
        {"tokens": {}, "reference": "Jan de Vries"},
    ],
)
def test_an_indicator_that_only_looks_like_one_of_a_postern_is_not_kept(
    change: dict[str, Any],
) -> None:
    sent = indicator()
    sent["extensions"][POSTAL] |= change
    assert kept_of(sent) is NotKept.MALFORMED


def test_no_word_of_free_text_is_kept_wherever_it_stands() -> None:
    sent = indicator()
    for name in ("name", "description", "pattern", "labels"):
        sent[name] = "Jan de Vries"
    sent["extensions"][POSTAL] |= {
        "role": "Jan de Vries",
        "handling": ["Jan de Vries"],
        "assertion": "Jan de Vries",
        "note": "Jan de Vries",
        "epoch": "Jan de Vries",
    }
    sent["created_by_ref"] = "Jan de Vries"
    sent["object_marking_refs"] = ["Jan de Vries"]
    sent["kill_chain_phases"] = [{"kill_chain_name": "Jan de Vries", "phase_name": "Jan"}]
    assert "Jan" not in repr(kept(sent))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(field=st.sampled_from(sorted(indicator())), value=JSON, postal=st.booleans())
def test_no_value_of_any_field_is_more_than_refused(field: str, value: Any, postal: bool) -> None:
    sent = indicator()
    if postal:
        sent["extensions"][POSTAL] = {**sent["extensions"][POSTAL], "tokens": value, "epoch": value}
    else:
        sent[field] = value
    found = kept_of(sent)
    assert isinstance(found, Kept | NotKept)


@settings(max_examples=100, deadline=None)
@given(sent=JSON)
def test_anything_else_is_refused(sent: Any) -> None:
    assert isinstance(kept_of(sent), NotKept)
