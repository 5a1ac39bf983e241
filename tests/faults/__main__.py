"""Runs the rounds and prints the table; the last line is one JSON object.

Ends with 1 when anything is wrong, or when a control was not found.
"""

import argparse
import json
import os
import platform
import random
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.faults import controls, machine
from tests.faults.checker import Checker, Verdict
from tests.faults.ground import Ground, ground
from tests.faults.injecting import FAULTS, Fault
from tests.faults.load import PAUSE, Load
from tests.faults.rounds import Trial, table


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing is wrong and every control was found."""
    read = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    read.add_argument("--rounds", type=int, default=200)
    read.add_argument("--seed", type=int, default=1)
    read.add_argument("--only", default="", help="faults by name, separated by commas")
    read.add_argument("--clients", type=int, default=6)
    read.add_argument("--pause", type=float, default=PAUSE, help="seconds of a client, on average")
    read.add_argument("--duties", type=int, default=5, help="seconds between two looks at duties")
    read.add_argument("--instances", type=int, default=2)
    read.add_argument("--workers", type=int, default=2)
    read.add_argument("--check-every", type=int, default=10, help="rounds between two checks")
    read.add_argument("--minutes", type=float, default=0, help="begin no round after so long")
    read.add_argument("--no-controls", action="store_true", help="do not show that it can fail")
    asked = read.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all is ended and removed
    bounded = machine.own_mounts()
    began = time.monotonic()
    with ground(
        bounded=bounded, instances=asked.instances, workers=asked.workers, duties=asked.duties
    ) as made:
        found = _tried(made, asked, _chosen(asked.only, made), began)
        left_out = sorted(set(FAULTS) - {each.name for each in _chosen("", made)})
    rows = [row.written() for row in found.rows.values() if row.name]
    sys.stdout.write(table(rows) + "\n")
    for each in found.wrong:
        sys.stdout.write(f"WRONG: {each}\n")
    figures = {
        "trial": "faults",
        "seed": asked.seed,
        "rounds": sum(row.rounds for row in found.rows.values()),
        "faults": len(rows),
        "not_possible_here": left_out,
        "acknowledged": sum(row.outcomes["acknowledged"] for row in found.rows.values()),
        "unknown": sum(row.outcomes["unknown"] for row in found.rows.values()),
        "refused": sum(row.outcomes["refused"] for row in found.rows.values()),
        "violations": len(found.wrong),
        **found.looked_at,
        "seconds": round(time.monotonic() - began),
        "machine": {
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.platform(),
            "load": os.getloadavg()[0],
        },
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return int(bool(found.wrong))


class Found(Trial):
    """A trial with what the checker looked at."""

    looked_at: dict[str, object]


def _chosen(only: str, made: Ground) -> list[Fault]:
    wanted = [name for name in only.split(",") if name]
    if unknown := set(wanted) - set(FAULTS):
        raise SystemExit(f"No such fault: {', '.join(unknown)}. There are: {', '.join(FAULTS)}")
    return [
        each
        for each in FAULTS.values()
        if (not wanted or each.name in wanted)
        and (made.data.is_bounded or not each.needs_mount)
        and (made.disk is not None or not each.needs_shim)
    ]


def _tried(made: Ground, asked: argparse.Namespace, faults: list[Fault], began: float) -> Found:
    draw = random.Random(asked.seed)  # noqa: S311 - a trial that can be repeated
    trial = Found(made, Load(made, asked.seed, asked.clients, asked.pause), draw)
    trial.looked_at = {}
    checker = Checker(made)
    if trial.healed(400) is None:
        raise TimeoutError(f"the platform did not start: {trial.last_probe} {_said(made)}")
    _tell(f"It serves after {time.monotonic() - began:.0f} s")
    trial.load.start()
    order: list[Fault] = []
    for number in range(asked.rounds):
        if asked.minutes and time.monotonic() - began > asked.minutes * 60:
            break
        if not order:
            order = draw.sample(faults, len(faults))
        trial.round(order.pop())
        if (number + 1) % asked.check_every == 0:
            trial.load.stop()
            _check(trial, checker)
            _progress(trial, number + 1)
            trial.load.start()
    trial.load.await_each_kind()
    trial.load.stop()
    _tell(f"{len(made.notes.acts)} requests after {time.monotonic() - began:.0f} s")
    verdict = _check(trial, checker)
    _tell(f"Checked after {time.monotonic() - began:.0f} s")
    trial.looked_at |= {f"checked_{k.replace(' ', '_')}": n for k, n in verdict.looked_at.items()}
    if not asked.no_controls:
        missed = controls.missed(made, checker)
        _tell(f"Controls looked for after {time.monotonic() - began:.0f} s")
        trial.looked_at["controls"] = sum(map(len, controls.CONTROLS))
        trial.wrong += [f"the control {name} was not found" for name in missed]
    if trial.wrong:
        kept = Path("build") / "faults"
        kept.mkdir(parents=True, exist_ok=True)
        for log in made.folder.glob("*.log"):
            with suppress(OSError):
                (kept / log.name).write_bytes(log.read_bytes()[-2_000_000:])
    return trial


def _tell(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _check(trial: Trial, checker: Checker) -> Verdict:
    trial.load.repeat_all()
    verdict = checker.judge()
    found = [*verdict.wrong, *(f"a client failed: {each}" for each in trial.load.failures)]
    trial.wrong += [each for each in found if each not in trial.wrong]
    return verdict


def _progress(trial: Trial, number: int) -> None:
    acts = len(trial.ground.notes.acts)
    starts = sum(each.starts for each in trial.ground.processes)
    sys.stdout.write(
        f"{number} rounds, {acts} requests, {starts} starts, {len(trial.wrong)} wrong\n"
    )
    for each in trial.wrong:
        sys.stdout.write(f"  {each}\n")
    sys.stdout.flush()


def _said(made: Ground) -> str:
    return "\n".join(each.said.read_text()[-1000:] for each in made.processes)


if __name__ == "__main__":
    sys.exit(main())
