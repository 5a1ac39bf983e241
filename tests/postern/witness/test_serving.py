"""The witness over HTTP, as C2SP tlog-witness has it."""

import http.client
import threading
from collections.abc import Iterator

import pytest

from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import Note, parse_signatures, verified
from postern.witness.rounds import Answer
from postern.witness.serving import WitnessServer
from postern.witness.state import Store
from tests.postern.tlog.vectors import numbered
from tests.postern.witness.conftest import SignedLog, watched

TELLING = "text/plain; charset=utf-8"


class Served:
    """A witness that answers, one connection to it, and what it was told."""

    def __init__(self, server: WitnessServer, heard: list[Answer]) -> None:
        self.heard = heard
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", int(server.server_address[1]), timeout=20
        )

    def post(self, body: bytes, path: str = "/add-checkpoint") -> tuple[int, str, bytes]:
        self.connection.request("POST", path, body)
        answer = self.connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()


@pytest.fixture
def served(store: Store) -> Iterator[Served]:
    heard: list[Answer] = []
    with WitnessServer(("127.0.0.1", 0), store, heard.append) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        client = Served(server, heard)
        yield client
        client.connection.close()
        server.shutdown()
        thread.join(20)


def test_an_accepted_checkpoint_is_answered_with_its_cosignature(
    served: Served, store: Store, log: SignedLog
) -> None:
    status, kind, body = served.post(log.request(0).encode())
    assert (status, kind) == (200, TELLING)
    note = Note(Note.parse(log.note()).text, parse_signatures(body))
    assert [each.key for each in verified(note, [store.key().verifier])] == [store.key().verifier]
    assert watched(store).size == 10


def test_one_connection_carries_several_requests(served: Served, log: SignedLog) -> None:
    statuses = [served.post(log.request(0).encode())[0]]
    log.grow(numbered(20)[10:])
    statuses += [served.post(log.request(old).encode())[0] for old in (10, 20)]
    assert statuses == [200, 200, 200]


def test_a_conflict_tells_the_size_that_was_cosigned(served: Served, log: SignedLog) -> None:
    served.post(log.request(0).encode())
    assert served.post(log.request(0).encode()) == (409, "text/x.tlog.size", b"10\n")


def test_a_second_log_is_refused_and_told(served: Served, store: Store, log: SignedLog) -> None:
    served.post(log.request(0).encode())
    forged = SignedLog([*numbered(9), leaf_hash(b"forged"), *numbered(15)[10:]])
    status, kind, body = served.post(forged.request(10).encode())
    assert (status, kind) == (422, TELLING)
    assert str(store.directory).encode() not in body
    assert served.heard[-1].alarm
    assert len(store.evidence()) == 1


@pytest.mark.parametrize(
    ("body", "path", "status"),
    [
        (b"", "/add-checkpoint", 400),
        (b"old 1", "/add-checkpoint", 400),
        (b"old 0\n\nother.example\n", "/add-checkpoint", 404),
        (b"old 0\n\n", "/another", 404),
        (b"x" * 70_000, "/add-checkpoint", 413),
    ],
)
def test_what_is_no_request_is_refused(served: Served, body: bytes, path: str, status: int) -> None:
    assert served.post(body, path)[0] == status


def test_a_body_of_unknown_length_is_refused(served: Served) -> None:
    # The head alone: a body sent after the refusal may find the connection closed.
    served.connection.putrequest("POST", "/add-checkpoint")
    served.connection.putheader("Transfer-Encoding", "chunked")
    served.connection.endheaders()
    assert served.connection.getresponse().status in {411, 501}


def test_a_length_that_no_number_can_be_is_too_large(served: Served) -> None:
    served.connection.putrequest("POST", "/add-checkpoint")
    served.connection.putheader("Content-Length", "9" * 5000)
    served.connection.endheaders()
    assert served.connection.getresponse().status == 413


def test_a_state_that_cannot_be_read_is_told_here_and_not_to_who_asks(
    served: Served, store: Store, log: SignedLog
) -> None:
    (path,) = (store.directory / "logs").iterdir()
    path.write_text("{")
    assert served.post(log.request(0).encode()) == (500, TELLING, b"")
    assert str(path) in served.heard[-1].verdict.reason
