"""The platform's own interface beside the peers' TAXII, in the run that measures TAXII.

    python -m bench.peers [--sizes 1000,10000,100000] [and all that bench.taxii takes]

In each round, the Postern on PostgreSQL that bench/taxii.py asked is asked for the same by its own
interface, as `postern-api`:

| TAXII | the own interface |
|---|---|
| get | GET /api/v1/indicators/{id} |
| match[id] | POST /api/v1/lookups: one party by its 16 tokens |
| poll, newest 100 | GET /api/v1/indicators?seen_since=...&limit=100 |
| page of 100 | GET /api/v1/indicators?limit=100 |
| ingest | POST /api/v1/reports, 100 in each |
| whole | GET /api/v1/indicators/export?format=ndjson |

A poll with nothing new and a manifest have no counterpart. The policy, the log and the ledger are
on. The last line is one JSON object; `own` in it holds, for each kind, how many times faster the
own interface is than each peer and than Postern's own TAXII.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import text

from app.access import CONSOLE
from app.accounts import tokens
from app.clock import now
from app.lookups import value_budget
from app.pseudonyms.models import Window
from bench.load_clients import lookup_body, submit_body
from bench.load_fill import points
from bench.taxii import BATCH, CLIENTS, POSTS, REQUESTS, Run, Standing, main
from bench.taxii_postern import Postern
from bench.taxii_tables import SUBJECT
from bench.taxii_wire import AnswerError, Asked, Door, Line, Timed, timed
from postern.vocabulary import Kind, Scope

NAME = "postern-api"
RECORD = b'"level"'
"""What stands once in each record that an owner shares."""

_UNBOUNDED = 100_000_000  # different values: what is measured is not the brake on guessing
_RECENT = timedelta(days=60)
_GROUNDS = {
    "purpose": "criminal_investigation",
    "legal_basis": "criminal_procedure",
    "case": "PV-2026-17",
}
_SHARED = text(
    "SELECT i.public_id, i.id FROM indicator i ORDER BY i.id DESC LIMIT :most"
)  # the reader is shared all of them
_TOKENS = text("SELECT facet, token FROM token WHERE indicator_id = :id ORDER BY facet")


@dataclass(frozen=True)
class Own(Door):
    """The platform's own interface: `path#number` posts that one of `bodies`."""

    bodies: Sequence[bytes] = ()

    def request(self, path: str, body: bytes | None = None) -> bytes:
        path, _, number = path.partition("#")
        if number:
            body = self.bodies[int(number)]
        lines = [
            f"{'GET' if body is None else 'POST'} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            f"Authorization: Bearer {self.authorization}",
        ]
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


class WithOwn(Run):
    """A run that asks Postern by its own interface as well."""

    _tokens: tuple[str, str] | None = None

    def ask_all(
        self, name: str, standing: Standing, texts: Sequence[Sequence[str]], number: int
    ) -> None:
        """The part of `bench.taxii`, and right after Postern's its own interface."""
        super().ask_all(name, standing, texts, number)
        subject = self.servers[name]
        if name != SUBJECT or not isinstance(subject, Postern):
            return
        size = max(self.found)
        own = self.found[size].setdefault(NAME, Standing())
        self._tokens = self._tokens or _allowed(subject)
        reads, writes = self._tokens
        rows = _known(subject, REQUESTS)
        _submit(subject.reading.port, writes, own, self.patience)
        self.settle(subject, Standing(), BATCH * POSTS)
        door = Own(subject.reading.port, "", reads, [body for _, body in rows])
        for clients in (1, CLIENTS):
            for kind, each in _asked(rows, number).items():
                found = timed(door, each, clients, self.seconds, self.patience)
                own.timed.setdefault(f"{kind}, {clients}", Timed()).add(found)
                if found.failures:
                    raise AnswerError(f"{kind}: {found.failures[0]}")
        _export(door, own, self.patience)

    def more(self) -> dict[str, Any]:
        """How many times faster the own interface is than each other server."""
        return {"own": {str(size): _ratios(self.figures(size)) for size in self.found}}


