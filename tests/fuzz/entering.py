"""What is read of who enters: passkeys, tokens and keys of a provider, headers, addresses."""

import base64
import functools
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.jwk import ECKey, KeySet
from werkzeug.datastructures import MultiDict

from app.accounts import token_bounds
from app.accounts.oidc import Client, SignOnError, keys_of, verified
from app.accounts.passkeys import Passkey, id_of, verified_count, verified_making
from app.errors import PosternError
from app.exchange import taxii_schemas
from app.exchange.negotiation import is_accepted, is_taxii
from app.jobs.addresses import mailbox_fault, masked, networks, webhook_fault
from app.origin import certificate_in
from postern.base64url import to_base64url
from tests.fuzz.target import Target, text_of

_ORIGIN = "https://platform.example"
_CHALLENGE = bytes(range(56))
_CREDENTIAL = bytes(range(32))
_KEY = ec.derive_private_key(7, ec.SECP256R1())
_ATTESTED, _THERE = 0x45, 0x05  # flags: attested data, verified, present
_CLIENT = Client("https://login.example", "postern", "secret", f"{_ORIGIN}/sign-on/callback")
_NONCE = "the nonce of this browser"
_ARGUMENTS = frozenset(f"match[{name}]" for name in ("id", "type", "version", "spec_version")) | {
    "added_after",
    "limit",
    "next",
}


