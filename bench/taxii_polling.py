"""What a poller never sees while eight writers add.

The poller does as OpenCTI does: it asks for what was added after the last X-TAXII-Date-Added-Last,
again and again, and goes on for a while after the last writer ended.
"""

import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bench.taxii_objects import submissions
from bench.taxii_peers import Server
from bench.taxii_wire import OBJECT, AnswerError, Line, post

WRITERS = 8
_POSTS = 6  # of each writer
_OBJECTS = 10  # of each
_QUIET_SECONDS = 3.0  # without anything new, after the last writer ended
_LATEST_SECONDS = 120.0


@dataclass(frozen=True)
class Polled:
    """One run: objects that were added, that the poller was given, and posts that failed."""

    added: int
    seen: int
    failures: list[str]

    def figures(self) -> dict[str, Any]:
        """What the JSON line says of it."""
        return {"added": self.added, "lost": self.added - self.seen, "failed_posts": self.failures}


def polled(server: Server, owner: str, patience: float) -> Polled:
    """Let the writers write and the poller poll; both may be different organisations."""
    after = server.last
    texts = [[submissions(owner, _OBJECTS) for _ in range(_POSTS)] for _ in range(WRITERS)]
    added: list[int] = []
    failures: list[str] = []
    threads = [
        threading.Thread(target=_write, args=(server, each, patience, added, failures))
        for each in texts
    ]
    for thread in threads:
        thread.start()
    line = Line(server.reading.port, patience)
    seen = 0
    ended = time.monotonic() + _LATEST_SECONDS
    quiet_since = None
    while time.monotonic() < ended:
        is_written = not any(thread.is_alive() for thread in threads)
        answer = line.ask(server.reading.request(f"objects/?limit=1000&added_after={quote(after)}"))
        if answer.status != 200:
            raise AnswerError(f"{answer.status}: {answer.body[:200]!r}")
        fresh = answer.body.count(OBJECT)
        seen += fresh
        after = answer.headers.get("x-taxii-date-added-last", after)
        if fresh or not is_written:
            quiet_since = None
        elif quiet_since is None:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > _QUIET_SECONDS:
            break
        if not fresh:
            time.sleep(0.005)
    for thread in threads:
        thread.join()
    line.close()
    return Polled(sum(added), seen, failures)


def _write(
    server: Server,
    batches: list[list[str]],
    patience: float,
    added: list[int],
    failures: list[str],
) -> None:
    line = Line(server.writing.port, patience)
    for batch in batches:
        try:
            post(line, server.writing, batch, server.status)
        except AnswerError as error:
            failures.append(str(error)[:200])
        else:
            added.append(len(batch))
    line.close()
