"""Boards as values, for what is made of a board: pictures, files and briefings."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from uuid import UUID

from app.barriers.analysing import BarrierEffect, Line
from app.barriers.board_view import (
    BarrierView,
    BoardView,
    CorridorView,
    EffectView,
    RegisteredView,
    Row,
    Series,
    SideView,
    SignalView,
    StepView,
)
from app.barriers.documents import read_model
from app.barriers.methods.changes import Change, Rival
from app.barriers.methods.comparison import Compared
from app.barriers.methods.displacement import Displacement, Movement, Place
from app.barriers.methods.effect import Effect, Verdict
from app.barriers.methods.risk import Banded, Rank, Risk
from app.barriers.methods.series import Estimate
from app.barriers.methods.trend import Direction, Trend
from app.barriers.model import BarrierModel, Step, Wording
from app.barriers.registering import Held
from app.barriers.schema import FOLDER
from app.indicators.shared_rows import Owner
from app.small_counts import Counts

FIRST = date(2025, 11, 24)
PERIODS = [FIRST + timedelta(weeks=4 * each) for each in range(13)]
AS_OF = PERIODS[-1] + timedelta(weeks=4)
TREND = (Direction.RISING, Direction.FALLING, Direction.NOT_SHOWN, Direction.TOO_FEW)
OWNER = Owner("customs-nl", "Customs of Example", "customs", "NL")
NOT_TOLD = 4
"""The step of which no risk is told."""

_RATIOS = {
    Direction.RISING: Estimate(1.12, 1.03, 1.21),
    Direction.FALLING: Estimate(0.88, 0.8, 0.97),
    Direction.NOT_SHOWN: Estimate(1.01, 0.9, 1.1),
    Direction.TOO_FEW: None,
}
BARRIER = UUID("0197f1c2-0000-7000-8000-000000000001")


def shipped() -> BarrierModel:
    """The model that is shipped."""
    path = FOLDER / "postal-seven-steps.yml"
    return read_model(path.read_text("utf-8"), path.name)


def longer(model: BarrierModel, steps: int, title: str) -> BarrierModel:
    """The model with so many steps, all of this title in every language."""
    told = Wording(tuple((language, title) for language in model.languages))
    made = [
        replace(model.steps[number % len(model.steps)], number=number + 1, title=told)
        for number in range(steps)
    ]
    return replace(model, steps=tuple(made))


def board_view(model: BarrierModel | None = None, *, told: bool = True) -> BoardView:
    """A board with something of everything; unless `told`, one of which nothing is told."""
    document = model or shipped()
    steps = [_step(document, step, told=told) for step in document.steps]
    registered = _registered(document)
    nothing = SideView(None, None, None, None, ())
    return BoardView(
        as_of=AS_OF,
        periods=PERIODS,
        error=4.0,
        asked_others=True,
        sees_others=told,
        model=UUID(int=1),
        version=2,
        document=document,
        total=_series(1400, told=told),
        unplaced=_series(20, told=told),
        unplaced_outcomes=Counts(),
        steps=steps,
        corridors=_corridors(told=told),
        origins=[Row(("NL",), _series(300, told=told))],
        substances=[Row(("mdma",), _series(200, told=told))],
        points=[Row(("NL", "post-nl", "P-17"), _series(9, told=told))],
        own=nothing,
        others=_side(registered) if told else nothing,
        registered=[registered] if told else [],
    )


def line(number: int, steps: int = 7) -> Line:
    """What the methods say of a step, different for each."""
    value = 900.0 / number
    risk = Risk(
        Banded(Estimate(30, 20, 45), 1 + number % 5, max(1, number % 5), min(5, 2 + number % 5)),
        Banded(Estimate(3, 2, 4), 3, 2, 4),
        Estimate(value, value * 0.7, value * 1.4),
    )
    direction = TREND[number % len(TREND)]
    place = number - (number > NOT_TOLD)
    ratio = _RATIOS[direction]
    rank = Rank(place, max(1, place - 1), min(steps - 1, place + 2))
    return Line(risk, rank, Trend(direction, ratio, 0.01))


def _step(document: BarrierModel, step: Step, *, told: bool) -> StepView:
    number = step.number
    seen = 3 if told and number != 2 else 0
    signals = [
        SignalView(each.key, each.text, _series(40 - place, told=told and place < seen))
        for place, each in enumerate(step.signals)
    ]
    held = {0: Held(1, number), 1: Held(0, 1)} if told and number not in {2, 5} else {}
    barriers = [
        BarrierView(each.key, each.text, held.get(place, Held()))
        for place, each in enumerate(step.barriers)
    ]
    return StepView(
        number=number,
        key=step.key,
        title=step.title,
        summary=step.summary,
        reports=_series(100 * number, told=told and number != NOT_TOLD),
        signals=signals,
        own=None,
        others=line(number, len(document.steps)) if told and number != NOT_TOLD else None,
        outcomes=Counts(60, 50, 40, 30, 25, 15, 10) if told else Counts(),
        barriers=barriers,
        corridors=[Row(("NL", "US"), _series(50, told=told))],
        substances=[Row(("mdma",), _series(44, told=told))],
        concealments=[Row(("toy",), _series(12, told=told))],
    )


def _series(size: int, *, told: bool) -> Series:
    drawn = Random(size)  # noqa: S311 - made-up counts
    own = tuple(drawn.randrange(size // 4 + 1) if told else 0 for _ in PERIODS)
    others = tuple(size + drawn.randrange(size) if told else None for _ in PERIODS)
    return Series(own, others)


def _corridors(*, told: bool) -> Sequence[CorridorView]:
    if not told:
        return ()
    return [
        CorridorView(origin, to, _series(80 + place, told=True), (), None, found)
        for place, (origin, to, found) in enumerate(
            (("NL", "US", line(1)), ("DE", "AU", line(2)), ("NL", "*", None))
        )
    ]


def _side(registered: RegisteredView) -> SideView:
    fell = Compared("NL", 400, 200, 390.0, Estimate(0.51, 0.4, 0.7), 0.001, -0.67, 0.02)
    rose = Compared("BE", 100, 180, 101.0, Estimate(1.78, 1.3, 2.4), 0.001, 0.58, 0.02)
    found = Displacement(
        Movement.MOVED,
        [Place(fell, 0.01), Place(rose, 0.01)],
        Estimate(190, 90, 300),
        Estimate(79, 40, 120),
    )
    changes = [Change(Rival.OTHERS_MOVED, "BE", None, Estimate(1.78, 1.3, 2.4))]
    effect = BarrierEffect(str(BARRIER), Effect(Verdict.FEWER, fell, None, [rose]), changes)
    view = EffectView(registered, effect, {str(BARRIER): registered})
    return SideView(FIRST, AS_OF - timedelta(days=1), PERIODS[6], found, [view])


def _registered(document: BarrierModel) -> RegisteredView:
    barrier = document.steps[0].barriers[0]
    return RegisteredView(
        BARRIER, barrier.key, 1, barrier.text, "NL", None, PERIODS[6], None, OWNER, False, True
    )
