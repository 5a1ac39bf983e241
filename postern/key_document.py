"""The signed key document: which public key evaluates which kind, in which epoch, by which rules.

A platform that could give each client another key could recognise clients by their tokens. So the
keys stand in one document, the same for all, signed by the platform's directory key. A client pins
that key's fingerprint and compares each document with the last one it accepted (`postern.pins`).

On the wire: {"document": {...}, "key": base64url, "signature": base64url}. The signature is
Ed25519 over a label and the canonical JSON of the document: keys sorted, no white space, UTF-8.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from postern import group
from postern.base64url import from_base64url, to_base64url
from postern.key_errors import (
    DocumentExpiredError,
    DocumentNotYetValidError,
    FingerprintMismatchError,
    MalformedDocumentError,
    NoKeyError,
    SignatureInvalidError,
    written,
)
from postern.key_sharing import KeySharing, read_sharing
from postern.pseudonym import LARGEST_EPOCH, NAME
from postern.strict_json import Object

VERSION = 1
CLOCK_TOLERANCE = timedelta(minutes=5)  # how far a client's clock may be behind the platform's
_SIGNED = b"PN-keys-v1\n"  # keeps this signature apart from any other by the same key
_KEY_SIZE = 32  # bytes of an Ed25519 public key
_FINGERPRINT_SIZE = 20  # bytes: 160 bits == 32 base32 digits == 8 groups of 4


@dataclass(frozen=True, slots=True)
class KeyEpoch:
    """One public key, 32 bytes, for one kind, from `valid_from` until before `valid_to`.

    `norm` is the version of the normaliser whose canonical forms it evaluates. `sharing` says how
    the key is shared among holders; None for a key that the platform holds alone.
    Raises MalformedDocumentError when a field breaks its rule.
    """

    kind: str
    epoch: int
    norm: str
    public_key: bytes
    valid_from: datetime
    valid_to: datetime
    sharing: KeySharing | None = None

    def __post_init__(self) -> None:
        for name in (self.kind, self.norm):
            _require(NAME.fullmatch(name) is not None, "a kind or norm is not a short name")
        _require(1 <= self.epoch <= LARGEST_EPOCH, "an epoch is out of range")
        _require_order(self.valid_from, self.valid_to)
        try:
            group.check_element(self.public_key)
        except group.InvalidElementError as error:
            raise MalformedDocumentError("a public key is not a group element") from error
        fits = self.sharing is None or self.sharing.public_key == self.public_key
        _require(fits, "a public key is not the sum of its shares' keys")


@dataclass(frozen=True, slots=True)
class KeyDocument:
    """All epochs of all kinds that a platform wants known, ordered by kind and epoch.

    Raises MalformedDocumentError when two entries share kind and epoch, or moments are unordered.
    """

    platform: str
    issued_at: datetime
    expires_at: datetime
    epochs: tuple[KeyEpoch, ...]

    def __post_init__(self) -> None:
        _require(bool(self.platform), "its platform has no name")
        _require_order(self.issued_at, self.expires_at)
        named = [(each.kind, each.epoch) for each in self.epochs]
        _require(named == sorted(set(named)), "its epochs are not in order, each once")

    def at(self, kind: str, moment: datetime) -> KeyEpoch:
        """The newest epoch of a kind that is valid at a moment. Raises NoKeyError."""
        for each in reversed(self.epochs):
            if each.kind == kind and each.valid_from <= moment < each.valid_to:
                return each
        raise NoKeyError(kind, moment)


def sign(document: KeyDocument, private_key: Ed25519PrivateKey) -> dict[str, object]:
    """The wire form, signed by the platform's directory key."""
    wire = _to_wire(document)
    return {
        "document": wire,
        "key": to_base64url(private_key.public_key().public_bytes_raw()),
        "signature": to_base64url(private_key.sign(_SIGNED + _canonical(wire))),
    }


def read(raw: Mapping[str, object], fingerprint: str | None, now: datetime) -> KeyDocument:
    """The document of a wire form, once its signer, signature and dates are checked.

    `fingerprint` is the pinned one, upper or lower case, with or without hyphens and spaces.
    With None any signer is taken: only for a first contact, before `signer(raw)` is confirmed by
    a person. Raises MalformedDocumentError, FingerprintMismatchError, SignatureInvalidError,
    DocumentNotYetValidError, DocumentExpiredError, in this order.
    """
    _require(set(raw) == {"document", "key", "signature"}, "its outer fields are wrong")
    found = signer(raw)
    if fingerprint is not None and _bare(fingerprint) != _bare(found):
        raise FingerprintMismatchError(fingerprint, found)
    key = Ed25519PublicKey.from_public_bytes(_key_bytes(raw))
    try:
        key.verify(_to_bytes(raw["signature"]), _SIGNED + _canonical(raw["document"]))
    except InvalidSignature as error:
        raise SignatureInvalidError from error
    document = _from_wire(raw["document"])
    if now + CLOCK_TOLERANCE < document.issued_at:
        raise DocumentNotYetValidError(document.issued_at, now)
    if now >= document.expires_at:
        raise DocumentExpiredError(document.expires_at, now)
    return document


