"""Passkeys (W3C Web Authentication, level 3): what a browser is asked, and what it proves.

Challenges are stored nowhere before they are answered: each is 16 random bytes, its end and a tag
over both, its purpose and its subject under a key of the platform. So nobody fills a table by
opening the sign-in page, and a challenge of one purpose, session or hour counts for no other. What
was signed once is remembered until its end, so no answer counts twice.
"""

import hashlib
import hmac
import ipaddress
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from app import clock
from app.accounts.factor_models import SpentChallenge
from app.runtime import runtime
from postern.base64url import from_base64url

LONGEST_ANSWER = 20_000
"""Characters of a browser's answer; real ones have some hundred."""

_LIFE = timedelta(minutes=10)
_RANDOM, _END = 16, 8  # bytes of a challenge before its tag
_CONTEXT = b"postern/passkey/challenge/v1"
_REFUSED = (WebAuthnException, ValueError, TypeError, LookupError, OverflowError)


class Purpose(StrEnum):
    """For what a passkey signs."""

    ADD = "add"
    ENTER = "enter"  # alone, without a password
    SECOND = "second"  # after a password
    PROVE = "prove"  # in a session


@dataclass(frozen=True, repr=False)
class Passkey:
    """What is kept of a passkey."""

    credential_id: bytes
    public_key: bytes
    count: int


def are_possible() -> bool:
    """Whether browsers let this platform use passkeys: it needs a name, an address is none."""
    try:
        ipaddress.ip_address(_host())
    except ValueError:
        return True
    return False


def adding_options(
    person: UUID, login: str, name: str, subject: bytes, has: Sequence[bytes]
) -> str:
    """JSON for the browser that makes a passkey for `person`; `has` are ids of theirs."""
    options = generate_registration_options(
        rp_id=_host(),
        rp_name=runtime().settings.platform.name,
        user_id=person.bytes,
        user_name=login,
        user_display_name=name,
        challenge=_challenge(Purpose.ADD, subject),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in has],
    )
    return options_to_json(options)


def asking_options(purpose: Purpose, subject: bytes, has: Sequence[bytes] = ()) -> str:
    """JSON for the browser that signs with one of `has`, or with any passkey of this platform."""
    options = generate_authentication_options(
        rp_id=_host(),
        challenge=_challenge(purpose, subject),
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in has],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def id_of(answer: str) -> bytes | None:
    """The id of the passkey that a browser's answer names; None when it is no such answer."""
    document = _document(answer)
    told = document.get("id") if document else None
    return from_base64url(told) if isinstance(told, str) else None


def made(session: Session, answer: str, subject: bytes) -> Passkey | None:
    """The passkey that a browser made for `subject`; None when the answer does not hold."""
    challenge = _signed_challenge(session, answer, Purpose.ADD, subject)
    return None if challenge is None else verified_making(answer, challenge, _origin())


def count_of(
    session: Session, answer: str, passkey: Passkey, purpose: Purpose, subject: bytes
) -> int | None:
    """The new count of signatures of a passkey that signed; None when the answer does not hold.

    A count that did not grow, where the authenticator counts, is a copy of it: refused.
    """
    challenge = _signed_challenge(session, answer, purpose, subject)
    return None if challenge is None else verified_count(answer, challenge, passkey, _origin())


def verified_making(answer: str, challenge: bytes, origin: str) -> Passkey | None:
    """The passkey of an answer to `challenge` at `origin`; None when it does not hold."""
    try:
        found = verify_registration_response(
            credential=_document(answer) or {},
            expected_challenge=challenge,
            expected_rp_id=_host_of(origin),
            expected_origin=origin,
            require_user_verification=True,
        )
    except _REFUSED:
        return None
    return Passkey(found.credential_id, found.credential_public_key, found.sign_count)


def verified_count(answer: str, challenge: bytes, passkey: Passkey, origin: str) -> int | None:
    """The count in an answer to `challenge` at `origin`; None when it does not hold."""
    try:
        found = verify_authentication_response(
            credential=_document(answer) or {},
            expected_challenge=challenge,
            expected_rp_id=_host_of(origin),
            expected_origin=origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.count,
            require_user_verification=True,
        )
    except _REFUSED:
        return None
    return found.new_sign_count


def _signed_challenge(
    session: Session, answer: str, purpose: Purpose, subject: bytes
) -> bytes | None:
    """The challenge that the answer signs, spent from now on; None when it is not ours or old."""
    challenge = _told_challenge(answer)
    if challenge is None or not _is_ours(challenge, purpose, subject):
        return None
    spent = SpentChallenge(
        challenge_hash=hashlib.sha256(challenge).digest(), expires_at=_end(challenge)
    )
    try:
        with session.begin_nested():
            session.add(spent)
    except IntegrityError:
        return None
    return challenge


def _challenge(purpose: Purpose, subject: bytes) -> bytes:
    end = int((clock.now() + _LIFE).timestamp())
    begin = secrets.token_bytes(_RANDOM) + end.to_bytes(_END)
    return begin + _tag(begin, purpose, subject)


def _is_ours(challenge: bytes, purpose: Purpose, subject: bytes) -> bool:
    begin, tag = challenge[: _RANDOM + _END], challenge[_RANDOM + _END :]
    return hmac.compare_digest(tag, _tag(begin, purpose, subject)) and clock.now() < _end(challenge)


def _end(challenge: bytes) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(challenge[_RANDOM : _RANDOM + _END]), UTC)


def _tag(begin: bytes, purpose: Purpose, subject: bytes) -> bytes:
    key = hmac.digest(runtime().secrets.accounts, _CONTEXT, "sha256")
    return hmac.digest(key, begin + purpose.value.encode() + b"\n" + subject, "sha256")


def _told_challenge(answer: str) -> bytes | None:
    document = _document(answer)
    response = document.get("response") if document else None
    told = response.get("clientDataJSON") if isinstance(response, dict) else None
    raw = from_base64url(told) if isinstance(told, str) else None
    client = _object(raw) if raw is not None else None
    challenge = client.get("challenge") if client else None
    found = from_base64url(challenge) if isinstance(challenge, str) else None
    return found if found is not None and len(found) == _RANDOM + _END + 32 else None


def _document(answer: str) -> dict[str, Any] | None:
    return _object(answer) if len(answer) <= LONGEST_ANSWER else None


def _object(text: str | bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _host() -> str:
    return _host_of(_origin())


def _host_of(origin: str) -> str:
    return urlsplit(origin).hostname or ""


def _origin() -> str:
    return runtime().settings.platform.origin
