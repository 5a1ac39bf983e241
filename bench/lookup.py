"""Latency of a lookup, beside a bare index lookup of the same tokens.

    python -m bench.lookup [--sizes 100000,1000000] [--backends sqlite,postgresql] [--seconds 20]

The subject is the service's verb for one query of 16 tokens: profile, policy joined in SQL,
candidates, scoring, details, the record of the lookup and its hits, the audit entries (the asker's
and one for each owner that was found) and the commit. Half of the queries find an indicator, the
others only what they share with strangers. Bare is one SELECT of the index rows of the same 16
tokens over a connection that is open, without policy, log or commit.

Tables are filled in bulk to each size first (bench/preload.py); then bare and whole lookups of the
same query alternate, in turns first, so that other load on the machine falls on both. What the
whole costs beyond bare is printed step by step. By default about 5 minutes on 2 cores, most of it
filling. The last line is one JSON object.
"""

import argparse
import json
import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter
from typing import Any

from app.lookups import service, storage
from app.lookups.scoring import Query
from bench.machine import machine
from bench.preload import FACETS, POOLED, Tokens, fill, known
from bench.stage import BACKENDS, Stage, stage
from bench.watch import Steps, Watch
from postern.pseudonym import TOKEN_SIZE
from postern.vocabulary import Kind, LegalBasis, Purpose

WARM_UP = 30
MOST = 3000  # queries of one measurement
KNOWN = 1500  # indicators that queries look for

_STEPS: Steps = {
    "find the profile": (service, "profile_id"),
    "index and policy, joined": (service, "matching_tokens"),
    "sort by query and indicator": (service, "gather"),
    "read candidates": (storage, "candidates"),
    "score and rank": (service, "rank"),
    "hold and read details": (storage, "hold_details"),
    "record lookup and hits": (storage, "insert_lookup"),
    "explain": (service, "results"),
    "audit entries": (service, "append"),
}
_POLICY = ("find the profile", "index and policy, joined")
_SCORING = (
    "sort by query and indicator",
    "read candidates",
    "score and rank",
    "hold and read details",
    "explain",
)


@dataclass(frozen=True)
class Measured:
    """One size on one engine: seconds of each query, whole and bare, and its steps."""

    ours: list[float]
    bare: list[float]
    steps: list[Mapping[str, float]]
    hits: int
    rows: int  # of the index, over all queries

    def figures(self) -> dict[str, object]:
        """What the JSON line says of it."""
        policy = [sum(each[name] for name in _POLICY) for each in self.steps]
        scored = [sum(each[name] for name in (*_POLICY, *_SCORING)) for each in self.steps]
        return {
            "p50_ms": _ms(median(self.ours)),
            "p99_ms": _ms(quantiles(self.ours, n=100)[98]),
            "bare_p50_ms": _ms(median(self.bare)),
            "bare_p99_ms": _ms(quantiles(self.bare, n=100)[98]),
            "ratio_to_bare": round(median(self.ours) / median(self.bare), 1),
            "p50_ms_with_policy": _ms(median(policy)),
            "p50_ms_with_scoring": _ms(median(scored)),
            "p50_ms_by_step": {
                name: _ms(median([each[name] for each in self.steps])) for name in self.steps[0]
            },
            "queries": len(self.ours),
            "hits": self.hits,
            "index_rows_per_query": round(self.rows / len(self.ours), 1),
        }


