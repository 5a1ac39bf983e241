"""How the platform is: nine checks, each of which says what it found and what to do about it.

A check judges; it holds no figure of any organisation but counts of the platform's own work. The
words stand in health_words.py. `flask --app wsgi platform health` ends with 1 when a check is red.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit import alarms, tree, witnesses
from app.audit.models import AuditCheckpoint, AuditQueue
from app.audit.service import append
from app.audit.witnesses import WitnessState
from app.jobs import draining
from app.jobs import service as duties
from app.jobs.models import Channel, Dispatch
from app.pseudonyms import service as pseudonyms
from app.runtime import Runtime
from postern.vocabulary import ChannelKind, DispatchState, EvaluationKind

LATE = timedelta(minutes=10)
"""For how long something may have been due before one should look."""

STANDING = timedelta(hours=1)
"""For how long before nobody does it any more."""

UNPLACED = timedelta(minutes=1)
"""For how long an entry of the log may wait for its place; usually it is less than a second."""

SOON = timedelta(days=30)
_TIGHT, _FULL = 15, 5  # per cent of a disk that are free
_MIGRATIONS = Path(__file__).parents[2] / "migrations"


class Light(StrEnum):
    GREEN = "green"
    AMBER = "amber"  # look at it today
    RED = "red"  # something does not work


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
    )
    return Health(checks, clock.now())


@cache
def newest_revision() -> str:
    """The revision of the schema that this version of the platform needs."""
    return ScriptDirectory(str(_MIGRATIONS)).get_current_head() or ""


def _database(session: Session) -> Check:
    session.execute(text("SELECT 1")).scalar_one()
    kind = "PostgreSQL" if session.get_bind().dialect.name == "postgresql" else "SQLite"
    return Check(Part.DATABASE, Light.GREEN, "database.answers", {"kind": kind})


def _schema(session: Session) -> Check:
    try:
        with session.begin_nested():
            present = session.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except DBAPIError:  # the service's database role may not read it
        return Check(Part.SCHEMA, Light.AMBER, "schema.unseen", {})
    facts = {"present": present or "none", "needed": newest_revision()}
    if present != newest_revision():
        return Check(Part.SCHEMA, Light.RED, "schema.old", facts)
    return Check(Part.SCHEMA, Light.GREEN, "schema.newest", facts)


def _worker(session: Session, runtime: Runtime) -> Check:
    """The worker's heartbeat is its duties: one is due every minute or so."""
    standings, moment = duties.standings(session, runtime), clock.now()
    done = [each.finished_at for each in standings if each.finished_at is not None]
    if not done:
        return Check(Part.WORKER, Light.RED, "worker.never", {})
    last = {"last": max(done)}
    overdue = max(moment - (each.due_at or moment) for each in standings)
    failing = [each.name for each in standings if each.failures]
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
    opened = len(alarms.open_alarms(session))
    if opened:
        return Check(Part.LOG, Light.RED, "log.alarm", {"count": opened})
    newest = tree.newest(session)
    oldest = session.execute(select(func.min(AuditQueue.t))).scalar()
    waiting = timedelta() if oldest is None else clock.now() - clock.moment(oldest)
    if waiting > LATE:
        minutes = int(waiting.total_seconds()) // 60
        return Check(Part.LOG, Light.RED, "log.still", {"minutes": minutes})
    if newest is None:
        return Check(Part.LOG, Light.AMBER, "log.none", {})
    signed = select(AuditCheckpoint.t.label("at")).where(AuditCheckpoint.size == newest.size)
    at = {"last": clock.moment(session.execute(signed).scalar_one())}
    if waiting > UNPLACED:
        return Check(Part.LOG, Light.AMBER, "log.late", at)
    return Check(Part.LOG, Light.GREEN, "log.grows", at)


def _witnesses(session: Session, runtime: Runtime) -> Check:
    settings = runtime.settings.audit
    silent_after = timedelta(hours=settings.silent_hours)
    found = [each for each in witnesses.standings(session, silent_after) if each.until is None]
    silent = sum(each.state is WitnessState.SILENT for each in found)
    if not witnesses.quorum(session, settings.operator):
        return Check(Part.WITNESSES, Light.AMBER, "witnesses.none", {})
    met_at = witnesses.quorum_met_at(session, settings.operator)
    if met_at is None or clock.now() - met_at > silent_after:
        return Check(Part.WITNESSES, Light.RED, "witnesses.few", {})
    if silent:
        return Check(Part.WITNESSES, Light.AMBER, "witnesses.silent", {"count": silent})
    return Check(Part.WITNESSES, Light.GREEN, "witnesses.cosign", {"last": met_at})


def _epochs(session: Session) -> Check:
    moment = clock.now()
    ends = {
        kind: max(
            (
                row.valid_to
                for row in pseudonyms.epochs(session)
                if row.kind is kind and row.valid_from <= moment < row.valid_to
            ),
            default=None,
        )
        for kind in EvaluationKind
    }
    closed = tuple(kind for kind, end in ends.items() if end is None)
    if closed:
        return Check(Part.EPOCHS, Light.RED, "epochs.closed", {"kinds": closed})
    first = min(end for end in ends.values() if end is not None)
    if first <= moment + SOON:
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
    places = {
        "archive": Path(runtime.settings.audit.archive),
        **dict(_database_place(session)),
    }
    free = {name: _free_percent(place) for name, place in places.items()}
    name, percent = min(free.items(), key=lambda each: each[1])
    facts = {"percent": percent, "place": name}
    if percent < _FULL:
        return Check(Part.DISK, Light.RED, "disk.full", facts)
    if percent < _TIGHT:
        return Check(Part.DISK, Light.AMBER, "disk.tight", facts)
    finding = "disk.room" if "database" in places else "disk.elsewhere"
    return Check(Part.DISK, Light.GREEN, finding, facts)


def _database_place(session: Session) -> Iterator[tuple[str, Path]]:
    """Where the database lies, if that can be told: an embedded one lies in a file."""
    engine = session.get_bind().engine
    if engine.dialect.name == "sqlite" and engine.url.database:
        yield "database", Path(engine.url.database).parent


def _free_percent(place: Path) -> int:
    while not place.exists() and place != place.parent:
        place = place.parent
    usage = shutil.disk_usage(place)
    return usage.free * 100 // usage.total
