"""Drawing a sample that nobody can choose, and that anybody who holds the entries can draw again.

The seed is the root of the first checkpoint signed after the month's end: nobody knows it while
the month's entries are made or the review is ordered. docs/reviews.md draws one by hand.
"""

import hashlib
import heapq
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

Entry = TypeVar("Entry")

_MORE_THAN_A_MONTH = timedelta(days=32)


def drawn(seed: bytes, leaves: Iterable[tuple[bytes, Entry]], sample: int) -> list[Entry]:
    """The `sample` entries with the smallest SHA-256(seed || leaf hash), smallest first.

    `leaves` are pairs of a leaf hash (32 bytes) and whatever stands for its entry; fewer than
    `sample` are all drawn.
    """
    ranked = (
        (hashlib.sha256(seed + leaf_hash).digest(), place, entry)
        for place, (leaf_hash, entry) in enumerate(leaves)
    )
    return [entry for _, _, entry in heapq.nsmallest(sample, ranked, key=lambda one: one[:2])]


def month_of(moment: datetime) -> date:
    """The first day of the month in UTC."""
    return moment.astimezone(UTC).date().replace(day=1)


def following(month: date) -> date:
    """The first day of the next month."""
    return (month + _MORE_THAN_A_MONTH).replace(day=1)


def begin_of(month: date) -> datetime:
    """The month's first moment, UTC."""
    return datetime(month.year, month.month, 1, tzinfo=UTC)


def whole_months(since: date, moment: datetime) -> list[date]:
    """The months from `since` on that are over at `moment`, oldest first."""
    months = []
    while following(since) <= month_of(moment):
        months.append(since)
        since = following(since)
    return months
