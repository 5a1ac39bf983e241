"""Rounds: put a fault in under load, take it out, see how long until everything serves again."""

import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import requests

from tests.faults.ground import OWNER, Ground
from tests.faults.injecting import Fault
from tests.faults.load import Load
from tests.faults.notes import ACKNOWLEDGED, REFUSED, UNKNOWN, WRONG

_POLL = 0.1  # seconds
_PROBE = 10.0  # seconds that one probe may take
_BEFORE = 0.5  # seconds of load before a fault


@dataclass
class Row:
    """What all rounds of one fault gave."""

    name: str
    rounds: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    healed: list[float] = field(default_factory=list)
    violations: int = 0

    def written(self) -> dict[str, object]:
        return {
            "fault": self.name,
            "rounds": self.rounds,
            **{name: self.outcomes[name] for name in (ACKNOWLEDGED, UNKNOWN, REFUSED, WRONG)},
            "median_s": round(statistics.median(self.healed), 2) if self.healed else None,
            "max_s": round(max(self.healed), 2) if self.healed else None,
            "violations": self.violations,
        }


@dataclass
class Trial:
    """All rounds on one platform."""

    ground: Ground
    load: Load
    draw: random.Random
    rows: dict[str, Row] = field(default_factory=lambda: defaultdict(lambda: Row("")))
    wrong: list[str] = field(default_factory=list)
    last_probe: str = ""

    def round(self, fault: Fault) -> None:
        """One fault under load, which goes on until the platform serves again."""
        row = self.rows.setdefault(fault.name, Row(fault.name))
        start = len(self.ground.notes.acts)
        time.sleep(_BEFORE)
        fault.run(self.ground, self.draw)
        seconds = self.healed(fault.heals)
        row.rounds += 1
        if seconds is None:
            row.violations += 1
            self.wrong.append(f"{fault.name}: not healed within {fault.heals:.0f} s")
        else:
            row.healed.append(seconds)
        acts = self.ground.notes.since(start)
        row.outcomes += Counter(act.outcome for act in acts)
        if fault.loses_nothing:
            lost = [act for act in acts if act.status in {None, 503}]
            row.violations += len(lost)
            self.wrong += [f"{fault.name}: {act.kind} {act.status} {act.text}" for act in lost]

    def healed(self, bound: float) -> float | None:
        """Seconds until every instance serves a member; None when that takes too long."""
        began = time.monotonic()
        waiting = list(self.ground.addresses)
        while time.monotonic() - began < bound:
            waiting = [each for each in waiting if not self._serves(each)]
            if not waiting:
                return time.monotonic() - began
            time.sleep(_POLL)
        return None

    def _serves(self, address: str) -> bool:
        try:
            ready = requests.get(f"{address}/health/ready", timeout=_PROBE)
            listed = requests.get(
                f"{address}/api/v1/reports?limit=1",
                headers=self.ground.tokens[OWNER],
                timeout=_PROBE,
            )
        except requests.RequestException as error:
            self.last_probe = type(error).__name__
            return False
        self.last_probe = f"{ready.status_code} {ready.text} {listed.status_code} {listed.text}"
        return ready.status_code == 200 and listed.status_code == 200


def table(rows: Sequence[dict[str, object]]) -> str:
    """The rows as text for people."""
    heads = list(rows[0])
    lines = [heads, *([str(row[head]) for head in heads] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
