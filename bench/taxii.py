"""Serving TAXII 2.1, beside OpenTAXII on both databases and medallion, in the same run.

    python -m bench.taxii [--sizes 1000,10000,100000] [--servers postern-postgresql,...]
                          [--rounds 3] [--seconds 4] [--peers build/peers]

Every server runs on loopback: Postern with its policy, its log and its ledger, gunicorn with two
workers, the keeper of the log and the worker (bench/taxii_postern.py); the peers as their own
documents say (bench/taxii_peers.py); and `limit`, the least that an answer costs which is logged
before it leaves, on the same stack and without anything else (bench/taxii_limit_app.py).

What Postern's reader is let see is what the peers hold: the same objects. A round asks each server
in turn for the same things; figures are medians over all rounds. A server that does not answer
within --patience is not asked any more, and the table says so: it would go on computing what nobody
waits for.

Then eight writers add while one reader polls from the last X-TAXII-Date-Added-Last, and what it
never saw is counted; and the memory of the workers is read before, while and after a whole
collection is read twice over. The bars of the specification are printed with PASS or FAIL. The last
line is one JSON object.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any
from urllib.parse import quote

from bench.machine import machine
from bench.taxii_limit import NAME as LIMIT
from bench.taxii_limit import limit
from bench.taxii_memory import memory
from bench.taxii_objects import submissions
from bench.taxii_peers import PEERS, Server, peer
from bench.taxii_polling import polled
from bench.taxii_postern import OURS, OWNER, Postern, postern
from bench.taxii_tables import bars, bounds, compared
from bench.taxii_whole import whole, whole_by_client
from bench.taxii_wire import RECORD, AnswerError, Asked, Line, Timed, drawn, post, timed

BATCH = 100  # objects of a POST, of a page and of the newest
POSTS = 5  # of one round
REQUESTS = 400  # of one kind in one round, at most
CLIENTS = 8
_LONG = 15.0  # seconds; a whole collection that takes longer is read once
_SETTLED_WITHIN = 120.0  # seconds until a reader is given what an owner added


@dataclass
class Standing:
    """One server at one size: latencies and rates, by what was measured."""

    timed: dict[str, Timed] = field(default_factory=dict)
    rates: dict[str, list[float]] = field(default_factory=dict)
    failed: str = ""

    def figures(self) -> dict[str, Any]:
        """What the JSON line says of it: milliseconds, objects a second, seconds."""
        told: dict[str, Any] = {name: each.figures() for name, each in self.timed.items()}
        told |= {name: round(median(rates), 2) for name, rates in self.rates.items()}
        return {**told, **({"failed": self.failed} if self.failed else {})}


def main(make: "type[Run] | None" = None, name: str = "taxii") -> None:
    """Measure by a `Run`, print tables and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description="TAXII 2.1, beside peers.")
    parser.add_argument("--sizes", default="1000,10000,100000", help="objects in the collection")
    parser.add_argument("--servers", default=",".join((*OURS, LIMIT, *PEERS)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of each kind in each round")
    parser.add_argument("--patience", type=float, default=60, help="seconds to wait for an answer")
    parser.add_argument("--peers", type=Path, default=Path("build/peers"))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the servers must end too
    sizes = sorted(int(size) for size in options.sizes.split(","))
    run = (make or Run)(options.rounds, options.seconds, options.patience)
    with ExitStack() as until_the_end:
        directory = Path(until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="taxii-")))
        directory.chmod(0o755)  # PostgreSQL runs as a user of its own
        for each in options.servers.split(","):
            run.servers[each] = until_the_end.enter_context(
                _server(each, options.peers, directory / each)
            )
        for size in sizes:
            run.measure(size)
            compared(size, run.figures(size))
        run.finish()
    found = {str(size): run.figures(size) for size in sizes}
    passed = bars(found, run.polled)
    told = {"sizes": found, "polled": run.polled, "memory": run.memory, "bars": passed}
    told["bounds"] = bounds(found)
    told |= run.more()
    print(json.dumps({"benchmark": name, **told, "machine": machine("taxii2-client", "stix2")}))


