"""The engine that the suite uses: sound examples, changed at random and always in the same way.

Half of the cases change bytes. The other half change the value of one place where the example is
JSON, so that they come past the reading of JSON itself.
"""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

_MARKS = (
    *(
        b"\x00",
        b"\xff",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\r",
        b"\n",
        b"\r\n",
        b"\t",
    ),
    *(b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b",", b";", b":", b"|", b"&", b"<!--", b"]]>"),
    *(b"-1", b"0", b"1e999", b"NaN", b"9" * 40, b"9" * 5000, b"\\ud800", b"\\u0000", b"null"),
    *(
        b"true",
        b"[" * 60,
        b"[" * 3000,
        b'{"a":' * 60,
        b"- " * 40,
        b"&a *a",
        b"!!python/none ",
        b"---\n",
    ),
    *(
        "é".encode(),
        "İ".encode(),
        "\u2028".encode(),
        "\u200f".encode(),
        "\uff19".encode(),
        "²".encode(),
    ),
    *(
        b"0001-01-01",
        b"9999-12-31",
        b"2026-02-30",
        b"1970-01-01T00:00:60Z",
        b"+99:99",
        b"%s",
        b"{0}",
    ),
)
_LARGEST = 200_000  # bytes of a case
_MOST_CHANGES = 6


def cases(seeds: list[bytes], number: int, seed: int) -> Iterator[bytes]:
    """So many cases; the first are the seeds themselves."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    yield from seeds[:number]
    for place in range(max(0, number - len(seeds))):
        example = chance.choice(seeds)
        changed = _value_changed(example, chance) if place % 2 else None
        case = changed if changed is not None else example
        if changed is None or chance.random() < 0.2:
            for _ in range(chance.randint(1, _MOST_CHANGES)):
                case = _bytes_changed(case, seeds, chance)
        yield case[:_LARGEST]


def _bytes_changed(  # noqa: PLR0911 - one for each way
    case: bytes, seeds: list[bytes], chance: random.Random
) -> bytes:
    at = chance.randint(0, len(case))
    end = min(len(case), at + chance.choice((1, 1, 2, 4, 16, 64, 1000)))
    match chance.randrange(7):
        case 0:
            return case[:at] + case[end:]
        case 1:
            return case[:at] + bytes([chance.randrange(256)]) + case[at + 1 :]
        case 2 if at < len(case):
            return case[:at] + bytes([case[at] ^ (1 << chance.randrange(8))]) + case[at + 1 :]
        case 3:
            return case[:end] + case[at:end] * chance.choice((1, 1, 2, 50)) + case[end:]
        case 4:
            other = chance.choice(seeds)
            start = chance.randint(0, len(other))
            return case[:at] + other[start : start + chance.choice((4, 40, 400))] + case[end:]
        case 5:
            return case[:at]
        case _:
            return case[:at] + chance.choice(_MARKS) + case[chance.choice((at, end)) :]


def _value_changed(example: bytes, chance: random.Random) -> bytes | None:
    """The example with one value of its JSON changed; None when it is no JSON."""
    try:
        found = json.loads(example)
    except ValueError:
        return None
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        places = list(_places(found))
        if not places:
            return None
        holder, key = chance.choice(places)
        if isinstance(holder, dict) and chance.random() < 0.15:
            del holder[key]
            continue
        holder[key] = _strange(holder[key], chance)
    return json.dumps(found, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    keys: Any = ()
    if isinstance(part, dict):
        keys = list(part)
    elif isinstance(part, list):
        keys = range(len(part))
    for key in keys:
        yield part, key
        yield from _places(part[key])


def _strange(value: Any, chance: random.Random) -> Any:
    text = value if isinstance(value, str) else ""
    cut = chance.randint(0, len(text))
    return copy.deepcopy(
        chance.choice(
            (
                *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**39, 1.5, 1e308, "", " ", "\x00"),
                *(
                    "\ud800",
                    "é",
                    "İ",
                    "²",
                    "a" * 5000,
                    [],
                    {},
                    [[]],
                    {"a": {}},
                    [value],
                    {"a": value},
                ),
                *([value, value], [None], "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"),
                *(
                    text[:cut],
                    text[cut:],
                    text + text,
                    text.upper(),
                    text + "\n",
                    " " + text,
                    "=" + text,
                ),
                *(f"{text[:cut]}\u0130{text[cut:]}", f"{text[:cut]}\ud800{text[cut:]}"),
            )
        )
    )
