"""What the audit log costs: entries a second, the latency of a read, bytes, proofs, verification.

    python -m bench.audit [--entries 1000000] [--backends sqlite,postgresql] [--seconds 5]

The log is filled in bulk to a tenth and then to the whole number of entries, made by the service's
own `append` and placed by its own sequencer. Then, on the full log:

- bytes of an entry in the database with all indexes (at most 1,800), and in sealed archives (600);
- proofs made and verified, and a full verification, by a member and by the platform;
- an audited read beside the same read with a plain INSERT, neighbours in time (at most 1.25 times
  at the median): the whole request, and the transaction alone;
- entries a second of 1 and 8 writing processes while another one sequences, beside the plain
  INSERT by the same processes, in turns; how long an act waits for its checkpoint.

By default half an hour or more on 2 cores, most of it filling. The last line is one JSON object.
"""

import argparse
import json
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from sqlalchemy import text

from app.audit.running import sequencer
from app.audit.service import create_tag_key
from bench import audit_load, audit_read, audit_scale
from bench.audit_acts import ASKERS, OWNERS
from bench.audit_fill import fill
from bench.audit_plain import make_table
from bench.machine import machine
from bench.stage import BACKENDS, VIEWER, database_of, member, platform
from postern.vocabulary import Sector

MOST_LIVE, MOST_ARCHIVED = 1800, 600  # bytes
MOST_RATIO = 1.25
LEAST_ENTRIES = 1000  # a second, 8 writers on PostgreSQL
_ROUNDS = 3
_LEAST = 0.001  # what a figure is told to


def main() -> None:
    """Measure, print, and as the last line the JSON object."""
    parser = argparse.ArgumentParser(description="What the audit log costs.")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--backends", default=",".join(BACKENDS))
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement of rates")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    for backend in options.backends.split(","):
        found[backend] = _measure(backend, options.entries, options.seconds)
    print(json.dumps({**found, "machine": machine()}))


def _measure(backend: str, entries: int, seconds: float) -> dict[str, Any]:
    with platform(backend) as app:
        runtime, database = app.extensions["postern"], database_of(app)
        with database.transaction() as session:
            for code in (*ASKERS, *OWNERS):
                create_tag_key(session, code)
        make_table(database)
        log = sequencer(runtime)
        figures: dict[str, Any] = {}
        smaller: dict[str, Any] = {}
        for size in (entries // 10, entries):
            start = perf_counter()
            placed = fill(database, log, size)
            _say(f"{backend}: filled to {size:,} in {perf_counter() - start:.0f} s")
            smaller, figures = (
                figures,
                {
                    "sequenced_per_s": round(placed),
                    **audit_scale.weight(runtime),
                    **audit_scale.proofs(database),
                    **audit_scale.verification(database, log),
                },
            )
            _tell(f"{backend}, {size:,} entries", figures)
        figures["growth"] = {
            name: round(figures[name] / max(smaller[name], _LEAST), 2)
            for name in ("bytes_live", "inclusion_ms", "consistency_ms", "verify_s", "check_s")
        }
        _tell(f"{backend}, ten times the entries, times", figures["growth"])
        caller = member(app, VIEWER, Sector.POLICE)
        with audit_load.sequencing(runtime.settings):
            login = f"analyst@{VIEWER}.example"
            request = audit_read.whole_request(app, caller, login, 4 * seconds).figures()
            alone = audit_read.transaction_alone(app, caller, 2 * seconds).figures()
            _tell(f"{backend}, a read, whole request", request)
            _tell(f"{backend}, a read, transaction alone", alone)
            with audit_load.writers(runtime.settings) as pool:
                audit_load.await_sequenced(database)
                with database.reading() as session:
                    since = session.execute(text("SELECT size FROM audit_state")).scalar_one()
                rates = audit_load.rates(database, pool, _ROUNDS, seconds)
            waited = audit_load.lag(database, since)
        for name, each in rates.items():
            _tell(f"{backend}, {name.replace('_', ' ')}", each)
        _tell(f"{backend}, from act to checkpoint", waited)
        figures |= audit_scale.archived(runtime)
        whole = {
            "entries_per_s_1": rates["1_writer"]["entries_per_s"],
            "entries_per_s_8": rates["8_writers"]["entries_per_s"],
            "read_ratio": request["ratio_p50"],
            "verify_1m_s": round(figures["verify_s"] * 1_000_000 / entries, 2),
            **figures,
            **waited,
            "read": {"whole_request": request, "transaction_alone": alone},
            "rates": rates,
        }
        _judge(backend, whole)
        return whole


def _judge(backend: str, figures: Mapping[str, Any]) -> None:
    limits = [
        ("bytes of an entry, live", figures["bytes_live"], MOST_LIVE),
        ("bytes of an entry, archived", figures["bytes_archive"], MOST_ARCHIVED),
        ("audited read, times the plain one", figures["read_ratio"], MOST_RATIO),
    ]
    for name, value, most in limits:
        _say(f"{backend}: {name}: {value} {'PASS' if value <= most else 'FAIL'}, at most {most}")
    if backend == "postgresql":
        rate = figures["entries_per_s_8"]
        verdict = "PASS" if rate >= LEAST_ENTRIES else "FAIL"
        _say(
            f"{backend}: entries a second of 8 writers: {rate} {verdict}, at least {LEAST_ENTRIES}"
        )


def _tell(what: str, figures: Mapping[str, Any]) -> None:
    _say(f"{what}: " + ", ".join(f"{name} {value}" for name, value in figures.items()))


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
