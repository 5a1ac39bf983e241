"""Lookups and bulk submits over HTTP on large tables, beside the same work without the platform.

    python -m bench.load [--sizes 1000000,10000000] [--workers 2] [--clients 1,8] [--seconds 30]
                         [--rounds 3] [--submitters 2] [--directory DIR] [--svg FILE]

The service is gunicorn with `--workers` under the settings of production, on PostgreSQL with its
database roles and row-level security, beside the log's process and the worker. Clients are
processes of their own, each with one connection that is kept. A lookup asks for one party by 16
tokens: half of the queries find nothing but what they share with strangers, a quarter find what a
policy lets the reader see, and a quarter what policies hide. None is asked twice. Bare is
`unnest(tokens) JOIN token JOIN share_grant` through psycopg by the same processes, prepared,
without HTTP, without choosing a policy, without budget, scoring, details or log.

A submit is a request of 500 reports of one party with 16 elements each, by `--submitters` owners
at once; bare is one transaction of four binary COPYs of such rows, made before the clock runs, into
the same tables with their indexes and foreign keys.

Both take turns in `--rounds`. Beside the rates stands the processor time that web service and
PostgreSQL used, which other work on the machine disturbs less. Tables are filled by COPY to each
size (bench/load_fill.py) on a new database below `--directory`, which is removed at the end: about
3.5 GB for 1,000,000 indicators. The last line is one JSON object; --svg draws the growth of it.
"""

import argparse
import json
import os
import random
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from app.sharing.service import profile_id
from bench.load_clients import Asked, Clients, Load, Look, Place, Tokens
from bench.load_curves import draw
from bench.load_fill import Filled, Pool, Shape, fill, last_id, shapes, sizes
from bench.load_growth import quantile
from bench.load_stage import Running, cpu_seconds, running
from bench.machine import machine
from bench.preload import FACETS, POOLED
from postern.pseudonym import TOKEN_SIZE
from postern.vocabulary import LegalBasis, Purpose, Role

QUERIES = 6_000  # different ones of each client
_WARM_UP_SECONDS = 2.0


@dataclass
class Side:
    """All rounds of the service, or of the database alone."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    found: int = 0
    failures: list[str] = field(default_factory=list)
    web_cpu: float = 0.0
    database_cpu: float = 0.0

    def add(self, asked: Sequence[Asked], web_cpu: float, database_cpu: float) -> None:
        """One round: its length is that of the client that took longest."""
        self.seconds += max(sum(each.latencies) for each in asked)
        for each in asked:
            self.latencies += each.latencies
            self.found += each.found
            self.failures += each.failures
        self.web_cpu += web_cpu
        self.database_cpu += database_cpu

    def figures(self) -> dict[str, Any]:
        """A second, milliseconds, and processor milliseconds of each answer."""
        ordered = sorted(self.latencies)
        count = len(ordered)
        return {
            "per_s": round(count / self.seconds, 1),
            "p50_ms": round(quantile(ordered, 0.5) * 1000, 3),
            "p99_ms": round(quantile(ordered, 0.99) * 1000, 3),
            "answers": count,
            "found": self.found,
            "failures": len(self.failures),
            "web_cpu_ms": round(self.web_cpu * 1000 / count, 3),
            "database_cpu_ms": round(self.database_cpu * 1000 / count, 3),
        }


def compared(whole: Side, bare: Side, each: int = 1) -> dict[str, Any]:
    """Figures of both and their ratios; `each` is how many indicators one answer stands for."""
    ours, theirs = whole.figures(), bare.figures()
    used = (whole.web_cpu + whole.database_cpu) / len(whole.latencies)
    used_bare = bare.database_cpu / len(bare.latencies)
    told = {
        "whole": ours,
        "bare": theirs,
        "ratio_rate": round(theirs["per_s"] / ours["per_s"], 2),
        "ratio_p50": round(ours["p50_ms"] / theirs["p50_ms"], 2),
        "ratio_cpu": round(used / used_bare, 2) if used_bare else None,
    }
    if each > 1:
        told |= {
            "indicators_per_s": round(ours["per_s"] * each),
            "bare_indicators_per_s": round(theirs["per_s"] * each),
            # What the processor time of one indicator leaves room for, were both cores its own.
            "indicators_per_s_by_cpu_of_two_cores": round(2 * each / used),
        }
    return told


def main() -> None:
    """Measure, print tables and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_PLAIN)
    parser.add_argument("--sizes", default="1000000,10000000", help="indicators in the tables")
    parser.add_argument("--workers", type=int, default=2, help="of gunicorn")
    parser.add_argument("--clients", default="1,8")
    parser.add_argument("--seconds", type=float, default=30, help="of each measurement and side")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--submitters", type=int, default=2, help="0: submits are not measured")
    parser.add_argument("--directory", type=Path, help="where the database lies meanwhile")
    parser.add_argument("--svg", type=Path, help="draw the growth there")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the database is removed
    found: dict[str, Any] = {}
    with running(options.directory) as on:
        of = shapes(on.on)
        most = on.on.runtime.settings.matching.common_after
        with psycopg.connect(on.address(), autocommit=True) as driver:
            for size in sorted(int(each) for each in options.sizes.split(",")):
                filled = fill(on.address(), of, size, most)
                told = _filled(driver, size, filled)
                on.start(options.workers)
                try:
                    found[str(size)] = told | _measured(on, driver, options, of)
                finally:
                    on.end()
    answer = {
        "benchmark": "load",
        "workers": options.workers,
        "sizes": found,
        "load_average": os.getloadavg(),
        "machine": machine(),
    }
    if options.svg:
        options.svg.write_text(draw(answer), encoding="utf-8")
    print(json.dumps(answer))


