"""Comparing two policies of one owner: every possible reader, every record, each asked for once."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter

from app.sharing import readers
from app.sharing.asset_comparison import AssetAtAge, Row, compare_assets
from app.sharing.changes import Change, Compared, Comparison, Example, Figure, Figures, ReaderChange
from app.sharing.distinctions import Distinctions
from app.sharing.engine import Subject
from app.sharing.policy_text import Policy, platform_policies
from app.sharing.readers import Access, Bases, Group, Named
from app.sharing.seats import Member, Seat
from app.sharing.tableau import MOST_PAIRS, Answer, Tableau, places, union
from app.sharing.visibility import ClassCount
from postern.vocabulary import Action, Kind, LegalBasis, Purpose


@dataclass
class Stocked:
    """A class at an age, and how many live indicators it has."""

    subject: Subject
    counted: ClassCount | None = None

    @property
    def count(self) -> int:
        """How many they are."""
        return self.counted.count if self.counted else 0


@dataclass(frozen=True)
class World:
    """All that a comparison rests on beside the two texts; `assets` has both kinds."""

    owner: Member
    readable: Sequence[tuple[Named, Member]]
    stock: Sequence[Stocked]
    examples: Callable[[Iterable[ClassCount]], tuple[Example, ...]]
    assets: Mapping[Kind, Sequence[AssetAtAge]]


def compare(
    world: World, before: Sequence[Policy], after: Sequence[Policy], against: Compared
) -> Comparison:
    """Who gains and who loses what when `after` takes the place of `before`.

    PolicyRefusedError when `after` is too intricate to be compared.
    """
    groups = readers.groups(
        Distinctions((*platform_policies(), *before, *after)), world.owner, world.readable
    )
    seats = readers.seats(groups)

    def rows(subjects: Sequence[Subject]) -> list[Row]:
        tableau = Tableau(world.owner, seats, subjects)
        answers = tableau.answers(before), tableau.answers(after, MOST_PAIRS)
        return _rows(groups, zip(seats, *answers, strict=True))

    found = _Found(
        rows([each.subject for each in world.stock]), [each.count for each in world.stock]
    )
    telling = _Telling(found, world, before, after)
    return Comparison(
        against=against,
        indicators=sum(found.counts),
        concerned=found.concerned,
        shared=found.shared,
        gaining=found.where(lambda row: found.figures(row).gains),
        losing=found.where(lambda row: found.figures(row).loses),
        new_readers=tuple(sorted(found.seeing_after - found.seeing_before)),
        lost_readers=tuple(sorted(found.seeing_before - found.seeing_after)),
        readers=telling.readers(),
        passing_on_differs=_about_onward(before) != _about_onward(after),
        patterns=compare_assets(Kind.PATTERN, world.assets[Kind.PATTERN], rows),
        barriers=compare_assets(Kind.BARRIER, world.assets[Kind.BARRIER], rows),
    )


def _rows(
    groups: Iterable[Group], answers: Iterable[tuple[Seat, Answer | None, Answer | None]]
) -> list[Row]:
    """Legal bases with the same answers stand together; where nothing is given there is no row."""
    alike: dict[tuple[Member, Purpose], dict[tuple[Answer, Answer], list[LegalBasis]]] = {}
    for seat, before, after in answers:
        if before and after:
            of_purpose = alike.setdefault((seat.member, seat.purpose), {})
            of_purpose.setdefault((before, after), []).append(seat.legal_basis)
    by_member = {group.member: group for group in groups}
    return [
        Row(by_member[member], purpose, readers.told_bases(bases, usable), before, after)
        for (member, purpose), found in alike.items()
        for usable in [[basis for bases in found.values() for basis in bases]]
        for (before, after), bases in found.items()
        if not (before.is_nothing and after.is_nothing)
    ]


_GIVEN: Sequence[Callable[[Answer], int]] = (
    attrgetter("presence"),
    attrgetter("metadata"),
    attrgetter("request"),
    attrgetter("screen"),
    attrgetter("feed"),
    lambda answer: answer.presence & answer.tells,
    attrgetter("alerts"),
    lambda answer: answer.presence & ~answer.tells,
)
"""The subjects that have each of the things counted in Figures, in the order of its fields."""


class _Found:
    """The rows of a comparison and what they come to in numbers of live indicators."""

    def __init__(self, rows: Sequence[Row], counts: Sequence[int]) -> None:
        self.rows = rows
        self.counts = counts
        self._pairs = {(row.before, row.after) for row in rows}
        self._figures: dict[tuple[Answer, Answer], Figures] = {}
        self._numbers: dict[int, int] = {}

    def number(self, bits: int) -> int:
        """How many live indicators these subjects have."""
        if bits not in self._numbers:
            self._numbers[bits] = sum(self.counts[place] for place in places(bits))
        return self._numbers[bits]

    def figures(self, row: Row) -> Figures:
        """Those of one row."""
        key = row.before, row.after
        if key not in self._figures:
            self._figures[key] = Figures(
                *(self._figure(given(row.before), given(row.after)) for given in _GIVEN)
            )
        return self._figures[key]

    def where(self, condition: Callable[[Row], bool]) -> tuple[Named, ...]:
        """The organisations that have a row which meets the condition, in order."""
        found = {each for row in self.rows if condition(row) for each in row.group.organisations}
        return tuple(sorted(found))

    @cached_property
    def seeing_before(self) -> frozenset[Named]:
        """Those who see a live indicator, for whatever purpose."""
        return frozenset(self.where(lambda row: bool(self.number(row.before.presence))))

    @cached_property
    def seeing_after(self) -> frozenset[Named]:
        """Those who would see one."""
        return frozenset(self.where(lambda row: bool(self.number(row.after.presence))))

    @property
    def concerned(self) -> int:
        """How many live indicators somebody gets otherwise than before."""
        return self.number(union(changed(before, after) for before, after in self._pairs))

    @property
    def shared(self) -> Figures:
        """An indicator counts once, when anybody at all gets it."""
        return Figures(
            *(
                self._figure(
                    union(given(before) for before, _ in self._pairs),
                    union(given(after) for _, after in self._pairs),
                )
                for given in _GIVEN
            )
        )

    def _figure(self, before: int, after: int) -> Figure:
        return Figure(
            before=self.number(before),
            after=self.number(after),
            gained=self.number(after & ~before),
            lost=self.number(before & ~after),
        )


class _Telling:
    """The rows of a comparison as people are told of them."""

    def __init__(
        self, found: _Found, world: World, before: Sequence[Policy], after: Sequence[Policy]
    ) -> None:
        self._found = found
        self._world = world
        self._before = before
        self._after = after
        self._live = sum(1 << place for place, count in enumerate(found.counts) if count)
        self._changes: dict[tuple[Answer, Answer], tuple[Change, ...]] = {}

    def readers(self) -> tuple[ReaderChange, ...]:
        """Organisations with the same answers together."""
        found = self._found
        new = found.seeing_after - found.seeing_before
        alike: dict[tuple[bool, Purpose, Bases, Answer, Answer], list[Row]] = {}
        for row in found.rows:
            is_new = row.group.organisations[0] in new
            key = is_new, row.purpose, row.bases, row.before, row.after
            alike.setdefault(key, []).append(row)
        told = [
            ReaderChange(
                organisations=tuple(sorted(n for row in rows for n in row.group.organisations)),
                purpose=purpose,
                bases=bases,
                is_new=is_new,
                figures=found.figures(rows[0]),
                changes=self._changed(before, after),
            )
            for (is_new, purpose, bases, before, after), rows in alike.items()
        ]
        return tuple(sorted(told, key=_order))

    def _changed(self, before: Answer, after: Answer) -> tuple[Change, ...]:
        if (before, after) not in self._changes:
            changes = [
                self._change(before, after, bits)
                for bits in _alike(changed(before, after), _numbers(before) + _numbers(after))
            ]
            changes.sort(key=lambda each: (-each.count, each.before.rank, each.after.rank))
            self._changes[before, after] = tuple(changes)
        return self._changes[before, after]

    def _change(self, before: Answer, after: Answer, bits: int) -> Change:
        place = next(places(bits))
        # Of classes without a record nothing is told where others have one.
        told = bits & self._live or bits
        counted = [self._world.stock[each].counted for each in places(bits & self._live)]
        return Change(
            before=Access.of(before.ruling(place)),
            after=Access.of(after.ruling(place)),
            count=self._found.number(bits),
            examples=self._world.examples(each for each in counted if each),
            rules_before=readers.rules(before.rules(told), self._before),
            rules_after=readers.rules(after.rules(told), self._after),
        )


def changed(before: Answer, after: Answer) -> int:
    """The subjects of which something else is given than before."""
    pairs = zip(_numbers(before), _numbers(after), strict=True)
    return union(old ^ new for old, new in pairs)


def _numbers(answer: Answer) -> tuple[int, ...]:
    return tuple(given(answer) for given in _GIVEN)


def _alike(bits: int, numbers: Iterable[int]) -> list[int]:
    """The subjects in parts, of which each number has all or none."""
    parts = [bits]
    for number in numbers:
        parts = [half for part in parts for half in (part & number, part & ~number) if half]
    return [part for part in parts if part]


def _order(change: ReaderChange) -> tuple[object, ...]:
    """New readers, then those who gain, then other changes, then what stays."""
    figures = change.figures
    gained = figures.presence.gained + figures.metadata.gained + figures.request.gained
    return (
        not change.is_new,
        not figures.gains,
        not change.changes,
        -gained,
        change.organisations,
        list(Purpose).index(change.purpose),
        change.bases,
    )


def _about_onward(policies: Iterable[Policy]) -> list[str]:
    """The policies about passing on, without their names and labels."""
    return sorted(
        json.dumps({**policy.tree, "annotations": {}}, sort_keys=True)
        for policy in policies
        if Action.ONWARD in policy.actions()
    )
