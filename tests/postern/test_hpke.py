"""HPKE against the vectors of RFC 9180 and draft-ietf-hpke-pq, and what is refused.

The vectors bind associated data, or use another AEAD, than this suite. So the key schedule is
computed here a second time, from the RFC; it has to give the vectors' own keys, and what it
encrypts has to open in `postern.hpke`.
"""

import hmac
import json
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from postern.hpke import (
    DecryptionError,
    PublicKey,
    PublicKeyError,
    SecretKey,
    Suite,
    framed,
)

VECTORS = json.loads(
    (Path(__file__).parent.parent / "data" / "hpke-vectors.json").read_text(encoding="utf-8")
)
AES_256_GCM = 2


def extract(suite: bytes, label: bytes, material: bytes, salt: bytes = b"") -> bytes:
    """LabeledExtract of RFC 9180, section 4."""
    return hmac.new(salt, b"HPKE-v1" + suite + label + material, sha256).digest()


def expand(suite: bytes, key: bytes, label: bytes, about: bytes, size: int) -> bytes:
    """LabeledExpand of RFC 9180, section 4, for at most one block."""
    content = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + about
    return hmac.new(key, content + b"\x01", sha256).digest()[:size]


def schedule(kem: int, aead: int, shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Key and nonce of base mode: KeySchedule of RFC 9180, section 5.1."""
    suite = b"HPKE" + b"".join(each.to_bytes(2, "big") for each in (kem, 1, aead))
    about = b"\x00" + extract(suite, b"psk_id_hash", b"") + extract(suite, b"info_hash", info)
    secret = extract(suite, b"secret", b"", salt=shared)
    return (
        expand(suite, secret, b"key", about, 32),
        expand(suite, secret, b"base_nonce", about, 12),
    )


@pytest.mark.parametrize("name", ["rfc9180", "hpke_pq"])
def test_the_official_vectors_open(name: str) -> None:
    vector = {
        key: bytes.fromhex(value) for key, value in VECTORS[name].items() if isinstance(value, str)
    }
    kem, aead = VECTORS[name]["kem_id"], VECTORS[name]["aead_id"]
    shared, info = vector["shared_secret"], vector["info"]
    assert schedule(kem, aead, shared, info) == (vector["key"], vector["base_nonce"])

    key = SecretKey(Suite(kem), vector["skRm"])
    assert key.public.raw == vector["pkRm"]
    ours, nonce = schedule(kem, AES_256_GCM, shared, info)
    ciphertext = AESGCM(ours).encrypt(nonce, b"what is sealed", None)
    assert key.decrypt(vector["enc"] + ciphertext, info) == b"what is sealed"


def test_the_vector_of_our_own_suite_has_the_published_ciphertext() -> None:
    vector = VECTORS["rfc9180"]
    published = vector["encryptions"][0]
    shared, info = bytes.fromhex(vector["shared_secret"]), bytes.fromhex(vector["info"])
    key, nonce = schedule(Suite.X25519, AES_256_GCM, shared, info)
    content, about = bytes.fromhex(published["pt"]), bytes.fromhex(published["aad"])
    assert AESGCM(key).encrypt(nonce, content, about).hex() == published["ct"]


@pytest.mark.parametrize("suite", list(Suite))
def test_what_is_encrypted_opens_with_the_same_key_and_context_only(suite: Suite) -> None:
    key = SecretKey.new(suite)
    ciphertext = key.public.encrypt(b"content", b"context")
    assert len(ciphertext) == len(b"content") + suite.overhead
    assert key.decrypt(ciphertext, b"context") == b"content"
    for wrong, info in ((key, b"other context"), (SecretKey.new(suite), b"context")):
        with pytest.raises(DecryptionError):
            wrong.decrypt(ciphertext, info)
    with pytest.raises(DecryptionError):
        key.decrypt(ciphertext[:10], b"context")


@pytest.mark.parametrize("suite", list(Suite))
def test_a_key_of_another_length_is_refused(suite: Suite) -> None:
    for raw in (b"", bytes(suite.public_size - 1), bytes(suite.public_size + 1)):
        with pytest.raises(PublicKeyError):
            PublicKey(suite, raw)


def test_a_key_of_low_order_is_refused() -> None:
    with pytest.raises(PublicKeyError):
        PublicKey(Suite.X25519, bytes(32)).encrypt(b"content", b"")


def test_a_lattice_key_out_of_range_is_refused() -> None:
    with pytest.raises(PublicKeyError):
        PublicKey(Suite.MLKEM768_X25519, b"\xff" * 1216)


def test_a_seed_of_another_length_is_refused() -> None:
    for size in (0, 31, 33):
        with pytest.raises(ValueError, match="32 bytes"):
            SecretKey(Suite.MLKEM768_X25519, bytes(size))


def test_a_key_is_named_by_what_it_is() -> None:
    key = SecretKey.new(Suite.X25519)
    assert key.public.kid == SecretKey(Suite.X25519, key.seed).public.kid
    assert key.public.kid != SecretKey.new(Suite.X25519).public.kid
    assert len(key.public.kid) == 16


def test_a_secret_key_shows_no_seed() -> None:
    key = SecretKey.new()
    for text in (repr(key), str(key), f"{key}"):
        assert key.seed.hex() not in text
        assert repr(key.seed) not in text


def test_no_two_lists_of_fields_are_framed_alike() -> None:
    lists = ((b"ab", b""), (b"a", b"b"), (b"", b"ab"), (b"ab",), ())
    assert len({framed(*each) for each in lists}) == len(lists)
    with pytest.raises(ValueError, match="longer"):
        framed(bytes(65_536))
