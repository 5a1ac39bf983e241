"""Lookups that are matched on a replica, beside the same on the primary alone.

    python -m bench.replica [--size 20000] [--seconds 20] [--queries 1 20]

Both subjects ask the same, in turns, one client each, on one pair of PostgreSQL servers of this
machine: a replica on the same processors makes nothing faster. What counts is the processor time of
each server's processes, as the system counts it (/proc), which includes that of shipping the log
and of replaying it. The last line is one JSON object.
"""

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from app.database import Database
from app.lookups import service as lookups
from app.lookups.scoring import Query
from bench.machine import machine
from bench.preload import Tokens, fill, known
from bench.stage import Stage, furnished, peopled
from postern.vocabulary import Kind, LegalBasis, Purpose
from tests.app.standby import PRIMARY, STANDBY, Pair, running_primary

WARM_UP = 30
BLOCK = 20
"""Lookups of one subject before the other has its turn."""


def main() -> None:
    """Measure, print a line for each number of queries and, as the last one, the JSON object."""
    parser = argparse.ArgumentParser(description="What a replica spares the primary.")
    parser.add_argument("--size", type=int, default=20_000, help="indicators in the tables")
    parser.add_argument("--seconds", type=float, default=20, help="measuring time of each")
    parser.add_argument("--queries", type=int, nargs="+", default=[1, 20], help="of one lookup")
    options = parser.parse_args()
    told: dict[str, Any] = {}
    with running_primary() as pair, tempfile.TemporaryDirectory() as folder:
        on = peopled(furnished(pair.url(PRIMARY), Path(folder) / "secrets"))
        fill(on, 0, options.size)
        pair.make_standby()
        pair.catch_up()
        asked = known(on, 200)
        for queries in options.queries:
            told[str(queries)] = found = _measure(on, pair, asked, queries, options.seconds)
            print(
                f"{queries:>4} queries: primary {found['primary_ms_without']} ms of processor"
                f" without and {found['primary_ms_with']} ms with, {found['primary_ratio']} times;"
                f" replica {found['replica_ms_with']} ms; p50 {found['p50_ms_without']} and"
                f" {found['p50_ms_with']} ms; {found['outcomes']}",
                flush=True,
            )
        on.database.dispose()
    print(json.dumps({"benchmark": "replica", "queries": told, "machine": machine()}))


def _measure(
    on: Stage, pair: Pair, asked: list[Tokens], queries: int, seconds: float
) -> dict[str, Any]:
    without = Database(pair.url(PRIMARY))
    with_ = Database(pair.url(PRIMARY), replica_url=pair.url(STANDBY))
    outcomes: Counter[str] = Counter()
    times: dict[bool, list[float]] = {False: [], True: []}
    spent: dict[tuple[bool, int], int] = Counter()
    subjects = {False: without, True: with_}
    for database in subjects.values():
        for place in range(WARM_UP):
            _ask(on, database, asked, queries, place)
    if with_.replica is not None:
        with_.replica.watchers.append(lambda outcome: outcomes.update([outcome.value]))
    ends, turn = perf_counter() + seconds, 0
    while perf_counter() < ends:
        for has_replica in (True, False) if turn % 2 else (False, True):
            before = {port: pair.worked(port) for port in (PRIMARY, STANDBY)}
            for place in range(BLOCK):
                start = perf_counter()
                _ask(on, subjects[has_replica], asked, queries, turn * BLOCK + place)
                times[has_replica].append(perf_counter() - start)
            pair.catch_up()
            for port, worked in before.items():
                spent[has_replica, port] += sum(
                    after - worked[process]
                    for process, after in pair.worked(port).items()
                    if process in worked
                )
        turn += 1
    for database in subjects.values():
        database.dispose()
    count = len(times[True])

    def each(has_replica: bool, port: int) -> float:
        return round(spent[has_replica, port] / count / 1e6, 3)

    return {
        "lookups": count,
        "primary_ms_without": each(False, PRIMARY),
        "primary_ms_with": each(True, PRIMARY),
        "primary_ratio": round(spent[True, PRIMARY] / spent[False, PRIMARY], 3),
        "replica_ms_without": each(False, STANDBY),
        "replica_ms_with": each(True, STANDBY),
        "p50_ms_without": round(median(times[False]) * 1000, 3),
        "p50_ms_with": round(median(times[True]) * 1000, 3),
        "outcomes": dict(outcomes),
    }


def _ask(on: Stage, database: Database, asked: list[Tokens], queries: int, place: int) -> None:
    chosen = [asked[(place * queries + number) % len(asked)] for number in range(queries)]
    with on.app.app_context(), database.transaction() as session:
        lookups.ask(
            session,
            on.viewer,
            purpose=Purpose.CRIMINAL_INVESTIGATION,
            legal_basis=LegalBasis.CRIMINAL_PROCEDURE,
            case="PV-2024-17",
            queries=[
                Query(f"q{number}", Kind.PARTY, 1, tokens) for number, tokens in enumerate(chosen)
            ],
        )


if __name__ == "__main__":
    main()
