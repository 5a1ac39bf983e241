"""Fuzzes parsers and the interface, and prints what was found; the last line is one JSON object.

Ends with 1 when something crashed. The cases are kept in the folder; one that is mended
belongs into tests/data/fuzz/<target>/, where the suite asks it for ever.
"""

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from app import create_app
from app.__main__ import migrate
from app.secret_files import create as create_secrets
from bench.machine import machine
from tests.app.matrix.stage import staged, undone
from tests.app.people import runtime_of
from tests.conftest import running_postgresql, settings_for
from tests.fuzz.door import Door
from tests.fuzz.found import Found, table
from tests.fuzz.mutation import cases
from tests.fuzz.pages import Pages
from tests.fuzz.target import Target, outcome, place_of
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Parsers in processes of their own, one after the other, and the interface meanwhile."""
    read = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    read.add_argument("--minutes", type=float, default=2)
    read.add_argument("--only", default="", metavar="WORD", help="targets whose name has the word")
    read.add_argument("--backend", default="sqlite", choices=["sqlite", "postgresql"])
    read.add_argument("--seed", type=int, default=1)
    read.add_argument("--folder", type=Path, default=Path("build/fuzz"))
    asked = read.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    parsers = [each for each in TARGETS.values() if asked.only in each.name]
    with ThreadPoolExecutor(1) as beside:
        guided = beside.submit(_parsers, parsers, asked)
        rows = _interface(asked) if asked.only in "interface" else []
        rows = [*guided.result(), *rows]
    for row in rows:
        for kind, path in row.kinds.items():
            sys.stdout.write(f"CRASH: {row.target}: {kind}: {path}\n")
    sys.stdout.write(table(rows) + "\n")
    figures = {
        "targets": len(rows),
        "cases": sum(row.cases for row in rows),
        "crashes": sum(len(row.kinds) for row in rows),
        "seconds": round(time.monotonic() - began, 1),
        "backend": asked.backend,
        "seed": asked.seed,
        "machine": machine("atheris", "hypothesis", "schemathesis"),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return int(any(row.kinds for row in rows))


def _parsers(targets: list[Target], asked: argparse.Namespace) -> list[Found]:
    seconds = max(1, int(asked.minutes * 60 / max(1, len(targets))))
    if find_spec("atheris"):
        return _guided(targets, seconds, asked)
    return [_mutated(each, seconds, asked) for each in targets]


def _guided(targets: list[Target], seconds: int, asked: argparse.Namespace) -> list[Found]:
    names = [each.name for each in targets]
    command = [sys.executable, "-m", "tests.fuzz.guided", str(seconds), str(asked.folder)]
    with (asked.folder / "guided-log").open("wb") as log:
        subprocess.run([*command, str(asked.seed), *names], stdout=log, stderr=log, check=False)
    return [_told(name, asked.folder) for name in names]


def _told(name: str, folder: Path) -> Found:
    """What stands in the files of one target."""
    own = folder / f"guided-{name}"
    found = Found(name, "atheris", folder)
    if not (own / "figures.json").exists():
        found.kinds["it did not begin"] = own / "log"
        return found
    told = json.loads((own / "figures.json").read_text())
    found.cases = told["cases"]
    found.kinds |= {kind: Path(path) for kind, path in told["kinds"].items()}
    found.kinds |= {path.name: path for path in own.glob("ended-*")}  # too slow or too large
    return found


def _mutated(target: Target, seconds: int, asked: argparse.Namespace) -> Found:
    """Where atheris is not installed."""
    found = Found(target.name, "mutation", asked.folder)
    end, seeds, seed = time.monotonic() + seconds, target.seeds(), asked.seed
    while time.monotonic() < end:
        for case in cases(seeds, 1000 // target.cost, seed):
            found.cases += 1
            error = outcome(target, case)
            if error is not None:
                found.add(place_of(error), case)
        seed += 1
    return found


def _interface(asked: argparse.Namespace) -> list[Found]:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        if asked.backend == "sqlite":
            return _door(f"sqlite:///{directory}/postern.sqlite3", directory, asked)
        with running_postgresql() as server:
            url = server.replace("postgresql://", "postgresql+psycopg://")
            return _door(url, directory, asked)


def _door(url: str, directory: Path, asked: argparse.Namespace) -> list[Found]:
    create_secrets(directory / "secrets")
    loaded = settings_for(url, directory / "secrets")
    settings = dataclasses.replace(loaded, log=dataclasses.replace(loaded.log, level="CRITICAL"))
    migrate(settings)
    app = create_app(settings)
    end = time.monotonic() + asked.minutes * 60
    try:
        with staged(app) as stage, undone(stage):
            door, pages = Door(stage, asked.folder), Pages(stage, asked.folder)
            number = asked.seed
            while time.monotonic() < end:
                door.round(number, chosen=3, people=4, until=end)
                pages.round(number, chosen=2, until=end)
                number += 1
            return [door.conduct, door.secrecy, pages.conduct]
    finally:
        runtime_of(app).database.dispose()


if __name__ == "__main__":
    sys.exit(main())
