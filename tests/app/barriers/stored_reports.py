"""Reports as they stand in the tables, in bulk and on any day: what the board counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.indicators.models import Indicator, Report, ReportStatus
from app.sharing.classes import ClassAttributes
from app.sharing.service import share_class_ids
from postern.vocabulary import Concealment, PartyRole, Substance, Tlp
from tests.app.sharing.world import like

CLASSES = (
    like(role=PartyRole.SENDER, tlp=Tlp.CLEAR),
    like(role=PartyRole.ADDRESSEE, tlp=Tlp.GREEN),
    like(role=PartyRole.SENDER, tlp=Tlp.AMBER),
)

Owners = Mapping[str, tuple[int, int]]
"""The inner keys of each organisation and of a person of it, by the organisation's code."""


@dataclass(frozen=True)
class Named:
    """An indicator of a report: its class, and its days from today on."""

    attributes: ClassAttributes
    age: int
    expires_in: int
    place: tuple[str, str, str] | None = None
    is_restricted: bool = False


@dataclass(frozen=True)
class Made:
    """A report as it is stored; `sent` is how many days ago."""

    owner: str
    step: int | None
    origin: str | None
    destination: str | None
    substance: Substance | None
    concealment: Concealment | None
    key: int
    sent: int
    is_withdrawn: bool
    indicators: tuple[Named, ...]


def plain(owner: str, age: int, *, step: int = 3, key: int = 7, ends: int = 400) -> Made:
    """A report with one indicator of the first class, which ends in so many days."""
    named = Named(CLASSES[0], age, ends)
    return Made(owner, step, "NL", "US", Substance.MDMA, None, key, age, False, (named,))


def store(session: Session, reports: Sequence[Made], at: datetime, owners: Owners) -> list[int]:
    """Put the reports in; returns their keys."""
    ids: list[int] = []
    rows: list[dict[str, Any]] = []
    classes = {
        code: share_class_ids(session, owner, CLASSES) for code, (owner, _) in owners.items()
    }
    keys = {uuid4().hex: each for each in reports}
    session.execute(
        insert(Report),
        [_report(each, client_key, at, owners[each.owner]) for client_key, each in keys.items()],
    )
    made = dict(
        session.execute(
            select(Report.client_key, Report.id).where(
                Report.organisation_id.in_([owner for owner, _ in owners.values()])
            )
        ).all()
    )
    for client_key, each in keys.items():
        ids.append(made[client_key])
        rows += [
            _row(
                named,
                at=at,
                report_id=made[client_key],
                organisation_id=owners[each.owner][0],
                share_class_id=classes[each.owner][named.attributes],
            )
            for named in each.indicators
        ]
    session.execute(insert(Indicator), rows)
    return ids


def forget(session: Session, ids: Sequence[int]) -> None:
    """Take reports out again."""
    session.execute(delete(Report).where(Report.id.in_(ids)))


def _report(made: Made, client_key: str, at: datetime, owner: tuple[int, int]) -> dict[str, Any]:
    organisation_id, person_id = owner
    return {
        "public_id": uuid4(),
        "organisation_id": organisation_id,
        "person_id": person_id,
        "client_key": client_key,
        "content_hash": b"-" * 32,
        "status": ReportStatus.WITHDRAWN if made.is_withdrawn else ReportStatus.ACTIVE,
        "created_at": at - timedelta(days=made.sent),
        "barrier_step": made.step,
        "origin_country": made.origin,
        "destination_country": made.destination,
        "substance": made.substance,
        "concealment": made.concealment,
        "key": made.key,
    }


def _row(named: Named, *, at: datetime, **ids: int) -> dict[str, Any]:
    ends = at.date() + timedelta(days=named.expires_in)
    attributes = named.attributes
    place = None
    if named.place:
        place = dict(zip(("country", "operator", "code"), named.place, strict=True))
    return {
        **ids,
        "public_id": uuid4(),
        "seen_day": (at.date() - date(1970, 1, 1)).days - named.age,
        "kind": attributes.kind,
        "role": attributes.role,
        "subject_category": "unknown",
        "assertion": attributes.assertion,
        "source_grade": attributes.source_grade,
        "information_grade": attributes.information_grade,
        "learned": "carrier_record",
        "legal_basis": "postal_law",
        "tlp": attributes.tlp,
        "handling": [],
        "permitted_action": attributes.permitted_action,
        "review_on": ends,
        "expires_on": ends,
        "quality": [],
        "epoch": 1,
        "facets_stored": 1,
        "facets_common": 0,
        "tokens": b"",
        "place": place,
        "restricted_at": at if named.is_restricted else None,
    }
