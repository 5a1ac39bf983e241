"""A platform on the loopback interface, for tests of the client: it answers over real HTTP, with
real keys and proofs, and can be told to misbehave.
"""

import base64
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from postern import key_document, voprf
from postern.key_document import KeyDocument, KeyEpoch
from postern.normalise import NORMALISER_VERSION
from postern.pseudonym import derive_epoch_key
from postern.vocabulary import EvaluationKind

TOKEN = "pst_loopback"
ORGANISATION = {"code": "post-be", "name": "Post of Example", "sector": "post", "country": "BE"}

_SEED = bytes(range(32))
_NAMES = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
_ONE = (1).to_bytes(32, "little")


def now() -> datetime:
    """This moment, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def to_text(content: bytes) -> str:
    """Base64url without padding, written apart from the code under test."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def to_bytes(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Reply:
    """An answer that the platform gives instead of its own."""

    status: int
    body: Any = None  # JSON, or bytes as they are
    headers: dict[str, str] = field(default_factory=dict)


def problem(status: int, code: str, **more: Any) -> Reply:
    """A refusal in the platform's form; `headers` are split off."""
    headers = more.pop("headers", {})
    told = {"status": status, "code": code, "detail": f"It is {code}.", "remedy": "Mend it."}
    return Reply(status, {**told, **more}, headers)


