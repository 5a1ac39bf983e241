"""Words of the domain as STIX says them: sectors, confidence, account types, names of objects."""

from collections.abc import Mapping

from postern.vocabulary import InformationGrade, Kind, PartyRole, Sector, SourceGrade

STIX_SECTORS: Mapping[Sector, str] = {
    Sector.POST: "transportation",
    Sector.COURIER: "transportation",
    Sector.CUSTOMS: "government-national",
    Sector.POLICE: "government-public-services",
    Sector.AUTHORITY: "government-national",
}
"""Of the open vocabulary of industry sectors."""

NAMES: Mapping[Kind, str] = {
    Kind.PARTY: "Name with address",
    Kind.ADDRESS: "Postal address",
    Kind.INDUCTION_POINT: "Induction point",
    Kind.VENDOR: "Vendor handle",
    Kind.PGP: "PGP key of a vendor",
    Kind.PHONE: "Telephone number",
    Kind.EMAIL: "E-mail address",
    Kind.PAYMENT: "Payment address",
    Kind.ITEM: "Item identifier",
}

ROLE_NAMES: Mapping[PartyRole, str] = {
    PartyRole.SENDER: "of a sender",
    PartyRole.ADDRESSEE: "of an addressee",
    PartyRole.INDUCTION_POINT: "where items were posted",
    PartyRole.VENDOR: "of a vendor",
    PartyRole.SHIPMENT: "of a shipment",
    PartyRole.UNKNOWN: "of an unknown part",
}

_CREDIBILITY: Mapping[InformationGrade, int] = {
    InformationGrade.ONE: 90,
    InformationGrade.TWO: 70,
    InformationGrade.THREE: 50,
}
_DOUBTFUL_SOURCE = 20


def confidence(source: SourceGrade, information: InformationGrade) -> int | None:
    """Confidence on the scale of the Admiralty Code (STIX 2.1, appendix A); None: not judged.

    The grades of information 1, 2, 3 are credibility 1, 2, 3; grade 4, which cannot be judged, has
    no number. A source that is mostly unreliable or was not assessed takes one step off.
    """
    found = _CREDIBILITY.get(information)
    if found is None:
        return None
    return found - (_DOUBTFUL_SOURCE if source in {SourceGrade.C, SourceGrade.X} else 0)


def information_grade(confidence: int) -> InformationGrade:
    """The grade for a confidence of another producer; 1 is never read from a number."""
    if confidence >= _AT_LEAST_TWO:
        return InformationGrade.TWO
    return InformationGrade.THREE if confidence >= _AT_LEAST_THREE else InformationGrade.FOUR


_AT_LEAST_TWO = 60
_AT_LEAST_THREE = 40
