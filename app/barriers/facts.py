"""Coarse facts of a report, as suggestions see them: closed words, countries and HS chapters.

Nothing here can name a person or a place; a report has several values of what its indicators
have, such as how they were learned.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from postern.patterns.detection import COUNTRIES
from postern.vocabulary import (
    INDICATOR_KINDS,
    Concealment,
    DeclaredCategory,
    Learned,
    PartyRole,
    Service,
    SubjectCategory,
    Substance,
    ValueBand,
    WeightBand,
)

Facts: TypeAlias = Mapping[str, frozenset[str]]
"""The values of a report by field; a field that it does not have is absent, or empty."""


@dataclass(frozen=True, slots=True)
class FactField:
    """A field and the words that it may have."""

    name: str
    words: frozenset[str]
    remedy: str  # for a word that it cannot have; empty: the nearest words are named


def _listed(name: str, words: type[StrEnum]) -> FactField:
    return FactField(name, frozenset(words), "")


_COUNTRY = "Write two capitals of ISO 3166-1, or XK."
_CHAPTER = "Write the two digits of a chapter of the Harmonised System."

FACT_FIELDS: Mapping[str, FactField] = {
    field.name: field
    for field in (
        FactField("origin_country", COUNTRIES, _COUNTRY),
        FactField("destination_country", COUNTRIES, _COUNTRY),
        _listed("service", Service),
        _listed("weight_band", WeightBand),
        _listed("value_band", ValueBand),
        _listed("declared_category", DeclaredCategory),
        FactField("hs_chapter", frozenset(f"{each:02}" for each in range(1, 100)), _CHAPTER),
        _listed("concealment", Concealment),
        _listed("substance", Substance),
        _listed("learned", Learned),
        FactField("kind", frozenset(INDICATOR_KINDS), ""),
        _listed("role", PartyRole),
        _listed("subject_category", SubjectCategory),
    )
}
"""Every field by its name: the first nine are of the shipment, the others of its indicators."""
