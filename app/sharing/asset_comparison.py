"""What a text changes of assets: who comes to know of which pattern or barrier, and who gets all.

A pattern is known of at metadata where it may be fed or screened with, and its rule is had where it
may be screened with. A barrier is known of at metadata where it may be fed, and there is no more of
it. What a policy gives beside that says nothing of an asset.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from app.sharing.changes import AssetComparison, AssetExample, AssetReader, Figure
from app.sharing.engine import Subject
from app.sharing.readers import Bases, Group, Named
from app.sharing.tableau import Answer, places, union
from postern.vocabulary import Kind, Purpose

MOST_EXAMPLES = 3
"""Assets of a kind that are named for one reader and purpose as gained, and as lost."""


@dataclass(frozen=True)
class Row:
    """The answers for a group and a purpose, before and after, on one or more legal bases."""

    group: Group
    purpose: Purpose
    bases: Bases
    before: Answer
    after: Answer


@dataclass(frozen=True)
class AssetAtAge:
    """A pattern in force or a registered barrier, as policies know it today."""

    id: UUID
    title: str
    subject: Subject


class Giving(NamedTuple):
    """Of which subjects an answer gives that there is an asset, and of which the whole of it."""

    known: Callable[[Answer], int]
    whole: Callable[[Answer], int]


def compare_assets(
    kind: Kind,
    assets: Sequence[AssetAtAge],
    rows: Callable[[Sequence[Subject]], Sequence[Row]],
) -> AssetComparison:
    """Who gains and who loses which assets of a kind; `rows` asks the two texts about subjects."""
    if not assets:
        return AssetComparison()
    subjects = list(dict.fromkeys(each.subject for each in assets))
    stock = _Stock(assets, subjects)
    found = [_Given.of(row, GIVEN[kind]) for row in rows(subjects)]
    changing = [each for each in found if each.changed]
    return AssetComparison(
        assets=len(assets),
        concerned=stock.number(union(each.changed for each in changing)),
        known=stock.figure(
            union(each.known[0] for each in found), union(each.known[1] for each in found)
        ),
        whole=stock.figure(
            union(each.whole[0] for each in found), union(each.whole[1] for each in found)
        ),
        gaining=_named(each for each in changing if each.gained),
        losing=_named(each for each in changing if each.lost),
        readers=_readers(changing, stock),
    )


@dataclass(frozen=True)
class _Given:
    """What a row gives of assets, as pairs of before and after."""

    row: Row
    known: tuple[int, int]
    whole: tuple[int, int]

    @staticmethod
    def of(row: Row, giving: Giving) -> "_Given":
        return _Given(
            row,
            (giving.known(row.before), giving.known(row.after)),
            (giving.whole(row.before), giving.whole(row.after)),
        )

    @property
    def gained(self) -> int:
        """The subjects of which more is given than before."""
        return (self.known[1] & ~self.known[0]) | (self.whole[1] & ~self.whole[0])

    @property
    def lost(self) -> int:
        """Those of which less is given."""
        return (self.known[0] & ~self.known[1]) | (self.whole[0] & ~self.whole[1])

    @property
    def changed(self) -> int:
        return self.gained | self.lost


class _Stock:
    """Assets by the place of their subject."""

    def __init__(self, assets: Sequence[AssetAtAge], subjects: Sequence[Subject]) -> None:
        place = {subject: number for number, subject in enumerate(subjects)}
        self._placed = [(place[each.subject], each) for each in assets]

    def number(self, bits: int) -> int:
        """How many assets these subjects have."""
        held = set(places(bits))
        return sum(place in held for place, _ in self._placed)

    def figure(self, before: int, after: int) -> Figure:
        return Figure(
            before=self.number(before),
            after=self.number(after),
            gained=self.number(after & ~before),
            lost=self.number(before & ~after),
        )

    def examples(self, bits: int) -> tuple[AssetExample, ...]:
        """The first of them."""
        held = set(places(bits))
        found = [AssetExample(each.id, each.title) for at, each in self._placed if at in held]
        return tuple(found[:MOST_EXAMPLES])


def _named(given: Iterable[_Given]) -> tuple[Named, ...]:
    return tuple(sorted({named for each in given for named in each.row.group.organisations}))


def _readers(changing: Sequence[_Given], stock: _Stock) -> tuple[AssetReader, ...]:
    """Organisations with the same answers together."""
    alike: dict[tuple[object, ...], list[_Given]] = {}
    for each in changing:
        key = each.row.purpose, each.row.bases, each.known, each.whole
        alike.setdefault(key, []).append(each)
    told = [
        AssetReader(
            organisations=_named(together),
            purpose=one.row.purpose,
            bases=one.row.bases,
            known=stock.figure(*one.known),
            whole=stock.figure(*one.whole),
            gained=stock.examples(one.gained),
            lost=stock.examples(one.lost),
        )
        for together in alike.values()
        for one in together[:1]
    ]
    return tuple(sorted(told, key=_order))


def _order(reader: AssetReader) -> tuple[object, ...]:
    """Those who gain first, then as the purposes are listed."""
    purpose = list(Purpose).index(reader.purpose)
    return not reader.gained, reader.organisations, purpose, reader.bases


def _listed(answer: Answer) -> int:
    return answer.metadata & answer.feed


def _screened(answer: Answer) -> int:
    return answer.metadata & answer.screen


def _listed_or_screened(answer: Answer) -> int:
    return answer.metadata & (answer.feed | answer.screen)


GIVEN: Mapping[Kind, Giving] = {
    Kind.PATTERN: Giving(known=_listed_or_screened, whole=_screened),
    Kind.BARRIER: Giving(known=_listed, whole=_listed),
}
"""The kinds of assets, and what answers give of each."""
