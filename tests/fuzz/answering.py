"""What other programs answer: the platform to its client, TAXII servers, holders, logs, witnesses.

Each of them may mean harm. Where it signs, the harness signs what came out.
"""

import functools
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from typing import Any
from uuid import UUID

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from app.exchange import asking
from app.exchange.received_forms import kept_of
from app.pseudonyms.holders import AwayError, RefusalError, part_of
from postern import group, key_document, token_filter
from postern.audit.package import ENTRIES, KEYS, TAG_KEYS, Package, open_package
from postern.audit.platform import PlatformEntries, PlatformLog
from postern.audit.receipts import open_receipt
from postern.audit.trust import AuditError, published
from postern.base64url import to_base64url
from postern.client import Client
from postern.client_disclosures import Disclosures
from postern.client_errors import ClientError
from postern.client_exchange import exchange_key
from postern.client_follow_up import FollowUps
from postern.client_organisations import OrganisationDirectory
from postern.client_reports import OwnReports
from postern.client_screening import Screenings
from postern.evaluation_octets import split, unpacked
from postern.key_publications import read_publications
from postern.organisation_entry import EntryRefusedError
from postern.stix.names import split_id
from postern.taxii.client import ApiRoot, Collection, Place, TaxiiClient
from postern.taxii.connection import Access, Connection
from postern.taxii.errors import TaxiiError
from postern.taxii.finding import tokens_in
from postern.taxii.objects import RefusedObjectError, arrived
from postern.tlog.notes import NoteError, SigningKey, VerifierKey
from postern.tlog.strict import MalformedError
from postern.tlog.witnessing import AddCheckpoint
from postern.token_filter import FilterHeader, TokenFilter
from postern.token_filter_errors import TokenFilterError
from postern.token_tags import RECORD_SIZE, changed, content_of, tag
from postern.transport import Transport
from postern.vocabulary import EvaluationKind, LegalBasis, Purpose
from postern.witness.rules import Watched, judge, origin_of
from tests.fuzz import seeds
from tests.fuzz.growing import grown
from tests.fuzz.target import Target, file_of, text_of

_ADDRESS = "https://platform.example"
_NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
_WHY: dict[str, Any] = {
    "purpose": Purpose.CRIMINAL_INVESTIGATION,
    "legal_basis": LegalBasis.CRIMINAL_PROCEDURE,
    "case": "PV-2026-17",
}
_EVALUATED: dict[str, Any] = {"purpose": Purpose.CRIMINAL_INVESTIGATION, "case": "PV-2026-17"}
_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_FINGERPRINT = key_document.fingerprint(_KEY.public_key().public_bytes_raw())
_RECEIPT_KEY = SigningKey("log.example/receipts", bytes(range(32)))


@dataclass
class Given(BaseAdapter):
    """Answers every request with the same."""

    body: bytes
    status: int = 200
    kind: str = "application/json"

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        """The answer, which is read from memory."""
        made = requests.Response()
        made.status_code, made.request, made.url = self.status, request, request.url or ""
        made.headers = CaseInsensitiveDict(
            {
                "Content-Type": self.kind,
                "Date": "Fri, 20 Nov 2026 12:00:00 GMT",
                "Retry-After": self.body[:20].decode("latin-1").strip(),
                "Postern-Screening-Left": self.body[:20].decode("latin-1").strip(),
            }
        )
        made.raw = io.BytesIO(self.body)
        return made

    def close(self) -> None:
        """Nothing is open."""


def _transport(body: bytes, status: int = 200) -> Transport:
    made = Transport(_ADDRESS, pauses=())
    made._session.mount("https://", Given(body, status))
    return made


