"""What a rule means, in plain Python: the reference that every engine must agree with.

It is slow and holds everything in memory: it serves a rule's own tests, tries on sample rows, the
reasons of a hit, and the tests of the engines.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from postern.patterns.examples import POSTED_DAY
from postern.patterns.fields import FieldType, Measure, Modifier
from postern.patterns.model import (
    Aggregate,
    AllOf,
    Condition,
    Example,
    Filter,
    Having,
    Named,
    Negated,
    Operand,
    Predicate,
    Row,
    Rule,
    Selection,
)


@dataclass(frozen=True, slots=True)
class Window:
    """A window that holds: its last day since 1970-01-01, its parcels, what its having counted."""

    end: int
    places: tuple[int, ...]
    amounts: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class FailedExample:
    """A test of a rule that came out otherwise: where it stands, and what it should have done."""

    rule: str
    line: int
    must_hit: bool


def hits(rule: Rule, rows: Sequence[Row], filters: Iterable[Filter] = ()) -> set[int]:
    """The places of the rows that hit the rule."""
    candidates = _candidates(rule, rows, filters)
    if rule.aggregate is None:
        return set(candidates)
    found: set[int] = set()
    for _end, window in _windows(rule.aggregate, rows, candidates):
        if not found.issuperset(window) and _all_hold(rule.aggregate, rows, window):
            found.update(window)
    return found


def told_hits(rule: Rule, rows: Sequence[Row]) -> dict[int, Window | None]:
    """The places of the rows that hit, each with its window: the fullest, of these the first.

    None for a rule about single parcels. The engines keep the same window of several.
    """
    candidates = _candidates(rule, rows, ())
    if rule.aggregate is None:
        return dict.fromkeys(candidates)
    found: dict[int, Window | None] = {}
    holding = [
        (end, window)
        for end, window in _windows(rule.aggregate, rows, candidates)
        if _all_hold(rule.aggregate, rows, window)
    ]
    for end, window in sorted(holding, key=lambda each: (-len(each[1]), each[0])):
        inside = [rows[place] for place in window]
        amounts = tuple(measured(each, inside)[0] for each in rule.aggregate.having)
        for place in window:
            found.setdefault(place, Window(end, tuple(window), amounts))
    return found


def failed_examples(rule: Rule) -> Iterator[FailedExample]:
    """The tests of a rule that fail."""
    for example in rule.examples:
        if bool(hits(rule, example.rows)) != example.must_hit:
            yield FailedExample(rule.id, example.line, example.must_hit)


def holds(condition: Condition, selections: Sequence[Selection], row: Row) -> bool:
    """Whether a condition holds for a row."""
    if isinstance(condition, Named):
        named = next(each for each in selections if each.name == condition.name)
        return selected(named, row)
    if isinstance(condition, Negated):
        return not holds(condition.part, selections, row)
    parts = (holds(part, selections, row) for part in condition.parts)
    return all(parts) if isinstance(condition, AllOf) else any(parts)


def selected(selection: Selection, row: Row) -> bool:
    """Whether a row is in a selection."""
    return all(fulfils(predicate, row) for predicate in selection.predicates)


def fulfils(predicate: Predicate, row: Row) -> bool:
    """Whether a row fulfils a predicate. An empty field fulfils only `exists: no`."""
    found = row.get(predicate.field.name)
    if predicate.modifier is Modifier.EXISTS:
        return (found is not None) is predicate.operands[0]
    if found is None:
        return False
    if predicate.field.type is FieldType.NUMBER:
        return _compares(int(found), predicate)
    if predicate.modifier is Modifier.EQUALS:
        return any(found == operand for operand in predicate.operands)
    return any(_matches(str(found), predicate.modifier, str(each)) for each in predicate.operands)


def searched(predicate: Predicate) -> tuple[str, ...]:
    """The texts that a predicate on contents looks for; the contents have spaces at both ends."""
    form = {Modifier.CONTAINS: "{}", Modifier.WORDS: " {} ", Modifier.STARTSWITH: " {}"}
    return tuple(form[predicate.modifier].format(each) for each in predicate.operands)


def having_holds(having: Having, amount: int, count: int) -> bool:
    """Whether a measured amount fulfils a line of having; `count` parcels went into an average."""
    threshold = having.threshold * (count if having.measure is Measure.AVG else 1)
    return {
        Modifier.GT: amount > threshold,
        Modifier.GTE: amount >= threshold,
        Modifier.LT: amount < threshold,
        Modifier.LTE: amount <= threshold,
    }[having.modifier]


def measured(having: Having, rows: Sequence[Row]) -> tuple[int | None, int]:
    """The amount that a line of having is about, None when no row has the field; and the count.

    For an average it is the sum, so that everything stays whole numbers.
    """
    if having.field is None:
        return len(rows), len(rows)
    found = [row.get(having.field.name) for row in rows]
    present = [each for each in found if each is not None]
    if having.measure is Measure.DISTINCT:
        return len(set(present)), len(rows)
    numbers = [int(each) for each in present]
    if not numbers:
        return None, 0
    amount = {
        Measure.SUM: sum(numbers),
        Measure.AVG: sum(numbers),
        Measure.MIN: min(numbers),
        Measure.MAX: max(numbers),
    }[having.measure]
    return amount, len(numbers)


def _compares(found: int, predicate: Predicate) -> bool:
    operands = [int(each) for each in predicate.operands]
    match predicate.modifier:
        case Modifier.EQUALS:
            return found in operands
        case Modifier.BETWEEN:
            return operands[0] <= found <= operands[1]
        case Modifier.GT:
            return found > operands[0]
        case Modifier.GTE:
            return found >= operands[0]
        case Modifier.LT:
            return found < operands[0]
        case _:
            return found <= operands[0]


def _matches(found: str, modifier: Modifier, operand: str) -> bool:
    match modifier:
        case Modifier.CONTAINS:
            return operand in found
        case Modifier.WORDS:
            return f" {operand} " in found
        case _ if found.startswith(" "):
            return found.startswith(f" {operand}")
        case _:
            return found.startswith(operand)


def _candidates(rule: Rule, rows: Sequence[Row], filters: Iterable[Filter]) -> list[int]:
    """The places of the rows that fulfil the condition and that no filter keeps out."""
    mine = [each for each in filters if not each.rules or rule.id in each.rules]
    return [
        place
        for place, row in enumerate(rows)
        if holds(rule.condition, rule.selections, row)
        and not any(holds(each.condition, each.selections, row) for each in mine)
    ]


def _windows(
    aggregate: Aggregate, rows: Sequence[Row], candidates: Sequence[int]
) -> Iterator[tuple[int, list[int]]]:
    """The last day and the places of each window of each group that holds a parcel."""
    groups: Mapping[tuple[Operand, ...], list[int]] = defaultdict(list)
    for place in candidates:
        key = tuple(rows[place].get(field.name) for field in aggregate.by)
        whole = tuple(each for each in key if each is not None)
        if len(whole) == len(key) and rows[place].get(POSTED_DAY) is not None:
            groups[whole].append(place)
    for places in groups.values():
        first = {_day(rows[place]) for place in places}
        for end in sorted({day + later for day in first for later in range(aggregate.days)}):
            yield (
                end,
                [place for place in places if end - aggregate.days < _day(rows[place]) <= end],
            )


def _all_hold(aggregate: Aggregate, rows: Sequence[Row], window: Sequence[int]) -> bool:
    inside = [rows[place] for place in window]
    for having in aggregate.having:
        amount, count = measured(having, inside)
        if amount is None or not having_holds(having, amount, count):
            return False
    return True


def _day(row: Row) -> int:
    return int(row[POSTED_DAY] or 0)


def example_name(example: Example) -> str:
    """A short name for a test report."""
    return f"line {example.line}: {'must hit' if example.must_hit else 'must not hit'}"
