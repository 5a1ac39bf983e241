"""The typed HTTP client of a platform: one method for each verb that works on premises.

It carries pseudonyms only; clear values become pseudonyms in `postern.pseudonymise`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlencode

from postern.base64url import to_base64url
from postern.signed_evaluation import Signed
from postern.transport import Transport
from postern.vocabulary import EvaluationKind, LegalBasis, Purpose
from postern.voprf import PROOF_SIZE
from postern.wire import Fields

ELEMENT_SIZE = 32  # bytes of an element and of a scalar
MOST_REPORTS = 500  # in one request
MOST_QUERIES = 100  # in one lookup
MOST_SHARED = 200  # in one page

_KEYS = "/.well-known/postern-keys.json"
_API = "/api/v1"


@dataclass(frozen=True, slots=True)
class SignedKeys:
    """The key document as the platform sent it, unchecked, and the platform's clock."""

    raw: dict[str, Any]
    date: datetime | None


@dataclass(frozen=True, slots=True)
class Organisation:
    code: str
    name: str
    sector: str
    country: str


@dataclass(frozen=True, slots=True)
class Me:
    """Whom the token stands for. `scopes` is None without limits; `expires_at` None without end."""

    organisation: Organisation
    roles: tuple[str, ...]
    scopes: tuple[str, ...] | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Part:
    """What one key made of the blinded elements, in their order, with one proof for all."""

    key_id: str
    weight: bytes
    elements: list[bytes]
    proof: bytes


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation, unverified; `left` evaluations remain before `resets_at`."""

    epoch: int
    parts: tuple[Part, ...]
    left: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class ItemError:
    """What is wrong with one report, in words without its values."""

    field: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ReportResult:
    """What became of one report: `status` is created, existing or rejected."""

    client_key: str | None
    status: str
    report: str | None
    errors: tuple[ItemError, ...]


@dataclass(frozen=True, slots=True)
class HitFacet:
    """What one facet of the query said about the candidate."""

    number: int
    answer: str
    weight: int
    words: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One hit that policy lets the caller have; what `level` does not grant is None or empty."""

    organisation: Organisation
    level: str
    band: str
    precision: float | None
    points: int | None
    explanation: str | None
    facets: tuple[HitFacet, ...]
    indicator: Mapping[str, Any] | None
    report: Mapping[str, Any] | None
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The hits of one query; `more` says that the platform left weaker ones out."""

    query: str
    hits: tuple[Hit, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class LookupResult:
    """One lookup as the platform logged it."""

    lookup: str
    asked_at: datetime
    results: tuple[QueryResult, ...]


@dataclass(frozen=True, slots=True)
class SharedIndicator:
    """An indicator that another organisation shares, with what the platform tells of it."""

    organisation: Organisation
    level: str
    indicator: Mapping[str, Any]
    report: Mapping[str, Any]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SharedPage:
    """Shared indicators, newest first; `next` is the cursor of the following page, if any."""

    indicators: tuple[SharedIndicator, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class SharedCount:
    """How many indicators of a kind and barrier step an organisation shares."""

    organisation: str
    kind: str
    barrier_step: int | None
    indicators: int


class Evaluates(Protocol):
    """What evaluates blinded elements: a client, or a key at hand in a test."""

    def evaluate(
        self,
        kind: EvaluationKind,
        epoch: int,
        blinded: Sequence[bytes],
        *,
        purpose: Purpose,
        case: str,
        signed: Signed | None = None,
    ) -> Evaluation: ...


class Client:
    """Speaks to one platform with one token. Every method raises ClientError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def transport(self) -> Transport:
        """Over which other clients of the same platform and token speak too."""
        return self._transport

    @classmethod
    def at(
        cls,
        address: str,
        *,
        token: str | None = None,
        ca_file: Path | None = None,
        certificate: tuple[Path, Path | None] | None = None,
        keep_receipt: Callable[[str], None] | None = None,
    ) -> "Client":
        """A client of the platform at an address. Raises AddressRefusedError.

        `certificate` is the own TLS certificate with its key file; `keep_receipt` takes the receipt
        of each act, such as `ReceiptFile.keep`.
        """
        return cls(
            Transport(
                address,
                token=token,
                ca_file=ca_file,
                certificate=certificate,
                keep_receipt=keep_receipt,
            )
        )

    def keys(self) -> SignedKeys:
        """The signed key document. The token is not sent for it."""
        answer = self._transport.get(_KEYS, with_token=False)
        return SignedKeys(Fields(answer.content, "keys").content, answer.date)

    def me(self) -> Me:
        """Whom the platform takes the token's bearer for."""
        fields = Fields(self._transport.get(f"{_API}/me").content, "me")
        unlimited = fields.content.get("scopes") is None
        return Me(
            organisation=read_organisation(fields.within("organisation")),
            roles=fields.texts("roles"),
            scopes=None if unlimited else fields.texts("scopes"),
            expires_at=fields.optional_moment("expires_at"),
        )

    def evaluate(
        self,
        kind: EvaluationKind,
        epoch: int,
        blinded: Sequence[bytes],
        *,
        purpose: Purpose,
        case: str,
        signed: Signed | None = None,
    ) -> Evaluation:
        """The evaluation of 1 to 1000 distinct blinded elements; each counts against the quota.

        The caller verifies the proof. `signed` is the organisation's own signature, where the key
        is shared among holders. Raises also EpochClosedError, QuotaSpentError, HoldersMissingError.
        """
        payload = {
            "kind": kind.value,
            "epoch": epoch,
            "elements": [to_base64url(each) for each in blinded],
            "purpose": purpose.value,
            "case": case,
            **({"signed": _signed(signed)} if signed else {}),
        }
        # Sent twice, it costs quota and a log entry more, and gives the same elements; but a
        # holder takes a signature once.
        answer = self._transport.post(f"{_API}/evaluate", payload, repeatable=signed is None)
        fields = Fields(answer.content, "evaluation")
        quota = fields.within("quota")
        return Evaluation(
            epoch=fields.number("epoch"),
            parts=tuple(_part(each) for each in fields.each("parts")),
            left=quota.number("left"),
            resets_at=quota.moment("resets_at"),
        )

    def submit(self, reports: Sequence[Mapping[str, Any]]) -> list[ReportResult]:
        """What became of each of 1 to 500 reports, in order.

        A report is known by its `client_key`: the same one again is `existing`, not a second one.
        """
        answer = self._transport.post(
            f"{_API}/reports", {"reports": list(reports)}, repeatable=True
        )
        fields = Fields(answer.content, "reports")
        return [_report_result(each) for each in fields.each("results")]

    def look_up(
        self,
        queries: Sequence[Mapping[str, Any]],
        *,
        purpose: Purpose,
        legal_basis: LegalBasis,
        case: str,
    ) -> LookupResult:
        """The hits of 1 to 100 queries. Every lookup is logged, so it is not repeated unasked."""
        payload = {
            "purpose": purpose.value,
            "legal_basis": legal_basis.value,
            "case": case,
            "queries": list(queries),
        }
        answer = self._transport.post(f"{_API}/lookups", payload, repeatable=False)
        fields = Fields(answer.content, "lookup")
        return LookupResult(
            lookup=fields.text("lookup"),
            asked_at=fields.moment("asked_at"),
            results=tuple(_query_result(each) for each in fields.each("results")),
        )

    def shared(
        self,
        filters: Mapping[str, str],
        *,
        purpose: Purpose,
        legal_basis: LegalBasis,
        case: str,
        limit: int = MOST_SHARED,
        cursor: str | None = None,
    ) -> SharedPage:
        """A page of 1 to 200 indicators that others share in bulk; each page is logged.

        `filters` are those of the interface by name: owner, kind, role, barrier_step, substance,
        tlp, seen_since.
        """
        place = {"limit": str(limit), **({"cursor": cursor} if cursor else {})}
        why = _why(purpose, legal_basis, case)
        answer = self._transport.get(f"{_API}/indicators?{urlencode({**why, **filters, **place})}")
        fields = Fields(answer.content, "indicators")
        return SharedPage(
            indicators=tuple(_shared(each) for each in fields.each("indicators")),
            next=fields.optional_text("next"),
        )

    def shared_file(
        self,
        filters: Mapping[str, str],
        *,
        purpose: Purpose,
        legal_basis: LegalBasis,
        case: str,
        form: str,
        into: IO[bytes],
    ) -> None:
        """Write all that `shared` holds under the same filters to a file: csv, ndjson or xlsx.

        Each part is logged before it leaves. What is broken off raises ClientError and is no file.
        """
        why = _why(purpose, legal_basis, case)
        asked = urlencode({**why, **filters, "format": form})
        self._transport.download(f"{_API}/indicators/export?{asked}", into)

    def shared_counts(
        self, filters: Mapping[str, str], *, purpose: Purpose, legal_basis: LegalBasis, case: str
    ) -> list[SharedCount]:
        """What `shared` holds under the same filters, by owner, kind and barrier step."""
        asked = urlencode({**_why(purpose, legal_basis, case), **filters})
        answer = self._transport.get(f"{_API}/indicators/counts?{asked}")
        return [
            SharedCount(
                organisation=each.text("organisation"),
                kind=each.text("kind"),
                barrier_step=each.optional_number("barrier_step"),
                indicators=each.number("indicators"),
            )
            for each in Fields(answer.content, "counts").each("counts")
        ]

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


