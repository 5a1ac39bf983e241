"""A TAXII 2.1 server on the loopback interface, which can be told to misbehave as real ones do."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid5

MEDIA_TYPE = "application/taxii+json;version=2.1"
COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
STATUS = "2d086da7-4bdc-4f91-900e-d77486753710"
_NAMES = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


def indicator(number: int, version: int = 0, **more: Any) -> dict[str, Any]:
    """An indicator; `version` is the second at which it was modified."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid5(_NAMES, str(number))}",
        "created": "2026-11-01T00:00:00.000Z",
        "modified": f"2026-11-01T00:00:{version:02}.000Z",
        "name": f"Indicator {number}",
        "pattern": f"[user-account:user_id = 'secret-{number}-{version}']",
        "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z",
        **more,
    }


def moment(number: int) -> str:
    """A date_added, in the order of numbers."""
    return f"2026-11-02T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000001Z"


@dataclass
class Reply:
    """An answer that is given instead of the server's own."""

    status: int
    body: Any = None  # JSON, or bytes as they are
    headers: dict[str, str] = field(default_factory=dict)


class LoopbackTaxii:
    """The state of one server, and what it was asked. Tests change it while it runs."""

    def __init__(self) -> None:
        self.address = ""
        self.entries: list[tuple[str, dict[str, Any]]] = []  # (date_added, object), ascending
        self.gives_next = True
        self.gives_dates = True
        self.is_exact = False
        self.most = 1000  # objects in a page
        self.stale: set[str] = set()  # tokens that will be refused once
        self.discovery: dict[str, Any] | None = None
        self.collections: list[Any] = [
            {
                "id": COLLECTION,
                "title": "Parcels",
                "alias": "parcels",
                "description": "What others share.",
                "can_read": True,
                "can_write": True,
                "media_types": ["application/stix+json;version=2.1"],
            }
        ]
        self.largest = 2**20
        self.received: list[list[dict[str, Any]]] = []
        self.deleted: list[str] = []
        self.replies: dict[str, list[Reply]] = {}  # path -> answers given instead, in order
        self.asked: list[tuple[str, str, dict[str, str]]] = []  # method, path, arguments
        self.headers: list[Mapping[str, str]] = []
        self.before_page: Callable[[], None] = lambda: None
        self.receipt: Callable[[], str] = lambda: ""

    def put(self, *objects: dict[str, Any], at: str | None = None) -> None:
        """Add objects, each at the next date or all at one."""
        for each in objects:
            self.entries.append((at or moment(len(self.entries) + 1), each))
        self.entries.sort(key=lambda entry: entry[0])

    def pages(self) -> list[dict[str, str]]:
        """The arguments of each request for objects."""
        return [asked for _, path, asked in self.asked if path.endswith("/objects/")]

    def answer(  # noqa: PLR0911 - one line for each resource
        self, method: str, target: str, body: bytes
    ) -> Reply:
        """What the server says."""
        path = urlsplit(target).path
        asked = dict(parse_qsl(urlsplit(target).query))
        self.asked.append((method, path, asked))
        if self.replies.get(path):
            return self.replies[path].pop(0)
        place = f"/lab/collections/{COLLECTION}/"
        match method, path:
            case "GET", "/taxii2/":
                own = {"x_postern": {"organisation": "lab", "exact_cursor": True}}
                usual = {"title": "Lab", "contact": "lab", "api_roots": ["/lab/"]}
                return Reply(200, self.discovery or usual | (own if self.is_exact else {}))
            case "GET", "/lab/":
                told = {"title": "Root", "versions": [MEDIA_TYPE]}
                return Reply(200, told | {"max_content_length": self.largest})
            case "GET", "/lab/collections/":
                return Reply(200, {"collections": self.collections})
            case "GET", found if found in {f"{place}objects/", f"{place}manifest/"}:
                return self._page(asked, is_manifest=found.endswith("manifest/"))
            case "POST", found if found == f"{place}objects/":
                return self._take(body)
            case "GET", found if found == f"/lab/status/{STATUS}/":
                return Reply(200, self._status([]))
            case "DELETE", found if found.startswith(f"{place}objects/"):
                self.deleted.append(f"{found.split('/')[-2]} {asked}")
                return Reply(200)
        return Reply(404, {"title": "Not found", "http_status": "404"})

    def _page(self, asked: Mapping[str, str], *, is_manifest: bool) -> Reply:
        self.before_page()
        if asked.get("next") in self.stale:
            self.stale.discard(asked["next"])
            return Reply(400, {"title": "The token is over", "http_status": "400"})
        after = asked.get("next", asked.get("added_after", ""))
        last = {each["id"]: each.get("modified") for _, each in self.entries}
        found = [
            (at, each)
            for at, each in self.entries
            if at > after
            and each.get("modified") == last[each["id"]]
            and each["id"] in asked.get("match[id]", each["id"]).split(",")
        ]
        page = found[: min(self.most, int(asked.get("limit", "100")))]
        more = len(page) < len(found)
        told_receipt = self.receipt()
        receipt = {"Postern-Receipt": told_receipt} if told_receipt else {}
        if not page:
            return Reply(200, {}, receipt)
        objects = [
            {"id": each["id"], "date_added": at, "version": each.get("modified", at)}
            if is_manifest
            else each
            for at, each in page
        ]
        told: dict[str, Any] = {"objects": objects, "more": more}
        if more and self.gives_next:
            told["next"] = page[-1][0]
        dates = {"First": page[0][0], "Last": page[-1][0]} if self.gives_dates else {}
        added = {f"X-TAXII-Date-Added-{name}": at for name, at in dates.items()}
        return Reply(200, told, added | receipt)

    def _take(self, body: bytes) -> Reply:
        if len(body) > self.largest:
            return Reply(413, {"title": "Too large", "http_status": "413"})
        objects = json.loads(body)["objects"]
        self.received.append(objects)
        return Reply(202, self._status(objects))

    def _status(self, objects: list[dict[str, Any]]) -> dict[str, Any]:
        refused = [each for each in objects if each.get("name") == "Refused"]
        return {
            "id": STATUS,
            "status": "complete",
            "total_count": len(objects),
            "success_count": len(objects) - len(refused),
            "failure_count": len(refused),
            "pending_count": 0,
            "failures": [{"id": each["id"], "message": "No."} for each in refused],
        }


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client may hang up."""


@contextmanager
def serving(taxii: LoopbackTaxii) -> Iterator[LoopbackTaxii]:
    """The server over real HTTP, as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # the head and body leave apart; without it each waits 40 ms

        def do_GET(self) -> None:
            self._respond()

        def do_POST(self) -> None:
            self._respond()

        def do_DELETE(self) -> None:
            self._respond()

        def log_message(self, *_: object) -> None:
            pass

        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            taxii.headers.append(dict(self.headers))
            reply = taxii.answer(self.command, self.path, body)
            is_raw = isinstance(reply.body, bytes)
            content = reply.body if is_raw else json.dumps(reply.body or {}).encode()
            self.send_response(reply.status)
            headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(content))}
            for name, text in (headers | reply.headers).items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

    server = _Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    taxii.address = f"http://127.0.0.1:{server.server_address[1]}/taxii2/"
    try:
        yield taxii
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
