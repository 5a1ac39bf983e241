"""A prepared manifest against rules: who hits, ranked, with the reasons. On premises only.

DuckDB does it within a bounded memory; a Spark cluster may find the hits instead. Ranking,
reasons and results are made here in both cases, so that they cannot differ.
"""

# ruff: noqa: S608 - every name in a statement is ours; what comes from outside is a literal

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from postern.duckdb_engine import Engine, literal
from postern.manifest import Account, Prepared
from postern.patterns.compiling import (
    CANDIDATES,
    CROWDED,
    FIGURES,
    MANIFEST,
    Dialect,
    Plan,
    compiled,
)
from postern.patterns.explanation import explained_hit
from postern.patterns.levels import level_weights
from postern.patterns.model import Filter, Rule, Status

_HIT_COLUMNS = ("line", "rule", "window_end", *(f"f{n}" for n in range(FIGURES)))
_BATCH = 5_000

Progress = Callable[[str, int], None]
"""Called with what is done now and per cent of it."""


class Finder(Protocol):
    """What finds hits instead of DuckDB: it leaves Parquet files with the columns of hits."""

    def find(
        self, manifest: Path, rules: Sequence[Rule], filters: Sequence[Filter], target: Path
    ) -> None:
        """Write the hits of a prepared manifest into the directory `target`."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A parcel that hit. `reasons` has a text for each rule, in the order of `rules`."""

    rank: int
    line: int
    item_id: str | None
    score: float
    rules: tuple[str, ...]
    titles: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Screening:
    """What a run found. `hits` are the highest; `parcels` counts all parcels that hit."""

    account: Account
    rules: tuple[Rule, ...]
    parcels: int
    by_rule: Mapping[str, int]
    by_score: Sequence[int]  # tenths: from 0.0, from 0.1, ...
    hits: tuple[Hit, ...]


def in_force(rules: Sequence[Rule], today: date) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """The rules that are run, and those left out because they expired or are deprecated."""
    live = [each for each in rules if each.expires >= today and each.status != Status.DEPRECATED]
    ended = [each for each in rules if each not in live]
    return tuple(live), tuple(ended)


def screen(
    prepared: Prepared,
    rules: Sequence[Rule],
    filters: Sequence[Filter],
    engine: Engine,
    *,
    work: Path,
    most: int,
    language: str,
    progress: Progress,
    finder: Finder | None = None,
) -> Screening:
    """Screen, and rank. The ranked hits stay in the engine as the table `ranked`.

    Raises ScreeningMissingError, OSError, and the engine's own errors.
    """
    if finder is None:
        find(engine, prepared.path, compiled(rules, filters, Dialect.DUCKDB), progress)
    else:
        progress("finding", 0)
        _look_at(engine, prepared.path)
        finder.find(prepared.path, rules, filters, work / "hits")
        files = literal(work / "hits" / "*.parquet")
        engine.run(f"CREATE OR REPLACE TABLE hits AS SELECT * FROM read_parquet({files})")
    progress("ranking", 0)
    _rank(engine, rules)
    ((parcels,),) = engine.rows("SELECT count(*) FROM ranked")
    counted = dict(engine.rows("SELECT rule, count(*) FROM hits GROUP BY rule"))
    return Screening(
        prepared.account,
        tuple(rules),
        int(parcels),
        {rule.id: int(counted.get(n, 0)) for n, rule in enumerate(rules)},
        _tenths(engine),
        tuple(_hits(engine, rules, most, language)),
    )


