"""The platform with a cast of organisations, made once and put back for every example.

Everything goes through the rooms' own services; the clock stands where a test puts it.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, text, update
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE
from app.audit.models import AuditAudience, AuditDetail, AuditEntry
from app.database import Database
from app.indicators import service as indicators
from app.indicators.kinds import ROLES_OF
from app.lookups.scoring import Query
from app.pseudonyms.models import KeyEpoch
from app.pseudonyms.service import open_first_epochs
from app.sharing.classes import ClassAttributes
from app.sharing.reasons import KnownReasons
from postern import group, pseudonym
from postern.audit.record import open_disclosures
from postern.vocabulary import EVALUATION_KIND, HANDLING_AGAINST_TLP, Kind, Role, Sector, Substance
from tests.app.exchange import b64
from tests.app.people import Person, make_organisation, make_person, runtime_of

CAST = {
    "post-be": (Sector.POST, "BE"),
    "courier-nl": (Sector.COURIER, "NL"),
    "customs-nl": (Sector.CUSTOMS, "NL"),
    "police-de": (Sector.POLICE, "DE"),
    "authority-be": (Sector.AUTHORITY, "BE"),
}
LATECOMER = ("police-be", Sector.POLICE, "BE")

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

_EMPTIED = (
    "legal_hold, envelope, acknowledgement, recall, given,"
    " share_grant, hit, lookup, grant_reason, token, element_vault, indicator, report, tombstone,"
    " profile, share_class, policy_draft_author, policy_cancellation, policy_version, policy_draft,"
    " community_member, community"
)


@dataclass(frozen=True)
class Thing:
    """A value that is reported and looked up, as one facet of one kind."""

    kind: Kind
    facet: int
    element: bytes

    @property
    def token(self) -> bytes:
        return pseudonym.token(EVALUATION_KIND[self.kind], 1, self.element)

    def query(self, name: str) -> Query:
        return Query(name, self.kind, 1, [(self.facet, self.token)])


def _things() -> tuple[Thing, ...]:
    one = group.base((7).to_bytes(32, "little"))
    two = group.add(one, group.GENERATOR)
    return (
        Thing(Kind.PHONE, 20, one),
        Thing(Kind.PHONE, 20, two),
        Thing(Kind.EMAIL, 22, one),
        Thing(Kind.PGP, 21, one),
        Thing(Kind.PAYMENT, 23, two),
    )


THINGS = _things()


@dataclass
class Clock:
    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class Entry:
    """An entry of the log that tells an owner of a hit."""

    act: str
    owner: str
    level: str
    policy: str
    indicators: frozenset[str]


@dataclass
class Ground:
    """One database of one back end, with an application on it."""

    app: Flask
    clock: Clock
    kept: Path
    ids: dict[str, int] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return runtime_of(self.app).database

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with self.app.app_context(), self.database.transaction() as session:
            yield session

    def join_cast(self, code: str, sector: Sector, country: str) -> None:
        self.ids[code] = make_organisation(self.database, code, sector, country)
        self.people[code] = make_person(self.app, code, Role)

    def keep(self) -> None:
        """Remember the state to which `put_back` returns."""
        if self.database.is_sqlite:
            # The last connection that closes writes everything into the one file.
            self.database.dispose()
            shutil.copyfile(self._file, self.kept)

    def put_back(self) -> None:
        self.clock.at = NOON
        runtime_of(self.app).part(KnownReasons).clear()
        if self.database.is_sqlite:
            self.database.dispose()
            for ending in ("-wal", "-shm"):
                self._file.with_name(self._file.name + ending).unlink(missing_ok=True)
            shutil.copyfile(self.kept, self._file)
        else:
            self._empty()
        for code in self.ids.keys() - CAST.keys():
            del self.ids[code], self.people[code]

    def _empty(self) -> None:
        """Without the triggers that keep append-only tables, and without checking references."""
        late = f"(SELECT id FROM organisation WHERE code = '{LATECOMER[0]}')"  # noqa: S608 - a constant
        people = f"(SELECT id FROM person_account WHERE organisation_id IN {late})"  # noqa: S608
        with self.database.engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            for table in _EMPTIED.split(","):
                connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608
            for table in ("credential", "role_grant"):
                connection.execute(text(f"DELETE FROM {table} WHERE person_id IN {people}"))  # noqa: S608
            connection.execute(text(f"DELETE FROM person_account WHERE organisation_id IN {late}"))  # noqa: S608
            connection.execute(text(f"DELETE FROM audit_org_key WHERE org = '{LATECOMER[0]}'"))  # noqa: S608
            connection.execute(text(f"DELETE FROM organisation WHERE code = '{LATECOMER[0]}'"))  # noqa: S608
            connection.execute(text("UPDATE organisation SET status = 'active', facts_seq = 1"))

    @property
    def _file(self) -> Path:
        return Path(str(self.database.url.database))

    def submit(
        self,
        code: str,
        key: str,
        thing: Thing,
        attributes: ClassAttributes,
        *,
        age: int = 0,
        expires_in: int = 100,
    ) -> indicators.ReportResult:
        """A report of one indicator, as the wire would bring it."""
        with self.transaction() as session:
            raw = wire(key, thing, attributes, self.clock.at, age=age, expires_in=expires_in)
            (result,) = indicators.submit(session, self.people[code].caller, [raw]).results
        assert result.status is indicators.Status.CREATED, result.errors
        return result

    def entries_since(self, last: int) -> set[Entry]:
        """What owners were told of hits after entry `last`."""
        with self.database.reading() as session:
            rows = session.execute(
                select(AuditEntry.act, AuditDetail.disc, AuditAudience.org)
                .join(AuditDetail, AuditDetail.eid == AuditEntry.eid)
                .join(AuditAudience, AuditAudience.eid == AuditEntry.eid)
                .where(
                    AuditEntry.eid > last,
                    AuditEntry.act.in_(["indicator.match", "indicator.alert"]),
                )
            ).all()
        found = set()
        for act, disclosed, owner in rows:
            told = open_disclosures(disclosed)
            found.add(
                Entry(act, owner, told.get("level", ""), told["policy"], frozenset(told["objects"]))
            )
        return found

    def last_entry(self) -> int:
        with self.database.reading() as session:
            return session.scalar(select(AuditEntry.eid).order_by(AuditEntry.eid.desc())) or 0


def fitting(thing: Thing, attributes: ClassAttributes) -> ClassAttributes:
    """The class as near to `attributes` as the platform accepts for such a thing."""
    return ClassAttributes(
        kind=thing.kind,
        role=min(ROLES_OF[thing.kind]),
        tlp=attributes.tlp,
        handling=attributes.handling - HANDLING_AGAINST_TLP[attributes.tlp],
        source_grade=attributes.source_grade,
        information_grade=attributes.information_grade,
        assertion=attributes.assertion,
        permitted_action=attributes.permitted_action,
        barrier_step=attributes.barrier_step,
        substance=attributes.substance,
    )


def wire(
    key: str,
    thing: Thing,
    attributes: ClassAttributes,
    at: datetime,
    *,
    age: int = 0,
    expires_in: int = 100,
) -> dict[str, Any]:
    """A report of one indicator of that class, seen `age` days ago."""
    report: dict[str, Any] = {
        "client_key": key,
        "indicators": [
            {
                "kind": thing.kind.value,
                "role": attributes.role.value,
                "epoch": 1,
                "elements": [{"facet": thing.facet, "element": b64(thing.element)}],
                "learned": "outside_of_item",
                "legal_basis": "postal_law",
                "tlp": attributes.tlp.value,
                "handling": sorted(attributes.handling),
                "source_grade": attributes.source_grade.value,
                "information_grade": attributes.information_grade.value,
                "assertion": attributes.assertion.value,
                "permitted_action": attributes.permitted_action.value,
                "observed_to": (at - timedelta(days=age)).date().isoformat(),
                "expires_on": (at + timedelta(days=expires_in)).date().isoformat(),
            }
        ],
    }
    if attributes.barrier_step:
        report["barrier_step"] = attributes.barrier_step
    if attributes.substance is not Substance.UNKNOWN:
        report["shipment"] = {"substance": attributes.substance.value}
    return report


@contextmanager
def prepared_ground(app: Flask, kept: Path) -> Iterator[Ground]:
    """The cast on the application's database; the clock of every room is the ground's."""
    database = runtime_of(app).database
    made = Ground(app, Clock(), kept)
    commit_without_waiting_for_the_disk(database)
    with pytest.MonkeyPatch.context() as patch:
        real = clock.now
        for name, module in list(sys.modules.items()):
            if name.startswith("app.") and getattr(module, "now", None) is real:
                patch.setattr(module, "now", made.clock)
        for code, (sector, country) in CAST.items():
            made.join_cast(code, sector, country)
        with made.transaction() as session:
            open_first_epochs(session, CONSOLE)
            # Years pass in these tests, and no new epoch is opened meanwhile.
            session.execute(update(KeyEpoch).values(valid_to=NOON + timedelta(days=100 * 365)))
        made.keep()
        yield made


def commit_without_waiting_for_the_disk(database: Database) -> None:
    """Durability is not what these tests are about, and they commit very often."""
    statement = "PRAGMA synchronous = OFF" if database.is_sqlite else "SET synchronous_commit = off"

    def relax(connection: Any, _record: object) -> None:
        connection.execute(statement)
        if not database.is_sqlite:
            connection.commit()

    event.listen(database.engine, "connect", relax)
    database.dispose()
