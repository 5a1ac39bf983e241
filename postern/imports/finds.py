"""What a record says was found: the substance and how much, as an outcome tells it."""

from dataclasses import dataclass
from decimal import Decimal

from postern.bands import read_amount, unit_letters
from postern.imports.model import GRAMS, known_word
from postern.shipment import closed_word
from postern.vocabulary import OutcomeResult, Substance, Unit

OUTCOME = "outcome"
FOUND_QUANTITY = "found_quantity"
FOUND_UNIT = "found_unit"
FIND_FIELDS = frozenset({OUTCOME, FOUND_QUANTITY, FOUND_UNIT})
"""Fields that become no report: what was found is told as an outcome of it."""

_MOST = Decimal("99999999999.999")  # as the platform keeps a quantity
_STEP = Decimal("0.001")
_OF_UNIT: dict[str, tuple[Unit, Decimal]] = {
    **{unit: (Unit.GRAM, Decimal(grams)) for unit, grams in GRAMS.items()},
    "ml": (Unit.MILLILITRE, Decimal(1)),
    "l": (Unit.MILLILITRE, Decimal(1000)),
    "pieces": (Unit.PIECE, Decimal(1)),
}


@dataclass(frozen=True, slots=True)
class Find:
    """What came of an item. A quantity has a unit and a substance, and at most three decimals."""

    result: OutcomeResult
    substance: Substance | None = None
    quantity: Decimal | None = None
    unit: Unit | None = None


def find_of(row: dict[str, str]) -> Find | None:
    """What a row under a mapping says came of its item; None when it says nothing."""
    result = OutcomeResult(row.get(OUTCOME, OutcomeResult.PENDING))
    if result is OutcomeResult.PENDING:
        return None
    if result is not OutcomeResult.FOUND:
        return Find(result)
    said = closed_word("substance", row.get("substance", ""))
    substance = Substance(said) if said else None
    amount = _amount(row.get(FOUND_QUANTITY, ""), row.get(FOUND_UNIT, ""))
    if substance is None or amount is None:
        return Find(result, substance)
    return Find(result, substance, *amount)


def _amount(text: str, unit: str) -> tuple[Decimal, Unit] | None:
    """A quantity and its unit; None when one of them is not known. One in the text goes before."""
    letters = unit_letters(text)
    name = known_word(FOUND_UNIT, letters) if letters else unit
    if not name:
        return None
    known, factor = _OF_UNIT[name]
    number = read_amount(text, three_decimals=name in {"kg", "t", "oz", "lb", "l"})
    if number is None:
        return None
    quantity = (number * factor).quantize(_STEP)
    return (quantity, known) if 0 < quantity <= _MOST else None
