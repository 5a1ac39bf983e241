"""The token filter: a signed list of what one organisation may screen its parcels against.

It is a content of tags (`postern.token_tags`) under a header: a JSON document signed with the
platform's directory key, the one that clients pin. On the wire: {"document": {...}, "key":
base64url, "signature": base64url}; Ed25519 over a label and the canonical JSON of the document, as
in `postern.key_document`. What a filter leaks, and to whom, is worked out in
docs/token-screening.md.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from postern import key_document
from postern.base64url import to_base64url
from postern.key_document import CLOCK_TOLERANCE
from postern.key_errors import written
from postern.pseudonym import LARGEST_EPOCH
from postern.strict_json import MalformedError, Object, canonical
from postern.token_filter_errors import (
    FilterExpiredError,
    FilterMalformedError,
    FilterNotOursError,
    FilterNotYetValidError,
    FilterSignerError,
)
from postern.token_tags import RECORD_SIZE, SALT_SIZE, TAG_SIZE, Content, records, tag
from postern.vocabulary import EvaluationKind, LegalBasis, Purpose

FORMAT = "postern-filter/1"
MOST_RECORDS = 20_000_000  # 180 MB
LONGEST_LIFE = timedelta(days=7)

_DIGEST_SIZE = 32  # bytes of a SHA-256
_SIGNED = b"PN-filter-v1\n"  # keeps this signature apart from any other by the same key
_FIELDS = (
    *("format", "platform", "organisation", "issue", "seq", "purpose", "legal_basis", "epochs"),
    *("salt", "count", "sha256", "created_at", "expires_at"),
)


@dataclass(frozen=True, slots=True)
class FilterHeader:
    """What a filter is, for whom and until when. `seq` counts the issues of an organisation.

    `epochs`: evaluation kind -> epoch of its tokens. `sha256` is that of the content, 32 bytes;
    `count` its records. Raises FilterMalformedError when a field breaks its rule.
    """

    platform: str
    organisation: str
    issue: UUID
    seq: int
    purpose: Purpose
    legal_basis: LegalBasis
    epochs: Mapping[EvaluationKind, int]
    salt: bytes
    count: int
    sha256: bytes
    created_at: datetime
    expires_at: datetime

    def __post_init__(self) -> None:
        _require(bool(self.platform and self.organisation), "it names nobody")
        _require(self.seq >= 1, "its number is below 1")
        known = all(1 <= each <= LARGEST_EPOCH for each in self.epochs.values())
        _require(known, "an epoch is out of range")
        _require(len(self.salt) == SALT_SIZE, "its salt is not 32 bytes")
        _require(len(self.sha256) == _DIGEST_SIZE, "its digest is not 32 bytes")
        _require(0 <= self.count <= MOST_RECORDS, f"it has more than {MOST_RECORDS} records")
        for moment in (self.created_at, self.expires_at):
            exact = moment.tzinfo is not None and not moment.microsecond
            _require(exact, "a moment has no time zone or is not a whole second")
        _require(
            timedelta(0) < self.expires_at - self.created_at <= LONGEST_LIFE,
            f"it does not end within {LONGEST_LIFE.days} days",
        )


def sign(header: FilterHeader, private_key: Ed25519PrivateKey) -> dict[str, object]:
    """The wire form, signed by the platform's directory key."""
    document = document_of(header)
    return {
        "document": document,
        "key": to_base64url(private_key.public_key().public_bytes_raw()),
        "signature": to_base64url(private_key.sign(_SIGNED + canonical(document))),
    }


def document_of(header: FilterHeader) -> dict[str, object]:
    """The document of a header, as it stands on the wire and is signed."""
    return {
        "format": FORMAT,
        "platform": header.platform,
        "organisation": header.organisation,
        "issue": str(header.issue),
        "seq": header.seq,
        "purpose": header.purpose.value,
        "legal_basis": header.legal_basis.value,
        "epochs": {kind.value: epoch for kind, epoch in header.epochs.items()},
        "salt": to_base64url(header.salt),
        "count": header.count,
        "sha256": to_base64url(header.sha256),
        "created_at": written(header.created_at),
        "expires_at": written(header.expires_at),
    }


