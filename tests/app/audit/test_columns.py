"""Packed columns: fewer bytes, and back exactly; what is not packed is taken as it is."""

import hashlib
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.columns import (
    LONGEST_RECORD,
    packed_leaf,
    packed_record,
    unpacked_leaf,
    unpacked_record,
)
from app.audit.entry import Act, make
from postern.audit.record import leaf_of
from postern.base64url import to_base64url

DETAILS = {"actor": "a" * 36, "case": "K-1", "means": "token", "objects": ["x"], "hits": 0}
ENTRY = make(
    Act("lookup.ask", "police-de", frozenset({"police-de"}), details=DETAILS),
    1_780_000_000_000,
    {"police-de": bytes(32)},
)


def test_a_record_is_smaller_and_comes_back_exactly() -> None:
    stored = packed_record(ENTRY.record)
    assert len(stored) < 0.7 * len(ENTRY.record)
    assert unpacked_record(stored) == ENTRY.record


@pytest.mark.parametrize("tags", [1, 4, 5, 9])
def test_a_leaf_is_smaller_and_comes_back_exactly(tags: int) -> None:
    leaf = leaf_of(ENTRY.record, [os.urandom(32) for _ in range(tags)])
    stored = packed_leaf(leaf)
    assert len(stored) < 0.65 * len(leaf)
    assert unpacked_leaf(stored) == leaf


@given(st.binary(max_size=300))
def test_any_bytes_come_back_exactly(given_bytes: bytes) -> None:
    assert unpacked_record(packed_record(given_bytes)) == given_bytes
    if not given_bytes.startswith(b"\x01"):
        assert unpacked_leaf(packed_leaf(given_bytes)) == given_bytes
        assert unpacked_record(given_bytes) == given_bytes


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"c": "A" * 42},
        {"c": "A" * 42 + "B"},  # not canonical base64url: packed, it would come back as another
        {"a": []},
        {"more": 1},
    ],
)
def test_a_leaf_of_another_form_stays_as_it_is(change: dict[str, object]) -> None:
    leaf = json.dumps(
        {**json.loads(ENTRY.leaf), **change}, sort_keys=True, separators=(",", ":")
    ).encode()
    assert packed_leaf(leaf) == leaf
    assert unpacked_leaf(leaf) == leaf


def _fixed_record() -> bytes:
    """A record like others whose commitments are always the same."""
    fields = json.loads(ENTRY.record)
    for number, name in enumerate(sorted(fields["f"])):
        fields["f"][name] = to_base64url(hashlib.sha256(bytes([number])).digest())
    fields |= {"id": to_base64url(bytes(range(16))), "rh": to_base64url(bytes(range(32)))}
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def test_packed_bytes_that_were_changed_are_read_as_something_else() -> None:
    # Of one record, always the same: deflate can point to any of several places where the same
    # word stands, so of many records a few changes mean what was there before, which harms nobody.
    record = _fixed_record()
    stored = packed_record(record)
    for number in range(1, len(stored), 7):
        changed = bytearray(stored)
        changed[number] ^= 0x10
        assert unpacked_record(bytes(changed)) != record
    assert unpacked_record(stored[:-3]) == stored[:-3]
    assert unpacked_record(stored + b"x") == stored + b"x"


@given(place=st.integers(min_value=1), change=st.integers(1, 255))
def test_no_change_of_packed_bytes_fails_to_be_read(place: int, change: int) -> None:
    changed = bytearray(packed_record(ENTRY.record))
    changed[1 + place % (len(changed) - 1)] ^= change
    found = unpacked_record(bytes(changed))
    assert len(found) <= LONGEST_RECORD


def test_what_was_stored_by_the_first_release_is_read_for_ever() -> None:
    # It repeats all the words that records have in common: who changes them breaks every log.
    stored = bytes.fromhex("01cb1c4dd1a3297a58a56800")
    digest = "9886f19fc89b6a679623a5f69a0c99cf8a34bc8c0673bd493601d504bb15961b"
    assert hashlib.sha256(unpacked_record(stored)).hexdigest() == digest


def test_the_words_that_stored_records_are_read_with_never_change() -> None:
    record = b'{"act":"lookup.ask","aud":["police-de"],"v":1}'
    assert packed_record(record).hex() == "01233a34c0aa01"
    assert unpacked_record(bytes.fromhex("01233a34c0aa01")) == record
