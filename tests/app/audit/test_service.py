"""Appending: what is stored, together with the act or not at all."""

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from app.access import CONSOLE
from app.audit.models import (
    PARTITIONED,
    AuditAudience,
    AuditDetail,
    AuditEntry,
    AuditOrgKey,
    AuditQueue,
)
from app.audit.service import append, create_tag_key
from app.database import Database
from postern.audit.record import disclosure_digest, open_disclosures, tag
from postern.base64url import from_base64url, to_base64url
from postern.vocabulary import LegalBasis, Purpose
from tests.app.bare import PERSON, count_entries, give_tag_keys, member

_PARTS = (AuditEntry, AuditDetail, AuditQueue, AuditAudience)


def test_an_entry_is_stored_as_the_bytes_that_were_hashed(database: Database) -> None:
    give_tag_keys(database, "police-de", "post-be")
    with database.transaction() as session:
        made = append(
            session,
            member("police-de"),
            "lookup.ask",
            audience=["post-be"],
            purpose=Purpose.CRIMINAL_INVESTIGATION,
            basis=LegalBasis.POLICE_LAW,
            case="K-1",
            objects=["i1", "i2"],
        )
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry)).one()
        detail = session.scalars(select(AuditDetail)).one()
        audience = session.execute(select(AuditAudience.org, AuditAudience.t, AuditAudience.eid))
        queued = session.scalars(select(AuditQueue.eid)).all()

        assert (bytes(entry.rec), bytes(entry.leaf)) == (made.record, made.leaf)
        record = json.loads(entry.rec)
        assert json.loads(entry.leaf)["c"] == to_base64url(hashlib.sha256(entry.rec).digest())
        assert {disclosure_digest(line) for line in detail.disc.splitlines()} == set(
            record["f"].values()
        )
        assert open_disclosures(detail.disc) == {
            "actor": str(PERSON),
            "means": "session",
            "case": "K-1",
            "objects": ["i1", "i2"],
        }
        assert (detail.actor, detail.casref) == (str(PERSON), "K-1")
        assert {tuple(row) for row in audience} == {
            ("police-de", entry.t, entry.eid),
            ("post-be", entry.t, entry.eid),
        }
        assert queued == [entry.eid]


def test_the_columns_that_are_searched_repeat_the_record(database: Database) -> None:
    give_tag_keys(database, "police-de")
    with database.transaction() as session:
        append(session, member(), "lookup.ask", purpose=Purpose.RISK_ANALYSIS)
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry)).one()
        audience = session.scalars(select(AuditAudience)).one()
        record = json.loads(entry.rec)
        assert (entry.t, entry.act, entry.org) == (record["t"], record["act"], record["org"])
        assert (audience.t, audience.act) == (record["t"], record["act"])
        assert (audience.out, audience.purpose) == (record["out"], record["purpose"])
        assert [audience.org] == record["aud"]


def test_an_owner_learns_neither_actor_nor_case(database: Database) -> None:
    give_tag_keys(database, "police-de", "post-be")
    with database.transaction() as session:
        append(
            session,
            member("police-de"),
            "indicator.match",
            audience=["post-be"],
            case="secret case",
            objects=["i1"],
            tell_actor=False,
        )
    with database.reading() as session:
        detail = session.scalars(select(AuditDetail)).one()
        assert (detail.actor, detail.casref) == (None, None)
        assert open_disclosures(detail.disc) == {"objects": ["i1"]}
        assert session.scalars(select(AuditAudience.org)).all() == ["post-be"]


def test_an_act_that_is_rolled_back_leaves_no_part_of_an_entry(database: Database) -> None:
    give_tag_keys(database, "police-de")

    def act_and_fail() -> None:
        with database.transaction() as session:
            append(session, member(), "report.submit")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act_and_fail()
    assert _rows(database) == [0, 0, 0, 0]


@pytest.mark.parametrize("part", [table.__tablename__ for table in _PARTS])
def test_an_act_whose_entry_cannot_be_stored_is_undone(database: Database, part: str) -> None:
    give_tag_keys(database, "police-de")
    refuse_inserts(database, part)

    def act() -> None:
        with database.transaction() as session:
            session.execute(text("INSERT INTO community (code, name) VALUES ('a', 'A')"))
            append(session, member(), "report.submit")

    with pytest.raises(DBAPIError, match="refused by the test"):
        act()
    assert _rows(database) == [0, 0, 0, 0]
    with database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM community")).scalar_one() == 0