def signer(raw: Mapping[str, object]) -> str:
    """The fingerprint of the key in a wire form, unchecked. Raises MalformedDocumentError."""
    return fingerprint(_key_bytes(raw))


def fingerprint(public_key: bytes) -> str:
    """160 bits of SHA-256 of a public key for people to compare: 8 groups of 4 base32 digits."""
    digest = hashlib.sha256(public_key).digest()[:_FINGERPRINT_SIZE]
    digits = base64.b32encode(digest).decode()
    return "-".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def _to_wire(document: KeyDocument) -> dict[str, object]:
    return {
        "version": VERSION,
        "platform": document.platform,
        "issued_at": written(document.issued_at),
        "expires_at": written(document.expires_at),
        "epochs": [
            {
                "kind": str(each.kind),
                "epoch": each.epoch,
                "norm": each.norm,
                "public_key": to_base64url(each.public_key),
                "valid_from": written(each.valid_from),
                "valid_to": written(each.valid_to),
                **({"sharing": each.sharing.on_wire()} if each.sharing else {}),
            }
            for each in document.epochs
        ],
    }


def _from_wire(raw: object) -> KeyDocument:
    fields = _fields(raw, version=int, platform=str, issued_at=str, expires_at=str, epochs=list)
    _require(fields["version"] == VERSION, f"its version is not {VERSION}")
    return KeyDocument(
        platform=fields["platform"],
        issued_at=_moment(fields["issued_at"]),
        expires_at=_moment(fields["expires_at"]),
        epochs=tuple(_epoch_from_wire(each) for each in fields["epochs"]),
    )


def _epoch_from_wire(raw: object) -> KeyEpoch:
    sharing = None
    if isinstance(raw, dict) and "sharing" in raw:
        raw = dict(raw)
        sharing = _sharing_from_wire(raw.pop("sharing"))
    fields = _fields(
        raw, kind=str, epoch=int, norm=str, public_key=str, valid_from=str, valid_to=str
    )
    return KeyEpoch(
        kind=fields["kind"],
        epoch=fields["epoch"],
        norm=fields["norm"],
        public_key=_to_bytes(fields["public_key"]),
        valid_from=_moment(fields["valid_from"]),
        valid_to=_moment(fields["valid_to"]),
        sharing=sharing,
    )


def _sharing_from_wire(raw: object) -> KeySharing:
    try:
        return read_sharing(Object(raw))
    except ValueError as error:
        raise MalformedDocumentError(f"how a key is shared is not told: {error}") from error


def _fields(raw: object, **types: type) -> dict[str, Any]:
    """The object's fields, which are exactly these, each of exactly its type (True is no int)."""
    if not isinstance(raw, dict) or raw.keys() != types.keys():
        raise MalformedDocumentError("it lacks a field or has one too many")
    for name, expected in types.items():
        _require(type(raw[name]) is expected, f"its field {name} is of the wrong type")
    return raw


def _key_bytes(raw: Mapping[str, object]) -> bytes:
    key = _to_bytes(raw.get("key"))
    _require(len(key) == _KEY_SIZE, "its signing key is not 32 bytes")
    return key


def _canonical(document: object) -> bytes:
    """RFC 8785 for what a key document contains: strings, integers, lists, ASCII field names."""
    try:
        text = json.dumps(
            document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise MalformedDocumentError("it has no canonical form") from error


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedDocumentError("a moment is not an ISO 8601 moment") from error
    _require(text.endswith("Z") and written(moment) == text, "a moment is not in UTC with Z")
    return moment


def _require_order(start: datetime, end: datetime) -> None:
    for moment in (start, end):
        exact = moment.tzinfo is not None and not moment.microsecond
        _require(exact, "a moment has no time zone or is not a whole second")
    _require(start < end, "a moment of ending is not after its beginning")


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise MalformedDocumentError(rule)


def _bare(fingerprint_text: str) -> str:
    return "".join(digit for digit in fingerprint_text.upper() if digit.isalnum())


def _to_bytes(text: object) -> bytes:
    """Bytes from base64url without padding; each has one spelling only."""
    if not isinstance(text, str):
        raise MalformedDocumentError("a key or signature is not a string")
    content = from_base64url(text)
    if content is None:
        raise MalformedDocumentError("a key or signature is not canonical base64url")
    return content
