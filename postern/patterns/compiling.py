"""Rules as ibis expressions: compiled once, run as SQL by DuckDB or Spark.

One pass over the manifest gives every parcel the bits of the rules whose selections it fulfils
(masks.py); only parcels with a bit go on, as candidates. Aggregates run on those: groups with too
few candidates for any window are left out first, by counting alone, then each parcel is put into
every window of days that holds it. Everything is whole numbers, so no engine and no order can make
a difference. What a rule means is in `plain.py`; tests hold the two together.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from importlib import import_module
from inspect import Parameter, Signature
from operator import and_, ge, gt, le, lt, or_

from postern.manifest_errors import ScreeningMissingError
from postern.patterns.examples import POSTED_DAY
from postern.patterns.fields import FIELDS, Field, FieldType, Measure, Modifier
from postern.patterns.masks import Ibis, Masks, Place, laid_out
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
from postern.patterns.terms import Literal, filters_of

FIGURES = 8  # lines of having whose amounts are kept for the reasons
MANIFEST, CANDIDATES, CROWDED = "manifest", "candidates", "crowded"
_CAPITALS = 128  # letters of ASCII
_MOST_OF_32_BITS = 2**31 - 1
_FEW = 12  # texts that are searched one by one; more are one expression
_ORDER = {Modifier.GT: gt, Modifier.GTE: ge, Modifier.LT: lt, Modifier.LTE: le}


class Dialect(StrEnum):
    """Who runs the SQL."""

    DUCKDB = "duckdb"
    SPARK = "pyspark"


@dataclass(frozen=True, slots=True)
class Grouping:
    """SQL for a rule about groups.

    `crowded` makes the table of that name from `candidates`: numbers of groups with parcels enough.
    Only when it has a row, `hits()` can find something, in both tables; it is compiled when asked
    for, as on most days most rules have no such group.
    """

    crowded: str
    hits: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Plan:
    """SQL over the tables `manifest`, `candidates` and `crowded`.

    `candidates` makes the second from the first; `places` are the bits of each rule in it.
    `single`, None when there is no such rule, and each of `groups` give hits: line, rule (place in
    the order of the rules), window_end, f0, f1, ... of its having.
    """

    candidates: str
    places: tuple[Place, ...]
    single: str | None
    groups: tuple[Grouping, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of a parcel directly, as an expression that is true or false, never null."""

    rules: Sequence[Rule]
    filters: Sequence[Filter]

    def literal(self, table: Ibis, literal: Literal) -> Ibis:
        """A predicate or its denial."""
        held = _fulfils(table, literal.predicate)
        return ~held if literal.denied else held

    def rule(self, table: Ibis, place: int) -> Ibis:
        """A whole rule, with the filters about it."""
        rule = self.rules[place]
        held = _holds(table, rule.condition, rule.selections)
        for each in filters_of(rule, self.filters):
            held = held & ~_holds(table, each.condition, each.selections)
        return held


