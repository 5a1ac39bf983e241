"""Whether something moved: places that fell and places that rose, against the typical place.

The question is that of the published Dutch fall (16,500 postal items with drugs in 2023, 13,700 in
2024, "displaced to Belgium, Germany and France" after HARP): one country alone can't answer it, the
same fall is a success or a move. Here a fall and a rise must both stand out beyond what places
differ by themselves, with the chance of any false one held (Holm). What is found is
consistent with a move; that the same people moved is for investigation to show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.barriers.methods.comparison import Compared, Series, compared
from app.barriers.methods.distributions import any_false
from app.barriers.methods.series import Estimate, Window

DOUBT = 0.05
"""The chance that any place is said to have changed, where none did."""


class Movement(StrEnum):
    """What a comparison of all places says."""

    MOVED = "moved"  # at least one fell and at least one rose
    FELL = "fell"  # at least one fell, and no rise stands out
    ROSE = "rose"
    NOTHING_SEEN = "nothing_seen"  # that is not "nothing happened": see the intervals


@dataclass(frozen=True, slots=True)
class Place:
    """One place against the typical one; `corrected` is its probability among so many."""

    compared: Compared
    corrected: float

    @property
    def changed(self) -> bool:
        return self.corrected < DOUBT


@dataclass(frozen=True, slots=True)
class Displacement:
    """What moved from where to where, as far as counts can say it.

    `missing` is how many fewer there are where it fell, than if those had gone as the typical
    place; `regained` how many more where it rose. Both are None where nothing fell or rose.
    """

    movement: Movement
    places: Sequence[Place]  # all, the strongest fall first
    missing: Estimate | None
    regained: Estimate | None

    @property
    def falls(self) -> list[Place]:
        return [each for each in self.places if each.changed and each.compared.shift < 0]

    @property
    def rises(self) -> list[Place]:
        return [each for each in reversed(self.places) if each.changed and each.compared.shift > 0]


def displacement(
    series: Series, window: Window, *, together: Mapping[str, Sequence[str]] | None = None
) -> Displacement:
    """The places of `series` before and after.

    `together` names places that are looked at as one, such as the neighbours that a move was
    expected to go to *before* the counts were seen: rises that are too small to stand out alone
    can stand out together. They are corrected for being many among themselves only, which is why
    they must have been named before. Raises TooFewSeriesError.
    """
    groups = together or {}
    found = compared(merged(series, groups), window)
    families = (
        [each for each in found if each.name not in groups],
        [each for each in found if each.name in groups],
    )
    places = sorted(
        (
            Place(each, chance)
            for family in families
            for each, chance in zip(
                family, any_false([each.probability for each in family]), strict=True
            )
        ),
        key=lambda place: place.compared.shift,
    )
    falls = [each for each in places if each.changed and each.compared.shift < 0]
    rises = [each for each in places if each.changed and each.compared.shift > 0]
    return Displacement(
        _movement(bool(falls), bool(rises)),
        places,
        _difference(falls, -1) if falls else None,
        _difference(rises, 1) if rises else None,
    )


def merged(series: Series, together: Mapping[str, Sequence[str]]) -> Series:
    """The series with each group of `together` added up in one, under the name of the group."""
    grouped = {name for names in together.values() for name in names}
    alone = {name: weeks for name, weeks in series.items() if name not in grouped}
    groups = {
        group: [sum(week) for week in zip(*(series[name] for name in names), strict=True)]
        for group, names in together.items()
    }
    return alone | groups


def _movement(fell: bool, rose: bool) -> Movement:
    if fell and rose:
        return Movement.MOVED
    if fell:
        return Movement.FELL
    return Movement.ROSE if rose else Movement.NOTHING_SEEN


def _difference(places: Sequence[Place], sign: int) -> Estimate:
    """How many more (1) or fewer (-1) than expected, all of them together.

    The typical place is common to all of them, so that their errors are taken as going together:
    the interval is wide rather than narrow.
    """
    value = low = high = 0.0
    for place in places:
        each = place.compared
        value += sign * (each.after - each.expected)
        bounds = each.ratio.low, each.ratio.high
        ends = [sign * (each.after - each.after / ratio) for ratio in bounds]
        low, high = low + min(ends), high + max(ends)
    return Estimate(value, low, high)
