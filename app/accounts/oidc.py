"""OpenID Connect 1.0 with a provider that an organisation chose: code flow with PKCE, as a client.

The provider is an organisation's choice, so nothing that it says is believed beyond its own people,
and it is reached like a webhook: at public addresses or networks that the administrator named, by
the address that was checked, within a time, up to a size. Its tokens are signed by an asymmetric
algorithm of a closed list (RFC 8725), by a key of its own set.
"""

import base64
import hmac
import http.client
import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import quote_plus, urlencode

from authlib.oauth2.rfc7636 import (  # type: ignore[import-untyped]
    create_s256_code_challenge,
)
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app import clock
from app.jobs import deadline
from app.jobs.addresses import Network, networks, resolved, webhook_fault
from app.jobs.draining import HopelessError
from app.jobs.pinned import Pinned
from app.runtime import runtime
from postern.base64url import from_base64url

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
SKEW = timedelta(seconds=60)
LONGEST_SUBJECT = 255  # characters, OpenID Connect Core, section 2
MESSAGE_LIFE = timedelta(minutes=15)
"""For longer than a logout token can be presented."""

_KEPT = timedelta(minutes=10)  # metadata and keys
_NEW_KEYS = timedelta(seconds=30)  # how soon keys are fetched anew for one that is not known
_LEAST_BITS = 2048  # of a modulus, RFC 7518, section 3.3
_OLDEST = timedelta(minutes=10)  # since a token was issued: it comes straight from the provider
_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
_MOST_READ = 1 << 20  # bytes of an answer
_MOST_VALUES = 500  # of the claim of roles
_LONGEST_TOKEN = 64 << 10


class SignOnRefusal(StrEnum):
    """Why a sign-in by a provider failed; told to the log, and as far as it helps to the person."""

    STATE = "sign-on-state"  # not of this browser, too late, or used
    PROVIDER = "sign-on-provider"  # not in force
    DENIED = "sign-on-denied"  # the provider says no
    ISSUER = "sign-on-issuer"
    CODE = "sign-on-code"
    ANSWER = "sign-on-answer"  # the provider does not speak as it should
    SIGNATURE = "sign-on-signature"
    AUDIENCE = "sign-on-audience"
    NONCE = "sign-on-nonce"
    TIME = "sign-on-time"
    SUBJECT = "sign-on-subject"
    USED = "sign-on-used"  # a message that a person signed out came once already
    DOWN = "sign-on-down"
    UNLINKED = "sign-on-unlinked"  # nobody here is this subject
    UNMAPPED = "sign-on-unmapped"  # the provider grants no role


