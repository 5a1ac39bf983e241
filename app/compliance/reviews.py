"""Reviews: a standing order to draw and judge so many of one's own entries each month.

The first month is that in which the review was ordered: its seed is not yet known then, so nobody
can order a review for the sample that it will bring. app/compliance/rounds.py draws and judges.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.catalogue import CATALOGUE, Operation
from app.audit.entry import Outcome
from app.audit.service import append
from app.compliance.drawing import following, month_of
from app.compliance.models import Finding, Review, ReviewRound, Verdict
from app.compliance.sealing import clean_title, notes, wrong
from app.errors import ConflictError, NotFoundError
from app.public_ids import new_public_id
from postern.vocabulary import Purpose

LARGEST_SAMPLE = 200  # entries a month
MOST_REVIEWS = 50  # of one organisation that have not ended


class UnknownReviewError(NotFoundError):
    code = "review-unknown"
    title = "There is no such review for you"
    remedy = "List the reviews of your organisation at /api/v1/reviews."


class ReviewEndedError(ConflictError):
    code = "review-ended"
    title = "The review has ended already"
    remedy = "Order a new review; rounds that were drawn can still be judged."


class TooManyReviewsError(ConflictError):
    code = "review-too-many"
    title = f"Your organisation has {MOST_REVIEWS} reviews that have not ended"
    remedy = "End a review that is no longer needed, then order the new one."


@dataclass(frozen=True)
class Kinds:
    """From which entries is drawn; None means any."""

    act: str | None = None
    operation: Operation | None = None
    purpose: Purpose | None = None
    outcome: Outcome | None = None

    def told(self) -> dict[str, str]:
        """The filters in use, as they are stored and logged."""
        return {name: str(value) for name, value in vars(self).items() if value is not None}

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "Kinds":
        """What `told` told."""
        return cls(
            act=stored.get("act"),
            operation=Operation(stored["operation"]) if "operation" in stored else None,
            purpose=Purpose(stored["purpose"]) if "purpose" in stored else None,
            outcome=Outcome(stored["outcome"]) if "outcome" in stored else None,
        )

    def acts(self) -> list[str]:
        """The acts that fit; none when act and operation exclude each other."""
        return [
            name
            for name, known in CATALOGUE.items()
            if self.act in (None, name) and self.operation in (None, known.operation)
        ]


@dataclass(frozen=True)
class Round:
    """One month of a review: `counts` are its findings by verdict, None for those not judged yet.

    `population` entries were drawn from; `size` and `seed` are those of the checkpoint.
    """

    id: UUID
    review: UUID
    month: date
    size: int
    seed: bytes
    population: int
    counts: dict[Verdict | None, int]
    drawn_at: datetime
    closed_at: datetime | None

    @property
    def drawn(self) -> int:
        """How many entries are in the sample."""
        return sum(self.counts.values())

    @property
    def waiting(self) -> int:
        """How many of them nobody has judged yet."""
        return self.counts.get(None, 0)


@dataclass(frozen=True)
class Ordered:
    """A review as its organisation reads it, with its rounds, newest first."""

    id: UUID
    title: str
    kinds: Kinds
    sample: int
    created_by: UUID
    created_at: datetime
    ended_at: datetime | None
    rounds: Sequence[Round]

    @property
    def next_draw(self) -> date | None:
        """The day on which the present month is over and is drawn from; None once it has ended."""
        return None if self.ended_at else following(month_of(clock.now()))

    @property
    def waiting(self) -> int:
        """Findings that nobody has judged yet, in all rounds."""
        return sum(each.waiting for each in self.rounds)


def order(session: Session, caller: Caller, *, title: str, kinds: Kinds, sample: int) -> Ordered:
    """Order a review from this month on.

    InvalidRequestError for a title or sample that cannot be, and for kinds that no entry fits;
    TooManyReviewsError.
    """
    organisation_id, _ = caller.member
    if not 1 <= sample <= LARGEST_SAMPLE:
        raise wrong("sample", f"Draw 1 to {LARGEST_SAMPLE} entries a month.")
    if not kinds.acts():
        raise wrong("act", "No act is of this operation: leave one of the two out.")
    if _running(session, organisation_id) >= MOST_REVIEWS:
        raise TooManyReviewsError
    now = clock.now()
    public_id = new_public_id(now)
    row = Review(
        public_id=public_id,
        organisation_id=organisation_id,
        sealed_title=notes().seal(clean_title(title), public_id),
        filters=kinds.told(),
        sample=sample,
        created_by=caller.pseudonym,
        created_at=now,
        ended_at=None,
    )
    session.add(row)
    session.flush()
    append(
        session,
        caller,
        "review.order",
        object_type="review",
        objects=[str(public_id)],
        details={"filters": kinds.told(), "sample": sample},
    )
    return _ordered(row, [])


def list_reviews(session: Session, caller: Caller) -> list[Ordered]:
    """The reviews of the caller's organisation with their rounds: running ones, then newest."""
    organisation_id, _ = caller.member
    rows = session.scalars(
        select(Review)
        .where(Review.organisation_id == organisation_id)
        .order_by(Review.ended_at.is_not(None), Review.id.desc())
    ).all()
    rounds = _rounds(session, rows)
    append(session, caller, "review.list", object_type="review", count=len(rows))
    return [_ordered(row, rounds.get(row.id, [])) for row in rows]