def main() -> None:
    """Measure, print tables and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description="Looking up, beside a bare index lookup.")
    parser.add_argument("--sizes", default="100000,1000000", help="indicators in the tables")
    parser.add_argument("--backends", default=",".join(BACKENDS))
    parser.add_argument("--seconds", type=float, default=20, help="measuring time per size")
    options = parser.parse_args()
    sizes = sorted(int(size) for size in options.sizes.split(","))
    found: dict[str, dict[str, Any]] = {}
    growth: dict[str, dict[str, float]] = {}
    for backend in options.backends.split(","):
        found[backend] = {}
        with stage(backend) as on:
            for present, size in zip((0, *sizes), sizes, strict=False):
                start = perf_counter()
                fill(on, present, size)
                print(
                    f"{backend}: filled to {size:,} in {perf_counter() - start:.0f} s", flush=True
                )
                figures = _measure(on, options.seconds).figures()
                _tell(backend, size, figures)
                found[backend][str(size)] = figures
        first, last = found[backend][str(sizes[0])], found[backend][str(sizes[-1])]
        growth[backend] = {
            name: round(last[name] / first[name], 2) for name in ("p50_ms", "bare_p50_ms")
        }
        print(
            f"{backend}: from {sizes[0]:,} to {sizes[-1]:,} indicators p50 grows "
            f"{growth[backend]['p50_ms']} times, bare {growth[backend]['bare_p50_ms']} times",
            flush=True,
        )
    print(json.dumps({"benchmark": "lookup", **found, "growth": growth, "machine": machine()}))


def _measure(on: Stage, seconds: float) -> Measured:
    queries = _queries(known(on, KNOWN))
    watch = Watch(_STEPS)
    ours: list[float] = []
    bare: list[float] = []
    steps: list[Mapping[str, float]] = []
    hits = rows = 0
    with on.database.engine.connect() as connection:
        look = _bare(on, connection.connection.driver_connection)
        began = perf_counter()
        for place in range(MOST):
            if place == WARM_UP:
                ours, bare, steps = [], [], []
                hits = rows = 0
                began = perf_counter()
            if perf_counter() - began > seconds and len(ours) > WARM_UP:
                break
            query = queries[place % len(queries)]
            for is_ours in (True, False) if place % 2 else (False, True):
                if is_ours:
                    spent, answer = _ask(on, query, watch)
                    ours.append(spent)
                    taken = watch.take()
                    steps.append(taken | {"commit and the rest": spent - sum(taken.values())})
                    hits += len(answer.results[0].hits)
                else:
                    start = perf_counter()
                    found = look([token for _, token in query])
                    bare.append(perf_counter() - start)
                    rows += len(found)
    return Measured(ours, bare, steps, hits, rows)


def _queries(stored: Sequence[Tokens]) -> list[Tokens]:
    """Half of them the tokens of an indicator, half strangers who share the pooled tokens."""
    draw = random.Random(7)  # noqa: S311 - variety, not secrecy
    queries: list[Tokens] = []
    for number, tokens in enumerate(stored):
        if number % 2:
            pooled = [(facet, token) for facet, token in tokens if facet in _POOLED_FACETS]
            own = [(facet, os.urandom(TOKEN_SIZE)) for facet in FACETS]
            queries.append((pooled + own)[: len(FACETS)])
        else:
            queries.append(tokens)
    draw.shuffle(queries)
    return queries


def _bare(on: Stage, driver: Any) -> Callable[[Sequence[bytes]], list[Any]]:
    columns = "SELECT indicator_id, share_class_id, seen_day, facet FROM token WHERE token"
    if on.database.is_sqlite:

        def look(tokens: Sequence[bytes]) -> list[Any]:
            marks = ",".join("?" * len(tokens))
            return list(driver.execute(f"{columns} IN ({marks})", tokens).fetchall())

        return look
    driver.autocommit = True
    cursor = driver.cursor(binary=True)

    def look_postgresql(tokens: Sequence[bytes]) -> list[Any]:
        return list(cursor.execute(f"{columns} = ANY(%b)", [tokens], prepare=True).fetchall())

    return look_postgresql


def _ask(on: Stage, query: Tokens, watch: Watch) -> tuple[float, service.Answer]:
    with on.app.app_context(), watch.watching():
        start = perf_counter()
        with on.database.transaction() as session:
            answer = service.ask(
                session,
                on.viewer,
                purpose=Purpose.CRIMINAL_INVESTIGATION,
                legal_basis=LegalBasis.CRIMINAL_PROCEDURE,
                case="PV-2024-17",
                queries=[Query("q", Kind.PARTY, 1, query)],
            )
        return perf_counter() - start, answer


def _tell(backend: str, size: int, figures: Mapping[str, Any]) -> None:
    print(
        f"{backend}, {size:,} indicators: p50 {figures['p50_ms']} ms, p99 {figures['p99_ms']} ms "
        f"over {figures['queries']} queries with {figures['hits']} hits; bare p50 "
        f"{figures['bare_p50_ms']} ms, p99 {figures['bare_p99_ms']} ms; "
        f"{figures['ratio_to_bare']} times bare"
    )
    print(f"  {figures['bare_p50_ms']:7.3f} ms  bare")
    print(f"  {figures['p50_ms_with_policy']:7.3f} ms  + profile and policy")
    print(f"  {figures['p50_ms_with_scoring']:7.3f} ms  + candidates, scoring, details")
    print(f"  {figures['p50_ms']:7.3f} ms  + record, audit, commit: the whole")
    for name, each in sorted(figures["p50_ms_by_step"].items(), key=lambda pair: -pair[1]):
        print(f"      {each:7.3f} ms  {name}", flush=True)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


_POOLED_FACETS = frozenset(FACETS[place] for place in POOLED)

if __name__ == "__main__":
    main()
