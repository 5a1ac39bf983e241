"""One audit entry: canonical record, salted disclosures and the leaf that fixes them.

The layers themselves are `postern.audit.record`, so that members check what the platform makes with
the code that made it, or with any other. Nothing here touches a database.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from postern.audit.record import canonical, disclosure, disclosure_digest, leaf_of
from postern.base64url import to_base64url


class Outcome(StrEnum):
    """How the act ended."""

    OK = "ok"
    DENIED = "denied"
    ERROR = "error"


@dataclass(frozen=True)
class Act:
    """What happened, as the acting room tells it.

    `details` are opened only to the audience and can be erased: actor, case reference, reasons,
    object ids. Never a clear identifier and never a token: a query is told by kinds and counts.
    """

    act: str
    organisation: str
    audience: frozenset[str]
    outcome: Outcome = Outcome.OK
    purpose: str = ""
    basis: str = ""
    object_type: str = ""
    count: int = 0
    results: Sequence[Any] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """The bytes to store: `record` and `leaf` as hashed, `disclosures` one per detail."""

    record_id: str
    record: bytes
    leaf: bytes
    disclosures: tuple[str, ...]


def make(act: Act, at: int, tag_keys: Mapping[str, bytes]) -> Entry:
    """Build the entry of `act` at `at` (milliseconds since 1970).

    `tag_keys` holds the tag key of each organisation in the audience. NotCanonicalError when a
    value does not fit the canonical profile.
    """
    opened = {name: disclosure(name, value) for name, value in sorted(act.details.items())}
    if not opened:
        # The record must always carry one salted digest, else outsiders could guess it.
        opened = {"none": disclosure("none", True)}
    record_id = to_base64url(os.urandom(16))
    record = canonical(
        {
            "v": 1,
            "id": record_id,
            "t": at,
            "act": act.act,
            "org": act.organisation,
            "aud": sorted(act.audience),
            "out": act.outcome.value,
            "basis": act.basis,
            "purpose": act.purpose,
            "obj": act.object_type,
            "n": act.count,
            "rh": to_base64url(hashlib.sha256(canonical(list(act.results))).digest()),
            "f": {name: disclosure_digest(opening) for name, opening in opened.items()},
        }
    )
    leaf = leaf_of(record, [tag_keys[code] for code in sorted(act.audience)])
    return Entry(record_id, record, leaf, tuple(opened.values()))
