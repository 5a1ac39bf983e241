"""What an organisation tells others of its keys: a directory entry, signed by itself.

Each entry names its predecessor by digest and is signed by the predecessor's signing key too, so
that who knows one entry can follow the chain to the present one and needs no word of the platform.

On the wire: {"entry": {...}, "signature": base64url, "previous_signature": base64url or null},
Ed25519 over a label and the canonical JSON of the entry.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from postern.base64url import to_base64url
from postern.client_errors import ClientError
from postern.envelope import ORGANISATION
from postern.hpke import PublicKey, Suite
from postern.key_errors import written
from postern.signing_identity import (
    SIGNATURE_SIZE,
    VERIFYING_KEY_SIZE,
    SigningIdentity,
    VerifyingKey,
)
from postern.strict_json import MalformedError, Object, canonical

VERSION = 1
LONGEST_CHAIN = 200  # entries; a key file of so many generations stays within its limit

_SIGNED = b"PN-organisation-entry-v1"
_SUCCEEDS = b"PN-organisation-entry-successor-v1"
_DIGEST_SIZE = 32  # bytes
_FINGERPRINT_SIZE = 20  # bytes: 160 bits == 32 base32 digits == 8 groups of 4


class EntryRefusedError(ClientError):
    """An entry breaks a rule of its form, or does not follow from the one before it."""

    def __init__(self, rule: str) -> None:
        super().__init__(
            f"The directory entry of an organisation is refused: {rule}. Do not seal anything to "
            "it; get the entries again from the organisation itself."
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """The public keys of an organisation from `valid_from` on, the `number`-th since the first.

    `previous` is the digest of the entry before, 32 bytes, and None for the first.
    Raises EntryRefusedError.
    """

    organisation: str
    number: int
    valid_from: datetime
    sealing: PublicKey
    recovery: PublicKey
    signing: VerifyingKey
    previous: bytes | None

    def __post_init__(self) -> None:
        _require(bool(ORGANISATION.fullmatch(self.organisation)), "its organisation is not a code")
        _require(1 <= self.number <= LONGEST_CHAIN, "its number is out of bounds")
        exact = self.valid_from.tzinfo is not None and not self.valid_from.microsecond
        _require(exact, "its beginning is not a whole second with a time zone")
        _require((self.previous is None) == (self.number == 1), "only the first has none before it")
        _require(self.sealing.kid != self.recovery.kid, "its two sealing keys are one")

    @property
    def recipients(self) -> tuple[PublicKey, PublicKey]:
        """The keys to which everything for this organisation is sealed."""
        return self.sealing, self.recovery

    @property
    def fingerprint(self) -> str:
        """160 bits over the whole entry, for comparing by telephone: 8 groups of 4 digits.

        The entry holds the digest of the one before, so that this tells of every earlier one too.
        """
        digits = base64.b32encode(self.digest()[:_FINGERPRINT_SIZE]).decode()
        return "-".join(digits[start : start + 4] for start in range(0, len(digits), 4))

    def digest(self) -> bytes:
        """SHA-256 of the canonical form, 32 bytes."""
        return hashlib.sha256(self.canonical()).digest()

    def canonical(self) -> bytes:
        """What is signed."""
        return canonical(self.on_wire())

    def on_wire(self) -> dict[str, object]:
        """The entry as a JSON object."""
        return {
            "version": VERSION,
            "organisation": self.organisation,
            "number": self.number,
            "valid_from": written(self.valid_from),
            "sealing": _key_on_wire(self.sealing),
            "recovery": _key_on_wire(self.recovery),
            "signing": {
                "kid": to_base64url(self.signing.kid),
                "public_key": to_base64url(self.signing.raw),
            },
            "previous": to_base64url(self.previous) if self.previous else None,
        }


@dataclass(frozen=True, slots=True)
class SignedEntry:
    """An entry with its own signature, which holds, and its predecessor's, checked in a chain."""

    entry: Entry
    signature: bytes
    previous_signature: bytes | None

    def __post_init__(self) -> None:
        own = self.entry.signing.signed(self.signature, _SIGNED, self.entry.canonical())
        _require(own, "its signature does not fit it")

    def on_wire(self) -> dict[str, object]:
        """The signed entry as a JSON object."""
        before = self.previous_signature
        return {
            "entry": self.entry.on_wire(),
            "signature": to_base64url(self.signature),
            "previous_signature": to_base64url(before) if before else None,
        }


