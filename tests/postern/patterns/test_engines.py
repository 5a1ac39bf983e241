"""What DuckDB and Spark find is what the plain reference finds, in whatever order rows come."""

# ruff: noqa: S608, E501 - statements of our own names; a rule a line is easier to compare

import json
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postern.duckdb_engine import Engine, literal
from postern.manifest_sql import PREPARED
from postern.patterns.compiling import Dialect, Plan, compiled
from postern.patterns.derived import with_derived
from postern.patterns.files import rules_of
from postern.patterns.model import Row, Rule
from postern.patterns.plain import hits
from postern.patterns.reading import read_filters
from postern.patterns.terms import MOST_TERMS, terms_of
from postern.screening import find
from postern.screening_spark import Spark
from tests.postern.patterns.examples import group_rule, row_rule, rule
from tests.postern.patterns.test_reading import FILTER

LIBRARY = rules_of([Path(__file__).parents[3] / "policies" / "patterns"])
RULES = [
    rule(row_rule("a: {declared_category: [gift, documents]}\nb: {payment: account}", "a and not b", number=1)),
    rule(row_rule("a: {'net_weight_g|between': [100, 500]}\nb: {'value_eur|lte': 10.5}", "a or not b", number=2)),
    rule(row_rule("a: {'contents|words': [tea, silica gel]}\nb: {'contents|contains': ilic}", "a or b", number=3)),
    rule(row_rule("a: {'contents|startswith': tea}\nb: {'sender_phone|exists': yes}", "a and not b", number=4)),
    rule(row_rule("a: {'hs_code|startswith': ['09', '38']}\nb: {sender_area_differs: yes}", "not (a or b)", number=5)),
    rule(row_rule("a: {'contents|exists': no, origin_country: [NL, DE]}", "a", number=6)),
    rule(row_rule("a: {'value_eur|gt': 5, payment: [cash, account], 'net_weight_g|lt': 600}\nb: {'hs_code|exists': no}", "not a and not b", number=11)),
    rule(group_rule("a: {'net_weight_g|gt': 0}", "a", "by: [sender]\nwithin: 3d\nhaving: {'count|gte': 3}", number=7)),
    rule(group_rule("a: {'net_weight_g|gt': 0}", "a", "by: [origin_country, addressee]\nwithin: 7d\nhaving: {'sender|distinct|gte': 2, 'net_weight_g|sum|gte': 500, 'count|lte': 6}", number=8)),
    rule(group_rule("a: {'pieces|exists': no}", "a", "by: [addressee]\nwithin: 1d\nhaving: {'count|gt': 1, 'net_weight_g|avg|lt': 300}", number=9)),
    rule(group_rule("a: {'pieces|exists': no}", "a", "by: [sender]\nwithin: 5d\nhaving: {'count|gte': 2, 'value_eur|max|gte': 20, 'value_eur|min|lte': 5}", number=10)),
    rule(group_rule("a: {'net_weight_g|gt': 0}", "a", "by: [origin_country, addressee]\nwithin: 4d\nhaving: {'count|gte': 2, 'count|lte': 9, 'sender|distinct|gte': 2, 'net_weight_g|sum|gte': 500, 'net_weight_g|avg|lt': 600, 'value_eur|max|gte': 10, 'value_eur|min|lte': 11}", number=12)),
]  # fmt: skip
FILTERS = read_filters(FILTER)
PLAN = compiled(RULES, FILTERS, Dialect.DUCKDB)
QUICK = {  # two workers in processes of their own, without what pays only for large manifests
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}
PERSONS = st.none() | st.integers(1, 4)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "posted_day": st.none() | st.integers(20_000, 20_012),
            "origin_country": st.sampled_from([None, "NL", "DE", "CN"]),
            "declared_category": st.sampled_from([None, "gift", "documents", "other"]),
            "payment": st.sampled_from([None, "account", "cash"]),
            "account": st.sampled_from([None, "K-1", "K-2"]),
            "contents": st.sampled_from([None, " tea ", " silica gel bag ", " team ", " a tea "]),
            "hs_code": st.sampled_from([None, "090210", "382499", "610910"]),
            "net_weight_g": st.none() | st.integers(0, 700),
            "value_eur": st.none() | st.integers(0, 3000),
            "sender": PERSONS,
            "sender_phone": PERSONS,
            "addressee": PERSONS,
            "sender_area_differs": st.none() | st.booleans(),
        }
    ),
    max_size=30,
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = Engine(tmp_path_factory.mktemp("engine"), threads=2)
    yield made
    made.close()


