"""Revision 0003 on a log as revision 0002 stored it, and back, and up again."""

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, text

from app.__main__ import migrate
from app.audit.entry import Act, Entry, make
from app.audit.high_water import HighWater
from app.audit.models import (
    AuditArchive,
    AuditAudience,
    AuditDetail,
    AuditEntry,
    AuditObject,
    AuditQueue,
)
from app.audit.sequencer import Sequencer
from app.audit.service import append, object_key
from app.audit.tree import leaves
from app.config import Settings
from app.database import Database
from postern.tlog.notes import SigningKey
from tests.app.bare import PERSON, member

KEY = SigningKey("test.postern.example/audit", bytes(range(32)))
FIRST = datetime(2023, 12, 31, 23, tzinfo=UTC)
THING = UUID("018f0000-0000-7000-8000-0000000000bb")


@dataclass
class OldLog:
    """Entries as revision 0002 kept them, newest last."""

    settings: Settings
    database: Database
    made: list[Entry] = field(default_factory=list)

    def write(self, count: int) -> None:
        """Store entries an hour apart: some with a person, some without any detail of their own."""
        for number in range(count):
            at = int((FIRST + timedelta(hours=number)).timestamp() * 1000)
            details: dict[str, Any] = {}
            if number % 3:
                details = {"actor": str(PERSON), "case": f"K-{number}", "means": "session"}
                details["objects"] = [str(THING), f"policy/{number}"]
            act = Act(
                "lookup.ask", "police-de", frozenset({"police-de"}), details=details, purpose="x"
            )
            entry = make(act, at, {"police-de": bytes(32)})
            self.made.append(entry)
            self._store(number + 1, at, act, entry)

    def _store(self, eid: int, at: int, act: Act, entry: Entry) -> None:
        rows = {
            "audit_entry": {
                "eid": eid,
                "t": at,
                "act": act.act,
                "org": act.organisation,
                "rec": entry.record,
                "leaf": entry.leaf,
            },
            "audit_detail": {
                "eid": eid,
                "actor": act.details.get("actor"),
                "casref": act.details.get("case"),
                "disc": "\n".join(entry.disclosures),
            },
            "audit_audience": {
                "org": "police-de",
                "t": at,
                "eid": eid,
                "act": act.act,
                "out": "ok",
                "purpose": act.purpose,
            },
            "audit_queue": {"eid": eid},
        }
        with self.database.transaction() as session:
            for table, row in rows.items():
                names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
                session.execute(
                    text(f"INSERT INTO {table} ({names}) VALUES ({marks})"),  # noqa: S608
                    row,
                )

    def as_stored(self) -> list[dict[str, Any]]:
        """What revision 0002 reads."""
        with self.database.reading() as session:
            rows = session.execute(
                text(
                    "SELECT e.eid, e.t, e.act, e.org, e.rec, e.leaf, d.actor, d.casref, d.disc,"
                    " a.org AS reader, a.out, a.purpose FROM audit_entry e"
                    " JOIN audit_detail d ON d.eid = e.eid"
                    " JOIN audit_audience a ON a.eid = e.eid ORDER BY e.eid"
                )
            ).mappings()
            return [
                {k: bytes(v) if isinstance(v, memoryview) else v for k, v in row.items()}
                for row in rows
            ]


@pytest.fixture
def old(settings: Settings, database: Database) -> OldLog:
    """A log of seven entries in two years, at revision 0002."""
    migrate(settings, "0002", down=True)
    database.dispose()
    log = OldLog(settings, database)
    with database.transaction() as session:
        session.execute(
            text("INSERT INTO audit_org_key (org, epoch, key) VALUES ('police-de', 1, :key)"),
            {"key": os.urandom(32)},
        )
    log.write(7)
    if not database.is_sqlite:
        with database.transaction() as session:
            session.execute(text("SELECT setval('audit_entry_eid_seq', 7)"))
    return log


def up(old: OldLog) -> None:
    migrate(old.settings)
    old.database.dispose()


