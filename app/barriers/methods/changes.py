"""What else changed when a barrier was set: what a person must weigh beside the figure.

A comparison can't tell a barrier from what happened at the same time at the same place. These are
the rivals that the platform knows of; it does not know all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.barriers.methods.comparison import Compared
from app.barriers.methods.series import Estimate, Window, ratio_of, shift

LEAST_CHANGE = 1.2
"""How much more (or less) a member must report than before, to be named."""

PRESENT = 0.5
"""A member counts as reporting where it reported in at least this share of the weeks."""


class Rival(StrEnum):
    """Why a figure may have changed without the barrier."""

    OTHER_BARRIER = "other_barrier"  # another barrier began or ended near in place and time
    MEMBER_BEGAN = "member_began"  # an organisation began to report
    MEMBER_STOPPED = "member_stopped"
    MEMBER_REPORTS_MORE = "member_reports_more"  # in all places, not in this one alone
    MEMBER_REPORTS_LESS = "member_reports_less"
    MODEL_CHANGED = "model_changed"  # the meaning of steps or signals
    OTHERS_MOVED = "others_moved"  # a place to compare with changed: it may be where it went


@dataclass(frozen=True, slots=True)
class Change:
    """One rival: whose (a key, a member, a place or a version), when, and how much if known."""

    rival: Rival
    whose: str
    day: date | None = None
    ratio: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A barrier as it was registered: from when to when, at which step and place; None: all."""

    key: str
    began: date
    ended: date | None = None
    step: int | None = None
    place: str | None = None


def what_else(
    barrier: Setting,
    days: tuple[date, date],
    *,
    barriers: Sequence[Setting] = (),
    versions: Mapping[str, date] | None = None,
    others: Sequence[Compared] = (),
    members: Mapping[str, Sequence[float]] | None = None,
    window: Window | None = None,
) -> list[Change]:
    """Every rival of `barrier` within `days`, first and last of the weeks that are compared.

    `versions` are those of the barrier model with the day from which each was used; `others` the
    places that were compared with; `members` the weekly counts of each organisation in all places
    together, within `window`.
    """
    found = [
        Change(Rival.OTHER_BARRIER, each.key, day)
        for each in barriers
        if each.key != barrier.key and _meets(barrier, each)
        for day in (each.began, each.ended)
        if day is not None and days[0] < day <= days[1]
    ]
    found += [
        Change(Rival.MODEL_CHANGED, version, day)
        for version, day in (versions or {}).items()
        if days[0] < day <= days[1]
    ]
    found += [
        Change(Rival.OTHERS_MOVED, each.name, None, each.ratio)
        for each in others
        if not each.ratio.low <= 1 <= each.ratio.high
    ]
    if members and window:
        found += _members(members, window)
    return found


def steady(members: Mapping[str, Sequence[float]], window: Window) -> list[str]:
    """The members that reported both before and after: a comparison counts only theirs."""
    return [
        name
        for name, weeks in members.items()
        if _present(window.before(weeks)) and _present(window.after(weeks))
    ]


def _members(members: Mapping[str, Sequence[float]], window: Window) -> list[Change]:
    found = []
    stays = steady(members, window)
    for name, weeks in members.items():
        before, after = _present(window.before(weeks)), _present(window.after(weeks))
        if before != after:
            found.append(Change(Rival.MEMBER_BEGAN if after else Rival.MEMBER_STOPPED, name))
        elif before and len(stays) > 1:
            rest = [
                sum(week) for week in zip(*(members[n] for n in stays if n != name), strict=True)
            ]
            moved = shift(weeks, rest, window)
            ratio = ratio_of(moved.value, moved.variance, moved.freedom)
            if ratio.value >= LEAST_CHANGE and ratio.low > 1:
                found.append(Change(Rival.MEMBER_REPORTS_MORE, name, None, ratio))
            elif ratio.value <= 1 / LEAST_CHANGE and ratio.high < 1:
                found.append(Change(Rival.MEMBER_REPORTS_LESS, name, None, ratio))
    return found


def _present(weeks: Sequence[float]) -> bool:
    return bool(weeks) and sum(1 for count in weeks if count) >= PRESENT * len(weeks)


def _meets(one: Setting, other: Setting) -> bool:
    """Whether both may act on the same flow. A barrier at another step of it acts on it as well."""
    return one.place is None or other.place is None or one.place == other.place
