"""Backups and restores of a lively platform, on both back ends."""

import json
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, make_url, select, text
from sqlalchemy.orm import Session

from app import schema_version
from app.__main__ import migrate
from app.accounts import tokens
from app.accounts.models import ApiToken, WebSession
from app.audit import erasure
from app.audit.archive import archivist
from app.audit.catalogue import CATALOGUE
from app.audit.erasure import Wanted
from app.audit.models import AuditDetail, AuditEntry
from app.audit.tree import head
from app.backup import encryption, journal, making, parts, restoring
from app.backup.encryption import BackupDamagedError
from app.backup.ends import REPLAYED, TOLD
from app.clock import now
from app.disclosures.models import Acknowledgement, Recall
from app.errors import StartRefusedError
from app.indicators import service as indicators
from app.indicators.models import Indicator, Report, ReportStatus, Token
from app.sharing.models import PolicyVersion
from postern.audit.record import open_disclosures
from postern.vocabulary import Scope
from tests.app.backup import stage
from tests.app.backup.stage import Scene, silent
from tests.app.exchange import CLOSED, JAN, report
from tests.app.lively import HOME, make_lively


def test_what_ended_after_the_backup_is_ended_in_the_restored_database(
    scene: Scene, target: str
) -> None:
    exchange = scene.exchange
    make_lively(exchange)
    own = exchange.submit(HOME, report("R-1", exchange.indicator(JAN))).results[0]
    kept = exchange.submit(HOME, report("R-2", exchange.indicator(JAN))).results[0]
    exchange.ask("police-de", JAN)
    person = exchange.caller(HOME)
    colleague = exchange.caller("customs-nl")
    with exchange.app.app_context(), exchange.database.transaction() as session:
        token = tokens.create_own_token(session, person, scopes=[Scope.REPORTS_WRITE], days=30)
    backup = scene.back_up()
    restored = restoring.verify(scene.settings, backup, scene.by, silent)
    with exchange.app.app_context():
        with exchange.database.transaction() as session:
            indicators.withdraw(session, person, own.id, "error")
            tokens.revoke_own_token(session, person, token.token.id)
            record = open_record(session)
            erasure.ask(session, person, Wanted(records=frozenset({record})))
            session.add(session_of(colleague.person_id))
        exchange.publish("customs-nl", CLOSED)
        for _ in ("live entries", "archives"):
            with exchange.database.transaction() as session:
                erasure.perform_waiting(session, archivist(exchange.app.extensions["postern"]))
    assert stage.sign(exchange.app) > restored["checkpoint"]["size"]
    scene.write_journal()
    recalls = {each.public_id for each in exchange.rows(select(Recall))}

    done = restoring.restore(scene.settings, backup, scene.by, target, silent)

    assert done.mismatch == ""
    assert done.head == head_of(scene)
    assert done.replayed.done["report.withdraw"] == 1
    with stage.opened(target) as database, database.reading() as session:
        assert set(session.scalars(select(Recall.public_id))) == recalls
        assert session.scalar(select(func.count()).select_from(Acknowledgement))
        gone = session.scalars(select(Report).where(Report.public_id == own.id)).one()
        assert gone.status is ReportStatus.WITHDRAWN
        ids = set(session.scalars(select(Indicator.public_id)))
        assert not ids & set(own.indicators)
        assert set(kept.indicators) <= ids
        assert not session.scalar(
            select(func.count())
            .select_from(Token)
            .where(Token.indicator_id.not_in(select(Indicator.id)))
        )
        revoked = select(ApiToken.revoked_at).where(ApiToken.public_id == token.token.id)
        assert session.scalar(revoked) is not None
        assert not session.scalar(select(func.count()).select_from(WebSession))
        assert details_of(session, record) == {}
        newest = select(PolicyVersion.text).order_by(PolicyVersion.id.desc()).limit(1)
        assert session.scalar(newest) == CLOSED
        assert schema_version.read(session.connection()).fits
        told = select(AuditEntry.eid).where(AuditEntry.act == "platform.restore")
        assert session.scalar(told) is not None
    with pytest.raises(StartRefusedError, match="not empty"):
        restoring.restore(scene.settings, backup, scene.by, target, silent)


def open_record(session: Session) -> str:
    """The id of an entry of HOME's own that has details."""
    rows = session.execute(
        select(AuditEntry.rec)
        .where(AuditEntry.org == HOME, AuditEntry.act == "report.submit")
        .order_by(AuditEntry.eid)
    ).all()
    return str(json.loads(rows[0].rec)["id"])


def details_of(session: Session, record: str) -> dict[str, object]:
    rows = session.execute(
        select(AuditEntry.rec, AuditDetail.disc)
        .join(AuditDetail, AuditDetail.eid == AuditEntry.eid)
        .where(AuditEntry.org == HOME)
    )
    found: dict[str, object] = {}
    for row in rows:
        if json.loads(row.rec)["id"] == record:
            found |= open_disclosures(row.disc)
    return found


