"""The form of rules as a browser sends it: fields such as `rules-3-sectors`, and one step to take.

The number in a field's name only tells rules apart; their order is that of the fields. What was
typed is kept as it is, so that a page with faults shows it again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from itertools import count
from typing import Any, Protocol

from app.errors import InvalidRequestError
from app.sharing.rule_schemas import to_form
from app.sharing.rules import Rule

NUMBERS = frozenset({"newer_than", "older_than"})
FLAGS = frozenset({"everybody_else", "screen", "feed"})
TYPED_LISTS = frozenset({"countries", "communities", "organisations"})
"""Lists that are written with commas or spaces between; all others are ticked."""

NOTHING_SAID: Mapping[str, Any] = to_form([Rule(name="", label="")])[0]
"""A rule of the form with every parameter left out."""

_FIELDS = frozenset(each.name for each in fields(Rule))
_TICKED = frozenset(name for name, value in NOTHING_SAID.items() if value == []) - TYPED_LISTS


class Step(StrEnum):
    """What a button of the form asks for; all but SAVE and BY_HAND name a rule or a template."""

    SAVE = "save"
    ADD = "add"
    REMOVE = "remove"
    UP = "up"
    DOWN = "down"
    BY_HAND = "by_hand"


class Sent(Protocol):
    """The fields of a form, several values to a name."""

    def __iter__(self) -> Iterator[str]: ...

    def get(self, key: str, default: str) -> str: ...

    def getlist(self, key: str) -> list[str]: ...


@dataclass(frozen=True)
class TypedRules:
    """The rules as typed, in the wire form, and the step; `names` are the numbers of the fields."""

    rules: list[dict[str, Any]]
    names: list[str]
    step: Step
    about: str

    def place(self) -> int | None:
        """Which rule the step is about; None when it names none that was sent."""
        return self.names.index(self.about) if self.about in self.names else None


def read(sent: Sent) -> TypedRules:
    """What was sent; InvalidRequestError for a step that does not exist."""
    names = list(dict.fromkeys(key.split("-")[1] for key in sent if _is_of_rule(key)))
    word, _, about = sent.get("do", Step.SAVE.value).partition(":")
    try:
        step = Step(word)
    except ValueError:
        raise InvalidRequestError(
            errors=[{"field": "do", "reason": "There is no such step."}]
        ) from None
    return TypedRules([_rule(sent, name) for name in names], names, step, about)


def moved(typed: TypedRules) -> list[dict[str, Any]]:
    """The rules after a step that removes or moves one; as they are when it names none."""
    rules, place = list(typed.rules), typed.place()
    if place is None:
        return rules
    if typed.step is Step.REMOVE:
        del rules[place]
    elif typed.step in {Step.UP, Step.DOWN}:
        there = max(place - 1, 0) if typed.step is Step.UP else place + 1
        rules.insert(there, rules.pop(place))
    return rules


def joined(
    rules: Sequence[Mapping[str, Any]], more: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The rules and more of them, which get names that are free."""
    found = [dict(rule) for rule in rules]
    for rule in more:
        taken = {each["name"] for each in found}
        stem = str(rule["name"])
        name = next(each for each in _names(stem) if each not in taken)
        found.append({**rule, "name": name})
    return found


def whole(rule: Mapping[str, Any]) -> dict[str, Any]:
    """The rule with every parameter, for a page that shows a field for each."""
    return {**NOTHING_SAID, **rule}


def said(rule: Mapping[str, Any]) -> frozenset[str]:
    """The parameters in which the rule says something."""
    return frozenset(name for name, value in rule.items() if value != NOTHING_SAID.get(name))


def _names(stem: str) -> Iterable[str]:
    yield stem
    for number in count(2):
        yield f"{stem[:37]}-{number}"


def _is_of_rule(key: str) -> bool:
    first, *rest = key.split("-")
    return first == "rules" and len(rest) == 2 and rest[1] in _FIELDS  # noqa: PLR2004 - number, field


def _rule(sent: Sent, name: str) -> dict[str, Any]:
    rule: dict[str, Any] = {}
    for field in NOTHING_SAID:
        values = sent.getlist(f"rules-{name}-{field}")
        rule[field] = _value(field, values)
    return rule


def _value(field: str, values: list[str]) -> Any:
    """The value as the wire has it; what it cannot have is kept for the schema to refuse."""
    if field in _TICKED:
        return [_number(value) if field == "barrier_steps" else value for value in values]
    if field in TYPED_LISTS:
        return " ".join(values).replace(",", " ").replace(";", " ").split()
    if field in FLAGS:
        return bool(values)
    typed = values[0].strip() if values else ""
    if field in NUMBERS:
        return _number(typed) if typed else None
    return typed or NOTHING_SAID[field]


def _number(typed: str) -> int | str:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= 4 else typed  # noqa: PLR2004