def read_organisation(fields: Fields) -> Organisation:
    """An organisation as it stands in answers. Raises AnswerMalformedError."""
    return Organisation(
        code=fields.text("code"),
        name=fields.text("name"),
        sector=fields.text("sector"),
        country=fields.text("country"),
    )


def _why(purpose: Purpose, legal_basis: LegalBasis, case: str) -> dict[str, str]:
    return {"purpose": purpose.value, "legal_basis": legal_basis.value, "case": case}


def _shared(fields: Fields) -> SharedIndicator:
    return SharedIndicator(
        organisation=read_organisation(fields.within("organisation")),
        level=fields.text("level"),
        indicator=fields.within("indicator").content,
        report=fields.within("report").content,
        raw=fields.content,
    )


def _signed(signed: Signed) -> dict[str, object]:
    return {
        "request_id": to_base64url(signed.request_id),
        "asked_at": signed.asked_at,
        "signature": to_base64url(signed.signature),
    }


def _part(fields: Fields) -> Part:
    return Part(
        key_id=fields.text("key_id"),
        weight=fields.content_bytes("weight", ELEMENT_SIZE),
        elements=fields.byte_strings("elements", ELEMENT_SIZE),
        proof=fields.content_bytes("proof", PROOF_SIZE),
    )


def _report_result(fields: Fields) -> ReportResult:
    return ReportResult(
        client_key=fields.optional_text("client_key"),
        status=fields.text("status"),
        report=fields.optional_text("id"),
        errors=tuple(
            ItemError(each.text("field"), each.text("reason"), each.text("remedy"))
            for each in fields.each("errors")
        ),
    )


def _query_result(fields: Fields) -> QueryResult:
    return QueryResult(
        query=fields.text("id"),
        hits=tuple(_hit(each) for each in fields.each("hits")),
        more=fields.truth("more"),
    )


def _hit(fields: Fields) -> Hit:
    indicator, report = fields.optional_within("indicator"), fields.optional_within("report")
    return Hit(
        organisation=read_organisation(fields.within("organisation")),
        level=fields.text("level"),
        band=fields.text("band"),
        precision=fields.fraction("precision"),
        points=fields.optional_number("points"),
        explanation=fields.optional_text("explanation"),
        facets=tuple(
            HitFacet(
                number=each.number("facet"),
                answer=each.text("answer"),
                weight=each.number("weight"),
                words=each.text("words"),
            )
            for each in fields.each("facets")
        ),
        indicator=indicator.content if indicator else None,
        report=report.content if report else None,
        raw=fields.content,
    )
