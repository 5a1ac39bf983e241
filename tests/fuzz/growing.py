"""Examples of answers, grown from the reader itself: each field that it misses is put in.

A reader of answers raises AnswerMalformedError, which tells the place of what is missing or of
another type. So nothing is written down twice: a new field is in the examples by itself.
"""

import re
from collections.abc import Callable
from typing import Any

from postern.base64url import to_base64url
from postern.client_errors import AnswerMalformedError

_TRIED: tuple[Any, ...] = (
    "2026-11-20T12:00:00+00:00",
    "2026-11-20",
    *(to_base64url(bytes(size)) for size in (32, 64, 16)),
    1,
    True,
    [{}],
    ["a"],
    [to_base64url(bytes(32))],
    {},
)
_MOST = 200  # fields of one answer
_PLACE = re.compile(r"cannot be read at (.*)\. Update postern")


def grown(read: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """An answer that `read` takes, or as much of it as can be found so."""
    answer: dict[str, Any] = {}
    for _ in range(_MOST):
        place = _missing(read, answer)
        if place is None or not _put(read, answer, place):
            break
    return answer


def _missing(read: Callable[[dict[str, Any]], object], answer: dict[str, Any]) -> str | None:
    try:
        read(answer)
    except AnswerMalformedError as error:
        found = _PLACE.search(str(error))
        return found[1] if found else None
    except Exception:
        return None
    return None


def _put(read: Callable[[dict[str, Any]], object], answer: dict[str, Any], place: str) -> bool:
    """Whether something at `place`, or at a part of it, leads further."""
    parts = place.split(".")
    for begin in (1, 0):
        inner = _inner(answer, parts[begin:-1])
        name = parts[-1]
        if not isinstance(inner, dict) or not parts[begin:]:
            continue
        before = inner.get(name)
        for each in _TRIED:
            inner[name] = _copied(each)
            if _missing(read, answer) != place:
                return True
        if before is None:
            del inner[name]
        else:
            inner[name] = before
    return False


def _inner(answer: Any, parts: list[str]) -> Any:
    for part in parts:
        if isinstance(answer, list) and part.isdigit() and int(part) < len(answer):
            answer = answer[int(part)]
        elif isinstance(answer, dict):
            answer = answer.get(part)
        else:
            return None
    return answer


def _copied(value: Any) -> Any:
    return (
        [dict(each) if isinstance(each, dict) else each for each in value]
        if isinstance(value, list)
        else (dict(value) if isinstance(value, dict) else value)
    )