def prepared(rows: Sequence[Mapping[str, Any]], engine: Engine, path: Path) -> Path:
    """Rows as a prepared manifest; `line` is the place of a row, unless it says its own."""
    lines = path.with_suffix(".ndjson")
    whole = [dict.fromkeys(PREPARED) | {"line": n} | dict(row) for n, row in enumerate(rows)]
    lines.write_text("".join(json.dumps(row) + "\n" for row in whole))
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in PREPARED.items())
    engine.run(
        f"COPY (SELECT * FROM read_json({literal(lines)}, columns = {{{columns}}}, "
        f"format = 'newline_delimited')) TO {literal(path)} (FORMAT parquet)"
    )
    return path


def found_by(engine: Engine, path: Path, rules: Sequence[Rule]) -> dict[int, set[int]]:
    """For each rule, the lines that DuckDB finds."""
    return by_plan(engine, path, compiled(rules, FILTERS, Dialect.DUCKDB), rules)


def by_plan(engine: Engine, path: Path, plan: Plan, rules: Sequence[Rule]) -> dict[int, set[int]]:
    find(engine, path, plan, lambda *_: None)
    return by_rule(engine.rows("SELECT line, rule FROM hits"), rules)


def by_rule(rows: Sequence[tuple[Any, ...]], rules: Sequence[Rule]) -> dict[int, set[int]]:
    return {n: {line for line, place in rows if place == n} for n in range(len(rules))}


