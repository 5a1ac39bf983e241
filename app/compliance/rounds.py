"""Rounds of reviews: the month's sample is drawn by a duty, and people judge each entry of it.

Whoever did an act never judges it. A round closes with its last judgement and then stands.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.audit import reading
from app.audit.models import AuditAudience, AuditCheckpoint, AuditDetail, AuditEntry, AuditSeq
from app.audit.reading import ReadEntry
from app.audit.service import append
from app.clock import milliseconds
from app.compliance.drawing import begin_of, drawn, following, month_of, whole_months
from app.compliance.models import Finding, Review, ReviewRound, Verdict
from app.compliance.reviews import Kinds, Round, round_of, title_of
from app.compliance.sealing import clean_note, notes, wrong
from app.errors import ConflictError, NotAllowedError, NotFoundError
from app.jobs.notifications import notify
from app.organisations.service import directory
from app.public_ids import new_public_id
from postern.base64url import to_base64url
from postern.tlog.hashing import leaf_hash
from postern.vocabulary import Role

SETTLED = timedelta(hours=1)
"""After a month's end, until every act of it is over and its entry stands in the tree."""

_FETCHED = 1000  # rows at a time, of a month that may have a million
_NEEDS_A_NOTE = frozenset({Verdict.MISTAKE, Verdict.BREACH, Verdict.UNCLEAR})
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")  # with which a spreadsheet would begin to compute


class UnknownRoundError(NotFoundError):
    code = "review-round-unknown"
    title = "There is no such round of a review for you"
    remedy = "Read the review at /api/v1/reviews; it names its rounds."


class RoundClosedError(ConflictError):
    code = "review-round-closed"
    title = "Every entry of the round is judged, and the round stands as it is"
    remedy = "Record what you found later in a round that is open, or in your own file."


class OwnActError(NotAllowedError):
    code = "review-own-act"
    title = "You did this act yourself, so somebody else must judge it"
    remedy = "Ask another compliance officer of your organisation."


@dataclass(frozen=True)
class Judged:
    """One drawn entry and what was found of it.

    `entry` is None when it has left the database for an archive. `is_own`: the reader did it.
    """

    place: int
    at: int  # milliseconds since 1970
    entry: ReadEntry | None
    verdict: Verdict | None
    note: str
    judged_by: UUID | None
    judged_at: datetime | None
    is_own: bool


@dataclass(frozen=True)
class Sample:
    """A round with its drawn entries, in the order in which they were drawn."""

    round: Round
    title: str
    kinds: Kinds
    findings: Sequence[Judged]


@dataclass(frozen=True)
class _Drawable:
    eid: int
    t: int


def draw_due(session: Session) -> int:
    """Draw what is due for every review of every organisation; returns how many rounds.

    A month is drawn once it is over by SETTLED, all its entries have their place in the tree, and
    a checkpoint was signed after its end.
    """
    last = clock.now() - SETTLED
    drawn_rounds = 0
    members = directory(session)
    reviews = session.scalars(
        select(Review).where(Review.ended_at.is_(None)).order_by(Review.id)
    ).all()
    for review in reviews:
        member = members[review.organisation_id]
        if not member.is_active:
            continue
        done = set(
            session.scalars(select(ReviewRound.month).where(ReviewRound.review_id == review.id))
        )
        for month in whole_months(month_of(review.created_at), last):
            if month not in done:
                drawn_rounds += _draw(session, review, member.code, month)
    return drawn_rounds


def read_round(session: Session, caller: Caller, round_id: UUID) -> Sample:
    """A round with its entries; UnknownRoundError for another organisation's as for none."""
    row, review = _own(session, caller, round_id)
    sample = _sample(session, caller, row, review)
    append(
        session,
        caller,
        "review.read",
        object_type="review-round",
        objects=[str(round_id)],
        count=len(sample.findings),
        results=[each.entry.fields["id"] for each in sample.findings if each.entry],
    )
    return sample


