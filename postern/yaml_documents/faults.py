"""What can be wrong with a document, told with its line and column."""

from collections.abc import Sequence
from dataclasses import dataclass

_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where it stands (from 1), what it is, what to do."""

    line: int
    column: int
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.reason} {self.remedy}"


def told_faults(name: str, faults: Sequence[Fault]) -> str:
    """That what is called `name` cannot be used, and why: the first faults, a line for each."""
    told = [str(each) for each in faults[:_MOST_TOLD]]
    if len(faults) > _MOST_TOLD:
        told.append(f"and {len(faults) - _MOST_TOLD} more")
    return f"{name} cannot be used.\n" + "\n".join(f"  {line}" for line in told)
