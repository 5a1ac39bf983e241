"""`kill -9` under load, a few rounds: `make kill-nine` runs two hundred on each database."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BACKENDS

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 300  # seconds that a trial may take
ROUNDS = 6


def trial(backend: str, *more: str, rounds: int = ROUNDS) -> dict[str, Any]:
    """The figures of a trial in a process of its own, which ends the processes that it starts."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.functional.kill_nine"),
            *("--rounds", str(rounds), "--backends", backend, *more),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])[backend]
    assert done.returncode == bool(figures["wrong"])
    return figures


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_acknowledged_is_lost_and_no_checkpoint_is_contradicted(backend: str) -> None:
    figures = trial(backend)
    assert figures["wrong"] == []
    assert figures["rounds"] == ROUNDS
    assert figures["kills"] > 0
    assert figures["acknowledged"] > 0
    assert figures["checkpoints_seen"] > 0
    assert figures["rolled_back"] + figures["acknowledged"] >= figures["entries"] // 2


def test_an_act_that_is_acknowledged_before_its_commit_is_missed() -> None:
    figures = trial("sqlite", "--fault", "early-acknowledgement")
    assert figures["lost"] > 0


def test_a_sequencer_that_counts_on_the_order_of_numbers_is_found_out() -> None:
    figures = trial("postgresql", "--fault", "above-last")
    assert figures["lost"] > 0


def test_a_lost_high_water_file_stops_the_sequencer() -> None:
    figures = trial("sqlite", "--fault", "lost-high-water")
    assert any("high-water" in reason for reason in figures["wrong"])
