"""The commands of docs/backup.md, as somebody types them."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from app.__main__ import main
from app.access import CONSOLE
from app.accounts import tokens
from app.config import Settings
from app.errors import StartRefusedError
from postern.vocabulary import Scope
from tests.app.backup import stage
from tests.app.exchange import JAN, make_exchange, report
from tests.app.people import runtime_of
from tests.functional.serving import as_toml


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
