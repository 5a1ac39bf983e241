"""Rows per second of screening beside a bare scan of the same columns and beside peers.

    python -m bench.screen [--rows 1000000] [--rounds 3] [--spark 1 2] [--without naive] [--seed 1]

Every way runs in a process of its own, so that processor time and peak memory are its own:

- `scan` reads the columns that the rules need from the prepared Parquet file and folds each into
  one number, with DuckDB; `single` screens with the rules about single parcels, `all` with all
  rules of policies/patterns. Compiling the rules counts, reading their files does not.
- `polars` and `naive` are the same rules by hand (screen_peers.py), the last one a loop in plain
  Python over a CSV file of the prepared columns, on at most 1,000,000 rows; `plain` is the
  reference that says what rules mean, on 20,000 rows. Both are told per row.
- `scan-csv` reads every column of the raw CSV; `prepare-parquet` and `prepare-csv` read, check and
  fold the raw manifest, which comes before any screening.
- `spark-N` finds the hits with N worker processes of one core each, its start included.

Times are processor seconds of the process and all that it started, medians of rounds that alternate
between ways; ratios are medians of the ratios to the scan of the same round. Memory is the most
that these processes held together. All ways that run all rules must find the same number of hits.
The last line is one JSON object. What is detected is another benchmark: detection.py.
"""

# ruff: noqa: S608, E501 - every name in a statement is ours; statements stand on one line

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from bench.machine import machine
from bench.manifests import generate
from bench.screen_peers import naive_hits, polars_hits
from postern.duckdb_engine import Engine, literal
from postern.manifest import prepare
from postern.manifest_mapping import ManifestMapping
from postern.patterns.compiling import Dialect, compiled
from postern.patterns.files import rules_of
from postern.patterns.model import Rule
from postern.patterns.plain import hits
from postern.screening import find
from postern.screening_spark import Spark

LIBRARY = Path(__file__).parents[1] / "policies" / "patterns"
WAYS = (
    *("scan", "single", "all", "polars", "naive", "plain"),
    *("scan-csv", "prepare-csv", "prepare-parquet"),
)
_MOST_ROWS = {"naive": 1_000_000, "plain": 20_000}
_LOOK = 0.05  # seconds between two looks at processes
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Measure, print a table and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description="Screening beside a bare scan and peers.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--spark", type=int, nargs="*", default=[], help="numbers of workers")
    parser.add_argument("--without", nargs="*", default=[], choices=WAYS, help="ways left out")
    parser.add_argument("--keep", type=Path, help="where manifests are made, and found again")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.way:
        print(json.dumps(_one(asked.way, asked.folder)))
        return
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as directory:
        folder = asked.keep or Path(directory)
        _make(folder, asked.rows, asked.seed)
        ways = [each for each in WAYS if each not in asked.without]
        ways += [f"spark-{workers}" for workers in asked.spark]
        figures = {
            "rows": asked.rows,
            "rules": len(rules_of([LIBRARY])),
            "ways": _measured(ways, folder, asked.rounds, asked.rows),
            "machine": machine("duckdb", "ibis-framework", "polars", "pyspark"),
        }
    _tell(figures)
    print(json.dumps(figures))


def _make(folder: Path, rows: int, seed: int) -> None:
    """The manifest as Parquet and CSV, and prepared as both."""
    folder.mkdir(exist_ok=True)
    if (folder / "prepared.csv").exists():
        return
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        work = Path(directory)
        engine = Engine(work)
        generate(folder / "manifest.parquet", rows, seed, engine)
        _as_csv(engine, folder / "manifest.parquet", folder / "manifest.csv", rows)
        made = prepare(
            folder / "manifest.parquet", work, ManifestMapping(), engine, lambda *_: None
        )
        made.path.replace(folder / "prepared.parquet")
        _as_csv(engine, folder / "prepared.parquet", folder / "prepared.csv", _MOST_ROWS["naive"])
        engine.close()


def _as_csv(engine: Engine, source: Path, target: Path, most: int) -> None:
    columns = "* EXCLUDE faults" if source.name == "prepared.parquet" else "*"
    engine.run(
        f"COPY (SELECT {columns} FROM read_parquet({literal(source)}) LIMIT {most}) TO {literal(target)} (HEADER)"
    )


def _measured(ways: Sequence[str], folder: Path, rounds: int, rows: int) -> dict[str, Any]:
    taken: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            command = [sys.executable, "-m", "bench.screen", "--way", way, "--folder", str(folder)]
            ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            taken[way].append(json.loads(ran.stdout.splitlines()[-1]))
    _same_hits(taken, rows)
    scans = [each["cpu"] / rows for each in taken["scan"]]
    found = {}
    for way, its in taken.items():
        done = min(rows, _MOST_ROWS.get(way, rows))
        cpu = median(each["cpu"] for each in its)
        ratios = [each["cpu"] / done / scan for each, scan in zip(its, scans, strict=True)]
        found[way] = {
            "rows": done,
            "cpu_s": round(cpu, 3),
            "wall_s": round(median(each["wall"] for each in its), 3),
            "peak_mib": round(max(each["peak"] for each in its)),
            "rows_per_cpu_s": round(done / cpu),
            "ratio_to_scan": round(median(ratios), 2),
        }
    return found