def judge(
    session: Session,
    caller: Caller,
    round_id: UUID,
    *,
    place: int,
    verdict: Verdict,
    note: str,
) -> Sample:
    """Record what was found of the entry at `place` of the sample; again to correct it.

    The last judgement closes the round. UnknownRoundError, also for a place that is not in the
    sample, RoundClosedError, OwnActError, and InvalidRequestError for a note that cannot be kept or
    is missing where the entry was not found in order.
    """
    row, review = _own(session, caller, round_id)
    finding = session.get(Finding, (row.id, place))
    if finding is None:
        raise UnknownRoundError
    if row.closed_at is not None:
        raise RoundClosedError
    if _actor(session, finding) == str(caller.person):
        raise OwnActError
    text = clean_note(note)
    if not text and verdict in _NEEDS_A_NOTE:
        raise wrong("note", "Say in a note what you found.")
    finding.verdict = verdict
    finding.sealed_note = notes().seal(text, round_id, place) if text else None
    finding.judged_by, finding.judged_at = caller.pseudonym, clock.now()
    session.flush()
    if _waiting(session, row) == 0:
        row.closed_at = clock.now()
    append(
        session,
        caller,
        "review.judge",
        object_type="review-round",
        objects=[str(round_id)],
        details={"place": place, "verdict": verdict.value},
    )
    return _sample(session, caller, row, review)


def findings_csv(session: Session, caller: Caller, round_id: UUID) -> bytes:
    """The findings of a round as CSV (UTF-8, RFC 4180), to be kept with the file of the review.

    UnknownRoundError. Cells that a spreadsheet would take for a formula begin with an apostrophe.
    """
    row, review = _own(session, caller, round_id)
    sample = _sample(session, caller, row, review)
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for each in sample.findings:
        writer.writerow([_safe(cell) for cell in _cells(each)])
    append(
        session,
        caller,
        "review.export",
        object_type="review-round",
        objects=[str(round_id)],
        count=len(sample.findings),
    )
    return written.getvalue().encode()


_COLUMNS = (
    "place",
    "record",
    "time",
    "act",
    "outcome",
    "purpose",
    "person",
    "case",
    "verdict",
    "judged_at",
    "judged_by",
    "note",
)


def _cells(each: Judged) -> list[str]:
    fields = each.entry.fields if each.entry else {}
    details = each.entry.details if each.entry else {}
    return [
        str(each.place),
        str(fields.get("id", "")),
        datetime.fromtimestamp(each.at / 1000, clock.now().tzinfo).isoformat(),
        str(fields.get("act", "")),
        str(fields.get("out", "")),
        str(fields.get("purpose", "")),
        str(details.get("actor", "")),
        str(details.get("case", "")),
        each.verdict.value if each.verdict else "",
        each.judged_at.isoformat(timespec="seconds") if each.judged_at else "",
        str(each.judged_by or ""),
        each.note,
    ]


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_SIGNS) else cell


def _draw(session: Session, review: Review, organisation: str, month: date) -> int:
    """Draw one month, unless it has to wait; returns 1 when it was drawn."""
    ends = milliseconds(begin_of(following(month)))
    checkpoint = session.scalar(
        select(AuditCheckpoint)
        .where(AuditCheckpoint.t >= ends)
        .order_by(AuditCheckpoint.size)
        .limit(1)
    )
    population = _population(organisation, Kinds.of(review.filters), month)
    if checkpoint is None or _has_unplaced(session, population):
        return 0
    size = session.execute(select(func.count()).select_from(population.subquery())).scalar_one()
    chosen = drawn(bytes(checkpoint.root), _leaves(session, population), review.sample)
    now = clock.now()
    row = ReviewRound(
        public_id=new_public_id(now),
        review_id=review.id,
        month=month,
        size=checkpoint.size,
        seed=bytes(checkpoint.root),
        population=size,
        drawn_at=now,
        closed_at=None if chosen else now,
    )
    session.add(row)
    session.flush()
    for place, each in enumerate(chosen, 1):
        session.add(Finding(round_id=row.id, place=place, eid=each.eid, t=each.t))
    session.flush()
    _tell(session, review, organisation, row, chosen)
    return 1


def _tell(
    session: Session,
    review: Review,
    organisation: str,
    row: ReviewRound,
    chosen: Sequence[_Drawable],
) -> None:
    records = reading.chosen(session, organisation, [(each.t, each.eid) for each in chosen])
    append(
        session,
        CONSOLE,
        "review.draw",
        audience=[organisation],
        object_type="review-round",
        objects=[str(row.public_id), str(review.public_id)],
        count=len(chosen),
        results=[records[each.eid].fields["id"] for each in chosen],
        details={
            "month": row.month.isoformat()[:7],
            "population": row.population,
            "size": row.size,
            "seed": to_base64url(bytes(row.seed)),
        },
    )
    if chosen:
        notify(
            session,
            review.organisation_id,
            Role.COMPLIANCE,
            "review.drawn",
            {"month": row.month.isoformat()[:7], "count": len(chosen)},
            f"/reviews/rounds/{row.public_id}",
        )


