"""Every word of a model has a name in four languages."""

from enum import StrEnum

import pytest

from app.barriers.facts import FACT_FIELDS
from app.barriers.model import (
    BarrierType,
    Basis,
    CellKind,
    Cost,
    CostBasis,
    Finding,
    Reading,
    Status,
    Strength,
)
from app.barriers.words import words
from postern.patterns.words import LANGUAGES

_NAMES: dict[str, type[StrEnum]] = {
    "status": Status,
    "read": Reading,
    "basis": Basis,
    "barrier_type": BarrierType,
    "cost": Cost,
    "cost_basis": CostBasis,
    "strength": Strength,
    "finding": Finding,
    "column": CellKind,
}
_CODES = {"origin_country", "destination_country", "hs_chapter"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_has_a_name(language: str) -> None:
    spoken = words(language)
    assert set(spoken.fields) == set(FACT_FIELDS)
    assert {name: set(found) for name, found in spoken.values.items()} == {
        name: set(field.words) for name, field in FACT_FIELDS.items() if name not in _CODES
    }
    assert {name: set(found) for name, found in spoken.names.items()} == {
        name: set(listed) for name, listed in _NAMES.items()
    }
    assert set(spoken.phrases) == {"because", "has", "next", "empty", "told"}
    assert all(spoken.fields.values())
    assert all(all(each.values()) for each in (*spoken.values.values(), *spoken.names.values()))


def test_a_code_is_said_as_it_is() -> None:
    assert words("fr").value("origin_country", "NO") == "NO"
    assert words("fr").value("service", "parcel") == "colis"


def test_a_language_that_is_not_spoken_is_refused() -> None:
    with pytest.raises(KeyError):
        words("es")
