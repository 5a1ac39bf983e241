import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from postern import key_document
from postern.client import Client, SignedKeys
from postern.client_errors import NormaliserMismatchError
from postern.key_errors import (
    DocumentExpiredError,
    DocumentNotYetValidError,
    FingerprintMismatchError,
    NoKeyError,
)
from postern.key_ring import FRESH_FOR, KeyRing, KeysChangedError, PinFileError, load_pins, pin
from postern.vocabulary import EvaluationKind
from tests.postern.conftest import pin_now
from tests.postern.loopback_platform import LoopbackPlatform, now

KEYS = "/.well-known/postern-keys.json"
PHONE = EvaluationKind.PHONE


def test_the_epoch_of_now_comes_from_a_document_that_agrees_with_the_pins(ring: KeyRing) -> None:
    assert ring.epoch(PHONE).epoch == 1


def test_a_document_is_fetched_again_when_it_is_no_longer_fresh(
    platform: LoopbackPlatform, client: Client, tmp_path: Path
) -> None:
    pin_file = tmp_path / "pins.json"
    pin_now(platform, pin_file)
    moment = [datetime.now(UTC)]
    ring = KeyRing(client, pin_file, now=lambda: moment[0])
    for _ in range(3):
        ring.epoch(PHONE)
    assert platform.count(KEYS) == 1
    moment[0] += FRESH_FOR
    ring.epoch(PHONE)
    assert platform.count(KEYS) == 2


def test_a_new_epoch_is_accepted_and_remembered(
    platform: LoopbackPlatform, ring: KeyRing, tmp_path: Path
) -> None:
    platform.published[PHONE] = 2
    assert ring.epoch(PHONE).epoch == 2
    platform.published[PHONE] = 1
    with pytest.raises(KeysChangedError, match="vanished"):
        ring.refresh()


def test_another_signer_is_refused_with_what_to_do(
    platform: LoopbackPlatform, ring: KeyRing
) -> None:
    platform.directory_key = Ed25519PrivateKey.generate()
    with pytest.raises(KeysChangedError, match="postern keys accept --fingerprint") as caught:
        ring.epoch(PHONE)
    assert platform.fingerprint in str(caught.value)


def test_a_signature_that_does_not_fit_is_refused(
    platform: LoopbackPlatform, tmp_path: Path
) -> None:
    pin_file = tmp_path / "pins.json"
    pin_now(platform, pin_file)

    class Tampering:
        def keys(self) -> SignedKeys:
            raw: dict[str, Any] = json.loads(json.dumps(platform.keys()))
            raw["document"]["platform"] = "Other"
            return SignedKeys(raw, None)

    with pytest.raises(KeysChangedError, match="signature does not fit"):
        KeyRing(Tampering(), pin_file).epoch(PHONE)


@pytest.mark.parametrize(
    ("shift", "expected"),
    [(timedelta(days=8), DocumentNotYetValidError), (timedelta(days=-8), DocumentExpiredError)],
)
def test_a_document_of_another_time_speaks_of_the_clock(
    platform: LoopbackPlatform, ring: KeyRing, shift: timedelta, expected: type[Exception]
) -> None:
    platform.issued_at += shift
    with pytest.raises(expected, match="clock"):
        ring.epoch(PHONE)


def test_keys_for_another_normaliser_are_not_used(
    ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postern.key_ring.NORMALISER_VERSION", "0")
    with pytest.raises(NormaliserMismatchError, match="Update postern"):
        ring.epoch(PHONE)


def test_an_epoch_that_is_not_in_the_document_has_no_key(ring: KeyRing) -> None:
    with pytest.raises(NoKeyError):
        ring.epoch(PHONE, 9)


def test_pins_are_private_and_survive_reading(platform: LoopbackPlatform, tmp_path: Path) -> None:
    pin_file = tmp_path / "pins.json"
    pin_now(platform, pin_file)
    assert stat.S_IMODE(pin_file.stat().st_mode) == 0o600
    pins = load_pins(pin_file)
    assert pins.fingerprint == platform.fingerprint
    assert pins.signed == json.loads(json.dumps(platform.keys()))


def test_a_pin_under_another_fingerprint_is_refused(
    platform: LoopbackPlatform, tmp_path: Path
) -> None:
    other = key_document.fingerprint(bytes(32))
    with pytest.raises(FingerprintMismatchError):
        pin(platform.keys(), other, tmp_path / "pins.json", now())
    assert not (tmp_path / "pins.json").exists()


def test_no_pins_are_named_as_such(client: Client, tmp_path: Path) -> None:
    with pytest.raises(PinFileError, match="No keys are pinned"):
        KeyRing(client, tmp_path / "none.json").refresh()


def _cut(content: str) -> str:
    return content[: len(content) // 2]


def _with_other_key(content: str) -> str:
    pins = json.loads(content)
    pins["signed"]["document"]["epochs"][0]["public_key"] = pins["signed"]["document"]["epochs"][1][
        "public_key"
    ]
    return json.dumps(pins)


@pytest.mark.parametrize("damage", [_cut, _with_other_key, lambda _: "[]", lambda _: "{}"])
def test_pins_that_were_changed_are_not_believed(
    platform: LoopbackPlatform, client: Client, tmp_path: Path, damage: Callable[[str], str]
) -> None:
    pin_file = tmp_path / "pins.json"
    pin_now(platform, pin_file)
    pin_file.write_text(damage(pin_file.read_text()))
    with pytest.raises(PinFileError, match="keys accept"):
        KeyRing(client, pin_file).refresh()
