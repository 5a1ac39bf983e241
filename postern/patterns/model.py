"""A rule as a value: what was read, checked and typed. Nothing in it can run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from postern.patterns.fields import Field, Measure, Modifier
from postern.vocabulary import Tlp

PATTERN_FORMAT = "parcel-pattern/1"
FILTER_FORMAT = "parcel-filter/1"

Operand: TypeAlias = str | int | bool
"""A folded text, a number as the field keeps it, or yes and no."""

Row: TypeAlias = Mapping[str, Operand | None]
"""A parcel by field, as kept; `posted_day` is the number of days since 1970-01-01."""


class Level(StrEnum):
    """How grave a hit is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Status(StrEnum):
    """How far a rule has come."""

    EXPERIMENTAL = "experimental"
    TEST = "test"
    STABLE = "stable"
    DEPRECATED = "deprecated"


@dataclass(frozen=True, slots=True)
class Predicate:
    """A field compared: `operands` are alternatives, except that `between` has two bounds."""

    field: Field
    modifier: Modifier
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """A named selection: a parcel is in it when every predicate holds. Null fulfils none."""

    name: str
    predicates: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """In a condition: a selection by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Negated:
    """In a condition: not."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class AllOf:
    """In a condition: and."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """In a condition: or."""

    parts: tuple["Condition", ...]


Condition: TypeAlias = Named | Negated | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Having:
    """One line of `having`; for `avg` and numbers `threshold` is scaled as the field is."""

    measure: Measure
    field: Field | None  # None for count
    modifier: Modifier
    threshold: int

    @property
    def is_lower_bound(self) -> bool:
        """Whether more parcels can only help to fulfil it."""
        grows = self.measure in {Measure.COUNT, Measure.DISTINCT}
        return grows and self.modifier in {Modifier.GT, Modifier.GTE}


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A group hits when within some `days` consecutive calendar days every `having` holds."""

    by: tuple[Field, ...]
    days: int
    having: tuple[Having, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """Parcels of a rule's own tests, and whether at least one, or none, must hit."""

    rows: tuple[Row, ...]
    must_hit: bool
    line: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of `parcel-pattern/1`.

    `sha256` is the hexadecimal digest of the whole text that it was read from.
    """

    id: str
    title: str
    status: Status
    author: str
    description: str
    references: tuple[str, ...]
    barrier_step: int
    level: Level
    false_positives: tuple[str, ...]
    tlp: Tlp
    expires: date
    selections: tuple[Selection, ...]
    condition: Condition
    condition_text: str
    aggregate: Aggregate | None
    examples: tuple[Example, ...]
    sha256: str = field(default="", compare=False)

    def selection(self, name: str) -> Selection:
        """The selection of that name. Raises StopIteration for a name that the rule has not."""
        return next(each for each in self.selections if each.name == name)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of `parcel-filter/1`: parcels that an organisation keeps out of rules' hits.

    `rules` are ids of rules, or empty for every rule. It stays where it was written.
    """

    id: str
    title: str
    description: str
    rules: tuple[str, ...]
    selections: tuple[Selection, ...]
    condition: Condition
    condition_text: str

    def selection(self, name: str) -> Selection:
        """The selection of that name. Raises StopIteration for a name that the filter has not."""
        return next(each for each in self.selections if each.name == name)


def parts_of(condition: Condition) -> tuple[str, ...]:
    """The names of selections in a condition, each once, in the order of the text."""
    if isinstance(condition, Named):
        return (condition.name,)
    inner = (condition.part,) if isinstance(condition, Negated) else condition.parts
    return tuple(dict.fromkeys(name for part in inner for name in parts_of(part)))