class LoopbackPlatform:
    """The state of one platform, and what it was asked. Tests change it while it runs."""

    def __init__(self) -> None:
        self.address = ""
        self.directory_key = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
        self.epochs = dict.fromkeys(EvaluationKind, 1)
        self.published = dict(self.epochs)  # in the key document; a stale one lags behind
        self.issued_at = now() - timedelta(hours=1)
        self.lifetime = timedelta(days=7)
        self.date = timedelta(0)  # how far the platform's clock is ahead
        self.me: dict[str, Any] = {
            "person": str(uuid5(_NAMES, "person")),
            "organisation": ORGANISATION,
            "roles": ["analyst", "submitter"],
            "scopes": ["evaluate", "lookups:write", "reports:write", "indicators:read"],
            "expires_at": (now() + timedelta(days=30)).isoformat(),
        }
        self.quota: int | None = None  # evaluations left of each kind; None: plenty
        self.resets_at = now() + timedelta(minutes=30)
        self.forges_proofs = False
        self.splits_keys = False
        self.refuses: dict[str, list[dict[str, str]]] = {}  # client key -> errors
        self.refuse_rows_with: str | None = None  # a kind whose reports are rejected
        self.body_limit = 8 * 2**20
        self.hits: list[dict[str, Any]] = []
        self.shared: list[dict[str, Any]] = []
        self.counts: list[dict[str, Any]] = []
        self.replies: dict[str, list[Reply]] = {}  # path -> answers given instead, in order
        self.calls: list[tuple[str, str, Mapping[str, str]]] = []
        self.bodies: list[tuple[str, Any]] = []
        self.asked: list[tuple[str, dict[str, str]]] = []  # paths with the arguments in them
        self.evaluated: Counter[str] = Counter()
        self.stored: dict[str, tuple[str, str]] = {}  # client key -> (content, id)
        self.taken: dict[str, dict[str, Any]] = {}  # report id -> the report as it was created
        self.directory: dict[str, list[dict[str, Any]]] = {}  # code -> signed entries
        self.alarms: list[tuple[str, dict[str, Any]]] = []  # code -> what a client reported
        self.tokens = {TOKEN: ORGANISATION["code"]}
        self.bearer = ""  # code of the organisation that is answered

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(1 for _, asked, _ in self.calls if asked == path)

    def sent_to(self, path: str) -> list[Any]:
        """The bodies that were posted to a path."""
        return [body for asked, body in self.bodies if asked == path]

    @property
    def fingerprint(self) -> str:
        return key_document.fingerprint(self.directory_key.public_key().public_bytes_raw())

    def keys(self) -> dict[str, object]:
        """The signed key document."""
        document = KeyDocument(
            platform="Loopback",
            issued_at=self.issued_at,
            expires_at=self.issued_at + self.lifetime,
            epochs=tuple(
                KeyEpoch(
                    kind=kind.value,
                    epoch=epoch,
                    norm=NORMALISER_VERSION,
                    public_key=derive_epoch_key(_SEED, kind, epoch)[1],
                    valid_from=self.issued_at + timedelta(minutes=epoch),
                    valid_to=self.issued_at + timedelta(days=365),
                )
                for kind in sorted(EvaluationKind)
                for epoch in range(1, self.published[kind] + 1)
            ),
        )
        return key_document.sign(document, self.directory_key)

    def serve(self, method: str, path: str, headers: Mapping[str, str], raw: bytes | None) -> Reply:
        """What it says to one request over HTTP, whose token may be refused."""
        self.calls.append((method, path, headers))
        is_octets = headers.get("Content-Type") == "application/octet-stream"
        body = json.loads(raw) if raw and not is_octets else raw
        if body is not None:
            self.bodies.append((path, body))
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        self.bearer = self.tokens.get(token, "")
        if path.startswith("/.well-known/") or token in self.tokens or path in self.replies:
            return self.answer(method, path, body)
        return problem(401, "sign-in-needed")

    def answer(self, method: str, address: str, body: Any) -> Reply:
        """What the platform says to one request."""
        path, _, query = address.partition("?")
        asked = dict(parse_qsl(query, keep_blank_values=True))
        if asked:
            self.asked.append((path, asked))
        if waiting := self.replies.get(path):
            return waiting.pop(0)
        answers: dict[tuple[str, str], Callable[[], Reply]] = {
            ("GET", "/.well-known/postern-keys.json"): lambda: Reply(200, self.keys()),
            ("GET", "/api/v1/me"): lambda: Reply(200, self.me),
            ("POST", "/api/v1/evaluate"): lambda: self._evaluate(body),
            ("POST", "/api/v1/reports"): lambda: self._take(body),
            ("POST", "/api/v1/lookups"): lambda: self._look_up(body),
            ("GET", "/api/v1/indicators"): lambda: self._list(asked),
            ("GET", "/api/v1/indicators/counts"): lambda: Reply(200, {"counts": self.counts}),
        }
        found = answers.get((method, path))
        return found() if found else self.answer_more(method, path, asked, body)

    def answer_more(self, method: str, path: str, asked: Mapping[str, str], body: Any) -> Reply:
        """What it says to requests for objects; `asked` are the arguments."""
        place = path.split("/")[3:]
        if place[0] == "organisations" and place[-1] == "keys":
            entries = self.directory.get(place[1], [])
            return Reply(200, {"organisation": place[1], "entries": entries, "published": []})
        if place[0] == "organisations" and place[-1] == "alarm":
            self.alarms.append((place[1], body))
            return Reply(201, {})
        return problem(404, "not-found")

    def _evaluate(self, body: Any) -> Reply:
        kind, epoch = EvaluationKind(body["kind"]), body["epoch"]
        if epoch != self.epochs[kind]:
            return problem(409, "epoch-closed", epoch=self.epochs[kind])
        count = len(body["elements"])
        assert 1 <= count <= 1000
        assert len(set(body["elements"])) == count
        if self.quota is not None:
            if self.quota < count:
                seconds = max(1, int((self.resets_at - now()).total_seconds()))
                headers = {"Retry-After": str(seconds)}
                return problem(
                    429, "quota-spent", resets_at=self.resets_at.isoformat(), headers=headers
                )
            self.quota -= count
        self.evaluated[kind.value] += count
        secret, public = derive_epoch_key(_SEED, kind, epoch)
        if self.forges_proofs:
            secret, public = derive_epoch_key(bytes(32), kind, epoch)
        evaluated, proof = voprf.evaluate(secret, public, list(map(to_bytes, body["elements"])))
        part = {
            "key_id": f"{kind}/{epoch}",
            "weight": to_text(_ONE),
            "elements": list(map(to_text, evaluated)),
            "proof": to_text(proof),
        }
        left = 10**6 if self.quota is None else self.quota
        quota = {"left": left, "resets_at": self.resets_at.isoformat()}
        parts = [part, part] if self.splits_keys else [part]
        return Reply(200, {"kind": kind, "epoch": epoch, "parts": parts, "quota": quota})

    def _take(self, body: Any) -> Reply:
        if len(json.dumps(body)) > self.body_limit:
            return problem(413, "too-large")
        results = [self._take_one(report) for report in body["reports"]]
        return Reply(200, {"results": results, "counts": Counter(r["status"] for r in results)})

    def _take_one(self, report: dict[str, Any]) -> dict[str, Any]:
        key = report["client_key"]
        unsealed = [{**each, "sealed": None} for each in report["indicators"]]
        told = {**report, "client_key": None, "indicators": unsealed}
        content = json.dumps(told, sort_keys=True)
        errors = list(self.refuses.get(key, ()))
        for place, indicator in enumerate(report["indicators"]):
            if "epoch" in indicator and indicator["epoch"] not in self.epochs.values():
                errors.append(_error(f"indicators.{place}.epoch"))
            if indicator["kind"] == self.refuse_rows_with:
                errors.append(_error(f"indicators.{place}.tlp"))
        if key in self.stored:
            known, identifier = self.stored[key]
            if known != content:
                errors = [_error("client_key")]
        else:
            identifier = str(uuid5(_NAMES, key))
        if errors:
            return {
                "client_key": key,
                "status": "rejected",
                "id": None,
                "indicators": [],
                "errors": errors,
            }
        status = "existing" if key in self.stored else "created"
        self.taken.setdefault(identifier, report)
        self.stored[key] = (content, identifier)
        return {
            "client_key": key,
            "status": status,
            "id": identifier,
            "indicators": [],
            "errors": [],
        }

    def _list(self, asked: Mapping[str, str]) -> Reply:
        start, limit = int(asked.get("cursor", "0")), int(asked["limit"])
        end = start + limit
        following = str(end) if end < len(self.shared) else None
        return Reply(200, {"indicators": self.shared[start:end], "next": following})

    def _look_up(self, body: Any) -> Reply:
        results = [{"id": each["id"], "hits": self.hits, "more": False} for each in body["queries"]]
        told = {"lookup": str(uuid5(_NAMES, "lookup")), "asked_at": now().isoformat()}
        return Reply(200, {**told, "results": results})


def _error(name: str) -> dict[str, str]:
    return {"field": name, "reason": "It is not right.", "remedy": "Mend it."}


@contextmanager
def serving(platform: LoopbackPlatform) -> Iterator[LoopbackPlatform]:
    """Serve a platform on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve("GET", None)

        def do_POST(self) -> None:
            self._serve("POST", self.rfile.read(int(self.headers["Content-Length"])))

        def do_DELETE(self) -> None:
            self._serve("DELETE", None)

        def _serve(self, method: str, raw: bytes | None) -> None:
            self._send(platform.serve(method, self.path, dict(self.headers), raw))

        def _send(self, reply: Reply) -> None:
            told = reply.body
            content = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response_only(reply.status)
            self.send_header("Date", format_datetime(now() + platform.date, usegmt=True))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, text in reply.headers.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing: the tests look at `calls`."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Nothing: a client that goes away is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    platform.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield platform
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
