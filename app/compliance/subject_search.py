"""What one's own organisation holds of a person: found by tokens that were made on premises.

Who the person is never comes here. The answer names each holding, who got something of it, what was
called back, what keeps it and who asked for it; what is kept of the search are counts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.service import append
from app.compliance.subject_requests import SubjectRequestClosedError, own
from app.disclosures.models import DisclosureRequest, Recall
from app.errors import InvalidRequestError
from app.indicators import holds, ledger
from app.indicators.holdings import Holding, held
from app.indicators.holds import Hold
from app.indicators.models import ReportStatus
from app.lookups.query_checks import faults, require_open
from app.lookups.scoring import Query, numbers
from app.organisations.service import Member, directory
from app.runtime import runtime
from postern.matching import score
from postern.vocabulary import (
    Band,
    Kind,
    PartyRole,
    RecallKind,
    RecallReason,
    RequestState,
    SubjectRequestState,
    Way,
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who got something of a holding, how and how far: 2 metadata, 3 on request, 4 in clear."""

    organisation: Member
    ways: Sequence[Way]
    level: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Recalled:
    """That recipients were called upon to erase or correct; open while `completed_at` is None."""

    id: UUID
    kind: RecallKind
    reason: RecallReason
    made_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Requested:
    """That another organisation asked for the clear text of a holding."""

    id: UUID
    requester: Member
    state: RequestState
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """One of the organisation's own indicators that a query matches, and all that became of it."""

    query: str
    indicator: UUID
    report: UUID
    kind: Kind
    role: PartyRole
    status: ReportStatus
    expires_on: date
    restricted: bool
    band: Band
    recipients: Sequence[Recipient]
    recalls: Sequence[Recalled]
    holds: Sequence[Hold]
    requests: Sequence[Requested]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, query by query; nothing of it is stored but the counts."""

    request: UUID
    searched_at: datetime
    holdings: list[Found]


def search(session: Session, caller: Caller, request_id: UUID, queries: Sequence[Query]) -> Answer:
    """Find what the organisation itself holds under the tokens of the queries.

    UnknownSubjectRequestError, SubjectRequestClosedError, InvalidRequestError for queries that
    contradict themselves, EpochClosedError (409) for tokens of a key epoch that is not open.
    """
    row = own(session, caller, request_id)
    if row.state is not SubjectRequestState.OPEN:
        raise SubjectRequestClosedError
    _check(session, queries)
    organisation_id, _ = caller.member
    at = clock.now()
    tokens = (token for query in queries for _, token in query.tokens)
    holdings = held(session, organisation_id, tokens)
    matched = [
        (query.id, holding, band)
        for query in queries
        for holding in holdings
        if (band := _band(query, holding)) is not None
    ]
    told = _Told(session, organisation_id, [holding for _, holding, _ in matched])
    found = [told.of(*each) for each in matched]
    distinct = {each.indicator for each in found}
    recipients = {one.organisation.code for each in found for one in each.recipients}
    row.searched_at, row.holdings, row.recipients = at, len(distinct), len(recipients)
    session.flush()
    append(
        session,
        caller,
        "subject.search",
        object_type="subject-request",
        objects=[str(request_id)],
        count=len(distinct),
        details={
            "query": dict(Counter(query.kind.value for query in queries)),
            "holdings": len(distinct),
            "recipients": len(recipients),
        },
    )
    return Answer(request_id, at, found)


def _check(session: Session, queries: Sequence[Query]) -> None:
    most = runtime().settings.limit.lookup_queries
    errors = []
    if len(queries) > most:
        errors.append(_error("", f"There are more than {most} queries."))
    if len({query.id for query in queries}) != len(queries):
        errors.append(_error("", "Two queries have the same id."))
    for place, query in enumerate(queries):
        errors += [
            _error(f".{place}.{member}", reason)
            for member, reason in faults(query.kind, query.epoch, query.tokens)
        ]
    if errors:
        raise InvalidRequestError(errors=errors)
    require_open(session, [(query.kind, query.epoch) for query in queries])


def _error(place: str, reason: str) -> dict[str, str]:
    return {"field": f"json.queries{place}", "reason": reason}


def _band(query: Query, holding: Holding) -> Band | None:
    """How well the holding matches: the measure of lookups; None when no facet agrees enough."""
    agreeing = Counter(facet for facet, token in query.tokens if token in holding.tokens)
    if not agreeing:
        return None
    common = numbers(holding.facets_common)
    return score(
        query.kind,
        agreeing,
        query=frozenset(facet for facet, _ in query.tokens),
        candidate=numbers(holding.facets_stored) | common,
        common=common,
    ).band


class _Told:
    """What became of the holdings, read once for all of them."""

    def __init__(self, session: Session, organisation_id: int, holdings: Sequence[Holding]) -> None:
        ids = sorted({holding.id for holding in holdings})
        members = directory(session)
        self.recipients = {each: _recipients(session, each, members) for each in ids}
        self.recalls: dict[UUID, list[Recalled]] = {}
        for recall in session.scalars(
            select(Recall)
            .where(Recall.owner_id == organisation_id, Recall.indicator.in_(ids))
            .order_by(Recall.id)
        ):
            told = Recalled(
                recall.public_id, recall.kind, recall.reason, recall.made_at, recall.completed_at
            )
            self.recalls.setdefault(recall.indicator, []).append(told)
        self.requests: dict[UUID, list[Requested]] = {}
        for asked in session.scalars(
            select(DisclosureRequest)
            .where(
                DisclosureRequest.owner_id == organisation_id, DisclosureRequest.indicator.in_(ids)
            )
            .order_by(DisclosureRequest.id)
        ):
            requester = members[asked.requester_id]
            made = Requested(asked.public_id, requester, asked.state, asked.made_at)
            self.requests.setdefault(asked.indicator, []).append(made)
        self.holds: dict[UUID, list[Hold]] = {}
        reports = sorted({holding.report for holding in holdings})
        for one in holds.of_reports(session, organisation_id, reports):
            self.holds.setdefault(one.report, []).append(one)

    def of(self, query: str, holding: Holding, band: Band) -> Found:
        return Found(
            query=query,
            indicator=holding.id,
            report=holding.report,
            kind=holding.kind,
            role=holding.role,
            status=holding.status,
            expires_on=holding.expires_on,
            restricted=holding.restricted_at is not None,
            band=band,
            recipients=self.recipients[holding.id],
            recalls=self.recalls.get(holding.id, ()),
            holds=self.holds.get(holding.report, ()),
            requests=self.requests.get(holding.id, ()),
        )


def _recipients(
    session: Session, indicator: UUID, members: Mapping[int, Member]
) -> list[Recipient]:
    return [
        Recipient(members[each.organisation_id], each.ways, each.level, each.first_at, each.last_at)
        for each in ledger.recipients(session, indicator)
        if each.is_named  # the organisation's own policy lets the others stay untold
    ]
