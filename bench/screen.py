"""Rows per second of screening beside a bare scan of the same columns, and what is detected.

    python -m bench.screen [--rows 1000000] [--rounds 3] [--spark 1 2] [--seed 1]

Every way runs in a process of its own, so that processor time and peak memory are its own:
`scan` reads the columns that the rules need from the prepared Parquet file and folds each into one
number, with DuckDB; `single` screens with the rules about single parcels; `all` with all rules of
policies/patterns; `prepare-parquet` and `prepare-csv` read the manifest; `plain` is the reference
in Python on 20,000 rows, told per row; `spark-N` finds the hits with N worker processes. Times are
processor seconds of the process and its children, medians of rounds that alternate between ways;
ratios are medians of the ratios to the scan of the same round.

Detection is measured on two manifests of the same size: with the kinds of campaigns that were known
while the generator was written, and with those held out (campaigns_held_out.json). For each: recall
and precision of the highest hits, as many as there are planted parcels; campaigns of which at least
one parcel is among them; and of published red flags used one by one. Both kinds are made up, so the
figures say that rules and ranking work together, not what they are worth on real mail. The last
line is one JSON object.
"""

# ruff: noqa: S608, E501 - every name in a statement is ours; statements stand on one line

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from bench.machine import machine
from bench.manifests import Planted, generate
from postern.duckdb_engine import Engine, literal
from postern.manifest import prepare
from postern.manifest_mapping import ManifestMapping
from postern.patterns.compiling import Dialect, compiled
from postern.patterns.files import rules_of
from postern.patterns.model import Rule
from postern.patterns.plain import hits
from postern.screening import find, screen
from postern.screening_spark import Spark

LIBRARY = Path(__file__).parents[1] / "policies" / "patterns"
_PLAIN_ROWS = 20_000
_MANY = 10**7  # more hits than any run has
FLAGS = {
    "postage in cash": "payment = 'cash'",
    "no telephone number": "sender_phone IS NULL",
    "return area differs": "sender_area_differs",
    "private to private": "sender_business IS NULL AND addressee_business IS NULL",
    "express": "service = 'express'",
    "no HS code": "hs_code IS NULL",
}
"""Published red flags that a manifest shows: FBI Law Enforcement Bulletin 1996, and court practice."""


def main() -> None:
    """Measure, print tables and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description="Screening beside a bare scan.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--spark", type=int, nargs="*", default=[], help="numbers of workers")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.way:
        print(json.dumps(_one(asked.way, asked.folder)))
        return
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as directory:
        folder = Path(directory)
        figures: dict[str, Any] = {"rows": asked.rows, "rules": len(rules_of([LIBRARY]))}
        _make(folder, asked.rows, asked.seed)
        ways = ["scan", "single", "all", "prepare-parquet", "prepare-csv", "plain"]
        ways += [f"spark-{workers}" for workers in asked.spark]
        figures["ways"] = _measured(ways, folder, asked.rounds, asked.rows)
        figures["detection"] = {
            name: _detection(folder / name, asked.rows, asked.seed, held_out=held_out)
            for name, held_out in (("known", False), ("held-out", True))
        }
    figures["machine"] = machine("duckdb", "ibis-framework", "pyspark")
    _tell(figures)
    print(json.dumps(figures))


def _make(folder: Path, rows: int, seed: int) -> None:
    """The manifest as Parquet and CSV, and prepared."""
    work = folder / "making"
    work.mkdir()
    engine = Engine(work)
    generate(folder / "manifest.parquet", rows, seed, engine)
    source = literal(folder / "manifest.parquet")
    target = literal(folder / "manifest.csv")
    engine.run(f"COPY (SELECT * FROM read_parquet({source})) TO {target} (HEADER)")
    made = prepare(folder / "manifest.parquet", work, ManifestMapping(), engine, lambda *_: None)
    engine.close()
    made.path.replace(folder / "prepared.parquet")


def _measured(ways: Sequence[str], folder: Path, rounds: int, rows: int) -> dict[str, Any]:
    taken: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            command = [sys.executable, "-m", "bench.screen", "--way", way, "--folder", str(folder)]
            ran = subprocess.run(command, check=True, capture_output=True, text=True)
            taken[way].append(json.loads(ran.stdout.splitlines()[-1]))
    scans = [each["cpu"] for each in taken["scan"]]
    return {
        way: {
            "cpu_s": round(median(each["cpu"] for each in found), 3),
            "wall_s": round(median(each["wall"] for each in found), 3),
            "peak_mib": round(max(each["peak"] for each in found)),
            "rows_per_cpu_s": round(
                (_PLAIN_ROWS if way == "plain" else rows) / median(each["cpu"] for each in found)
            ),
            "ratio_to_scan": round(
                median(each["cpu"] / scan for each, scan in zip(found, scans, strict=True)), 2
            ),
        }
        for way, found in taken.items()
    }


def _one(way: str, folder: Path) -> dict[str, float]:
    """One way, in this process. What is compiled and loaded before counts; making a manifest not."""
    prepared = folder / "prepared.parquet"
    rules = rules_of([LIBRARY])
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        work = Path(directory)
        engine = Engine(work)
        before, begun = _cpu(), perf_counter()
        if way == "scan":
            _scan(engine, prepared)
        elif way == "plain":
            rows = _rows(engine, prepared, _PLAIN_ROWS)
            before, begun = _cpu(), perf_counter()
            for rule in rules:
                hits(rule, rows)
        elif way.startswith("prepare-"):
            manifest = folder / f"manifest.{way.partition('-')[2]}"
            prepare(manifest, work, ManifestMapping(), engine, lambda *_: None)
        elif way.startswith("spark-"):
            workers = int(way.partition("-")[2])
            Spark(f"local-cluster[{workers},1,2048]").find(prepared, rules, (), work / "hits")
        else:
            chosen = [rule for rule in rules if way == "all" or rule.aggregate is None]
            plan = compiled(chosen, (), Dialect.DUCKDB)
            find(engine, prepared, plan, lambda *_: None)
        taken = {"cpu": _cpu() - before, "wall": perf_counter() - begun, "peak": _peak()}
        engine.close()
    return taken


def _scan(engine: Engine, prepared: Path) -> None:
    """Read the columns that the rules need, with as little work on each as makes it be read."""
    parts = " + ".join(
        f"count({name}) + sum(length({name}))" if kind == "VARCHAR" else f"bit_xor({name}::BIGINT)"
        for name, kind in _needed(engine, prepared, rules_of([LIBRARY]))
    )
    engine.run(f"CREATE TABLE scanned AS SELECT {parts} FROM read_parquet({literal(prepared)})")


def _needed(engine: Engine, prepared: Path, rules: Sequence[Rule]) -> list[tuple[str, str]]:
    names = {"line", "posted_day"}
    for rule in rules:
        names |= {each.field.name for one in rule.selections for each in one.predicates}
        if rule.aggregate:
            names |= {field.name for field in rule.aggregate.by}
            names |= {each.field.name for each in rule.aggregate.having if each.field}
    described = engine.rows(f"DESCRIBE SELECT * FROM read_parquet({literal(prepared)})")
    return [(row[0], row[1]) for row in described if row[0] in names]


def _rows(engine: Engine, prepared: Path, most: int) -> list[dict[str, Any]]:
    source = f"SELECT * EXCLUDE faults FROM read_parquet({literal(prepared)}) LIMIT {most}"
    names = [row[0] for row in engine.rows(f"DESCRIBE {source}")]
    return [dict(zip(names, row, strict=True)) for row in engine.rows(source)]


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime


def _peak() -> float:
    """Peak memory of this process in MiB, without what was there before it was executed."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _detection(folder: Path, rows: int, seed: int, *, held_out: bool) -> dict[str, Any]:
    folder.mkdir()
    engine = Engine(folder)
    planted = generate(folder / "manifest.parquet", rows, seed + 100, engine, held_out=held_out)
    made = prepare(folder / "manifest.parquet", folder, ManifestMapping(), engine, lambda *_: None)
    rules = rules_of([LIBRARY])
    screen(made, rules, (), engine, work=folder, most=1, language="en", progress=lambda *_: None)
    engine.table("planted", ("item_id", "kind"), ((each.item_id, each.kind) for each in planted))
    engine.run(
        "CREATE VIEW judged AS SELECT manifest.*, planted.kind IS NOT NULL AS is_planted "
        "FROM manifest LEFT JOIN planted USING (item_id)"
    )
    found = {
        "planted": len(planted),
        "campaigns": len({each.campaign for each in planted}),
        "by_rule": _by_rule(engine, rules),
        "highest": {
            str(times): _highest(engine, planted, times * len(planted)) for times in (1, 2, 4)
        },
        "flags": _flags(engine, len(planted)),
    }
    engine.close()
    return found


