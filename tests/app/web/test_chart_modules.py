"""The parts of charts that need no browser: marks of time, places of a graph, the antimeridian."""

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from math import dist
from pathlib import Path
from typing import Any

REHEARSAL = Path(__file__).with_name("chart_rehearsal.mjs")
START = datetime(2026, 1, 30, 7, 12, tzinfo=UTC)

Spot = list[float]


def asked(*questions: tuple[Any, ...]) -> list[Any]:
    """What the modules answer to each (name of the function, its arguments)."""
    node = shutil.which("node")
    assert node, "No Node.js found: run `make node`."
    done = subprocess.run(
        [node, str(REHEARSAL)],
        input=json.dumps(questions),
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    answers: list[Any] = json.loads(done.stdout)
    return answers


def test_marks_of_time_are_few_even_and_on_round_moments() -> None:
    spans = [timedelta(hours=5), timedelta(days=1), timedelta(days=12), timedelta(days=60)]
    spans += [timedelta(days=days) for days in (200, 800, 4000, 20000)]
    ends = [(START, START + span) for span in spans]
    answers = asked(
        *(
            ("marksBetween", int(a.timestamp() * 1000), int(b.timestamp() * 1000), 8)
            for a, b in ends
        )
    )
    for (first, last), marks in zip(ends, answers, strict=True):
        moments = [datetime.fromtimestamp(mark / 1000, UTC) for mark in marks]
        assert 2 <= len(moments) <= 9
        assert all(first <= moment <= last for moment in moments)
        assert all((moment.minute, moment.second) == (0, 0) for moment in moments)
        gaps = [(later - earlier).days for earlier, later in pairwise(moments)]
        if last - first > timedelta(days=8):
            assert {moment.hour for moment in moments} == {0}
        if last - first > timedelta(days=150):
            assert {moment.day for moment in moments} == {1}
            assert max(gaps) <= 1.1 * min(gaps) + 3
        else:
            assert len(set(gaps)) <= 1
        if timedelta(days=50) < last - first < timedelta(days=100):
            assert {moment.weekday() for moment in moments} == {0}


def test_a_graph_is_laid_out_the_same_each_time_and_keeps_together_what_is_related() -> None:
    chain = [[place, place + 1] for place in range(11)]
    spots, again, tall, alone = asked(
        ("placed", 12, chain, False),
        ("placed", 12, chain, False),
        ("placed", 12, chain, True),
        ("placed", 1, [], False),
    )
    assert spots == again
    assert alone == [[0, 0]]
    distances = {(a, b): dist(spots[a], spots[b]) for a, b in combinations(range(12), 2)}
    assert min(distances.values()) > 0.3
    near = [distances[one, other] for one, other in chain]
    assert max(near) < max(distances.values()) / 3
    assert spread(spots, 0) > spread(spots, 1)
    assert spread(tall, 1) > spread(tall, 0)


def test_a_country_across_the_antimeridian_is_drawn_on_both_sides() -> None:
    across = [[170, 10], [-170, 10], [-170, 20], [170, 20], [170, 10]]
    plain = [[1, 1], [5, 1], [5, 5], [1, 1]]
    both, same = asked(("parted", across), ("parted", plain))
    assert same == [plain]
    assert sorted(round(area(ring)) for ring in both) == [100, 100]
    sides = sorted((min(x for x, _ in ring), max(x for x, _ in ring)) for ring in both)
    assert sides == [(-180, -170), (170, 180)]


def spread(spots: list[Spot], axis: int) -> float:
    values = [spot[axis] for spot in spots]
    return max(values) - min(values)


def area(ring: list[Spot]) -> float:
    """Gauss's area formula."""
    turned = [*ring[1:], ring[0]]
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, turned, strict=True))) / 2
