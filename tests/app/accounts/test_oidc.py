"""Tokens of a provider: every one that is not exactly right is refused, with its reason."""

import base64
import hmac
import json
from typing import Any

import pytest
from flask import Flask
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from app import clock
from app.accounts.oidc import Claims, Client, SignOnError, SignOnRefusal, issuer_fault, verified

ISSUER, CLIENT_ID, NONCE = "https://login.post.example", "postern", "the nonce of this browser"
CLIENT = Client(ISSUER, CLIENT_ID, "the secret", "https://postern.example/sign-on/callback")
RSA = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "second", "use": "sig"})
STRANGE = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
KEYS = KeySet.import_key_set({"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]})


def told(**changes: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    right = {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "sub": "s-1",
        "nonce": NONCE,
        "iat": now,
        "exp": now + 300,
        "amr": ["pwd", "otp"],
        "acr": "high",
        "groups": ["desk", "customs"],
    }
    return {name: value for name, value in (right | changes).items() if value is not None}


def signed(claims: dict[str, Any], key: Any = RSA, alg: str = "RS256", **header: Any) -> str:
    head = {"alg": alg, "kid": key.kid, **header}
    return jwt.encode(head, claims, key, algorithms=[alg])


def refusal(text: str) -> SignOnRefusal | None:
    try:
        verified(text, KEYS, CLIENT, nonce=NONCE, role_claim="groups")
    except SignOnError as error:
        return error.refusal
    return None


def part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("key", "alg"),
    [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256")],
    ids=["RS256", "PS256", "ES256"],
)
def test_a_right_token_says_who_how_and_which_roles(key: Any, alg: str) -> None:
    claims = verified(signed(told(), key, alg), KEYS, CLIENT, nonce=NONCE, role_claim="groups")
    strong, roles = frozenset({"pwd", "otp", "high"}), frozenset({"desk", "customs"})
    assert claims == Claims("s-1", strong, roles)


def test_a_token_without_signature_is_refused() -> None:
    for alg in ("none", "None", "NONE", ""):
        assert refusal(f"{part({'alg': alg})}.{part(told())}.") is SignOnRefusal.SIGNATURE


def test_a_public_key_is_no_secret_of_an_hmac() -> None:
    for public in (RSA.as_pem(private=False), json.dumps(RSA.as_dict(private=False)).encode()):
        content = f"{part({'alg': 'HS256', 'kid': 'first'})}.{part(told())}"
        mark = hmac.digest(public, content.encode(), "sha256")
        text = f"{content}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"
        assert refusal(text) is SignOnRefusal.SIGNATURE


def test_a_key_of_somebody_else_is_refused() -> None:
    assert refusal(signed(told(), STRANGE)) is SignOnRefusal.SIGNATURE
    own = STRANGE.as_dict(private=False)
    assert refusal(signed(told(), STRANGE, jwk=own)) is SignOnRefusal.SIGNATURE
    head, body, mark = signed(told()).split(".")
    assert refusal(f"{head}.{part(told(sub='s-2'))}.{mark}") is SignOnRefusal.SIGNATURE
    assert body


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "https://login.post.example/"}, SignOnRefusal.ISSUER),
        ({"iss": "https://evil.example"}, SignOnRefusal.ISSUER),
        ({"iss": None}, SignOnRefusal.ISSUER),
        ({"aud": "another"}, SignOnRefusal.AUDIENCE),
        ({"aud": None}, SignOnRefusal.AUDIENCE),
        ({"aud": []}, SignOnRefusal.AUDIENCE),
        ({"aud": [CLIENT_ID, "another"]}, SignOnRefusal.AUDIENCE),
        ({"aud": [CLIENT_ID, "another"], "azp": "another"}, SignOnRefusal.AUDIENCE),
        ({"azp": "another"}, SignOnRefusal.AUDIENCE),
        ({"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID}, None),
        ({"nonce": "of another browser"}, SignOnRefusal.NONCE),
        ({"nonce": None}, SignOnRefusal.NONCE),
        ({"nonce": [NONCE]}, SignOnRefusal.NONCE),
        ({"sub": ""}, SignOnRefusal.SUBJECT),
        ({"sub": None}, SignOnRefusal.SUBJECT),
        ({"sub": 7}, SignOnRefusal.SUBJECT),
        ({"sub": "x" * 256}, SignOnRefusal.SUBJECT),
        ({"exp": None}, SignOnRefusal.TIME),
        ({"iat": None}, SignOnRefusal.TIME),
        ({"exp": "never"}, SignOnRefusal.TIME),
        ({"exp": True}, SignOnRefusal.TIME),
        ({"exp": 10**400}, SignOnRefusal.TIME),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else str(value),
)
def test_a_token_that_is_not_for_us_is_refused(
    changes: dict[str, Any], expected: SignOnRefusal | None
) -> None:
    assert refusal(signed(told(**changes))) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("nonce", SignOnRefusal.NONCE), ("sub", SignOnRefusal.SUBJECT)],
)
def test_half_a_surrogate_pair_is_refused_like_any_other_text(
    name: str, expected: SignOnRefusal
) -> None:
    content = json.dumps(told(**{name: "\ud800"})).encode()
    head = {"alg": "RS256", "kid": "first"}
    assert refusal(jws.serialize_compact(head, content, RSA, algorithms=["RS256"])) is expected


@pytest.mark.parametrize(
    ("name", "seconds", "expected"),
    [
        ("exp", -61, SignOnRefusal.TIME),
        ("exp", -30, None),  # clocks may differ by a minute
        ("nbf", 120, SignOnRefusal.TIME),
        ("nbf", 30, None),
        ("iat", 120, SignOnRefusal.TIME),
        ("iat", -700, SignOnRefusal.TIME),
        ("iat", -500, None),
    ],
)
def test_a_token_out_of_its_time_is_refused(
    name: str, seconds: int, expected: SignOnRefusal | None
) -> None:
    moment = int(clock.now().timestamp()) + seconds
    assert refusal(signed(told(**{name: moment}))) is expected


def test_what_is_no_token_is_refused() -> None:
    for text in (
        "",
        ".",
        "..",
        "a.b.c",
        "é",
        "x" * 70_000,
        f"{part([])}.{part([])}.",
        part({}) * 3,
    ):
        assert refusal(text) is SignOnRefusal.SIGNATURE
    assert refusal(signed(told(), crit=["b64"], b64=False)) is SignOnRefusal.SIGNATURE


@pytest.mark.parametrize(
    "value", [None, 7, {"desk": True}, [7, None, ["desk"]], ""], ids=json.dumps
)
def test_a_strange_claim_of_roles_grants_none(value: Any) -> None:
    text = signed(told(groups=value))
    assert not verified(text, KEYS, CLIENT, nonce=NONCE, role_claim="groups").roles


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.post.example",
        "https://10.0.0.1",
        "https://[::ffff:10.0.0.1]",
        "https://169.254.169.254/latest",
        "https://login.post.example?x=1",
        "https://login.post.example#x",
        "https://user@login.post.example",
        "file:///etc/passwd",
        "login.post.example",
        "",
    ],
)
def test_a_provider_inside_of_our_own_network_is_refused(app: Flask, issuer: str) -> None:
    with app.app_context():
        assert issuer_fault(issuer)
        assert not issuer_fault("https://login.post.example/tenant")
