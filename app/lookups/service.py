"""The verbs of lookups: ask, list one's own, and let expire.

A lookup is logged whether or not it finds anything, and every other owner whose indicator it found
gets an entry of its own. What a policy hides changes nothing: not the status, not the body, not a
count.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import CONSOLE, Caller
from app.audit.service import append
from app.clock import day, now
from app.errors import InvalidRequestError
from app.indicators.ledger import Gift, note_given
from app.indicators.telling import Grounds, Told, tell_owners
from app.lookups import storage, value_budget
from app.lookups.answers import Result, results
from app.lookups.query_checks import faults, require_open
from app.lookups.scoring import Query, Ranked, Scored, alerts, gather, rank
from app.lookups.storage import Candidate, Details, OwnLookup
from app.organisations.service import directory
from app.public_ids import new_public_id
from app.replica import read_fresh
from app.runtime import runtime
from app.sharing.engine import CHAIN
from app.sharing.reasons import decided
from app.sharing.service import profile_id
from app.sharing.visibility import Match, matching_tokens
from postern.vocabulary import (
    LegalBasis,
    Level,
    Purpose,
    Role,
    Way,
)

EXPIRY_BATCH = 1000
"""Lookups that one call of `expire` erases."""

RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Answer:
    """One result for each query, in order."""

    lookup: UUID
    asked_at: datetime
    results: list[Result]


@dataclass(frozen=True, slots=True)
class Page:
    """Lookups, newest first; `next` is the cursor of the following page, None on the last."""

    lookups: list[OwnLookup]
    next: UUID | None


@dataclass(frozen=True, slots=True)
class PurposeFigures:
    """Of one purpose in the last 30 days."""

    lookups: int
    with_hits: int
    hits: int


@dataclass(frozen=True, slots=True)
class Figures:
    """An organisation's own lookups of the last 30 days, and the latest ones."""

    lookups: int
    with_hits: int
    hits: int
    by_purpose: Mapping[Purpose, PurposeFigures]
    latest: Sequence[OwnLookup]


def ask(
    session: Session,
    caller: Caller,
    *,
    purpose: Purpose,
    legal_basis: LegalBasis,
    case: str,
    queries: Sequence[Query],
) -> Answer:
    """Find what matches each query and may be seen for this purpose on this legal basis.

    Raises InvalidRequestError for queries that contradict themselves, EpochClosedError (409) when
    one was made under a key epoch that is not open: it could find nothing; QuotaSpentError when the
    budget of different values is used up.
    """
    _check(session, queries)
    organisation_id, person_id = caller.member
    value_budget.spend(session, caller, ((query.kind, query.tokens) for query in queries))
    at = now()
    profile = profile_id(session, organisation_id, Role.ANALYST, purpose, legal_basis)
    found = _search(session, profile, queries, at)
    ranked, details = found.ranked, found.details
    lookup = new_public_id(at)
    row = {
        "public_id": lookup,
        "organisation_id": organisation_id,
        "person_id": person_id,
        "profile_id": profile,
        "asked_at": at,
        "queries": len(queries),
        "hits": sum(len(each.groups) for each in ranked),
        "expires_on": at.date() + timedelta(days=runtime().settings.retention.lookup_days),
    }
    storage.insert_lookup(session, row, _hit_rows(ranked))
    note_given(session, organisation_id, Way.LOOKUP, _gifts(found), at)
    asked = _Asked(lookup, Grounds(purpose, legal_basis, case), queries)
    _log_lookup(session, caller, asked, found)
    _log_matches(session, caller, asked, found)
    return Answer(lookup, at, results(queries, ranked, details))


def list_own(session: Session, caller: Caller, limit: int, cursor: UUID | None = None) -> Page:
    """The organisation's own lookups, newest first; `cursor` is the last id of the page before."""
    organisation_id, _ = caller.member
    lookups, following = storage.page(session, organisation_id, limit, cursor)
    append(
        session,
        caller,
        "lookup.list",
        object_type="lookup",
        count=len(lookups),
        # Not `objects`: a lookup is not to be found by every page on which it was listed.
        details={"listed": [str(lookup.id) for lookup in lookups]},
    )
    return Page(lookups, following)


def expire(session: Session, today: date) -> int:
    """Erase up to EXPIRY_BATCH records of lookups whose last day is over; returns how many."""
    erased = storage.erase_expired(session, today, EXPIRY_BATCH)
    if not erased:
        return 0
    members = directory(session)
    for organisation_id, ids in erased.items():
        append(
            session,
            CONSOLE,
            "lookup.expire",
            audience=[members[organisation_id].code],
            object_type="lookup",
            objects=sorted(map(str, ids)),
        )
    return sum(map(len, erased.values()))