@functools.cache
def _questions() -> tuple[Callable[[Transport], object], ...]:
    """One for each way in which the client asks the platform."""
    return (
        lambda to: Client(to).keys(),
        lambda to: Client(to).me(),
        lambda to: Client(to).evaluate(EvaluationKind.PHONE, 1, [bytes(32)], **_EVALUATED),
        lambda to: Client(to).submit([{}]),
        lambda to: Client(to).look_up([{}], **_WHY),
        lambda to: Client(to).shared({}, **_WHY),
        lambda to: Client(to).shared_counts({}, **_WHY),
        lambda to: Disclosures(to).asked(),
        lambda to: Disclosures(to).one_asked("r"),
        lambda to: Disclosures(to).one_received("r"),
        lambda to: FollowUps(to).recalls(),
        lambda to: FollowUps(to).tell_outcome({}),
        lambda to: FollowUps(to).outcomes(5),
        lambda to: FollowUps(to).watches(),
        lambda to: FollowUps(to).one_watch("w"),
        lambda to: FollowUps(to).deconflictions(),
        lambda to: FollowUps(to).search_subject("r", [{}]),
        lambda to: OrganisationDirectory(to).chain("post-be"),
        lambda to: OrganisationDirectory(to).everybody(),
        lambda to: OrganisationDirectory(to).publish(()),
        lambda to: OwnReports(to).client_key("r"),
        lambda to: OwnReports(to).first_indicator("r"),
        lambda to: OwnReports(to).envelopes("r"),
        lambda to: OwnReports(to).attach("r", 1, b""),
        lambda to: Screenings(to).filter("f"),
        lambda to: Screenings(to).filter_content(Screenings(to).filter("f")),
        lambda to: Screenings(to).allowances(),
        lambda to: Screenings(to).subscribed(),
        exchange_key,
        lambda to: PlatformLog(to).published_trust(),
        lambda to: list(PlatformLog(to).cosigned_after(0)),
        lambda to: PlatformEntries(to, "post-be").tag_keys(),
        lambda to: list(PlatformEntries(to, "post-be").pages(0, None)),
    )


def _platform_answer(case: bytes) -> None:
    """The first byte chooses the question, the second the status."""
    asked = _questions()
    place, status = (case + b"\0\0")[:2]
    statuses = (200, 200, 200, 201, 204, 400, 401, 403, 404, 409, 413, 422, 429, 500, 503)
    asked[place % len(asked)](_transport(case[2:], statuses[status % len(statuses)]))


@functools.cache
def _platform_answers() -> list[bytes]:
    problem = {
        "code": "epoch-closed",
        "detail": "x",
        "remedy": "y",
        "epoch": 2,
        "errors": [{"field": "a", "reason": "b"}],
        "resets_at": "2026-11-20T12:00:00Z",
    }
    made = [bytes([0, n]) + json.dumps(problem).encode() for n in range(5, 15)]
    for place, ask in enumerate(_questions()):
        answer = grown(lambda content, ask=ask: ask(_transport(json.dumps(content).encode())))  # type: ignore[misc]
        made.append(bytes([place, 0]) + json.dumps(answer).encode())
    return made


def _taxii_client(body: bytes, status: int = 200) -> TaxiiClient:
    made = Connection(f"{_ADDRESS}/taxii2/", Access(), pauses=())
    made._session.mount("https://", Given(body, status, "application/taxii+json;version=2.1"))
    return TaxiiClient(made)


def _taxii_answer(case: bytes) -> None:
    root = ApiRoot(f"{_ADDRESS}/api1/", "x", 10**6)
    of = Collection(root, "a", "b", "c", can_read=True, can_write=True)
    attempts: tuple[Callable[[TaxiiClient], object], ...] = (
        lambda to: to.discovery(),
        lambda to: to.api_root(root.address),
        lambda to: to.collections(root),
        lambda to: to.page(of, Place(), {}),
        lambda to: list(to.manifest(of, {})),
        lambda to: to.add(of, [{"id": "x"}]),
        lambda to: to.status(root, "s"),
    )
    for status in (200, 202, 400, 403, 422, 429, 503):
        for each in attempts[: 7 if status < 300 else 1]:
            try:
                each(_taxii_client(case, status))
            except TaxiiError:
                continue


def _taxii_answers() -> list[bytes]:
    told: tuple[object, ...] = (
        {
            "title": "x",
            "description": "y",
            "contact": "z",
            "default": "/api1/",
            "api_roots": ["/api1/", f"{_ADDRESS}/api2/"],
            "x_postern": {"exact_cursor": True},
        },
        {"title": "x", "versions": ["application/taxii+json;version=2.1"], "max_content_length": 9},
        {
            "collections": [
                {
                    "id": "91a7b528-80eb-42ed-a74d-c6fbd5a26116",
                    "title": "t",
                    "description": "d",
                    "alias": "a",
                    "can_read": True,
                    "can_write": False,
                    "media_types": ["application/stix+json;version=2.1"],
                }
            ]
        },
        {"more": True, "next": "n", "objects": [{"id": "x--1", "version": "2026-11-20T10:00:00Z"}]},
        {
            "objects": [
                {
                    "id": "x--1",
                    "date_added": "2026-11-20T10:00:00Z",
                    "version": "2026-11-20T10:00:00Z",
                    "media_type": "application/stix+json;version=2.1",
                }
            ]
        },
        {
            "id": "s",
            "status": "complete",
            "request_timestamp": "2026-11-20T10:00:00Z",
            "total_count": 2,
            "success_count": 1,
            "successes": [{"id": "x--1", "version": "2026-11-20T10:00:00Z", "message": "m"}],
            "failure_count": 1,
            "failures": [{"id": "x--2", "version": "2026-11-20T10:00:00Z", "message": "m"}],
            "pending_count": 0,
            "pendings": [],
        },
        {"title": "Error", "description": "why", "error_id": "1", "http_status": "400"},
    )
    return [json.dumps(each).encode() for each in told]


