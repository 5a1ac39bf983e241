"""Events of another MISP become rows; what cannot is told, attribute by attribute."""

import io
import json
from contextlib import suppress
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymisp import MISPEvent, MISPObject

from postern.misp import reading
from postern.misp.feed import EventName, event
from postern.misp.mapping import IS_TOKEN, OBJECTS
from postern.misp.objects import object_of
from postern.misp.reading import MispMalformedError, map_misp
from postern.misp.templates import template_text
from postern.rows import Reading, read_row
from postern.stix.mapped import Mapped
from postern.terms import Terms
from postern.vocabulary import Kind, Learned, LegalBasis, PartyRole
from tests.postern.misp.shared import COLLECTION, shown

TODAY = date(2026, 11, 25)
READING = Reading(
    TODAY, Terms(learned=Learned.XRAY, legal_basis=LegalBasis.CUSTOMS_LAW), country="NL"
)


def _map(document: object) -> Mapped:
    return map_misp(io.BytesIO(json.dumps(document).encode()))


def _event(*attributes: dict[str, Any], objects: Any = (), **said: Any) -> dict[str, Any]:
    return {
        "Event": {
            "uuid": str(uuid4()),
            "info": "A parcel",
            "Attribute": list(attributes),
            "Object": list(objects),
            **said,
        }
    }


def _object(name: str, *attributes: tuple[str, str, str], **said: Any) -> dict[str, Any]:
    listed = [
        {"uuid": str(uuid4()), "object_relation": relation, "type": type_, "value": value}
        for relation, type_, value in attributes
    ]
    return {"uuid": str(uuid4()), "name": name, "Attribute": listed, **said}


def _attribute(type_: str, value: str, **said: Any) -> dict[str, Any]:
    return {"uuid": str(uuid4()), "type": type_, "value": value, **said}


PARCEL = _object(
    "postal-parcel",
    ("item-identifier", "text", "RR473124829NL"),
    ("addressee-name", "full-name", "Piet Jansen"),
    ("addressee-street", "text", "Kerkstraat 12"),
    ("addressee-postcode", "text", "1017 GA"),
    ("addressee-city", "text", "Amsterdam"),
    ("addressee-country", "text", "NL"),
    ("addressee-phone", "phone-number", "+31612345678"),
    ("gross-weight", "text", "1.2 kg"),
    ("substance", "text", "ketamine"),
    ("observed-on", "datetime", "2026-11-20T08:00:00+00:00"),
    ("note", "comment", "Smelled of coffee."),
)


def test_a_parcel_made_by_hand_is_a_row_that_is_read() -> None:
    mapped = _map(_event(objects=[PARCEL], Tag=[{"name": "tlp:red"}]))
    (found,) = mapped.rows
    assert not mapped.unmapped
    row = read_row(found.row, READING)
    assert {(each.value.kind, each.role) for each in row.sightings} == {
        (Kind.PARTY, PartyRole.ADDRESSEE),
        (Kind.PHONE, PartyRole.ADDRESSEE),
        (Kind.ITEM, PartyRole.SHIPMENT),
    }
    assert row.shipment == {
        "destination_country": "NL",
        "weight_band": "1000-2000",
        "substance": "ketamine",
    }
    assert row.terms.tlp == "RED"
    assert row.terms.observed_from == date(2026, 11, 20)
    assert found.row["note"] == "Smelled of coffee."


def test_pymisp_makes_a_parcel_that_is_read() -> None:
    definition = json.loads(template_text("postal-parcel"))
    made = MISPObject("postal-parcel", strict=True, misp_objects_template_custom=definition)
    made.add_attribute("sender-name", value="Jan de Vries")
    made.add_attribute("sender-street", value="Marktplein 3")
    made.add_attribute("sender-postcode", value="2000")
    event_made = MISPEvent()
    event_made.info = "A parcel"
    event_made.add_object(made)
    (found,) = map_misp(io.BytesIO(event_made.to_json().encode())).rows
    assert found.row == {
        "sender_name": "Jan de Vries",
        "sender_street": "Marktplein 3",
        "sender_postcode": "2000",
    }


