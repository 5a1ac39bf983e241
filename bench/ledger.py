"""What the ledger of who got what adds to an export of everything that others share.

    python -m bench.ledger [--indicators 50000] [--rounds 5] [--backends sqlite,postgresql]

The subject is `export_shared` of the service, file after file of 2,000 until the last: policy
joined in SQL, the rows, the CSV, the reader's audit entry, the owner's, the commit. It is measured
in turns without the ledger (neither the hold on the rows nor the note), with it where the reader
gets everything for the first time, and with it where the reader got everything before. The table
is emptied before each first time. About 8 minutes on 2 cores; the last line is one JSON object.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Any
from unittest.mock import patch
from uuid import UUID

from flask import Flask
from sqlalchemy import delete, func, select

from app.access import CONSOLE, Caller
from app.clock import now
from app.indicators import export, service, shared, shared_rows
from app.indicators.models import Given
from app.indicators.shared_schemas import Form
from app.indicators.telling import Grounds
from app.sharing import service as sharing
from bench.machine import machine
from bench.stage import BACKENDS, database_of, member, platform
from postern.vocabulary import LegalBasis, Purpose, Sector

OF_REPORT = 20  # indicators
AT_ONCE = 100  # reports of one submission
GROUNDS = Grounds(Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE, "PV-2024-17")
POLICY = """
@id("bench/fed") @label("Police take everything away")
permit (principal, action, resource) when { principal.sector == Sector::"police" };
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--indicators", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--backends", default=",".join(BACKENDS))
    asked = parser.parse_args()
    figures = {}
    for backend in asked.backends.split(","):
        with platform(backend) as app:
            owner, reader = (
                member(app, "post-be", Sector.POST),
                member(app, "police-zz", Sector.POLICE),
            )
            _fill(app, owner, asked.indicators)
            figures[backend] = _measured(app, reader, asked.indicators, asked.rounds)
        print(backend, json.dumps(figures[backend]))
    print(
        json.dumps(
            {
                "bench": "ledger",
                "indicators": asked.indicators,
                "rounds": asked.rounds,
                "backends": figures,
                "machine": machine(),
            }
        )
    )


def _fill(app: Flask, owner: Caller, count: int) -> None:
    with app.app_context(), database_of(app).transaction() as session:
        sharing.publish(session, CONSOLE, owner.organisation, POLICY)
    for first in range(0, count, OF_REPORT * AT_ONCE):
        reports = [
            {
                "client_key": f"r{start}",
                "indicators": [_place(n) for n in range(start, min(start + OF_REPORT, count))],
            }
            for start in range(first, min(first + OF_REPORT * AT_ONCE, count), OF_REPORT)
        ]
        with app.app_context(), database_of(app).transaction() as session:
            submitted = service.submit(session, owner, reports)
        assert submitted.counts["created"] == len(reports)


def _place(number: int) -> dict[str, Any]:
    return {
        "kind": "induction_point",
        "role": "induction_point",
        "place": {"operator": "bpost", "code": f"P-{number}", "country": "BE"},
        "learned": "carrier_record",
        "legal_basis": "postal_law",
    }


def _measured(app: Flask, reader: Caller, count: int, rounds: int) -> Mapping[str, object]:
    ways: Mapping[str, Callable[[], float]] = {
        "without": lambda: _without_ledger(app, reader, count),
        "first_time": lambda: _first_time(app, reader, count),
        "again": lambda: _export(app, reader, count),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    _without_ledger(app, reader, count)  # so that what is cached is
    for _ in range(rounds):
        for name, run in ways.items():
            seconds[name].append(run())
    with database_of(app).reading() as session:
        assert session.scalar(select(func.count()).select_from(Given)) == count
    return {
        **{f"{name}_s": round(median(all_), 2) for name, all_ in seconds.items()},
        "first_time_ratio": round(median(seconds["first_time"]) / median(seconds["without"]), 2),
        "again_ratio": round(median(seconds["again"]) / median(seconds["without"]), 2),
    }


def _without_ledger(app: Flask, reader: Caller, count: int) -> float:
    with _nothing_noted():
        return _export(app, reader, count)


def _first_time(app: Flask, reader: Caller, count: int) -> float:
    with database_of(app).transaction() as session:
        session.execute(delete(Given))
    return _export(app, reader, count)


@contextmanager
def _nothing_noted() -> Iterator[None]:
    with (
        patch.object(shared, "note_given", lambda *_: None),
        patch.object(shared_rows, "hold", lambda *_: None),
    ):
        yield


def _export(app: Flask, reader: Caller, count: int) -> float:
    """Seconds until the last file is written and committed."""
    began = perf_counter()
    cursor: UUID | None = None
    taken = 0
    while True:
        with app.app_context(), database_of(app).transaction() as session:
            page = shared.export_shared(
                session, reader, GROUNDS, wanted={}, limit=shared.MOST_EXPORTED, cursor=cursor
            )
            export.written(page.indicators, Form.CSV, now())
        taken += len(page.indicators)
        cursor = page.next
        if cursor is None:
            break
    assert taken == count
    return perf_counter() - began


if __name__ == "__main__":
    main()
