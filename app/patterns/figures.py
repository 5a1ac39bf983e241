"""What patterns turned out to be worth: precision, hits per million parcels by month, age.

Everybody who may know of a pattern reads the figures of all other organisations together, on the
versions that it may know of, without small counts and without anybody's volume: of parcels only the
rate is told, to two digits. One's own counts are told whole and stand apart: in one sum they would
give away what few others told.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import floor, log10
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.clock import now
from app.indicators.telling import Grounds
from app.patterns import reading, settling, storage
from app.patterns.counting import Examined
from app.patterns.models import (
    PatternOutcome,
    PatternRun,
    PatternSubscription,
    PatternVersion,
    SharedPattern,
    VersionState,
)
from app.patterns.storage import day_of
from app.small_counts import LEAST, Interval, Row, wilson

MONTHS = 24  # told of, the newest last
RECENT = timedelta(days=90)  # who ran it in these days counts as running it
_DIGITS = 2  # of a rate that is told of others


@dataclass(frozen=True, slots=True)
class VersionFigures:
    """What examining hits showed; `version` None: the sum.

    A count that is None is too small to be told, or would give away one that is.
    """

    version: int | None
    examined: int | None
    found: int | None
    not_found: int | None
    wrong: int | None
    precision: Interval | None


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """Hits per million parcels of a month, as 2026-11; of others without the counts."""

    month: str
    parcels: int | None
    hits: int | None
    per_million: float | None


@dataclass(frozen=True, slots=True)
class Side:
    """The figures of one's own organisation, or of all others together."""

    versions: Sequence[VersionFigures]
    total: VersionFigures | None
    months: Sequence[MonthFigures]


@dataclass(frozen=True, slots=True)
class Figures:
    """How a pattern does.

    `organisations` are others that ran it lately: None for fewer than LEAST, but none at all is 0.
    Ages are of the first publication and of the version in force, in days; None before.
    """

    others: Side
    own: Side
    organisations: int | None
    age_days: int | None
    version_age_days: int | None

    @property
    def versions(self) -> Sequence[VersionFigures]:
        """Of all others together, the newest version first."""
        return self.others.versions

    @property
    def months(self) -> Sequence[MonthFigures]:
        """Of all others together, the oldest month first."""
        return self.others.months

    @property
    def total(self) -> VersionFigures | None:
        """Of all others together."""
        return self.others.total


@dataclass(frozen=True, slots=True)
class Overview:
    """What a home page shows: one's own live patterns, those to decide on, subscriptions."""

    live: int
    awaiting: int
    subscribed: int


def figures(session: Session, caller: Caller, grounds: Grounds | None, public_id: UUID) -> Figures:
    """The figures of a pattern that one may know of; NotFoundError for any other."""
    reader = storage.reader(session, caller, grounds)
    found = reading.known(session, reader, public_id)
    reading.log_read(session, caller, grounds, found, act="pattern.count", gives_rule=False)
    mine, today = reader.organisation_id, reader.today
    known = PatternVersion.id.in_(storage.counted_versions(session, reader, found))
    of_pattern = PatternVersion.pattern_id == found.pattern.id  # one's own: also what one got once
    told_by_others = _outcomes(session, known, PatternOutcome.organisation_id != mine)
    told_by_own = _outcomes(session, of_pattern, PatternOutcome.organisation_id == mine)
    run_by_others = _runs(session, known, today, PatternRun.organisation_id != mine)
    run_by_own = _runs(session, of_pattern, today, PatternRun.organisation_id == mine)
    return Figures(
        others=Side(*_suppressed(told_by_others), _rates(run_by_others)),
        own=Side(*_whole(told_by_own), _counted(run_by_own)),
        organisations=_organisations(session, known, mine, today),
        age_days=_age(_first_day(session, known), today),
        version_age_days=_age(day_of(found.version.seen_day), today),
    )


def overview(session: Session, organisation_id: int) -> Overview:
    """The figures of a home page."""
    today = now().date()
    live = (
        select(func.count())
        .select_from(SharedPattern)
        .join(PatternVersion, PatternVersion.id == SharedPattern.current_id)
        .where(
            SharedPattern.organisation_id == organisation_id,
            SharedPattern.deprecated_at.is_(None),
            PatternVersion.expires_on > today,
        )
    )
    awaiting = (
        select(func.count())
        .select_from(PatternVersion)
        .where(
            PatternVersion.organisation_id == organisation_id,
            PatternVersion.state == VersionState.PROPOSED,
        )
    )
    subscribed = (
        select(func.count())
        .select_from(PatternSubscription)
        .where(PatternSubscription.organisation_id == organisation_id)
    )
    return Overview(
        session.execute(live).scalar_one(),
        session.execute(awaiting).scalar_one(),
        session.execute(subscribed).scalar_one(),
    )


