"""Conditions as alternatives: a rule holds where one of its terms does.

A term is a set of literals that all have to hold; a literal is a predicate or the denial of one.
So what a rule asks of each field stands by itself, and many rules can be answered field by field.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from postern.patterns.model import (
    AllOf,
    AnyOf,
    Condition,
    Filter,
    Named,
    Operand,
    Predicate,
    Rule,
    Selection,
)
from postern.patterns.plain import fulfils

MOST_TERMS = 12


@dataclass(frozen=True, slots=True)
class Literal:
    """A predicate, or with `denied` that it does not hold; one of the two for every parcel."""

    predicate: Predicate
    denied: bool

    def holds(self, value: Operand | None) -> bool:
        """Whether it holds for a parcel with this value of its field."""
        return fulfils(self.predicate, {self.predicate.field.name: value}) is not self.denied


Term: TypeAlias = frozenset[Literal]


def terms_of(rule: Rule, filters: Sequence[Filter]) -> tuple[Term, ...] | None:
    """The terms of a rule and of the filters that keep parcels out of it.

    None when there were more than `MOST_TERMS`: such a condition is asked as it stands.
    """
    found = _terms(rule.condition, rule.selections, denied=False)
    for each in filters_of(rule, filters):
        found = _both(found, _terms(each.condition, each.selections, denied=True))
    return None if found is None else tuple(dict.fromkeys(found))


def filters_of(rule: Rule, filters: Sequence[Filter]) -> tuple[Filter, ...]:
    """The filters that are about a rule."""
    return tuple(each for each in filters if not each.rules or rule.id in each.rules)


def _terms(
    condition: Condition, selections: Sequence[Selection], *, denied: bool
) -> list[Term] | None:
    """The terms of a condition, or of its denial."""
    if isinstance(condition, Named):
        named = next(each for each in selections if each.name == condition.name)
        literals = [Literal(each, denied) for each in named.predicates]
        terms = [frozenset({each}) for each in literals] if denied else [frozenset(literals)]
        return terms if len(terms) <= MOST_TERMS else None
    if isinstance(condition, AllOf | AnyOf):
        parts = [_terms(part, selections, denied=denied) for part in condition.parts]
        together = _both if isinstance(condition, AllOf) is not denied else _either
        found: list[Term] | None = parts[0]
        for part in parts[1:]:
            found = together(found, part)
        return found
    return _terms(condition.part, selections, denied=not denied)


def _both(one: list[Term] | None, other: list[Term] | None) -> list[Term] | None:
    if one is None or other is None or len(one) * len(other) > MOST_TERMS:
        return None
    return [first | second for first, second in product(one, other)]


def _either(one: list[Term] | None, other: list[Term] | None) -> list[Term] | None:
    if one is None or other is None or len(one) + len(other) > MOST_TERMS:
        return None
    return one + other
