"""`make demo` as a newcomer runs it: loads, looks up, and prints what the README promises."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from app.demo.patterns import SHARED
from postern.cli import cli

ROOT = Path(__file__).parent.parent.parent


def test_the_demonstration_loads_real_addresses_and_finds_their_misspelled_variants(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "app.demo", "--once", "--rows", "120"),
            *("--port", str(_free_port()), "--folder", str(tmp_path / "demo")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"rows read +120\n +created +120\n", done.stdout)
    found = re.search(r"(\d+) of (\d+) misspelled variants found", done.stdout)
    assert found is not None
    assert int(found[2]) > 0
    assert int(found[1]) * 2 > int(found[2])
    assert "Postern runs at http://127.0.0.1:" in done.stdout
    assert "compliance@post-be.example" in done.stdout
    assert "derived again, it is the one" in done.stdout
    assert "Ten things to try" in done.stdout
    assert re.search(r"\d,\d{3} made-up reports of the three members", done.stdout)
    assert "Traceback" not in done.stderr
    assert parcels_that_hit(tmp_path / "demo") == 11


def parcels_that_hit(folder: Path) -> int:
    """Of the manifest that the demonstration writes, with the patterns that it shares."""
    home = folder / "premises" / "customs-nl"
    rules = [ROOT / "policies" / "patterns" / f"{name}.yml" for name in SHARED]
    result = CliRunner().invoke(
        cli,
        [
            *("screen", str(home / "manifest.csv"), "--out", str(home / "hits")),
            *(part for rule in rules for part in ("--patterns", str(rule))),
        ],
    )
    assert result.exit_code == 0, result.output
    return int(json.loads((home / "hits" / "hits.json").read_text())["parcels"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
