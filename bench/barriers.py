"""What the methods of the barrier model find of what was planted, and say where nothing was.

    python -m bench.barriers [--years 100] [--seed 1]

Years are made up (app/demo/barrier_year.py): ordinary, restless, or with each origin changing for
good by itself. Nothing is planted in them, or a barrier that takes away a part of one origin's
flow, or a part of one origin's flow moves to three others. In years without anything every
finding is a false alarm; beside ours stand four simpler methods on the same counts. Then the same
on counts as the board tells them (with noise, in four weeks where weeks are too small), and what
attacks gain from such counts (bench/barrier_attacks.py). The last line is one JSON object.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import exp, log, sqrt
from random import Random
from typing import Any

from app.barriers.methods.changes import steady
from app.barriers.methods.comparison import TooFewSeriesError
from app.barriers.methods.disclosure_control import Figure, Grain, Part, figure, finest
from app.barriers.methods.displacement import Displacement, Movement, displacement
from app.barriers.methods.distributions import quantile, two_sided
from app.barriers.methods.effect import Verdict, alone, effect
from app.barriers.methods.noise import KEY_BITS
from app.barriers.methods.series import Window, probability, shift
from app.demo.barrier_year import (
    BARRED,
    BARRIER_AT,
    DISPLACED_AT,
    FALLING,
    ORDINARY,
    PUBLISHED,
    RESTLESS,
    RISING,
    STEPPING,
    WEEKS,
    Climate,
    Plan,
    Year,
    year,
)
from bench.barrier_attacks import averaging, in_worlds, membership, watching
from bench.machine import machine

Series = dict[str, list[float]]

CLIMATES: Mapping[str, Climate] = {
    "ordinary": ORDINARY,
    "restless": RESTLESS,
    "stepping": STEPPING,
}
BARRIER = Window(BARRIER_AT - 24, BARRIER_AT, WEEKS)
MOVE = Window(0, DISPLACED_AT, WEEKS)
NEIGHBOURS = {"neighbours": RISING}
NOMINAL = 0.05
SIZES = (0.2, 0.3, 0.4, 0.5, 0.6)


def main() -> None:
    """Measure, print tables and, as the last line, the JSON object."""
    parser = argparse.ArgumentParser(description="Power and false alarms of the barrier methods.")
    parser.add_argument("--years", type=int, default=100, help="years of each kind")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    figures: dict[str, Any] = {
        name: of_climate(climate, asked.years, asked.seed) for name, climate in CLIMATES.items()
    }
    figures["attacks"] = attacks(asked.seed)
    figures["published_fall"] = published_fall()
    figures["years"] = asked.years
    figures["machine"] = machine()
    _tell(figures)
    print(json.dumps(figures))


def of_climate(climate: Climate, years: int, seed: int) -> dict[str, Any]:
    """False alarms of years without plants, and of each size of plant how often it is found."""
    return {
        "false_alarms": false_alarms(climate, years, seed),
        "barrier_found": {
            str(size): barrier_found(climate, years, seed, size) for size in SIZES[:-1]
        },
        "displacement_found": {
            str(size): displacement_found(climate, years, seed, size) for size in SIZES[2:]
        },
        "barrier_taken_for_displacement": taken_for_move(climate, years, seed),
    }


def false_alarms(climate: Climate, years: int, seed: int) -> dict[str, float]:
    """Shares of years (of places and years, for effects) in which something is found."""
    count: Counter[str] = Counter()
    tried = 0
    for number in range(years):
        made = year(Plan(seed * 1_000_000 + number, climate=climate))
        exact, board, grain = series_of(made, MOVE)
        for name, found in moves(exact, board, grain).items():
            count[name] += found is not None and found.movement is Movement.MOVED
        count["any place, all places"] += any(
            place.changed for place in displacement(exact, MOVE).places
        )
        exact, board, grain = series_of(made, BARRIER)
        for place in (BARRED, FALLING, "PL"):
            tried += 1
            for name, says in _effects(exact, board, grain).items():
                count[name] += says(place)
    return {
        name: round(n / (tried if name.startswith("effect") else years), 4)
        for name, n in sorted(count.items())
    }


def barrier_found(climate: Climate, years: int, seed: int, size: float) -> dict[str, float]:
    """How often the barrier is found, how often its interval holds the truth, the mean estimate."""
    count: Counter[str] = Counter()
    estimates = []
    for number in range(years):
        plan = Plan(seed * 1_000_000 + number, climate=climate, barred=size)
        exact, board, grain = series_of(year(plan), BARRIER)
        found = effect(exact, BARRED, BARRIER)
        count["found"] += found.verdict is Verdict.FEWER
        count["drifting"] += found.verdict is Verdict.DRIFTING
        count["covered"] += found.place.ratio.low <= 1 - size <= found.place.ratio.high
        count["found, counts as told"] += _board_effect(board, grain, BARRED) is Verdict.FEWER
        hint = alone(exact[BARRED], BARRIER)
        count["found by an interrupted series alone"] += (
            hint.probability < NOMINAL and hint.ratio.value < 1
        )
        estimates.append(log(found.place.ratio.value))
    shares = {name: round(n / years, 4) for name, n in count.items()}
    bias = sum(estimates) / years - log(1 - size)
    return shares | {"bias_of_log_ratio": round(bias, 4)}


def displacement_found(climate: Climate, years: int, seed: int, size: float) -> dict[str, float]:
    """How often it is said that something moved, from the right place to a right one."""
    count: Counter[str] = Counter()
    for number in range(years):
        plan = Plan(seed * 1_000_000 + number, climate=climate, displaced=size)
        exact, board, grain = series_of(year(plan), MOVE)
        for name, found in moves(exact, board, grain).items():
            count[name] += found is not None and _right(found)
        count["fall alone"] += any(
            each.compared.name == FALLING for each in displacement(exact, MOVE).falls
        )
    return {name: round(n / years, 4) for name, n in count.items()}


def taken_for_move(climate: Climate, years: int, seed: int) -> dict[str, float]:
    """How often a barrier that displaced nothing is said to have moved something."""
    count: Counter[str] = Counter()
    for number in range(years):
        plan = Plan(seed * 1_000_000 + number, climate=climate, barred=0.4)
        exact, board, grain = series_of(year(plan), BARRIER)
        for name, found in moves(exact, board, grain, BARRIER).items():
            count[name] += found is not None and found.movement is Movement.MOVED
    return {name: round(n / years, 4) for name, n in count.items()}


def moves(
    exact: Series, board: Series, grain: Grain, window: Window = MOVE
) -> dict[str, Displacement | None]:
    """What is said of all places, of the expected neighbours as one, and of counts as told."""
    coarse = in_grain(window, grain)
    return {
        "moved, all places": displacement(exact, window),
        "moved, neighbours as one": displacement(exact, window, together=NEIGHBOURS),
        "moved, neighbours as one, counts as told": _or_none(
            lambda: displacement(board, coarse, together=NEIGHBOURS)
        ),
    }


def series_of(made: Year, window: Window) -> tuple[Series, Series, Grain]:
    """Weekly counts of each origin by steady members, and the same as a board tells them."""
    exact = {
        origin: [float(each) for each in weeks]
        for origin, weeks in made.by_origin(steady(made.by_owner, window)).items()
    }
    drawn = Random(f"{made.plan.seed} keys")  # noqa: S311 - made-up records
    grains = {grain: _told(exact, grain, drawn) for grain in (Grain.WEEK, Grain.FOUR_WEEKS)}
    grain, board = finest(grains)
    return exact, board, grain


def in_grain(window: Window, grain: Grain) -> Window:
    """The same window, counted in longer periods; its ends must be theirs."""
    return Window(window.start // grain, window.first_after // grain, window.end // grain)


def published_fall() -> dict[str, float]:
    """The Dutch fall of 2024 as a ratio with the interval of independent counts, and that of 2023.

    That interval is far too narrow (all figures above say so), what rose elsewhere was not
    published in numbers, and the fall had begun before the team did: no method can tell from these
    figures what the team did, or what moved.
    """
    first, before, after = (
        PUBLISHED[f"postal items with drugs, NL customs, {each}"].value
        for each in (2022, 2023, 2024)
    )
    reach = quantile() * sqrt(1 / before + 1 / after)
    return {
        "ratio_2024_to_2023": round(after / before, 4),
        "low_if_independent": round(after / before * exp(-reach), 4),
        "high_if_independent": round(after / before * exp(reach), 4),
        "ratio_2023_to_2022": round(before / first, 4),
    }


def attacks(seed: int) -> dict[str, Any]:
    """What attacks gain, on one made-up year of about 5,000 reports."""
    reports = list(year(Plan(seed, scale=0.1)).reports())
    averaged, watched = averaging(reports), watching(reports, "LU")
    computed = in_worlds(reports)
    return {
        "error_of_a_told_count": round(averaged.told, 3),
        "error_after_averaging": round(averaged.averaged, 3),
        "sums_averaged": round(averaged.views, 1),
        "membership_right": {str(views): round(membership(views), 3) for views in (1, 10, 55)},
        "weekly_error_by_running_totals": round(watched.weekly_error, 3),
        "weekly_error_by_guessing": round(watched.guessing_error, 3),
        "arrivals_seen_if_live": round(watched.arrivals_seen_live, 3),
        "arrivals_seen_by_weekly_totals": round(watched.arrivals_seen_closed, 3),
        "operator_cells": computed.cells,
        "operator_cells_told": computed.told,
        "betraying_cells": computed.betraying,
        "betraying_cells_computable_without_complements": computed.computable_naive,
        "betraying_cells_computable": computed.computable,
    }


def _effects(exact: Series, board: Series, grain: Grain) -> dict[str, Callable[[str], bool]]:
    return {
        "effect, ours": lambda place: (
            effect(exact, place, BARRIER).verdict in {Verdict.FEWER, Verdict.MORE}
        ),
        "effect, ours, counts as told": lambda place: (
            _board_effect(board, grain, place) in {Verdict.FEWER, Verdict.MORE}
        ),
        "effect, before and after alone": lambda place: _poisson(exact[place]) < NOMINAL,
        "effect, interrupted series alone": lambda place: (
            alone(exact[place], BARRIER).probability < NOMINAL
        ),
        "effect, others as independent counts": lambda place: (
            _against(exact, place, memory=False) < NOMINAL
        ),
        "effect, others with memory of weeks": lambda place: (
            _against(exact, place, memory=True) < NOMINAL
        ),
    }


def _board_effect(board: Series, grain: Grain, place: str) -> Verdict | None:
    found = _or_none(lambda: effect(board, place, in_grain(BARRIER, grain)))
    return None if found is None else found.verdict


def _poisson(weeks: Sequence[float]) -> float:
    before, after = sum(BARRIER.before(weeks)), sum(BARRIER.after(weeks))
    return two_sided(log(after / before) / sqrt(1 / before + 1 / after))


def _against(exact: Series, place: str, *, memory: bool) -> float:
    others = [sum(week) for week in zip(*(w for n, w in exact.items() if n != place), strict=True)]
    found = shift(exact[place], others, BARRIER)
    if memory:
        return probability(found.value, found.variance, found.freedom)
    parts = (BARRIER.before, BARRIER.after)
    variance = sum(1 / sum(part(weeks)) for part in parts for weeks in (exact[place], others))
    return two_sided(found.value / sqrt(variance))


def _told(exact: Series, grain: Grain, drawn: Random) -> dict[str, list[Figure | None]]:
    return {
        origin: [
            figure({"others": Part(int(sum(weeks[at : at + grain])), drawn.getrandbits(KEY_BITS))})
            for at in range(0, len(weeks), grain)
        ]
        for origin, weeks in exact.items()
    }


def _right(found: Displacement) -> bool:
    fell = {each.compared.name for each in found.falls}
    rose = {each.compared.name for each in found.rises}
    return FALLING in fell and bool(rose & {*RISING, *NEIGHBOURS})


def _or_none(asked: Callable[[], Any]) -> Any:
    try:
        return asked()
    except (TooFewSeriesError, KeyError):
        return None


def _tell(figures: Mapping[str, Any]) -> None:
    for name in CLIMATES:
        print(f"\n{name} years")
        for part, shares in figures[name].items():
            print(f"  {part}")
            for what, share in shares.items():
                print(f"    {what}: {share}")
    for part in ("attacks", "published_fall"):
        print(f"\n{part}")
        for what, found in figures[part].items():
            print(f"  {what}: {found}")


if __name__ == "__main__":
    main()
