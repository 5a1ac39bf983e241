"""Point-in-time recovery as docs/backup.md tells it: with real servers, one of which is lost."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, select

from app import create_app
from app.__main__ import migrate
from app.audit.models import AuditEntry
from app.backup import encryption, journal, restoring
from app.indicators import service as indicators
from app.indicators.models import Indicator, Report
from tests.app.backup import stage
from tests.app.backup.stage import Keys
from tests.app.exchange import JAN, make_exchange, report
from tests.conftest import STOP_WHEN_ORPHANED, quick_directory, settings_for

PAGE = Path(__file__).parents[3] / "docs" / "backup.md"
_NOBODY = pwd.getpwnam("nobody")
_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
archive_mode = on
"""
_COMMANDS = re.findall(
    r"(?m)^(?:archive_command|pg_basebackup|age|echo|touch) .+$", PAGE.read_text("utf-8")
)
"""Of docs/backup.md, as an operator types them: each is run here, by the age program."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory of the server's own user, in memory."""
    made = Path(tempfile.mkdtemp(prefix="postern-pitr-", dir=quick_directory()))
    (made / "wal").mkdir()
    for each in (made, made / "wal"):
        os.chown(each, _NOBODY.pw_uid, _NOBODY.pw_gid)
    yield made
    shutil.rmtree(made)


def run(program: str, *arguments: str) -> None:
    """A program of PostgreSQL, as the server's user."""
    run_as_server(str(stage.PROGRAMS / program), *arguments)


def run_as_server(*command: str, **environment: str) -> None:
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=_NOBODY.pw_uid if not os.getuid() else None,
        env={**os.environ, "TZ": "UTC", **environment},
        cwd="/",
    )


def age_keys(path: Path) -> Keys:
    """A pair made by the age program, which the server's user can read."""
    subprocess.run(["age-keygen", "-o", str(path)], check=True, capture_output=True)
    os.chown(path, _NOBODY.pw_uid, _NOBODY.pw_gid)
    (public,) = re.findall(r"(?m)^# public key: (age1\w+)$", path.read_text())
    return Keys(public, path)


@dataclass(frozen=True)
class Typed:
    """The page's commands, with the names of this trial in the place of the page's."""

    keys: Keys
    folder: Path

    def commands(self, begin: str) -> list[str]:
        names = {
            "age1...": self.keys.public,
            "/srv/wal": f"{self.folder}/wal",
            "backup-key.txt": str(self.keys.file),
            "base.tar.age": f"{self.folder}/base.tar.age",
            "DATA": f"{self.folder}/data",
        }
        found = [each for each in _COMMANDS if each.startswith(begin)]
        for name, ours in names.items():
            found = [each.replace(name, ours) for each in found]
        return found

    def command(self, begin: str, about: str = "") -> str:
        (found,) = (each for each in self.commands(begin) if about in each)
        return found

    def run(self, command: str) -> None:
        run_as_server(
            *("bash", "-o", "pipefail", "-c", command),
            PATH=f"{stage.PROGRAMS}:{os.environ['PATH']}",
            PGHOST=str(self.folder),
            PGUSER="nobody",
        )


@contextmanager
def serving(data: Path) -> Iterator[int]:
    """A server on a data directory; its process id. It is stopped at once if it still runs."""
    run("pg_ctl", "start", "-D", str(data), "-w", "-t", "60", "-l", str(data.parent / "log"))
    server = (data / "postmaster.pid").read_text().split()[0]
    with subprocess.Popen(
        [sys.executable, "-c", STOP_WHEN_ORPHANED, server], stdin=subprocess.PIPE
    ) as watch:
        try:
            yield int(server)
        finally:
            watch.kill()
            if (data / "postmaster.pid").exists():
                run("pg_ctl", "stop", "-D", str(data), "-m", "immediate")


def test_a_server_that_is_lost_comes_back_as_it_was_at_a_moment(
    folder: Path, secrets_directory: Path, tmp_path: Path
) -> None:
    data, base = folder / "data", folder / "base.tar.age"
    url = f"postgresql+psycopg://nobody@/postgres?host={folder}"
    keys, other = (age_keys(folder / f"{name}.txt") for name in ("own", "other"))
    settings = stage.backed_up(settings_for(url, secrets_directory), tmp_path, keys, other)
    typed = Typed(keys, folder)
    run("initdb", "-D", str(data), "-A", "trust", "-U", "nobody")
    with (data / "postgresql.conf").open("a") as file:
        file.write(_SETTINGS.format(folder=folder))
        file.write(typed.command("archive_command") + "\n")
    with serving(data) as server:
        migrate(settings)
        exchange = make_exchange(create_app(settings))
        own = exchange.submit("post-be", report("R-1", exchange.indicator(JAN))).results[0]
        stage.sign(exchange.app)
        journal.write(settings, exchange.database)
        typed.run(typed.command("pg_basebackup"))
        exchange.submit("post-be", report("R-2", exchange.indicator(JAN)))
        stage.sign(exchange.app)
        moment = exact(url)
        with exchange.app.app_context(), exchange.database.transaction() as session:
            indicators.withdraw(session, exchange.caller("post-be"), own.id, "error")
        size = stage.sign(exchange.app)
        journal.write(settings, exchange.database)
        exact(url, "SELECT pg_switch_wal()")
        exact(url, "CHECKPOINT")
        waited_for(url)
        exchange.database.dispose()
        os.kill(server, signal.SIGKILL)
        while Path(f"/proc/{server}").exists():  # else it seems to hold the socket still
            time.sleep(0.01)
        while data.exists():  # its children notice a moment later
            shutil.rmtree(data, ignore_errors=True)

    for encrypted in (base, *(folder / "wal").iterdir()):
        assert encrypted.read_bytes().startswith(b"age-encryption.org/v1")
    run_as_server("mkdir", "-m", "700", str(data))
    typed.run(typed.command("age", "base.tar.age"))
    for line in typed.commands("echo"):
        typed.run(line.replace("2026-05-04 09:30:00+00", moment))
    typed.run(typed.command("touch"))
    with serving(data):
        promoted(url)
        with stage.opened(url) as database:
            with database.reading() as session:
                keys_known = set(session.scalars(select(Report.client_key)))
                assert keys_known == {"R-1", "R-2"}
                assert session.scalar(select(func.count()).select_from(Indicator)) == 2
            done = restoring.replay(settings, encryption.identities(keys.file), lambda _: None)
            assert (done.mismatch, done.head.size) == ("", size)
            with database.reading() as session:
                assert session.scalar(select(func.count()).select_from(Indicator)) == 1
                told = select(AuditEntry.eid).where(AuditEntry.act == "report.withdraw")
                assert session.scalar(told) is not None


def exact(url: str, statement: str = "SELECT clock_timestamp()") -> str:
    address = url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(address, autocommit=True) as connection:
        found = connection.execute(statement.encode())
        return str(found.fetchone()[0]) if found.description else ""  # type: ignore[index]


def waited_for(url: str) -> None:
    """Wait until every finished segment is in the archive."""
    while exact(url, _NOT_ARCHIVED) == "True":
        exact(url, "SELECT pg_sleep(0.05)")


_NOT_ARCHIVED = "SELECT count(*) > 0 FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"


def promoted(url: str) -> None:
    """Wait until the server has recovered and takes writes."""
    while exact(url, "SELECT pg_is_in_recovery()") == "True":
        exact(url, "SELECT pg_sleep(0.05)")
