"""Pushing checkpoints to witnesses that have an address: C2SP tlog-witness, add-checkpoint.

Never inside a database transaction: a witness that answers slowly must not hold up the log. What
it answers is verified like what a witness hands in by itself.
"""

from dataclasses import dataclass
from typing import Protocol

import requests
import structlog
from requests.exceptions import RequestException

from app.audit.cosigning import (
    LARGEST_ANSWER,
    CosignatureRefusedError,
    accept,
    due,
    request_for,
)
from app.audit.witnesses import living
from app.database import Database
from postern.tlog.strict import decimal_of

log = structlog.get_logger(__name__)

_PATH = "/add-checkpoint"
_PATIENCE = (5.0, 10.0)  # seconds to connect, and between two pieces of an answer
_ACCEPTED, _CONFLICT = 200, 409
_ATTEMPTS = 2


class Post(Protocol):
    """Sends a body to an address and returns status and answer; RequestException when it fails."""

    def __call__(self, address: str, body: bytes) -> tuple[int, bytes]: ...


@dataclass(frozen=True)
class Pushed:
    """What a round came to: cosignatures that were kept, and witnesses that gave none."""

    cosigned: int
    failed: int


def push(database: Database, post: Post | None = None, turn: int = 0) -> Pushed:
    """Ask every living witness that has an address to cosign what is due, one by one."""
    send = post or _post
    with database.reading() as session:
        asked = [(row.id, row.address, row.size) for row in living(session) if row.address]
    cosigned = 0
    for witness, address, size in asked:
        try:
            cosigned += _ask(database, send, address, size, turn)
        except (RequestException, CosignatureRefusedError) as failure:
            log.warning("a witness did not cosign", witness=witness, error=type(failure).__name__)
    return Pushed(cosigned, len(asked) - cosigned)


def _ask(database: Database, send: Post, address: str, size: int, turn: int) -> bool:
    """Whether the witness cosigned; tried once more from the size that it says it has seen."""
    for _ in range(_ATTEMPTS):
        with database.reading() as session:
            found = due(session, turn, size)
            if found is None:
                return False
            body = request_for(session, found, min(size, found.size)).encode()
        status, answer = send(address.rstrip("/") + _PATH, body)
        if status == _ACCEPTED:
            with database.transaction() as session:
                accept(session, answer, found.size)
            return True
        seen = decimal_of(answer.decode("ascii", "replace").strip())
        if status != _CONFLICT or seen is None or seen > found.size:
            log.warning("a witness refused the checkpoint", status=status, size=found.size)
            return False
        size = seen
    return False


def _post(address: str, body: bytes) -> tuple[int, bytes]:
    with requests.post(
        address,
        data=body,
        headers={"Content-Type": "text/plain; charset=utf-8"},
        timeout=_PATIENCE,
        allow_redirects=False,
        stream=True,
    ) as response:
        return response.status_code, response.raw.read(LARGEST_ANSWER + 1, decode_content=True)
