"""The bytes of an entry, recomputed here with the standard library alone."""

import base64
import hashlib
import hmac
import json
import os
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audit.entry import Act, make
from postern.audit.record import (
    NotCanonicalError,
    canonical,
    disclosure_digest,
    open_disclosures,
    tag,
)

_KEYS = st.text(st.characters(max_codepoint=127), max_size=12)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_LARGEST = 2**53 - 1
_LEAVES = st.none() | st.booleans() | st.integers(-_LARGEST, _LARGEST) | _TEXTS
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=25,
)
_AT = 1_790_000_000_000


@settings(max_examples=4000, deadline=None)
@given(_VALUES)
def test_canonical_bytes_are_those_of_rfc_8785(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        float("nan"),
        2**53,
        -(2**53),
        "\ud800",
        {"é": 1},
        {1: "a"},
        b"bytes",
        {"a": {"b": [{"c": 1.0}]}},
        {"a"},
    ],
    ids=repr,
)
def test_a_value_outside_the_profile_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonicalError):
        canonical(value)


def test_the_leaf_fixes_the_record_and_the_record_fixes_every_disclosure() -> None:
    entry = make(
        _act({"actor": "p1", "case": "K-12", "objects": ["a", "b"]}), _AT, _keys("post-be")
    )
    leaf, record = json.loads(entry.leaf), json.loads(entry.record)

    assert leaf["c"] == _b64(hashlib.sha256(entry.record).digest())
    digests = {_b64(hashlib.sha256(line.encode("ascii")).digest()) for line in entry.disclosures}
    assert set(record["f"].values()) == digests
    assert set(record["f"]) == {"actor", "case", "objects"}
    assert record["f"]["case"] == _digest_of(entry.disclosures, "case")


def test_record_and_leaf_hold_what_the_format_says() -> None:
    entry = make(_act({"actor": "p1"}), _AT, _keys("post-be"))
    record = json.loads(entry.record)

    assert entry.record == rfc8785.dumps(record)
    assert entry.leaf == rfc8785.dumps(json.loads(entry.leaf))
    assert list(record) == sorted(record)
    assert {name: record[name] for name in record.keys() - {"id", "f"}} == {
        "v": 1,
        "t": _AT,
        "act": "lookup.ask",
        "org": "police-de",
        "aud": ["post-be"],
        "out": "ok",
        "basis": "police_law",
        "purpose": "criminal_investigation",
        "obj": "indicator",
        "n": 2,
        "rh": _b64(hashlib.sha256(b'["x",{"level":3}]').digest()),
    }
    assert len(_unb64(record["id"])) == 16
    assert json.loads(entry.leaf).keys() == {"v", "c", "n", "a"}


def test_disclosures_open_to_what_was_told() -> None:
    told = {"case": "Zaak 7/é", "filters": {"act": "lookup.ask"}, "n": 3, "none": None}
    entry = make(_act(told), _AT, _keys("post-be"))
    assert open_disclosures("\n".join(entry.disclosures)) == told
    for line in entry.disclosures:
        salt, name, value = json.loads(_unb64(line))
        assert len(_unb64(salt)) == 16
        assert told[name] == value


def test_equal_acts_make_entries_that_have_nothing_random_in_common() -> None:
    keys = _keys("post-be")
    one, other = (make(_act({"case": "same"}), _AT, keys) for _ in range(2))
    assert one.record_id != other.record_id
    assert json.loads(one.record)["f"]["case"] != json.loads(other.record)["f"]["case"]
    tags = [set(json.loads(entry.leaf)["a"]) for entry in (one, other)]
    assert not tags[0] & tags[1]


def test_a_record_without_details_still_carries_a_salted_digest() -> None:
    entries = [make(_act({}), _AT, _keys("post-be")) for _ in range(2)]
    digests = [json.loads(entry.record)["f"]["none"] for entry in entries]
    assert digests[0] != digests[1]
    assert digests[0] == disclosure_digest(entries[0].disclosures[0])


@pytest.mark.parametrize(("members", "tags"), [(1, 4), (3, 4), (4, 4), (5, 8), (8, 8), (9, 12)])
def test_audiences_cannot_be_counted(members: int, tags: int) -> None:
    codes = [f"member-{number}" for number in range(members)]
    leaf = json.loads(make(_act({}, codes), _AT, _keys(*codes)).leaf)
    assert len(leaf["a"]) == tags
    assert leaf["a"] == sorted(leaf["a"])
    assert all(len(_unb64(one)) == 12 for one in leaf["a"])


def test_a_member_finds_its_leaves_by_its_key_and_nobody_else_does() -> None:
    keys = _keys("post-be", "police-de")
    leaf = json.loads(make(_act({}, ["post-be", "police-de"]), _AT, keys).leaf)
    nonce = _unb64(leaf["n"])
    for key in keys.values():
        mac = hmac.new(key, b"audit-tag/v1\n" + nonce, "sha256").digest()[:12]
        assert _b64(mac) in leaf["a"]
    assert tag(os.urandom(32), nonce) not in leaf["a"]


def _act(details: dict[str, Any], audience: list[str] | None = None) -> Act:
    return Act(
        act="lookup.ask",
        organisation="police-de",
        audience=frozenset(audience or ["post-be"]),
        purpose="criminal_investigation",
        basis="police_law",
        object_type="indicator",
        count=2,
        results=["x", {"level": 3}],
        details=details,
    )


def _keys(*codes: str) -> dict[str, bytes]:
    return {code: os.urandom(32) for code in codes}


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _digest_of(disclosures: tuple[str, ...], name: str) -> str:
    line = next(one for one in disclosures if json.loads(_unb64(one))[1] == name)
    return _b64(hashlib.sha256(line.encode("ascii")).digest())
