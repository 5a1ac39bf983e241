"""The arithmetic of a client, in this process or in several: blinding, and opening what came back.

Clear text and blinds go to the workers through pipes of this machine and nowhere else.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

from postern import voprf
from postern.group import InvalidElementError
from postern.key_sharing import KeySharing
from postern.shared_evaluation import Combined, NamedPart, combined

Result = TypeVar("Result")

_WORTH_A_POOL = 2_000  # inputs; below this, starting processes costs more than they save


class Arithmetic:
    """Blinds and opens batches, here or, once there is enough to do, in `workers` processes."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._seen = 0

    def blind(self, values: list[bytes]) -> Future[tuple[list[bytes], list[bytes]]]:
        """The blinds, to be kept secret, and the blinded elements, to be sent."""
        self._seen += len(values)
        if self._pool is None and self._workers > 1 and self._seen >= _WORTH_A_POOL:
            self._pool = ProcessPoolExecutor(
                self._workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start_worker,
            )
        return self._run(lambda: _blind(values), lambda pool: pool.submit(_blind, values))

    def open(
        self,
        blinds: list[bytes],
        blinded: list[bytes],
        evaluated: list[bytes],
        public_key: bytes,
        proof: bytes,
    ) -> Future[list[bytes] | None]:
        """The unblinded elements, or None when the proof does not hold for all of them."""
        work = (blinds, blinded, evaluated, public_key, proof)
        return self._run(lambda: _open(*work), lambda pool: pool.submit(_open, *work))

    def open_shared(
        self,
        blinds: list[bytes],
        blinded: list[bytes],
        parts: list[NamedPart],
        sharing: KeySharing,
    ) -> Future[Combined]:
        """The unblinded elements of a shared key's parts, and who of them cheated."""
        work = (sharing, blinds, blinded, parts)
        return self._run(lambda: combined(*work), lambda pool: pool.submit(combined, *work))

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(
        self,
        here: Callable[[], Result],
        there: Callable[[ProcessPoolExecutor], "Future[Result]"],
    ) -> "Future[Result]":
        if self._pool is not None:
            return there(self._pool)
        try:
            return settled(here())
        except Exception as error:  # the future carries it to who asks for the result
            failed: Future[Result] = Future()
            failed.set_exception(error)
            return failed


def _start_worker() -> None:
    """Workers leave an interrupt to their parent, and end with it even when it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)  # the pool's queue would keep this worker waiting for ever

    threading.Thread(target=follow, daemon=True).start()


def _blind(values: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    pairs = [voprf.blind(value) for value in values]
    return [blind for blind, _ in pairs], [blinded for _, blinded in pairs]


def _open(
    blinds: list[bytes],
    blinded: list[bytes],
    evaluated: list[bytes],
    public_key: bytes,
    proof: bytes,
) -> list[bytes] | None:
    """The unblinded elements, or None when they are not proved: an error would not survive the way
    back from a worker.
    """
    try:
        voprf.verify(public_key, blinded, evaluated, proof)
    except (voprf.ProofInvalidError, InvalidElementError):
        return None
    return [voprf.unblind(blind, each) for blind, each in zip(blinds, evaluated, strict=True)]


def settled(result: Result) -> "Future[Result]":
    """A future that has its result."""
    future: Future[Result] = Future()
    future.set_result(result)
    return future
