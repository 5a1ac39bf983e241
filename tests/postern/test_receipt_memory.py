"""Receipts of another platform count once: neither one of before nor one of long ago is taken."""

import json

import pytest

from postern.audit import receipt_memory
from postern.audit.receipt_memory import WINDOW, ReceiptMemory, RepeatedReceiptError
from postern.audit.receipts import Receipt


def receipt(leaf: int, at: int) -> Receipt:
    return Receipt(leaf.to_bytes(32, "big"), at, "")


def test_a_leaf_is_taken_once_and_what_is_older_than_the_window_never() -> None:
    memory = ReceiptMemory()
    memory.take(receipt(1, 1000))
    memory.take(receipt(2, 1000))
    memory.take(receipt(3, 1000 - WINDOW))  # another server of the platform, with a slower clock
    for repeated in (receipt(1, 1000), receipt(1, 2000), receipt(4, 999 - WINDOW)):
        with pytest.raises(RepeatedReceiptError):
            memory.take(repeated)
    memory.take(receipt(5, 1001 + WINDOW))
    assert set(memory.leaves.values()) == {1001 + WINDOW}
    for old in (receipt(1, 1000), receipt(6, 1000)):
        with pytest.raises(RepeatedReceiptError):
            memory.take(old)


def test_what_was_taken_is_known_after_a_restart() -> None:
    memory = ReceiptMemory()
    memory.take(receipt(1, 1000))
    again = ReceiptMemory.of(json.loads(json.dumps(memory.as_json())))
    assert again == memory
    assert ReceiptMemory.of(None) == ReceiptMemory()
    for wrong in ([], {"floor": 1}, {"floor": "x", "leaves": {}}, {"leaves": {}}):
        with pytest.raises((TypeError, ValueError, KeyError)):
            ReceiptMemory.of(wrong)


def test_many_in_one_second_are_bounded_and_none_is_taken_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receipt_memory, "MOST", 10)
    memory = ReceiptMemory()
    for number in range(30):
        memory.take(receipt(number, 1000 + number))
        assert len(memory.leaves) <= 10
    for number in range(30):
        with pytest.raises(RepeatedReceiptError):
            memory.take(receipt(number, 1000 + number))
