"""From rows to STIX as one reader gets it: its own names, and its own tokens in place of values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.clock import microseconds
from app.organisations.service import Member
from app.runtime import runtime
from app.secret_files import Sealer
from app.sharing.engine import CHAIN
from postern.stix import tokens, writing
from postern.stix.names import derived, moment
from postern.stix.records import (
    EndedRecord,
    Entry,
    IndicatorRecord,
    OwnerRecord,
    Rendered,
    ReportRecord,
)
from postern.vocabulary import Kind, Purpose

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Keys:
    """The exchange key of each organisation, and the seal of the cases; one for the process."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._known: dict[str, bytes] = {}
        self._sealer = Sealer(secret)

    def of(self, organisation: str) -> bytes:
        """32 bytes: the exchange key of the organisation with this code."""
        if organisation not in self._known:
            self._known[organisation] = tokens.exchange_key(self._secret, organisation)
        return self._known[organisation]

    def seal_case(self, collection: UUID, case: str) -> bytes:
        """The case for which a collection was opened, bound to it."""
        return self._sealer.seal(case.encode(), b"postern/exchange-case/v1" + collection.bytes)

    def open_case(self, collection: UUID, sealed: bytes) -> str:
        """The case of a collection. ValueError for what was sealed for another."""
        return self._sealer.open(sealed, b"postern/exchange-case/v1" + collection.bytes).decode()


@dataclass(frozen=True, slots=True)
class Reading:
    """Who reads, and of which collection the names are."""

    organisation: str
    collection: UUID
    purposes: tuple[Purpose, ...] = ()


def key_of(organisation: str) -> bytes:
    """The exchange key by which an organisation knows on its own premises what an object is of."""
    return runtime().part(Keys).of(organisation)


def name_of(collection: UUID, indicator: UUID, generation: int) -> UUID:
    """The name of an indicator in a collection; another once it was revoked and comes again."""
    return derived("exchange", str(collection), str(indicator), str(generation))


def owner_record(member: Member) -> OwnerRecord:
    """An organisation as it is written into objects."""
    return OwnerRecord(member.code, member.name, member.sector, member.country)


def render(
    reading: Reading,
    row: Mapping[str, Any],
    owner: OwnerRecord,
    *,
    name: UUID,
    created: int,
    modified: int,
    postings: Sequence[tuple[int, bytes]] | None,
) -> Rendered:
    """The objects of an indicator whose columns are `row` (`view_reading.wanted`).

    `created` and `modified` are microseconds since 1970. `postings` are facets and match tokens,
    None where the reader may not match on its own premises: then a reference stands in their place.
    """
    key = key_of(reading.organisation)
    kind, epoch = row["kind"], row["epoch"]
    record = IndicatorRecord(
        name=name,
        created=at(created),
        modified=at(modified),
        owner=owner,
        report=ReportRecord(row["report"], row["barrier_step"], row["shipment"]),
        level=CHAIN[row["granted_level"] - 1],
        kind=kind,
        role=row["role"],
        subject_category=row["subject_category"],
        assertion=row["assertion"],
        source_grade=row["source_grade"],
        information_grade=row["information_grade"],
        learned=row["learned"],
        legal_basis=row["legal_basis"],
        tlp=row["tlp"],
        handling=tuple(row["handling"]),
        permitted_action=row["permitted_action"],
        review_on=row["review_on"],
        expires_on=row["expires_on"],
        reference=tokens.reference(key, row["id"]),
        observed_from=row["observed_from"],
        observed_to=row["observed_to"],
        quality=tuple(row["quality"]),
        epoch=epoch,
        tokens=None
        if not postings
        else tuple(
            (facet, tokens.exchange_token(key, kind, epoch, token)) for facet, token in postings
        ),
        place=row["place"],
        purposes=reading.purposes,
    )
    return writing.objects_of(record)


def render_ended(
    owner: OwnerRecord, *, name: UUID, created: int, modified: int, kind: Kind
) -> Sequence[Entry]:
    """The objects of an indicator that was served and is no more: that they are revoked."""
    return writing.revoked(EndedRecord(name, at(created), at(modified), owner, kind))


def version_of(entry: Entry) -> int:
    """The version of an object in microseconds since 1970."""
    found = moment(entry.version)
    if found is None:
        raise ValueError(f"{entry.version} is no version")
    return microseconds(found)


def at(number: int) -> datetime:
    """The aware moment of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=number)
