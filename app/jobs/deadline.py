"""A limit to a whole conversation: a timeout of a socket bounds one answer, not all of them."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

ANSWER = 10.0  # seconds to wait for each answer
WHOLE = 20.0  # seconds for all of it; less than the lease of a job


@contextmanager
def limited(connection: Callable[[], socket.socket | None], seconds: float) -> Iterator[None]:
    """Close the connection, which ends the block with an OSError, when it takes longer."""

    def close() -> None:
        found = connection()
        if found is not None:
            with suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
