"""The field dictionary: what a manifest may hold, and what a rule may ask of each field."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from importlib import resources
from typing import Any


class FieldType(StrEnum):
    """What a field holds, and so which modifiers it takes."""

    NUMBER = "number"
    WORD = "word"  # one of a closed list
    COUNTRY = "country"  # ISO 3166-1 alpha-2, and XK
    CODE = "code"  # a place, a tariff number: equal, or beginning the same
    TEXT = "text"  # folded words with a space at both ends
    FLAG = "flag"  # yes or no
    PERSON = "person"  # may name a person: no rule holds a value of it
    ACCOUNT = "account"  # a customer of the operator: only its own filters hold a value of it


class Modifier(StrEnum):
    """How a field is compared. Without one, a field equals one of the values."""

    EQUALS = "equals"
    EXISTS = "exists"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    BETWEEN = "between"
    CONTAINS = "contains"
    WORDS = "words"
    STARTSWITH = "startswith"


class Measure(StrEnum):
    """What an aggregate computes over the parcels of a group."""

    COUNT = "count"
    DISTINCT = "distinct"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"


_ORDER = frozenset({Modifier.GT, Modifier.GTE, Modifier.LT, Modifier.LTE, Modifier.BETWEEN})
_TAKEN: Mapping[FieldType, frozenset[Modifier]] = {
    FieldType.NUMBER: _ORDER | {Modifier.EQUALS},
    FieldType.WORD: frozenset({Modifier.EQUALS}),
    FieldType.COUNTRY: frozenset({Modifier.EQUALS}),
    FieldType.CODE: frozenset({Modifier.EQUALS, Modifier.STARTSWITH}),
    FieldType.TEXT: frozenset({Modifier.CONTAINS, Modifier.WORDS, Modifier.STARTSWITH}),
    FieldType.FLAG: frozenset({Modifier.EQUALS}),
    FieldType.PERSON: frozenset(),
    FieldType.ACCOUNT: frozenset({Modifier.EQUALS}),
}
_GROUPS = frozenset(FieldType) - {FieldType.TEXT, FieldType.NUMBER}


@dataclass(frozen=True, slots=True)
class Field:
    """One field. A number is kept as a whole number of 10^-scale of its unit."""

    name: str
    type: FieldType
    scale: int = 0
    unit: str = ""
    words: tuple[str, ...] = ()
    least: Decimal | None = None
    most: Decimal | None = None
    is_derived: bool = False
    source: str = ""

    @property
    def modifiers(self) -> frozenset[Modifier]:
        """What a selection may ask of it."""
        return _TAKEN[self.type] | {Modifier.EXISTS}

    @property
    def measures(self) -> frozenset[Measure]:
        """What an aggregate may compute of it."""
        if self.type is FieldType.NUMBER:
            return frozenset({Measure.SUM, Measure.AVG, Measure.MIN, Measure.MAX})
        return frozenset({Measure.DISTINCT}) if self.type in _GROUPS else frozenset()

    @property
    def is_groupable(self) -> bool:
        """Whether an aggregate may group by it."""
        return self.type in _GROUPS and self.type is not FieldType.FLAG

    def scaled(self, number: Decimal) -> int | None:
        """A number of the field's unit as it is kept, or None when it has too many decimals."""
        exact = number.scaleb(self.scale)
        return int(exact) if exact == exact.to_integral_value() else None

    def unscaled(self, kept: int) -> Decimal:
        """The number for people that is kept as `kept`."""
        return Decimal(kept).scaleb(-self.scale)


def _fields() -> dict[str, Field]:
    source = resources.files("postern.patterns").joinpath("fields.json").read_text("utf-8")
    document: Mapping[str, Any] = json.loads(source)
    return {name: _field(name, told) for name, told in document["fields"].items()}


def _field(name: str, told: Mapping[str, Any]) -> Field:
    least, most = told.get("least"), told.get("most")
    return Field(
        name,
        FieldType(told["type"]),
        scale=told.get("scale", 0),
        unit=told.get("unit", ""),
        words=tuple(told.get("words", ())),
        least=None if least is None else Decimal(least),
        most=None if most is None else Decimal(most),
        is_derived=told.get("derived", False),
        source=told.get("source", ""),
    )


FIELDS: Mapping[str, Field] = _fields()
"""Every field by its name."""