def expected(rows: Sequence[Row], rules: Sequence[Rule]) -> dict[int, set[int]]:
    """For each rule, the lines that the plain reference finds."""
    return {n: hits(each, rows, FILTERS) for n, each in enumerate(rules)}


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS, seed=st.integers(0, 10**6))
def test_duckdb_finds_what_rules_mean_in_any_order_of_rows(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, rows: list[Row], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    meant = expected(rows, RULES)
    assert by_plan(engine, prepared(rows, engine, folder / "rows.parquet"), PLAN, RULES) == meant
    mixed = [row | {"line": n} for n, row in enumerate(dict(each) for each in rows)]
    random.Random(seed).shuffle(mixed)  # noqa: S311 - an order, no secret
    assert by_plan(engine, prepared(mixed, engine, folder / "mixed.parquet"), PLAN, RULES) == meant


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS, seed=st.integers(0, 10**6))
def test_files_row_groups_and_threads_make_no_difference(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, rows: list[Row], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    rows = [*rows, *(made_up(random.Random(seed + n)) for n in range(60))]  # noqa: S311 - no secret
    whole = prepared(rows, engine, folder / "whole.parquet")
    meant = hits_of(engine, whole)
    grouped = folder / "grouped.parquet"
    engine.run(
        f"COPY (SELECT * FROM read_parquet({literal(whole)}) ORDER BY hash(line + {seed})) "
        f"TO {literal(grouped)} (FORMAT parquet, ROW_GROUP_SIZE 2048)"
    )
    (folder / "parts").mkdir()
    for part in range(3):
        engine.run(
            f"COPY (SELECT * FROM read_parquet({literal(whole)}) WHERE hash(line + {seed}) % 3 = {part}) "
            f"TO {literal(folder / 'parts' / f'{part}.parquet')} (FORMAT parquet)"
        )
    engine.run("SET threads = 1")
    assert hits_of(engine, grouped) == meant
    engine.run("SET threads = 3")
    assert hits_of(engine, folder / "parts" / "*.parquet") == meant


def hits_of(engine: Engine, path: Path) -> list[tuple[Any, ...]]:
    """Every hit with its window and amounts."""
    find(engine, path, PLAN, lambda *_: None)
    return sorted(engine.rows("SELECT * FROM hits"), key=str)


def test_a_condition_with_too_many_alternatives_is_asked_as_it_stands(
    engine: Engine, tmp_path: Path
) -> None:
    names = [f"s{n}" for n in range(MOST_TERMS + 2)]
    selections = "\n".join(f"{name}: {{net_weight_g: {n}}}" for n, name in enumerate(names))
    wide = rule(
        row_rule(
            f"{selections}\nheavy: {{'net_weight_g|gte': 3}}", f"({' or '.join(names)}) and heavy"
        )
    )
    assert terms_of(wide, ()) is None
    path = prepared([{"net_weight_g": n} for n in range(20)], engine, tmp_path / "m.parquet")
    assert found_by(engine, path, [wide]) == {0: set(range(3, MOST_TERMS + 2))}


def test_more_rules_than_one_mask_holds_are_told_apart(engine: Engine, tmp_path: Path) -> None:
    rules = [rule(row_rule(f"a: {{net_weight_g: {n}}}", "a", number=n + 1)) for n in range(70)]
    path = prepared([{"net_weight_g": n} for n in range(0, 70, 7)], engine, tmp_path / "m.parquet")
    found = found_by(engine, path, rules)
    assert {n for n, lines in found.items() if lines} == set(range(0, 70, 7))
    assert all(lines in ({n // 7}, set()) for n, lines in found.items())


def test_values_of_rules_stay_values(engine: Engine, tmp_path: Path) -> None:
    read = rule(row_rule("a: {'induction_point|startswith': A/B}", "a"))
    path = prepared([{"induction_point": "A/B'; DROP"}], engine, tmp_path / "m.parquet")
    assert found_by(engine, path, [read]) == {0: {0}}


def made_up(source: random.Random) -> Row:
    """A parcel whose fields are few values, so that groups come about."""
    return {
        "posted_day": source.choice([None, *range(20_000, 20_012)]),
        "origin_country": source.choice(["NL", "DE", None]),
        "contents": source.choice([" tea ", " silica gel bag ", " a tea ", None]),
        "hs_code": source.choice(["090210", "382499", "610910", None]),
        "net_weight_g": source.choice([None, 0, 100, 500, 700]),
        "value_eur": source.choice([None, 0, 1050, 2500]),
        "pieces": source.choice([None, 1]),
        "sender": source.choice([None, 1, 2, 3]),
        "sender_phone": source.choice([None, 1]),
        "addressee": source.choice([None, 1, 2, 3, 4]),
        "sender_area_differs": source.choice([None, True, False]),
    }


def library_rows() -> list[Row]:
    """The examples of every rule of the library, their persons as numbers, far apart in time."""
    rows: list[Row] = []
    for block, each in enumerate(LIBRARY):
        for place, example in enumerate(each.examples):
            for row in example.rows:
                persons = {
                    name: hash((block, place, name, value)) >> 8
                    for name, value in row.items()
                    if PREPARED.get(name) == "BIGINT" and isinstance(value, str)
                }
                day = int(row["posted_day"] or 0) + 100 * (block * 10 + place)
                rows.append(with_derived(dict(row) | persons | {"posted_day": day}))
    return rows


def test_the_library_finds_on_duckdb_what_it_means(engine: Engine, tmp_path: Path) -> None:
    rows = library_rows()
    found = found_by(engine, prepared(rows, engine, tmp_path / "rows.parquet"), LIBRARY)
    assert found == expected(rows, LIBRARY)
    assert all(found.values())


def test_spark_in_several_processes_finds_what_duckdb_finds(engine: Engine, tmp_path: Path) -> None:
    assert shutil.which("java"), "Java is missing: run tests/install-java"
    # Every kind of predicate, and all measures in one rule: Spark takes seconds for each group.
    rules = [RULES[1], RULES[2], RULES[4], RULES[-1]]
    source = random.Random(7)  # noqa: S311 - made-up parcels
    rows = [made_up(source) for _ in range(400)]
    path = prepared(rows, engine, tmp_path / "rows.parquet")
    Spark("local-cluster[2,1,1024]", QUICK).find(path, rules, FILTERS, tmp_path / "hits")
    files = literal(tmp_path / "hits" / "*.parquet")
    spark = sorted(engine.rows(f"SELECT * FROM read_parquet({files})"), key=str)
    find(engine, path, compiled(rules, FILTERS, Dialect.DUCKDB), lambda *_: None)
    assert spark == sorted(engine.rows("SELECT * FROM hits"), key=str)
    assert all(sum(row[1] == n for row in spark) > 20 for n in range(len(rules)))
