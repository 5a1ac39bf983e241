"""Reports and queries in the form in which they are sent: pseudonyms, closed words, no clear value.

The one exception is the place of an induction point, which is public by nature. Values and notes go
along sealed to the organisation's own keys, when it seals.
"""

from collections.abc import Sequence
from typing import Any

from postern.base64url import to_base64url
from postern.pseudonymise import Pseudonym
from postern.rows import ReadRow, Sighting
from postern.sealed_content import NO_TOKEN, record_of
from postern.sealing import Sealer
from postern.terms import terms_on_wire
from postern.vocabulary import Kind

_NOT_OF_PEOPLE = frozenset({Kind.INDUCTION_POINT, Kind.ITEM})


def report(
    client_key: str, row: ReadRow, pseudonyms: Sequence[Pseudonym], sealer: Sealer | None = None
) -> dict[str, Any]:
    """One report; `pseudonyms` are those of the row's sightings, in their order.

    With a sealer, each indicator carries its value and the row's note in envelopes.
    """
    pairs = zip(row.sightings, pseudonyms, strict=True)
    indicators = [_indicator(sighting, pseudonym, row) for sighting, pseudonym in pairs]
    if sealer:
        for place, (indicator, sighting, pseudonym) in enumerate(
            zip(indicators, row.sightings, pseudonyms, strict=True)
        ):
            sealed = _sealed(sealer, record_of(client_key, place), sighting, pseudonym, row.note)
            if sealed:
                indicator["sealed"] = sealed
    found: dict[str, Any] = {"client_key": client_key, "indicators": indicators}
    if row.shipment:
        found["shipment"] = row.shipment
    if row.terms.barrier_step is not None:
        found["barrier_step"] = row.terms.barrier_step
    return found


def query(name: str, pseudonym: Pseudonym) -> dict[str, Any]:
    """One query of a lookup, whose result is found by `name`."""
    found: dict[str, Any] = {
        "id": name,
        "kind": pseudonym.kind.value,
        "tokens": [
            {"facet": each.number, "token": to_base64url(each.token)} for each in pseudonym.facets
        ],
    }
    if pseudonym.epoch:
        found["epoch"] = pseudonym.epoch
    return found


def _sealed(
    sealer: Sealer, record: str, sighting: Sighting, pseudonym: Pseudonym, note: str
) -> dict[str, str]:
    kind, epoch, token = pseudonym.kind, pseudonym.epoch, pseudonym.facets[0].token
    if sighting.place is not None:
        epoch, token = 0, NO_TOKEN
    sealed = {}
    if sighting.fields:
        sealed["value"] = sealer.value(kind, epoch, token, record, sighting.fields)
    if note:
        sealed["note"] = sealer.note(kind, epoch, token, record, note)
    return {part: to_base64url(envelope) for part, envelope in sealed.items()}


def _indicator(sighting: Sighting, pseudonym: Pseudonym, row: ReadRow) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": pseudonym.kind.value,
        "role": sighting.role.value,
        **terms_on_wire(row.terms),
    }
    if sighting.value.flags:
        found["quality"] = sorted(set(sighting.value.flags))
    if pseudonym.kind in _NOT_OF_PEOPLE:
        found.pop("subject_category", None)
    if sighting.place is not None:
        found["place"] = sighting.place
    else:
        found["epoch"] = pseudonym.epoch
        found["elements"] = [
            {"facet": each.number, "element": to_base64url(each.element)}
            for each in pseudonym.facets
            if each.element is not None
        ]
    return found
