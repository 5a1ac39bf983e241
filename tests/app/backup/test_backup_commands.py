"""The commands of docs/backup.md, as somebody types them."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, make_url, select

from app.__main__ import main
from app.access import CONSOLE
from app.accounts import tokens
from app.config import Settings
from app.errors import StartRefusedError
from app.indicators.models import Indicator
from postern.vocabulary import Scope
from tests.app.backup import stage
from tests.app.backup.stage import Scene
from tests.app.exchange import JAN, make_exchange, report
from tests.app.people import runtime_of
from tests.functional.serving import as_toml

PAGE = Path(__file__).parents[3] / "docs" / "backup.md"


def test_a_backup_is_made_listed_verified_pruned_and_restored_by_commands(
    app: Flask, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, other = (stage.make_keys(tmp_path / f"{name}.txt") for name in ("own", "other"))
    wanted = stage.backed_up(settings, tmp_path, keys, other)
    file = tmp_path / "settings.toml"
    file.write_text(as_toml(wanted, wanted.platform.origin))
    monkeypatch.setenv("POSTERN_CONFIG", str(file))
    folder, own = str(tmp_path / "backups"), ("--identity", str(keys.file))

    def said(*arguments: str) -> str:
        done = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    exchange = make_exchange(app)
    exchange.submit("post-be", report("R-1", exchange.indicator(JAN)))
    with exchange.app.app_context(), exchange.database.transaction() as session:
        made = tokens.create_token(
            session,
            CONSOLE,
            exchange.people["post-be"].login,
            scopes=[Scope.REPORTS_WRITE],
            days=30,
        )
    stage.sign(app)
    assert "Secrets: " in said("backup", folder, "--with-secrets")
    (backup,) = (tmp_path / "backups").glob("*.backup")
    assert backup.name in said("backup", "list", folder)
    assert "The backup is whole" in said("backup", "verify", str(backup), *own)
    assert (tmp_path / "status.json").is_file()
    pruned = said("backup", "prune", folder, "--keep", "1", "--weeks", "0", "--journal")
    assert "0 removed, 1 kept\n0 files of the journal removed" in pruned

    with exchange.app.app_context(), exchange.database.transaction() as session:
        tokens.revoke_token(session, CONSOLE, made.token.id)
    stage.sign(app)
    assert "entries of the log written" in said("journal")
    runtime_of(app).database.dispose()
    with pytest.raises(StartRefusedError, match="not empty"):
        said("restore", str(backup), *own)
    with stage.empty_beside(wanted, tmp_path) as url:
        told = said("restore", str(backup), *own, "--into", url)
    assert "done again: token.revoke (1)" in told
    assert "start the services" in told


def test_a_backup_is_read_without_postern(small: Scene, target: str) -> None:
    """What docs/backup.md says under "Without Postern", by the programs that it names."""
    page = PAGE.read_text("utf-8")
    (opening, loading) = re.findall(r"Without Postern: `(.+?)`, then `(.+?)`", page)[0]
    backup = small.back_up()
    opening = opening.replace("FILE", str(backup)).replace("backup-key.txt", str(small.keys.file))
    folder = small.folder / "unpacked"
    folder.mkdir()
    typed(opening, folder)
    found = json.loads((folder / "manifest.json").read_text())
    assert found["counts"]["indicator"] == 1
    if small.exchange.database.is_sqlite:
        pieces = sorted((folder / "database").iterdir())
        restored = folder / "restored.sqlite3"
        restored.write_bytes(b"".join(each.read_bytes() for each in pieces))
        target = f"sqlite:///{restored}"
    else:
        address = make_url(target).set(drivername="postgresql")
        shown = address.render_as_string(hide_password=False)
        typed(loading.replace("DATABASE", f"'{shown}'"), folder)
    with stage.opened(target) as database, database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Indicator)) == 1


def typed(command: str, folder: Path) -> None:
    path = f"{stage.PROGRAMS}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
