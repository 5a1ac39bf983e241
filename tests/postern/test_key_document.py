import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from postern import group, key_document
from postern.key_document import KeyDocument, KeyEpoch
from postern.key_errors import (
    DocumentExpiredError,
    DocumentNotYetValidError,
    FingerprintMismatchError,
    MalformedDocumentError,
    NoKeyError,
    SignatureInvalidError,
)

DIRECTORY_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FINGERPRINT = key_document.fingerprint(DIRECTORY_KEY.public_key().public_bytes_raw())
ISSUED = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
NOW = ISSUED + timedelta(days=1)
YEAR = timedelta(days=365)


def public_key(number: int) -> bytes:
    return group.base(number.to_bytes(32, "little"))


def epoch(kind: str = "postal", number: int = 1, **changes: Any) -> KeyEpoch:
    start = ISSUED + (number - 1) * YEAR
    made = KeyEpoch(kind, number, "norm1", public_key(number), start, start + YEAR)
    return replace(made, **changes)


def document(**changes: Any) -> KeyDocument:
    made = KeyDocument(
        platform="Postern, Bruxelles/Brüssel",
        issued_at=ISSUED,
        expires_at=ISSUED + timedelta(days=30),
        epochs=(epoch("phone"), epoch("postal"), epoch("postal", 2)),
    )
    return replace(made, **changes)


def signed(**changes: Any) -> dict[str, Any]:
    """The wire form as JSON gives it after a journey."""
    return travelled(key_document.sign(document(**changes), DIRECTORY_KEY))


def travelled(wire: dict[str, Any]) -> dict[str, Any]:
    arrived: dict[str, Any] = json.loads(json.dumps(wire))
    return arrived


def signed_anyway(wire: object, key: Ed25519PrivateKey = DIRECTORY_KEY) -> dict[str, Any]:
    """A wire form that a platform signed although its document breaks a rule."""
    return {
        "document": wire,
        "key": text(key.public_key().public_bytes_raw()),
        "signature": text(key.sign(b"PN-keys-v1\n" + rfc8785.dumps(wire))),  # type: ignore[arg-type]
    }


def text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def test_what_was_signed_is_read_again() -> None:
    assert key_document.read(signed(), FINGERPRINT, NOW) == document()


def test_the_signature_is_ed25519_over_the_label_and_the_canonical_json() -> None:
    wire = signed()
    signature = base64.urlsafe_b64decode(wire["signature"] + "==")
    message = b"PN-keys-v1\n" + rfc8785.dumps(wire["document"])
    DIRECTORY_KEY.public_key().verify(signature, message)
    with pytest.raises(InvalidSignature):
        DIRECTORY_KEY.public_key().verify(signature, message + b" ")


def test_the_wire_form_is_the_documented_one() -> None:
    wire = signed(epochs=(epoch(),))
    assert set(wire) == {"document", "key", "signature"}
    assert wire["document"] == {
        "version": 1,
        "platform": "Postern, Bruxelles/Brüssel",
        "issued_at": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-31T12:00:00Z",
        "epochs": [
            {
                "kind": "postal",
                "epoch": 1,
                "norm": "norm1",
                "public_key": text(group.GENERATOR),
                "valid_from": "2026-03-01T12:00:00Z",
                "valid_to": "2027-03-01T12:00:00Z",
            }
        ],
    }


def test_moments_travel_in_utc_whatever_their_time_zone() -> None:
    brussels = timezone(timedelta(hours=1))
    wire = signed(issued_at=ISSUED.astimezone(brussels))
    assert wire["document"]["issued_at"] == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("platform", "Another"),
        ("issued_at", "2026-03-01T12:00:01Z"),
        ("expires_at", "2036-03-31T12:00:00Z"),
        ("version", 2),
        ("epochs", []),
        ("added", 1),
    ],
)
def test_a_document_with_any_field_changed_is_refused(field: str, value: object) -> None:
    wire = signed()
    wire["document"][field] = value
    with pytest.raises(SignatureInvalidError):
        key_document.read(wire, FINGERPRINT, NOW)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "email"),
        ("epoch", 7),
        ("norm", "norm2"),
        ("public_key", text(public_key(9))),
        ("valid_from", "2020-01-01T00:00:00Z"),
        ("valid_to", "2036-01-01T00:00:00Z"),
    ],
)
def test_an_epoch_with_any_field_changed_is_refused(field: str, value: object) -> None:
    wire = signed()
    wire["document"]["epochs"][0][field] = value
    with pytest.raises(SignatureInvalidError):
        key_document.read(wire, FINGERPRINT, NOW)


