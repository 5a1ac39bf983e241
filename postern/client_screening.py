"""What screening needs of the platform: token filters, bulk evaluations, shared patterns.

What is sent are blinded elements and counts; a manifest and what it holds are not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlencode

from postern.client_errors import AnswerMalformedError, RequestRefusedError
from postern.evaluation_octets import (
    LEFT_HEADER,
    MOST,
    PARTS_HEADER,
    Proved,
    unpacked,
    unpacked_shared,
)
from postern.signed_evaluation import Signed
from postern.threshold import MOST_HOLDERS
from postern.token_filter import MOST_RECORDS
from postern.token_tags import RECORD_SIZE
from postern.transport import Transport
from postern.vocabulary import EvaluationKind, LegalBasis, Purpose
from postern.voprf import MAX_BATCH
from postern.wire import Fields

READY, BUILDING = "ready", "building"
_API = "/api/v1"
_MOST_PATTERNS = 10_000
_GONE = frozenset({404, 409, 410})
_MOST_DIGITS = 18  # of what is left


@dataclass(frozen=True, slots=True)
class Issue:
    """A filter as the platform lists it; `signed` is its header, unchecked, None until ready."""

    id: str
    seq: int
    state: str
    parts: int
    count: int | None
    made_at: datetime
    expires_at: datetime
    signed: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class BulkEvaluation:
    """An evaluation, unverified, and how much of the day's allowance is left when that was told.

    Of a shared key, `names` says whose each part is.
    """

    parts: tuple[Proved, ...]
    left: int | None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many evaluations of a kind a day may have for screening, until `ends_on`."""

    kind: str
    elements_per_day: int
    left: int
    ends_on: date


@dataclass(frozen=True, slots=True)
class SharedPattern:
    """A pattern that one's own organisation subscribed to, in the version in force, unchecked."""

    id: str
    version: int
    sha256: str
    title: str
    organisation: str
    text: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The patterns to screen with, and the ids of those that are to be screened with no more."""

    patterns: tuple[SharedPattern, ...]
    withdrawn: tuple[str, ...]


class Screenings:
    """The verbs of screening. Every method raises ClientError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def make_filter(self, purpose: Purpose, legal_basis: LegalBasis, case: str) -> Issue:
        """A new filter of what policy lets one's own organisation screen against now."""
        payload = {"purpose": purpose.value, "legal_basis": legal_basis.value, "case": case}
        answer = self._transport.post(f"{_API}/filters", payload, repeatable=False)
        return _issue(Fields(answer.content, "filter"))

    def filter(self, issue: str) -> Issue:
        """A filter as it stands now."""
        answer = self._transport.get(f"{_API}/filters/{quote(issue, safe='')}")
        return _issue(Fields(answer.content, "filter"))

    def filter_content(self, issue: Issue) -> bytes:
        """The whole content of a filter that is ready, unchecked."""
        path = f"{_API}/filters/{quote(issue.id, safe='')}/content"
        content = bytearray()
        for part in range(1, issue.parts + 1):
            piece = self._transport.get_bytes(f"{path}?part={part}")
            content += piece
            if not piece or len(content) > MOST_RECORDS * RECORD_SIZE:
                raise AnswerMalformedError("the content of a filter")
        return bytes(content)

    def filter_changes(self, issue: Issue, since: int) -> bytes | None:
        """What makes an older content this one's, unchecked; None when it cannot be told so."""
        path = f"{_API}/filters/{quote(issue.id, safe='')}/changes?since={since}"
        try:
            return self._transport.get_bytes(path)
        except RequestRefusedError as error:
            if error.status in _GONE:
                return None
            raise

    def evaluate(
        self,
        kind: EvaluationKind,
        epoch: int,
        blinded: Sequence[bytes],
        *,
        purpose: Purpose,
        case: str,
        signed: Signed | None = None,
    ) -> BulkEvaluation:
        """The evaluation of 1 to 10,000 distinct blinded elements, for screening only.

        The caller verifies the proofs. Where the key is shared among holders there are up to 1000,
        which the organisation `signed`. Raises also EpochClosedError, QuotaSpentError,
        HoldersMissingError.
        """
        if not 1 <= len(blinded) <= (MAX_BATCH if signed else MOST):
            raise ValueError(f"A request has 1 to {MOST} elements, 1000 if signed. Split it.")
        asked = urlencode(
            {"purpose": purpose.value, "case": case} | ({"signed": signed.word()} if signed else {})
        )
        path = f"{_API}/evaluate/screening/{kind.value}/{epoch}?{asked}"
        # A holder takes a signature once.
        answer = self._transport.exchange_octets(path, b"".join(blinded), repeatable=signed is None)
        left = answer.headers.get(LEFT_HEADER, "")
        is_number = left.isascii() and left.isdigit() and len(left) <= _MOST_DIGITS
        known = int(left) if is_number else None
        if signed is None:
            return BulkEvaluation(unpacked(answer.content, len(blinded)), known)
        names = tuple(answer.headers.get(PARTS_HEADER, "").split(","))
        if len(names) > MOST_HOLDERS + 1:
            raise AnswerMalformedError("the names of an evaluation's parts")
        parts = unpacked_shared(answer.content, len(blinded), len(names))
        return BulkEvaluation(parts, known, names)

    def allowances(self) -> list[Allowance]:
        """What was agreed with one's own organisation."""
        answer = self._transport.get(f"{_API}/evaluate/screening")
        return [
            Allowance(
                each.text("kind"),
                each.number("elements_per_day"),
                each.number("left"),
                each.day("ends_on"),
            )
            for each in Fields(answer.content, "allowances").each("kinds")
        ]

    def subscribed(self) -> Subscribed:
        """The patterns that one's own organisation subscribed to."""
        answer = self._transport.get(f"{_API}/patterns/subscribed")
        fields = Fields(answer.content, "subscribed")
        found = tuple(
            SharedPattern(
                id=each.text("id"),
                version=each.number("version"),
                sha256=each.text("sha256"),
                title=each.text("title"),
                organisation=each.text("organisation"),
                text=each.text("text"),
            )
            for each in fields.each("documents")
        )
        if len(found) > _MOST_PATTERNS:
            raise AnswerMalformedError("subscribed.documents")
        return Subscribed(found, fields.texts("withdrawn"))

    def tell_run(self, pattern: str, version: int, day: date, parcels: int, hits: int) -> None:
        """How many parcels of a day were screened with a version, and how many hit it."""
        payload = {"version": version, "day": day.isoformat(), "parcels": parcels, "hits": hits}
        path = f"{_API}/patterns/{quote(pattern, safe='')}/runs"
        self._transport.post(path, payload, repeatable=True)

    def tell_outcomes(
        self, pattern: str, version: int, day: date, *, found: int, not_found: int, wrong: int
    ) -> None:
        """What examined hits of a version came to on a day."""
        payload = {
            "version": version,
            "day": day.isoformat(),
            "examined": found + not_found + wrong,
            "found": found,
            "not_found": not_found,
            "wrong": wrong,
        }
        path = f"{_API}/patterns/{quote(pattern, safe='')}/outcomes"
        self._transport.post(path, payload, repeatable=True)


def _issue(fields: Fields) -> Issue:
    header = fields.optional_within("header")
    return Issue(
        id=fields.text("id"),
        seq=fields.number("seq"),
        state=fields.text("state"),
        parts=fields.number("parts"),
        count=fields.optional_number("count"),
        made_at=fields.moment("made_at"),
        expires_at=fields.moment("expires_at"),
        signed=None if header is None else header.content,
    )