def _outcomes(
    session: Session, which: ColumnElement[bool], whose: ColumnElement[bool]
) -> dict[int, list[Examined]]:
    """What was told of these versions, by version, the newest first; as it came in."""
    rows = session.execute(
        select(
            PatternVersion.seq,
            PatternOutcome.examined,
            PatternOutcome.found,
            PatternOutcome.not_found,
            PatternOutcome.wrong,
        )
        .join(PatternVersion, PatternVersion.id == PatternOutcome.version_id)
        .where(which, whose)
        .order_by(
            PatternVersion.seq.desc(),
            PatternOutcome.told_at,
            PatternOutcome.organisation_id,
            PatternOutcome.day,
        )
    )
    found: dict[int, list[Examined]] = {}
    for seq, *counts in rows:
        found.setdefault(seq, []).append(Examined(*counts))
    return found


def _suppressed(
    told: Mapping[int, Sequence[Examined]],
) -> tuple[list[VersionFigures], VersionFigures | None]:
    """The rows that may be told, and their sum."""
    table = settling.table(told)
    total = table.total
    return [_told_row(each) for each in table.rows], _told_row(total) if total else None


def _told_row(row: Row[int]) -> VersionFigures:
    return VersionFigures(row.key, row.examined, row.found, row.not_found, row.error, row.precision)


def _whole(
    told: Mapping[int, Sequence[Examined]],
) -> tuple[list[VersionFigures], VersionFigures | None]:
    sums = {seq: settling.sum_of(each) for seq, each in told.items()}
    rows = [_whole_row(seq, counts) for seq, counts in sums.items() if counts.examined]
    return rows, _whole_row(None, settling.sum_of(sums.values())) if rows else None


def _whole_row(seq: int | None, counts: Examined) -> VersionFigures:
    return VersionFigures(
        seq,
        counts.examined,
        counts.found,
        counts.not_found,
        counts.wrong,
        wilson(counts.found, counts.examined),
    )


def _runs(
    session: Session, which: ColumnElement[bool], today: date, whose: ColumnElement[bool]
) -> dict[str, tuple[int, int]]:
    """Parcels and hits of these versions by month, the oldest first."""
    rows = session.execute(
        select(PatternRun.day, func.sum(PatternRun.parcels), func.sum(PatternRun.hits))
        .join(PatternVersion, PatternVersion.id == PatternRun.version_id)
        .where(
            which,
            PatternRun.day >= _months_ago(today),
            whose,
        )
        .group_by(PatternRun.day)
        .order_by(PatternRun.day)
    )
    found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for on, parcels, hits in rows:
        before = found[f"{on:%Y-%m}"]
        found[f"{on:%Y-%m}"] = (before[0] + int(parcels), before[1] + int(hits))
    return found


def _rates(runs: Mapping[str, tuple[int, int]]) -> list[MonthFigures]:
    """Rates alone, where there are hits enough."""
    return [
        MonthFigures(month, None, None, _coarse(hits, parcels) if hits >= LEAST else None)
        for month, (parcels, hits) in runs.items()
    ]


def _counted(runs: Mapping[str, tuple[int, int]]) -> list[MonthFigures]:
    return [
        MonthFigures(month, parcels, hits, hits / parcels * 1e6 if parcels else None)
        for month, (parcels, hits) in runs.items()
    ]


def _coarse(hits: int, parcels: int) -> float:
    """Hits per million to two digits, from which nobody's volume can be computed."""
    rate = hits / parcels * 1e6
    return round(rate, _DIGITS - 1 - floor(log10(rate)))


def _organisations(
    session: Session, known: ColumnElement[bool], mine: int, today: date
) -> int | None:
    ran = (
        select(func.count(PatternRun.organisation_id.distinct()))
        .join(PatternVersion, PatternVersion.id == PatternRun.version_id)
        .where(
            known,
            PatternRun.organisation_id != mine,
            PatternRun.day > today - RECENT,
        )
    )
    count = session.execute(ran).scalar_one()
    return count if count == 0 or count >= LEAST else None


def _first_day(session: Session, known: ColumnElement[bool]) -> date | None:
    return day_of(session.scalar(select(func.min(PatternVersion.seen_day)).where(known)))


def _age(first: date | None, today: date) -> int | None:
    return None if first is None else (today - first).days


def _months_ago(today: date) -> date:
    """The first day of the oldest month that is told of."""
    months = today.year * 12 + today.month - 1 - (MONTHS - 1)
    return date(months // 12, months % 12 + 1, 1)