def _population(organisation: str, kinds: Kinds, month: date) -> Select[int, int, bytes]:
    """The organisation's own entries of the month of these kinds: what it did, not what it saw."""
    found = (
        select(AuditAudience.eid, AuditAudience.t.label("at"), AuditEntry.leaf)
        .join(AuditEntry, (AuditEntry.eid == AuditAudience.eid) & (AuditEntry.t == AuditAudience.t))
        .where(
            AuditAudience.org == organisation,
            AuditEntry.org == organisation,
            AuditAudience.t >= milliseconds(begin_of(month)),
            AuditAudience.t < milliseconds(begin_of(following(month))),
        )
    )
    if kinds.act or kinds.operation:
        found = found.where(AuditAudience.act.in_(kinds.acts()))
    if kinds.purpose:
        found = found.where(AuditAudience.purpose == kinds.purpose.value)
    if kinds.outcome:
        found = found.where(AuditAudience.out == kinds.outcome.value)
    return found


def _has_unplaced(session: Session, population: Select[int, int, bytes]) -> bool:
    """Whether an entry of the month still waits for its place in the tree."""
    unplaced = population.outerjoin(AuditSeq, AuditSeq.eid == AuditAudience.eid).where(
        AuditSeq.idx.is_(None)
    )
    return session.execute(unplaced.limit(1)).first() is not None


def _leaves(
    session: Session, population: Select[int, int, bytes]
) -> Iterator[tuple[bytes, _Drawable]]:
    rows: Iterator[Row[int, int, bytes]] = iter(
        session.execute(
            population.order_by(AuditAudience.t, AuditAudience.eid),
            execution_options={"yield_per": _FETCHED},
        )
    )
    for eid, at, leaf in rows:
        yield leaf_hash(bytes(leaf)), _Drawable(eid, at)


def _own(session: Session, caller: Caller, round_id: UUID) -> tuple[ReviewRound, Review]:
    """The round, which nobody else changes until the transaction ends, and its review."""
    organisation_id, _ = caller.member
    row = session.execute(
        select(ReviewRound, Review)
        .join(Review, Review.id == ReviewRound.review_id)
        .where(ReviewRound.public_id == round_id, Review.organisation_id == organisation_id)
        .with_for_update(of=ReviewRound)
    ).first()
    if row is None:
        raise UnknownRoundError
    return row[0], row[1]


def _actor(session: Session, finding: Finding) -> str | None:
    """Who did the act; None when nobody is named, or no longer."""
    return session.scalar(
        select(AuditDetail.actor).where(AuditDetail.eid == finding.eid, AuditDetail.t == finding.t)
    )


def _waiting(session: Session, row: ReviewRound) -> int:
    return session.execute(
        select(func.count())
        .select_from(Finding)
        .where(Finding.round_id == row.id, Finding.verdict.is_(None))
    ).scalar_one()


def _sample(session: Session, caller: Caller, row: ReviewRound, review: Review) -> Sample:
    findings = session.scalars(
        select(Finding).where(Finding.round_id == row.id).order_by(Finding.place)
    ).all()
    shown = reading.chosen(session, caller.organisation, [(each.t, each.eid) for each in findings])
    counts: dict[Verdict | None, int] = {}
    for each in findings:
        counts[each.verdict] = counts.get(each.verdict, 0) + 1
    return Sample(
        round=round_of(row, review.public_id, counts),
        title=title_of(review),
        kinds=Kinds.of(review.filters),
        findings=[_judged(caller, row, each, shown.get(each.eid)) for each in findings],
    )


def _judged(caller: Caller, row: ReviewRound, each: Finding, entry: ReadEntry | None) -> Judged:
    sealed = each.sealed_note
    return Judged(
        place=each.place,
        at=each.t,
        entry=entry,
        verdict=each.verdict,
        note=notes().open(bytes(sealed), row.public_id, each.place) if sealed else "",
        judged_by=each.judged_by,
        judged_at=each.judged_at,
        is_own=entry is not None and entry.details.get("actor") == str(caller.person),
    )
