"""Rules as ibis expressions: compiled once, run as SQL by DuckDB or Spark.

One pass over the manifest gives every parcel a mask with a bit for each rule whose selections it
fulfils; only parcels with a bit go on, as candidates. Aggregates run on those: groups that cannot
reach their least in the whole manifest are left out first, then each parcel is put into every
window of days that holds it. Everything is whole numbers, so no engine and no order can make a
difference. What a rule means is in `plain.py`; tests hold the two together.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from importlib import import_module
from operator import and_, ge, gt, le, lt, or_
from typing import Any

from postern.manifest_errors import ScreeningMissingError
from postern.patterns.examples import POSTED_DAY
from postern.patterns.fields import FIELDS, Field, FieldType, Measure, Modifier
from postern.patterns.model import (
    Aggregate,
    AllOf,
    AnyOf,
    Condition,
    Filter,
    Having,
    Named,
    Predicate,
    Rule,
    Selection,
)
from postern.patterns.plain import searched

Ibis = Any
"""An expression of ibis, whose types cannot be told apart by a type checker."""

BITS = 60  # rules of one mask column, so that a sum of bits stays a signed 64-bit number
FIGURES = 8  # lines of having whose amounts are kept for the reasons
MANIFEST, CANDIDATES = "manifest", "candidates"
_ORDER = {Modifier.GT: gt, Modifier.GTE: ge, Modifier.LT: lt, Modifier.LTE: le}


class Dialect(StrEnum):
    """Who runs the SQL."""

    DUCKDB = "duckdb"
    SPARK = "pyspark"


@dataclass(frozen=True, slots=True)
class Plan:
    """SQL over the tables `manifest` and `candidates`.

    `candidates` makes the second from the first; `hits` gives for each rule, in the order of the
    rules, its hits: line, rule (place in the order), window_end, f0, f1, ... of its having.
    """

    candidates: str
    hits: tuple[str, ...]


def compiled(rules: Sequence[Rule], filters: Sequence[Filter], dialect: Dialect) -> Plan:
    """The plan for these rules. Raises ScreeningMissingError when ibis is not installed."""
    ibis = _library()
    to_sql = _compiler(dialect)
    table = ibis.table(_schema(FIELDS), name=MANIFEST)
    masked = _masked(ibis, table, rules, filters)
    needed = _needed(rules)
    masks = {f"mask{n}": "int64" for n in range(_columns(rules))}
    kept = ibis.table(
        {"line": "int64", POSTED_DAY: "int64"} | _types(needed) | masks, name=CANDIDATES
    )
    chosen = masked.select("line", POSTED_DAY, *needed, *masks)
    return Plan(
        to_sql(chosen),
        tuple(to_sql(_hits(ibis, kept, rule, n)) for n, rule in enumerate(rules)),
    )


def _library() -> Ibis:
    try:
        return import_module("ibis")
    except ImportError:
        raise ScreeningMissingError("ibis-framework") from None


def _compiler(dialect: Dialect) -> Callable[[Ibis], str]:
    compiler = import_module(f"ibis.backends.sql.compilers.{dialect}").compiler

    def to_sql(expression: Ibis) -> str:
        return str(compiler.to_sqlglot(expression.unbind()).sql(dialect=compiler.dialect))

    return to_sql


def _schema(fields: Mapping[str, Field]) -> dict[str, str]:
    return {"line": "int64", POSTED_DAY: "int64"} | _types(tuple(fields))


def _types(names: Sequence[str]) -> dict[str, str]:
    kinds = {FieldType.NUMBER: "int64", FieldType.FLAG: "boolean", FieldType.PERSON: "int64"}
    found = {name: kinds.get(FIELDS[name].type, "string") for name in names}
    return found | ({"item_id": "string"} if "item_id" in found else {})


def _columns(rules: Sequence[Rule]) -> int:
    return max(1, -(-len(rules) // BITS))


def _needed(rules: Sequence[Rule]) -> tuple[str, ...]:
    """The fields that aggregates group by and measure."""
    found: dict[str, None] = {}
    for rule in rules:
        if rule.aggregate is not None:
            measured = [each.field for each in rule.aggregate.having if each.field]
            found |= dict.fromkeys(field.name for field in (*rule.aggregate.by, *measured))
    return tuple(found)


def _masked(ibis: Ibis, table: Ibis, rules: Sequence[Rule], filters: Sequence[Filter]) -> Ibis:
    """The parcels with a bit, each with its masks.

    A rule that cannot hold without one of its words is looked at only where the contents have a
    word of any such rule: one search instead of one for each.
    """
    words = sorted({text for rule in rules if _needs_word(rule) for text in _searched(rule)})
    pattern = "|".join(re.escape(word).replace("\\ ", " ") for word in words)
    masks = {}
    for column in range(_columns(rules)):
        plain: list[Ibis] = []
        wordy: list[Ibis] = []
        for bit, rule in enumerate(rules[column * BITS : (column + 1) * BITS]):
            chosen = ibis.ifelse(_chosen(ibis, table, rule, filters), 1 << bit, 0).cast("int64")
            (wordy if _needs_word(rule) else plain).append(chosen)
        mask = _sum(ibis, plain)
        if wordy:
            gate = table["contents"].re_search(pattern).fill_null(False)
            mask = mask + ibis.ifelse(gate, _sum(ibis, wordy), ibis.literal(0, "int64"))
        masks[f"mask{column}"] = mask
    masked = table.mutate(**masks)
    # The random term keeps an engine from computing every mask a second time in its filter.
    barrier = ibis.ifelse(ibis.random() < 0, 1, 0).cast("int64")
    return masked.filter(_any([(masked[name] + barrier) != 0 for name in masks]))


def _sum(ibis: Ibis, terms: Sequence[Ibis]) -> Ibis:
    return reduce(lambda one, other: one + other, terms, ibis.literal(0, "int64"))


def _chosen(ibis: Ibis, table: Ibis, rule: Rule, filters: Sequence[Filter]) -> Ibis:
    held = _holds(ibis, table, rule.condition, rule.selections)
    for each in filters:
        if not each.rules or rule.id in each.rules:
            held = held & ~_holds(ibis, table, each.condition, each.selections)
    return held


def _holds(ibis: Ibis, table: Ibis, condition: Condition, selections: Sequence[Selection]) -> Ibis:
    if isinstance(condition, Named):
        named = next(each for each in selections if each.name == condition.name)
        return _all([_fulfils(ibis, table, each) for each in named.predicates])
    if isinstance(condition, AllOf):
        return _all([_holds(ibis, table, part, selections) for part in condition.parts])
    if isinstance(condition, AnyOf):
        return _any([_holds(ibis, table, part, selections) for part in condition.parts])
    return ~_holds(ibis, table, condition.part, selections)


def _fulfils(ibis: Ibis, table: Ibis, predicate: Predicate) -> Ibis:
    """A predicate that is true or false, never null."""
    column = table[predicate.field.name]
    if predicate.modifier is Modifier.EXISTS:
        return column.notnull() if predicate.operands[0] else column.isnull()
    return _compared(column, predicate).fill_null(False)


def _compared(column: Ibis, predicate: Predicate) -> Ibis:
    operands, modifier = predicate.operands, predicate.modifier
    if modifier is Modifier.EQUALS:
        return column == operands[0] if len(operands) == 1 else column.isin(operands)
    if modifier is Modifier.BETWEEN:
        return column.between(operands[0], operands[1])
    if modifier in _ORDER:
        return _ORDER[modifier](column, operands[0])
    texts = searched(predicate) if predicate.field.type is FieldType.TEXT else operands
    if modifier is Modifier.STARTSWITH:
        return _any([column.startswith(each) for each in texts])
    return _any([column.contains(each) for each in texts])


def _needs_word(rule: Rule) -> bool:
    """Whether the rule can hold only where the contents have one of its words."""
    return _implies_word(rule.condition, rule.selections)


def _implies_word(condition: Condition, selections: Sequence[Selection]) -> bool:
    if isinstance(condition, Named):
        named = next(each for each in selections if each.name == condition.name)
        return any(_is_search(each) for each in named.predicates)
    if isinstance(condition, AllOf):
        return any(_implies_word(part, selections) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return all(_implies_word(part, selections) for part in condition.parts)
    return False


def _is_search(predicate: Predicate) -> bool:
    return predicate.field.type is FieldType.TEXT and predicate.modifier is not Modifier.EXISTS


def _searched(rule: Rule) -> list[str]:
    return [
        text
        for selection in rule.selections
        for predicate in selection.predicates
        if _is_search(predicate)
        for text in searched(predicate)
    ]


def _hits(ibis: Ibis, candidates: Ibis, rule: Rule, place: int) -> Ibis:
    mask = candidates[f"mask{place // BITS}"]
    mine = candidates.filter((mask & (1 << (place % BITS))) != 0)
    none = ibis.null("int64")
    if rule.aggregate is None:
        return mine.select(
            line=mine["line"],
            rule=ibis.literal(place, "int64"),
            window_end=none,
            **{f"f{n}": none for n in range(FIGURES)},
        )
    found = _windowed(mine, rule.aggregate, ibis)
    figures = {
        f"f{n}": found[f"f{n}"] if n < len(rule.aggregate.having) else none for n in range(FIGURES)
    }
    return found.select(
        line=found["line"],
        rule=ibis.literal(place, "int64"),
        window_end=found["window_end"],
        **figures,
    )


def _windowed(mine: Ibis, aggregate: Aggregate, ibis: Ibis) -> Ibis:
    """The parcels of groups and windows that hold; of several windows the fullest is kept."""
    by = [field.name for field in aggregate.by]
    whole = mine.filter(_all([mine[name].notnull() for name in (*by, POSTED_DAY)]))
    bounds = [each for each in aggregate.having if _bounds_the_whole(each)]
    likely = whole.group_by(by).agg(**_amounts(whole, bounds))
    likely = likely.filter(_all([_reached(likely, each, n) for n, each in enumerate(bounds)]))
    likely = likely.select(**{f"k_{name}": likely[name] for name in by})
    kept = whole.semi_join(likely, [whole[name] == likely[f"k_{name}"] for name in by])
    days = kept.mutate(offset=ibis.range(0, aggregate.days).unnest())
    days = days.mutate(window_end=days[POSTED_DAY] + days["offset"].cast("int64"))
    windows = days.group_by([*by, "window_end"]).agg(
        parcels=days.count(), **_amounts(days, aggregate.having)
    )
    windows = windows.filter(
        _all([_reached(windows, each, n) for n, each in enumerate(aggregate.having)])
    )
    figures = [f"f{n}" for n in range(len(aggregate.having))]
    windows = windows.select(
        **{f"w_{name}": windows[name] for name in by},
        last=windows["window_end"],
        parcels=windows["parcels"],
        **{name: windows[name] for name in figures},
    )
    same = [days[name] == windows[f"w_{name}"] for name in by]
    joined = days.inner_join(windows, [*same, days["window_end"] == windows["last"]])
    fullest = [joined["parcels"].desc(), joined["last"]]
    turn = ibis.row_number().over(group_by=joined["line"], order_by=fullest)
    first = joined.mutate(turn=turn)
    first = first.filter(first["turn"] == 0)
    return first.select("line", window_end=first["last"], **{name: first[name] for name in figures})


def _amounts(table: Ibis, having: Sequence[Having]) -> dict[str, Ibis]:
    """What each line of having is about, and for an average the number of parcels in it."""
    found = {}
    for n, each in enumerate(having):
        column = table[each.field.name] if each.field else None
        found[f"f{n}"] = _amount(table, each, column).cast("int64")
        if each.measure is Measure.AVG:
            found[f"n{n}"] = column.count().cast("int64")  # type: ignore[union-attr]
    return found


def _amount(table: Ibis, having: Having, column: Ibis) -> Ibis:
    match having.measure:
        case Measure.COUNT:
            return table.count()
        case Measure.DISTINCT:
            return column.nunique()
        case Measure.MIN:
            return column.min()
        case Measure.MAX:
            return column.max()
        case _:
            return column.sum()


def _reached(table: Ibis, having: Having, place: int) -> Ibis:
    amount = table[f"f{place}"]
    threshold = having.threshold
    if having.measure is Measure.AVG:
        threshold = table[f"n{place}"] * having.threshold
    return _ORDER[having.modifier](amount, threshold)


def _bounds_the_whole(having: Having) -> bool:
    """Whether a window can reach it only if the group's whole time does."""
    if having.modifier not in {Modifier.GT, Modifier.GTE}:
        return False
    if having.measure is Measure.SUM:
        return (
            having.field is not None and having.field.least is not None and having.field.least >= 0
        )
    return having.measure in {Measure.COUNT, Measure.DISTINCT, Measure.MAX}


def _all(terms: Sequence[Ibis]) -> Ibis:
    return reduce(and_, terms)


def _any(terms: Sequence[Ibis]) -> Ibis:
    return reduce(or_, terms)