def find(
    engine: Engine, manifest: Path, plan: Plan, progress: Progress, *, counts: bool = False
) -> None:
    """Fill the table `hits` from a prepared manifest, by a plan for DuckDB.

    With `counts` the table `fulfilled` says in its one row how many parcels fulfil each rule, apart
    from its aggregate: r0, r1, ...
    """
    _look_at(engine, manifest)
    # Temporary tables are kept as they are; others are packed, which is dearer than all the rest.
    engine.run(
        f"CREATE OR REPLACE TEMP TABLE {CANDIDATES} AS {plan.candidates}",
        lambda share: progress("comparing", share),
    )
    if counts:
        engine.run(f"CREATE OR REPLACE TABLE fulfilled AS {_counted(plan)}")
    columns = ", ".join(f"{name} BIGINT" for name in _HIT_COLUMNS)
    engine.run(f"CREATE OR REPLACE TABLE hits ({columns})")
    if plan.single is not None:
        engine.run(f"INSERT INTO hits {plan.single}")
    for place, group in enumerate(plan.groups):
        progress("grouping", 100 * place // len(plan.groups))
        engine.run(f"CREATE OR REPLACE TEMP TABLE {CROWDED} AS {group.crowded}")
        if engine.rows(f"SELECT 1 FROM {CROWDED} LIMIT 1"):
            engine.run(f"INSERT INTO hits {group.hits()}")
    engine.run(f"DROP TABLE {CANDIDATES}")


def _counted(plan: Plan) -> str:
    counts = ", ".join(
        f"count(*) FILTER ((mask{at.column} & {at.bits}) <> 0) AS r{n}"
        for n, at in enumerate(plan.places)
    )
    return f"SELECT {counts} FROM {CANDIDATES}"


def _look_at(engine: Engine, manifest: Path) -> None:
    engine.run(
        f"CREATE OR REPLACE VIEW {MANIFEST} AS SELECT * FROM read_parquet({literal(manifest)})"
    )


def _rank(engine: Engine, rules: Sequence[Rule]) -> None:
    """Scores depend on how many rules of which level hit, and on nothing else."""
    levels = ", ".join(f"({n}, '{rule.level}')" for n, rule in enumerate(rules))
    left_over = " * ".join(
        f"pow({1 - weight!r}, count(*) FILTER (level = '{level}'))"
        for level, weight in level_weights().items()
    )
    engine.run(
        "CREATE OR REPLACE TABLE ranked AS "
        f"SELECT hits.line, round(1 - {left_over}, 4) AS score, list_sort(list(rule)) AS rules "
        f"FROM hits JOIN (VALUES {levels}) AS graded(place, level) ON rule = place "
        "GROUP BY hits.line"
    )


def _tenths(engine: Engine) -> list[int]:
    found = dict(
        engine.rows(
            "SELECT least(CAST(floor(score * 10) AS INTEGER), 9), count(*) FROM ranked GROUP BY 1"
        )
    )
    return [int(found.get(n, 0)) for n in range(10)]


def _hits(engine: Engine, rules: Sequence[Rule], most: int, language: str) -> Iterator[Hit]:
    """The highest hits with their reasons, from the rows of the manifest that hit."""
    engine.run(
        "CREATE OR REPLACE TABLE shown AS SELECT line, score, rules, "
        "row_number() OVER (ORDER BY score DESC, line) AS rank FROM ranked "
        f"ORDER BY score DESC, line LIMIT {most}"
    )
    figures: dict[tuple[int, int], tuple[int | None, list[int | None]]] = {}
    named = ", ".join(f"hits.{name}" for name in _HIT_COLUMNS)
    for line, place, end, *amounts in engine.stream(
        f"SELECT {named} FROM hits JOIN shown USING (line)"
    ):
        figures[line, place] = (end, amounts)
    names = [row[0] for row in engine.rows(f"DESCRIBE SELECT * FROM {MANIFEST}")]
    listed = ", ".join(f"{MANIFEST}.{name}" for name in names)
    for rank, score, fired, *cells in engine.stream(
        f"SELECT rank, score, rules, {listed} FROM {MANIFEST} JOIN shown USING (line) ORDER BY rank"
    ):
        row = dict(zip(names, cells, strict=True))
        line = row["line"]
        yield Hit(
            rank,
            line,
            row["item_id"],
            score,
            tuple(rules[place].id for place in fired),
            tuple(rules[place].title for place in fired),
            tuple(
                explained_hit(rules[place], row, *figures[line, place], language) for place in fired
            ),
        )