def _server_page(case: bytes) -> None:
    """What the platform reads of a server to which an organisation subscribed."""
    line, _, body = case.partition(b"\n")
    headers = Message()
    headers["X-TAXII-Date-Added-Last"] = line.decode("latin-1").replace("\r", " ")
    for content in (case, body):
        try:
            answered = asking._page(content, headers)
        except asking.ServerError:
            continue
        for each in answered.objects:
            kept_of(each)


def _server_pages() -> list[bytes]:
    bundle = json.loads(seeds.bundles()[1])
    extension = {
        "extension_type": "property-extension",
        "kind": "address",
        "role": "sender",
        "level": "metadata",
        "tokens": {"1": ["postern-token--x"]},
        "expires_on": "2026-12-01",
        "source_grade": "A",
        "information_grade": "1",
        "operator": "bpost",
        "code": "1000",
        "country": "BE",
    }
    for each in bundle["objects"]:
        if "extensions" in each:
            each["extensions"] = dict.fromkeys(each["extensions"], extension)
    page = json.dumps({"more": True, "next": "x", **bundle}).encode()
    return [page, b"2026-11-20T10:00:00.000Z\n" + page]


def _kept_object(case: bytes) -> None:
    """What a client on premises keeps of an object of a TAXII server."""
    try:
        found = json.loads(text_of(case))
    except (ValueError, RecursionError):
        return
    objects = found.get("objects") if isinstance(found, dict) else found
    for each in objects if isinstance(objects, list) else [found]:
        split_id(each.get("id") if isinstance(each, dict) else None)
        try:
            arrived(each, "2026-11-21T12:00:00.000000000", tokens_in)
        except RefusedObjectError:
            continue


def _holder_answer(case: bytes) -> None:
    holder = {"number": 1, "name": "h", "address": "https://holder.example"}
    for status in (200, 422, 503):
        try:
            part_of(holder, status, "60", case, {"elements": ["a", "b"]})
        except (AwayError, RefusalError):
            continue


def _holder_answers() -> list[bytes]:
    element = to_base64url(group.GENERATOR)
    whole = {"elements": [element, element], "proof": to_base64url(bytes(64))}
    return [json.dumps(each).encode() for each in (whole, {"code": "quota-spent", "status": 429})]


def _receipt(case: bytes) -> None:
    try:
        signed = _RECEIPT_KEY.sign(text_of(case)).line.encode() + b"\n"
    except NoteError:  # no note
        signed = b""
    for whole in (case + b"\n" + signed, case):
        for told in (to_base64url(whole), text_of(case)):
            try:
                open_receipt(told, [_RECEIPT_KEY.verifier])
            except NoteError:
                continue


def _receipts() -> list[bytes]:
    hashed = "A" * 43 + "="
    return [f"{_RECEIPT_KEY.verifier.name}\nentry {hashed}\ntime 1763632800\n".encode()]


def _log_keys(case: bytes) -> None:
    try:
        told = json.loads(text_of(case))
    except (ValueError, RecursionError):
        return
    published(told).as_json()


def _keys_told() -> dict[str, Any]:
    log, *witnesses = seeds.vkeys()
    policy = seeds.log_files()[0].decode()
    return {
        "origin": log.partition("+")[0],
        "log": [log],
        "receipt": [log],
        "witnesses": [{"vkey": each, "organisation": "post-be"} for each in witnesses],
        "policy": policy,
    }


def _package(case: bytes) -> None:
    """As the file, and as each of the parts of a sound one."""
    names = (ENTRIES, KEYS, TAG_KEYS, "checkpoint", "proofs/3.tlog-proof")
    attempts = [case, *(_zipped({**_parts(), name: case}) for name in names)]
    for each in attempts:
        try:
            with open_package(file_of(each, "package.zip")) as package:
                for reading in _readings(package):
                    try:
                        reading()
                    except AuditError:
                        continue
        except AuditError:
            continue


