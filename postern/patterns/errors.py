"""What can be wrong with a rule, told with its line and column."""

from collections.abc import Sequence
from dataclasses import dataclass

from postern.client_errors import ClientError

_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class PatternFault:
    """One thing that is wrong: where it stands (from 1), what it is, what to do."""

    line: int
    column: int
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.reason} {self.remedy}"


class PatternError(ClientError):
    """A file of rules or filters cannot be used; `faults` has everything that was found."""

    def __init__(self, name: str, faults: Sequence[PatternFault]) -> None:
        told = [str(each) for each in faults[:_MOST_TOLD]]
        if len(faults) > _MOST_TOLD:
            told.append(f"and {len(faults) - _MOST_TOLD} more")
        super().__init__(f"{name} cannot be used.\n" + "\n".join(f"  {line}" for line in told))
        self.name = name
        self.faults = tuple(faults)
