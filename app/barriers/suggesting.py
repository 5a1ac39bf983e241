"""Suggestions: which signals a report may show, each with its reason; a person decides.

A rule is a condition over selections of coarse facts, in the language of shipping patterns'
conditions. An empty field fulfils nothing but `exists: no`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.barriers.facts import Facts
from app.barriers.words import words
from postern.patterns.model import AllOf, Condition, Named, Negated

if TYPE_CHECKING:
    from app.barriers.model import BarrierModel


@dataclass(frozen=True, slots=True)
class Wanted:
    """A field has one of the values; with none of them, that it has a value at all, or not."""

    field: str
    values: frozenset[str]
    exists: bool = True

    def holds(self, facts: Facts) -> bool:
        """Whether it holds of a report."""
        found = facts.get(self.field, frozenset())
        return bool(found & self.values) if self.values else bool(found) is self.exists


@dataclass(frozen=True, slots=True)
class NamedSelection:
    """A report is in it when all that is wanted holds."""

    name: str
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class SuggestionRule:
    """For which reports a signal is suggested."""

    selections: tuple[NamedSelection, ...]
    condition: Condition
    text: str  # the condition as it is written

    def selection(self, name: str) -> NamedSelection:
        """The selection of that name. Raises StopIteration for a name that the rule has not."""
        return next(each for each in self.selections if each.name == name)


@dataclass(frozen=True, slots=True)
class Because:
    """One fact that counted: a field, and its values that decided; none where it is empty."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A signal that a report may show, at which step, and why."""

    step: int
    signal: str
    because: tuple[Because, ...]

    def reason(self, language: str) -> str:
        """Why, as a sentence. Raises KeyError for a language that is not one of `LANGUAGES`."""
        spoken = words(language)
        told = [_told(each, language) for each in self.because]
        return spoken.say("because", facts=spoken.phrases["next"].join(told))


@dataclass(frozen=True, slots=True)
class SuggestedStep:
    """A step, and how many of its signals are suggested."""

    number: int
    signals: int


def suggestions(model: "BarrierModel", facts: Facts) -> tuple[Suggestion, ...]:
    """The signals that are suggested for a report, in the order of the model."""
    return tuple(
        Suggestion(step.number, signal.key, reasons(signal.suggest, facts))
        for step, signal in model.signals
        if signal.suggest is not None and holds(signal.suggest, facts)
    )


def suggested_steps(found: Iterable[Suggestion]) -> tuple[SuggestedStep, ...]:
    """The steps of suggestions: those with the most signals first, of equal ones the earliest."""
    counted: dict[int, int] = {}
    for each in found:
        counted[each.step] = counted.get(each.step, 0) + 1
    ordered = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
    return tuple(SuggestedStep(number, signals) for number, signals in ordered)


def holds(rule: SuggestionRule, facts: Facts) -> bool:
    """Whether a rule holds of a report."""
    return _holds(rule.condition, rule, facts)


def reasons(rule: SuggestionRule, facts: Facts) -> tuple[Because, ...]:
    """The facts that made a rule hold, each once; nothing for a rule that does not hold."""
    if not holds(rule, facts):
        return ()
    return tuple(dict.fromkeys(_reasons(rule.condition, rule, facts)))


def _holds(condition: Condition, rule: SuggestionRule, facts: Facts) -> bool:
    if isinstance(condition, Named):
        return all(each.holds(facts) for each in rule.selection(condition.name).wanted)
    if isinstance(condition, Negated):
        return not _holds(condition.part, rule, facts)
    parts = (_holds(part, rule, facts) for part in condition.parts)
    return all(parts) if isinstance(condition, AllOf) else any(parts)


def _reasons(condition: Condition, rule: SuggestionRule, facts: Facts) -> Iterator[Because]:
    """What decided a condition, whichever way: the parts that came out as the whole did."""
    outcome = _holds(condition, rule, facts)
    if isinstance(condition, Named):
        for each in rule.selection(condition.name).wanted:
            if each.holds(facts) is outcome:
                yield _because(each, facts)
        return
    parts = (condition.part,) if isinstance(condition, Negated) else condition.parts
    for part in parts:
        if isinstance(condition, Negated) or _holds(part, rule, facts) is outcome:
            yield from _reasons(part, rule, facts)


def _because(wanted: Wanted, facts: Facts) -> Because:
    found = facts.get(wanted.field, frozenset())
    return Because(wanted.field, tuple(sorted(found & wanted.values or found)))


def _told(because: Because, language: str) -> str:
    spoken = words(language)
    values = ", ".join(spoken.value(because.field, each) for each in because.values)
    return spoken.say(
        "has" if because.values else "empty",
        field=spoken.fields[because.field],
        values=values,
    )
