"""What a target is: one reader of what others wrote, its examples, and the errors it documents."""

import functools
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Read = Callable[[bytes], object]


@dataclass(frozen=True)
class Target:
    """One parser. `cost` is how many times dearer a case is than one of the others."""

    name: str
    read: Read
    allowed: tuple[type[Exception], ...]
    seeds: Callable[[], list[bytes]]
    cost: int = 1


def outcome(target: Target, case: bytes) -> Exception | None:
    """What is wrong with the answer to a case; None when it is an allowed one."""
    try:
        target.read(case)
    except target.allowed:
        return None
    except Exception as error:
        return error
    return None


def place_of(error: Exception) -> str:
    """The kind of an error and the innermost line of ours, by which crashes are told apart."""
    place, trace = "outside", error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if "site-packages" not in file.parts and {"postern", "app"} & set(file.parts):
            place = f"{file.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}"


def text_of(case: bytes) -> str:
    """As text, which may hold half a surrogate pair, as JSON may."""
    return case.decode("utf-8", "surrogateescape")


@functools.cache
def folder() -> Path:
    """Of this process, removed at its end."""
    kept = tempfile.TemporaryDirectory(prefix="postern-fuzz-")
    _KEPT.append(kept)
    return Path(kept.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def file_of(case: bytes, name: str) -> Path:
    """The case as a file, in the place of the one before."""
    path = folder() / name
    path.write_bytes(case)
    return path
