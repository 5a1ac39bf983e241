"""For which purposes, and on which bases, each sector asks: what a page offers, no more.

It is no rule of access: the policies of owners decide what a purpose and a basis open.
"""

from collections.abc import Mapping, Sequence

from postern.vocabulary import LegalBasis, Purpose, Sector

Offered = Mapping[Purpose, Sequence[LegalBasis]]

_OF_OPERATORS: Offered = {
    Purpose.SERVICE_SECURITY: (
        LegalBasis.POSTAL_LAW,
        LegalBasis.LEGAL_OBLIGATION,
        LegalBasis.LEGITIMATE_INTEREST,
    ),
    Purpose.PARCEL_SCREENING: (
        LegalBasis.POSTAL_LAW,
        LegalBasis.LEGAL_OBLIGATION,
        LegalBasis.LEGITIMATE_INTEREST,
    ),
}

OFFERED: Mapping[Sector, Offered] = {
    Sector.POLICE: {
        Purpose.CRIMINAL_INVESTIGATION: (
            LegalBasis.CRIMINAL_PROCEDURE,
            LegalBasis.POLICE_LAW,
            LegalBasis.COURT_ORDER,
        ),
        Purpose.CRIMINAL_INTELLIGENCE: (LegalBasis.POLICE_LAW, LegalBasis.CRIMINAL_PROCEDURE),
        Purpose.RISK_ANALYSIS: (LegalBasis.POLICE_LAW, LegalBasis.PUBLIC_TASK),
    },
    Sector.CUSTOMS: {
        Purpose.CUSTOMS_CONTROL: (LegalBasis.CUSTOMS_LAW,),
        Purpose.CRIMINAL_INVESTIGATION: (
            LegalBasis.CRIMINAL_PROCEDURE,
            LegalBasis.CUSTOMS_LAW,
            LegalBasis.COURT_ORDER,
        ),
        Purpose.CRIMINAL_INTELLIGENCE: (LegalBasis.CUSTOMS_LAW, LegalBasis.CRIMINAL_PROCEDURE),
        Purpose.RISK_ANALYSIS: (LegalBasis.CUSTOMS_LAW, LegalBasis.PUBLIC_TASK),
    },
    Sector.AUTHORITY: {
        Purpose.RISK_ANALYSIS: (LegalBasis.PUBLIC_TASK, LegalBasis.LEGAL_OBLIGATION),
        Purpose.CRIMINAL_INTELLIGENCE: (LegalBasis.PUBLIC_TASK, LegalBasis.LEGAL_OBLIGATION),
    },
    Sector.POST: _OF_OPERATORS,
    Sector.COURIER: _OF_OPERATORS,
}
"""The likeliest purpose of a sector stands first, and so does its likeliest basis."""
