"""What others wrote: each object becomes a row, or is told why it does not."""

import contextlib
import io
import json
import tracemalloc
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.rows import Reading, read_row
from postern.stix.parsing import MOST_BYTES, StixMalformedError, parse_json
from postern.stix.patterns import things_of
from postern.stix.reading import map_objects, read_bundle
from postern.stix.writing import bundle_text, extension_definitions, objects_of
from postern.terms import Terms
from postern.vocabulary import Kind, Learned, LegalBasis
from tests.postern.stix.made import read, record

DARK = "user-account:account_type = 'darknet-market'"
TLP_AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"  # of TLP 1


def made(type_: str, **said: Any) -> dict[str, Any]:
    base = {
        "type": type_,
        "spec_version": "2.1",
        "id": f"{type_}--{uuid4()}",
        "created": "2026-11-24T07:00:00Z",
        "modified": "2026-11-24T07:00:00Z",
    }
    return {**base, **said}


def indicator(pattern: str, **said: Any) -> dict[str, Any]:
    base = {"pattern": pattern, "pattern_type": "stix", "valid_from": "2026-11-24T07:00:00Z"}
    return made("indicator", **{**base, **said})


def rows(*objects: dict[str, Any]) -> list[dict[str, str]]:
    return [dict(each.row) for each in map_objects(objects).rows]


def reason(*objects: dict[str, Any]) -> str:
    found = map_objects(objects)
    assert found.rows == ()
    assert found.unmapped[0].remedy
    return found.unmapped[0].reason


@pytest.mark.parametrize(
    ("pattern", "row"),
    [
        ("[email-addr:value = 'a@b.example']", {"email": "a@b.example"}),
        ("[phone-number:value = '+32 2 123 45 67']", {"phone": "+32 2 123 45 67"}),
        ("[tracking-number:value = 'RR123456785BE']", {"item_id": "RR123456785BE"}),
        ("[cryptocurrency-wallet:value = 'bc1q']", {"payment": "bc1q"}),
        ("[bank-account:iban = 'BE68539007547034']", {"payment": "BE68539007547034"}),
        ("[x-pgp-key:fingerprint = 'ABCD']", {"pgp": "ABCD"}),
        (
            f"[user-account:user_id = 'O\\'Vendor' AND {DARK}]",
            {"vendor_handle": "O'Vendor"},
        ),
        (
            "[user-account:account_login = 'V' AND user-account:account_type = 'market-17']",
            {"vendor_handle": "V", "vendor_market": "market-17"},
        ),
        (
            "[x-postal-address:street = 'Main Street 5' AND x-postal-address:city = 'Gent']",
            {"street": "Main Street 5", "city": "Gent"},
        ),
    ],
)  # fmt: skip
def test_a_pattern_that_names_one_thing_is_one_row(pattern: str, row: dict[str, str]) -> None:
    assert rows(indicator(pattern)) == [row]


@pytest.mark.parametrize(
    "pattern",
    [
        "[email-addr:value = 'a@b.example' OR email-addr:value = 'c@d.example']",
        "[email-addr:value = 'a@b.example'] OR [email-addr:value = 'c@d.example']",
        "  [ email-addr:value='a@b.example' ]  OR[email-addr:value = 'c@d.example']",
    ],
)
def test_alternatives_are_rows_of_their_own(pattern: str) -> None:
    assert rows(indicator(pattern)) == [{"email": "a@b.example"}, {"email": "c@d.example"}]


@pytest.mark.parametrize(
    "pattern",
    [
        "[email-addr:value LIKE '%@b.example']",
        "[email-addr:value != 'a@b.example']",
        "[email-addr:value = 'a'] AND [email-addr:value = 'b']",
        "[email-addr:value = 'a'] FOLLOWEDBY [email-addr:value = 'b']",
        "[email-addr:value = 'a'] REPEATS 5 TIMES",
        "[email-addr:value = 'a' AND (email-addr:value = 'b' OR email-addr:value = 'c')]",
        "[email-addr:value = 'a' AND email-addr:value = 'b' OR email-addr:value = 'c']",
        "[file:size = 5]",
    ],
)
def test_a_pattern_that_says_more_is_left_out_with_its_reason(pattern: str) -> None:
    assert reason(indicator(pattern)) == "Its pattern says more than what one thing is."


