"""The alarm for stored policies that the present schema no longer accepts.

Such a text shares nothing: that is decided where texts are loaded. Here its organisation and the
platform's administrator learn of it, so that it does not stay silent.
"""

from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.audit import reading
from app.audit.service import append
from app.organisations.service import directory
from app.sharing import eras, grants
from app.sharing.models import PolicyVersion
from app.sharing.policy_text import Fault, PolicyRefusedError, read

log = structlog.get_logger(__name__)

_ACT = "policy.invalid"


@dataclass(frozen=True)
class InvalidVersion:
    """A version in force or to come that shares nothing; `organisation` is the owner's code."""

    organisation: str
    seq: int
    is_in_force: bool
    faults: tuple[Fault, ...]

    @property
    def name(self) -> str:
        """The version as the log names it, such as post-be/3."""
        return f"{self.organisation}/{self.seq}"


@dataclass
class KnownValid:
    """Ids of versions that this process found valid; neither they nor its schema ever change."""

    version_ids: set[int] = field(default_factory=set)


def invalid_versions(
    session: Session, at: datetime, known: KnownValid | None = None
) -> list[InvalidVersion]:
    """The invalid ones of all versions in force or to come at `at`, by organisation and number.

    Those in `known` are not read again; those found valid are added to it.
    """
    found_valid = set() if known is None else known.version_ids
    members = directory(session)
    invalid: dict[int, tuple[bool, tuple[Fault, ...]]] = {}
    for held in eras.of(session, list(members), at).values():
        for place, era in enumerate(held):
            if era.policy_version_id is None or era.policy_version_id in found_valid:
                continue
            faults = _faults(era.text)
            if faults:
                invalid[era.policy_version_id] = (place == 0, faults)
            else:
                found_valid.add(era.policy_version_id)
    rows = session.execute(
        select(PolicyVersion.id, PolicyVersion.organisation_id, PolicyVersion.seq).where(
            PolicyVersion.id.in_(invalid)
        )
    )
    found = [
        InvalidVersion(members[organisation_id].code, seq, *invalid[version_id])
        for version_id, organisation_id, seq in rows
    ]
    return sorted(found, key=lambda each: (each.organisation, each.seq))


def read_invalid(session: Session, caller: Caller) -> list[InvalidVersion]:
    """The invalid versions of now, told to the log of each organisation; for the console."""
    found = invalid_versions(session, clock.now())
    for each in found:
        append(
            session,
            caller,
            "policy.read",
            audience=[each.organisation],
            object_type="policy",
            objects=[each.name],
        )
    return found


def alarm(session: Session, at: datetime, known: KnownValid) -> int:
    """Raise the alarm for every invalid version; how many there are.

    The owner's log gets one entry for each version, and another with each change of the platform's
    rules and schema; the service's log gets a line each time, until the text is corrected.
    """
    found = invalid_versions(session, at, known)
    for each in found:
        log.error("a stored policy is no longer valid and shares nothing", policy=each.name)
        if not _was_told(session, each):
            append(
                session,
                CONSOLE,
                _ACT,
                audience=[each.organisation],
                object_type="policy",
                objects=[each.name],
                details={
                    "rules": grants.rules(),
                    "policies": sorted({fault.policy for fault in each.faults}),
                },
            )
    return len(found)


def _faults(text: str) -> tuple[Fault, ...]:
    try:
        read(text)
    except PolicyRefusedError as refusal:
        return refusal.faults
    return ()


def _was_told(session: Session, version: InvalidVersion) -> bool:
    """Whether the newest alarm for it was under the present rules."""
    about = reading.Filters(act=_ACT, object=version.name)
    newest = reading.entries(session, version.organisation, about, limit=1).entries
    return any(entry.details.get("rules") == grants.rules() for entry in newest)
