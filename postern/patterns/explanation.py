"""What a rule asks for, and why a parcel hit, in a person's language."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from postern.patterns.fields import Field, FieldType, Measure, Modifier
from postern.patterns.model import (
    AllOf,
    AnyOf,
    Condition,
    Having,
    Named,
    Negated,
    Operand,
    Predicate,
    Row,
    Rule,
    Selection,
)
from postern.patterns.plain import selected
from postern.patterns.words import Words, words

_EPOCH = date(1970, 1, 1)


def explained_rule(rule: Rule, language: str) -> str:
    """The rule in one or two sentences. Raises KeyError for a language that is not spoken."""
    spoken = words(language)
    condition = _condition(rule.condition, rule.selections, spoken, is_inner=False)
    if rule.aggregate is None:
        return spoken.say("rule", condition=condition)
    having = [
        spoken.say(each.modifier, field=_measure(each, spoken), values=_threshold(each, spoken))
        for each in rule.aggregate.having
    ]
    return spoken.say(
        "aggregate",
        condition=condition,
        by=spoken.phrases["and"].join(spoken.fields[field.name] for field in rule.aggregate.by),
        days=rule.aggregate.days,
        having=spoken.phrases["and"].join(having),
    )


def explained_hit(
    rule: Rule, row: Row, window_end: int | None, figures: Sequence[int | None], language: str
) -> str:
    """What of a parcel fulfils the rule, and what its window counted.

    `figures` are the amounts of the rule's `having`, in their order; an average is its sum, and is
    left out.
    """
    spoken = words(language)
    facts = list(
        dict.fromkeys(
            _fact(predicate, row, spoken)
            for selection in _positive(rule.condition, rule.selections)
            if selected(selection, row)
            for predicate in selection.predicates
        )
    )
    if rule.aggregate is not None and window_end is not None:
        counted = [
            spoken.say("figure", what=_measure(each, spoken), amount=_amount(each, found, spoken))
            for each, found in zip(rule.aggregate.having, figures, strict=False)
            if found is not None and each.measure is not Measure.AVG
        ]
        facts.append(
            spoken.say(
                "window",
                days=rule.aggregate.days,
                end=(_EPOCH + timedelta(days=window_end)).isoformat(),
                figures=spoken.phrases["and"].join(counted),
            )
        )
    return "; ".join(facts)


def _condition(
    condition: Condition, selections: Sequence[Selection], spoken: Words, *, is_inner: bool
) -> str:
    if isinstance(condition, Negated):
        part = _condition(condition.part, selections, spoken, is_inner=False)
        return spoken.say("not", part=part)
    if isinstance(condition, Named):
        selection = next(each for each in selections if each.name == condition.name)
        parts = [_predicate(each, spoken) for each in selection.predicates]
        joined = spoken.phrases["and"].join(parts)
        return spoken.say("group", part=joined) if is_inner and len(parts) > 1 else joined
    word = "and" if isinstance(condition, AllOf) else "or"
    parts = [_condition(part, selections, spoken, is_inner=True) for part in condition.parts]
    joined = spoken.phrases[word].join(parts)
    return spoken.say("group", part=joined) if is_inner else joined


def _predicate(predicate: Predicate, spoken: Words) -> str:
    field, operands = predicate.field, predicate.operands
    name = spoken.fields[field.name]
    if predicate.modifier is Modifier.EXISTS:
        return spoken.say("exists.yes" if operands[0] else "exists.no", field=name)
    if field.type is FieldType.FLAG:
        return spoken.say("flag.yes" if operands[0] else "flag.no", field=name)
    told = [_value(field, each, spoken) for each in operands]
    if predicate.modifier is Modifier.BETWEEN:
        return spoken.say("between", field=name, low=told[0], high=told[1])
    return spoken.say(predicate.modifier, field=name, values=spoken.phrases["or"].join(told))


def _value(field: Field, operand: Operand, spoken: Words) -> str:
    if field.type is FieldType.NUMBER:
        return _number(field.unscaled(int(operand)), field.unit, spoken)
    if field.type is FieldType.WORD:
        return spoken.values[str(operand)]
    if field.type is FieldType.FLAG:
        return spoken.phrases["yes" if operand else "no"]
    if field.type is FieldType.TEXT:
        return spoken.say("quoted", text=str(operand).strip())
    return str(operand)


def _number(number: Decimal, unit: str, spoken: Words) -> str:
    text = str(number).replace(".", spoken.phrases["decimal"])
    return f"{text} {unit}" if unit else text


def _measure(having: Having, spoken: Words) -> str:
    if having.field is None:
        return spoken.phrases["count"]
    return spoken.say(having.measure, field=spoken.fields[having.field.name])


def _threshold(having: Having, spoken: Words) -> str:
    return _amount(having, having.threshold, spoken)


def _amount(having: Having, amount: int, spoken: Words) -> str:
    if having.field is None or having.field.type is not FieldType.NUMBER:
        return str(amount)
    return _number(having.field.unscaled(amount), having.field.unit, spoken)


def _positive(condition: Condition, selections: Sequence[Selection]) -> Iterator[Selection]:
    """The selections that help a condition to hold: those not under a not."""
    if isinstance(condition, Named):
        yield next(each for each in selections if each.name == condition.name)
    elif isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from _positive(part, selections)


def _fact(predicate: Predicate, row: Row, spoken: Words) -> str:
    field = predicate.field
    found = row.get(field.name)
    if predicate.modifier is Modifier.EXISTS or field.type in {FieldType.PERSON, FieldType.ACCOUNT}:
        value = spoken.phrases["fact.no" if found is None else "fact.yes"]
    elif found is None:
        value = spoken.phrases["fact.no"]
    else:
        value = _value(field, found, spoken)
    return spoken.say("fact", field=spoken.fields[field.name], value=value)
