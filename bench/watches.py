"""Submissions per second while nothing, 10,000 and 1,000,000 values are watched for.

    python -m bench.watches [--backends sqlite,postgresql] [--watches 0,10000,1000000]
                            [--indicators 100000] [--rounds 25] [--runs 3]

The subject is the whole service path of a submission, as in bench.submit: requests of 500 reports
with one party of 16 elements each. One report of each request is what a watch waits for, wherever
there are watches, so that matching, scoring and the outbox are among what is measured.

A quarter of the watches are of an address without a name, the others of a party with all facets.
There is one platform for each number of watches, side by side, with the same indicators in the
tables. Every round sends a request of the same shape to each of them, in an order that is drawn
anew, so that other load on the machine falls on all. A ratio is the median, over the rounds, of
what a request took beside that of the same round without watches. Each run has its own, and all
rounds together are held to the limit: at most 1.20 times at the highest number, with PASS or FAIL.
What matching itself takes of a request is printed beside it. By default about 25 minutes on 2
cores, most of it filling. The last line is one JSON object.
"""

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from string import Template
from time import perf_counter
from typing import Any

from sqlalchemy import text

from app.clock import now
from app.indicators import service
from app.indicators.kinds import FACETS_OF
from app.indicators.telling import Grounds
from app.lookups import watch_matching, watches
from app.lookups.watch_probing import bits
from app.lookups.watches import Wanted
from app.sharing.service import profile_id
from bench.machine import machine
from bench.preload import FACET_BITS, FACETS, POOLED, fill
from bench.stage import BACKENDS, Stage, stage
from bench.watch import Steps, Watch
from postern import group
from postern.base64url import to_base64url
from postern.pseudonym import token
from postern.vocabulary import EvaluationKind, Kind, LegalBasis, Purpose, Role, Tlp, Told

REQUEST = 500  # reports of one request
WARM_UP = 3  # rounds before the clock counts
REAL = 20  # watches that are set through the service, and answered
LIMIT = 1.20

_GROUNDS = Grounds(Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE, "PV-2024-17")
_STEPS: Steps = {
    "tokens that are watched for": (watch_matching, "_waiting"),
    "their watches": (watch_matching, "_watches"),
    "keep the matches": (watch_matching, "_keep"),
}


@dataclass
class Platform:
    """A platform with so many watches, and the seconds that each request took."""

    on: Stage
    watches: int
    spent: list[float] = field(default_factory=list)
    watch: Watch = field(default_factory=lambda: Watch(_STEPS))


