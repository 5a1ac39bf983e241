"""The same rules by hand-written peers: Polars, and a loop in plain Python over a CSV file.

Each gives for every rule the number of parcels that hit, so that a benchmark can see that all found
the same. Neither knows of filters, ranking or reasons.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from importlib import import_module
from operator import and_, ge, gt, le, lt, or_
from pathlib import Path
from typing import Any, TypeAlias

from postern.patterns.examples import POSTED_DAY
from postern.patterns.fields import FIELDS, FieldType, Measure, Modifier
from postern.patterns.model import (
    Aggregate,
    AllOf,
    AnyOf,
    Condition,
    Having,
    Named,
    Predicate,
    Rule,
)
from postern.patterns.plain import searched

_ORDER = {Modifier.GT: gt, Modifier.GTE: ge, Modifier.LT: lt, Modifier.LTE: le}
Parcel: TypeAlias = Mapping[str, Any]
Test: TypeAlias = Callable[[Parcel], bool]


def polars_hits(manifest: Path, rules: Sequence[Rule]) -> dict[int, int]:
    """By Polars: one lazy pass that gives every parcel a mask, aggregates on what is left."""
    pl: Any = import_module("polars")
    parcels = pl.scan_parquet(manifest)
    bits = [
        pl.when(_polars(pl, rule, rule.condition)).then(1 << n).otherwise(0).cast(pl.Int64)
        for n, rule in enumerate(rules)
    ]
    columns = _needed(rules)
    left = (
        parcels.select("line", POSTED_DAY, *columns, mask=reduce(lambda a, b: a + b, bits))
        .filter(pl.col("mask") != 0)
        .collect(engine="streaming")
    )
    found = {}
    for n, rule in enumerate(rules):
        mine = left.lazy().filter((pl.col("mask") & (1 << n)) != 0)
        if rule.aggregate is not None:
            mine = _polars_groups(pl, mine, rule.aggregate)
        found[n] = mine.select(pl.col("line").n_unique()).collect().item()
    return found


def _polars(pl: Any, rule: Rule, condition: Condition) -> Any:
    if isinstance(condition, Named):
        named = rule.selection(condition.name)
        return reduce(and_, [_polars_predicate(pl, each) for each in named.predicates])
    if isinstance(condition, AllOf):
        return reduce(and_, [_polars(pl, rule, part) for part in condition.parts])
    if isinstance(condition, AnyOf):
        return reduce(or_, [_polars(pl, rule, part) for part in condition.parts])
    return ~_polars(pl, rule, condition.part)


def _polars_predicate(pl: Any, predicate: Predicate) -> Any:
    column, operands = pl.col(predicate.field.name), predicate.operands
    match predicate.modifier:
        case Modifier.EXISTS:
            return column.is_not_null() if operands[0] else column.is_null()
        case Modifier.EQUALS:
            found = column.is_in(operands) if len(operands) > 1 else column == operands[0]
        case Modifier.BETWEEN:
            found = column.is_between(operands[0], operands[1])
        case Modifier.STARTSWITH:
            found = reduce(or_, [column.str.starts_with(each) for each in _texts(predicate)])
        case Modifier.CONTAINS | Modifier.WORDS:
            found = column.str.contains_any(list(searched(predicate)))
        case _:
            found = _ORDER[predicate.modifier](column, operands[0])
    return found.fill_null(False)


def _texts(predicate: Predicate) -> Sequence[str]:
    if predicate.field.type is FieldType.TEXT:
        return searched(predicate)
    return [str(each) for each in predicate.operands]


def _polars_groups(pl: Any, mine: Any, aggregate: Aggregate) -> Any:
    by = [field.name for field in aggregate.by]
    whole = mine.drop_nulls([*by, POSTED_DAY])
    counted = whole.group_by(by).agg(parcels=pl.len())
    crowded = counted.filter(pl.col("parcels") >= _fewest(aggregate))
    kept = whole.join(crowded, on=by, how="semi")
    days = kept.join(pl.LazyFrame({"later": range(aggregate.days)}), how="cross")
    days = days.with_columns(end=pl.col(POSTED_DAY) + pl.col("later"))
    amounts = {f"f{n}": _polars_amount(pl, each) for n, each in enumerate(aggregate.having)}
    windows = days.group_by([*by, "end"]).agg(**amounts)
    for n, each in enumerate(aggregate.having):
        windows = windows.filter(_ORDER[each.modifier](pl.col(f"f{n}"), each.threshold))
    return days.join(windows, on=[*by, "end"], how="semi")


def _polars_amount(pl: Any, having: Having) -> Any:
    if having.field is None:
        return pl.len()
    column = pl.col(having.field.name)
    return {
        Measure.DISTINCT: column.drop_nulls().n_unique(),
        Measure.SUM: column.sum(),
        Measure.AVG: column.mean(),
        Measure.MIN: column.min(),
        Measure.MAX: column.max(),
    }[having.measure]


def naive_hits(manifest: Path, rules: Sequence[Rule]) -> dict[int, int]:
    """By a loop: every line of a CSV file of prepared columns against every rule in turn."""
    tests = [_test(rule, rule.condition) for rule in rules]
    found = dict.fromkeys(range(len(rules)), 0)
    groups: list[dict[tuple[Any, ...], list[Parcel]]] = [defaultdict(list) for _ in rules]
    with manifest.open(encoding="utf-8", newline="") as file:
        for row in _typed(csv.DictReader(file)):
            for n, rule in enumerate(rules):
                if not tests[n](row):
                    continue
                if rule.aggregate is None:
                    found[n] += 1
                    continue
                key = tuple(row[field.name] for field in rule.aggregate.by)
                if None not in key and row[POSTED_DAY] is not None:
                    groups[n][key].append(row)
    for n, rule in enumerate(rules):
        if rule.aggregate is not None:
            found[n] = sum(_in_windows(rule.aggregate, rows) for rows in groups[n].values())
    return found


def _typed(rows: Iterator[dict[str, str]]) -> Iterator[dict[str, Any]]:
    numbers = {"line", POSTED_DAY}
    numbers |= {name for name, each in FIELDS.items() if each.type is FieldType.NUMBER}
    flags = {name for name, each in FIELDS.items() if each.type is FieldType.FLAG}
    for row in rows:
        yield {
            name: None
            if text == ""
            else int(text)
            if name in numbers
            else text == "true"
            if name in flags
            else text
            for name, text in row.items()
        }


def _test(rule: Rule, condition: Condition) -> Test:
    if isinstance(condition, Named):
        tests = [_predicate(each) for each in rule.selection(condition.name).predicates]
        return lambda row: all(test(row) for test in tests)
    if isinstance(condition, AllOf):
        parts = [_test(rule, part) for part in condition.parts]
        return lambda row: all(part(row) for part in parts)
    if isinstance(condition, AnyOf):
        parts = [_test(rule, part) for part in condition.parts]
        return lambda row: any(part(row) for part in parts)
    denied = _test(rule, condition.part)
    return lambda row: not denied(row)


def _predicate(predicate: Predicate) -> Test:
    name, operands = predicate.field.name, predicate.operands
    match predicate.modifier:
        case Modifier.EXISTS:
            wanted = operands[0]
            return lambda row: (row[name] is not None) is wanted
        case Modifier.EQUALS:
            values = frozenset(operands)
            return lambda row: row[name] in values
        case Modifier.BETWEEN:
            low, high = int(operands[0]), int(operands[1])
            return lambda row: row[name] is not None and low <= row[name] <= high
        case Modifier.STARTSWITH:
            beginnings = tuple(_texts(predicate))
            return lambda row: row[name] is not None and row[name].startswith(beginnings)
        case Modifier.CONTAINS | Modifier.WORDS:
            texts = searched(predicate)
            return lambda row: row[name] is not None and any(text in row[name] for text in texts)
    order, bound = _ORDER[predicate.modifier], operands[0]
    return lambda row: row[name] is not None and order(row[name], bound)


def _in_windows(aggregate: Aggregate, rows: Sequence[Parcel]) -> int:
    """How many parcels of a group are in a window that holds."""
    if len(rows) < _fewest(aggregate):
        return 0
    by_day: dict[int, list[Parcel]] = defaultdict(list)
    for row in rows:
        by_day[row[POSTED_DAY]].append(row)
    hit: set[int] = set()
    for end in {day + later for day in by_day for later in range(aggregate.days)}:
        inside = [
            row for day in range(end - aggregate.days + 1, end + 1) for row in by_day.get(day, ())
        ]
        if all(_reached(each, inside) for each in aggregate.having):
            hit.update(row["line"] for row in inside)
    return len(hit)


def _reached(having: Having, rows: Sequence[Parcel]) -> bool:
    order = _ORDER[having.modifier]
    if having.field is None:
        return bool(order(len(rows), having.threshold))
    present = [row[having.field.name] for row in rows if row[having.field.name] is not None]
    if having.measure is Measure.DISTINCT:
        return bool(order(len(set(present)), having.threshold))
    if not present:
        return False
    amount = {
        Measure.SUM: sum(present),
        Measure.AVG: sum(present) / len(present),
        Measure.MIN: min(present),
        Measure.MAX: max(present),
    }[having.measure]
    return bool(order(amount, having.threshold))


def _fewest(aggregate: Aggregate) -> int:
    return max(each.threshold for each in aggregate.having if each.is_lower_bound)


def _needed(rules: Sequence[Rule]) -> list[str]:
    found: dict[str, None] = {}
    for rule in rules:
        if rule.aggregate is not None:
            found |= dict.fromkeys(field.name for field in rule.aggregate.by)
            found |= dict.fromkeys(each.field.name for each in rule.aggregate.having if each.field)
    return list(found)
