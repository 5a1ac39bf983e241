"""JSON of others, read with bounds on size, nesting and numbers, and with one meaning only."""

import json
from typing import Any, NoReturn

DEEPEST = 32  # levels of nesting in one object
LONGEST_NUMBER = 40  # characters
MOST_BYTES = 100 * 2**20


class StixMalformedError(ValueError):
    """What should be STIX is not even the JSON that it could stand in; says why and what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason} {remedy}")
        self.reason = reason
        self.remedy = remedy


def parse_json(raw: bytes | str, most: int = MOST_BYTES) -> Any:
    """The content of a JSON text in UTF-8, of at most `most` bytes.

    Raises StixMalformedError; for a key that stands twice in one object too, since two readers may
    take one each, and for numbers that are none in JSON.
    """
    if len(raw) > most:
        raise StixMalformedError(
            f"It is larger than {most:,} bytes.", "Send it in several smaller parts."
        )
    try:
        text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
        return decoder().decode(text)
    except StixMalformedError:
        raise
    except RecursionError:
        raise StixMalformedError("It is nested too deep.", "Send flat objects.") from None
    except UnicodeDecodeError:
        raise StixMalformedError("It is not in UTF-8.", "Write it in UTF-8.") from None
    except json.JSONDecodeError as error:
        raise StixMalformedError(
            f"It is not JSON: line {error.lineno}, column {error.colno}.", "Correct it there."
        ) from None


def decoder() -> json.JSONDecoder:
    """A decoder of JSON with the same rules; it raises json.JSONDecodeError, too."""
    return json.JSONDecoder(
        object_pairs_hook=_once,
        parse_constant=_no_number,
        parse_int=_whole,
        parse_float=_fraction,
    )


def depth_exceeds(content: object, most: int = DEEPEST) -> bool:
    """Whether lists and objects are nested more than `most` deep; it does not recurse."""
    level = [content]
    for _ in range(most):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise StixMalformedError("A key stands twice in one object.", "Leave one of the two out.")
    return found


def _no_number(_text: str) -> NoReturn:
    raise StixMalformedError("NaN and Infinity are no numbers in JSON.", "Leave them out.")


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise StixMalformedError("A number is too long.", f"Use up to {LONGEST_NUMBER} digits.")
    return int(text)


def _fraction(text: str) -> float:
    found = float(text) if len(text) <= LONGEST_NUMBER else float("inf")
    if found in {float("inf"), float("-inf")}:
        raise StixMalformedError("A number is too large.", "Use a smaller one.")
    return found