class Run:
    """All servers, and what was found of each at each size."""

    def __init__(self, rounds: int, seconds: float, patience: float) -> None:
        self.servers: dict[str, Server] = {}
        self.polled: dict[str, Any] = {}
        self.memory: dict[str, Any] = {}
        self.found: dict[int, dict[str, Standing]] = {}
        self.rounds, self.seconds, self.patience = rounds, seconds, patience
        self._given: dict[str, str] = {}  # objects that the peers hold, by id
        self._ids: dict[str, list[str]] = {}  # what each server is asked for
        self._out: set[str] = set()

    def figures(self, size: int) -> dict[str, Any]:
        """Of all servers at a size."""
        return {name: each.figures() for name, each in self.found[size].items()}

    def measure(self, size: int) -> None:
        """Bring every server to `size` and ask it for everything, round by round."""
        self._grow(size)
        standings = {name: Standing() for name in self.servers if name not in self._out}
        self.found[size] = standings
        for number in range(self.rounds):
            texts = [submissions(OWNER, BATCH) for _ in range(POSTS)]
            names = [name for name in self.servers if name in standings]
            order = names if number % 2 else names[::-1]
            for name in order:
                if name not in self._out:
                    self.ask_all(name, standings[name], texts, number)

    def finish(self) -> None:
        """Poll while eight write, and read the memory."""
        for name, server in self.servers.items():
            if name not in self._out:
                self.polled[name] = polled(server, OWNER, self.patience).figures()
                print(f"{name}, polled while eight write: {self.polled[name]}", flush=True)
        for name, server in self.servers.items():
            if name not in self._out:
                self.memory[name] = memory(server, self.patience)
                print(f"{name}, memory: {self.memory[name]}", flush=True)

    def more(self) -> dict[str, Any]:
        """What else the JSON line says."""
        return {}

    def _grow(self, size: int) -> None:
        fresh: list[str] = []
        for name, server in self.servers.items():
            if isinstance(server, Postern):
                start = perf_counter()
                texts = server.grow(size)
                self._ids[name] = [each for each in map(_id, texts) if each.startswith("indicator")]
                print(f"{name}: {len(texts):,} after {perf_counter() - start:.1f} s", flush=True)
                fresh = fresh or [each for each in texts if _id(each) not in self._given]
        fresh = fresh or submissions(OWNER, size - len(self._given))
        self._given |= {_id(each): each for each in fresh}
        ids = [each for each in self._given if each.startswith("indicator")]
        for name, server in self.servers.items():
            if name not in self._out and not isinstance(server, Postern):
                start = perf_counter()
                self._ids[name] = ids
                server.hold(fresh)
                print(
                    f"{name}: {len(self._given):,} after {perf_counter() - start:.1f} s", flush=True
                )

    def ask_all(
        self, name: str, standing: Standing, texts: Sequence[Sequence[str]], number: int
    ) -> None:
        """One server's part of a round: add, settle, ask by one client and by eight, read all."""
        server = self.servers[name]
        start = perf_counter()
        try:
            self._ingest(server, standing, texts)
            dates = self.settle(server, standing, sum(map(len, texts)))
            alone, together = self._asked(self._ids[name], dates, number)
            self._ask(server, standing, alone, 1)
            self._read_whole(server, standing)
            self._ask(server, standing, together, CLIENTS)
        except (AnswerError, OSError) as error:
            standing.failed = str(error)
            self._out.add(name)
            print(f"{name}: not asked any more: {error}", flush=True)
        print(f"{name}: round {number + 1} took {perf_counter() - start:.1f} s", flush=True)

    def _ingest(self, server: Server, standing: Standing, texts: Sequence[Sequence[str]]) -> None:
        line = Line(server.writing.port, self.patience)
        start = perf_counter()
        for each in texts:
            post(line, server.writing, each, server.status)
        rate = sum(map(len, texts)) / (perf_counter() - start)
        standing.rates.setdefault("ingest", []).append(rate)
        line.close()

    def settle(self, server: Server, standing: Standing, count: int) -> list[str]:
        """When each of the `count` newest objects was added, once the reader is given them all.

        What stands beside them, such as the identity of an owner who was not known, may add to it.
        """
        line = Line(server.reading.port, self.patience)
        start = perf_counter()
        dates: list[str] = []
        after = server.last
        while len(dates) < count:
            answer = line.ask(
                server.reading.request(f"manifest/?limit=1000&added_after={quote(after)}")
            )
            if answer.status != 200:
                raise AnswerError(f"{answer.status}: {answer.body[:300]!r}")
            fresh = [each["date_added"] for each in answer.json().get("objects", [])]
            dates += fresh
            after = max(fresh, default=after)
            if not fresh:
                if perf_counter() - start > _SETTLED_WITHIN:
                    raise AnswerError(f"{len(dates)} of {count} added objects reached the reader")
                sleep(0.1)
        line.close()
        standing.rates.setdefault("settled_s", []).append(perf_counter() - start)
        server.last = after
        return sorted(dates)

    def _asked(
        self, ids: Sequence[str], dates: Sequence[str], number: int
    ) -> tuple[dict[str, Asked], dict[str, Asked]]:
        """What one client asks for in a round, and what eight do."""
        after, before = (
            f"objects/?limit={BATCH}&added_after={quote(each)}"
            for each in (dates[-1], dates[-BATCH - 1])
        )
        gets = Asked(drawn([f"objects/{each}/" for each in ids], REQUESTS, number))
        matches = Asked(drawn([f"objects/?match[id]={each}" for each in ids], REQUESTS, number))
        nothing = Asked([after] * REQUESTS, 0)
        alone = {
            "get": gets,
            "match[id]": matches,
            "manifest of 100": Asked([f"manifest/?limit={BATCH}"] * REQUESTS, BATCH, RECORD),
            "poll, nothing new": nothing,
            "poll, newest 100": Asked([before] * REQUESTS, BATCH),
            "page of 100": Asked([f"objects/?limit={BATCH}"] * REQUESTS, BATCH),
        }
        return alone, {"get": gets, "match[id]": matches, "poll, nothing new": nothing}

    def _ask(
        self, server: Server, standing: Standing, asked: Mapping[str, Asked], clients: int
    ) -> None:
        for name, each in asked.items():
            kind = f"{name}, {clients}"
            found = timed(server.reading, each, clients, self.seconds, self.patience)
            standing.timed.setdefault(kind, Timed()).add(found)
            if found.failures:
                print(f"{server.name}, {kind}: {found.failures[0]}", flush=True)
            if any("no answer" in failure for failure in found.failures):
                raise AnswerError(f"{kind}: {found.failures[0]}")

    def _read_whole(self, server: Server, standing: Standing) -> None:
        readers: dict[str, Callable[[], tuple[int, float]]] = {
            "whole": lambda: whole(server.reading, self.patience),
            "whole by taxii2-client": lambda: whole_by_client(server.reading),
        }
        for kind, read in readers.items():
            if max(standing.rates.get(f"{kind}_s", [0.0])) < _LONG:
                count, spent = read()
                standing.rates.setdefault(kind, []).append(count / spent)
                standing.rates.setdefault(f"{kind}_s", []).append(spent)
                standing.rates.setdefault(f"{kind}_objects", []).append(count)


def _server(name: str, environments: Path, directory: Path) -> AbstractContextManager[Server]:
    if name in OURS:
        return postern(name, directory)
    return limit(directory) if name == LIMIT else peer(name, environments, directory)


def _id(text: str) -> str:
    found: str = json.loads(text)["id"]
    return found


if __name__ == "__main__":
    main()
