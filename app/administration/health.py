"""How the platform is: twelve checks, each of which says what it found and what to do about it.

A check judges what facts.py, backlog.py and backups.py read, as the metrics report it; it holds no
figure of any organisation but counts of the platform's own work. The words stand in
health_words.py. `flask --app wsgi platform health` ends with 1 when a check is red.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.administration import backlog, backups, facts
from app.audit.service import append
from app.jobs import draining
from app.jobs.models import Channel, Dispatch
from app.replica import Outcome
from app.runtime import Runtime
from app.schema_version import SchemaState
from postern.vocabulary import ChannelKind, DispatchState

LATE = timedelta(minutes=10)
"""For how long something may have been due before one should look."""

STANDING = timedelta(hours=1)
"""For how long before nobody does it any more."""

UNPLACED = timedelta(minutes=1)
"""For how long an entry of the log may wait for its place; usually it is less than a second."""

SOON = timedelta(days=30)
_TIGHT, _FULL = 15, 5  # per cent of a disk that are free
_DAYS_BEHIND = 3  # for so many days what is over was not erased


class Light(StrEnum):
    GREEN = "green"
    AMBER = "amber"  # look at it today
    RED = "red"  # something does not work


_SCHEMA_LIGHTS = {
    SchemaState.NEWEST: Light.GREEN,
    SchemaState.NEWER: Light.AMBER,
    SchemaState.OLD: Light.RED,
    SchemaState.TOO_NEW: Light.RED,
}


_REPLICA_LIGHTS = {
    None: ("replica.none", Light.GREEN),
    Outcome.REPLICA: ("replica.fresh", Light.GREEN),
    Outcome.BEHIND: ("replica.behind", Light.AMBER),
    Outcome.PROMOTED: ("replica.promoted", Light.RED),
    Outcome.FOREIGN: ("replica.foreign", Light.RED),
    Outcome.ASYNCHRONOUS: ("replica.asynchronous", Light.RED),
}


class Part(StrEnum):
    """What is checked, in the order in which it is told."""

    DATABASE = "database"
    SCHEMA = "schema"
    WORKER = "worker"
    OUTBOX = "outbox"
    LOG = "log"
    WITNESSES = "witnesses"
    EPOCHS = "epochs"
    MAIL = "mail"
    DISK = "disk"
    RETENTION = "retention"
    BACKUP = "backup"
    REPLICA = "replica"


@dataclass(frozen=True)
class Check:
    """`finding` names the sentence and the remedy in health_words.py, `facts` what stands in it."""

    part: Part
    light: Light
    finding: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Health:
    checks: tuple[Check, ...]
    at: datetime

    @property
    def worst(self) -> Light:
        """The light of the check that is worst."""
        lights = {each.light for each in self.checks}
        return next(light for light in (Light.RED, Light.AMBER, Light.GREEN) if light in lights)


def read(session: Session, caller: Caller, runtime: Runtime) -> Health:
    """Every check; the reading is logged."""
    found = check(session, runtime)
    append(
        session,
        caller,
        "platform.health",
        object_type="platform",
        details={"light": found.worst.value},
    )
    return found


def check(session: Session, runtime: Runtime) -> Health:
    """Every check, in their order."""
    replica = _replica(session, runtime)  # first: see there
    checks = (
        _database(session),
        _schema(session),
        _worker(session, runtime),
        _outbox(session, runtime),
        _log(session),
        _witnesses(session, runtime),
        _epochs(session),
        _mail(session, runtime),
        _disk(session, runtime),
        _retention(session),
        _backup(runtime),
        replica,
    )
    return Health(checks, clock.now())


def _database(session: Session) -> Check:
    session.execute(text("SELECT 1")).scalar_one()
    kind = "PostgreSQL" if session.get_bind().dialect.name == "postgresql" else "SQLite"
    return Check(Part.DATABASE, Light.GREEN, "database.answers", {"kind": kind})


def _schema(session: Session) -> Check:
    found = facts.schema(session)
    if found.present is None:  # the service's database role may not read it
        return Check(Part.SCHEMA, Light.AMBER, "schema.unseen", {})
    told = {"present": found.present, "needed": found.needed}
    return Check(Part.SCHEMA, _SCHEMA_LIGHTS[found.state], f"schema.{found.state.value}", told)


def _worker(session: Session, runtime: Runtime) -> Check:
    """The worker's heartbeat is its duties: one is due every minute or so."""
    found = facts.duties_of(session, runtime)
    done = [each.finished_at for each in found if each.finished_at is not None]
    if not done:
        return Check(Part.WORKER, Light.RED, "worker.never", {})
    last = {"last": max(done)}
    overdue = max(each.overdue for each in found)
    failing = [each.name for each in found if each.failures]
    if overdue > STANDING:
        return Check(Part.WORKER, Light.RED, "worker.still", last)
    if overdue > LATE:
        return Check(Part.WORKER, Light.AMBER, "worker.late", last)
    if failing:
        return Check(Part.WORKER, Light.AMBER, "worker.failing", {"duties": ", ".join(failing)})
    return Check(Part.WORKER, Light.GREEN, "worker.works", last)


