from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from postern import group
from postern.key_document import KeyDocument, KeyEpoch
from postern.key_errors import KeyChangedError
from postern.pins import compare_with_pins

ISSUED = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
END = ISSUED + timedelta(days=100)


def epoch(kind: str, number: int, key: int | None = None) -> KeyEpoch:
    public_key = group.base((key or number).to_bytes(32, "little"))
    return KeyEpoch(kind, number, "norm1", public_key, ISSUED, END)


def document(*epochs: KeyEpoch, days: int = 0) -> KeyDocument:
    issued_at = ISSUED + timedelta(days=days)
    return KeyDocument("Postern", issued_at, issued_at + timedelta(days=30), epochs)


PINNED = document(epoch("phone", 2), epoch("postal", 1))


def refused(*epochs: KeyEpoch, days: int = 1) -> KeyChangedError:
    with pytest.raises(KeyChangedError) as caught:
        compare_with_pins(PINNED, document(*epochs, days=days))
    return caught.value


def test_the_same_keys_again_add_nothing() -> None:
    assert compare_with_pins(PINNED, document(*PINNED.epochs, days=1)) == ()


def test_new_epochs_and_kinds_are_returned() -> None:
    added = (epoch("email", 1), epoch("postal", 2))
    email, postal = added
    phone, pinned_postal = PINNED.epochs
    new = document(email, phone, pinned_postal, postal, days=1)
    assert compare_with_pins(PINNED, new) == added


def test_another_public_key_for_a_pinned_epoch_is_an_alarm() -> None:
    error = refused(epoch("phone", 2), epoch("postal", 1, key=9))
    assert (error.kind, error.epoch) == ("postal", 1)
    assert "public key changed" in str(error)


def test_another_norm_for_a_pinned_epoch_is_an_alarm() -> None:
    error = refused(replace(epoch("phone", 2), norm="norm2"), epoch("postal", 1))
    assert (error.kind, error.epoch) == ("phone", 2)
    assert "normaliser version changed" in str(error)


def test_an_epoch_that_vanishes_before_its_end_is_an_alarm() -> None:
    error = refused(epoch("phone", 2), days=99)
    assert (error.kind, error.epoch) == ("postal", 1)
    assert "vanished" in str(error)


def test_an_epoch_may_be_left_out_once_it_is_over() -> None:
    assert compare_with_pins(PINNED, document(days=100)) == ()


def test_an_epoch_that_appears_after_a_later_one_is_an_alarm() -> None:
    error = refused(epoch("phone", 1), *PINNED.epochs)
    assert (error.kind, error.epoch) == ("phone", 1)
    assert "after a later epoch" in str(error)


def test_an_older_document_that_lacks_a_pinned_epoch_is_an_alarm() -> None:
    newer = document(*PINNED.epochs, epoch("postal", 2), days=1)
    with pytest.raises(KeyChangedError) as caught:
        compare_with_pins(newer, PINNED)
    assert caught.value.epoch == 2


def test_the_dates_of_an_epoch_may_be_moved() -> None:
    phone, postal = PINNED.epochs
    longer = replace(postal, valid_to=END + timedelta(days=10))
    assert compare_with_pins(PINNED, document(phone, longer, days=1)) == ()
