"""Witnesses as members run them: real processes against a real platform and a real sequencer.

They reach a quorum; then the platform, which holds the log's key and the database, cheats. Every
process is started here and stopped by its id; nothing waits longer than PATIENCE.
"""

import dataclasses
import html
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, select

from app.access import CONSOLE
from app.audit.high_water import HighWater
from app.audit.models import AuditEntry, AuditQueue
from app.audit.running import sequencer
from app.audit.service import append
from app.config import Settings
from app.jobs.service import run_due
from postern.cli import cli
from postern.tlog.checkpoint import open_checkpoint
from postern.tlog.notes import Note, VerifierKey, verified
from postern.vocabulary import Role, Scope
from tests.app.audit.logkeeping import rewrite
from tests.app.exchange import Exchange
from tests.app.people import bearer, make_person, runtime_of, sign_in
from tests.functional.conftest import Platform

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 60  # seconds
CONTRADICTED = 3
COMMAND = ("-c", "from postern.cli import main; main()")


@dataclass
class Officer:
    """A compliance officer's machine: settings, token, and a witness beside them."""

    code: str
    home: Path

    @property
    def settings(self) -> list[str]:
        return ["--config", str(self.home / "config.toml")]

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, [*self.settings, "witness", *arguments])

    def status(self) -> dict[str, list[dict[str, object]]]:
        told: dict[str, list[dict[str, object]]] = json.loads(self.run("status", "--json").stdout)
        return told


@pytest.fixture
def officers(platform: Platform, exchange: Exchange, tmp_path: Path) -> list[Officer]:
    """Two members that pinned the log's key and registered a witness each."""
    runtime = runtime_of(platform.app)
    keys = [str(key.verifier) for key in sequencer(runtime).keys]
    made = []
    for code in ("police-de", "customs-nl"):
        home = tmp_path / code
        home.mkdir()
        person = make_person(platform.app, code, [Role.COMPLIANCE])
        token = bearer(platform.app, person, [Scope.AUDIT_WITNESS])["Authorization"]
        (home / "token").touch(mode=0o600)
        (home / "token").write_text(token.removeprefix("Bearer "))
        (home / "config.toml").write_text(
            f'[platform]\naddress = "{platform.address}"\ntoken_file = "token"\n'
        )
        officer = Officer(code, home)
        result = officer.run(
            *("init", "--name", f"{code}.example/witness", "--register"), "--log-key", keys[0]
        )
        assert result.exit_code == 0, result.output
        made.append(officer)
    return made