def down(old: OldLog) -> None:
    migrate(old.settings, "0002", down=True)
    old.database.dispose()


def test_entries_keep_every_byte_and_are_found(old: OldLog) -> None:
    up(old)
    with old.database.reading() as session:
        for eid, made in enumerate(old.made, 1):
            entry = session.scalars(select(AuditEntry).where(AuditEntry.eid == eid)).one()
            detail = session.scalars(select(AuditDetail).where(AuditDetail.eid == eid)).one()
            assert (entry.rec, entry.leaf) == (made.record, made.leaf)
            assert detail.disc.splitlines() == list(made.disclosures)
            assert detail.t == entry.t == json.loads(made.record)["t"]
        by_actor = select(func.count()).where(AuditDetail.actor == str(PERSON))
        by_object = select(func.count()).where(AuditObject.about == object_key(str(THING)))
        by_code = select(func.count()).where(AuditObject.about == object_key("policy/4"))
        assert session.execute(by_actor).scalar_one() == 4
        assert session.execute(by_object).scalar_one() == 4
        assert session.execute(by_code).scalar_one() == 1
        audience = session.scalars(select(AuditAudience)).first()
        assert audience is not None
        assert (audience.doer, audience.purpose) == ("police-de", "x")


def test_old_entries_get_their_places_in_order(old: OldLog, tmp_path: Path) -> None:
    up(old)
    log = Sequencer(old.database, [KEY], HighWater(tmp_path / "high-water.json"))
    assert log.step().taken == 7
    log.check(whole=True)
    with old.database.reading() as session:
        assert leaves(session, 0, 7) == [each.leaf for each in old.made]


def test_months_with_entries_have_their_partition(old: OldLog) -> None:
    up(old)
    if old.database.is_sqlite:
        return
    with old.database.reading() as session:
        counts = [
            session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
            for table in ("audit_entry_y2023m12", "audit_entry_y2024m01", "audit_entry_other")
        ]
    assert counts == [1, 6, 0]


def test_the_way_back_gives_what_was_there_and_newer_entries_too(
    old: OldLog, tmp_path: Path
) -> None:
    before = old.as_stored()
    up(old)
    Sequencer(old.database, [KEY], HighWater(tmp_path / "high-water.json")).step()
    with old.database.transaction() as session:
        newer = append(session, member(), "lookup.ask", case="K-new", objects=[str(THING)])
    down(old)
    after = old.as_stored()
    assert after[:7] == before
    assert len(after) == 8
    assert (after[7]["rec"], after[7]["leaf"]) == (newer.record, newer.leaf)
    assert after[7]["disc"].splitlines() == list(newer.disclosures)
    assert (after[7]["actor"], after[7]["casref"]) == (str(PERSON), "K-new")
    with pytest.raises(Exception, match="append-only"), old.database.transaction() as session:
        session.execute(text("DELETE FROM audit_entry"))
    up(old)
    with old.database.reading() as session:
        waiting = session.execute(select(func.count()).select_from(AuditQueue)).scalar_one()
        again = session.scalars(select(AuditEntry.leaf).order_by(AuditEntry.eid)).all()
    assert waiting == 8
    assert again == [*(each.leaf for each in old.made), newer.leaf]


def test_new_entries_go_on_numbering(old: OldLog) -> None:
    up(old)
    with old.database.transaction() as session:
        append(session, member(), "lookup.ask")
        assert session.execute(select(func.max(AuditEntry.eid))).scalar_one() == 8


def test_there_is_no_way_back_once_entries_are_archived(old: OldLog) -> None:
    up(old)
    archive = {"first": 0, "count": 256, "name": "a", "sha256": bytes(32), "length": 1}
    with old.database.transaction() as session:
        session.execute(insert(AuditArchive).values(archive | _TIMES))
    with pytest.raises(RuntimeError, match="stand in archives"):
        down(old)
    with old.database.reading() as session:
        assert session.execute(select(func.count()).select_from(AuditEntry)).scalar_one() == 7


_TIMES = {"t_first": 0, "t_last": 1, "made_at": 2}
