"""The pages under fuzz: forms and arguments that a person sends, one or a few of them strange.

What is sent by the access matrix would be accepted; here parts of it are changed. No answer may be
a failure of the platform.
"""

import json
import math
import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.app.matrix.asking import Asker, Sending
from tests.app.matrix.cells import Cell, allowed, asked
from tests.app.matrix.expectations import EXPECTED, Caller, Means
from tests.app.matrix.stage import Stage
from tests.fuzz.found import Found

_FAILED = 500
_READ = 3  # one page of so many is read in the short version
_STRANGE = (
    *(
        "",
        " ",
        "\x00",
        "a\x00b",
        "\ud800",
        "é",
        "\u202e",
        "İ",
        "²",
        "\uff11\uff12",
        "\r\n",
        "a\r\nSet-Cookie: x=y",
    ),
    *("-1", "0", "1e999", "NaN", "9" * 30, "9" * 5000, "0x10", "1_000", "true", "null", "+1", " 1"),
    *("0001-01-01", "9999-12-31", "2026-02-30", "2026-11-27T00:00:00Z"),
    "\u0662\u0660\u0662\u0666-\u0661\u0661-\u0662\u0667",  # a day in other digits
    *("019caea7-6b40-7abc-8def-0123456789ab", "00000000-0000-0000-0000-000000000000", "{}"),
    *(
        "//evil.example/",
        "https://evil.example/",
        "javascript:alert(1)",
        "../../etc/passwd",
        "/\\x",
    ),
    *("'\"><b>", "%00", "%s{0}", "[" * 500, '{"a":' * 500, "a" * 70_000, "\U0001f4a3" * 300),
)


class Pages:
    """Asks one stage, which no request changes."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.asker = Asker(stage)
        self.conduct = Found("pages", "changed forms", folder)
        self.routes = [
            (endpoint, method)
            for endpoint, method in EXPECTED
            if self.asker.is_page(endpoint, method) and method != "OPTIONS"
        ]

    def round(self, number: int, chosen: int, *, until: float = math.inf) -> None:
        """So many requests to each page; it ends early at `until` of the monotonic clock."""
        for place, key in enumerate(self.routes):
            if time.monotonic() > until:
                return
            self.ask(*key, random.Random(f"{number}/{place}"), chosen)  # noqa: S311 - repeatable

    def deal(self, number: int, part: int, parts: int) -> None:
        """One request to each form whose place is of this part, and to every third page of them."""
        for place, key in enumerate(self.routes[part::parts]):
            if key[1] == "GET" and place % _READ:
                continue
            self.ask(*key, random.Random(f"{number}/{place}"), 1)  # noqa: S311 - repeatable

    def ask(self, endpoint: str, method: str, chance: random.Random, chosen: int) -> None:
        """Of somebody who may, or of nobody where anybody may."""
        route = EXPECTED[endpoint, method]
        callers = (
            [each for each in allowed(route) if each.means is Means.SESSION]
            if (route.roles)
            else [Caller(Means.NONE)]
        )
        record = asked(route.names)[0]
        for _ in range(chosen):
            cell = Cell(endpoint, method, chance.choice(callers), record)
            sending = self._changed(cell, chance)
            self.conduct.cases += 1
            answer = self.asker.send(cell, sending=dict(sending))
            if answer.status_code >= _FAILED:
                told = {"cell": f"{cell}", "sending": sending, "status": answer.status_code}
                self.conduct.add(
                    f"{method} {endpoint} {answer.status_code}",
                    json.dumps(told, default=repr, indent=1).encode(),
                )

    def _changed(self, cell: Cell, chance: random.Random) -> Sending:
        right = self.asker.sending(cell)
        place = "data" if cell.method != "GET" else "query_string"
        fields = right.get(place, {})
        if not isinstance(fields, Mapping):
            return {**right, place: _strange(chance).encode("utf-8", "surrogatepass")}
        names = [*fields, "page", "cursor", "next", "q", "from", "until"]
        changed: dict[str, Any] = dict(fields)
        for _ in range(chance.choice((1, 1, 2, 4))):
            changed[chance.choice(names)] = _several(chance)
        return {**right, place: _encoded(changed)}


def _several(chance: random.Random) -> Any:
    """A text, the same name several times, or nothing."""
    return chance.choice(
        (_strange(chance), _strange(chance), [_strange(chance) for _ in range(3)], [])
    )


def _strange(chance: random.Random) -> str:
    return chance.choice(_STRANGE)


def _encoded(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: [_sent(each) for each in value] if isinstance(value, list) else _sent(value)
        for name, value in fields.items()
    }


def _sent(value: Any) -> Any:
    """What no text can hold, as the characters of its bytes."""
    is_half = isinstance(value, str) and "\ud800" in value
    return value.encode("utf-8", "surrogatepass").decode("latin-1") if is_half else value
