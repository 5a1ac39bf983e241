"""What rooms above do in the same transaction when indicators come, change or end.

This room may not import them, so they register here, from their `start`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import Caller
from postern.vocabulary import Kind, RecallReason


@dataclass(frozen=True, slots=True)
class StoredIndicator:
    """An indicator that was just stored, and the tokens by which it can be found."""

    id: int
    public_id: UUID
    kind: Kind
    share_class_id: int
    seen_day: int  # days since 1970
    tokens: Sequence[tuple[int, bytes]]  # (facet number, 16 bytes), those that are stored
    facets_stored: int  # bit n: facet n is stored completely
    facets_common: int  # bit n: facet n is too common to be stored


@dataclass(frozen=True, slots=True)
class Stored:
    """The indicators of one submission, all of one organisation."""

    organisation_id: int
    at: datetime
    indicators: Sequence[StoredIndicator]


@dataclass(frozen=True, slots=True)
class Ending:
    """Indicators of one organisation that are about to be erased, or restricted by a hold.

    `recalled` is why their recipients must erase what they got; None where their time was over,
    which recipients know from the day of expiry that they were given.
    """

    organisation_id: int
    at: datetime
    indicators: Sequence[UUID]
    recalled: RecallReason | None


@dataclass(frozen=True, slots=True)
class Amended:
    """One indicator was changed by its owner; `changes` are coarse fields and their new words."""

    organisation_id: int
    at: datetime
    indicator: UUID
    changes: Mapping[str, Any]
    reason: RecallReason


@dataclass(frozen=True, slots=True)
class Rotated:
    """Indicators of one organisation (inner keys) are read as a new key epoch from now on."""

    organisation_id: int
    at: datetime
    indicators: Sequence[int]


@dataclass
class Hooks:
    """What is called, in the order of registration; what one raises undoes the act."""

    stored: list[Callable[[Session, Caller, Stored], None]] = field(default_factory=list)
    ending: list[Callable[[Session, Caller, Ending], None]] = field(default_factory=list)
    amended: list[Callable[[Session, Caller, Amended], None]] = field(default_factory=list)
    rotated: list[Callable[[Session, Rotated], None]] = field(default_factory=list)
