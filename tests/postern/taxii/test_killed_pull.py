"""A pull in a process of its own that is killed between two pages loses and doubles nothing."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from tests.postern.conftest import Desk
from tests.postern.taxii.loopback_taxii import LoopbackTaxii, indicator

ROOT = Path(__file__).parents[3]
PATIENCE = 60  # seconds


def test_a_pull_that_is_killed_goes_on(desk: Desk, taxii: LoopbackTaxii) -> None:
    taxii.put(*(indicator(number) for number in range(50)))
    taxii.put(indicator(1, 5, revoked=True))
    with desk.config.open("a") as file:
        file.write(f'\n[servers.lab]\naddress = "{taxii.address}"\n')
    command = ("exchange", "pull", "--server", "lab", "--limit", "10", "--json")
    process = subprocess.Popen(
        [sys.executable, "-c", "from postern.cli import main; main()", *command],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    pages: list[int] = []

    def kill() -> None:
        pages.append(1)
        if len(pages) == 3:
            process.kill()

    taxii.before_page = kill
    assert process.wait(PATIENCE) == -signal.SIGKILL
    taxii.before_page = lambda: None

    result = desk.run(*command)
    assert result.exit_code == 0, result.output
    (again,) = json.loads(result.stdout)["collections"]
    assert (again["resumed"], again["known"], again["withdrawn"]) == (True, 0, 1)
    lines = desk.run("exchange", "objects", "--json").stdout.splitlines()
    names = sorted(json.loads(line)["name"] for line in lines)
    assert names == sorted(f"Indicator {number}" for number in range(50) if number != 1)
