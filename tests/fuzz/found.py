"""Crashes that were found, each kind kept once, as files under a folder for each target."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Found:
    """What one engine did to one target; `kinds` are crashes by what tells them apart."""

    target: str
    engine: str
    folder: Path
    cases: int = 0
    kinds: dict[str, Path] = field(default_factory=dict)

    def add(self, kind: str, case: bytes) -> None:
        """Write down a case that crashed, the first of its kind."""
        if kind in self.kinds:
            return
        folder = self.folder / self.target
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / hashlib.sha256(case).hexdigest()[:16]
        path.write_bytes(case)
        self.kinds[kind] = path


def table(rows: list[Found]) -> str:
    """Target | engine | cases | crashes, for people."""
    lines = [("target", "engine", "cases", "crashes")]
    lines += [(row.target, row.engine, f"{row.cases:,}", str(len(row.kinds))) for row in rows]
    widths = [max(len(line[place]) for line in lines) for place in range(4)]
    return "\n".join(
        " | ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
