"""The facts of the platform as gauges for Prometheus; no label names an organisation or a person.

Each group of gauges is read by itself: where the database role may not read one, or it takes too
long, that group is missing and `postern_facts_missing` names it.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import clock
from app.administration import backlog, backups, facts
from app.jobs import draining
from app.replica import Outcome
from app.runtime import Runtime

log = structlog.get_logger(__name__)

SECONDS_A_GROUP = 3
"""What PostgreSQL may take for one statement."""

Labels = Mapping[str, float]


def read(session: Session, runtime: Runtime) -> Iterator[Metric]:
    """Every gauge, in groups; call it within one reading transaction."""
    session.execute(text("SELECT 1"))  # one that does not answer is no matter of a group
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SET LOCAL statement_timeout = '{SECONDS_A_GROUP}s'"))
    missing: dict[str, float] = {}
    for name, group in GROUPS.items():
        try:
            with session.begin_nested():
                found = list(group(session, runtime))
        except (SQLAlchemyError, OSError) as error:
            log.warning("facts not read", group=name, exc_info=error)
            missing[name] = 1
            continue
        missing[name] = 0
        yield from found
    yield _labelled(
        "facts_missing", "1 for a group of gauges that could not be read.", "group", missing
    )


def _log(session: Session, _runtime: Runtime) -> Iterator[Metric]:
    found, at = facts.log(session), clock.now()
    yield gauge("log_entries", "Entries in the newest checkpoint of the access log.", found.size)
    yield gauge("log_unplaced_entries", "Entries that have no place yet.", found.waiting)
    yield gauge(
        "log_unplaced_seconds",
        "For how long the oldest entry without a place has had none.",
        found.lag(at).total_seconds(),
    )
    yield gauge("log_open_alarms", "Alarms about the log itself that nobody closed.", found.alarms)
    if found.signed_at is not None:
        yield gauge(
            "log_checkpoint_age_seconds",
            "Age of the newest checkpoint; it grows while nothing is logged.",
            _age(found.signed_at, at),
        )


def _witnesses(session: Session, runtime: Runtime) -> Iterator[Metric]:
    found, at = facts.log_witnesses(session, runtime), clock.now()
    states = {
        "in-time": found.count - found.late - found.silent,
        "late": found.late,
        "silent": found.silent,
    }
    yield _labelled("witnesses", "Witnesses of the log, by how they stand.", "state", states)
    yield gauge(
        "witness_quorum", "Organisations that make a quorum; 0 while none witnesses.", found.needed
    )
    if found.met_at is not None:
        yield gauge(
            "witness_quorum_age_seconds",
            "Seconds since enough organisations cosigned the log.",
            _age(found.met_at, at),
        )


def _outbox(session: Session, runtime: Runtime) -> Iterator[Metric]:
    topics = draining.standings(session, runtime)
    for name, says, of in (
        ("outbox_waiting", "Jobs that wait, by topic.", lambda each: each.waiting),
        ("outbox_failing", "Jobs that wait after a failed try.", lambda each: each.failing),
        ("outbox_dead", "Jobs that were given up and not begun anew.", lambda each: each.dead),
        (
            "outbox_due_seconds",
            "For how long the oldest job has been due that nobody does.",
            lambda each: each.lag.total_seconds(),
        ),
    ):
        read_of: Callable[[draining.TopicStanding], float] = of
        known = {each.topic: read_of(each) for each in topics if each.is_handled}
        unknown = [read_of(each) for each in topics if not each.is_handled]
        if unknown:  # what another version asked for: its name is none of ours
            known["other"] = max(unknown) if name.endswith("seconds") else sum(unknown)
        yield _labelled(name, says, "topic", known)


def _duties(session: Session, runtime: Runtime) -> Iterator[Metric]:
    found, at = facts.duties_of(session, runtime), clock.now()
    yield _labelled(
        "duty_overdue_seconds",
        "For how long a duty should have been done already.",
        "duty",
        {each.name: each.overdue.total_seconds() for each in found},
    )
    yield _labelled(
        "duty_failures",
        "Failures of a duty since its last success.",
        "duty",
        {each.name: each.failures for each in found},
    )
    yield _labelled(
        "duty_success_age_seconds",
        "Seconds since the last success of a duty.",
        "duty",
        {each.name: _age(each.finished_at, at) for each in found if each.finished_at is not None},
    )


def _retention(session: Session, _runtime: Runtime) -> Iterator[Metric]:
    found, at = backlog.read(session), clock.now()
    yield _labelled(
        "erasure_backlog",
        f"Rows that are over and not erased yet, by kind; counted up to {backlog.MOST}.",
        "kind",
        {name: each.count for name, each in found.items()},
    )
    yield _labelled(
        "erasure_lag_seconds",
        "For how long the oldest of them has been over.",
        "kind",
        {name: each.lag(at).total_seconds() for name, each in found.items()},
    )


def _epochs(session: Session, _runtime: Runtime) -> Iterator[Metric]:
    found, at = facts.epochs(session), clock.now()
    yield _labelled(
        "key_epoch_open",
        "1 where a key epoch of the kind is open.",
        "kind",
        {kind.value: float(each is not None) for kind, each in found.items()},
    )
    is_open = {kind.value: each for kind, each in found.items() if each is not None}
    yield _labelled(
        "key_epoch_age_seconds",
        "Seconds since the open key epoch of a kind began.",
        "kind",
        {kind: _age(each.began, at) for kind, each in is_open.items()},
    )
    yield _labelled(
        "key_epoch_left_seconds",
        "Seconds until the open key epoch of a kind ends.",
        "kind",
        {kind: -_age(each.ends, at) for kind, each in is_open.items()},
    )


def _schema(session: Session, _runtime: Runtime) -> Iterator[Metric]:
    found = facts.schema(session)
    if found.present is not None:
        yield gauge(
            "schema_matches",
            "1 where the database has the schema that this version needs.",
            float(found.present == found.needed),
        )


def _sessions(session: Session, runtime: Runtime) -> Iterator[Metric]:
    yield gauge("sessions", "Web sessions that have not ended.", facts.sessions(session, runtime))


def _disks(session: Session, runtime: Runtime) -> Iterator[Metric]:
    found = facts.disks(session, runtime)
    yield _labelled(
        "disk_free_bytes",
        "Free bytes of a disk that is seen from here.",
        "disk",
        {name: each.free for name, each in found.items()},
    )
    yield _labelled(
        "disk_free_ratio",
        "Free part of a disk that is seen from here, 0 to 1.",
        "disk",
        {name: each.free / each.size if each.size else 0 for name, each in found.items()},
    )


def _backups(_session: Session, runtime: Runtime) -> Iterator[Metric]:
    found, at = backups.newest(runtime), clock.now()
    if backups.is_told(runtime):
        yield gauge(
            "backup_known", "1 where backup.status tells of a backup.", float(found is not None)
        )
    if found is None:
        return
    yield gauge("backup_age_seconds", "Age of the newest backup.", _age(found.at, at))
    yield gauge("backup_bytes", "Size of the newest backup.", found.size)
    if found.verified_at is not None:
        yield gauge(
            "backup_verified_age_seconds",
            "Seconds since a backup was restored and checked.",
            _age(found.verified_at, at),
        )


def _replicas(session: Session, _runtime: Runtime) -> Iterator[Metric]:
    found = facts.replicas(session)
    if found is None:
        return
    yield gauge("replicas", "Standby servers that are connected to PostgreSQL.", found.count)
    if found.lag_bytes is not None:
        yield gauge(
            "replica_lag_bytes",
            "Bytes of write-ahead log that the slowest standby server has not replayed.",
            found.lag_bytes,
        )
    if found.count:
        lag = (found.lag or timedelta()).total_seconds()
        yield gauge("replica_lag_seconds", "For how long the slowest standby server lags.", lag)


def _reading(session: Session, runtime: Runtime) -> Iterator[Metric]:
    found = facts.reading_replica(session, runtime)
    if found is not None:
        yield gauge(
            "replica_usable",
            "1 where the replica that the settings name can be read from.",
            float(found is Outcome.REPLICA),
        )


GROUPS: Mapping[str, Callable[[Session, Runtime], Iterator[Metric]]] = {
    "reading": _reading,  # first: what others read may write to the log, which waits for the end
    "schema": _schema,
    "log": _log,
    "witnesses": _witnesses,
    "outbox": _outbox,
    "duties": _duties,
    "retention": _retention,
    "epochs": _epochs,
    "sessions": _sessions,
    "disks": _disks,
    "backups": _backups,
    "replicas": _replicas,
}
"""What is read together, by its name in `postern_facts_missing`."""


def gauge(name: str, says: str, value: float) -> Metric:
    """A gauge of the platform without labels."""
    family = GaugeMetricFamily(f"postern_{name}", says)
    family.add_metric([], value)
    return family


def _labelled(name: str, says: str, label: str, values: Labels) -> Metric:
    family = GaugeMetricFamily(f"postern_{name}", says, labels=[label])
    for of, value in sorted(values.items()):
        family.add_metric([of], value)
    return family


def _age(since: datetime, at: datetime) -> float:
    return (at - since).total_seconds()
