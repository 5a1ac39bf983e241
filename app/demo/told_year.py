"""A made-up year as if its members had told it report by report, up to the last closed week.

Set-based, for a demonstration cannot wait a year: rows as the verbs write them, each on its day,
with one entry of the log for each member. A report names its induction point alone, so that nothing
of a person is needed; a point of so many reports is too common for lookups to find it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.barriers import closing, modelling, registering
from app.barriers.methods.disclosure_control import Grain, closed_week, first_day
from app.barriers.model import Cost
from app.barriers.models import StepTag, StepTagSignal
from app.barriers.registering import NewBarrier, Place
from app.clock import day, now
from app.demo.barrier_year import (
    BARRED,
    BARRIER_AT,
    DISPLACED_AT,
    FALLING,
    FIRST,
    WEEKS,
    MadeReport,
)
from app.disclosures.models import Outcome
from app.indicators import storage
from app.indicators.models import Report, ReportStatus
from app.public_ids import new_public_ids
from app.sharing.classes import ClassAttributes
from app.sharing.service import share_class_ids
from postern import normalise
from postern.facets import facets
from postern.vocabulary import (
    Assertion,
    InformationGrade,
    Kind,
    LegalBasis,
    PartyRole,
    PermittedAction,
    SourceGrade,
    SubjectCategory,
    Tlp,
)

OPERATOR = "example-post"
"""Whose induction points they are."""

_LIVES = timedelta(days=548)  # from the day of the report: the whole year is there at its end
_REVIEWED = timedelta(days=274)
_NOON = time(12, tzinfo=UTC)


def begins(at: datetime) -> date:
    """The Monday on which a year begins that ends with the last four of weeks that is over."""
    last = closing.last_period(closed_week(at.date()))
    return first_day((last + 1) * Grain.FOUR_WEEKS - WEEKS)


def day_of_week(at: datetime, week: int) -> date:
    """The Monday of this week of that year."""
    return begins(at) + timedelta(weeks=week)


def tell(session: Session, made: Iterable[MadeReport], members: Mapping[str, Caller]) -> int:
    """Store the reports with their tags and outcomes as the members' own; returns how many.

    `members` has, by the owner that the year names, a person of the organisation that reports. Its
    barrier model must be in force: NoModelError.
    """
    told = 0
    at = now()
    of_member: dict[Caller, list[MadeReport]] = {}
    for each in made:
        of_member.setdefault(members[each.owner], []).append(each)
    for caller, reports in of_member.items():
        _Telling(session, caller, at).tell(reports)
        told += len(reports)
    return told


def set_barriers(session: Session, members: Mapping[str, Caller]) -> None:
    """Register what the members set in that year, and before; NoModelError.

    The first is the one that a plan may make effective. Another begins where a plan may make the
    flow move; what moves is no effect of it that a count could show.
    """
    at = now()
    for each in _BARRIERS:
        new = NewBarrier(
            step=each.step,
            key=each.key,
            from_day=day_of_week(at, each.week),
            to_day=None,
            expires_on=None,
            cost=each.cost,
            legal_basis=LegalBasis.PUBLIC_TASK,
            place=Place(each.country),
        )
        registering.register(session, members[each.owner], new)


@dataclass(frozen=True, slots=True)
class _MadeBarrier:
    owner: str
    step: int
    key: str  # of the shipped model
    country: str | None
    week: int  # of the year; below 0 before it
    cost: Cost


_BARRIERS = (
    _MadeBarrier("customs-a", 6, "more-customs-checks", BARRED, BARRIER_AT, Cost.MEDIUM),
    _MadeBarrier("police-a", 6, "joint-post-team", FALLING, DISPLACED_AT, Cost.MEDIUM),
    _MadeBarrier("post-a", 5, "point-alert", "BE", -20, Cost.LOW),
    _MadeBarrier("post-a", 4, "return-address-check", None, -8, Cost.LOW),
)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A report with the keys of its row and of its indicator's."""

    made: MadeReport
    at: datetime
    id: int
    public_id: UUID
    indicator: UUID


