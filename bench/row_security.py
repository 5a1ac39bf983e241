"""What row-level security costs a lookup and a blind evaluation, in time and in round trips.

    python -m bench.row_security [--size 20000] [--seconds 10]

Both subjects run the same verbs on one PostgreSQL, in turns: once as the owner of the tables, whom
no policy binds, and once as a role of the web service, in a request, with its settings sent along
with BEGIN. Round trips are counted on the wire: how often the server said that it is ready. The
last line is one JSON object.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, cast

import psycopg
from flask import g
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from app.database import Database
from app.database_roles import Work, grant
from app.lookups import service as lookups
from app.lookups.scoring import Query
from app.pseudonyms import service as pseudonyms
from bench.machine import machine
from bench.preload import Tokens, fill, known
from bench.stage import Stage, stage
from postern import group
from postern.vocabulary import EvaluationKind, Kind, LegalBasis, Purpose

ROLE = "bench_web"
WARM_UP = 30
ELEMENTS = 16
COUNTED = 10

Verb = Callable[[Session], object]


def main() -> None:
    """Measure, print a table and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description="The cost of row-level security.")
    parser.add_argument("--size", type=int, default=20_000, help="indicators in the tables")
    parser.add_argument("--seconds", type=float, default=10, help="measuring time of each verb")
    options = parser.parse_args()
    told: dict[str, Any] = {}
    with stage("postgresql") as on:
        fill(on, 0, options.size)
        bound = _bound(on.database)
        queries = known(on, 200)
        for name, verb in (("lookup", _looking(on, queries)), ("evaluate", _evaluating(on))):
            told[name] = _measure(on, bound, verb, options.seconds)
            print(
                f"{name:>9}: p50 {told[name]['p50_ms_without']} ms without and"
                f" {told[name]['p50_ms_with']} ms with, {told[name]['ratio']} times;"
                f" {told[name]['round_trips_without']} and {told[name]['round_trips_with']}"
                " round trips",
                flush=True,
            )
        bound.dispose()
    print(json.dumps({"benchmark": "row_security", **told, "machine": machine()}))


def _measure(on: Stage, bound: Database, verb: Verb, seconds: float) -> dict[str, Any]:
    times: dict[bool, list[float]] = {False: [], True: []}
    ends = perf_counter() + seconds
    place = 0
    while perf_counter() < ends or place < 2 * WARM_UP:
        for is_bound in (True, False) if place % 2 else (False, True):
            spent = _run(on, bound if is_bound else on.database, verb, is_bound=is_bound)
            if place >= WARM_UP:
                times[is_bound].append(spent)
        place += 1
    trips = {}
    for is_bound, database in ((False, on.database), (True, bound)):
        counts = []
        for _ in range(COUNTED):  # at times the driver prepares a statement, which is one more
            with _counted(database) as counted:
                _run(on, database, verb, is_bound=is_bound)
            counts += counted
        trips[is_bound] = min(counts)
    without, with_ = (median(times[each]) for each in (False, True))
    return {
        "p50_ms_without": round(without * 1000, 3),
        "p50_ms_with": round(with_ * 1000, 3),
        "ratio": round(with_ / without, 3),
        "round_trips_without": trips[False],
        "round_trips_with": trips[True],
        "runs": len(times[True]),
    }


def _run(on: Stage, database: Database, verb: Verb, *, is_bound: bool) -> float:
    """Seconds of a transaction: of a request where it is bound."""
    with on.app.app_context(), on.app.test_request_context() if is_bound else nullcontext():
        if is_bound:
            g.caller = on.viewer
        start = perf_counter()
        with database.transaction() as session:
            verb(session)
        return perf_counter() - start


def _looking(on: Stage, queries: list[Tokens]) -> Verb:
    place = iter(range(10**9))

    def look(session: Session) -> object:
        # The same query for both subjects of a turn.
        tokens = queries[next(place) // 2 % len(queries)]
        return lookups.ask(
            session,
            on.viewer,
            purpose=Purpose.CRIMINAL_INVESTIGATION,
            legal_basis=LegalBasis.CRIMINAL_PROCEDURE,
            case="PV-2024-17",
            queries=[Query("q", Kind.PARTY, 1, tokens)],
        )

    return look


def _evaluating(on: Stage) -> Verb:
    elements = [group.base(group.random_scalar()) for _ in range(ELEMENTS)]

    def evaluate(session: Session) -> object:
        return pseudonyms.evaluate(
            session,
            on.viewer,
            kind=EvaluationKind.POSTAL,
            epoch=1,
            elements=elements,
            purpose=Purpose.CRIMINAL_INVESTIGATION,
            case="PV-2024-17",
        )

    return evaluate


def _bound(database: Database) -> Database:
    """The same database as the role of the web service."""
    with database.engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {ROLE} LOGIN"))
    grant(database, ROLE, Work.WEB)
    return Database(database.url.set(username=ROLE).render_as_string(hide_password=False))


@contextmanager
def _counted(database: Database) -> Iterator[list[int]]:
    """How often the server said within the block that it is ready: in a list, once it ended."""
    found: list[int] = []
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "wire"
        with path.open("w+b") as file:

            def trace(driver: object, *_: object) -> None:
                cast("psycopg.Connection[Any]", driver).pgconn.trace(file.fileno())

            event.listen(database.engine, "checkout", trace)
            yield found
            event.remove(database.engine, "checkout", trace)
            with database.engine.connect() as connection:
                raw = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
                raw.pgconn.untrace()
        found.append(path.read_text().count("ReadyForQuery"))


if __name__ == "__main__":
    main()
