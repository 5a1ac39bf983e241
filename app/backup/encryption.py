"""Streams that are encrypted by age (https://age-encryption.org/v1) to X25519 recipients.

The `age` tool opens them too: `age --decrypt --identity KEYFILE FILE`. A thread encrypts, so that
what is written passes through a pipe and nothing is held in memory.
"""

import io
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pyrage

from app.errors import StartRefusedError

Recipients = Sequence[pyrage.x25519.Recipient]
Identities = Sequence[pyrage.x25519.Identity]


class BackupDamagedError(StartRefusedError):
    """A file that is no whole backup, or not the one that was written."""


def recipients(told: str) -> list[pyrage.x25519.Recipient]:
    """Public keys separated by spaces; StartRefusedError names the one that is none."""
    found = []
    for each in told.split():
        try:
            found.append(pyrage.x25519.Recipient.from_str(each))
        except pyrage.RecipientError:
            raise StartRefusedError(
                f"{each} is no public key of age. Make a pair with: age-keygen -o KEYFILE"
            ) from None
    return found


def identities(path: Path) -> list[pyrage.x25519.Identity]:
    """The secret keys of a file as `age-keygen` writes it; StartRefusedError when it has none."""
    try:
        lines = path.read_text("utf-8").splitlines()
        found = [
            pyrage.x25519.Identity.from_str(line.strip())
            for line in lines
            if line.strip() and not line.startswith("#")
        ]
    except OSError as error:
        raise StartRefusedError(f"{path} cannot be read ({type(error).__name__}).") from None
    except (pyrage.IdentityError, UnicodeDecodeError):
        raise StartRefusedError(f"{path} holds something that is no secret key of age.") from None
    if not found:
        raise StartRefusedError(f"{path} holds no secret key. Name the file that age-keygen wrote.")
    return found


@contextmanager
def encrypting(target: IO[bytes], to: Recipients) -> Iterator[IO[bytes]]:
    """A stream whose bytes reach `target` encrypted; complete when the block has ended.

    OSError when `target` cannot be written, a full disk for instance.
    """
    out = _Watched(target)
    with _beside(lambda source, _sink: pyrage.encrypt_io(source, out, to), writes=False) as (
        stream,
        ended,
    ):
        try:
            yield stream
            stream.close()
        except BrokenPipeError:
            pass  # the thread's own failure tells why
        finally:
            with suppress(BrokenPipeError):
                stream.close()
            failure = ended()
        if out.failure is not None:
            raise out.failure
        if failure is not None:
            raise failure


@contextmanager
def decrypting(path: Path, by: Identities) -> Iterator[IO[bytes]]:
    """The clear bytes of a file; it may be left before its end.

    BackupDamagedError at the end of the block, or in it, when a byte is not what was written, the
    file is cut short, or none of the keys opens it.
    """
    with path.open("rb") as source:
        first = source.read(1)
        source.seek(0)
        if not first:
            raise BackupDamagedError(f"{path} is empty. Choose another backup.")
        with _beside(lambda _source, sink: pyrage.decrypt_io(source, sink, by), writes=True) as (
            stream,
            ended,
        ):
            wrong: Exception | None = None
            try:
                yield stream
            except BackupDamagedError as error:
                wrong = error
            finally:
                stream.close()
                failure = ended()
            if isinstance(failure, pyrage.DecryptError):
                raise _damaged(path, failure) from None
            if wrong is not None:
                raise wrong
            if failure is not None and not isinstance(failure, BrokenPipeError):
                raise _damaged(path, failure) from None


def encrypted(content: bytes, to: Recipients) -> bytes:
    """The same of something small."""
    sealed: bytes = pyrage.encrypt(content, to)
    return sealed


def decrypted(path: Path, by: Identities) -> bytes:
    """The clear bytes of a small file; BackupDamagedError as `decrypting`."""
    try:
        clear: bytes = pyrage.decrypt(path.read_bytes(), by)
    except pyrage.DecryptError as error:
        raise _damaged(path, error) from None
    return clear


def _damaged(path: Path, error: Exception) -> BackupDamagedError:
    words = str(error)
    if "matching keys" in words.lower():
        return BackupDamagedError(
            f"{path.name} is not encrypted to this key. Name the key file of one of its recipients."
        )
    return BackupDamagedError(
        f"{path.name} is damaged or cut short ({words or type(error).__name__}). Choose another"
        " copy of it."
    )


class _Watched(io.RawIOBase):
    """A target that keeps the failure of a write, which the library turns into words."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self.failure: OSError | None = None

    def writable(self) -> bool:
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        try:
            self._target.write(content)
        except OSError as error:
            self.failure = error
            raise
        return len(content)

    def flush(self) -> None:
        self._target.flush()


@contextmanager
def _beside(
    work: Callable[[IO[bytes], IO[bytes]], None], *, writes: bool
) -> Iterator[tuple[IO[bytes], Callable[[], Exception | None]]]:
    """A pipe to a thread that does `work` on its other end, and how to wait for its failure."""
    reading, writing = os.pipe()
    source, sink = os.fdopen(reading, "rb", 1 << 18), os.fdopen(writing, "wb", 1 << 18)
    failures: list[Exception] = []

    def run() -> None:
        try:
            work(source, sink)
        except Exception as error:  # handed to the thread that waits
            failures.append(error)
        finally:
            with suppress(OSError):
                (sink if writes else source).close()

    def ended() -> Exception | None:
        thread.join()
        return failures[0] if failures else None

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    stream = source if writes else sink
    try:
        yield stream, ended
    finally:
        with suppress(OSError):
            stream.close()
        thread.join()
