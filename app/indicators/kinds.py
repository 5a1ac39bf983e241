"""What fits what: which facets and roles each kind of indicator has.

These are the closed rules by which an item is refused; docs/reports.md lists the same.
"""

from collections.abc import Mapping

from postern.facet_kinds import NAME_FACETS, NUMBERS, POSTAL_FACETS
from postern.vocabulary import Kind, PartyRole

_OF_PEOPLE = frozenset({PartyRole.SENDER, PartyRole.ADDRESSEE, PartyRole.VENDOR, PartyRole.UNKNOWN})
_OF_SELLERS = frozenset({PartyRole.VENDOR, PartyRole.UNKNOWN})

ROLES_OF: Mapping[Kind, frozenset[PartyRole]] = {
    Kind.PARTY: _OF_PEOPLE,
    Kind.ADDRESS: _OF_PEOPLE,
    Kind.PHONE: _OF_PEOPLE,
    Kind.EMAIL: _OF_PEOPLE,
    Kind.PGP: _OF_SELLERS,
    Kind.PAYMENT: _OF_SELLERS,
    Kind.VENDOR: frozenset({PartyRole.VENDOR}),
    Kind.INDUCTION_POINT: frozenset({PartyRole.INDUCTION_POINT}),
    Kind.ITEM: frozenset({PartyRole.SHIPMENT}),
}
"""The parts that a thing of each kind can play in a shipment."""

FACETS_OF: Mapping[Kind, frozenset[int]] = {
    Kind.PARTY: frozenset(POSTAL_FACETS),
    Kind.ADDRESS: frozenset(POSTAL_FACETS) - NAME_FACETS,
    Kind.VENDOR: frozenset(
        NUMBERS[name] for name in ("VENDOR*MARKET", "VENDOR", "VENDOR*STRIPPED", "VENDOR*SOUND")
    ),
    Kind.PGP: frozenset({NUMBERS["PGP"]}),
    Kind.PHONE: frozenset({NUMBERS["PHONE"]}),
    Kind.EMAIL: frozenset({NUMBERS["EMAIL"]}),
    Kind.PAYMENT: frozenset({NUMBERS["PAYMENT"]}),
    Kind.ITEM: frozenset({NUMBERS["ITEM"], NUMBERS["ITEM*BATCH"]}),
    Kind.INDUCTION_POINT: frozenset({NUMBERS["POINT"]}),
}
"""The facet numbers that a value of each kind can have (`postern.facets`)."""
