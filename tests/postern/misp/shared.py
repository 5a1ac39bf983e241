"""Shared indicators as a feed gets them: records written as STIX, and parsed again."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from postern.misp.objects import Shown
from postern.stix.records import EndedRecord, IndicatorRecord, OwnerRecord, ReportRecord
from postern.stix.tokens import exchange_key, exchange_token, reference
from postern.stix.writing import objects_of, revoked
from postern.vocabulary import Handling, Kind, PartyRole, Sector, Tlp
from tests.postern.stix import made

COLLECTION = UUID("5b0d5a3c-9f0e-4a59-8f41-6f3f5d0f7a70")
OWNER = OwnerRecord("post-be", "Post of Belgium", Sector.POST, "BE")
MADE = datetime(2026, 11, 20, 10, tzinfo=UTC)
CLEAR_VALUES = ("Kerkstraat", "Jansen", "1000 Brussel")

_KEY = exchange_key(b"k" * 32, "police-nl")
_FACETS = {
    Kind.PARTY: (2, 1, 1, 7, 5),
    Kind.ADDRESS: (3, 4),
    Kind.VENDOR: (26, 27),
    Kind.PGP: (21,),
    Kind.PHONE: (20,),
    Kind.EMAIL: (22,),
    Kind.PAYMENT: (23,),
    Kind.ITEM: (24, 25),
}


def record(kind: Kind = Kind.PARTY, **said: Any) -> IndicatorRecord:
    """An indicator of a kind as one reader gets it, with tokens; `said` replaces fields."""
    is_point = kind is Kind.INDUCTION_POINT
    tokens = tuple(
        (facet, exchange_token(_KEY, kind, 3, bytes([facet, place]) * 8))
        for place, facet in enumerate(_FACETS.get(kind, ()))
    )
    fields: dict[str, Any] = {
        "name": uuid4(),
        "created": MADE,
        "modified": MADE,
        "owner": OWNER,
        "report": ReportRecord(uuid4(), 3, {"origin_country": "BE", "substance": "mdma"}),
        "role": PartyRole.SENDER,
        "tlp": Tlp.AMBER_STRICT,
        "handling": (Handling.H1, Handling.H2),
        "review_on": date(2027, 1, 1),
        "expires_on": date(2027, 2, 1),
        "observed_from": date(2026, 11, 1),
        "reference": reference(_KEY, uuid4()),
        "epoch": 0 if is_point else 3,
        "tokens": None if is_point else tokens,
        "place": {"operator": "bpost", "code": "1000-01", "country": "BE"} if is_point else None,
    }
    return made.record(kind, **{**fields, **said})


def content(found: IndicatorRecord) -> dict[str, Any]:
    """The stored STIX object of a record, parsed."""
    parsed: dict[str, Any] = json.loads(objects_of(found).own[0].text)
    return parsed


def shown(
    kind: Kind = Kind.PARTY, second: int = 1_000, *, is_changed: bool = False, **said: Any
) -> Shown:
    """What a feed shows of an indicator of a kind."""
    return Shown(content(record(kind, **said)), second, is_changed)


def ended(found: IndicatorRecord, second: int = 2_000) -> Shown:
    """What a feed shows when an indicator that was served is no more."""
    end = EndedRecord(found.name, found.created, found.modified, found.owner, found.kind)
    return Shown(json.loads(revoked(end)[0].text), second, is_changed=True)
