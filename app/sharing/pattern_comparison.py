"""What a text changes of patterns: who comes to know of which, and who gets which rule.

A pattern is known of at metadata where it may be fed or screened with, and its rule is had where it
may be screened with; what a policy gives beside that says nothing of a pattern.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.sharing.changes import Figure, PatternComparison, PatternExample, PatternReader
from app.sharing.engine import Subject
from app.sharing.readers import Bases, Group, Named
from app.sharing.tableau import Answer, places, union
from postern.vocabulary import Purpose

MOST_EXAMPLES = 3
"""Patterns that are named for one reader and purpose as gained, and as lost."""


@dataclass(frozen=True)
class Row:
    """The answers for a group and a purpose, before and after, on one or more legal bases."""

    group: Group
    purpose: Purpose
    bases: Bases
    before: Answer
    after: Answer


@dataclass(frozen=True)
class PatternAtAge:
    """A pattern in force, as policies know it today."""

    id: UUID
    title: str
    subject: Subject


def known(answer: Answer) -> int:
    """The subjects that are patterns to know of."""
    return answer.metadata & (answer.feed | answer.screen)


def screened(answer: Answer) -> int:
    """The subjects that are patterns to screen with."""
    return answer.metadata & answer.screen


def compare_patterns(
    patterns: Sequence[PatternAtAge], rows: Callable[[Sequence[Subject]], Sequence[Row]]
) -> PatternComparison:
    """Who gains and who loses which patterns; `rows` asks the two texts about subjects."""
    if not patterns:
        return PatternComparison()
    subjects = list(dict.fromkeys(each.subject for each in patterns))
    stock = _Stock(patterns, subjects)
    found = [_Given.of(row) for row in rows(subjects)]
    changing = [each for each in found if each.changed]
    return PatternComparison(
        patterns=len(patterns),
        concerned=stock.number(union(each.changed for each in changing)),
        known=stock.figure(
            union(each.known[0] for each in found), union(each.known[1] for each in found)
        ),
        screened=stock.figure(
            union(each.screened[0] for each in found), union(each.screened[1] for each in found)
        ),
        gaining=_named(each for each in changing if each.gained),
        losing=_named(each for each in changing if each.lost),
        readers=_readers(changing, stock),
    )


@dataclass(frozen=True)
class _Given:
    """What a row gives of patterns, as pairs of before and after."""

    row: Row
    known: tuple[int, int]
    screened: tuple[int, int]

    @staticmethod
    def of(row: Row) -> "_Given":
        return _Given(
            row,
            (known(row.before), known(row.after)),
            (screened(row.before), screened(row.after)),
        )

    @property
    def gained(self) -> int:
        """The subjects of which more is given than before."""
        return (self.known[1] & ~self.known[0]) | (self.screened[1] & ~self.screened[0])

    @property
    def lost(self) -> int:
        """Those of which less is given."""
        return (self.known[0] & ~self.known[1]) | (self.screened[0] & ~self.screened[1])

    @property
    def changed(self) -> int:
        return self.gained | self.lost


class _Stock:
    """Patterns by the place of their subject."""

    def __init__(self, patterns: Sequence[PatternAtAge], subjects: Sequence[Subject]) -> None:
        place = {subject: number for number, subject in enumerate(subjects)}
        self._placed = [(place[each.subject], each) for each in patterns]

    def number(self, bits: int) -> int:
        """How many patterns these subjects have."""
        held = set(places(bits))
        return sum(place in held for place, _ in self._placed)

    def figure(self, before: int, after: int) -> Figure:
        return Figure(
            before=self.number(before),
            after=self.number(after),
            gained=self.number(after & ~before),
            lost=self.number(before & ~after),
        )

    def examples(self, bits: int) -> tuple[PatternExample, ...]:
        """The first of them."""
        held = set(places(bits))
        found = [PatternExample(each.id, each.title) for at, each in self._placed if at in held]
        return tuple(found[:MOST_EXAMPLES])


def _named(given: Iterable[_Given]) -> tuple[Named, ...]:
    return tuple(sorted({named for each in given for named in each.row.group.organisations}))


def _readers(changing: Sequence[_Given], stock: _Stock) -> tuple[PatternReader, ...]:
    """Organisations with the same answers together."""
    alike: dict[tuple[object, ...], list[_Given]] = {}
    for each in changing:
        key = each.row.purpose, each.row.bases, each.known, each.screened
        alike.setdefault(key, []).append(each)
    told = [
        PatternReader(
            organisations=_named(together),
            purpose=one.row.purpose,
            bases=one.row.bases,
            known=stock.figure(*one.known),
            screened=stock.figure(*one.screened),
            gained=stock.examples(one.gained),
            lost=stock.examples(one.lost),
        )
        for together in alike.values()
        for one in together[:1]
    ]
    return tuple(sorted(told, key=_order))


def _order(reader: PatternReader) -> tuple[object, ...]:
    """Those who gain first, then as the purposes are listed."""
    purpose = list(Purpose).index(reader.purpose)
    return not reader.gained, reader.organisations, purpose, reader.bases