def read(raw: object, fingerprint: str, now: datetime) -> FilterHeader:
    """The header of a wire form, once its signer, signature and dates are checked.

    `fingerprint` is that of the pinned directory key. Raises FilterMalformedError,
    FilterSignerError, FilterNotYetValidError, FilterExpiredError.
    """
    try:
        outer = Object(raw)
        outer.only("document", "key", "signature")
        key, signature = outer.octets("key", 32), outer.octets("signature", 64)
        document = outer.object("document")
        if _bare(key_document.fingerprint(key)) != _bare(fingerprint):
            raise FilterSignerError
        Ed25519PublicKey.from_public_bytes(key).verify(
            signature, _SIGNED + canonical(document.content)
        )
        header = _from_wire(document)
    except InvalidSignature:
        raise FilterSignerError from None
    except MalformedError as error:
        raise FilterMalformedError(str(error)) from None
    except (ValueError, RecursionError):
        raise FilterMalformedError("a field holds what it cannot hold") from None
    if now + CLOCK_TOLERANCE < header.created_at:
        raise FilterNotYetValidError(header.created_at, now)
    if now >= header.expires_at:
        raise FilterExpiredError(header.expires_at, now)
    return header


def require_for(header: FilterHeader, platform: str, organisation: str) -> None:
    """Return when the header is of this platform and organisation. Raises FilterNotOursError."""
    if (header.platform, header.organisation) != (platform, organisation):
        raise FilterNotOursError(header.platform, header.organisation)


class TokenFilter:
    """A header with its content, which is checked against it: size, digest and order.

    `content` may be a file mapped into memory. Raises FilterMalformedError.
    """

    def __init__(self, header: FilterHeader, content: Content) -> None:
        self.header = header
        self.content = content
        _require(len(content) == header.count * RECORD_SIZE, "its content has another size")
        digest = hashlib.sha256(content).digest()
        _require(hmac.compare_digest(digest, header.sha256), "its content is another one")
        last = b""
        facets = set()
        for record in records(content):
            _require(record[:TAG_SIZE] > last, "its tags are not in order, each once")
            last = record[:TAG_SIZE]
            facets.add(record[TAG_SIZE])
        self.facets = frozenset(facets)
        """The numbers of the facets of which anything is listed."""

    def facet_of(self, one: bytes) -> int | None:
        """The facet number of a tag that is listed, else None."""
        low, high = 0, self.header.count
        while low < high:
            middle = (low + high) // 2
            if self._tag_at(middle) < one:
                low = middle + 1
            else:
                high = middle
        if low < self.header.count and self._tag_at(low) == one:
            return self.content[low * RECORD_SIZE + TAG_SIZE]
        return None

    def lists(self, token: bytes, facet: int) -> bool:
        """Whether a token of this facet is listed."""
        return self.facet_of(tag(self.header.salt, token)) == facet

    def _tag_at(self, place: int) -> bytes:
        return bytes(self.content[place * RECORD_SIZE : place * RECORD_SIZE + TAG_SIZE])


def _from_wire(document: Object) -> FilterHeader:
    document.only(*_FIELDS)
    _require(document.text("format") == FORMAT, f"its format is not {FORMAT}")
    epochs = document.object("epochs")
    return FilterHeader(
        platform=document.text("platform"),
        organisation=document.text("organisation"),
        issue=_identifier(document.text("issue")),
        seq=document.number("seq"),
        purpose=Purpose(document.text("purpose")),
        legal_basis=LegalBasis(document.text("legal_basis")),
        epochs={EvaluationKind(name): epochs.number(name) for name in epochs.content},
        salt=document.octets("salt", SALT_SIZE),
        count=document.number("count"),
        sha256=document.octets("sha256", _DIGEST_SIZE),
        created_at=_moment(document.text("created_at")),
        expires_at=_moment(document.text("expires_at")),
    )


def _identifier(text: str) -> UUID:
    found = UUID(text)
    _require(str(found) == text, "its issue is not written as identifiers are")
    return found


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    _require(text.endswith("Z") and written(moment) == text, "a moment is not in UTC with Z")
    return moment


def _bare(fingerprint: str) -> str:
    return "".join(each for each in fingerprint.upper() if each.isalnum())


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise FilterMalformedError(rule)
