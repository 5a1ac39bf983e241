"""Every act that the log knows: the source of docs/audit-acts.md and of the tests that hold it.

The class is the operation of Directive (EU) 2016/680, Art. 25(1); acts that concern no personal
data of an indicator are `administration`.

A module for each room that does them.
"""

from app.audit.catalogue import (
    accounts,
    administration,
    audit,
    barriers,
    compliance,
    disclosures,
    exchange,
    indicators,
    jobs,
    lookups,
    organisations,
    patterns,
    pseudonyms,
    sharing,
)
from app.audit.catalogue.acts import KnownAct, Operation
from app.audit.catalogue.objects import OBJECT_TYPES

__all__ = ["CATALOGUE", "OBJECT_TYPES", "KnownAct", "Operation"]

_ROOMS = (
    accounts,
    administration,
    audit,
    barriers,
    compliance,
    disclosures,
    exchange,
    indicators,
    jobs,
    lookups,
    organisations,
    patterns,
    pseudonyms,
    sharing,
)

CATALOGUE: dict[str, KnownAct] = dict(sorted(item for room in _ROOMS for item in room.ACTS.items()))
"""Every act by its name."""