def _allowed(subject: Postern) -> tuple[str, str]:
    """Tokens of the reader and the owner; the reader may look up as often as is measured."""
    on = subject.on
    most = dict.fromkeys((Window.DAY, Window.MONTH), _UNBOUNDED)
    with on.app.app_context(), on.database.transaction() as session:
        value_budget.allow(session, CONSOLE, on.viewer.organisation, Kind.PARTY, most)
        reads = (Scope.LOOKUPS_WRITE, Scope.INDICATORS_READ)
        made = tokens.create_own_token(session, on.viewer, scopes=reads, days=30)
        writes = tokens.create_own_token(
            session, on.owners[0], scopes=(Scope.REPORTS_WRITE,), days=30
        )
    return made.text, writes.text


def _known(subject: Postern, most: int) -> list[tuple[str, bytes]]:
    """Ids of indicators that the reader is shared, each with a lookup that finds it."""
    with subject.on.database.reading() as session:
        return [
            (
                str(row.public_id),
                lookup_body(
                    [
                        (each.facet, bytes(each.token))
                        for each in session.execute(_TOKENS, {"id": row.id})
                    ]
                ),
            )
            for row in session.execute(_SHARED, {"most": most}).all()
        ]


def _asked(rows: list[tuple[str, bytes]], number: int) -> dict[str, Asked]:
    chance = random.Random(number)  # noqa: S311 - variety, not secrecy
    drawn = [chance.randrange(len(rows)) for _ in range(REQUESTS)]
    grounds = urlencode(_GROUNDS)
    since = (now() - _RECENT).date().isoformat()
    page = f"/api/v1/indicators?{grounds}&limit={BATCH}"
    return {
        "get": Asked([f"/api/v1/indicators/{rows[n][0]}?{grounds}" for n in drawn], 1, RECORD),
        "match[id]": Asked([f"/api/v1/lookups#{n}" for n in drawn], 1, RECORD),
        "poll, newest 100": Asked([f"{page}&seen_since={since}"] * REQUESTS, BATCH, RECORD),
        "page of 100": Asked([page] * REQUESTS, BATCH, RECORD),
    }


def _submit(port: int, token: str, standing: Standing, patience: float) -> None:
    chance, drawn = random.Random(), points()  # noqa: S311 - variety, not secrecy
    bodies = [submit_body(drawn, chance, BATCH) for _ in range(POSTS)]
    door, line = Own(port, "", token, bodies), Line(port, patience)
    requests = [door.request(f"/api/v1/reports#{number}") for number in range(POSTS)]
    start = perf_counter()
    for request in requests:
        answer = line.ask(request)
        if answer.status != 200 or answer.body.count(b'"created"') <= BATCH:
            raise AnswerError(f"{answer.status}: {answer.body[:300]!r}")
    rate = BATCH * POSTS / (perf_counter() - start)
    standing.rates.setdefault("ingest", []).append(rate)
    line.close()


def _export(door: Own, standing: Standing, patience: float) -> None:
    line = Line(door.port, patience)
    start = perf_counter()
    path = f"/api/v1/indicators/export?{urlencode(_GROUNDS)}&format=ndjson"
    answer = line.ask(door.request(path))
    spent = perf_counter() - start
    if answer.status != 200:
        raise AnswerError(f"{answer.status}: {answer.body[:300]!r}")
    count = answer.body.count(b"\n")
    for kind, value in (("whole", count / spent), ("whole_s", spent), ("whole_objects", count)):
        standing.rates.setdefault(kind, []).append(value)
    line.close()


def _ratios(figures: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """How many times faster than each other server, by kind; also printed."""
    ours = figures.get(NAME, {})
    told: dict[str, dict[str, float]] = {}
    for kind, found in ours.items():
        if kind.endswith(("_s", "_objects")):
            continue
        others = {name: each.get(kind) for name, each in figures.items() if name != NAME}
        told[kind] = {name: _faster(found, each) for name, each in others.items() if each}
        print(f"OWN {kind}: times as fast as {json.dumps(told[kind])}", flush=True)
    return told


def _faster(ours: Any, other: Any) -> float:
    if isinstance(ours, Mapping):
        return round(float((other["p50_ms"] or 0) / ours["p50_ms"]), 2)
    return round(float(ours / other), 2)


if __name__ == "__main__":
    main(WithOwn, "peers")