def test_words_in_a_constant_are_no_words_of_the_pattern() -> None:
    found = rows(indicator("[email-addr:value = 'a OR b AND [c] = \\'d\\'']"))
    assert found == [{"email": "a OR b AND [c] = 'd'"}]


@pytest.mark.parametrize(
    ("obj", "why"),
    [
        (indicator("[ipv4-addr:value = '192.0.2.1']"), "are no indicators of drugs by post"),
        (indicator("[user-account:user_id = 'x']"), "elsewhere than on a darknet market"),
        (indicator("[email-addr:value = 'a' AND file:name = 'b']"), "several things together"),
        (indicator("title: x", pattern_type="sigma"), "not in STIX patterning"),
        (indicator("[email-addr:value = 'a"), "It is not STIX 2.1: pattern"),
        (indicator("[email-addr:value = 'a']", indicator_types=["benign"]), "benign"),
        (indicator("[x-postal-address:city = 'Gent']"), "no value that can be compared"),
        (indicator("[phone-number:value = '']"), "no value that can be compared"),
        (made("threat-actor", name="J. Doe"), "not said that its name is the handle"),
        (made("malware", is_family=True, name="x"), "are no indicators"),
        (made("location", country="BE"), "without a street"),
        (made("identity", name="J. Doe", identity_class="individual"), "without an address"),
        (made("note", content="x", object_refs=[f"indicator--{uuid4()}"]), "became a row"),
        (made("opinion", opinion="agree", object_refs=[f"note--{uuid4()}"]), "free text"),
        (made("sighting", sighting_of_ref=f"indicator--{uuid4()}"), "says was seen"),
        (
            made(
                "relationship",
                relationship_type="uses",
                source_ref=f"tool--{uuid4()}",
                target_ref=f"tool--{uuid4()}",
            ),
            "Relationships are not kept",
        ),
        (made("marking-definition", name="For your eyes"), "a marking that is not known"),
        ({"type": "email-addr", "id": f"email-addr--{uuid4()}"}, "It is not STIX 2.1: value"),
        ({"type": "indicator"}, "It is not STIX 2.1: id"),
        ({}, "It is not STIX 2.1: type"),
    ],
)
def test_what_cannot_become_a_row_is_told_with_its_reason(obj: dict[str, Any], why: str) -> None:
    assert why in reason(obj)


def test_pseudonyms_are_never_submitted_as_if_they_were_values() -> None:
    own = read(objects_of(record()).own[0])
    assert "pseudonym" in reason(own)
    token = "vend1.2026q4.YwuglEivUiFU8473aF7x9EsPPpQw-AgpoDziT0APN1Q"
    assert "pseudonym" in reason(indicator(f"[user-account:user_id = '{token}' AND {DARK}]"))


def test_a_person_at_an_address_is_a_party_and_a_place_alone_an_address() -> None:
    person = made("identity", name="J. Doe", identity_class="individual")
    home = made(
        "location", street_address="Main Street 5", postal_code="9000", city="Gent", country="BE"
    )
    link = made(
        "relationship",
        relationship_type="located-at",
        source_ref=person["id"],
        target_ref=home["id"],
    )
    address = {"street": "Main Street 5", "postcode": "9000", "city": "Gent", "country": "BE"}
    found = map_objects([link, home, person])
    (row,) = found.rows
    assert (row.row, row.ids) == ({"name": "J. Doe", **address}, (person["id"], home["id"]))
    assert found.unmapped == ()
    assert rows(home) == [address]
    office = {**person, "identity_class": "organization"}
    assert "where an organisation is" in reason(office, link, home)


