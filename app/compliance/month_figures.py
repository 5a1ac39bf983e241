"""The figures of a month of one's own organisation: use, exchange, endings, signals, reviews.

They are counted from the log, which nobody can quietly change, and from what waits today. Small
numbers stand as they are: they are the organisation's own.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.catalogue import CATALOGUE, Operation
from app.audit.entry import Outcome
from app.audit.models import AuditAudience, AuditDetail
from app.clock import milliseconds
from app.compliance import subject_requests
from app.compliance.drawing import begin_of, following, month_of
from app.compliance.models import Anomaly, Finding, Review, ReviewRound, Signal, Verdict
from app.compliance.signals import Waiting, waiting
from app.disclosures import recall_answers, recall_own

MONTHS_BACK = 13  # months that can be chosen, the present one among them

_ROOMS: Mapping[str, tuple[str, ...]] = {
    "disclosures": ("disclosure.", "ledger."),
    "recalls": ("recall.",),
    "endings": (
        "indicator.expire",
        "report.withdraw",
        "audit.erase",
        "audit.retention",
        "hold.",
        "subject.",
        "lookup.expire",
        "outcome.expire",
    ),
}
_READING = (".list", ".read", ".rules-read", ".count")


@dataclass(frozen=True)
class Counted:
    """How often an act was done by one's own people, and by others whom it named."""

    act: str
    own: int
    others: int


@dataclass(frozen=True)
class Use:
    """Who used the platform for what: of one's own acts. `people` are pseudonyms of the log."""

    entries: int
    denied: int
    operations: Mapping[Operation, int]
    purposes: Sequence[tuple[str, int]]
    people: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Today:
    """What waits at the moment of the report."""

    signals: Waiting
    recalls: int
    own_recalls: int
    subjects: int


@dataclass(frozen=True)
class Figures:
    """`is_whole`: the month is over. `rooms` hold acts that change or give something."""

    month: date
    is_whole: bool
    use: Use
    rooms: Mapping[str, Sequence[Counted]]
    raised: Mapping[Signal, int]
    closed: Mapping[Verdict, int]
    judged: Mapping[Verdict | None, int]
    today: Today


def months(now: datetime) -> list[date]:
    """The first days of the months that can be chosen, the newest first."""
    found = [month_of(now)]
    while len(found) < MONTHS_BACK:
        last = found[-1]
        found.append(date(last.year - (last.month == 1), (last.month - 2) % 12 + 1, 1))
    return found


def figures(session: Session, caller: Caller, month: date) -> Figures:
    """The figures of the caller's organisation; the caller of this appends the entry."""
    organisation_id, _ = caller.member
    begins, ends = begin_of(month), begin_of(following(month))
    acts = _acts(session, caller.organisation, begins, ends)
    return Figures(
        month=month,
        is_whole=ends <= clock.now(),
        use=_use(acts, caller.organisation, _people(session, caller.organisation, begins, ends)),
        rooms={room: _counted(acts, caller.organisation, named) for room, named in _ROOMS.items()},
        raised=_raised(session, organisation_id, begins, ends),
        closed=_closed(session, organisation_id, begins, ends),
        judged=_judged(session, organisation_id, month),
        today=Today(
            signals=waiting(session, caller),
            recalls=recall_answers.to_do_count(session, organisation_id),
            own_recalls=recall_own.open_count(session, organisation_id),
            subjects=subject_requests.open_count(session, organisation_id),
        ),
    )


_Rows = Sequence[Row[*tuple[Any, ...]]]


def _acts(session: Session, organisation: str, begins: datetime, ends: datetime) -> _Rows:
    columns = AuditAudience.act, AuditAudience.doer, AuditAudience.purpose, AuditAudience.out
    return session.execute(
        select(*columns, func.count().label("found"))
        .where(
            AuditAudience.org == organisation,
            AuditAudience.t >= milliseconds(begins),
            AuditAudience.t < milliseconds(ends),
        )
        .group_by(*columns)
    ).all()


def _people(
    session: Session, organisation: str, begins: datetime, ends: datetime
) -> Sequence[tuple[str, int]]:
    found = session.execute(
        select(AuditDetail.actor, func.count().label("found"))
        .join_from(
            AuditAudience,
            AuditDetail,
            (AuditDetail.eid == AuditAudience.eid) & (AuditDetail.t == AuditAudience.t),
        )
        .where(
            AuditAudience.org == organisation,
            AuditAudience.doer == organisation,
            AuditAudience.t >= milliseconds(begins),
            AuditAudience.t < milliseconds(ends),
            AuditDetail.actor.is_not(None),
        )
        .group_by(AuditDetail.actor)
    ).all()
    return sorted(((str(row.actor), row.found) for row in found), key=lambda one: (-one[1], one[0]))


def _use(acts: _Rows, organisation: str, people: Sequence[tuple[str, int]]) -> Use:
    operations = Counter(dict.fromkeys(Operation, 0))
    purposes: Counter[str] = Counter()
    denied = 0
    own = [row for row in acts if row.doer == organisation]
    for row in own:
        operations[CATALOGUE[row.act].operation] += row.found
        if row.purpose:
            purposes[row.purpose] += row.found
        denied += row.found if row.out == Outcome.DENIED.value else 0
    return Use(
        entries=sum(row.found for row in own),
        denied=denied,
        operations=operations,
        purposes=purposes.most_common(),
        people=people,
    )


def _counted(acts: _Rows, organisation: str, named: tuple[str, ...]) -> list[Counted]:
    own: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for row in acts:
        if row.act.startswith(named) and not row.act.endswith(_READING) and row.out == "ok":
            (own if row.doer == organisation else others)[row.act] += row.found
    return [Counted(act, own[act], others[act]) for act in sorted(own.keys() | others.keys())]


def _raised(
    session: Session, organisation_id: int, begins: datetime, ends: datetime
) -> Mapping[Signal, int]:
    found = session.execute(
        select(Anomaly.signal, func.count())
        .where(
            Anomaly.organisation_id == organisation_id,
            Anomaly.found_at >= begins,
            Anomaly.found_at < ends,
        )
        .group_by(Anomaly.signal)
    ).all()
    return dict(found)


def _closed(
    session: Session, organisation_id: int, begins: datetime, ends: datetime
) -> Mapping[Verdict, int]:
    found = session.execute(
        select(Anomaly.verdict, func.count())
        .where(
            Anomaly.organisation_id == organisation_id,
            Anomaly.closed_at >= begins,
            Anomaly.closed_at < ends,
        )
        .group_by(Anomaly.verdict)
    )
    return {verdict: count for verdict, count in found if verdict}


def _judged(session: Session, organisation_id: int, month: date) -> Mapping[Verdict | None, int]:
    found = session.execute(
        select(Finding.verdict, func.count())
        .join(ReviewRound, ReviewRound.id == Finding.round_id)
        .join(Review, Review.id == ReviewRound.review_id)
        .where(Review.organisation_id == organisation_id, ReviewRound.month == month)
        .group_by(Finding.verdict)
    ).all()
    return dict(found)