def figures(session: Session, organisation_id: int, latest: int = 5) -> Figures:
    """What a home page shows of an organisation's own lookups."""
    by_purpose = {
        purpose: PurposeFigures(asked, hit, hits)
        for purpose, asked, hit, hits in storage.counts(session, organisation_id, now() - RECENT)
    }
    return Figures(
        lookups=sum(each.lookups for each in by_purpose.values()),
        with_hits=sum(each.with_hits for each in by_purpose.values()),
        hits=sum(each.hits for each in by_purpose.values()),
        by_purpose=by_purpose,
        latest=storage.page(session, organisation_id, latest, None)[0],
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A lookup as the log tells it."""

    lookup: UUID
    grounds: Grounds
    queries: Sequence[Query]


def _check(session: Session, queries: Sequence[Query]) -> None:
    most = runtime().settings.limit.lookup_queries
    errors = []
    if len(queries) > most:
        errors.append(_error("", f"There are more than {most} queries."))
    if len({query.id for query in queries}) != len(queries):
        errors.append(_error("", "Two queries have the same id."))
    for place, query in enumerate(queries):
        for member, reason in faults(query.kind, query.epoch, query.tokens):
            errors.append(_error(f".{place}.{member}", reason))
    if errors:
        raise InvalidRequestError(errors=errors)
    require_open(session, [(query.kind, query.epoch) for query in queries])


def _error(place: str, reason: str) -> dict[str, str]:
    return {"field": f"json.queries{place}", "reason": reason}


@dataclass(frozen=True, slots=True)
class _FoundFor:
    """The hits of each query; `alerts` are those of which their owners alone are told."""

    ranked: list[Ranked]
    alerts: list[Scored]
    details: Mapping[int, Details]


def _search(session: Session, profile: int, queries: Sequence[Query], at: datetime) -> _FoundFor:
    """What matches each query, with what may be shown of it, kept until the commit."""
    tokens = [token for query in queries for _, token in query.tokens]

    def matched(on: Session) -> tuple[Sequence[Match], Mapping[int, Candidate]]:
        matches = matching_tokens(on, profile, tokens, at)
        seen = sorted({match.indicator_id for match in matches})
        return matches, storage.candidates(on, seen, day(at))

    matches, candidates = read_fresh(session, matched)
    found = gather(queries, (match for match in matches if match.level))
    untold = gather(queries, (match for match in matches if not match.level))
    most = runtime().settings.matching.hits_per_query
    while True:
        ranked = [
            rank(query, each, candidates, most) for query, each in zip(queries, found, strict=True)
        ]
        alerted = alerts(queries, untold, candidates)
        told = {hit.candidate.id for hit in (*_all(ranked), *alerted)}
        details = storage.hold_details(session, sorted(told))
        erased = told - details.keys()
        if not erased:
            return _FoundFor(ranked, alerted, details)
        # Withdrawn or expired by another transaction since: rank without them.
        candidates = {key: each for key, each in candidates.items() if key not in erased}


def _all(ranked: Sequence[Ranked]) -> list[Scored]:
    return [hit for each in ranked for group in each.groups for hit in group]


def _hit_rows(ranked: Sequence[Ranked]) -> list[dict[str, Any]]:
    """Rows of `hit`, without the lookup: one for each indicator of each shown group."""
    return [
        {
            "query": place,
            "indicator_id": hit.candidate.id,
            "level": CHAIN.index(_level(hit)) + 1,
            "points": hit.score.points,
            "band": hit.band,
            "grant_reason_id": hit.grant_reason_id,
        }
        for place, each in enumerate(ranked)
        for group in each.groups
        for hit in group
    ]


def _gifts(found: _FoundFor) -> list[Gift]:
    """What the asker got by its id: a presence gives nothing that could be called back."""
    return [
        Gift(
            found.details[hit.candidate.id].columns["id"],
            hit.candidate.organisation_id,
            CHAIN.index(_level(hit)) + 1,
            hit.tells_owner,
        )
        for hit in _all(found.ranked)
        if hit.level is not Level.PRESENCE
    ]


def _log_lookup(session: Session, caller: Caller, asked: _Asked, found: _FoundFor) -> None:
    shown = [hit for hit in _all(found.ranked) if hit.level is not Level.PRESENCE]
    reasons = decided(session, (hit.grant_reason_id for hit in shown))
    append(
        session,
        caller,
        "lookup.ask",
        purpose=asked.grounds.purpose,
        basis=asked.grounds.legal_basis,
        case=asked.grounds.case,
        object_type="lookup",
        objects=[str(asked.lookup), *_told_ids(found)],
        count=len(asked.queries),
        results=_results(found),
        details={
            "query": dict(Counter(query.kind.value for query in asked.queries)),
            "hits": sum(len(each.groups) for each in found.ranked),
            "policies": sorted({reasons[hit.grant_reason_id].name for hit in shown}),
        },
    )


def _results(found: _FoundFor) -> list[list[str]]:
    """What the asker was told, as its own log keeps it.

    A presence is one line that names the owner: the ids would tell how many it holds.
    """
    told = []
    for group in (group for each in found.ranked for group in each.groups):
        details = found.details[group[0].candidate.id]
        level = _level(group[0])
        subject = details.owner.code if level is Level.PRESENCE else details.public_id
        told.append([subject, level.value])
    return told


def _told_ids(found: _FoundFor) -> list[str]:
    """The indicators that the asker was told of by their ids: none at presence."""
    shown = (hit for hit in _all(found.ranked) if hit.level is not Level.PRESENCE)
    return sorted({found.details[hit.candidate.id].public_id for hit in shown})


def _log_matches(session: Session, caller: Caller, asked: _Asked, found: _FoundFor) -> None:
    """Tell every other owner that is to be told which of its indicators were found, and why."""
    hits = [hit for hit in (*_all(found.ranked), *found.alerts) if hit.tells_owner]
    told = []
    for hit in hits:
        details = found.details[hit.candidate.id]
        told.append(Told(details.owner.code, details.public_id, hit.level, hit.grant_reason_id))
    tell_owners(session, caller, "indicator.match", asked.grounds, told=told)


def _level(hit: Scored) -> Level:
    """The level of a hit that the reader is told of."""
    if hit.level is None:
        raise LookupError("the reader is not told of this hit")
    return hit.level