def _same_hits(taken: dict[str, list[dict[str, float]]], rows: int) -> None:
    whole = {"all", "polars"} | ({"naive"} if rows <= _MOST_ROWS["naive"] else set())
    counts = {
        way: {each["hits"] for each in its}
        for way, its in taken.items()
        if way in whole or way.startswith("spark-")
    }
    if len(set().union(*counts.values())) > 1:
        raise SystemExit(f"The ways do not find the same: {counts}")


def _one(way: str, folder: Path) -> dict[str, float]:
    """One way, in this process."""
    prepared, rules = folder / "prepared.parquet", rules_of([LIBRARY])
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        work = Path(directory)
        engine = Engine(work) if way not in {"polars", "naive"} else None
        rows = _rows(engine, prepared) if way == "plain" and engine else []
        with _Family() as family:
            begun = perf_counter()
            if way == "polars":
                found = sum(polars_hits(prepared, rules).values())
            elif way == "naive":
                found = sum(naive_hits(folder / "prepared.csv", rules).values())
            elif way == "plain":
                found = sum(len(hits(rule, rows)) for rule in rules)
            elif engine is not None:
                found = _by_engine(way, folder, work, engine, rules)
            taken = perf_counter() - begun
        if engine is not None:
            engine.close()
    return {"cpu": family.seconds, "wall": taken, "peak": family.peak / 2**20, "hits": found}


def _by_engine(way: str, folder: Path, work: Path, engine: Engine, rules: Sequence[Rule]) -> int:
    """What runs on DuckDB, and Spark; the number of hits, if that is what it is about."""
    prepared = folder / "prepared.parquet"
    if way == "scan":
        columns = _needed(engine, f"read_parquet({literal(prepared)})", rules)
        _scan(engine, f"read_parquet({literal(prepared)})", columns)
    elif way == "scan-csv":
        source = f"read_csv({literal(folder / 'manifest.csv')}, all_varchar = true)"
        _scan(engine, source, [(row[0], row[1]) for row in engine.rows(f"DESCRIBE FROM {source}")])
    elif way.startswith("prepare-"):
        manifest = folder / f"manifest.{way.partition('-')[2]}"
        prepare(manifest, work, ManifestMapping(), engine, lambda *_: None)
    elif way.startswith("spark-"):
        workers = int(way.partition("-")[2])
        Spark(f"local-cluster[{workers},1,2048]").find(prepared, rules, (), work / "hits")
        ((count,),) = engine.rows(
            f"SELECT count(*) FROM read_parquet({literal(work / 'hits' / '*.parquet')})"
        )
        return int(count)
    else:
        chosen = [rule for rule in rules if way == "all" or rule.aggregate is None]
        find(engine, prepared, compiled(chosen, (), Dialect.DUCKDB), lambda *_: None)
        return int(engine.rows("SELECT count(*) FROM hits")[0][0])
    return 0


def _scan(engine: Engine, source: str, columns: Sequence[tuple[str, str]]) -> None:
    """Read columns, with as little work on each as makes it be read."""
    parts = " + ".join(
        f"count({name}) + sum(length({name}))" if kind == "VARCHAR" else f"bit_xor({name}::BIGINT)"
        for name, kind in columns
    )
    engine.run(f"CREATE TABLE scanned AS SELECT {parts} FROM {source}")


def _needed(engine: Engine, source: str, rules: Sequence[Rule]) -> list[tuple[str, str]]:
    names = {"line", "posted_day"}
    for rule in rules:
        names |= {each.field.name for one in rule.selections for each in one.predicates}
        if rule.aggregate:
            names |= {field.name for field in rule.aggregate.by}
            names |= {each.field.name for each in rule.aggregate.having if each.field}
    return [(row[0], row[1]) for row in engine.rows(f"DESCRIBE FROM {source}") if row[0] in names]


def _rows(engine: Engine, prepared: Path) -> list[dict[str, Any]]:
    source = f"SELECT * EXCLUDE faults FROM read_parquet({literal(prepared)}) LIMIT {_MOST_ROWS['plain']}"
    names = [row[0] for row in engine.rows(f"DESCRIBE {source}")]
    return [dict(zip(names, row, strict=True)) for row in engine.rows(source)]


class _Family:
    """Processor seconds, and the most memory at a time, of this process and all it started."""

    def __init__(self) -> None:
        self.peak = 0
        self._ticks: dict[int, int] = {}
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "_Family":
        self._look()
        self._before = sum(self._ticks.values())
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watcher.join()
        self._look()

    @property
    def seconds(self) -> float:
        """Processor seconds since it was entered; of ended processes up to the last look."""
        return (sum(self._ticks.values()) - self._before) / _TICKS

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK):
            self._look()

    def _look(self) -> None:
        held = 0
        for process in _with_children(os.getpid()):
            try:
                fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            self._ticks[process] = int(fields[11]) + int(fields[12])
            held += int(fields[21]) * _PAGE
        self.peak = max(self.peak, held)


def _with_children(process: int) -> list[int]:
    found = [process]
    for each in found:
        for listed in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                found += [int(child) for child in listed.read_text().split()]
            except OSError:
                continue
    return found


def _tell(figures: dict[str, Any]) -> None:
    print(f"{figures['rows']:,} rows, {figures['rules']} rules")
    for way, each in figures["ways"].items():
        print(
            f"{way:16} {each['cpu_s']:9.2f} CPU-s {each['rows_per_cpu_s']:>12,} rows/CPU-s "
            f"{each['ratio_to_scan']:8.2f} x scan {each['peak_mib']:>6} MiB {each['wall_s']:8.2f} s wall"
        )


if __name__ == "__main__":
    main()