def test_an_act_outside_the_catalogue_is_refused(database: Database) -> None:
    with database.transaction() as session, pytest.raises(LookupError, match="catalogue"):
        append(session, CONSOLE, "indicator.peek")
    assert count_entries(database) == 0


def test_an_entry_that_nobody_may_read_is_refused(database: Database) -> None:
    with database.transaction() as session, pytest.raises(LookupError, match="nobody"):
        append(session, CONSOLE, "indicator.match", tell_actor=False)


def test_a_tag_key_that_is_rolled_back_with_its_organisation_is_not_remembered(
    database: Database,
) -> None:
    def join_and_fail() -> None:
        with database.transaction() as session:
            create_tag_key(session, "police-de")
            append(session, member("police-de"), "lookup.ask")
            raise KeyError("undone")

    with pytest.raises(KeyError):
        join_and_fail()
    give_tag_keys(database, "police-de")
    with database.transaction() as session:
        leaf = json.loads(append(session, member("police-de"), "lookup.ask").leaf)
        key = bytes(session.scalars(select(AuditOrgKey.key)).one())
    nonce = from_base64url(leaf["n"])
    assert nonce is not None
    assert tag(key, nonce) in leaf["a"]


def test_tag_keys_are_asked_for_once(database: Database) -> None:
    give_tag_keys(database, "police-de")
    asked: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def listen(*told: object) -> None:
        asked.append(str(told[2]))

    for _ in range(3):
        with database.transaction() as session:
            append(session, member("police-de"), "lookup.ask")
    assert sum("FROM audit_org_key" in statement for statement in asked) == 1


def test_an_organisation_without_a_tag_key_is_refused(database: Database) -> None:
    with database.transaction() as session, pytest.raises(LookupError, match="police-de"):
        append(session, member("police-de"), "report.submit")
    assert count_entries(database) == 0


def test_two_first_acts_of_the_platform_at_once_both_succeed(database: Database) -> None:
    both_ready = threading.Barrier(2)

    def first_act() -> None:
        both_ready.wait()
        with database.transaction() as session:
            append(session, CONSOLE, "organisation.list")

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(first_act) for _ in range(2)]:
            done.result()
    assert count_entries(database) == 2
    with database.reading() as session:
        assert session.scalars(select(AuditOrgKey.org)).all() == ["platform"]


@pytest.mark.parametrize("table", ["audit_entry", "audit_audience"])
def test_an_entry_cannot_be_replaced_by_inserting_it_again(database: Database, table: str) -> None:
    give_tag_keys(database, "police-de")
    with database.transaction() as session:
        append(session, member(), "report.read")
    again = f"INTO {table} SELECT * FROM {table}"  # noqa: S608 - a table of this test
    statement = f"REPLACE {again}" if database.is_sqlite else f"INSERT {again}"
    with pytest.raises(DBAPIError), database.transaction() as session:
        session.execute(text(statement))


def test_the_log_is_not_a_second_home_of_lookups(database: Database) -> None:
    # What was asked stands in the erasable details; no table of the log has a column for it.
    with database.engine.connect() as connection:
        tables = inspect(connection)
        columns = {
            column["name"]
            for table in tables.get_table_names()
            if table in {"audit_entry", *PARTITIONED, "audit_queue", "audit_seq", "audit_org_key"}
            for column in tables.get_columns(table)
        }
    assert columns == {
        *("eid", "t", "act", "org", "doer", "out", "purpose", "basis", "obj", "rec", "leaf"),
        *("actor", "casref", "disc", "epoch", "key", "about", "idx"),
    }


def refuse_inserts(database: Database, table: str) -> None:
    """Let the database itself refuse rows of `table`."""
    with database.engine.begin() as connection:
        if database.is_sqlite:
            connection.execute(
                text(
                    f"CREATE TRIGGER refuse BEFORE INSERT ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'refused by the test'); END"
                )
            )
            return
        connection.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$"
            )
        )
        connection.execute(
            text(
                f"CREATE TRIGGER refuse BEFORE INSERT ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        )


def _rows(database: Database) -> list[int]:
    with database.reading() as session:
        return [
            session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in _PARTS
        ]
