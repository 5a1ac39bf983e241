"""What became of objects that others wrote: rows to submit, and what is left out, with reasons."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ForeignRow:
    """A row as `postern.rows.read_row` takes it, and the ids of what it was made of."""

    ids: tuple[str, ...]
    row: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unmapped:
    """What could not become a row: why, and what to do. It repeats no value."""

    id: str
    type: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """Everything that was there: in a row, left out, or noted as needing no row (id, reason)."""

    rows: tuple[ForeignRow, ...]
    unmapped: tuple[Unmapped, ...]
    noted: tuple[tuple[str, str], ...]
