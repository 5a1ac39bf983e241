"""The board as the interface tells it: counts as series, and what the methods say of each side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.barriers.analysing import Analysis, BarrierEffect, Line
from app.barriers.board import Board
from app.barriers.methods.comparison import Compared
from app.barriers.methods.disclosure_control import ERROR, Grain, first_day
from app.barriers.methods.displacement import Displacement
from app.barriers.showing import Told, step_gaps
from app.barriers.visible_counts import CellName, Kind

_FOUR = Grain.FOUR_WEEKS
_WITH_STEP = frozenset(
    {Kind.STEP, Kind.STEP_CORRIDOR, Kind.STEP_SUBSTANCE, Kind.STEP_CONCEALMENT, Kind.SIGNAL}
)


def board(found: Board, language: str) -> Told:
    """The whole board."""
    return {
        "as_of": found.as_of,
        "periods": [first_day(period * _FOUR) for period in found.periods],
        "error": ERROR,
        "sees_others": found.told.sees_others,
        "model": found.model,
        "version": found.version,
        "label": found.document.label(language),
        "counts": list(_series(found)),
        "own": _analysis(found.own),
        "others": _analysis(found.others),
        "outcomes": [
            {"step": step, **asdict(counts)} for step, counts in sorted(found.outcomes.items())
        ],
        "gaps": step_gaps(found.document, found.gaps, language),
    }


def _series(found: Board) -> Iterable[Told]:
    own, others = found.told.own, found.told.others
    rows = sorted({name._replace(period=0) for name in (*own, *others)})
    for row in rows:
        times = _times(row.kind, found.periods)
        names = [row._replace(period=time) for time in times]
        yield {
            "table": row.kind,
            "step": row.step if row.kind in _WITH_STEP else None,
            "words": row.words,
            "own": [own.get(name, 0) for name in names],
            "others": [_count(others, name) for name in names],
        }


def _times(kind: Kind, periods: Sequence[int]) -> Sequence[int]:
    if kind is Kind.ORIGIN_WEEK:
        return range(periods[0] * _FOUR, (periods[-1] + 1) * _FOUR)
    return periods


def _count(others: Mapping[CellName, Any], name: CellName) -> int | None:
    figure = others.get(name)
    return None if figure is None else figure.count


def _analysis(found: Analysis) -> Told:
    return {
        "since": first_day(found.periods[0] * _FOUR) if found.periods else None,
        "steps": [{"step": step, **_line(each)} for step, each in sorted(found.steps.items())],
        "corridors": [
            {"origin": words[0], "destination": words[1], **_line(each)}
            for words, each in sorted(found.corridors.items())
        ],
        "displacement": None if found.displacement is None else _displaced(found.displacement),
        "effects": [_effect(each) for each in found.effects],
    }


def _line(found: Line) -> Told:
    return {
        "likelihood": found.risk.likelihood,
        "impact": found.risk.impact,
        "expected": found.risk.expected,
        "rank": found.rank,
        "trend": found.trend,
    }


def _displaced(found: Displacement) -> Told:
    return {
        "movement": found.movement,
        "places": [{**_compared(each.compared), "changed": each.changed} for each in found.places],
        "missing": found.missing,
        "regained": found.regained,
    }


def _effect(found: BarrierEffect) -> Told:
    effect = found.effect
    return {
        "barrier": found.barrier,
        "verdict": None if effect is None else effect.verdict,
        "place": None if effect is None else _compared(effect.place),
        "changes": found.changes,
    }


def _compared(found: Compared) -> Told:
    return {
        "place": found.name,
        "before": found.before,
        "after": found.after,
        "expected": found.expected,
        "ratio": found.ratio,
    }
