"""What screening filters and bulk evaluation cost the platform.

    python -m bench.filters [--indicators 15000] [--rounds 3] [--backends sqlite,postgresql]

Parties with 13 tokens each, all of which another organisation may screen. Measured are the making
of a filter for the first time (its ledger is empty before each), its making again, fetching all
parts, the changes after a hundredth of the indicators was withdrawn, and the evaluation of 10,000
elements with their proofs, each a whole transaction with its entries; seconds by the clock and of
the processor, the latter without a database server's. A filter of more than
200,000 tokens is built by a job: here it is built in the request whatever its size. About 3
minutes on 2 cores; the last line is one JSON object.
"""

import argparse
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from statistics import median
from time import perf_counter, process_time
from typing import NamedTuple, TypeVar
from unittest.mock import patch

from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.indicators import service
from app.indicators.kinds import FACETS_OF
from app.indicators.models import Given, Report
from app.indicators.telling import Grounds
from app.patterns import filter_changes, filters, screening, screening_quota
from app.patterns.filters import Issue
from app.sharing import service as sharing
from bench.machine import machine
from bench.stage import BACKENDS, database_of, member, platform
from postern import group
from postern.base64url import to_base64url
from postern.evaluation_octets import MOST
from postern.vocabulary import EvaluationKind, Kind, LegalBasis, Purpose, RecallReason, Sector

R = TypeVar("R")


class _Took(NamedTuple):
    """Seconds by the clock, and of the processor in this process alone."""

    wall: float
    cpu: float


OF_REPORT = 10  # indicators
AT_ONCE = 50  # reports of one submission
GROUNDS = Grounds(Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE, "PV-2024-17")
POLICY = """
@id("bench/screened") @label("Police screen for everything")
permit (principal, action, resource) when { principal.sector == Sector::"police" };
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--indicators", type=int, default=15_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backends", default=",".join(BACKENDS))
    asked = parser.parse_args()
    figures = {}
    for backend in asked.backends.split(","):
        with platform(backend) as app:
            owner = member(app, "post-be", Sector.POST)
            reader = member(app, "police-zz", Sector.POLICE)
            _fill(app, owner, asked.indicators)
            figures[backend] = _measured(app, owner, reader, asked.indicators, asked.rounds)
        print(backend, json.dumps(figures[backend]), flush=True)
    told = {"bench": "filters", "indicators": asked.indicators, "rounds": asked.rounds}
    print(json.dumps({**told, "backends": figures, "machine": machine()}))


def _fill(app: Flask, owner: Caller, count: int) -> None:
    with _done(app) as session:
        sharing.publish(session, CONSOLE, owner.organisation, POLICY)
    elements = _elements()
    for first in range(0, count, OF_REPORT * AT_ONCE):
        reports = [
            {
                "client_key": f"r{start}",
                "indicators": [_party(elements) for _ in range(min(OF_REPORT, count - start))],
            }
            for start in range(first, min(first + OF_REPORT * AT_ONCE, count), OF_REPORT)
        ]
        with _done(app) as session:
            submitted = service.submit(session, owner, reports)
        assert submitted.counts["created"] == len(reports)


def _elements() -> Iterator[bytes]:
    """Elements of no value, without an end."""
    start = group.base(group.random_scalar())
    return itertools.accumulate(itertools.repeat(group.GENERATOR), group.add, initial=start)


def _party(elements: Iterator[bytes]) -> dict[str, object]:
    return {
        "kind": "party",
        "role": "sender",
        "epoch": 1,
        "elements": [
            {"facet": facet, "element": to_base64url(next(elements))}
            for facet in sorted(FACETS_OF[Kind.PARTY])
        ],
        "permitted_action": "watch",
        "learned": "outside_of_item",
        "legal_basis": "postal_law",
    }


def _measured(
    app: Flask, owner: Caller, reader: Caller, count: int, rounds: int
) -> dict[str, object]:
    seconds: dict[str, list[_Took]] = {"first_time": [], "again": [], "fetch": [], "evaluate": []}
    _agree(app, reader)
    with patch.object(filters, "MOST_AT_ONCE", 10**9):
        for _ in range(rounds):
            with _done(app) as session:
                session.execute(delete(Given))
            seconds["first_time"].append(_timed(lambda: _make(app, reader))[0])
            took, issue = _timed(lambda: _make(app, reader))
            seconds["again"].append(took)
            seconds["fetch"].append(_timed(partial(_fetch, app, reader, issue))[0])
            seconds["evaluate"].append(_evaluate(app, reader))
        _withdraw(app, owner, count // 100 // OF_REPORT)
        newest = _make(app, reader)
    took, changed = _timed(lambda: _changes(app, reader, newest, issue))
    return {
        "records": issue.count,
        "content_mb": round((issue.size or 0) / 1e6, 2),
        **{name: _told(all_) for name, all_ in seconds.items()},
        "changes": _told([took]),
        "changes_kb": round(len(changed) / 1e3, 1),
    }


def _told(all_: Sequence[_Took]) -> dict[str, float]:
    return {
        "wall_s": round(median(each.wall for each in all_), 2),
        "cpu_s": round(median(each.cpu for each in all_), 2),
    }


def _agree(app: Flask, reader: Caller) -> None:
    with _done(app) as session:
        screening_quota.allow(
            session,
            CONSOLE,
            reader.organisation,
            EvaluationKind.POSTAL,
            elements=10**9,
            ends_on=(clock.now() + timedelta(days=2)).date(),
            reason="benchmark",
        )


def _make(app: Flask, reader: Caller) -> Issue:
    with _done(app) as session:
        return filters.make(session, reader, GROUNDS)


def _fetch(app: Flask, reader: Caller, issue: Issue) -> None:
    for part in range(1, issue.parts + 1):
        with _done(app) as session:
            filters.fetch(session, reader, issue.id, part)


def _changes(app: Flask, reader: Caller, newest: Issue, older: Issue) -> bytes:
    with _done(app) as session:
        return filter_changes.changes(session, reader, newest.id, older.seq)


def _evaluate(app: Flask, reader: Caller) -> _Took:
    elements = list(itertools.islice(_elements(), MOST))

    def run() -> None:
        with _done(app) as session:
            screening.evaluate(
                session,
                reader,
                kind=EvaluationKind.POSTAL,
                epoch=1,
                elements=elements,
                purpose=GROUNDS.purpose,
                case=GROUNDS.case,
            )

    return _timed(run)[0]


def _withdraw(app: Flask, owner: Caller, reports: int) -> None:
    with database_of(app).reading() as session:
        chosen = session.scalars(select(Report.public_id).order_by(Report.id).limit(reports)).all()
    for report in chosen:
        with _done(app) as session:
            service.withdraw(session, owner, report, "error", RecallReason.WRONG_DATA)


def _timed(run: Callable[[], R]) -> tuple[_Took, R]:
    began, used = perf_counter(), process_time()
    found = run()
    return _Took(perf_counter() - began, process_time() - used), found


@contextmanager
def _done(app: Flask) -> Iterator[Session]:
    with app.app_context(), database_of(app).transaction() as session:
        yield session


if __name__ == "__main__":
    main()