class SignOnError(Exception):
    """A sign-in by a provider that failed, and why."""

    def __init__(self, refusal: SignOnRefusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


@dataclass(frozen=True, repr=False)
class Client:
    """What the platform is at a provider."""

    issuer: str
    client_id: str
    secret: str
    redirect: str
    left: str = ""  # whereto a browser comes back that has signed out there


@dataclass(frozen=True)
class Claims:
    """What a verified token says: `told` are the values of acr and amr, `roles` of the claim.

    `session` is what the provider calls its own session (`sid`), "" where it does not say.
    """

    subject: str
    told: frozenset[str]
    roles: frozenset[str]
    session: str = ""


@dataclass(frozen=True)
class SignedOut:
    """Who signed out at the provider: `subject`, `session` or both are set; `id` is the token's."""

    subject: str
    session: str
    id: str


@dataclass
class _Known:
    metadata: Mapping[str, Any]
    keys: KeySet
    fetched_at: datetime


@dataclass
class Providers:
    """What this process has fetched of providers, by issuer."""

    known: dict[str, _Known] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def address(client: Client, state: str, nonce: str, verifier: str, *, strong: bool) -> str:
    """Where the browser is sent; SignOnError when the provider is down or does not answer right.

    With `strong` the provider is asked to have the person prove who they are anew.
    """
    endpoint = _endpoint(_known(client).metadata, "authorization_endpoint")
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect,
        "scope": "openid",
        "state": state,
        "nonce": nonce,
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    if strong:
        asked["prompt"] = "login"
    joint = "&" if "?" in endpoint else "?"
    return f"{endpoint}{joint}{urlencode(asked)}"


def claims_for(
    client: Client, *, code: str, issuer: str | None, nonce: str, verifier: str, role_claim: str
) -> Claims:
    """Exchange the code and verify the token that comes for it; SignOnError.

    `issuer` is that of the response (RFC 9207), which keeps providers from being mixed up.
    """
    known = _known(client)
    demands_issuer = known.metadata.get("authorization_response_iss_parameter_supported") is True
    if issuer != client.issuer and (issuer is not None or demands_issuer):
        raise SignOnError(SignOnRefusal.ISSUER)
    text = _exchanged(client, known.metadata, code, verifier)
    keys = _keys_for(client, known, text)
    return verified(text, keys, client, nonce=nonce, role_claim=role_claim)


def leaving_address(client: Client, state: str) -> str | None:
    """Where a browser is sent to sign out there too; None where the provider has no such place.

    OpenID Connect RP-Initiated Logout 1.0, by `client_id`: a token of the person, which could be a
    hint, is not kept. SignOnError when the provider is down or does not answer right.
    """
    metadata = _known(client).metadata
    if metadata.get("end_session_endpoint") is None:
        return None
    endpoint = _endpoint(metadata, "end_session_endpoint")
    asked = {
        "client_id": client.client_id,
        "post_logout_redirect_uri": client.left,
        "state": state,
    }
    joint = "&" if "?" in endpoint else "?"
    return f"{endpoint}{joint}{urlencode(asked)}"


def signed_out(client: Client, text: str) -> SignedOut:
    """What the provider says by itself of who signed out there; SignOnError."""
    if len(text) > _LONGEST_TOKEN:
        raise SignOnError(SignOnRefusal.ANSWER)
    known = _known(client)
    return verified_sign_out(text, _keys_for(client, known, text), client)


def verified_sign_out(text: str, keys: KeySet, client: Client) -> SignedOut:
    """What a logout token says once everything about it is right; SignOnError.

    OpenID Connect Back-Channel Logout 1.0, section 2.6. That it counts once is the caller's matter.
    """
    try:
        token = jwt.decode(text, keys, algorithms=ALGORITHMS)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise SignOnError(SignOnRefusal.SIGNATURE) from None
    told = token.claims
    kind = token.header.get("typ", "JWT")
    events = told.get("events")
    is_event = isinstance(events, dict) and isinstance(events.get(_LOGOUT), dict)
    # A token by which people sign in carries a nonce and no event: it cannot stand for this one.
    if "nonce" in told or not is_event or str(kind).lower() not in {"jwt", "logout+jwt"}:
        raise SignOnError(SignOnRefusal.ANSWER)
    if told.get("iss") != client.issuer:
        raise SignOnError(SignOnRefusal.ISSUER)
    audience = told.get("aud")
    if client.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise SignOnError(SignOnRefusal.AUDIENCE)
    _demand_times(told)
    subject, session, named = (_name(told.get(each)) for each in ("sub", "sid", "jti"))
    if not named or not (subject or session):
        raise SignOnError(SignOnRefusal.SUBJECT)
    return SignedOut(subject, session, named)


def verified(text: str, keys: KeySet, client: Client, *, nonce: str, role_claim: str) -> Claims:
    """What a token says once signature, issuer, audience, times and nonce are right; SignOnError.

    OpenID Connect Core 1.0, section 3.1.3.7.
    """
    try:
        told = jwt.decode(text, keys, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise SignOnError(SignOnRefusal.SIGNATURE) from None
    if told.get("iss") != client.issuer:
        raise SignOnError(SignOnRefusal.ISSUER)
    audience = told.get("aud")
    meant = audience if isinstance(audience, list) else [audience]
    party = told.get("azp", client.client_id if len(meant) == 1 else None)
    if client.client_id not in meant or party != client.client_id:
        raise SignOnError(SignOnRefusal.AUDIENCE)
    _demand_times(told)
    offered = told.get("nonce")
    if not hmac.compare_digest(_encoded(offered), nonce.encode()):
        raise SignOnError(SignOnRefusal.NONCE)
    subject = told.get("sub")
    if not isinstance(subject, str) or not _encoded(subject) or len(subject) > LONGEST_SUBJECT:
        raise SignOnError(SignOnRefusal.SUBJECT)
    return Claims(
        subject=subject,
        told=frozenset({*_words(told.get("amr")), *_words(told.get("acr"))}),
        roles=frozenset(_words(told.get(role_claim))),
        session=_name(told.get("sid")),
    )


def keys_of(told: Mapping[str, Any]) -> KeySet:
    """The keys that a provider publishes (RFC 7517, section 5); SignOnError.

    One that is too weak (RFC 7518, section 3.3) or a published secret counts as not published.
    """
    try:
        strong = [each for each in told["keys"] if not _is_weak(each)]
        return KeySet.import_key_set({"keys": strong})
    except (JoseError, ValueError, TypeError, KeyError):
        raise SignOnError(SignOnRefusal.ANSWER) from None


def _is_weak(key: object) -> bool:
    if not isinstance(key, Mapping):
        return False
    modulus = key.get("n")
    if key.get("kty") != "RSA" or not isinstance(modulus, str):
        return bool(key.get("kty") == "oct")
    return int.from_bytes(from_base64url(modulus) or b"").bit_length() < _LEAST_BITS


def issuer_fault(issuer: str) -> str:
    """Why this cannot be the address of a provider, "" when it can."""
    if "?" in issuer or "#" in issuer:
        return "Write the issuer without ? and #, as the provider names itself."
    return webhook_fault(issuer, _allowed())


def _demand_times(told: Mapping[str, Any]) -> None:
    now, skew = clock.now().timestamp(), SKEW.total_seconds()
    ends, issued = _number(told.get("exp")), _number(told.get("iat"))
    begins = _number(told.get("nbf", 0))
    is_now = ends + skew > now and begins - skew <= now
    is_fresh = issued - skew <= now < issued + _OLDEST.total_seconds() + skew
    if not (is_now and is_fresh):
        raise SignOnError(SignOnRefusal.TIME)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SignOnError(SignOnRefusal.TIME)
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 308 digits
        raise SignOnError(SignOnRefusal.TIME) from None


def _encoded(value: object) -> bytes:
    """A text in UTF-8; nothing for what is none, or holds half a surrogate pair, as JSON may."""
    try:
        return value.encode() if isinstance(value, str) else b""
    except UnicodeEncodeError:
        return b""


def _words(value: object) -> Sequence[str]:
    """The texts of a claim that is one or a list of them; anything else says nothing."""
    several = value if isinstance(value, list) else [value]
    return [each for each in several[:_MOST_VALUES] if isinstance(each, str) and _encoded(each)]


def _name(value: object) -> str:
    """A name that the provider gave; "" for none, and for what is none."""
    is_name = isinstance(value, str) and _encoded(value) and len(value) <= LONGEST_SUBJECT
    return str(value) if is_name else ""


def _keys_for(client: Client, known: _Known, text: str) -> KeySet:
    """The provider's keys, fetched anew where they lack that of the token."""
    if not _has_key(known.keys, text) and clock.now() - known.fetched_at >= _NEW_KEYS:
        return _known(client, anew=True).keys
    return known.keys


def _known(client: Client, *, anew: bool = False) -> _Known:
    """Metadata and keys of the provider, fetched at most every `_KEPT`."""
    providers = runtime().part(Providers)
    found = providers.known.get(client.issuer)
    if found is not None and not anew and clock.now() - found.fetched_at < _KEPT:
        return found
    told = _fetch(f"{client.issuer.rstrip('/')}/.well-known/openid-configuration")
    if told.get("issuer") != client.issuer:
        raise SignOnError(SignOnRefusal.ISSUER)
    keys = keys_of(_fetch(_endpoint(told, "jwks_uri")))
    made = _Known(told, keys, clock.now())
    with providers.lock:
        providers.known[client.issuer] = made
    return made


def _endpoint(metadata: Mapping[str, Any], name: str) -> str:
    endpoint = metadata.get(name)
    if not isinstance(endpoint, str) or webhook_fault(endpoint, _allowed()):
        raise SignOnError(SignOnRefusal.ANSWER)
    return endpoint


def _exchanged(client: Client, metadata: Mapping[str, Any], code: str, verifier: str) -> str:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect,
        "code_verifier": verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    ways = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if isinstance(ways, list) and "client_secret_basic" in ways:
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form |= {"client_id": client.client_id, "client_secret": client.secret}
    endpoint = _endpoint(metadata, "token_endpoint")
    text = _fetch(endpoint, urlencode(form).encode(), headers).get("id_token")
    if not isinstance(text, str) or len(text) > _LONGEST_TOKEN:
        raise SignOnError(SignOnRefusal.ANSWER)
    return text


def _has_key(keys: KeySet, text: str) -> bool:
    try:
        named = jws.extract_compact(text.encode()).headers().get("kid")
    except (JoseError, ValueError, TypeError):
        return True  # the verification says what is wrong
    return named is None or any(key.kid == named for key in keys.keys)


def _fetch(
    where: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The JSON object at `where`; SignOnError."""
    told = {"Accept": "application/json", "User-Agent": "Postern", **(headers or {})}
    try:
        place = resolved(where, _allowed())
        connection = Pinned(place)
        with closing(connection), deadline.limited(lambda: connection.sock, deadline.WHOLE):
            connection.request("POST" if body else "GET", place.target, body=body, headers=told)
            answer = connection.getresponse()
            read = answer.read(_MOST_READ + 1)
    except HopelessError:
        raise SignOnError(SignOnRefusal.ANSWER) from None
    except (OSError, http.client.HTTPException):
        raise SignOnError(SignOnRefusal.DOWN) from None
    if answer.status >= 500 or answer.status == 429:  # noqa: PLR2004 - not now
        raise SignOnError(SignOnRefusal.DOWN)
    if answer.status != 200:  # noqa: PLR2004 - an answer
        raise SignOnError(SignOnRefusal.CODE if body else SignOnRefusal.ANSWER)
    try:
        content = json.loads(read) if len(read) <= _MOST_READ else None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise SignOnError(SignOnRefusal.ANSWER)
    return content


def _allowed() -> tuple[Network, ...]:
    return networks(runtime().settings.webhook.networks)