def _by_rule(engine: Engine, rules: Sequence[Rule]) -> dict[str, Any]:
    counted = engine.rows(
        "SELECT rule, count(*), count(*) FILTER (is_planted) FROM hits JOIN judged USING (line) "
        "GROUP BY rule"
    )
    ((planted,),) = engine.rows("SELECT count(*) FROM planted")
    return {
        rules[place].title: {
            "hits": count,
            "precision": round(right / count, 4),
            "recall": round(right / planted, 4) if planted else None,
        }
        for place, count, right in sorted(counted)
    }


def _highest(engine: Engine, planted: Sequence[Planted], most: int) -> dict[str, float]:
    items = {
        row[0]
        for row in engine.rows(
            f"SELECT item_id FROM ranked JOIN manifest USING (line) ORDER BY score DESC, line LIMIT {most}"
        )
    }
    right = [each for each in planted if each.item_id in items]
    campaigns = {each.campaign for each in planted}
    return {
        "inspected": len(items),
        "precision": round(len(right) / len(items), 4) if items else 0.0,
        "recall": round(len(right) / len(planted), 4) if planted else 0.0,
        "campaigns_touched": round(len({each.campaign for each in right}) / len(campaigns), 4)
        if campaigns
        else 0.0,
    }


def _flags(engine: Engine, planted: int) -> dict[str, Any]:
    found = {}
    for name, condition in FLAGS.items():
        ((count, right),) = engine.rows(
            f"SELECT count(*), count(*) FILTER (is_planted) FROM judged WHERE {condition}"
        )
        found[name] = {
            "hits": count,
            "precision": round(right / count, 5) if count else 0.0,
            "recall": round(right / planted, 4) if planted else 0.0,
        }
    return found


def _tell(figures: dict[str, Any]) -> None:
    print(f"{figures['rows']:,} rows, {figures['rules']} rules")
    for way, each in figures["ways"].items():
        print(
            f"{way:16} {each['cpu_s']:9.2f} CPU-s {each['rows_per_cpu_s']:>12,} rows/CPU-s "
            f"{each['ratio_to_scan']:8.2f} x scan {each['peak_mib']:>6} MiB {each['wall_s']:8.2f} s wall"
        )
    for name, each in figures["detection"].items():
        print(f"{name}: {each['planted']} planted in {each['campaigns']} campaigns")
        for times, one in each["highest"].items():
            print(f"  highest {times} x: {one}")
        for flag, one in each["flags"].items():
            print(f"  flag {flag}: {one}")


if __name__ == "__main__":
    main()
