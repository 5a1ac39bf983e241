"""Runs every attack and prints the table; the last line is one JSON object.

Ends with 1 when an attack won, or when one could not have won even where its guard is missing.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from app.__main__ import migrate
from app.secret_files import create as create_secrets
from tests.attack.every import carried_out
from tests.attack.ground import ground
from tests.attack.verdict import table
from tests.conftest import running_postgresql, settings_for


def main() -> int:
    """Attack a new platform on the back end that was asked for."""
    read = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    read.add_argument("--short", action="store_true", help="each attack tries less")
    read.add_argument("--only", default="", metavar="WORD", help="attacks whose name has the word")
    read.add_argument("--backend", default="sqlite", choices=["sqlite", "postgresql"])
    asked = read.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        if asked.backend == "sqlite":
            return _attack(f"sqlite:///{directory}/postern.sqlite3", directory, asked)
        with running_postgresql() as server:
            url = server.replace("postgresql://", "postgresql+psycopg://")
            return _attack(url, directory, asked)


def _attack(url: str, directory: Path, asked: argparse.Namespace) -> int:
    create_secrets(directory / "secrets")
    settings = settings_for(url, directory / "secrets")
    migrate(settings)
    began = time.monotonic()
    with ground(settings, directory, is_short=asked.short) as made:
        rows = list(carried_out(made, asked.only))
    sys.stdout.write(table(rows) + "\n")
    for row in rows:
        for what in row.tried.won[:5]:
            sys.stdout.write(f"WON: {row.attack.name}: {what}\n")
        if not row.tried.control:
            sys.stdout.write(f"VOID: {row.attack.name}: its control won nothing\n")
    figures = {
        "attacks": len(rows),
        "tries": sum(row.tried.tries for row in rows),
        "successes": sum(len(row.tried.won) for row in rows),
        "void": sum(not row.tried.control for row in rows),
        "seconds": round(time.monotonic() - began, 1),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return int(not all(row.holds for row in rows))


if __name__ == "__main__":
    sys.exit(main())