def test_what_other_objects_say_of_a_thing_goes_into_its_row() -> None:
    seen = indicator(
        "[email-addr:value = 'a@b.example']",
        confidence=75,
        description="Wrote to the shop.",
        valid_until="2027-05-01T00:00:00Z",
        object_marking_refs=[TLP_AMBER],
        labels=["role:sender"],
        kill_chain_phases=[
            {"kill_chain_name": "postal-barrier-model", "phase_name": "hand-over"},
            {"kill_chain_name": "another", "phase_name": "x"},
        ],
    )
    found = map_objects(
        [
            made("note", content="Twice.", object_refs=[seen["id"]]),
            made(
                "sighting",
                sighting_of_ref=seen["id"],
                first_seen="2026-11-20T23:59:59Z",
                last_seen="2026-11-22T00:00:00Z",
            ),
            seen,
        ]
    )
    assert found.unmapped == ()
    assert [dict(each.row) for each in found.rows] == [
        {
            "sender_email": "a@b.example",
            "grade": "X2",
            "expires_on": "2027-05-01",
            "barrier_step": "5",
            "tlp": "AMBER",
            "observed_from": "2026-11-20",
            "observed_to": "2026-11-22",
            "note": "Wrote to the shop.\n\nTwice.",
        }
    ]
    read_row(
        found.rows[0].row,
        Reading(
            date(2026, 11, 26),
            Terms(learned=Learned.OPEN_SOURCE, legal_basis=LegalBasis.POLICE_LAW),
            seals=True,
        ),
    )


def test_a_thing_that_two_objects_name_is_one_row_marked_as_the_stricter_of_them() -> None:
    red = {
        **made("marking-definition", definition_type="tlp", definition={"tlp": "red"}),
        "modified": None,
    }
    del red["modified"]
    observable = {
        "type": "email-addr",
        "spec_version": "2.1",
        "id": f"email-addr--{uuid4()}",
        "value": "a@b.example",
        "object_marking_refs": [red["id"]],
    }
    named = indicator("[email-addr:value = 'a@b.example']", object_marking_refs=[TLP_AMBER])
    watched = made(
        "observed-data",
        first_observed="2026-11-20T00:00:00Z",
        last_observed="2026-11-21T00:00:00Z",
        number_observed=1,
        object_refs=[observable["id"]],
    )
    (row,) = map_objects([observable, named, watched, red]).rows
    assert set(row.ids) == {observable["id"], named["id"]}
    assert row.row == {
        "email": "a@b.example",
        "tlp": "RED",
        "observed_from": "2026-11-20",
        "observed_to": "2026-11-21",
    }


def test_a_vendor_is_who_is_said_to_be_one_with_each_of_the_names() -> None:
    actor = made("threat-actor", name="One", aliases=["Two", "One"], labels=["Darknet-Vendor"])
    assert rows(actor) == [{"vendor_handle": "One"}, {"vendor_handle": "Two"}]


def test_the_newest_version_counts_and_what_is_revoked_is_noted() -> None:
    first = indicator("[email-addr:value = 'old@b.example']")
    second = {
        **first,
        "pattern": "[email-addr:value = 'new@b.example']",
        "modified": "2026-11-25T07:00:00.5Z",
    }
    for order in ([first, second], [second, first]):
        assert rows(*order) == [{"email": "new@b.example"}]
    found = map_objects([first, {**second, "revoked": True}])
    assert (found.rows, found.unmapped) == ((), ())
    assert "revoked" in found.noted[-1][1]


def test_no_object_is_lost_without_a_word() -> None:
    objects = [
        *(read(each) for each in extension_definitions()),
        *(read(each) for each in objects_of(record(Kind.INDUCTION_POINT)).support),
        *(read(each) for each in objects_of(record(Kind.INDUCTION_POINT)).own),
        indicator("[email-addr:value = 'a@b.example']"),
        made("identity", name="A police", identity_class="organization"),
        made("grouping", context="unspecified", object_refs=[f"note--{uuid4()}"]),
        made("x-unheard-of", value=1),
    ]
    found = map_objects(objects)
    told = {each.id for each in found.unmapped} | {name for name, _ in found.noted}
    told |= {name for row in found.rows for name in row.ids}
    assert told == {each["id"] for each in objects}


def bundle(*objects: dict[str, Any]) -> bytes:
    return json.dumps({"type": "bundle", "id": f"bundle--{uuid4()}", "objects": objects}).encode()


ONE, TWO = ({"type": "x-one", "id": "1", "a": {"b": [1, {"c": "}]"}]}}, {"type": "x-two"})

LIST = json.dumps([ONE, TWO]).encode()


