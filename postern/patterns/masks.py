"""Which rules a parcel fulfils, all at once: a word of bits for each field, and all of them ANDed.

Every term of a rule (terms.py) has a bit. What the terms ask of one field depends on its value
alone, so a field's values fall into a few classes, each with the word of the terms that it leaves
possible. What is dear to ask (texts, beginnings, conditions with too many terms) comes late, and
only of the parcels for which the cheap fields have left it open.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from postern.patterns.fields import FIELDS, FieldType, Modifier
from postern.patterns.model import Filter, Operand, Rule
from postern.patterns.terms import Literal, Term, terms_of

Ibis = Any
"""An expression of ibis, whose types cannot be told apart by a type checker."""

BITS = 60  # terms of one mask column, so that a word of bits stays a signed 64-bit number
_ALL = (1 << BITS) - 1
_LATE = frozenset({Modifier.CONTAINS, Modifier.WORDS, Modifier.STARTSWITH})
_CHAIN = 8  # classes that are asked one after the other; more are halved

Ask = Callable[[Literal], Ibis]
"""A literal as an expression that is true or false, never null."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bits of a rule are: it is fulfilled where one of `bits` is set in the column."""

    column: int
    bits: int


@dataclass(frozen=True, slots=True)
class _Slot:
    """One bit: a term, or None for a rule that is asked as it stands."""

    bit: int
    rule: int
    term: Term | None


@dataclass(frozen=True, slots=True)
class Masks:
    """The bits of all rules, column by column."""

    places: tuple[Place, ...]
    columns: tuple[tuple[_Slot, ...], ...]

    def early(self, ibis: Ibis, table: Ibis, column: int) -> Ibis:
        """The bits that the cheap fields leave possible."""
        slots = self.columns[column]
        asked = _by_field(slots, late=False)
        words = [_word(ibis, table[name], name, told, slots) for name, told in asked.items()]
        return reduce(and_, words, ibis.literal(_every(slots), "int64"))

    def late(
        self, ibis: Ibis, mask: Ibis, column: int, ask: Ask, whole: Callable[[int], Ibis]
    ) -> Ibis:
        """The bits of `mask` that the dear questions leave; `whole` asks for a rule as it is."""
        slots = self.columns[column]
        checks: dict[Ibis, tuple[int, Ibis]] = {}
        for name, told in _by_field(slots, late=True).items():
            for literals in dict.fromkeys(told.values()):
                bits = sum(1 << bit for bit, its in told.items() if its == literals)
                checks[name, literals] = (
                    bits,
                    reduce(and_, [ask(each) for each in _sorted(literals)]),
                )
        for slot in slots:
            if slot.term is None:
                checks[slot.rule] = 1 << slot.bit, whole(slot.rule)
        if not checks:
            return mask
        every = ibis.literal(_ALL, "int64")
        left = [
            ibis.cases(
                ((mask & bits) == 0, every),
                (held, every),
                else_=ibis.literal(_ALL & ~bits, "int64"),
            )
            for bits, held in checks.values()
        ]
        dear = reduce(or_, [bits for bits, _ in checks.values()])
        return ibis.ifelse((mask & dear) == 0, mask, reduce(and_, left, mask))


def laid_out(rules: Sequence[Rule], filters: Sequence[Filter]) -> Masks:
    """The bits of every rule; those of one rule are in one column."""
    places: list[Place] = []
    columns: list[list[_Slot]] = [[]]
    for n, rule in enumerate(rules):
        terms: Sequence[Term | None] = terms_of(rule, filters) or (None,)
        if len(columns[-1]) + len(terms) > BITS:
            columns.append([])
        slots = [_Slot(len(columns[-1]) + k, n, term) for k, term in enumerate(terms)]
        columns[-1].extend(slots)
        places.append(Place(len(columns) - 1, _every(slots)))
    return Masks(tuple(places), tuple(tuple(each) for each in columns))


def _every(slots: Iterable[_Slot]) -> int:
    return sum(1 << slot.bit for slot in slots)


