"""For which purposes, and on which bases, each sector looks at patterns: what a form offers.

It is no rule of access: the policies of owners decide what a purpose and a basis open. Patterns
are knowledge about parcels, so a case is not demanded for them.
"""

from collections.abc import Mapping, Sequence

from app.indicators.telling import Grounds
from postern.vocabulary import LegalBasis, Purpose, Sector

Offered = Mapping[Purpose, Sequence[LegalBasis]]

_OF_OPERATORS: Offered = dict.fromkeys(
    (Purpose.PARCEL_SCREENING, Purpose.SERVICE_SECURITY, Purpose.RISK_ANALYSIS),
    (LegalBasis.POSTAL_LAW, LegalBasis.LEGAL_OBLIGATION, LegalBasis.LEGITIMATE_INTEREST),
)

OFFERED: Mapping[Sector, Offered] = {
    Sector.POST: _OF_OPERATORS,
    Sector.COURIER: _OF_OPERATORS,
    Sector.CUSTOMS: {
        Purpose.CUSTOMS_CONTROL: (LegalBasis.CUSTOMS_LAW,),
        Purpose.PARCEL_SCREENING: (LegalBasis.CUSTOMS_LAW, LegalBasis.LEGAL_OBLIGATION),
        Purpose.RISK_ANALYSIS: (LegalBasis.CUSTOMS_LAW, LegalBasis.PUBLIC_TASK),
    },
    Sector.POLICE: {
        Purpose.CRIMINAL_INTELLIGENCE: (LegalBasis.POLICE_LAW, LegalBasis.CRIMINAL_PROCEDURE),
        Purpose.RISK_ANALYSIS: (LegalBasis.POLICE_LAW, LegalBasis.PUBLIC_TASK),
    },
    Sector.AUTHORITY: {
        Purpose.RISK_ANALYSIS: (LegalBasis.PUBLIC_TASK, LegalBasis.LEGAL_OBLIGATION),
        Purpose.CRIMINAL_INTELLIGENCE: (LegalBasis.PUBLIC_TASK, LegalBasis.LEGAL_OBLIGATION),
    },
}
"""The likeliest purpose of a sector stands first, and so does its likeliest basis."""


def default(sector: Sector) -> Grounds:
    """The likeliest purpose and basis of a sector, without a case."""
    purpose, bases = next(iter(OFFERED[sector].items()))
    return Grounds(purpose, bases[0], "")