def _readings(package: Package) -> Iterator[Callable[[], object]]:
    yield package.checkpoint
    yield package.trust
    yield package.organisation
    yield lambda: list(package.entry_lines())
    yield lambda: package.proof(3)


@functools.cache
def _parts() -> dict[str, bytes]:
    return {
        "checkpoint": seeds.notes()[-1],
        ENTRIES: seeds.log_entries()[0] + b"\n",
        KEYS: json.dumps(_keys_told()).encode(),
        TAG_KEYS: b'{"organisation":"post-be","keys":[{"key":"AAAA"}]}',
        "proofs/3.tlog-proof": seeds.log_files()[1],
    }


def _zipped(parts: dict[str, bytes]) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return into.getvalue()


def _witness_request(case: bytes) -> None:
    request = AddCheckpoint.parse(case)
    keys = tuple(VerifierKey.parse(each) for each in seeds.vkeys())
    judge(Watched(origin_of(request), keys, None), request)


def _filter_header(case: bytes) -> None:
    try:
        document = json.loads(text_of(case))
    except (ValueError, RecursionError):
        return
    try:
        message = json.dumps(
            document, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()
    except (ValueError, TypeError, RecursionError):
        message = b""
    signed = {
        "document": document,
        "key": to_base64url(_KEY.public_key().public_bytes_raw()),
        "signature": to_base64url(_KEY.sign(b"PN-filter-v1\n" + message)),
    }
    token_filter.read(signed, _FINGERPRINT, _NOON)


def _header(content: bytes) -> FilterHeader:
    return FilterHeader(
        platform="Postern",
        organisation="post-be",
        issue=UUID(int=7),
        seq=3,
        purpose=Purpose.PARCEL_SCREENING,
        legal_basis=LegalBasis.POSTAL_LAW,
        epochs={EvaluationKind.POSTAL: 1},
        salt=bytes(32),
        count=len(content) // RECORD_SIZE,
        sha256=hashlib.sha256(content).digest(),
        created_at=datetime(2026, 11, 20, 6, tzinfo=UTC),
        expires_at=datetime(2026, 11, 27, 6, tzinfo=UTC),
    )


def _filter_content(case: bytes) -> None:
    for content in (case, case[: len(case) // RECORD_SIZE * RECORD_SIZE]):
        try:
            found = TokenFilter(_header(content), content)
            found.lists(bytes(16), 1)
        except TokenFilterError:
            continue
    changed(_content(), case)


@functools.cache
def _content() -> bytes:
    return content_of((tag(bytes(32), bytes((n,)) * 16), 1 + n % 13) for n in range(20))


def _octets(case: bytes) -> None:
    try:
        split(case)
    except ValueError as error:
        if "Split it" not in str(error):
            raise
    unpacked(case, 3)


TARGETS = (
    Target(
        "platform-answer", _platform_answer, (ClientError, EntryRefusedError), _platform_answers, 2
    ),
    Target("taxii-answer", _taxii_answer, (TaxiiError,), _taxii_answers, 10),
    Target("server-page", _server_page, (), _server_pages),
    Target("taxii-object", _kept_object, (), seeds.bundles),
    Target("holder-answer", _holder_answer, (), _holder_answers),
    Target("receipt", _receipt, (), _receipts),
    Target("log-keys", _log_keys, (AuditError,), lambda: [json.dumps(_keys_told()).encode()]),
    Target("log-package", _package, (), lambda: [_zipped(_parts()), *_parts().values()], 10),
    Target("witness-request", _witness_request, (MalformedError,), seeds.notes),
    Target(
        "filter-header",
        _filter_header,
        (TokenFilterError,),
        lambda: [json.dumps(token_filter.document_of(_header(_content()))).encode()],
    ),
    Target(
        "filter-content",
        _filter_content,
        (TokenFilterError,),
        lambda: [_content(), (1).to_bytes(4, "big") + _content()[:9] + _content()[9:17]],
    ),
    Target(
        "key-publications",
        lambda case: read_publications(case.splitlines()),
        (ClientError,),
        seeds.log_entries,
    ),
    Target(
        "evaluation-octets",
        _octets,
        (ClientError,),
        lambda: [group.GENERATOR * 3 + bytes(64), group.GENERATOR],
    ),
)
