"""The benchmark of the log: what it fills in bulk is what the service would have stored."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from app.audit import service
from app.audit.models import AuditAudience, AuditDetail, AuditEntry, AuditObject
from app.audit.running import sequencer
from app.audit.service import create_tag_key
from app.config import Settings
from app.database import Database
from app.runtime import Runtime
from app.secret_files import read as read_secrets
from bench.audit_acts import ASKERS, OWNERS, Told, acts, rows_of
from bench.audit_fill import fill
from bench.audit_plain import append_plainly, make_table

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
COUNT = 30


@pytest.fixture
def furnished(database: Database) -> Database:
    with database.transaction() as session:
        for code in (*ASKERS, *OWNERS):
            create_tag_key(session, code)
    make_table(database)
    return database


def some_acts(seed: int) -> Iterator[Told]:
    return acts(random.Random(seed), AT)  # noqa: S311 - the same acts again, no secret


def shapes(database: Database) -> list[list[dict[str, Any]]]:
    """The rows of each table, without what is drawn anew for each entry: ids, salts, hashes."""
    found = []
    for table in (AuditEntry, AuditDetail, AuditAudience, AuditObject):
        with database.reading() as session:
            rows = session.execute(select(*table.__table__.columns).order_by("eid", "t")).mappings()
            found.append([{name: shape(name, row[name]) for name in row} for row in rows])
    return found


def shape(name: str, value: Any) -> Any:
    if name in {"eid", "t", "about"}:
        return type(value)
    if name in {"rec", "leaf", "disc"}:
        return type(value), len(value)
    return value


def test_what_is_filled_in_bulk_is_what_the_service_stores(
    furnished: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.audit_fill.CHUNK", COUNT)
    log = sequencer(Runtime(settings, furnished, read_secrets(Path(settings.secrets.directory))))
    fill(furnished, log, COUNT)
    bulk = shapes(furnished)
    with furnished.reading() as session:
        first = session.scalar(select(AuditEntry.eid).order_by(AuditEntry.eid).limit(1))
    monkeypatch.setattr(service, "now", lambda: AT)
    # The same acts by the same draw, through the service's own path.
    for told in islice(some_acts(first), COUNT):
        with furnished.transaction() as session:
            told.append(session)
    both = shapes(furnished)
    for filled, all_rows in zip(bulk, both, strict=True):
        assert filled
        assert all_rows[len(filled) :] == filled


def test_a_filled_log_verifies_and_nothing_waits(furnished: Database, settings: Settings) -> None:
    log = sequencer(Runtime(settings, furnished, read_secrets(Path(settings.secrets.directory))))
    fill(furnished, log, 3 * COUNT)
    fill(furnished, log, 5 * COUNT)
    assert log.check(whole=True).size == 5 * COUNT
    with furnished.reading() as session:
        assert not session.execute(text("SELECT 1 FROM audit_queue")).first()


def test_two_thirds_are_lookups_and_one_third_is_told_to_an_owner() -> None:
    keys = dict.fromkeys((*ASKERS, *OWNERS), bytes(32))
    rows = rows_of(some_acts(1), [AT] * 300, keys)
    told = Counter(row["act"] for row in rows)
    assert told == {"lookup.ask": 200, "indicator.match": 100}
    assert all(row["audience"] and row["objects"] for row in rows)


def test_the_peer_stores_the_same_words(furnished: Database) -> None:
    told = next(some_acts(1))
    with furnished.transaction() as session:
        append_plainly(session, told.caller, told.act, **told.given)
    with furnished.reading() as session:
        row = session.execute(text("SELECT * FROM bench_plain")).mappings().one()
    assert (row["act"], row["org"]) == ("lookup.ask", told.caller.organisation)
    assert (row["purpose"], row["casref"]) == (told.given["purpose"], told.given["case"])
    assert json.loads(row["details"]) == told.given["details"]
    assert json.loads(row["objects"]) == told.given["objects"]