def test_a_changed_signature_is_refused() -> None:
    wire = signed()
    signature = bytearray(base64.urlsafe_b64decode(wire["signature"] + "=="))
    for position in (0, 31, 32, 63):
        tampered = bytearray(signature)
        tampered[position] ^= 1
        with pytest.raises(SignatureInvalidError):
            key_document.read(wire | {"signature": text(bytes(tampered))}, FINGERPRINT, NOW)
    with pytest.raises(SignatureInvalidError):
        key_document.read(wire | {"signature": text(bytes(signature[:63]))}, FINGERPRINT, NOW)


def test_a_document_signed_by_another_key_than_the_pinned_one_is_refused() -> None:
    wire = travelled(key_document.sign(document(), Ed25519PrivateKey.generate()))
    with pytest.raises(FingerprintMismatchError) as caught:
        key_document.read(wire, FINGERPRINT, NOW)
    assert FINGERPRINT in str(caught.value)
    assert key_document.signer(wire) in str(caught.value)


def test_the_pinned_key_beside_the_signature_of_another_is_refused() -> None:
    wire = travelled(key_document.sign(document(), Ed25519PrivateKey.generate()))
    wire["key"] = signed()["key"]
    with pytest.raises(SignatureInvalidError):
        key_document.read(wire, FINGERPRINT, NOW)


def test_on_first_contact_any_signer_is_read_and_can_be_shown() -> None:
    key = Ed25519PrivateKey.generate()
    wire = travelled(key_document.sign(document(), key))
    assert key_document.read(wire, None, NOW) == document()
    expected = key_document.fingerprint(key.public_key().public_bytes_raw())
    assert key_document.signer(wire) == expected


def test_on_first_contact_the_signature_must_still_fit() -> None:
    wire = signed()
    wire["document"]["platform"] = "Another"
    with pytest.raises(SignatureInvalidError):
        key_document.read(wire, None, NOW)


def test_a_fingerprint_is_eight_groups_of_four() -> None:
    # From sha256sum and base32 of the all-zero key.
    assert key_document.fingerprint(bytes(32)) == "MZUH-VLPY-MK6X-O3EP-YGFY-5H4O-EAEJ-OFEF"


@pytest.mark.parametrize("change", [str.lower, lambda text: text.replace("-", " "), "{} ".format])
def test_a_fingerprint_may_be_typed_as_people_type(change: Any) -> None:
    assert key_document.read(signed(), change(FINGERPRINT), NOW) == document()


@pytest.mark.parametrize("typed", ["", FINGERPRINT[:-5], FINGERPRINT[:-1], FINGERPRINT + "A"])
def test_a_part_of_a_fingerprint_is_not_enough(typed: str) -> None:
    with pytest.raises(FingerprintMismatchError):
        key_document.read(signed(), typed, NOW)


def test_a_document_is_valid_until_just_before_it_expires() -> None:
    end = document().expires_at
    assert key_document.read(signed(), FINGERPRINT, end - timedelta(seconds=1))
    for late in (end, end + timedelta(days=1)):
        with pytest.raises(DocumentExpiredError, match="2026-03-31T12:00:00Z"):
            key_document.read(signed(), FINGERPRINT, late)


def test_a_document_from_the_future_is_refused_with_a_hint_about_the_clock() -> None:
    early = ISSUED - key_document.CLOCK_TOLERANCE
    assert key_document.read(signed(), FINGERPRINT, early)
    with pytest.raises(DocumentNotYetValidError, match="clock"):
        key_document.read(signed(), FINGERPRINT, early - timedelta(seconds=1))


BROKEN_DOCUMENTS: dict[str, Any] = {
    "version": {"version": 2},
    "version as true": {"version": True},
    "no platform": {"platform": ""},
    "platform as number": {"platform": 1},
    "moment without seconds": {"issued_at": "2026-03-01T12:00Z"},
    "moment with offset": {"issued_at": "2026-03-01T13:00:00+01:00"},
    "moment without zone": {"issued_at": "2026-03-01T12:00:00"},
    "moment with fraction": {"issued_at": "2026-03-01T12:00:00.5Z"},
    "moment before all time": {"issued_at": "0001-01-01T00:00:00+01:00"},
    "moment that is none": {"issued_at": "soon"},
    "moment as number": {"issued_at": 1},
    "ends before it begins": {"expires_at": "2026-03-01T12:00:00Z"},
    "epochs as object": {"epochs": {}},
    "epoch as number": {"epochs": [1]},
    "field too many": {"added": 1},
}
BROKEN_EPOCHS: dict[str, Any] = {
    "kind with separator": {"kind": "pos|tal"},
    "kind as number": {"kind": 1},
    "norm empty": {"norm": ""},
    "epoch zero": {"epoch": 0},
    "epoch too large": {"epoch": 2**32},
    "epoch as text": {"epoch": "1"},
    "epoch as true": {"epoch": True},
    "identity as key": {"public_key": text(bytes(32))},
    "short key": {"public_key": text(group.GENERATOR[:31])},
    "padded key": {"public_key": text(group.GENERATOR) + "="},
    "key with a second spelling": {"public_key": text(group.GENERATOR)[:-1] + "b"},
    "key with stray character": {"public_key": text(group.GENERATOR)[:-1] + "!"},
    "key of impossible length": {"public_key": "A"},
    "key as number": {"public_key": 1},
    "ends before it begins": {"valid_to": "2026-03-01T12:00:00Z"},
    "field too many": {"added": 1},
}