def compiled(
    rules: Sequence[Rule], filters: Sequence[Filter], dialect: Dialect = Dialect.DUCKDB
) -> Plan:
    """The plan for these rules. Raises ScreeningMissingError when ibis is not installed."""
    ibis = _library()
    to_sql = _compiler(dialect)
    table = ibis.table({"line": "int64", POSTED_DAY: "int64"} | _types(), name=MANIFEST)
    masks = laid_out(rules, filters)
    masked = _masked(ibis, table, masks, _Asked(rules, filters))
    numbers = {name: _number_for(ibis, masked[name], name, dialect) for name in _needed(rules)}
    names = [f"mask{n}" for n in range(len(masks.columns))]
    day = masked[POSTED_DAY].cast("int32")
    kept = masked.select("line", *names, **{POSTED_DAY: day}, **numbers)
    candidates = ibis.table(kept.schema(), name=CANDIDATES)
    groups = [
        _grouping(ibis, dialect, candidates, (n, masks.places[n]), rule.aggregate)
        for n, rule in enumerate(rules)
        if rule.aggregate is not None
    ]
    single = len(groups) < len(rules)
    return Plan(
        to_sql(kept),
        masks.places,
        to_sql(_single(ibis, candidates, rules, masks)) if single else None,
        tuple(groups),
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


def _types() -> dict[str, str]:
    kinds = {FieldType.NUMBER: "int64", FieldType.FLAG: "boolean", FieldType.PERSON: "int64"}
    found = {name: kinds.get(each.type, "string") for name, each in FIELDS.items()}
    return found | {"item_id": "string"}


def _needed(rules: Sequence[Rule]) -> tuple[str, ...]:
    """The fields that aggregates group by and measure."""
    found: dict[str, None] = {}
    for rule in rules:
        if rule.aggregate is not None:
            measured = [each.field for each in rule.aggregate.having if each.field]
            found |= dict.fromkeys(field.name for field in (*rule.aggregate.by, *measured))
    return tuple(found)


def _number_for(ibis: Ibis, column: Ibis, name: str, dialect: Dialect) -> Ibis:
    """A number for a value that is only told from others: small, and the same for equal values.

    Codes become a hash of 64 bits, as persons are one in the prepared manifest.
    """
    match FIELDS[name].type:
        case FieldType.WORD:
            words = [(column == word, n) for n, word in enumerate(FIELDS[name].words)]
            return ibis.cases(*words, else_=ibis.null("int8"))
        case FieldType.COUNTRY:
            capitals = column.ascii_str() * _CAPITALS + column.substr(1, 1).ascii_str()
            return capitals.cast("int16")
        case FieldType.CODE | FieldType.ACCOUNT:
            return _code(ibis, column, dialect)
        case FieldType.NUMBER if _is_small(FIELDS[name]):
            return column.cast("int32")
    return _code(ibis, column, dialect) if name == "item_id" else column


def _is_small(field: Field) -> bool:
    """Whether every value of a number is one of 32 bits; a prepared manifest has no others."""
    ends = [None if end is None else field.scaled(end) for end in (field.least, field.most)]
    return all(end is not None and abs(end) <= _MOST_OF_32_BITS for end in ends)


def _hashed(ibis: Ibis, columns: Sequence[Ibis], dialect: Dialect) -> Ibis:
    """64 bits for values together; Spark's function of the name `hash` has 32 bits."""

    def hashed(*values: object) -> int:
        raise NotImplementedError(values)

    name = {Dialect.DUCKDB: "hash", Dialect.SPARK: "xxhash64"}[dialect]
    types = tuple(column.type() for column in columns)
    hashed.__signature__ = Signature(  # type: ignore[attr-defined]
        [Parameter(f"v{n}", Parameter.POSITIONAL_ONLY) for n in range(len(types))]
    )
    function = ibis.udf.scalar.builtin(hashed, name=name, signature=(types, "int64"))
    return function(*columns)


def _code(ibis: Ibis, column: Ibis, dialect: Dialect) -> Ibis:
    """A hash, and null for null: the engines give null a number."""
    return ibis.ifelse(column.isnull(), ibis.null("int64"), _hashed(ibis, (column,), dialect))


def _masked(ibis: Ibis, table: Ibis, masks: Masks, asked: _Asked) -> Ibis:
    """The parcels with a bit, each with its masks."""
    columns = range(len(masks.columns))
    early = table.mutate(**{f"early{n}": masks.early(ibis, table, n) for n in columns})
    early = _with_a_bit(ibis, early, "early", columns)
    late = early.mutate(
        **{
            f"mask{n}": masks.late(
                ibis,
                early[f"early{n}"],
                n,
                lambda literal: asked.literal(early, literal),
                lambda place: asked.rule(early, place),
            )
            for n in columns
        }
    )
    return _with_a_bit(ibis, late, "mask", columns)


def _with_a_bit(ibis: Ibis, table: Ibis, name: str, columns: Sequence[int]) -> Ibis:
    # The random term keeps an engine from computing every mask a second time in its filter.
    barrier = ibis.ifelse(ibis.random() < 0, 1, 0).cast("int64")
    return table.filter(_any([(table[f"{name}{n}"] + barrier) != 0 for n in columns]))


def _holds(table: Ibis, condition: Condition, selections: Sequence[Selection]) -> Ibis:
    if isinstance(condition, Named):
        named = next(each for each in selections if each.name == condition.name)
        return _all([_fulfils(table, each) for each in named.predicates])
    if isinstance(condition, AllOf):
        return _all([_holds(table, part, selections) for part in condition.parts])
    if isinstance(condition, AnyOf):
        return _any([_holds(table, part, selections) for part in condition.parts])
    return ~_holds(table, condition.part, selections)


def _fulfils(table: Ibis, predicate: Predicate) -> Ibis:
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
    if len(texts) > _FEW:
        escaped = [re.escape(str(each)).replace("\\ ", " ") for each in texts]
        return column.re_search("|".join(escaped))
    return _any([column.contains(each) for each in texts])


def _single(ibis: Ibis, candidates: Ibis, rules: Sequence[Rule], masks: Masks) -> Ibis:
    """The hits of all rules about single parcels."""
    places = {n: masks.places[n] for n, rule in enumerate(rules) if rule.aggregate is None}
    fulfilled = {n: (candidates[f"mask{at.column}"] & at.bits) != 0 for n, at in places.items()}
    every = {
        column: sum(at.bits for at in places.values() if at.column == column)
        for column in {at.column for at in places.values()}
    }
    some = [(candidates[f"mask{column}"] & bits) != 0 for column, bits in every.items()]
    none = ibis.null("int64")
    listed = ibis.array([ibis.ifelse(held, n, none).cast("int64") for n, held in fulfilled.items()])
    mine = candidates.filter(_any(some)).select("line", rule=listed.unnest())
    return mine.filter(mine["rule"].notnull()).select(
        "line", "rule", window_end=none, **{f"f{n}": none for n in range(FIGURES)}
    )


def _grouping(
    ibis: Ibis, dialect: Dialect, candidates: Ibis, place: tuple[int, Place], aggregate: Aggregate
) -> Grouping:
    """The groups of a rule with parcels enough, and its hits.

    Groups are counted by one number each, which is what takes the time; two groups of one number
    count as one here, and come apart where the windows are made.
    """
    number, at = place
    to_sql = _compiler(dialect)
    by = [field.name for field in aggregate.by]
    measured = [each.field.name for each in aggregate.having if each.field]
    mask, needed = f"mask{at.column}", dict.fromkeys((*by, *measured))
    mine = candidates.select("line", POSTED_DAY, mask, *needed)
    mine = mine.filter((mine[mask] & at.bits) != 0)
    whole = mine.filter(_all([mine[name].notnull() for name in (*by, POSTED_DAY)])).drop(mask)
    keyed = whole.mutate(key=_hashed(ibis, [whole[name] for name in by], dialect))
    counted = keyed.group_by("key").agg(parcels=keyed.count())
    crowded = counted.filter(counted["parcels"] >= _fewest(aggregate)).select("key")

    def hits() -> str:
        there = ibis.table(crowded.schema(), name=CROWDED)
        found = _windowed(ibis, keyed.semi_join(there, "key").drop("key"), by, aggregate)
        return to_sql(_as_hits(ibis, found, number, len(aggregate.having)))

    return Grouping(to_sql(crowded), hits)


def _as_hits(ibis: Ibis, found: Ibis, number: int, amounts: int) -> Ibis:
    none = ibis.null("int64")
    figures = {f"f{n}": found[f"f{n}"] if n < amounts else none for n in range(FIGURES)}
    return found.select(
        line=found["line"],
        rule=ibis.literal(number, "int64"),
        window_end=found["window_end"].cast("int64"),
        **figures,
    )


def _fewest(aggregate: Aggregate) -> int:
    """The parcels that a group has at least: as many as any of its counts asks for."""
    return max(
        each.threshold + (each.modifier is Modifier.GT)
        for each in aggregate.having
        if each.is_lower_bound
    )


def _windowed(ibis: Ibis, whole: Ibis, by: Sequence[str], aggregate: Aggregate) -> Ibis:
    """The parcels of groups and windows that hold; of several windows the fullest is kept."""
    bounds = [each for each in aggregate.having if _bounds_the_whole(each)]
    likely = whole.group_by(by).agg(**_amounts(whole, bounds))
    likely = likely.filter(_all([_reached(likely, each, n) for n, each in enumerate(bounds)]))
    kept = _of_groups(whole, likely, by)
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


def _of_groups(table: Ibis, groups: Ibis, by: Sequence[str]) -> Ibis:
    keys = groups.select(**{f"k_{name}": groups[name] for name in by})
    return table.semi_join(keys, [table[name] == keys[f"k_{name}"] for name in by])


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