def read(session: Session, caller: Caller, review_id: UUID) -> Ordered:
    """One review with its rounds; UnknownReviewError for another organisation's as for none."""
    row = _own(session, caller, review_id)
    append(session, caller, "review.read", object_type="review", objects=[str(review_id)])
    return _ordered(row, _rounds(session, [row]).get(row.id, []))


def end(session: Session, caller: Caller, review_id: UUID) -> Ordered:
    """Draw no further round; those drawn stay to be judged.

    UnknownReviewError and ReviewEndedError.
    """
    row = _own(session, caller, review_id)
    if row.ended_at is not None:
        raise ReviewEndedError
    row.ended_at = clock.now()
    session.flush()
    append(session, caller, "review.end", object_type="review", objects=[str(review_id)])
    return _ordered(row, _rounds(session, [row]).get(row.id, []))


def waiting_count(session: Session, organisation_id: int) -> int:
    """How many drawn entries of the organisation nobody has judged yet."""
    return session.execute(
        select(func.count())
        .select_from(Finding)
        .join(ReviewRound, ReviewRound.id == Finding.round_id)
        .join(Review, Review.id == ReviewRound.review_id)
        .where(Review.organisation_id == organisation_id, Finding.verdict.is_(None))
    ).scalar_one()


def round_of(row: ReviewRound, review: UUID, counts: dict[Verdict | None, int]) -> Round:
    """A round as it is read."""
    return Round(
        id=row.public_id,
        review=review,
        month=row.month,
        size=row.size,
        seed=bytes(row.seed),
        population=row.population,
        counts=counts,
        drawn_at=row.drawn_at,
        closed_at=row.closed_at,
    )


def title_of(row: Review) -> str:
    """The title in clear."""
    return notes().open(bytes(row.sealed_title), row.public_id)


def _running(session: Session, organisation_id: int) -> int:
    return session.execute(
        select(func.count())
        .select_from(Review)
        .where(Review.organisation_id == organisation_id, Review.ended_at.is_(None))
    ).scalar_one()


def _own(session: Session, caller: Caller, review_id: UUID) -> Review:
    organisation_id, _ = caller.member
    row = session.scalar(
        select(Review)
        .where(Review.public_id == review_id, Review.organisation_id == organisation_id)
        .with_for_update()
    )
    if row is None:
        raise UnknownReviewError
    return row


def _ordered(row: Review, rounds: Sequence[Round]) -> Ordered:
    return Ordered(
        id=row.public_id,
        title=title_of(row),
        kinds=Kinds.of(row.filters),
        sample=row.sample,
        created_by=row.created_by,
        created_at=row.created_at,
        ended_at=row.ended_at,
        rounds=rounds,
    )


def _rounds(session: Session, reviews: Sequence[Review]) -> dict[int, list[Round]]:
    """The rounds of each review by its key, newest first."""
    ids = {row.id: row.public_id for row in reviews}
    rows = session.scalars(
        select(ReviewRound)
        .where(ReviewRound.review_id.in_(ids))
        .order_by(ReviewRound.month.desc(), ReviewRound.id.desc())
    ).all()
    counts: dict[int, dict[Verdict | None, int]] = {}
    counted = (
        select(Finding.round_id, Finding.verdict, func.count())
        .where(Finding.round_id.in_([row.id for row in rows]))
        .group_by(Finding.round_id, Finding.verdict)
    )
    for round_id, verdict, count in session.execute(counted):
        counts.setdefault(round_id, {})[verdict] = count
    found: dict[int, list[Round]] = {}
    for row in rows:
        made = round_of(row, ids[row.review_id], counts.get(row.id, {}))
        found.setdefault(row.review_id, []).append(made)
    return found
