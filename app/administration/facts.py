"""How the platform is, in figures: what the checks of health.py judge and the metrics report.

One reading of each fact serves both, so that a light and a gauge cannot tell different things. No
fact names an organisation or a person.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app import clock, schema_version
from app.accounts.models import WebSession
from app.audit import alarms, tree, witnesses
from app.audit.models import AuditCheckpoint, AuditQueue
from app.audit.witnesses import WitnessState
from app.jobs import service as duties
from app.jobs.service import Standing
from app.pseudonyms import service as pseudonyms
from app.replica import Outcome
from app.runtime import Runtime
from app.schema_version import SchemaState
from postern.vocabulary import EvaluationKind


@dataclass(frozen=True)
class SchemaFacts:
    """`present` is None where the database role may not read it, "none" where there is none."""

    present: str | None
    needed: str
    state: SchemaState


@dataclass(frozen=True)
class LogFacts:
    """`oldest` is when the first entry without a place was made, `signed_at` the newest head."""

    alarms: int
    waiting: int
    oldest: datetime | None
    size: int
    signed_at: datetime | None

    def lag(self, at: datetime) -> timedelta:
        """For how long the oldest entry without a place has had none."""
        return timedelta() if self.oldest is None else max(at - self.oldest, timedelta())


@dataclass(frozen=True)
class WitnessFacts:
    """Of the witnesses that were not ended; `needed` organisations make a quorum, 0 for none."""

    count: int
    late: int  # silent ones are not among them
    silent: int
    needed: int
    met_at: datetime | None


@dataclass(frozen=True)
class DutyFacts:
    """One duty; `overdue` is for how long it should have been done already."""

    name: str
    every: timedelta
    finished_at: datetime | None
    overdue: timedelta
    failures: int


@dataclass(frozen=True)
class EpochFacts:
    """The epoch of a kind that is open and ends last."""

    began: datetime
    ends: datetime


@dataclass(frozen=True)
class DiskFacts:
    free: int  # bytes
    size: int

    @property
    def percent(self) -> int:
        """Whole per cent that are free."""
        return self.free * 100 // self.size if self.size else 0


@dataclass(frozen=True)
class ReplicaFacts:
    """Standby servers that are connected; the lag is that of the one that is furthest behind."""

    count: int
    lag_bytes: int | None
    lag: timedelta | None


def schema(session: Session) -> SchemaFacts:
    """Which schema the database has, and which one is needed."""
    found = schema_version.read(session.connection())
    is_unseen = found.state is SchemaState.UNSEEN
    return SchemaFacts(None if is_unseen else found.present, schema_version.needed(), found.state)


def log(session: Session) -> LogFacts:
    """How the access log stands."""
    waiting, oldest = session.execute(select(func.count(), func.min(AuditQueue.t))).one()
    newest = tree.newest(session)
    size, signed_at = 0, None
    if newest is not None:
        size = newest.size
        signed = select(AuditCheckpoint.t.label("at")).where(AuditCheckpoint.size == size)
        signed_at = clock.moment(session.execute(signed).scalar_one())
    return LogFacts(
        alarms=len(alarms.open_alarms(session)),
        waiting=waiting,
        oldest=None if oldest is None else clock.moment(oldest),
        size=size,
        signed_at=signed_at,
    )


def log_witnesses(session: Session, runtime: Runtime) -> WitnessFacts:
    """How the witnesses of the log stand."""
    settings = runtime.settings.audit
    standings = witnesses.standings(session, timedelta(hours=settings.silent_hours))
    found = [each.state for each in standings if each.until is None]
    return WitnessFacts(
        count=len(found),
        late=found.count(WitnessState.LATE),
        silent=found.count(WitnessState.SILENT),
        needed=witnesses.quorum(session, settings.operator),
        met_at=witnesses.quorum_met_at(session, settings.operator),
    )


def duties_of(session: Session, runtime: Runtime) -> list[DutyFacts]:
    """How each duty stands, by name."""
    at = clock.now()
    return [_duty(each, at) for each in duties.standings(session, runtime)]


def _duty(each: Standing, at: datetime) -> DutyFacts:
    return DutyFacts(
        name=each.name,
        every=each.every,
        finished_at=each.finished_at,
        overdue=max(at - (each.due_at or at), timedelta()),
        failures=each.failures,
    )


def epochs(session: Session) -> Mapping[EvaluationKind, EpochFacts | None]:
    """The open epoch of each kind that ends last; None where none is open."""
    at = clock.now()
    found: dict[EvaluationKind, EpochFacts | None] = dict.fromkeys(EvaluationKind)
    for row in pseudonyms.epochs(session):
        known = found[row.kind]
        if row.valid_from <= at < row.valid_to and (known is None or row.valid_to > known.ends):
            found[row.kind] = EpochFacts(row.valid_from, row.valid_to)
    return found


def sessions(session: Session, runtime: Runtime) -> int:
    """How many people are signed in."""
    at = clock.now()
    idle = timedelta(minutes=runtime.settings.session.idle_minutes)
    living = WebSession.expires_at > at, WebSession.last_seen_at > at - idle
    return session.execute(select(func.count(WebSession.expires_at)).where(*living)).scalar_one()


def disks(session: Session, runtime: Runtime) -> Mapping[str, DiskFacts]:
    """The disks that can be seen from here: of the archives, and of an embedded database."""
    places = {"archive": Path(runtime.settings.audit.archive)}
    engine = session.get_bind().engine
    if engine.dialect.name == "sqlite" and engine.url.database:
        places["database"] = Path(engine.url.database).parent
    return {name: _disk(place) for name, place in places.items()}


def replicas(session: Session) -> ReplicaFacts | None:
    """The standby servers of PostgreSQL; None where there can be none, or none may be seen."""
    if session.get_bind().dialect.name != "postgresql":
        return None
    count, visible, lag_bytes, lag = session.execute(text(_REPLICAS)).one()
    if count != visible:  # without pg_read_all_stats others' rows are empty
        return None
    return ReplicaFacts(count, None if lag_bytes is None else int(lag_bytes), lag)


def reading_replica(session: Session, runtime: Runtime) -> Outcome | None:
    """Whether the replica of the settings could be read now; None where there is none."""
    replica = runtime.database.replica
    return None if replica is None else replica.look(session)


_REPLICAS = """
SELECT count(*), count(state), max(pg_wal_lsn_diff(
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
    replay_lsn)), max(replay_lag)
FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup'
"""


def _disk(place: Path) -> DiskFacts:
    while not os.path.exists(place) and place != place.parent:  # noqa: PTH110 - false where it may not look
        place = place.parent
    usage = shutil.disk_usage(place)
    return DiskFacts(usage.free, usage.total)