_PLAIN = argparse.RawDescriptionHelpFormatter


def _filled(driver: "psycopg.Connection[Any]", size: int, filled: Filled) -> dict[str, Any]:
    bytes_of = sizes(driver)
    per_second = filled.indicators / filled.seconds if filled.seconds else 0
    told = {
        "filled": {
            "indicators": filled.indicators,
            "seconds": round(filled.seconds, 1),
            "index_seconds": round(filled.index_seconds, 1),
            "vacuum_seconds": round(filled.vacuum_seconds, 1),
            "indicators_per_s": round(per_second),
        },
        "bytes": bytes_of,
        "bytes_per_indicator": {name: round(each / size) for name, each in bytes_of.items()},
    }
    print(
        f"{size:,} indicators: {filled.indicators:,} filled in {filled.seconds:.0f} s"
        f" ({per_second:,.0f}/s; indexes {filled.index_seconds:.0f} s,"
        f" vacuum {filled.vacuum_seconds:.0f} s);"
        f" {bytes_of['database'] / 2**30:.2f} GiB, {bytes_of['database'] / size:,.0f} bytes each",
        flush=True,
    )
    return told


def _measured(
    on: Running,
    driver: "psycopg.Connection[Any]",
    options: argparse.Namespace,
    of: Sequence[Shape],
) -> dict[str, Any]:
    size, most = last_id(driver), on.on.runtime.settings.matching.common_after
    told: dict[str, Any] = {"lookups": {}}
    with on.on.app.app_context(), on.on.database.transaction() as session:
        profile = profile_id(
            session,
            on.on.viewer.member[0],
            Role.ANALYST,
            Purpose.CRIMINAL_INVESTIGATION,
            LegalBasis.CRIMINAL_PROCEDURE,
        )
    place = Place(on.port, on.address(), profile, on.reads)
    for count in map(int, options.clients.split(",")):
        asked = [queries(driver, on, QUERIES, size * 100 + number) for number in range(count)]
        clients = Clients([place] * count, [Look(each) for each in asked])
        found = _in_turns(on, clients, options)
        told["lookups"][str(count)] = found
        _tell(f"{size:,}, lookups by {count}", found)
    if options.submitters:
        count = options.submitters
        pool = Pool(size, size // 20, most)
        clients = Clients(
            [Place(on.port, on.address(), profile, on.writes[number]) for number in range(count)],
            [Load([each for each in of if each.owner == number], pool) for number in range(count)],
        )
        found = _in_turns(on, clients, options, each=500)
        told["submits"] = found
        _tell(f"{size:,}, submits by {count}", found)
        print(
            f"  {found['indicators_per_s']:,} indicators/s, bare COPY"
            f" {found['bare_indicators_per_s']:,}; by processor time two cores have room for"
            f" {found['indicators_per_s_by_cpu_of_two_cores']:,}",
            flush=True,
        )
    told["load_average"] = os.getloadavg()
    return told


def queries(driver: "psycopg.Connection[Any]", on: Running, count: int, seed: int) -> list[Tokens]:
    """Half strangers who share the pooled tokens, a quarter shown, a quarter hidden."""
    chance = random.Random(seed)  # noqa: S311 - variety, not secrecy
    newest = last_id(driver)
    ids = [chance.randint(1, newest) for _ in range(3 * count)]
    rows = driver.execute(
        "SELECT organisation_id, tokens FROM indicator WHERE id = ANY (%s)"
        " AND octet_length(tokens) = %s",
        [ids, TOKEN_SIZE * len(FACETS)],
        binary=True,
    ).fetchall()
    hiding = {
        owner.member[0]
        for owner, is_hidden in zip(on.on.owners, on.hides, strict=True)
        if is_hidden
    }
    hidden = [_split(tokens) for owner, tokens in rows if owner in hiding]
    shown = [_split(tokens) for owner, tokens in rows if owner not in hiding]
    found = shown[: count // 4] + hidden[: count // 4]
    found += [_stranger(each) for each in shown[count // 4 :][: count - len(found)]]
    chance.shuffle(found)
    return found


def _split(tokens: bytes) -> Tokens:
    return [
        (facet, tokens[place * TOKEN_SIZE : (place + 1) * TOKEN_SIZE])
        for place, facet in enumerate(FACETS)
    ]


def _stranger(tokens: Tokens) -> Tokens:
    return [
        each if place in POOLED else (each[0], os.urandom(TOKEN_SIZE))
        for place, each in enumerate(tokens)
    ]


def _in_turns(
    on: Running, clients: Clients, options: argparse.Namespace, each: int = 1
) -> dict[str, Any]:
    sides = {False: Side(), True: Side()}
    try:
        for is_bare in sides:
            clients.ask(_WARM_UP_SECONDS, is_bare=is_bare)
        for number in range(options.rounds):
            for is_bare in (True, False) if number % 2 else (False, True):
                before = _used(on)
                asked = clients.ask(options.seconds / options.rounds, is_bare=is_bare)
                web, database = (b - a for a, b in zip(before, _used(on), strict=True))
                sides[is_bare].add(asked, web, database)
    finally:
        clients.end()
    for side in sides.values():
        for failure in side.failures[:1]:
            print(f"  failed: {failure}", flush=True)
    return compared(sides[False], sides[True], each)


def _used(on: Running) -> tuple[float, float]:
    """Processor seconds so far of the web service, and of PostgreSQL."""
    web = cpu_seconds(on.web.pid) if on.web is not None else 0.0
    return web, cpu_seconds(on.postmaster)


def _tell(what: str, found: dict[str, Any]) -> None:
    for side in ("whole", "bare"):
        told = found[side]
        print(
            f"{what:>32} {side:>5}: {told['per_s']:8,.1f}/s p50 {told['p50_ms']:8.2f} ms"
            f" p99 {told['p99_ms']:8.2f} ms; processor {told['web_cpu_ms']:.2f} ms web"
            f" {told['database_cpu_ms']:.2f} ms database; found {told['found']:,}",
            flush=True,
        )
    print(
        f"{what:>32} ratio: rate {found['ratio_rate']}, p50 {found['ratio_p50']},"
        f" processor {found['ratio_cpu']}; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
