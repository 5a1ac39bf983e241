"""Which parcels a token could matter to: rules as they would be if any parcel could be listed.

A rule that asks for `sender_token` or `addressee_token` is widened: wherever being listed would
help it, it is taken for granted. A parcel that the widened rule does not choose cannot hit the rule
whatever its tokens are, so nothing of it is evaluated.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from postern.patterns.model import (
    AllOf,
    AnyOf,
    Condition,
    Filter,
    Named,
    Negated,
    Rule,
    Selection,
)

TOKEN_FIELDS = {"sender_token": "sender", "addressee_token": "addressee"}
"""Field -> the party whose tokens it is about."""


@dataclass(frozen=True, slots=True)
class Widened:
    """`rules` choose what to evaluate, unless `every` parcel is to be; `filters` keep some out.

    `parties` are those whose tokens any rule asks for, none when no rule does.
    """

    rules: tuple[Rule, ...]
    filters: tuple[Filter, ...]
    every: bool
    parties: tuple[str, ...]


def widened(rules: Sequence[Rule], filters: Sequence[Filter]) -> Widened:
    """The rules that ask for tokens, widened; and the filters, so that they keep out no more."""
    asking_filters = [each for each in filters if _asks(each)]
    asking = [
        rule
        for rule in rules
        if _asks(rule) or any(not each.rules or rule.id in each.rules for each in asking_filters)
    ]
    documents: list[Rule | Filter] = [*asking, *asking_filters]
    named = {name for each in documents for name in _token_fields(each)}
    found = []
    every = False
    for rule in asking:
        selections, condition = _without_tokens(rule.selections, rule.condition, helps=True)
        if condition is True:
            every = True
        elif condition is not False:
            found.append(replace(rule, selections=selections, condition=condition, aggregate=None))
    return Widened(
        tuple(found),
        tuple(_narrowed(filters)),
        every,
        tuple(party for field, party in TOKEN_FIELDS.items() if field in named),
    )


def _narrowed(filters: Sequence[Filter]) -> list[Filter]:
    """The filters, each keeping out only what it would whatever the tokens are."""
    found = []
    for each in filters:
        selections, condition = _without_tokens(each.selections, each.condition, helps=False)
        if not isinstance(condition, bool):
            found.append(replace(each, selections=selections, condition=condition))
    return found


def _asks(each: Rule | Filter) -> bool:
    return bool(_token_fields(each))


def _token_fields(each: Rule | Filter) -> set[str]:
    predicates = (predicate for one in each.selections for predicate in one.predicates)
    return {each.field.name for each in predicates} & TOKEN_FIELDS.keys()


def _without_tokens(
    selections: Sequence[Selection], condition: Condition, *, helps: bool
) -> tuple[tuple[Selection, ...], Condition | bool]:
    """A condition without tokens that holds wherever (`helps`), or only where (not), this may.

    A selection may stand in both senses, so that each sense has selections of its own.
    """
    kept: dict[str, Selection] = {}
    by_name = {each.name: each for each in selections}

    def walk(part: Condition, *, taken: bool) -> Condition | bool:
        if isinstance(part, Named):
            whole = by_name[part.name]
            rest = tuple(p for p in whole.predicates if p.field.name not in TOKEN_FIELDS)
            if len(rest) == len(whole.predicates):
                kept[whole.name] = whole
                return part
            if not taken or not rest:
                return taken
            name = f"{whole.name}_without_tokens"
            kept[name] = Selection(name, rest)
            return Named(name)
        if isinstance(part, Negated):
            inner = walk(part.part, taken=not taken)
            return not inner if isinstance(inner, bool) else Negated(inner)
        return _joined(part, [walk(each, taken=taken) for each in part.parts])

    found = walk(condition, taken=helps)
    return tuple(kept.values()), found


def _joined(part: AllOf | AnyOf, inner: Sequence[Condition | bool]) -> Condition | bool:
    """All or any of the parts, of which some are known to hold or not to."""
    decides = isinstance(part, AnyOf)  # one that holds decides an "any", one that fails an "all"
    if any(each is decides for each in inner):
        return decides
    rest = tuple(each for each in inner if not isinstance(each, bool))
    if not rest:
        return not decides
    if len(rest) == 1:
        return rest[0]
    return AnyOf(rest) if decides else AllOf(rest)
