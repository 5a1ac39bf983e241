"""Who may ask whom for what: police asking an operator and an operator asking police differ.

Authorities ask operators case by case under a law that lets them, as with Art. 26 of Regulation
(EU) 2016/794 for private parties. Operators ask authorities only for the safety of their own
service; the answer needs a second person and lives shortly. What may be done with an item depends
on who holds it: only customs examine.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from postern.vocabulary import LegalBasis, Purpose, RequestedAction, Sector

OPERATORS = frozenset({Sector.POST, Sector.COURIER})
AUTHORITIES = frozenset({Sector.POLICE, Sector.CUSTOMS, Sector.AUTHORITY})

OPERATOR_PURPOSES = frozenset({Purpose.PARCEL_SCREENING, Purpose.SERVICE_SECURITY})
"""For which an operator may ask an authority."""

AUTHORITY_BASES = frozenset(
    {
        LegalBasis.POLICE_LAW,
        LegalBasis.CRIMINAL_PROCEDURE,
        LegalBasis.COURT_ORDER,
        LegalBasis.CUSTOMS_LAW,
    }
)
"""On which an authority may ask an operator: laws that give the power to ask."""

OPERATOR_DAYS = 14
"""The longest that what an authority gave to an operator can be fetched."""

_HANDLES_ITEMS = frozenset(
    {RequestedAction.NONE, RequestedAction.LOCATE, RequestedAction.HOLD_FOR_CUSTOMS}
)
ACTIONS: Mapping[Sector, frozenset[RequestedAction]] = {
    Sector.POST: _HANDLES_ITEMS,
    Sector.COURIER: _HANDLES_ITEMS,
    Sector.CUSTOMS: _HANDLES_ITEMS | {RequestedAction.EXAMINE},
    Sector.POLICE: frozenset({RequestedAction.NONE}),
    Sector.AUTHORITY: frozenset({RequestedAction.NONE}),
}
"""What may be asked of an owner beside being told, by its sector."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What the rules look at."""

    requester: Sector
    owner: Sector
    purpose: Purpose
    legal_basis: LegalBasis
    action: RequestedAction


def faults(asking: Asking) -> Iterator[tuple[str, str]]:
    """Every rule that the request breaks, as the field of it and the reason; none is well."""
    if is_guarded(asking.requester, asking.owner) and asking.purpose not in OPERATOR_PURPOSES:
        yield (
            "lookup",
            "An operator asks an authority only for parcel screening or the security of its "
            "service: look it up for one of these purposes.",
        )
    asks_operator = asking.requester in AUTHORITIES and asking.owner in OPERATORS
    if asks_operator and asking.legal_basis not in AUTHORITY_BASES:
        yield (
            "lookup",
            "An authority asks an operator under police law, criminal procedure, customs law or a "
            "court order: look it up on one of these bases.",
        )
    if asking.action not in ACTIONS[asking.owner]:
        yield "action", "The owner cannot do this with an item: ask another, or for nothing more."


def is_guarded(requester: Sector, owner: Sector) -> bool:
    """Whether an operator asks an authority: a second person is needed, and it is kept shortly."""
    return requester in OPERATORS and owner in AUTHORITIES
