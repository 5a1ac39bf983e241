"""The process that keeps the log: what it checks, tells and refuses; keys that come and go."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.audit.high_water import Head, StoredMismatchError
from app.audit.models import AlarmKind, AuditAlarm, AuditKey, AuditState, KeyUse
from app.audit.running import LogKeeper, sequencer
from app.audit.tree import head, log_keys, newest
from app.config import Settings
from app.database import Database
from app.runtime import Runtime
from postern.base64url import from_base64url
from postern.tlog.checkpoint import open_checkpoint
from postern.tlog.notes import Note, VerifierKey, verified
from postern.vocabulary import Role, Scope
from tests import conftest
from tests.app.people import bearer, make_organisation, make_person, runtime_of


@pytest.fixture
def settings(database_url: str, secrets_directory: Path, tmp_path: Path) -> Settings:
    """With secrets of this test's own: some of them are replaced."""
    own = tmp_path / "secrets"
    shutil.copytree(secrets_directory, own)
    made = conftest.settings_for(database_url, own)
    return replace(made, audit=replace(made.audit, interval_ms=20))


@pytest.fixture
def runtime(app: Flask) -> Iterator[Runtime]:
    found = runtime_of(app)
    make_organisation(found.database)
    with app.app_context():
        yield found


def keeper_of(runtime: Runtime) -> LogKeeper:
    return LogKeeper(runtime, sequencer(runtime))


def size_of(database: Database) -> int:
    with database.reading() as session:
        return head(session).size


@contextmanager
def kept(keeper: LogKeeper) -> Iterator[None]:
    """The process runs in a thread while the block does."""
    ended = threading.Event()
    thread = threading.Thread(target=keeper.run, args=(ended,))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(60)


def test_entries_get_their_place_while_it_runs(runtime: Runtime) -> None:
    keeper = keeper_of(runtime)
    heads: list[Head] = []
    came = threading.Event()
    ended = threading.Event()

    def told(found: Head) -> None:
        heads.append(found)
        came.set()

    keeper.begin()
    thread = threading.Thread(target=keeper.run, args=(ended, told))
    thread.start()
    try:
        assert came.wait(60)
        came.clear()
        make_organisation(runtime.database, "customs-nl")
        assert came.wait(60)
    finally:
        ended.set()
        thread.join(60)
    assert [each.size for each in heads] == sorted({each.size for each in heads})
    assert heads[-1].size == size_of(runtime.database)


def test_what_the_console_does_at_the_start_is_in_the_log(runtime: Runtime) -> None:
    keeper = keeper_of(runtime)
    keeper.begin()
    with runtime.database.reading() as session:
        told = {row.used_for: row.vkey for row in session.scalars(select(AuditKey))}
    assert told[KeyUse.LOG] == str(keeper.sequencer.keys[0].verifier)
    assert VerifierKey.parse(told[KeyUse.RECEIPT]).name == "test.postern.example/audit/receipt"


def test_a_stored_log_that_does_not_verify_stops_it_with_an_alarm(runtime: Runtime) -> None:
    keeper = keeper_of(runtime)
    keeper.begin()
    keeper.sequencer.step()
    with runtime.database.transaction() as session:
        session.execute(update(AuditState).values(size=1))
    for _ in range(2):  # the alarm is raised once
        with pytest.raises(StoredMismatchError):
            keeper_of(runtime).begin()
    with pytest.raises(StoredMismatchError):
        keeper.run(threading.Event())
    with runtime.database.reading() as session:
        (alarm,) = session.scalars(select(AuditAlarm)).all()
    assert alarm.kind is AlarmKind.STORED_MISMATCH
    assert "rows were changed" in alarm.reason


def test_the_command_ends_with_two_when_the_log_does_not_verify(
    app: Flask, runtime: Runtime
) -> None:
    runner = app.test_cli_runner()
    first = runner.invoke(args=["audit", "run", "--once"])
    assert first.exit_code == 0, first.output
    assert "The stored log verifies: 0 entries" in first.output
    size = size_of(runtime.database)
    assert size > 0
    checked = runner.invoke(args=["audit", "check"])
    assert (checked.exit_code, f"{size} entries" in checked.output) == (0, True)
    with runtime.database.transaction() as session:
        session.execute(update(AuditState).values(size=size - 1))
    for command in (["audit", "run", "--once"], ["audit", "check"]):
        refused = runner.invoke(args=command)
        assert refused.exit_code == 2
        assert "Nothing is signed" in refused.output


def test_a_missing_log_key_is_told_with_the_remedy(
    app: Flask, runtime: Runtime, settings: Settings
) -> None:
    (Path(settings.secrets.directory) / "audit_log.key").unlink()
    refused = app.test_cli_runner().invoke(args=["audit", "run", "--once"])
    assert refused.exit_code == 1
    assert "audit_log.key is missing. Run: python -m app secrets" in refused.output


def test_the_web_service_starts_without_the_log_key(settings: Settings, database: Database) -> None:
    (Path(settings.secrets.directory) / "audit_log.key").unlink()
    conftest.create_app(settings).extensions["postern"].database.dispose()


def test_two_keys_sign_while_one_replaces_the_other(app: Flask, runtime: Runtime) -> None:
    runner = app.test_cli_runner()
    old = keeper_of(runtime)
    old.begin()
    old.sequencer.step()
    rotated = runner.invoke(args=["audit", "rotate-key"])
    assert rotated.exit_code == 0, rotated.output
    both = keeper_of(runtime)
    both.begin()
    both.sequencer.step()
    new_key, old_key = (key.verifier for key in both.sequencer.keys)
    assert old_key == old.sequencer.keys[0].verifier
    with runtime.database.reading() as session:
        published = newest(session)
        assert published is not None
        assert log_keys(session) == [old_key, new_key]
    for key in (old_key, new_key):  # who knows either can verify
        assert open_checkpoint(published.note, [key])[0].size == published.size
    assert runner.invoke(args=["audit", "rotate-key"]).exit_code == 1
    assert runner.invoke(args=["audit", "retire-key", "--yes"]).exit_code == 0
    alone = keeper_of(runtime)
    alone.begin()
    with runtime.database.reading() as session:
        until = {row.vkey: row.until for row in session.scalars(select(AuditKey))}
    assert until[str(old_key)] is not None
    assert until[str(new_key)] is None
    assert runner.invoke(args=["audit", "retire-key", "--yes"]).exit_code == 1


def test_an_answer_carries_a_receipt_of_its_entry(app: Flask, runtime: Runtime) -> None:
    person = make_person(app, "post-be", [Role.COMPLIANCE])
    officer = bearer(app, person, [Scope.AUDIT_READ])
    response = app.test_client().get("/api/v1/audit", headers=officer)
    raw = from_base64url(response.headers["Postern-Receipt"])
    assert raw is not None
    note = Note.parse(raw)
    keeper_of(runtime).begin()
    with runtime.database.reading() as session:
        keys = log_keys(session, KeyUse.RECEIPT)
    assert [each.key for each in verified(note, keys)] == keys
    name, entry, moment, end = note.text.split("\n")
    assert name == "test.postern.example/audit/receipt"
    assert (entry.split()[0], moment.split()[0], end) == ("entry", "time", "")