@pytest.mark.parametrize(
    ("name", "attributes", "row"),
    [
        (
            "person",
            [
                ("first-name", "first-name", "Piet"),
                ("last-name", "last-name", "Jansen"),
                ("address", "text", "Kerkstraat 12, 1017 GA Amsterdam"),
            ],
            {"name": "Piet Jansen", "street": "Kerkstraat 12, 1017 GA Amsterdam"},
        ),
        (
            "postal-address",
            [("street", "text", "Kerkstraat"), ("number", "text", "12")],
            {"street": "Kerkstraat", "house_number": "12"},
        ),
        (
            "user-account",
            [("username", "text", "dutchmaster"), ("account-type", "text", "darknet-market")],
            {"vendor_handle": "dutchmaster", "vendor_market": "darknet-market"},
        ),
        (
            "bank-account",
            [("iban", "iban", "NL91ABNA0417164300")],
            {"payment": "NL91ABNA0417164300", "payment_scheme": "iban"},
        ),
        ("phone", [("msisdn", "text", "31612345678")], {"phone": "+31612345678"}),
        (
            "postal-induction-point",
            [("operator", "text", "bpost"), ("code", "text", "1000-01"), ("country", "text", "BE")],
            {
                "induction_operator": "bpost",
                "induction_point": "1000-01",
                "induction_country": "BE",
            },
        ),
    ],
)
def test_objects_of_misp_become_columns(
    name: str, attributes: list[tuple[str, str, str]], row: dict[str, str]
) -> None:
    mapped = _map(_event(objects=[_object(name, *attributes)]))
    assert [each.row for each in mapped.rows] == [row]
    assert not mapped.unmapped
    assert read_row(row, READING).sightings


@pytest.mark.parametrize(
    ("type_", "value", "row"),
    [
        ("email-src", "a@example.org", {"email": "a@example.org"}),
        ("phone-number", "+31612345678", {"phone": "+31612345678"}),
        (
            "btc",
            "1BoatSLRHtKNngkdXEeobR76b53LETtpyT",
            {"payment": "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "payment_scheme": "bitcoin"},
        ),
        ("pgp-public-key", "ab" * 20, {"pgp": "ab" * 20}),
    ],
)
def test_attributes_that_stand_alone(type_: str, value: str, row: dict[str, str]) -> None:
    mapped = _map(_event(_attribute(type_, value)))
    assert [each.row for each in mapped.rows] == [row]
    assert read_row(row, READING).sightings


@pytest.mark.parametrize(
    ("type_", "value", "reason"),
    [
        ("ip-dst", "192.0.2.1", "Nothing in the post is compared by this type."),
        ("full-name", "Piet Jansen", "A name without an address holds too little to be compared."),
        ("comment", "He lives nearby", "It is free text, in which nothing is compared."),
        ("pgp-public-key", "-----BEGIN", "It is not the fingerprint of a key."),
        ("anonymised", "postal1.3.x", IS_TOKEN.reason),
    ],
)
def test_what_is_not_mapped_says_why_and_repeats_nothing(
    type_: str, value: str, reason: str
) -> None:
    attribute = _attribute(type_, value)
    mapped = _map(_event(attribute))
    (found,) = mapped.unmapped
    assert (found.id, found.type, found.reason) == (attribute["uuid"], type_, reason)
    assert value not in found.reason + found.remedy
    assert not mapped.rows


def test_a_second_telephone_is_a_row_of_its_own_under_the_same_terms() -> None:
    person = _object(
        "person",
        ("full-name", "full-name", "Piet Jansen"),
        ("address", "text", "Kerkstraat 12, 1017 GA Amsterdam"),
        ("phone-number", "phone-number", "+31612345678"),
        ("phone-number", "phone-number", "+31612345679"),
    )
    mapped = _map(_event(objects=[person], Tag=[{"name": "tlp:green"}]))
    first, second = mapped.rows
    assert first.row["phone"] == "+31612345678"
    assert second.row == {"tlp": "GREEN", "phone": "+31612345679"}
    assert first.ids == second.ids


def test_of_several_markings_the_strictest_holds() -> None:
    attribute = _attribute("email", "a@example.org", Tag=[{"name": "tlp:amber+strict"}])
    mapped = _map(_event(attribute, Tag=[{"name": "tlp:green"}, {"name": "TLP:AMBER"}]))
    assert mapped.rows[0].row["tlp"] == "AMBER+STRICT"


def test_grades_handling_and_step_are_read_from_tags() -> None:
    names = (
        'admiralty-scale:source-reliability="b"',
        'admiralty-scale:information-credibility="6"',
        'postern:handling="H1"',
        'postern:permitted-action="watch"',
        'postern:barrier-step="hand-over"',
        'workflow:state="draft"',
    )
    mapped = _map(_event(_attribute("email", "a@example.org"), Tag=[{"name": n} for n in names]))
    row = mapped.rows[0].row
    assert (row["grade"], row["handling"]) == ("B4", "H1")
    assert (row["permitted_action"], row["barrier_step"]) == ("watch", "5")
    assert any("workflow:state" in reason for _, reason in mapped.noted)


def test_what_is_deleted_in_misp_is_noted_and_not_submitted() -> None:
    gone = _attribute("email", "a@example.org", deleted=True)
    dropped = {**PARCEL, "deleted": "1"}
    mapped = _map(_event(gone, objects=[dropped]))
    assert not mapped.rows
    assert not mapped.unmapped
    assert {name for name, _ in mapped.noted} == {
        gone["uuid"],
        *(each["uuid"] for each in PARCEL["Attribute"]),
    }


def test_what_came_from_the_exchange_is_not_submitted_as_ones_own() -> None:
    objects = [object_of(shown(Kind.INDUCTION_POINT), COLLECTION)]
    text = event(EventName(COLLECTION, "post-be", "Post", 20_777), objects)
    mapped = map_misp(io.BytesIO(text.encode()))
    assert not mapped.rows
    assert len(mapped.unmapped) == len(objects[0]["Attribute"])


def test_an_account_of_no_market_is_no_vendor() -> None:
    account = _object(
        "user-account", ("username", "text", "piet"), ("account-type", "text", "facebook")
    )
    mapped = _map(_event(objects=[account]))
    assert not mapped.rows
    assert len(mapped.unmapped) == 2


@pytest.mark.parametrize(
    "document",
    [
        _event(_attribute("email", "a@example.org")),
        [_event(_attribute("email", "a@example.org"))],
        {"response": [_event(_attribute("email", "a@example.org"))]},
        {"response": {"Attribute": [_attribute("email", "a@example.org")]}},
        {"response": {"Event": _event(_attribute("email", "a@example.org"))["Event"]}},
    ],
)
def test_every_form_in_which_misp_exports_is_read(document: object) -> None:
    assert len(_map(document).rows) == 1


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b'{"Event": NaN}', "no JSON"),
        (b"1" * 5_000, "no JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' * 100_000, "nested too deeply"),
        (b'{"0d5c5a8e": {"info": "a manifest"}}', "not its manifest"),
        (b"[1]", "no event"),
        (b'"text"', "no event"),
    ],
)
def test_what_is_no_event_is_refused_in_one_sentence(raw: bytes, words: str) -> None:
    with pytest.raises(MispMalformedError, match=words):
        map_misp(io.BytesIO(raw))


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST", 10)
    with pytest.raises(MispMalformedError, match="larger than 10 bytes"):
        map_misp(io.BytesIO(b" " * 11))