def main() -> None:
    """Measure, print tables and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description="Submitting while much is watched for.")
    parser.add_argument("--backends", default=",".join(BACKENDS))
    parser.add_argument("--watches", default="0,10000,1000000")
    parser.add_argument("--indicators", type=int, default=100_000, help="in the tables")
    parser.add_argument("--rounds", type=int, default=25, help="of one run")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    counts = sorted(int(count) for count in options.watches.split(","))
    found = {
        backend: _measure(backend, counts, options.indicators, options.rounds, options.runs)
        for backend in options.backends.split(",")
    }
    print(json.dumps({"benchmark": "watches", **found, "machine": machine()}))


def _measure(
    backend: str, counts: Sequence[int], indicators: int, rounds: int, runs: int
) -> dict[str, object]:
    with ExitStack() as opened:
        points = _points()
        wanted = [[next(points) for _ in FACETS] for _ in range(REAL)]
        platforms = []
        for count in counts:
            start = perf_counter()
            on = opened.enter_context(stage(backend))
            fill(on, 0, indicators)
            _fill_watches(on, count, wanted)
            platforms.append(Platform(on, count))
            print(f"{backend}: {count:,} watches in {perf_counter() - start:.0f} s", flush=True)
        for _ in range(WARM_UP):
            _round(platforms, points, wanted)
        told = [_run(backend, platforms, points, wanted, rounds) for _ in range(runs)]
        for each in platforms:
            _check_matches(each, WARM_UP + runs * rounds)
        ratio = _ratio(platforms[-1].spent[WARM_UP:], platforms[0].spent[WARM_UP:])
    verdict = "PASS" if ratio <= LIMIT else "FAIL"
    print(
        f"{backend}, {counts[-1]:,} watches: {ratio:.3f} times, at most {LIMIT}: {verdict}",
        flush=True,
    )
    return {"indicators": indicators, "runs": told, "ratio": ratio, "limit": LIMIT}


def _run(
    backend: str,
    platforms: Sequence[Platform],
    points: Iterator[bytes],
    wanted: Sequence[Sequence[bytes]],
    rounds: int,
) -> dict[str, Any]:
    for each in platforms:
        each.watch.take()
    for _ in range(rounds):
        _round(platforms, points, wanted)
    without = platforms[0].spent[-rounds:]
    told: dict[str, Any] = {"reports_per_s": {}, "ratios": {}, "ms_per_request": {}}
    for each in platforms:
        spent, name = each.spent[-rounds:], str(each.watches)
        took, ratio = sum(spent) / rounds, _ratio(spent, without)
        steps = {step: spent / rounds for step, spent in each.watch.take().items()}
        told["reports_per_s"][name] = round(REQUEST / took)
        told["ratios"][name] = ratio
        told["ms_per_request"][name] = {
            "all": round(took * 1000, 1),
            **{step: round(spent * 1000, 2) for step, spent in steps.items()},
        }
        parts = ", ".join(f"{step} {spent * 1000:.1f}" for step, spent in steps.items())
        print(
            f"{backend}, {each.watches:9,} watches: {REQUEST / took:6,.0f} reports/s, "
            f"{ratio:.3f} times; {took * 1000:.0f} ms a request ({parts}: "
            f"{sum(steps.values()) / took:.1%})",
            flush=True,
        )
    return told


def _ratio(spent: Sequence[float], without: Sequence[float]) -> float:
    """The median of what each request took, beside that of its round without watches."""
    return round(median(one / other for one, other in zip(spent, without, strict=True)), 3)


def _round(
    platforms: Sequence[Platform], points: Iterator[bytes], wanted: Sequence[Sequence[bytes]]
) -> None:
    draw = random.Random()  # noqa: S311 - variety, not secrecy
    owner = draw.randrange(len(platforms[0].on.owners))
    for each in draw.sample(platforms, len(platforms)):
        each.spent.append(_submit(each, owner, _request(points, draw.choice(wanted))))


def _submit(platform: Platform, owner: int, request: list[dict[str, Any]]) -> float:
    on = platform.on
    with on.app.app_context(), platform.watch.watching():
        start = perf_counter()
        with on.database.transaction() as session:
            answer = service.submit(session, on.owners[owner], request)
        spent = perf_counter() - start
    assert answer.counts["created"] == REQUEST, answer.counts
    return spent


def _check_matches(platform: Platform, requests: int) -> None:
    """Each request was answered by the one watch that waited for one of its reports."""
    with platform.on.database.reading() as session:
        matches, asked = (
            session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - ours
            for table in ("watch_match", "outbox")
        )
    assert matches == asked == (requests if platform.watches else 0), (matches, asked)


def _points() -> Iterator[bytes]:
    """Real group elements, each once: a random multiple of the generator, then sums with it."""
    element = group.base(group.random_scalar())
    while True:
        yield element
        element = group.add(element, group.GENERATOR)


def _request(points: Iterator[bytes], watched: Sequence[bytes]) -> list[dict[str, Any]]:
    draw = random.Random()  # noqa: S311 - variety, not secrecy
    return [
        {
            "client_key": f"{draw.getrandbits(64):016x}",
            "barrier_step": 4,
            "shipment": {"origin_country": "BE", "weight_band": "100-500"},
            "indicators": [
                {
                    "kind": "party",
                    "role": draw.choice(("sender", "addressee")),
                    "epoch": 1,
                    "elements": [
                        {"facet": facet, "element": to_base64url(element)}
                        for facet, element in zip(
                            FACETS, watched if not place else points, strict=False
                        )
                    ],
                    "learned": "outside_of_item",
                    "legal_basis": "postal_law",
                    "source_grade": draw.choice("BX"),
                    "information_grade": draw.choice("1234"),
                    "observed_to": (now() - timedelta(days=draw.randrange(300))).date().isoformat(),
                }
            ],
        }
        for place in range(REQUEST)
    ]


def _fill_watches(on: Stage, count: int, wanted: Sequence[Sequence[bytes]]) -> None:
    """Bring the platform to `count` watches, evenly by its owners; the last few are real ones."""
    if not count:
        return
    with on.app.app_context(), on.database.transaction() as session:
        profiles = [
            profile_id(
                session, owner.member[0], Role.ANALYST, _GROUNDS.purpose, _GROUNDS.legal_basis
            )
            for owner in on.owners
        ]
    _run_statements(on, profiles, max(0, count - len(wanted)))
    for number, elements in enumerate(wanted):
        tokens = [
            (facet, token(EvaluationKind.POSTAL, 1, element))
            for facet, element in zip(FACETS, elements, strict=True)
        ]
        watch = Wanted(
            Kind.PARTY,
            1,
            tokens,
            Told.BOTH,
            deconflicts=False,
            tlp=Tlp.AMBER,
            expires_on=(now() + timedelta(days=100)).date(),
        )
        owner = on.owners[number % len(on.owners)]
        with on.app.app_context(), on.database.transaction() as session:
            watches.set_up(session, owner, _GROUNDS, watch)


def _run_statements(on: Stage, profiles: Sequence[int], count: int) -> None:
    at = now()
    is_sqlite = on.database.is_sqlite
    spelling = _SQLITE if is_sqlite else _POSTGRESQL
    values = {
        "last": count,
        "owners": len(on.owners),
        "facets": FACET_BITS,
        "address": bits(FACETS_OF[Kind.ADDRESS]),
        "pool": max(1, count // 20),
        "at": at.replace(tzinfo=None).isoformat(" ", "microseconds"),
        "expires": (at + timedelta(days=100)).date().isoformat(),
    }
    with on.database.engine.connect() as connection:
        for statement in _statements(on, profiles):
            made = Template(statement).substitute(spelling)
            used = {name: value for name, value in values.items() if f":{name}" in made}
            connection.execute(text(made), used)
        connection.commit()
    if not is_sqlite:
        with on.database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("VACUUM ANALYZE")
            connection.exec_driver_sql("CHECKPOINT")


def _statements(on: Stage, profiles: Sequence[int]) -> Iterator[str]:
    if not on.database.is_sqlite:
        yield "SET LOCAL session_replication_role = replica"  # what is filled in fits together
    yield "DROP INDEX ix_watch_token_watch_id"  # built after the rows, as for any first load
    yield (
        "CREATE TEMP TABLE bench_watcher"
        " (place int PRIMARY KEY, organisation int, person int, profile int, class int)"
    )
    for place, owner in enumerate(on.owners):
        organisation, person = owner.member
        row = f"{place}, {organisation}, {person}, {profiles[place]}, {on.classes[place][0]}"
        yield f"INSERT INTO bench_watcher VALUES ({row})"  # noqa: S608 - numbers
    yield """
        INSERT INTO watch (id, public_id, organisation_id, person_id, profile_id, share_class_id,
          kind, epoch, facets, tells, deconflicts, made_at, expires_on)
        $numbers SELECT i, $uuid, o.organisation, o.person, o.profile, o.class,
          'party', 1, CASE WHEN i % 4 = 0 THEN :address ELSE :facets END, 'both', false,
          $at, $expires
        FROM $source JOIN bench_watcher o ON o.place = i % :owners
        """
    yield "CREATE TEMP TABLE bench_watch_pool (place int, token $bytes)"
    yield """
        INSERT INTO bench_watch_pool $numbers SELECT i, $bytes16 FROM $source WHERE i <= :pool
        """
    yield "CREATE INDEX bench_watch_pool_place ON bench_watch_pool (place)"
    yield "CREATE TEMP TABLE bench_watch_facet (place int, facet int, pooled int)"
    for place, facet in enumerate(FACETS):
        yield f"INSERT INTO bench_watch_facet VALUES ({place}, {facet}, {int(place in POOLED)})"  # noqa: S608 - numbers
    yield """
        CREATE TEMP TABLE bench_watch_draw AS
        SELECT w.id, f.facet, 1 + $random % :pool AS place
        FROM watch w JOIN bench_watch_facet f ON f.pooled = 1 AND (w.facets >> f.facet) % 2 = 1
        """
    yield """
        INSERT INTO watch_token (token, watch_id, facet)
        SELECT token, id, facet FROM (
          SELECT $bytes16 AS token, w.id, f.facet
          FROM watch w JOIN bench_watch_facet f ON f.pooled = 0 AND (w.facets >> f.facet) % 2 = 1
          UNION ALL
          SELECT p.token, d.id, d.facet
          FROM bench_watch_draw d JOIN bench_watch_pool p ON p.place = d.place
        ) AS drawn ORDER BY token
        """
    yield "CREATE INDEX ix_watch_token_watch_id ON watch_token (watch_id)"
    if not on.database.is_sqlite:
        yield "SELECT setval(pg_get_serial_sequence('watch', 'id'), (SELECT max(id) FROM watch))"


_SQLITE = {
    "numbers": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :last)",
    "source": "n",
    "bytes": "blob",
    "bytes16": "randomblob(16)",
    "uuid": "lower(hex(randomblob(16)))",
    "random": "abs(random())",
    "at": ":at",
    "expires": ":expires",
}
_POSTGRESQL = {
    "numbers": "",
    "source": "generate_series(1, CAST(:last AS bigint)) AS n (i)",
    "bytes": "bytea",
    "bytes16": "uuid_send(gen_random_uuid())",
    "uuid": "gen_random_uuid()",
    "random": "CAST(floor(random() * 1e9) AS integer)",
    "at": "CAST(:at AS timestamp) AT TIME ZONE 'UTC'",
    "expires": "CAST(:expires AS date)",
}

if __name__ == "__main__":
    main()
