"""The worker killed under load, a few times: `make kill-worker` does it a hundred times on each."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BACKENDS

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 300  # seconds that a trial may take
KILLS = 3


def trial(backend: str, *more: str) -> dict[str, Any]:
    """The figures of a trial in a process of its own, which ends the processes that it starts."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.functional.kill_worker"),
            *("--kills", str(KILLS), "--backends", backend, *more),
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
def test_every_notification_arrives_and_none_that_may_not(backend: str) -> None:
    figures = trial(backend)
    assert figures["wrong"] == []
    assert figures["kills"] == KILLS
    assert figures["messages_to_send"] > 0
    assert figures["withheld"] > 0
    assert figures["arrivals"] >= figures["messages_to_send"]


def test_a_message_that_is_not_asked_about_is_noticed() -> None:
    assert trial("sqlite", "--fault", "unchecked")["wrong"]