@pytest.mark.parametrize(
    "raw",
    [
        bundle(ONE, TWO),
        b'\xef\xbb\xbf  {"more": false, "objects": %b, "next": "x"}' % LIST,
        LIST,
        (json.dumps(ONE) + "\n" + json.dumps(TWO) + "\n").encode(),
        (json.dumps(ONE) + "\n\n" + bundle(TWO).decode()).encode(),
        json.dumps([ONE, TWO], indent=2).encode(),
    ],
)
def test_bundles_envelopes_arrays_and_lines_are_read(raw: bytes) -> None:
    assert list(read_bundle(io.BytesIO(raw))) == [ONE, TWO]


def test_an_empty_bundle_or_envelope_holds_nothing() -> None:
    for raw in (b"{}", b"[]", b'{"type":"bundle","id":"x","objects":[]}'):
        assert list(read_bundle(io.BytesIO(raw))) == []


def test_what_is_written_is_read_again() -> None:
    entries = objects_of(record(Kind.INDUCTION_POINT)).own
    text = bundle_text(entry.text for entry in entries)
    assert list(read_bundle(io.BytesIO(text.encode()))) == [read(entry) for entry in entries]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"\xff\xfe{", "not in UTF-8"),
        (b"7", "not JSON at line 1"),
        (b'{"objects": [{"type": "a"}', "not JSON at line 1, after 1 objects"),
        (b'{"objects": [{"type": "a"} {"type": "b"}]}', "not JSON"),
        (b'{"objects": [7]}', "Object 1 is no JSON object"),
        (b'[{"type": "a"},\n{"type": }]', "not JSON at line 2, after 1 objects"),
        (b'{"type": "a", "type": "b"}', "A key stands twice"),
        (b'{"id": "a", "id": "b"}', "not JSON"),
        (b'[{"type": "a", "type": "b"}]', "A key stands twice"),
        (b'[{"a": NaN}]', "NaN"),
        (b'[{"a": 1e999}]', "too large"),
        (b'[{"a": ' + b"9" * 5000 + b"}]", "too long"),
        (b"[" + b'{"a":' * 40 + b"1" + b"}" * 40 + b"]", "nested more than 32 deep"),
        (b"[" * 100_000, "nested too deep"),
        (b'[{"a":' + b"[" * 100_000, "nested too deep"),
        (b"{" * 100_000, "not JSON"),
        (b'{"a" 1}', "not JSON"),
        (b'{7: 1}', "not JSON"),
    ],
)  # fmt: skip
def test_what_is_malformed_says_where_and_what_to_do(raw: bytes, why: str) -> None:
    with pytest.raises(StixMalformedError) as caught:
        list(read_bundle(io.BytesIO(raw)))
    assert why in caught.value.reason
    assert caught.value.remedy


class Endless(io.RawIOBase):
    def read(self, size: int = -1) -> bytes:
        return b" " * size


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(StixMalformedError, match="larger than"):
        list(read_bundle(Endless()))  # type: ignore[arg-type]
    assert MOST_BYTES == 100 * 2**20


def test_one_object_is_held_at_a_time() -> None:
    count, size = 2000, 2000

    def pieces() -> Iterator[str]:
        yield '{"objects":['
        for place in range(count):
            yield f'{"," if place else ""}{{"type":"x-one","text":"{"a" * size}"}}'
        yield "]}"

    raw = io.BytesIO("".join(pieces()).encode())
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_bundle(raw)) == count
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 3 * count * size


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.text("{}[],:\"\\ 'abtype0.eE-", max_size=60).map(str.encode))
def test_no_bytes_make_it_fail_otherwise(raw: bytes) -> None:
    with contextlib.suppress(StixMalformedError):
        map_objects(read_bundle(io.BytesIO(raw)))


@settings(max_examples=100, deadline=None)
@given(st.text("[]()' =:abANDORemail-addrvlu\\", max_size=60))
def test_no_pattern_makes_it_fail(pattern: str) -> None:
    things_of(pattern)
    map_objects([indicator(pattern)])


def test_json_is_read_within_its_bounds() -> None:
    assert parse_json(b'{"a": [1, 2.5, "x", null, true]}') == {"a": [1, 2.5, "x", None, True]}
    with pytest.raises(StixMalformedError, match="larger than 10 bytes"):
        parse_json(b'{"a": "0123456789"}', 10)
    for raw in (b"\xff", b"{", b"[" * 100_000, b'{"a":1,"a":2}', b"Infinity"):
        with pytest.raises(StixMalformedError):
            parse_json(raw)
