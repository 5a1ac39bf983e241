"""Whether a holder of key shares is well: its shares, members, database, log, clock and disk.

A holder has no page. `flask --app wsgi holder status` tells its operator, and ends with 1 when
something does not work; `/health/ready` is 503 once a share does not open.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app import schema_version
from app.audit.models import AuditEntry, AuditQueue
from app.clock import moment, now
from app.errors import UnavailableError
from app.organisations.service import directory
from app.pseudonyms import holder_service
from app.pseudonyms.holder_models import HeldShare, HolderMember
from app.runtime import Runtime
from postern.group import InvalidScalarError
from postern.signed_evaluation import TOLERANCE_SECONDS
from postern.threshold import ShareRefusedError

_UNPLACED = timedelta(minutes=10)  # for which an entry of the log may wait for its place
_SLOW = timedelta(seconds=TOLERANCE_SECONDS // 10)  # by which two clocks here may differ
_LEAST_FREE = 5  # per cent of a disk


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `found` in a sentence, and a remedy when it is not well."""

    part: str
    found: str
    remedy: str = ""

    @property
    def is_well(self) -> bool:
        """Whether nothing is to be done."""
        return not self.remedy


def demand_shares(of: Runtime) -> None:
    """UnavailableError when a share that is held does not open."""
    with of.database.reading() as session:
        if not all(holder_service.opens(each) for each in holder_service.held(session)):
            raise UnavailableError("A share does not open.", remedy=_RESTORE)


def findings(session: Session, of: Runtime) -> list[Finding]:
    """Everything that was looked at."""
    return [
        _schema(session),
        *_shares(session),
        _members(session),
        _log(session),
        *_clock(session),
        _disk(session, of),
    ]


def _schema(session: Session) -> Finding:
    found = schema_version.read(session.connection())
    if found.fits:
        return Finding("database", f"It answers, and has the schema {found.present}.")
    return Finding("database", found.fault, found.remedy)


def _shares(session: Session) -> Iterator[Finding]:
    rows = holder_service.held(session)
    if not rows:
        yield Finding("shares", "No share is held.", "Run: flask --app wsgi holder install")
    for row in rows:
        yield _share(row)


def _share(row: HeldShare) -> Finding:
    name = f"{row.kind.value}/{row.epoch}, holder {row.number}"
    try:
        holder_service.check_held(row)
    except ShareRefusedError:
        return Finding("share", f"{name}: it is not what was committed to.", _FROM_SAFE)
    except (InvalidScalarError, ValueError):
        return Finding("share", f"{name}: it does not open.", _RESTORE)
    return Finding("share", f"{name}: it opens, and is what was committed to.")


def _members(session: Session) -> Finding:
    members = directory(session)
    admitted = [members[each] for each in session.scalars(select(HolderMember.organisation_id))]
    codes = sorted(each.code for each in admitted if each.is_active)
    if not codes:
        return Finding("members", "Nobody is admitted.", "Run: flask --app wsgi holder admit")
    return Finding("members", f"Admitted are {', '.join(codes)}.")


def _log(session: Session) -> Finding:
    waiting, oldest = session.execute(select(func.count(), func.min(AuditQueue.t))).one()
    if oldest is not None and now() - moment(oldest) > _UNPLACED:
        told = (
            f"{waiting} entries wait for their place, the first since {moment(oldest):%F %R} UTC."
        )
        return Finding("log", told, "Run as a service of its own: flask --app wsgi audit run")
    return Finding("log", "Entries get their places.")


def _clock(session: Session) -> Iterator[Finding]:
    """Against the database's own clock where it has one, and against the log's newest entry."""
    at, others = now(), {}
    if session.get_bind().dialect.name == "postgresql":
        others["the database's"] = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    newest = session.scalar(select(func.max(AuditEntry.t)))
    if newest is not None and moment(newest) > at:
        others["that of the log's newest entry"] = moment(newest)
    wrong = [name for name, other in others.items() if abs(other - at) > _SLOW]
    told = f"It is {at:%F %T} UTC"
    if wrong:
        remedy = (
            "Set it by a time server: a signature is taken within five minutes of this clock only."
        )
        yield Finding("clock", f"{told}, and another time by {', '.join(wrong)} clock.", remedy)
    else:
        yield Finding("clock", f"{told}. Compare it with another clock.")


def _disk(session: Session, of: Runtime) -> Finding:
    places = [Path(of.settings.secrets.directory)]
    engine = session.get_bind().engine
    if engine.dialect.name == "sqlite" and engine.url.database:
        places.append(Path(engine.url.database).parent)
    usages = [shutil.disk_usage(place) for place in places]
    percent = min(each.free * 100 // each.total for each in usages)
    told = f"{percent} % are free."
    return Finding(
        "disk",
        told,
        ""
        if percent >= _LEAST_FREE
        else "Make room: nothing is logged on a full disk, and so nothing evaluated.",
    )


_RESTORE = (
    "Restore vault.key of this holder, under which its shares are sealed, or install them again."
)
_FROM_SAFE = "Stop this holder, and install the share from the safe again."