def session_of(person_id: int | None) -> WebSession:
    at = now()
    return WebSession(
        name_hash=os.urandom(32),
        person_id=person_id,
        started_at=at,
        last_seen_at=at,
        expires_at=at + timedelta(hours=1),
        proved_by=["password"],
        proved_at=at,
    )


def head_of(scene: Scene) -> object:
    with scene.exchange.database.reading() as session:
        return head(session)


def test_a_backup_that_is_not_whole_or_not_for_this_key_is_not_restored(
    small: Scene, target: str
) -> None:
    backup = small.back_up()
    content = backup.read_bytes()
    for broken in (content[:-1], content[: len(content) // 2], flipped(content), b""):
        damaged = small.folder / "damaged.backup"
        damaged.write_bytes(broken)
        with pytest.raises(BackupDamagedError, match=r"damaged|cannot be read|empty"):
            restoring.restore(small.settings, damaged, small.by, target, silent)
    stranger = stage.make_keys(small.folder / "stranger.txt")
    by = encryption.identities(stranger.file)
    with pytest.raises(BackupDamagedError, match="not encrypted to this key"):
        restoring.restore(small.settings, backup, by, target, silent)
    assert nothing_in(target)


def test_a_backup_is_refused_without_a_recipient_or_with_the_same_for_secrets(
    small: Scene,
) -> None:
    folder = small.folder / "backups"
    nobody = replace(small.settings, backup=replace(small.settings.backup, recipients=""))
    with pytest.raises(StartRefusedError, match="No recipient"):
        making.make(nobody, folder)
    with pytest.raises(StartRefusedError, match="no public key"):
        making.make(small.settings, folder, "age1nothing")
    with pytest.raises(StartRefusedError, match="another pair"):
        making.make_secrets(small.settings, folder, small.keys.public)
    secrets = making.make_secrets(small.settings, folder)
    with pytest.raises(BackupDamagedError, match="not encrypted to this key"):
        encryption.decrypted(secrets.path, small.by)
    assert [path.name for path in folder.iterdir()] == [secrets.path.name]


def test_a_full_disk_and_a_kill_leave_no_file_that_looks_like_a_backup(
    small: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.sign(small.exchange.app)
    folder = small.folder / "backups"
    pieces = parts.Writer.pieces
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def full(writer: parts.Writer, name: str, source: Callable[[int], bytes]) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
        pieces(writer, name, source)

    def killed(_writer: parts.Writer, _name: str, source: Callable[[int], bytes]) -> None:
        source(1000)
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(parts.Writer, "pieces", full)
    try:
        with pytest.raises(StartRefusedError, match="make room"):
            making.make(small.settings, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(folder.iterdir()) == []
    monkeypatch.setattr(parts.Writer, "pieces", killed)
    child = os.fork()
    if not child:
        try:
            making.make(small.settings, folder)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert making.made_in(folder) == []
    monkeypatch.undo()
    made = making.make(small.settings, folder)
    assert [each.path for each in making.made_in(folder)] == [made.path]


@pytest.mark.parametrize("where", ["while rows come", "while endings are done again"])
def test_a_restore_that_was_killed_is_served_by_nobody_and_can_begin_again(
    small: Scene, target: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = small.back_up()
    opened = parts.database_of
    is_listed = make_url(target).get_backend_name() == "sqlite"  # there is no list to be read first

    def kill(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def halved(blocks: Iterator[bytes]) -> Iterator[bytes]:
        first = next(blocks)
        yield first[: len(first) // 2]
        kill()

    @contextmanager
    def half(path: Path, by: encryption.Identities) -> Iterator[Iterator[bytes]]:
        """Half of the first block, and then the end of the process that reads it."""
        nonlocal is_listed
        with opened(path, by) as blocks:
            yield halved(iter(blocks)) if is_listed else iter(blocks)
        is_listed = True

    if where == "while rows come":
        monkeypatch.setattr(parts, "database_of", half)
    else:
        monkeypatch.setattr(restoring, "_replay", kill)
    child = os.fork()
    if not child:
        try:
            restoring.restore(small.settings, backup, small.by, target, silent)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    monkeypatch.undo()
    if make_url(target).get_backend_name() == "sqlite":
        assert not Path(make_url(target).database or "").exists()
    else:
        with stage.opened(target) as database:
            assert not schema_version.look(database).fits
            if where == "while endings are done again":
                with pytest.raises(StartRefusedError, match="not empty"):
                    restoring.restore(small.settings, backup, small.by, target, silent)
                with database.engine.begin() as connection:
                    connection.execute(text("DROP SCHEMA public CASCADE"))
                    connection.execute(text("CREATE SCHEMA public"))
    restoring.restore(small.settings, backup, small.by, target, silent)
    with stage.opened(target) as database:
        assert schema_version.look(database).fits


def test_a_backup_of_an_older_schema_is_restored_and_brought_up_to_date(
    small: Scene, target: str
) -> None:
    small.write_journal()
    small.exchange.database.dispose()
    migrate(small.settings, schema_version.BEFORE, down=True)
    backup = making.make(small.settings, small.folder / "backups").path
    assert parts.read_manifest(backup, small.by)["schema"] == schema_version.BEFORE
    done = restoring.restore(small.settings, backup, small.by, target, silent)
    assert done.mismatch == ""
    with stage.opened(target) as database, database.reading() as session:
        found = schema_version.read(session.connection())
        assert found.state is schema_version.SchemaState.NEWEST
        assert session.scalar(select(Report.client_key)) == "R-1"


def test_only_what_no_kept_backup_needs_of_the_journal_is_removed(small: Scene) -> None:
    exchange, settings, folder = small.exchange, small.settings, Path(small.settings.backup.journal)
    names = []
    for number in (2, 3, 4):
        exchange.submit(HOME, report(f"R-{number}", exchange.indicator(JAN)))
        small.write_journal()
        made = making.make(settings, small.folder / "backups")
        journal.note_backup(settings, made.path.name, made.size)
        names.append(made.path.name)
    files = sorted(folder.glob("*.journal"))
    assert journal.prune(settings, []) == []
    assert journal.prune(settings, [*names, "one of before.backup"]) == []
    assert journal.prune(settings, names[1:]) == files[:-1]
    assert sorted(folder.glob("*.journal")) == files[-1:]


def test_the_journal_notices_a_missing_file_and_a_gap_and_a_restore_says_what_is_lost(
    small: Scene, target: str
) -> None:
    backup = small.back_up()
    for number in (2, 3):
        small.exchange.submit(HOME, report(f"R-{number}", small.exchange.indicator(JAN)))
        assert small.write_journal() > 0
    assert small.write_journal() == 0
    files = sorted(Path(small.settings.backup.journal).glob("*.journal"))
    held = files[-2].read_bytes()
    files[-2].unlink()
    with pytest.raises(BackupDamagedError, match="journal"):
        restoring.restore(small.settings, backup, small.by, target, silent)
    assert nothing_in(target)
    files[-2].write_bytes(held)
    lost = files[-1]
    lost.rename(small.folder / lost.name)
    done = restoring.restore(small.settings, backup, small.by, target, silent)
    assert "an old backup was restored" in done.mismatch


def test_listing_keeping_and_the_status_that_monitoring_reads(small: Scene) -> None:
    folder = small.folder / "backups"
    made = making.make(small.settings, folder)
    status = json.loads(Path(small.settings.backup.status).read_text())
    assert status["bytes"] == made.bytes
    assert status["verified_at"] is None
    for days in (1, 1, 2, 9, 40):
        at = (made.at - timedelta(days=days)).strftime("%Y%m%dT%H%M%S%fZ")
        name = f"postern-{at}.backup"
        (folder / name).touch()
        made = replace(made, at=made.at - timedelta(minutes=1))
    gone = making.prune(folder, days=2, weeks=2)
    left = [each.at.date() for each in making.made_in(folder)]
    today = now().date()
    assert left[:2] == [today, today - timedelta(days=1)]
    assert today - timedelta(days=40) not in left
    assert gone


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_role_that_does_not_see_all_rows_is_refused(small: Scene) -> None:
    url = make_url(small.settings.database.url)
    with small.exchange.database.engine.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS blind"))
        connection.execute(text("CREATE ROLE blind LOGIN"))
        connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO blind"))
    blind = url.set(username="blind").render_as_string(hide_password=False)
    settings = replace(small.settings, database=replace(small.settings.database, url=blind))
    try:
        with pytest.raises(StartRefusedError, match="does not see all rows"):
            making.make(settings, small.folder / "backups")
    finally:
        with small.exchange.database.engine.begin() as connection:
            connection.execute(text("DROP OWNED BY blind"))
            connection.execute(text("DROP ROLE blind"))


def test_every_act_that_a_restore_knows_is_an_act_of_the_log() -> None:
    assert set(CATALOGUE) >= REPLAYED | TOLD
    assert not REPLAYED & TOLD


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def nothing_in(url: str) -> bool:
    made = make_url(url)
    if made.get_backend_name() == "sqlite":
        return not Path(made.database or "").exists()
    with stage.opened(url) as database, database.engine.connect() as connection:
        found = connection.scalar(
            text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        )
        return found == 0
