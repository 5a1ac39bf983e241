"""What a board shows, arranged as people read it: by step, corridor, place and barrier.

Plain values with the wordings of the model; no language is chosen and no HTML made. The page, the
picture and the briefing are all made of this, so that they say the same figures. It holds nothing
that `board.Board` does not: one's own exactly, and of others what was told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from app.barriers.analysing import BarrierEffect, Line
from app.barriers.methods.disclosure_control import Grain
from app.barriers.methods.displacement import Displacement
from app.barriers.methods.outcomes import Share, shares
from app.barriers.model import BarrierModel, Wording
from app.barriers.registering import Held
from app.barriers.visible_counts import ELSEWHERE
from app.indicators.shared_rows import Owner
from app.small_counts import Counts

NOT_TOLD = ""
"""The word of a country, substance or concealment that reports do not tell."""

Words = tuple[str, ...]


class SideName(StrEnum):
    """Whose reports a figure is of. The two are never added up: the sum would betray a part."""

    OTHERS = "others"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Series:
    """Reports of one row in the periods of the board, the oldest first; None: not told."""

    own: tuple[int, ...]
    others: tuple[int | None, ...]

    @property
    def own_last(self) -> int:
        """One's own in the last four weeks."""
        return self.own[-1]

    @property
    def others_last(self) -> int | None:
        """Of others in the last four weeks; None: not told."""
        return self.others[-1]

    @property
    def own_year(self) -> int:
        """One's own in all the periods."""
        return sum(self.own)

    @property
    def others_year(self) -> int | None:
        """Those of others that are told, added up; None where none is."""
        told = [each for each in self.others if each is not None]
        return sum(told) if told else None

    @property
    def untold(self) -> int:
        """In how many of the periods nothing is told of others."""
        return self.others.count(None)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing of one's own, and of others nothing is told."""
        return not self.own_year and self.others_year is None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: what it counts by, as codes of the vocabulary, and its reports."""

    words: Words
    series: Series


@dataclass(frozen=True, slots=True)
class SignalView:
    """A signal of the model, and reports that a person tagged with it. `text` None: another's."""

    key: str
    text: Wording | None
    series: Series


@dataclass(frozen=True, slots=True)
class BarrierView:
    """A barrier of the model at a step: how many of it hold, one's own and others'."""

    key: str
    text: Wording
    held: Held

    @property
    def in_place(self) -> bool:
        """Whether any holds that one may know of."""
        return bool(self.held.own or self.held.others)


@dataclass(frozen=True, slots=True)
class StepView:
    """A step with all that the board says of it. `own` and `others` are what the methods say.

    None: too little is told for it. `outcomes` are of one's own reports.
    """

    number: int
    key: str
    title: Wording
    summary: Wording
    reports: Series
    signals: Sequence[SignalView]  # those that were seen first, then the others of the model
    own: Line | None
    others: Line | None
    outcomes: Counts
    barriers: Sequence[BarrierView]
    corridors: Sequence[Row]
    substances: Sequence[Row]
    concealments: Sequence[Row]

    @property
    def is_gap(self) -> bool:
        """Whether no barrier that one may know of holds here. It does not say there is none."""
        return not self.in_place

    @property
    def in_place(self) -> list[BarrierView]:
        """The barriers of the model that hold here."""
        return [each for each in self.barriers if each.in_place]

    @property
    def seen(self) -> list[SignalView]:
        """The signals that reports were tagged with."""
        return [each for each in self.signals if not each.series.is_empty]

    @property
    def shares(self) -> list[Share]:
        """Each step of the outcomes as a share of the one before; small numbers are not told."""
        return shares(self.outcomes)

    def line(self, side: SideName) -> Line | None:
        """What the methods say of one side."""
        return self.own if side == SideName.OWN else self.others


@dataclass(frozen=True, slots=True)
class CorridorView:
    """An origin and a destination, or `ELSEWHERE` for all others of the origin."""

    origin: str
    destination: str
    reports: Series
    substances: Sequence[Row]
    own: Line | None
    others: Line | None

    @property
    def is_rest(self) -> bool:
        """Whether it adds up the small corridors of its origin."""
        return self.destination == ELSEWHERE

    def line(self, side: SideName) -> Line | None:
        """What the methods say of one side."""
        return self.own if side == SideName.OWN else self.others


@dataclass(frozen=True, slots=True)
class RegisteredView:
    """A registered barrier: which, where, from when to when, and whose.

    Without a country it holds everywhere. `ended`: it does not hold on the day of the board.
    """

    id: UUID
    key: str
    step: int
    text: Wording
    country: str | None
    point: Words | None  # country, operator and code
    from_day: date
    to_day: date | None
    owner: Owner
    is_own: bool
    holds: bool


@dataclass(frozen=True, slots=True)
class EffectView:
    """What happened where a barrier was set. `found.changes` are told by their keys.

    `others` are the registered barriers that those keys name.
    """

    barrier: RegisteredView
    found: BarrierEffect
    others: Mapping[str, RegisteredView]


@dataclass(frozen=True, slots=True)
class SideView:
    """What the methods say of one side beside its steps and corridors.

    `since` and `until` are the first and last day that could be compared; None: nothing could.
    `changed` is the day before and after which countries are compared.
    """

    since: date | None
    until: date | None
    changed: date | None
    displacement: Displacement | None
    effects: Sequence[EffectView]


@dataclass(frozen=True, slots=True)
class BoardView:
    """The whole board. `asked_others`: a purpose was given; `sees_others`: any may be counted.

    `periods` are the first days of its fours of weeks. `unplaced` are reports without a step, or
    of one that the model has not.
    """

    as_of: date
    periods: Sequence[date]
    error: float  # a told count of others is within this of the true one, in 95 of 100 cases
    asked_others: bool
    sees_others: bool
    model: UUID
    version: int
    document: BarrierModel  # with `label(language)`, `title`, `statement` and `status`
    total: Series
    unplaced: Series
    steps: Sequence[StepView]
    corridors: Sequence[CorridorView]
    origins: Sequence[Row]
    substances: Sequence[Row]
    points: Sequence[Row]  # country, operator and code
    own: SideView
    others: SideView
    registered: Sequence[RegisteredView]
    unplaced_outcomes: Counts  # of one's own reports that have no step

    @property
    def side(self) -> SideName:
        """Whose risk the picture shows: of others if any of it is told, else one's own."""
        has_others = any(each.others for each in self.steps)
        return SideName.OTHERS if has_others else SideName.OWN

    @property
    def last_day(self) -> date:
        """The last day of the last four weeks that are counted."""
        return self.periods[-1] + timedelta(weeks=Grain.FOUR_WEEKS, days=-1)

    @property
    def gaps(self) -> list[StepView]:
        """The steps at which nothing holds that one may know of."""
        return [each for each in self.steps if each.is_gap]

    @property
    def unplaced_shares(self) -> list[Share]:
        """As the shares of a step."""
        return shares(self.unplaced_outcomes)

    def of(self, side: SideName) -> SideView:
        """What the methods say of one side."""
        return self.own if side == SideName.OWN else self.others
