"""A thin HTTP client over sockets, so that what is measured is the server and not its client.

A connection is kept as long as the server keeps it, and made anew, within the time measured, when
it does not: gunicorn's plain workers and Flask's own server close it after each answer.
"""

import json
import random
import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from urllib.parse import quote

MEDIA = "application/taxii+json;version=2.1"
OBJECT = b'"spec_version"'
"""What stands once in each object of an envelope."""

RECORD = b'"media_type"'
"""What stands once in each record of a manifest."""

_CHUNK = 1 << 18
_MORE = re.compile(rb'"more":\s*true')
_NEXT = re.compile(rb'"next":\s*"([^"]+)"')


@dataclass(frozen=True)
class Door:
    """Where a collection is reached, and as whom."""

    port: int
    collection: str  # path of the collection, with its final slash
    authorization: str

    def request(self, path: str, body: bytes | None = None) -> bytes:
        """A whole request for `path` below the collection, or for a path from the root."""
        path = path if path.startswith("/") else self.collection + path
        lines = [
            f"{'GET' if body is None else 'POST'} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            f"Accept: {MEDIA}",
            f"Authorization: {self.authorization}",
        ]
        if body is not None:
            lines += [f"Content-Type: {MEDIA}", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


@dataclass(frozen=True)
class Answer:
    """What came back; the names of the headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body or b"{}")


class AnswerError(Exception):
    """A server answered with another status than asked for, late, or not at all."""


class Line:
    """One connection to a server on loopback."""

    def __init__(self, port: int, patience: float) -> None:
        self._port = port
        self._patience = patience  # seconds that any part of an answer may take
        self._socket: socket.socket | None = None

    def ask(self, request: bytes) -> Answer:
        """The answer; AnswerError when there is none in time."""
        for attempt in (1, 2):
            is_new = self._socket is None
            try:
                return self._ask(request)
            except TimeoutError:
                self.close()
                raise AnswerError(f"no answer within {self._patience:.0f} s") from None
            except (ConnectionError, EOFError) as error:
                self.close()
                # A kept connection may have been closed since; a new one must work.
                if is_new or attempt == 2:
                    raise AnswerError(f"connection lost: {error!r}") from None
        raise AssertionError

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, request: bytes) -> Answer:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), self._patience)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        open_socket = self._socket
        open_socket.sendall(request)
        read = bytearray()
        while (end := read.find(b"\r\n\r\n")) < 0:
            self._more(open_socket, read)
        first, *lines = bytes(read[:end]).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (each.partition(":") for each in lines)
        }
        rest = read[end + 4 :]
        if "content-length" in headers:
            size = int(headers["content-length"])
            while len(rest) < size:
                self._more(open_socket, rest)
            body = bytes(rest)
        elif headers.get("transfer-encoding") == "chunked":
            body = self._chunks(open_socket, rest)
        else:
            body = self._all(open_socket, rest)
        if headers.get("connection", "").lower() == "close" or first.startswith("HTTP/1.0"):
            self.close()
        return Answer(int(first.split(" ", 2)[1]), headers, body)

    @staticmethod
    def _more(open_socket: socket.socket, read: bytearray) -> None:
        part = open_socket.recv(_CHUNK)
        if not part:
            raise EOFError("closed before the end")
        read += part

    def _chunks(self, open_socket: socket.socket, read: bytearray) -> bytes:
        body = bytearray()
        while True:
            while (end := read.find(b"\r\n")) < 0:
                self._more(open_socket, read)
            size = int(bytes(read[:end]).split(b";")[0], 16)
            del read[: end + 2]
            while len(read) < size + 2:
                self._more(open_socket, read)
            body += read[:size]
            del read[: size + 2]
            if not size:
                return bytes(body)

    def _all(self, open_socket: socket.socket, read: bytearray) -> bytes:
        while part := open_socket.recv(_CHUNK):
            read += part
        self.close()
        return bytes(read)


@dataclass
class Timed:
    """Latencies in seconds, and how many answers were not what they should be."""

    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Timed") -> None:
        self.latencies += other.latencies
        self.failures += other.failures

    def figures(self) -> dict[str, Any]:
        """Milliseconds; None where nothing was answered."""
        ordered = sorted(self.latencies)
        last = len(ordered) - 1
        return {
            "p50_ms": round(ordered[last // 2] * 1000, 2) if ordered else None,
            "p99_ms": round(ordered[round(last * 0.99)] * 1000, 2) if ordered else None,
            "answers": len(ordered),
            "failures": len(self.failures),
        }


@dataclass(frozen=True)
class Asked:
    """Paths to ask for; each answer must be a 200 in which `what` stands `times` times."""

    paths: Sequence[str]
    times: int = 1
    what: bytes = OBJECT


def timed(door: Door, asked: Asked, clients: int, seconds: float, patience: float) -> Timed:
    """Ask for the paths, shared among the clients, until all are asked or the time is spent."""
    starting = threading.Barrier(clients)
    threads = [
        _Client(
            Line(door.port, patience),
            [door.request(path) for path in asked.paths[number::clients]],
            asked,
            starting,
            seconds,
        )
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    whole = Timed()
    for thread in threads:
        thread.join()
        whole.add(thread.found)
    return whole


def post(line: Line, door: Door, texts: Sequence[str], status: str) -> Answer:
    """Add objects and return when the server has dealt with all; AnswerError if it refused one.

    `status` is the path below which the server keeps its status resources.
    """
    body = ('{"objects":[' + ",".join(texts) + "]}").encode()
    answer = line.ask(door.request("objects/", body))
    while True:
        if answer.status not in (200, 202):
            raise AnswerError(f"{answer.status}: {answer.body[:300]!r}")
        told = answer.json()
        if told.get("failure_count"):
            raise AnswerError(f"refused: {json.dumps(told.get('failures', [])[:1])[:300]}")
        if told["status"] == "complete":
            return answer
        answer = line.ask(door.request(f"{status}{told['id']}/"))


def pages(line: Line, door: Door, size: int, added_after: str | None = None) -> Iterator[Answer]:
    """The objects of the collection, page by page as the server says where the next begins."""
    after = f"&added_after={quote(added_after)}" if added_after else ""
    following = ""
    while True:
        answer = line.ask(door.request(f"objects/?limit={size}{after}{following}"))
        if answer.status != 200:
            raise AnswerError(f"{answer.status}: {answer.body[:300]!r}")
        yield answer
        around = _around_objects(answer.body)
        found = _NEXT.search(around)
        if not found or not _MORE.search(around):
            return
        following = f"&next={quote(found[1].decode())}"


def drawn(paths: Sequence[str], count: int, seed: int) -> list[str]:
    """So many of the paths, by chance."""
    return random.Random(seed).choices(paths, k=count)  # noqa: S311 - variety, not secrecy


def _around_objects(body: bytes) -> bytes:
    """An envelope without its objects, which need not be read to find the next page."""
    before, _, after = body.partition(b'"objects"')
    return before + after[after.rfind(b"]") + 1 :]


class _Client(threading.Thread):
    """One client, which begins with the others; `found` stands when it has ended."""

    def __init__(
        self,
        line: Line,
        requests: Sequence[bytes],
        asked: Asked,
        starting: threading.Barrier,
        seconds: float,
    ) -> None:
        super().__init__()
        self.found = Timed()
        self._line, self._requests, self._asked = line, requests, asked
        self._starting, self._seconds = starting, seconds

    def run(self) -> None:
        self._starting.wait()
        ends = perf_counter() + self._seconds
        for request in self._requests:
            self._ask(request)
            if perf_counter() > ends:
                break
        self._line.close()

    def _ask(self, request: bytes) -> None:
        start = perf_counter()
        try:
            answer = self._line.ask(request)
        except AnswerError as error:
            self.found.failures.append(str(error))
            return
        spent = perf_counter() - start
        if answer.status != 200 or answer.body.count(self._asked.what) != self._asked.times:
            self.found.failures.append(f"{answer.status}: {answer.body[:200]!r}")
        else:
            self.found.latencies.append(spent)
