"""Counting what a search of the log found: per act, purpose, person, organisation, outcome, level.

Only the newest MOST_COUNTED entries that fit are counted, so that the cost has an end; `is_cut`
tells when there are more. The caller of this appends the entry of the reading.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, RowMapping, Select, func, select
from sqlalchemy.orm import Session

from app.audit.models import AuditAudience, AuditDetail
from app.audit.reading import Filters, matching
from postern.audit.record import open_disclosures

MOST_COUNTED = 10_000  # entries
MOST_LEVELS = 1_000  # entries whose details are opened for the level they tell
MOST_VALUES = 8  # of one facet


@dataclass(frozen=True)
class Facet:
    """The most frequent values with their counts, and how many other values there are."""

    values: Sequence[tuple[str, int]]
    others: int


@dataclass(frozen=True)
class Facets:
    """What was counted. `people` are pseudonyms; `levels` those at which indicators were seen."""

    counted: int
    is_cut: bool
    acts: Facet
    purposes: Facet
    people: Facet
    organisations: Facet
    outcomes: Facet
    levels: Facet


def count(session: Session, organisation: str, filters: Filters) -> Facets:
    """The facets of what `organisation` may see by these filters."""
    if filters.words and filters.words.unknown:
        return _facets(0, [], Counter())
    chosen = matching(organisation, filters).limit(MOST_COUNTED + 1)
    rows = session.execute(_grouped(organisation, chosen)).all()
    return _facets(sum(row.found for row in rows), rows, _levels(session, chosen, organisation))


_LEVELLED = ("indicator.match", "indicator.shared", "watch.match")
"""Acts whose details tell at which level an indicator was seen."""


def _grouped(organisation: str, chosen: Select[int, int]) -> Select[Any, Any, Any, Any, Any, int]:
    places = chosen.subquery()
    columns = (
        AuditAudience.act,
        AuditAudience.purpose,
        AuditAudience.doer,
        AuditAudience.out,
        AuditDetail.actor,
    )
    return (
        select(*columns, func.count().label("found"))
        .join_from(
            places,
            AuditAudience,
            (AuditAudience.org == organisation)
            & (AuditAudience.t == places.c.at)
            & (AuditAudience.eid == places.c.eid),
        )
        .outerjoin(AuditDetail, (AuditDetail.eid == places.c.eid) & (AuditDetail.t == places.c.at))
        .group_by(*columns)
    )


def _levels(session: Session, chosen: Select[int, int], organisation: str) -> Counter[str]:
    places = chosen.subquery()
    opened = session.scalars(
        select(AuditDetail.disc)
        .join_from(places, AuditDetail, (AuditDetail.eid == places.c.eid))
        .join(
            AuditAudience,
            (AuditAudience.org == organisation)
            & (AuditAudience.t == places.c.at)
            & (AuditAudience.eid == places.c.eid),
        )
        .where(AuditAudience.act.in_(_LEVELLED), AuditDetail.t == places.c.at)
        .order_by(places.c.at.desc(), places.c.eid.desc())
        .limit(MOST_LEVELS)
    )
    told = [open_disclosures(each).get("level") for each in opened if each]
    return Counter(level for level in told if isinstance(level, str))


def _facets(counted: int, rows: Sequence[Row[*tuple[Any, ...]]], levels: Counter[str]) -> Facets:
    def facet(value: Callable[[RowMapping], str | None]) -> Facet:
        found: Counter[str] = Counter()
        for row in rows:
            told = value(row._mapping)
            if told:
                found[told] += row.found
        return _most(found)

    return Facets(
        counted=min(counted, MOST_COUNTED),
        is_cut=counted > MOST_COUNTED,
        acts=facet(lambda row: row["act"]),
        purposes=facet(lambda row: row["purpose"]),
        people=facet(lambda row: row["actor"]),
        organisations=facet(lambda row: row["doer"]),
        outcomes=facet(lambda row: row["out"]),
        levels=_most(levels),
    )


def _most(found: Counter[str]) -> Facet:
    ordered = sorted(found.items(), key=lambda each: (-each[1], each[0]))
    return Facet(tuple(ordered[:MOST_VALUES]), max(len(ordered) - MOST_VALUES, 0))