class _Telling:
    """What one member tells; `at` decides on which days it does."""

    def __init__(self, session: Session, caller: Caller, at: datetime) -> None:
        self._session = session
        self._organisation_id, self._person_id = caller.member
        self._caller = caller
        self._at = at
        self._later = begins(at) - FIRST

    def tell(self, reports: Sequence[MadeReport]) -> None:
        stored = self._store(reports)
        self._insert_indicators(stored)
        self._insert_tags(stored)
        outcomes = [row for each in stored for row in self._outcomes(each)]
        if outcomes:
            self._session.execute(insert(Outcome), outcomes)
        append(
            self._session,
            self._caller,
            "report.submit",
            basis=LegalBasis.PUBLIC_TASK.value,
            object_type="report",
            count=len(stored),
            details={
                "counts": {"created": len(stored)},
                "kinds": {Kind.INDUCTION_POINT.value: len(stored)},
                "bases": {LegalBasis.PUBLIC_TASK.value: len(stored)},
            },
        )

    def _store(self, reports: Sequence[MadeReport]) -> list[_Stored]:
        times = [datetime.combine(each.day + self._later, _NOON) for each in reports]
        public_ids = new_public_ids(len(reports), self._at)
        indicators = new_public_ids(len(reports), self._at)
        rows = [self._report(*each) for each in zip(reports, times, public_ids, strict=True)]
        ids = self._session.scalars(
            insert(Report).returning(Report.id, sort_by_parameter_order=True), rows
        ).all()
        return [
            _Stored(*each) for each in zip(reports, times, ids, public_ids, indicators, strict=True)
        ]

    def _report(self, made: MadeReport, at: datetime, public_id: UUID) -> dict[str, Any]:
        return {
            "public_id": public_id,
            "organisation_id": self._organisation_id,
            "person_id": self._person_id,
            "client_key": public_id.hex,
            "content_hash": hashlib.sha256(public_id.bytes).digest(),
            "status": ReportStatus.ACTIVE,
            "created_at": at,
            "barrier_step": made.step,
            "origin_country": made.origin,
            "destination_country": made.destination,
            "service": made.service,
            "weight_band": made.weight,
            "value_band": made.value,
            "declared_category": made.category,
            "hs_chapter": made.hs_chapter,
            "concealment": made.concealment,
            "substance": made.substance,
            "key": made.key,
        }

    def _insert_indicators(self, stored: Sequence[_Stored]) -> None:
        classes = share_class_ids(
            self._session, self._organisation_id, {_share_class(each.made) for each in stored}
        )
        ids = storage.reserve_indicator_ids(self._session, len(stored))
        rows = [
            self._indicator(each, row_id, classes[_share_class(each.made)])
            for each, row_id in zip(stored, ids, strict=True)
        ]
        storage.insert_indicators(self._session, rows)

    def _indicator(self, stored: _Stored, row_id: int, class_id: int) -> dict[str, Any]:
        on = stored.at.date()
        attributes = _share_class(stored.made)
        return {
            "id": row_id,
            "public_id": stored.indicator,
            "report_id": stored.id,
            "organisation_id": self._organisation_id,
            "share_class_id": class_id,
            "seen_day": day(stored.at),
            "kind": attributes.kind,
            "role": attributes.role,
            "subject_category": SubjectCategory.UNKNOWN,
            "assertion": attributes.assertion,
            "source_grade": attributes.source_grade,
            "information_grade": attributes.information_grade,
            "learned": stored.made.learned,
            "legal_basis": LegalBasis.PUBLIC_TASK,
            "tlp": attributes.tlp,
            "handling": [],
            "permitted_action": attributes.permitted_action,
            "observed_from": on,
            "observed_to": on,
            "review_on": on + _REVIEWED,
            "expires_on": on + _LIVES,
            "quality": [],
            "epoch": 0,
            "facets_stored": 0,
            "facets_common": _facets(stored.made.point),
            "tokens": b"",
            "also_epoch": None,
            "place": _place(stored.made.point),
        }

    def _insert_tags(self, stored: Sequence[_Stored]) -> None:
        _, version = modelling.used(self._session, self._organisation_id)
        rows: list[dict[str, Any]] = [
            {
                "organisation_id": self._organisation_id,
                "report_id": each.id,
                "version_id": version.id,
                "step": each.made.step,
                "suggested": {},
                "rejected": [],
                "made_at": each.at,
                "made_by": self._caller.person,
            }
            for each in stored
        ]
        ids = self._session.scalars(
            insert(StepTag).returning(StepTag.id, sort_by_parameter_order=True), rows
        ).all()
        self._session.execute(
            insert(StepTagSignal),
            [
                {"tag_id": tag_id, "signal": signal}
                for tag_id, each in zip(ids, stored, strict=True)
                for signal in sorted(each.made.signals)
            ],
        )

    def _outcomes(self, stored: _Stored) -> Iterator[dict[str, Any]]:
        """Those of which the year's end had not come yet are left out."""
        for each in stored.made.outcomes:
            at = datetime.combine(each.day + self._later, _NOON)
            if at > self._at:
                continue
            (public_id,) = new_public_ids(1, at)
            yield {
                "public_id": public_id,
                "indicator": stored.indicator,
                "report": stored.public_id,
                "owner_id": self._organisation_id,
                "teller_id": self._organisation_id,
                "person": self._caller.person,
                "asked": each.asked,
                "located": each.located,
                "held": each.held,
                "examined": each.examined,
                "result": each.result,
                "kind": Kind.INDUCTION_POINT,
                "learned": stored.made.learned,
                "source_grade": SourceGrade.B,
                "barrier_step": stored.made.step,
                "made_at": at,
            }


def _share_class(made: MadeReport) -> ClassAttributes:
    return ClassAttributes(
        kind=Kind.INDUCTION_POINT,
        role=PartyRole.INDUCTION_POINT,
        tlp=Tlp.GREEN,
        handling=frozenset(),
        source_grade=SourceGrade.B,
        information_grade=InformationGrade.TWO,
        assertion=Assertion.ASSESSMENT,
        permitted_action=PermittedAction.WATCH,
        barrier_step=made.step,
        substance=made.substance,
    )


def _place(point: str) -> dict[str, str]:
    country, _, code = point.partition("-")
    return {"operator": OPERATOR, "code": code, "country": country}


@cache
def _facets(point: str) -> int:
    """The facets of an induction point, as bits."""
    found = facets(normalise.normalise(normalise.InductionPoint(**_place(point))))
    return sum(1 << each.number for each in found)