_ODD = (
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    "",
    " ",
    "x",
    "\x00",
    "2026-11-01",
    [],
    [1],
    [[]],
    {},
    {"a": []},
)
_ANY: st.SearchStrategy[Any] = st.sampled_from(_ODD)
_NESTED = st.recursive(
    _ANY,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["Event", "response", "Attribute", "Object", "a"]), inner)
    ),
    max_leaves=5,
)
_NAMES = st.sampled_from([*OBJECTS, "postal-parcel", "other", ""])


@given(
    attributes=st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(["email", "btc", "iban", "text", "ip-src"]) | _ANY,
                "value": st.sampled_from(["a@example.org", "NL91ABNA0417164300"]) | _ANY,
                "deleted": _ANY,
                "Tag": _ANY,
                "object_relation": st.sampled_from(["full-name", "address", "iban", "note"]) | _ANY,
                "first_seen": _ANY,
                "comment": _ANY,
            },
        ),
        max_size=6,
    ),
    name=_NAMES | _ANY,
    said=st.fixed_dictionaries({}, optional={"Tag": _ANY, "Attribute": _ANY, "Object": _ANY}),
)
def test_every_attribute_ends_in_one_place_whatever_it_holds(
    attributes: list[dict[str, Any]], name: object, said: dict[str, Any]
) -> None:
    listed = [{**each, "uuid": str(uuid4())} for each in attributes]
    half = len(listed) // 2
    objects = [{"uuid": str(uuid4()), "name": name, "Attribute": listed[half:]}]
    mapped = _map(_event(*listed[:half], objects=objects))
    in_rows = {each for row in mapped.rows for each in row.ids}
    left = [each.id for each in mapped.unmapped]
    noted = {each for each, reason in mapped.noted if "deleted" in reason}
    for each in listed:
        places = (each["uuid"] in in_rows, each["uuid"] in left, each["uuid"] in noted)
        assert sum(places) == 1
    _map(_event(**{"Attribute": [], "Object": [], **said}))


@given(_NESTED)
def test_anything_is_read_or_refused(document: object) -> None:
    with suppress(MispMalformedError):
        _map(document)
