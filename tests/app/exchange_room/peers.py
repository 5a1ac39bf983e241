"""A TAXII server of others on loopback, as strange as a test wants it, and objects it may send."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

from postern.stix.records import IndicatorRecord, OwnerRecord, ReportRecord
from postern.stix.tokens import exchange_token, reference
from postern.stix.writing import identity_of, objects_of
from postern.vocabulary import (
    Assertion,
    InformationGrade,
    Kind,
    Learned,
    LegalBasis,
    Level,
    PartyRole,
    PermittedAction,
    Sector,
    SourceGrade,
    SubjectCategory,
    Tlp,
)

TAXII = "application/taxii+json;version=2.1"
COLLECTION = "/api1/collections/9b1f0c5e-3c67-4b7d-9f66-0a4f1b8a7d11/"
OWNER = OwnerRecord("post-fr", "Poste de France", Sector.POST, "FR")

_KEY = bytes(range(32))
_MADE = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    """One answer; `last` is the X-TAXII-Date-Added-Last."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """One question, as it came."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


Answering = Callable[[Asked], Answer]


@dataclass
class Peer:
    """A server that answers by `answering`, and what it was asked."""

    answering: Answering = lambda _asked: envelope([])
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        """Of its one collection."""
        return f"http://127.0.0.1:{self.port}{COLLECTION}"

    def says(self, *answers: Answer) -> None:
        """One answer after the other, then nothing new."""
        left = list(answers)
        self.answering = lambda _asked: left.pop(0) if left else envelope([])


def envelope(
    objects: list[Any],
    last: str = "",
    *,
    more: bool = False,
    following: str = "",
    receipt: str = "",
) -> Answer:
    """A page as TAXII 2.1 has it."""
    content: dict[str, Any] = {"more": more}
    if objects:
        content["objects"] = objects
    if following:
        content["next"] = following
    told = {"Content-Type": TAXII, **({"X-TAXII-Date-Added-Last": last} if last else {})}
    if receipt:
        told["Postern-Receipt"] = receipt
    return Answer(json.dumps(content).encode(), headers=told)


@contextmanager
def peer_server(peer: Peer) -> Iterator[Peer]:
    """The peer on a free port of loopback, until the end of the block."""

    class Receiver(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            asked = Asked(parts.path, query, {k.lower(): v for k, v in self.headers.items()})
            peer.asked.append(asked)
            answer = peer.answering(asked)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that has read enough

    server = Server(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    peer.port = int(server.server_address[1])
    try:
        yield peer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def record(name: UUID | None = None, **fields: Any) -> IndicatorRecord:
    """An indicator of another platform, with a token."""
    public_id = name or uuid4()
    given: dict[str, Any] = {
        "name": public_id,
        "created": _MADE,
        "modified": _MADE,
        "owner": OWNER,
        "report": ReportRecord(uuid4(), barrier_step=4),
        "level": Level.METADATA,
        "kind": Kind.PARTY,
        "role": PartyRole.SENDER,
        "subject_category": SubjectCategory.SUSPECT,
        "assertion": Assertion.FACT,
        "source_grade": SourceGrade.X,
        "information_grade": InformationGrade.FOUR,
        "learned": Learned.OUTSIDE_OF_ITEM,
        "legal_basis": LegalBasis.POSTAL_LAW,
        "tlp": Tlp.AMBER,
        "handling": (),
        "permitted_action": PermittedAction.KNOW,
        "review_on": date(2090, 1, 1),
        "expires_on": date(2090, 12, 31),
        "reference": reference(_KEY, public_id),
        "epoch": 3,
        "tokens": ((7, exchange_token(_KEY, Kind.PARTY, 3, bytes(16))),),
    }
    return IndicatorRecord(**given | fields)


def indicator(name: UUID | None = None, **fields: Any) -> dict[str, Any]:
    """The same as its platform writes it."""
    made: dict[str, Any] = json.loads(objects_of(record(name, **fields)).own[0].text)
    return made


def identity() -> dict[str, Any]:
    """Who the indicator comes from."""
    made: dict[str, Any] = json.loads(identity_of(OWNER).text)
    return made


def revoked(sent: Mapping[str, Any], modified: str) -> dict[str, Any]:
    """A later version that takes an object back."""
    return {**sent, "revoked": True, "modified": modified}


def clear(number: int = 0) -> dict[str, Any]:
    """An indicator as others write it: in clear."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid4()}",
        "created": "2026-11-20T08:00:00.000Z",
        "modified": "2026-11-20T08:00:00.000Z",
        "name": "Jan de Vries",
        "pattern": f"[email-addr:value = 'jan.{number}@mail.example']",
        "pattern_type": "stix",
        "valid_from": "2026-11-20T08:00:00Z",
    }