def _outbox(session: Session, runtime: Runtime) -> Check:
    topics = draining.standings(session, runtime)
    lag = max((each.lag for each in topics), default=timedelta())
    dead = sum(each.dead for each in topics)
    due = {"minutes": int(lag.total_seconds()) // 60}
    if lag > STANDING:
        return Check(Part.OUTBOX, Light.RED, "outbox.still", due)
    if lag > LATE:
        return Check(Part.OUTBOX, Light.AMBER, "outbox.late", due)
    if dead:
        return Check(Part.OUTBOX, Light.AMBER, "outbox.dead", {"count": dead})
    return Check(Part.OUTBOX, Light.GREEN, "outbox.flows", {})


def _log(session: Session) -> Check:
    found = facts.log(session)
    if found.alarms:
        return Check(Part.LOG, Light.RED, "log.alarm", {"count": found.alarms})
    waiting = found.lag(clock.now())
    if waiting > LATE:
        minutes = int(waiting.total_seconds()) // 60
        return Check(Part.LOG, Light.RED, "log.still", {"minutes": minutes})
    if found.signed_at is None:
        return Check(Part.LOG, Light.AMBER, "log.none", {})
    at = {"last": found.signed_at}
    if waiting > UNPLACED:
        return Check(Part.LOG, Light.AMBER, "log.late", at)
    return Check(Part.LOG, Light.GREEN, "log.grows", at)


def _witnesses(session: Session, runtime: Runtime) -> Check:
    found = facts.log_witnesses(session, runtime)
    silent_after = timedelta(hours=runtime.settings.audit.silent_hours)
    if not found.needed:
        return Check(Part.WITNESSES, Light.AMBER, "witnesses.none", {})
    if found.met_at is None or clock.now() - found.met_at > silent_after:
        return Check(Part.WITNESSES, Light.RED, "witnesses.few", {})
    if found.silent:
        return Check(Part.WITNESSES, Light.AMBER, "witnesses.silent", {"count": found.silent})
    return Check(Part.WITNESSES, Light.GREEN, "witnesses.cosign", {"last": found.met_at})


def _epochs(session: Session) -> Check:
    found = facts.epochs(session)
    closed = tuple(kind for kind, epoch in found.items() if epoch is None)
    if closed:
        return Check(Part.EPOCHS, Light.RED, "epochs.closed", {"kinds": closed})
    first = min(epoch.ends for epoch in found.values() if epoch is not None)
    if first <= clock.now() + SOON:
        return Check(Part.EPOCHS, Light.AMBER, "epochs.ending", {"until": first.date()})
    return Check(Part.EPOCHS, Light.GREEN, "epochs.open", {"until": first.date()})


def _mail(session: Session, runtime: Runtime) -> Check:
    if not runtime.settings.mail.host:
        return Check(Part.MAIL, Light.GREEN, "mail.none", {})
    tried = session.execute(
        select(Dispatch.state.label("state"), Dispatch.error.is_not(None).label("failed"))
        .join(Channel, Channel.id == Dispatch.channel_id)
        .where(
            Channel.kind == ChannelKind.MAIL,
            Dispatch.tried_at > clock.now() - timedelta(days=1),
        )
        .distinct()
    ).all()
    if any(row.state is DispatchState.GIVEN_UP or row.failed for row in tried):
        return Check(Part.MAIL, Light.AMBER, "mail.failing", {})
    return Check(Part.MAIL, Light.GREEN, "mail.sends" if tried else "mail.idle", {})


def _disk(session: Session, runtime: Runtime) -> Check:
    """The fullest of the disks that can be seen from here."""
    found = facts.disks(session, runtime)
    name, disk = min(found.items(), key=lambda each: each[1].percent)
    told = {"percent": disk.percent, "place": name}
    if disk.percent < _FULL:
        return Check(Part.DISK, Light.RED, "disk.full", told)
    if disk.percent < _TIGHT:
        return Check(Part.DISK, Light.AMBER, "disk.tight", told)
    finding = "disk.room" if "database" in found else "disk.elsewhere"
    return Check(Part.DISK, Light.GREEN, finding, told)


def _retention(session: Session) -> Check:
    """What is over ought to be erased within a day or so."""
    at, found = clock.now(), backlog.read(session)
    late = {name: each for name, each in found.items() if each.lag(at) > backlog.PATIENCE}
    if not late:
        due = sum(each.count for each in found.values())
        return Check(Part.RETENTION, Light.GREEN, "retention.flows", {"count": due})
    hours = int(max(each.lag(at) for each in late.values()).total_seconds()) // 3600
    told = {"count": sum(each.count for each in late.values()), "hours": hours}
    is_red = hours >= 24 * _DAYS_BEHIND
    finding = "retention.still" if is_red else "retention.late"
    return Check(Part.RETENTION, Light.RED if is_red else Light.AMBER, finding, told)


def _backup(runtime: Runtime) -> Check:
    if not backups.is_told(runtime):
        return Check(Part.BACKUP, Light.AMBER, "backup.untold", {})
    found, at = backups.newest(runtime), clock.now()
    if found is None:
        return Check(Part.BACKUP, Light.RED, "backup.none", {})
    last = {"last": found.at}
    if at - found.at > backups.VERY_OLD:
        return Check(Part.BACKUP, Light.RED, "backup.old", last)
    if at - found.at > backups.OLD:
        return Check(Part.BACKUP, Light.AMBER, "backup.late", last)
    if found.verified_at is None or at - found.verified_at > backups.UNTRIED:
        return Check(Part.BACKUP, Light.AMBER, "backup.untried", last)
    return Check(Part.BACKUP, Light.GREEN, "backup.tried", last | {"tried": found.verified_at})


def _replica(session: Session, runtime: Runtime) -> Check:
    """A transaction that reads much at times writes to the log, which then waits for its end."""
    found = facts.reading_replica(session, runtime)
    finding, light = _REPLICA_LIGHTS.get(found, ("replica.down", Light.AMBER))
    return Check(Part.REPLICA, light, finding, {})