@pytest.mark.parametrize("changes", BROKEN_DOCUMENTS.values(), ids=BROKEN_DOCUMENTS)
def test_a_signed_document_that_breaks_a_rule_is_refused(changes: dict[str, object]) -> None:
    wire = signed_anyway(signed()["document"] | changes)
    with pytest.raises(MalformedDocumentError):
        key_document.read(wire, FINGERPRINT, NOW)


@pytest.mark.parametrize("changes", BROKEN_EPOCHS.values(), ids=BROKEN_EPOCHS)
def test_a_signed_epoch_that_breaks_a_rule_is_refused(changes: dict[str, object]) -> None:
    broken = signed()["document"]
    broken["epochs"] = [broken["epochs"][1] | changes]
    with pytest.raises(MalformedDocumentError):
        key_document.read(signed_anyway(broken), FINGERPRINT, NOW)


@pytest.mark.parametrize("field", ["version", "platform", "issued_at", "expires_at", "epochs"])
def test_a_signed_document_without_a_field_is_refused(field: str) -> None:
    broken = signed()["document"]
    del broken[field]
    with pytest.raises(MalformedDocumentError, match="field"):
        key_document.read(signed_anyway(broken), FINGERPRINT, NOW)


def test_the_helper_that_signs_broken_documents_signs_sound_ones_as_postern_does() -> None:
    assert signed_anyway(signed()["document"]) == signed()


@pytest.mark.parametrize(
    "changes",
    [
        {"key": None},
        {"key": text(bytes(31))},
        {"key": "*" * 43},
        {"signature": 1},
        {"signature": "é"},
        {"document": {"platform": "\ud800"}},
        {"document": {"platform": float("nan")}},
        {"document": {"a": {1, 2}}},
        {"added": 1},
    ],
)
def test_an_envelope_that_cannot_be_read_is_malformed(changes: dict[str, object]) -> None:
    with pytest.raises(MalformedDocumentError):
        key_document.read(signed() | changes, FINGERPRINT, NOW)


def test_a_document_nested_beyond_reason_is_malformed() -> None:
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(MalformedDocumentError):
        key_document.read(signed() | {"document": nested}, FINGERPRINT, NOW)


@pytest.mark.parametrize("field", ["document", "key", "signature"])
def test_an_envelope_without_a_field_is_malformed(field: str) -> None:
    wire = signed()
    del wire[field]
    with pytest.raises(MalformedDocumentError):
        key_document.read(wire, FINGERPRINT, NOW)


def test_epochs_stand_in_order_and_each_once() -> None:
    for epochs in ((epoch(number=2), epoch()), (epoch(), epoch())):
        with pytest.raises(MalformedDocumentError, match="order"):
            document(epochs=epochs)


def test_a_moment_without_time_zone_or_with_a_fraction_is_refused() -> None:
    for moment in (ISSUED.replace(tzinfo=None), ISSUED.replace(microsecond=1)):
        with pytest.raises(MalformedDocumentError, match="time zone"):
            document(issued_at=moment)


def test_the_newest_valid_epoch_of_the_kind_evaluates() -> None:
    overlap = epoch(number=2, valid_from=ISSUED + timedelta(days=300))
    made = document(epochs=(epoch("phone"), epoch(), overlap))
    for days, number in ((0, 1), (299, 1), (300, 2), (365, 2)):
        assert made.at("postal", ISSUED + timedelta(days=days)).epoch == number
    assert made.at("phone", ISSUED).kind == "phone"


def test_a_kind_without_a_valid_epoch_has_no_key() -> None:
    made = document(epochs=(epoch(),))
    for kind, moment in (
        ("email", ISSUED),
        ("postal", ISSUED - timedelta(seconds=1)),
        ("postal", ISSUED + YEAR),
    ):
        with pytest.raises(NoKeyError, match=kind):
            made.at(kind, moment)


def test_the_keys_of_a_document_are_those_that_pyca_reads() -> None:
    wire = signed()
    Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(wire["key"] + "="))