def _by_field(slots: Sequence[_Slot], *, late: bool) -> dict[str, dict[int, Term]]:
    """For each field what each bit asks of it."""
    found: dict[str, dict[int, set[Literal]]] = {}
    for slot in slots:
        for literal in slot.term or ():
            if (literal.predicate.modifier in _LATE) is late:
                name = literal.predicate.field.name
                found.setdefault(name, {}).setdefault(slot.bit, set()).add(literal)
    return {
        name: {bit: frozenset(its) for bit, its in found[name].items()} for name in sorted(found)
    }


def _word(
    ibis: Ibis, column: Ibis, name: str, told: Mapping[int, Term], slots: Sequence[_Slot]
) -> Ibis:
    """The word of a field's value."""
    free = _every(slots) & ~sum(1 << bit for bit in told)

    def word(value: Operand | None) -> int:
        return free | sum(
            1 << bit
            for bit, literals in told.items()
            if all(each.holds(value) for each in literals)
        )

    literals = [each for its in told.values() for each in its]
    kind = FIELDS[name].type
    if kind is FieldType.NUMBER:
        return _of_number(ibis, column, word, _bounds(literals))
    if kind is FieldType.FLAG:
        yes, no, none = (ibis.literal(word(each), "int64") for each in (True, False, None))
        return ibis.cases((column, yes), (~column, no), else_=none)
    return _of_code(ibis, column, word, literals)


def _of_code(
    ibis: Ibis, column: Ibis, word: Callable[[Operand | None], int], literals: Iterable[Literal]
) -> Ibis:
    """Values that are named one by one, all others, and none."""
    classes: dict[int, list[Operand]] = {}
    other, none = word(""), word(None)
    for value in sorted({each for one in literals for each in _named(one)}):
        classes.setdefault(word(value), []).append(value)
    classes.pop(other, None)
    cases = [(column.isnull(), none)] if none != other else []
    for its, values in classes.items():
        if len(values) <= _CHAIN:
            cases += [(column == value, its) for value in values]
        else:
            cases.append((column.isin(values), its))
    return _cases(ibis, cases, other)


def _named(literal: Literal) -> tuple[str, ...]:
    if literal.predicate.modifier is Modifier.EXISTS:
        return ()
    return tuple(str(each) for each in literal.predicate.operands)


def _bounds(literals: Iterable[Literal]) -> list[int]:
    """The numbers at which the answer to one of them may change."""
    found: set[int] = set()
    for literal in literals:
        operands = [int(each) for each in literal.predicate.operands]
        match literal.predicate.modifier:
            case Modifier.EXISTS:
                continue
            case Modifier.GTE | Modifier.LT:
                found.update(operands)
            case Modifier.GT | Modifier.LTE:
                found.update(each + 1 for each in operands)
            case Modifier.BETWEEN:
                found |= {operands[0], operands[1] + 1}
            case _:
                found |= {each + step for each in operands for step in (0, 1)}
    return sorted(found)


def _of_number(
    ibis: Ibis, column: Ibis, word: Callable[[Operand | None], int], bounds: Sequence[int]
) -> Ibis:
    """Ranges between bounds, each with its word; and none."""
    starts: list[int] = []
    words = [word(bounds[0] - 1)] if bounds else [word(0)]
    for bound in bounds:
        if word(bound) != words[-1]:
            starts.append(bound)
            words.append(word(bound))
    none = word(None)

    def within(low: int, high: int) -> Ibis:
        """An expression for the words from `low` to `high`; null is in the highest."""
        if high - low < _CHAIN:
            cases = [(column < starts[n], words[n]) for n in range(low, high)]
            return _cases(ibis, cases, words[high])
        middle = (low + high) // 2
        return ibis.ifelse(column < starts[middle], within(low, middle), within(middle + 1, high))

    found = within(0, len(words) - 1)
    if none == words[-1]:
        return found
    return ibis.ifelse(column.isnull(), ibis.literal(none, "int64"), found)


def _cases(ibis: Ibis, cases: Sequence[tuple[Ibis, int]], other: int) -> Ibis:
    """The word of the first case that holds."""
    words = [(held, ibis.literal(word, "int64")) for held, word in cases]
    last = ibis.literal(other, "int64")
    return ibis.cases(*words, else_=last) if words else last


def _sorted(literals: Term) -> list[Literal]:
    """In an order that does not change from run to run."""
    return sorted(literals, key=lambda each: (each.predicate.modifier, str(each)))
