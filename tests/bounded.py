"""What a call takes at most: it runs in a fork that may take no more memory, time and disk.

A call that needs more fails its test whatever the machine and however busy: limits of the operating
system decide, and no clock.
"""

import os
import pickle
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Answer = TypeVar("Answer")
MIB = 2**20
_FAILED = 9


@dataclass(frozen=True)
class Refused:
    """What was raised: the name of its class and its text."""

    kind: str
    text: str


def bounded(
    call: Callable[[], Answer], *, memory: int, seconds: int, written: int = 16 * MIB
) -> Answer | Refused:
    """What the call returns or raises in a fork; AssertionError where it takes more.

    `memory` is bytes beyond what this process has already, `seconds` are of processor time,
    `written` are bytes of the largest file. For what starts no threads before it is called.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        status = _FAILED
        try:
            _limit(memory, seconds, written)
            answer = _answer(call)
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(answer, pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended < 0:
        raise AssertionError(f"ended by {signal.Signals(-ended).name}: it took too much")
    if ended:
        raise AssertionError("it took all the memory that it may")
    answer: Answer | Refused = pickle.loads(told)  # noqa: S301 - written above
    return answer


def _limit(memory: int, seconds: int, written: int) -> None:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        has = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (has + memory, has + memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(call: Callable[[], Answer]) -> Answer | Refused:
    try:
        return call()
    except MemoryError:
        os._exit(_FAILED)
    except Exception as error:
        return Refused(type(error).__name__, str(error))
