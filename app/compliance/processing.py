"""The record of processing (GDPR Art. 30, LED Art. 24), from what is configured and in force now.

It says what the platform does. What only a controller can judge, such as necessity and whether the
authority must be consulted, is left open and marked; nothing of it is made up here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.models import AuditWitness
from app.audit.service import append
from app.compliance.processing_tables import TABLES, Form, Whom
from app.config import Settings
from app.database import Base
from app.indicators import ledger_spans
from app.jobs.models import Channel
from app.organisations import contacts
from app.organisations.service import directory
from app.pseudonyms import service as pseudonyms
from app.runtime import runtime
from app.secret_files import Secrets
from app.sharing.models import Profile
from postern.vocabulary import LegalBasis, Purpose

_YEAR = timedelta(days=366)
_UNKNOWN = "not described yet: treat it as personal data"


@dataclass(frozen=True)
class TableRecord:
    """One table as the record tells it."""

    name: str
    whom: str
    form: str
    until: str


@dataclass(frozen=True)
class Recipients:
    """An organisation that got indicators of the reader's in the last year, and how many."""

    code: str
    name: str
    country: str
    indicators: int


@dataclass(frozen=True)
class KeyRecord:
    """An evaluation key that is published: its kind, epoch and last day."""

    kind: str
    epoch: int
    ends: str


@dataclass(frozen=True)
class Record:
    """The record as it stands at `made_at`; empty where nothing is configured.

    `recipients` are None where the whole platform is told of, whose operator sees no exchange.
    """

    made_at: datetime
    platform: str
    organisation: str
    operator: str
    members: Sequence[Mapping[str, str]]
    purposes: Sequence[str]
    bases: Sequence[str]
    in_use: Sequence[Mapping[str, str]]
    tables: Sequence[TableRecord]
    recipients: Sequence[Recipients] | None
    outgoing: Mapping[str, int]
    keys: Sequence[KeyRecord]
    secrets: Sequence[str]
    measures: Sequence[tuple[str, str]]

    @property
    def personal(self) -> list[TableRecord]:
        """The tables that hold something of persons, or of which nothing is known."""
        return [each for each in self.tables if each.whom != Whom.NOBODY.value]

    def as_document(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self) | {"made_at": self.made_at.isoformat(timespec="seconds")}


def read(session: Session, caller: Caller) -> Record:
    """The record as an organisation's officer reads it, its own recipients included; logged."""
    organisation_id, _ = caller.member
    append(session, caller, "privacy.read", object_type="record")
    return build(session, runtime().settings, organisation_id)


def build(session: Session, settings: Settings, organisation_id: int | None = None) -> Record:
    """The record of now: of one organisation, or of the platform as a whole without recipients."""
    members = directory(session)
    now = clock.now()
    desks = contacts.contacts(session)
    operator = [each.name for each in members.values() if each.code == settings.audit.operator]
    return Record(
        made_at=now,
        platform=settings.platform.name,
        organisation=members[organisation_id].name if organisation_id is not None else "",
        operator=operator[0] if operator else "",
        members=[
            {
                "code": each.code,
                "name": each.name,
                "sector": each.sector.value,
                "country": each.country,
                "status": each.status.value,
                "desk": desks[key].desk if key in desks else "",
            }
            for key, each in sorted(members.items(), key=lambda pair: pair[1].code)
        ],
        purposes=[each.value for each in Purpose],
        bases=[each.value for each in LegalBasis],
        in_use=_in_use(session, organisation_id),
        tables=list(tables(settings)),
        recipients=None if organisation_id is None else _recipients(session, organisation_id, now),
        outgoing=_outgoing(session, organisation_id),
        keys=[
            KeyRecord(row.kind.value, row.epoch, row.valid_to.date().isoformat())
            for row in pseudonyms.epochs(session)
        ],
        secrets=[each.name for each in fields(Secrets)],
        measures=list(measures(session, settings)),
    )


def tables(settings: Settings) -> Iterator[TableRecord]:
    """Every table that exists, in order; one that nobody described says so."""
    values = {
        item.name: getattr(getattr(settings, section.name), item.name)
        for section in fields(settings)
        for item in fields(getattr(settings, section.name))
    }
    for name in sorted(Base.metadata.tables):
        kept = TABLES.get(name)
        if kept is None:
            yield TableRecord(name, _UNKNOWN, _UNKNOWN, _UNKNOWN)
        else:
            until = kept.until.format(**values)
            yield TableRecord(name, kept.whom.value, kept.form.value, until)


