"""How fast what is over is erased, beside how fast it comes in and beside a bare DELETE.

    python -m bench.retention [--size 200000] [--due 40000] [--seconds 30]

All three are measured on one PostgreSQL in one run: the platform takes in indicators of 16 tokens
in bulk (policy, log and vault included), the duty `indicators.expire` erases what is due in the
transactions in which it does so in service, and bare statements delete rows of the same kind by
their keys, 1,000 indicators to a transaction. The last line is one JSON object; the ratio of
erasure to ingest must be above 1.
"""

import argparse
import json
from datetime import timedelta
from time import perf_counter
from typing import Any

from sqlalchemy import text

from app import clock
from app.administration import backlog
from app.indicators import service, start
from app.indicators.storage import split_tokens
from bench.machine import machine
from bench.preload import fill
from bench.stage import Stage, stage
from bench.submit import measure

BATCH = 1_000


def main() -> None:
    """Measure, print a table and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description="Erasure beside ingest and a bare DELETE.")
    parser.add_argument("--size", type=int, default=200_000, help="indicators in the tables")
    parser.add_argument("--due", type=int, default=40_000, help="of them over, and as many deleted")
    parser.add_argument("--seconds", type=float, default=30, help="measuring time of ingest")
    options = parser.parse_args()
    with stage("postgresql") as on:
        began = perf_counter()
        fill(on, 0, options.size)
        print(f"filled to {options.size:,} in {perf_counter() - began:.0f} s", flush=True)
        ingest = measure(on, options.seconds, []).figures()
        bare = _bare(on, options.due)
        _end(on, options.due)
        erased, reading = _erase(on)
        told: dict[str, Any] = {
            "ingest_indicators_per_s": ingest["indicators_per_s"],
            "bare_deletes_per_s": round(bare),
            "erased_per_s": round(erased),
            "ratio_to_ingest": round(erased / float(str(ingest["indicators_per_s"])), 2),
            "ratio_to_bare": round(erased / bare, 2),
            "backlog_read_ms": round(reading * 1000, 1),
        }
        for name, value in told.items():
            print(f"{name:>24}: {value:,}")
    sizes = {"size": options.size, "due": options.due}
    print(json.dumps({"benchmark": "retention", **sizes, **told, "machine": machine()}))


def _end(on: Stage, count: int) -> None:
    """Let the oldest indicators be over, and note it in the statistics of tables."""
    at = clock.now()
    with on.database.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE indicator SET expires_on = :day WHERE id IN"
                " (SELECT id FROM indicator ORDER BY id LIMIT :count)"
            ),
            {"day": at.date() - timedelta(days=1), "count": count},
        )
    _tidy(on)


def _tidy(on: Stage) -> None:
    with on.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("VACUUM ANALYZE"))


def _erase(on: Stage) -> tuple[float, float]:
    """Indicators erased per second until none is due, and seconds that reading the backlog took."""
    with on.database.reading() as session:
        began = perf_counter()
        due = backlog.read(session)["indicators"].count
        reading = perf_counter() - began
    count, began = 0, perf_counter()
    with on.app.app_context():
        while True:
            with on.database.transaction() as session:
                done = start.sweep(session)
            count += done
            if done < service.EXPIRY_BATCH:
                break
    spent = perf_counter() - began
    assert count == due, (count, due)
    return count / spent, reading


def _bare(on: Stage, count: int) -> float:
    """Indicators per second, with their tokens, by statements that name the keys."""
    with on.database.engine.begin() as connection:
        rows = connection.execute(
            text("SELECT id, tokens FROM indicator ORDER BY id LIMIT :count"), {"count": count}
        ).all()
    _tidy(on)
    began = perf_counter()
    for first in range(0, len(rows), BATCH):
        part = rows[first : first + BATCH]
        pairs = [(token, row.id) for row in part for token in split_tokens(bytes(row.tokens))]
        tokens, ids = zip(*pairs, strict=True)
        with on.database.engine.begin() as connection:
            connection.exec_driver_sql(_TOKENS, {"tokens": list(tokens), "ids": list(ids)})
            connection.exec_driver_sql(_INDICATORS, {"ids": [row.id for row in part]})
    return len(rows) / (perf_counter() - began)


_TOKENS = (
    "DELETE FROM token USING unnest(%(tokens)s::bytea[], %(ids)s::bigint[]) AS gone (token, id)"
    " WHERE token.token = gone.token AND token.indicator_id = gone.id"
)
_INDICATORS = "DELETE FROM indicator WHERE id = ANY (%(ids)s)"

if __name__ == "__main__":
    main()