def _public() -> bytes:
    numbers = _KEY.public_key().public_numbers()
    coordinates = {-2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
    return cbor2.dumps({1: 2, 3: -7, -1: 1, **coordinates})


def _client_data(kind: str) -> bytes:
    challenge = to_base64url(_CHALLENGE)
    return json.dumps({"type": kind, "challenge": challenge, "origin": _ORIGIN}).encode()


def _answer(kind: str, **response: bytes) -> str:
    told = {name: to_base64url(value) for name, value in response.items()}
    told["clientDataJSON"] = to_base64url(_client_data(kind))
    name = to_base64url(_CREDENTIAL)
    return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": told})


def _told(flags: int) -> bytes:
    return hashlib.sha256(b"platform.example").digest() + bytes([flags]) + (7).to_bytes(4, "big")


def _made(attestation: bytes) -> str:
    return _answer("webauthn.create", attestationObject=attestation)


def _signed(told: bytes) -> str:
    digest = hashlib.sha256(_client_data("webauthn.get")).digest()
    signature = _KEY.sign(told + digest, ec.ECDSA(hashes.SHA256()))
    return _answer("webauthn.get", authenticatorData=told, signature=signature)


def _passkey() -> Passkey:
    return Passkey(_CREDENTIAL, _public(), 3)


def _attestation(case: bytes) -> None:
    """What a browser made, in CBOR; the harness puts the right challenge around it."""
    verified_making(_made(case), _CHALLENGE, _ORIGIN)


def _attestations() -> list[bytes]:
    held = bytes(16) + len(_CREDENTIAL).to_bytes(2, "big") + _CREDENTIAL + _public()
    told = _told(_ATTESTED) + held
    statements: tuple[tuple[str, dict[str, Any]], ...] = (
        ("none", {}),
        ("packed", {"alg": -7, "sig": bytes(70)}),
        ("packed", {"alg": -7, "sig": bytes(70), "x5c": [bytes(90)]}),
        ("fido-u2f", {"sig": bytes(70), "x5c": [bytes(90)]}),
        ("apple", {"x5c": [bytes(90)]}),
        ("android-key", {"alg": -7, "sig": bytes(70), "x5c": [bytes(90)]}),
        ("android-safetynet", {"ver": "1", "response": b"a.b.c"}),
        (
            "tpm",
            {
                "ver": "2.0",
                "alg": -65535,
                "sig": bytes(70),
                "x5c": [bytes(90)],
                "certInfo": b"\xffTCG\x80\x17" + bytes(90),
                "pubArea": bytes.fromhex("0023000b") + bytes(90),
            },
        ),
    )
    return [
        cbor2.dumps({"fmt": name, "attStmt": statement, "authData": told})
        for name, statement in statements
    ]


def _assertion(case: bytes) -> None:
    """The data of an authenticator, signed; and the public key that was kept of it."""
    verified_count(_signed(case), _CHALLENGE, _passkey(), _ORIGIN)
    other = Passkey(_CREDENTIAL, case, 3)
    verified_count(_signed(_told(_THERE)), _CHALLENGE, other, _ORIGIN)


def _passkey_answer(case: bytes) -> None:
    answer = text_of(case)
    id_of(answer)
    verified_making(answer, _CHALLENGE, _ORIGIN)
    verified_count(answer, _CHALLENGE, _passkey(), _ORIGIN)


@functools.cache
def _provider() -> tuple[ECKey, KeySet]:
    # A key for tests alone, always the same, so that a kept case stays one.
    numbers = _KEY.private_numbers()
    public = numbers.public_numbers
    parts = {"d": numbers.private_value, "x": public.x, "y": public.y}
    written = {name: to_base64url(part.to_bytes(32, "big")) for name, part in parts.items()}
    key = ECKey.import_key({"kty": "EC", "crv": "P-256", "kid": "k", "use": "sig", **written})
    return key, KeySet([key])


def _claims(case: bytes) -> None:
    """Claims that the provider signs, whatever they are; and the token itself in writing."""
    key, keys = _provider()
    token = jws.serialize_compact({"alg": "ES256", "kid": "k"}, case, key, algorithms=["ES256"])
    for text in (token, text_of(case)):
        try:
            verified(text, keys, _CLIENT, nonce=_NONCE, role_claim="groups")
        except SignOnError:
            continue


def _claims_told() -> list[bytes]:
    now = int(datetime.now(UTC).timestamp())
    right = {
        "iss": _CLIENT.issuer,
        "aud": "postern",
        "sub": "s-1",
        "nonce": _NONCE,
        "iat": now,
        "exp": now + 300,
        "nbf": now,
        "azp": "postern",
        "amr": ["pwd", "otp"],
        "acr": "high",
        "groups": ["desk"],
    }
    key, _ = _provider()
    whole = json.dumps(right).encode()
    token = jws.serialize_compact({"alg": "ES256", "kid": "k"}, whole, key, algorithms=["ES256"])
    return [
        whole,
        json.dumps({**right, "aud": ["postern"], "groups": "desk"}).encode(),
        token.encode(),
    ]


def _provider_keys(case: bytes) -> None:
    try:
        told = json.loads(text_of(case))
    except (ValueError, RecursionError):
        return
    if not isinstance(told, dict):
        return
    keys = keys_of(told)
    key, _ = _provider()
    token = jws.serialize_compact({"alg": "ES256", "kid": "k"}, b"{}", key, algorithms=["ES256"])
    verified(token, keys, _CLIENT, nonce=_NONCE, role_claim="groups")


def _provider_keys_told() -> list[bytes]:
    key, _ = _provider()
    public = key.as_dict(private=False)
    rsa = {"kty": "RSA", "kid": "r", "n": to_base64url(b"\xc7" * 256), "e": "AQAB", "use": "sig"}
    edwards = {"kty": "OKP", "crv": "Ed25519", "kid": "o", "x": to_base64url(bytes(32))}
    return [json.dumps({"keys": each}).encode() for each in ([public], [public, rsa, edwards])]


def _certificate(case: bytes) -> None:
    certificate_in(case.decode("latin-1"))


def _certificates() -> list[bytes]:
    der = base64.b64encode(bytes(range(90)))
    pem = b"-----BEGIN CERTIFICATE-----\n" + der + b"\n-----END CERTIFICATE-----"
    return [b":" + der + b":", der, pem, pem.replace(b"\n", b"%0A").replace(b"+", b"%2B")]


def _address(case: bytes) -> None:
    text = text_of(case)
    allowed = networks("10.0.0.0/8 fd00::/8")
    if not webhook_fault(text, allowed) or not mailbox_fault(text):
        masked(text)


def _addresses() -> list[bytes]:
    return [
        b"https://police.example:8443/postern?a=b",
        b"http://127.0.0.1/x",
        b"https://[64:ff9b::7f00:1]/",
        b"https://[fe80::1%eth0]/",
        b"https://0x7f.1/",
        b"desk@police.example",
    ]


def _bounds(case: bytes) -> None:
    network, _, certificate = text_of(case).partition("|")
    token_bounds.faults_of(token_bounds.read_bounds([network], certificate))


def _taxii_question(case: bytes) -> None:
    """Arguments and headers of a request of TAXII."""
    text = case.decode("latin-1")
    is_accepted.__wrapped__(text)
    is_taxii.__wrapped__(text)
    pairs = [each.partition("=") for each in text_of(case).split("&")]
    asked = MultiDict([(name, value) for name, _, value in pairs])
    for filters in (_ARGUMENTS, frozenset({"limit"})):
        try:
            taxii_schemas.read(asked, filters=filters)
        except PosternError:
            continue


def _taxii_questions() -> list[bytes]:
    return [
        b"added_after=2026-11-20T10:00:00.123456Z&limit=10&next=abc",
        b"match[id]=indicator--0193690e-0000-4000-8000-000000000001&match[type]=indicator,sighting",
        b"match[version]=first,last,2026-11-20T10:00:00Z&match[spec_version]=2.1",
        b'application/taxii+json;version="2.1";q=0.5, application/*;q=0, */*;q=1.000',
    ]


TARGETS = (
    Target("passkey-attestation", _attestation, (), _attestations),
    Target("passkey-assertion", _assertion, (), lambda: [_told(_THERE), _public()]),
    Target(
        "passkey-answer",
        _passkey_answer,
        (),
        lambda: [_made(_attestations()[0]).encode(), _signed(_told(_THERE)).encode()],
    ),
    Target("sign-on-claims", _claims, (), _claims_told, 2),
    Target("sign-on-keys", _provider_keys, (SignOnError,), _provider_keys_told, 2),
    Target("certificate-header", _certificate, (), _certificates),
    Target("channel-address", _address, (), _addresses),
    Target(
        "token-bounds",
        _bounds,
        (PosternError,),
        lambda: [b"192.0.2.0/24|" + b"ab:" * 31 + b"ab", b"2001:db8::/32|" + b"A" * 43],
    ),
    Target("taxii-question", _taxii_question, (), _taxii_questions),
)
