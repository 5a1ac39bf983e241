"""Shapes of reports, and in which weeks somebody who sees classes in some weeks may count them.

A report is seen by its faces (app/barriers/stat_models.py). All weeks are numbers; those of a face
count from the first of its report's, so that reports of the same kind have one shape whenever they
were told.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

BETWEEN = ","
WITHIN = ":"
"""How faces are written: class, shift and ends, such as 12:0:60,13:1:60."""


class Face(NamedTuple):
    """A class, how many weeks after the first it was seen, and by which it has surely ended."""

    share_class: int
    shift: int
    ends: int


class Span(NamedTuple):
    """A class, and the first and the last week of which what was seen is visible."""

    share_class: int
    first: int
    last: int


class Weeks(NamedTuple):
    """Reports of a shape that begin in these weeks are seen, `shift` weeks later at first."""

    first: int
    last: int
    shift: int


def read(written: str) -> tuple[Face, ...]:
    """The faces of a shape."""
    return tuple(Face(*map(int, each.split(WITHIN))) for each in written.split(BETWEEN))


def lasting(faces: Iterable[Face], begins: int, oldest: int, until: int) -> list[Face]:
    """Those of a report of the week `begins` that are not too old and end after a week."""
    return [each for each in faces if begins + each.shift >= oldest and begins + each.ends > until]


def by_class(spans: Iterable[Span]) -> dict[int, tuple[tuple[int, int], ...]]:
    """The first and last weeks of each class."""
    found: dict[int, tuple[tuple[int, int], ...]] = {}
    for share_class, first, last in spans:
        found[share_class] = (*found.get(share_class, ()), (first, last))
    return found


def seen_in(
    faces: Iterable[Face], visible: Mapping[int, Sequence[tuple[int, int]]], today: int
) -> Sequence[Weeks]:
    """The weeks in which reports of a shape begin that are seen in the week `today`.

    Disjoint, in order. What ends with the week `today` or before is seen no more.
    """
    windows = tuple(
        (max(first - face.shift, today + 1 - face.ends), last - face.shift, face.shift)
        for face in faces
        for first, last in visible.get(face.share_class, ())
    )
    return _joined(windows)


# Few shapes differ in where they are seen: those of one owner's policy do so together.
@lru_cache(maxsize=4096)
def _joined(windows: tuple[tuple[int, int, int], ...]) -> Sequence[Weeks]:
    lasting = [each for each in windows if each[0] <= each[1]]
    cuts = sorted({first for first, _, _ in lasting} | {last + 1 for _, last, _ in lasting})
    found: list[Weeks] = []
    for week, past in pairwise(cuts):
        shifts = [shift for first, last, shift in lasting if first <= week <= last]
        if not shifts:
            continue
        here = Weeks(week, past - 1, min(shifts))
        before = found[-1] if found else None
        if before is not None and (before.last + 1, before.shift) == (here.first, here.shift):
            found[-1] = before._replace(last=here.last)
        else:
            found.append(here)
    return tuple(found)


def spans(
    windows: Iterable[tuple[int, int, int]], elapsed: int, oldest: int, newest: int
) -> Iterator[Span]:
    """The weeks of each class that lie in a window of ages as a whole, from `oldest` to `newest`.

    `windows` are a class, its first and its last age in days, in order; windows that follow one
    another are one. `elapsed` is how many days after that of week 0 it is today.
    """
    for share_class, youngest, eldest in _following(windows):
        first = max(oldest, -((eldest - elapsed) // _DAYS))
        last = min(newest, (elapsed - youngest - _DAYS + 1) // _DAYS)
        if first <= last:
            yield Span(share_class, first, last)


def _following(windows: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    before: tuple[int, int, int] | None = None
    for share_class, youngest, oldest in windows:
        if before is not None and (share_class, youngest) == (before[0], before[2] + 1):
            before = (share_class, before[1], oldest)
            continue
        if before is not None:
            yield before
        before = (share_class, youngest, oldest)
    if before is not None:
        yield before


_DAYS = 7