def measures(session: Session, settings: Settings) -> Iterator[tuple[str, str]]:
    """Measures of LED Art. 29(2) and GDPR Art. 32, with the figures that hold now."""
    quota, abuse = settings.quota, settings.abuse
    witnesses = session.scalar(
        select(func.count()).select_from(AuditWitness).where(AuditWitness.until.is_(None))
    )
    is_tls = settings.platform.origin.startswith("https://")
    yield (
        "Pseudonymisation",
        (
            "Values are normalised and blinded on the members' premises; the platform evaluates"
            " them without seeing them (RFC 9497) and stores keyed tokens. "
            f"{len(Form)} forms of storage, see the tables."
        ),
    )
    yield (
        "Access control",
        (
            "Roles by organisation, deny by default; one predicate decides who may see what. "
            f"{settings.sign_in.failures_before_lock} wrong passwords lock an account for "
            f"{settings.sign_in.lock_minutes} minutes; a session ends after "
            f"{settings.session.idle_minutes} idle minutes and at most "
            f"{settings.session.absolute_hours} hours; tokens live at most "
            f"{settings.token.longest_days} days."
        ),
    )
    yield (
        "Brake on guessing",
        (
            f"{abuse.values_day} different values of a kind a day and {abuse.values_month} a month"
            f" for an organisation, {quota.hour}/{quota.day}/{quota.month} evaluations an hour, a"
            f" day, a month; one person may use {quota.person_percent} per cent."
            " A counter that cannot be written refuses the request."
        ),
    )
    yield (
        "Logging (LED Art. 25)",
        (
            f"Every act is logged before its answer leaves, in the transparency log"
            f" {settings.audit.name}; {witnesses or 0} witnesses cosign it; entries leave the"
            f" database after {settings.audit.archive_months} months."
        ),
    )
    yield (
        "Transport control",
        (
            "Members reach the platform by TLS alone; cookies are bound to it."
            if is_tls
            else "The origin of this platform is not https: no personal data may be carried by it."
        ),
    )
    yield (
        "Storage limitation",
        (
            f"Indicators end after {settings.retention.indicator_days} days unless their owner says"
            f" otherwise, at most {settings.retention.longest_indicator_days}; lookups after"
            f" {settings.retention.lookup_days}; no decision means erasure."
        ),
    )
    yield (
        "Disclosure by a person",
        (
            "A match makes a task; content is released by a named approver who re-seals it to the"
            " requester on own premises. No automated decision about a person is made."
        ),
    )


def _in_use(session: Session, organisation_id: int | None) -> list[dict[str, str]]:
    """Purposes and legal bases under which something was asked so far."""
    wanted = select(Profile.purpose, Profile.legal_basis).distinct()
    if organisation_id is not None:
        wanted = wanted.where(Profile.organisation_id == organisation_id)
    rows = session.execute(wanted).all()
    return [
        {"purpose": purpose.value, "legal_basis": basis.value}
        for purpose, basis in sorted(rows, key=lambda row: (row[0].value, row[1].value))
    ]


def _recipients(session: Session, organisation_id: int, now: datetime) -> list[Recipients]:
    members = directory(session)
    given = ledger_spans.between(session, organisation_id, now - _YEAR, now).to
    return [
        Recipients(members[key].code, members[key].name, members[key].country, count)
        for key, count in sorted(given.items(), key=lambda pair: members[pair[0]].code)
    ]


def _outgoing(session: Session, organisation_id: int | None) -> dict[str, int]:
    """Ways by which something leaves by itself, and how many of each are set up."""
    # The exchange is a room beside this one: its table is known by name alone.
    collection = Base.metadata.tables["exchange_collection"]
    channels = select(func.count()).select_from(Channel).where(Channel.stopped_at.is_(None))
    collections = (
        select(func.count()).select_from(collection).where(collection.c.ended_at.is_(None))
    )
    if organisation_id is not None:
        channels = channels.where(Channel.organisation_id == organisation_id)
        collections = collections.where(collection.c.organisation_id == organisation_id)
    return {
        "channels of notifications": session.scalar(channels) or 0,
        "collections of the exchange": session.scalar(collections) or 0,
    }