@contextmanager
def process(
    arguments: list[str], told: Path, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """A process of its own, its output in a file; told to end when the block does."""
    with told.open("w") as file:
        started = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield started
        finally:
            if started.poll() is None:
                started.send_signal(signal.SIGTERM)
            try:
                started.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                started.kill()
                raise


@contextmanager
def sequencing(platform: Platform, home: Path) -> Iterator[None]:
    file = home / "platform.toml"
    file.write_text(toml_of(runtime_of(platform.app).settings))
    arguments = ["-m", "flask", "--app", "wsgi", "audit", "run"]
    with process(arguments, home / "sequencer.txt", POSTERN_CONFIG=str(file)) as started:
        yield
        assert started.poll() is None, (home / "sequencer.txt").read_text()


def toml_of(settings: Settings) -> str:
    return "\n".join(
        f"[{section.name}]\n"
        + "".join(
            f"{name} = {json.dumps(value)}\n"
            for name, value in dataclasses.asdict(getattr(settings, section.name)).items()
        )
        for section in dataclasses.fields(settings)
    )


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def write(platform: Platform, count: int) -> None:
    with platform.app.app_context(), runtime_of(platform.app).database.transaction() as session:
        for _ in range(count):
            append(session, CONSOLE, "lookup.ask")


def held(officers: list[Officer]) -> list[int]:
    """How many entries each witness has cosigned."""
    return [int(str(each.status()["logs"][0]["size"])) for each in officers]


@pytest.fixture
def witnessed(platform: Platform, officers: list[Officer], tmp_path: Path) -> list[Officer]:
    """Members whose witnesses cosigned twelve entries or more of a running log."""
    with ExitStack() as stack:
        stack.enter_context(sequencing(platform, tmp_path))
        for officer in officers:
            stack.enter_context(
                process(
                    [*COMMAND, *officer.settings, "witness", "run", "--every", "1"],
                    officer.home / "witness.txt",
                )
            )
        write(platform, 12)
        until(lambda: min(held(officers)) >= 12)
        require_quorum(platform)
    return officers


def require_quorum(platform: Platform) -> None:
    """The published checkpoint bears both cosignatures, and they verify with the published keys."""
    person = make_person(platform.app, "post-be", [Role.ANALYST])
    headers = bearer(platform.app, person, [Scope.EVALUATE])
    client = platform.app.test_client()
    until(lambda: client.get("/audit/log/checkpoint/cosigned", headers=headers).status_code == 200)
    keys = client.get("/audit/log/keys", headers=headers).json
    assert keys
    assert keys["quorum"] == 2
    note = client.get("/audit/log/checkpoint/cosigned", headers=headers).data
    signed, opened = open_checkpoint(note, [VerifierKey.parse(each) for each in keys["log"]])
    witnesses = [VerifierKey.parse(each["vkey"]) for each in keys["witnesses"]]
    assert {each.key for each in verified(Note.parse(opened.encode()), witnesses)} == set(witnesses)
    assert signed.size >= 12


def cheat(platform: Platform, kind: str, cosigned: int, home: Path) -> None:
    """Build another log from the entries and sign it with the log's own key.

    Split view: the first entry never was, and what is written since fills the places up to beyond
    the old end. Rollback: what was cosigned last never was.
    """
    runtime = runtime_of(platform.app)
    write(platform, 9)
    with runtime.database.reading() as session:
        entries = session.scalars(select(AuditEntry.eid).order_by(AuditEntry.eid)).all()
    removed = {"split-view": entries[:1], "rollback": entries[cosigned - 3 :]}
    rewrite(
        runtime.database,
        "DELETE FROM audit_cosignature",
        "DELETE FROM audit_checkpoint",
        "DELETE FROM audit_seq",
        "DELETE FROM audit_tile",
        "DELETE FROM audit_queue",
        "UPDATE audit_state SET size = 0",
        "INSERT INTO audit_queue (eid, t) SELECT eid, t FROM audit_entry",
    )
    with runtime.database.transaction() as session:
        session.execute(delete(AuditQueue).where(AuditQueue.eid.in_(removed[kind])))
    forging = dataclasses.replace(
        sequencer(runtime), high_water=HighWater(home / "forged-high-water.json")
    )
    assert forging.step().taken


@pytest.mark.parametrize("kind", ["split-view", "rollback"])
def test_a_log_that_cheats_is_refused_and_everybody_learns_of_it(
    platform: Platform, witnessed: list[Officer], tmp_path: Path, kind: str
) -> None:
    before = held(witnessed)
    shown = []
    cheat(platform, kind, min(before), tmp_path)
    for officer in witnessed:
        alarmed = officer.home / "alarmed.txt"
        script = f"import shutil, sys; shutil.copy(sys.argv[1], {str(alarmed)!r})"
        command = shlex.join([sys.executable, "-c", script])
        arguments = [*officer.settings, "witness", "run", "--every", "1"]
        told = officer.home / "alarm.txt"
        with process([*COMMAND, *arguments, "--alarm-command", command], told) as started:
            assert started.wait(PATIENCE) == CONTRADICTED, told.read_text()
        assert "ALARM" in told.read_text()
        assert f"raised the alarm {kind}" in told.read_text()
        (evidence,) = officer.status()["evidence"]
        assert evidence["wrong"] == kind
        kept = json.loads(Path(str(evidence["file"])).read_text())
        assert json.loads(alarmed.read_text()) == kept
        shown.append(kept["held"])
        keys = [each.verifier for each in sequencer(runtime_of(platform.app)).keys]
        for note in (kept["held"], kept["shown"]):
            open_checkpoint(note.encode(), keys)
        assert officer.run("status").exit_code == CONTRADICTED
        assert officer.run("cosign").exit_code == CONTRADICTED
    assert held(witnessed) == before

    with platform.app.app_context():
        assert all(done.count is not None for done in run_due(runtime_of(platform.app)))
    client = platform.app.test_client()
    sign_in(client, make_person(platform.app, "post-be", [Role.ADMINISTRATOR]))
    page = html.unescape(client.get("/log").get_data(as_text=True))
    titles = {
        "split-view": "signed two logs that contradict each other",
        "rollback": "has become smaller than what its key had signed",
    }
    assert titles[kind] in page
    # The first who shows it raises the alarm; the next may have cosigned another size.
    assert shown[0] in page
    assert titles[kind] in html.unescape(client.get("/notifications").get_data(as_text=True))