def sign(entry: Entry, identity: SigningIdentity, previous: SigningIdentity | None) -> SignedEntry:
    """The entry signed by its own identity and by the one before. Raises EntryRefusedError."""
    content = entry.canonical()
    before = previous.sign(_SUCCEEDS, content) if previous else None
    return SignedEntry(entry, identity.sign(_SIGNED, content), before)


def read(raw: Mapping[str, object]) -> SignedEntry:
    """The signed entry of a wire form, its own signature checked. Raises EntryRefusedError."""
    try:
        return _read(Object(raw))
    except ValueError as error:
        raise EntryRefusedError(str(error)) from None


def read_chain(raw: object) -> tuple[SignedEntry, ...]:
    """The entries of a list, each checked against the one before. Raises EntryRefusedError."""
    _require(isinstance(raw, list) and 1 <= len(raw) <= LONGEST_CHAIN, "there is no list of them")
    chain = tuple(read(each) for each in raw) if isinstance(raw, list) else ()
    check_chain(chain)
    return chain


def check_chain(chain: Sequence[SignedEntry]) -> None:
    """Return when the entries follow from each other from the first. Raises EntryRefusedError."""
    _require(bool(chain) and chain[0].entry.number == 1, "the first of the chain is missing")
    _require(chain[0].previous_signature is None, "the first is signed by one before it")
    for before, after in pairwise(chain):
        _check_successor(before.entry, after)


def _check_successor(before: Entry, after: SignedEntry) -> None:
    entry = after.entry
    _require(entry.organisation == before.organisation, "it is of another organisation")
    _require(entry.number == before.number + 1, "an entry before it is missing")
    _require(entry.previous == before.digest(), "it names another entry as the one before it")
    _require(entry.valid_from > before.valid_from, "it does not begin after the one before it")
    by = after.previous_signature
    signed = by is not None and before.signing.signed(by, _SUCCEEDS, entry.canonical())
    _require(signed, "the signing key of the entry before it did not sign it")


def _read(raw: Object) -> SignedEntry:
    raw.only("entry", "signature", "previous_signature")
    found = raw.object("entry")
    found.only(
        *("version", "organisation", "number", "valid_from"),
        *("sealing", "recovery", "signing", "previous"),
    )
    if found.number("version") != VERSION:
        raise MalformedError("it is of a version not known here")
    signing = found.object("signing")
    signing.only("kid", "public_key")
    key = VerifyingKey(signing.octets("public_key", VERIFYING_KEY_SIZE))
    if signing.octets("kid") != key.kid:
        raise MalformedError("the name of a key does not follow from it")
    before = raw.absent("previous_signature")
    return SignedEntry(
        entry=Entry(
            organisation=found.text("organisation"),
            number=found.number("number"),
            valid_from=_moment(found.text("valid_from")),
            sealing=_key(found.object("sealing")),
            recovery=_key(found.object("recovery")),
            signing=key,
            previous=(None if found.absent("previous") else found.octets("previous", _DIGEST_SIZE)),
        ),
        signature=raw.octets("signature", SIGNATURE_SIZE),
        previous_signature=None if before else raw.octets("previous_signature", SIGNATURE_SIZE),
    )


def _key(found: Object) -> PublicKey:
    found.only("suite", "kid", "public_key")
    key = PublicKey(Suite(found.number("suite")), found.octets("public_key"))
    if found.octets("kid") != key.kid:
        raise MalformedError("the name of a key does not follow from it")
    return key


def _key_on_wire(key: PublicKey) -> dict[str, object]:
    return {
        "suite": int(key.suite),
        "kid": to_base64url(key.kid),
        "public_key": to_base64url(key.raw),
    }


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if not text.endswith("Z") or written(moment) != text:
        raise MalformedError("its beginning is not written in UTC with Z")
    return moment


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise EntryRefusedError(rule)
