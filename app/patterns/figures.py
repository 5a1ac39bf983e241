"""What patterns turned out to be worth: precision, hits per million parcels by month, age.

Everybody who may know of a pattern reads the figures of all other organisations together, without
small counts and without anybody's volume: of parcels only the rate is told, to two digits. One's
own counts are told whole and stand apart: in one sum they would give away what few others told.
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
from app.patterns import reading, storage
from app.patterns.models import (
    PatternOutcome,
    PatternRun,
    PatternSubscription,
    PatternVersion,
    SharedPattern,
    VersionState,
)
from app.patterns.storage import day_of
from app.small_counts import LEAST, Counts, Interval, Row, told, wilson

MONTHS = 24  # told of, the newest last
RECENT = timedelta(days=90)  # who ran it in these days counts as running it
_DIGITS = 2  # of a rate that is told of others


@dataclass(frozen=True, slots=True)
class VersionFigures:
    """What examining hits showed; `version` None: all versions that have too few, or the sum.

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
    pattern_id, mine = found.pattern.id, reader.organisation_id
    told_by_others = _outcomes(session, pattern_id, PatternOutcome.organisation_id != mine)
    told_by_own = _outcomes(session, pattern_id, PatternOutcome.organisation_id == mine)
    run_by_others = _runs(session, pattern_id, reader.today, PatternRun.organisation_id != mine)
    run_by_own = _runs(session, pattern_id, reader.today, PatternRun.organisation_id == mine)
    return Figures(
        others=Side(*_suppressed(told_by_others), _rates(run_by_others)),
        own=Side(*_whole(told_by_own), _counted(run_by_own)),
        organisations=_organisations(session, pattern_id, mine, reader.today),
        age_days=_age(_first_day(session, pattern_id), reader.today),
        version_age_days=_age(day_of(found.version.seen_day), reader.today),
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


def _outcomes(session: Session, pattern_id: int, whose: ColumnElement[bool]) -> dict[int, Counts]:
    """What was told, by version, the newest first."""
    rows = session.execute(
        select(
            PatternVersion.seq,
            func.sum(PatternOutcome.examined),
            func.sum(PatternOutcome.found),
            func.sum(PatternOutcome.not_found),
            func.sum(PatternOutcome.wrong),
        )
        .join(PatternVersion, PatternVersion.id == PatternOutcome.version_id)
        .where(PatternVersion.pattern_id == pattern_id, whose)
        .group_by(PatternVersion.seq)
        .order_by(PatternVersion.seq.desc())
    )
    return {
        seq: Counts(
            told=int(examined),
            located=int(examined),
            examined=int(examined),
            found=int(found),
            not_found=int(not_found),
            error=int(wrong),
        )
        for seq, examined, found, not_found, wrong in rows
    }


def _suppressed(
    counted: Mapping[int, Counts],
) -> tuple[list[VersionFigures], VersionFigures | None]:
    """The rows that may be told, and their sum."""
    table = told(counted)
    total = table.total
    return [_told_row(each) for each in table.rows], _told_row(total) if total else None


def _told_row(row: Row[int]) -> VersionFigures:
    return VersionFigures(row.key, row.examined, row.found, row.not_found, row.error, row.precision)


def _whole(counted: Mapping[int, Counts]) -> tuple[list[VersionFigures], VersionFigures | None]:
    rows = [_whole_row(seq, counts) for seq, counts in counted.items() if counts.told]
    if not rows:
        return [], None
    whole = Counts()
    for counts in counted.values():
        whole = whole.plus(counts)
    return rows, _whole_row(None, whole)


def _whole_row(seq: int | None, counts: Counts) -> VersionFigures:
    return VersionFigures(
        seq,
        counts.examined,
        counts.found,
        counts.not_found,
        counts.error,
        wilson(counts.found, counts.examined),
    )


def _runs(
    session: Session, pattern_id: int, today: date, whose: ColumnElement[bool]
) -> dict[str, tuple[int, int]]:
    """Parcels and hits by month, the oldest first."""
    rows = session.execute(
        select(PatternRun.day, func.sum(PatternRun.parcels), func.sum(PatternRun.hits))
        .join(PatternVersion, PatternVersion.id == PatternRun.version_id)
        .where(
            PatternVersion.pattern_id == pattern_id,
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


def _organisations(session: Session, pattern_id: int, mine: int, today: date) -> int | None:
    ran = (
        select(func.count(PatternRun.organisation_id.distinct()))
        .join(PatternVersion, PatternVersion.id == PatternRun.version_id)
        .where(
            PatternVersion.pattern_id == pattern_id,
            PatternRun.organisation_id != mine,
            PatternRun.day > today - RECENT,
        )
    )
    count = session.execute(ran).scalar_one()
    return count if count == 0 or count >= LEAST else None


def _first_day(session: Session, pattern_id: int) -> date | None:
    return day_of(
        session.scalar(
            select(func.min(PatternVersion.seen_day)).where(PatternVersion.pattern_id == pattern_id)
        )
    )


def _age(first: date | None, today: date) -> int | None:
    return None if first is None else (today - first).days


def _months_ago(today: date) -> date:
    """The first day of the oldest month that is told of."""
    months = today.year * 12 + today.month - 1 - (MONTHS - 1)
    return date(months // 12, months % 12 + 1, 1)
