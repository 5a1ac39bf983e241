"""A rule in STIX patterning, if it can be said there; `postern.stix` makes objects of it.

Source: OASIS STIX 2.1, 9 (patterning). The object type `x-postal-item` is our own. STIX
compares but does not compute: groups, different values, sums and averages cannot be said, so the
pattern of an aggregate matches more than the rule, and `losses` says in words what is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from postern.patterns.fields import Field, FieldType, Measure, Modifier
from postern.patterns.model import (
    Aggregate,
    AllOf,
    Condition,
    Named,
    Negated,
    Operand,
    Predicate,
    Rule,
    Selection,
)
from postern.patterns.plain import searched

OBJECT = "x-postal-item"
_DAY = 86_400  # seconds
_OPERATORS = {Modifier.GT: ">", Modifier.GTE: ">=", Modifier.LT: "<", Modifier.LTE: "<="}
_OPPOSITE = {"=": "!=", ">": "<=", ">=": "<", "<": ">=", "<=": ">"}


@dataclass(frozen=True, slots=True)
class StixPattern:
    """A STIX pattern and what of the rule it cannot say; without losses it means the same."""

    pattern: str
    losses: tuple[str, ...]


def stix_pattern(rule: Rule) -> StixPattern | None:
    """The rule in STIX patterning; None when no pattern would be wide enough to be true."""
    try:
        inner = _comparison(rule.condition, rule.selections, is_negated=False)
    except _UnsayableError:
        return None
    if rule.aggregate is None:
        return StixPattern(f"[{inner}]", ())
    return StixPattern(*_repeated(inner, rule.aggregate))


class _UnsayableError(ValueError):
    """STIX patterning has no word for it."""


def _comparison(condition: Condition, selections: Sequence[Selection], *, is_negated: bool) -> str:
    if isinstance(condition, Negated):
        return _comparison(condition.part, selections, is_negated=not is_negated)
    if isinstance(condition, Named):
        selection = next(each for each in selections if each.name == condition.name)
        parts = [_predicate(each, is_negated=is_negated) for each in selection.predicates]
        is_and = True
    else:
        parts = [_comparison(part, selections, is_negated=is_negated) for part in condition.parts]
        is_and = isinstance(condition, AllOf)
    if len(parts) == 1:
        return parts[0]
    return f"({(' OR ' if is_and is is_negated else ' AND ').join(parts)})"


def _predicate(predicate: Predicate, *, is_negated: bool) -> str:
    """One comparison. A selection on an absent field is false, so its negation has to hold there.

    STIX says nothing true of an absent property; `NOT EXISTS` says so by its own words.
    """
    path = f"{OBJECT}:{predicate.field.name}"
    if predicate.modifier is Modifier.EXISTS:
        exists = bool(predicate.operands[0]) is not is_negated
        return f"EXISTS {path}" if exists else f"NOT EXISTS {path}"
    said = _said(path, predicate, is_negated=is_negated)
    return f"(NOT EXISTS {path} OR {said})" if is_negated else said


def _said(path: str, predicate: Predicate, *, is_negated: bool) -> str:
    field, operands = predicate.field, predicate.operands
    if predicate.modifier is Modifier.BETWEEN:
        low, high = (_constant(field, each) for each in operands)
        if is_negated:
            return f"({path} < {low} OR {path} > {high})"
        return f"({path} >= {low} AND {path} <= {high})"
    if predicate.modifier in _OPERATORS:
        operator = _OPERATORS[predicate.modifier]
        operator = _OPPOSITE[operator] if is_negated else operator
        return f"{path} {operator} {_constant(field, operands[0])}"
    no = "NOT " if is_negated else ""
    if predicate.modifier is Modifier.EQUALS:
        if len(operands) == 1:
            return f"{path} {'!=' if is_negated else '='} {_constant(field, operands[0])}"
        return f"{path} {no}IN ({', '.join(_constant(field, each) for each in operands)})"
    texts = searched(predicate) if field.type is FieldType.TEXT else tuple(map(str, operands))
    end = "" if predicate.modifier is Modifier.STARTSWITH else "%"
    likes = [f"{path} {no}LIKE {_text(f'{end}{_escaped(each)}%')}" for each in texts]
    joined = (" AND " if is_negated else " OR ").join(likes)
    return f"({joined})" if len(likes) > 1 else joined


def _constant(field: Field, operand: Operand) -> str:
    if isinstance(operand, bool):
        return "true" if operand else "false"
    if isinstance(operand, int):
        return str(field.unscaled(operand))
    return _text(operand)


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _escaped(text: str) -> str:
    """A text without the signs that LIKE reads as any character."""
    if "%" in text or "_" in text:
        raise _UnsayableError
    return text


def _repeated(inner: str, aggregate: Aggregate) -> tuple[str, tuple[str, ...]]:
    """At least so many parcels in the time; what else the aggregate asks for is lost."""
    least = 1
    losses = [f"Parcels are not grouped by {', '.join(field.name for field in aggregate.by)}."]
    losses.append(f"{aggregate.days} calendar days are {aggregate.days * _DAY} seconds.")
    for having in aggregate.having:
        more = having.threshold + (1 if having.modifier is Modifier.GT else 0)
        if having.is_lower_bound:
            least = max(least, more)
        if having.measure is not Measure.COUNT or not having.is_lower_bound:
            name = having.field.name if having.field else "parcels"
            losses.append(f"{having.measure} of {name} is not compared.")
    within = f"WITHIN {aggregate.days * _DAY} SECONDS"
    repeats = f" REPEATS {least} TIMES" if least > 1 else ""
    return f"[{inner}]{repeats} {within}", tuple(losses)
