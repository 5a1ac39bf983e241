"""docs/verify.md: its lines for bash and openssl work, and it tells of all that there is."""

import re
import subprocess
from pathlib import Path

import click
import pytest

from postern.audit.findings import Check, Status, Verdict
from postern.audit.mirror import Mirror
from postern.cli import cli
from tests.postern.audit.conftest import Premises
from tests.postern.audit.log_builder import OTHER_LOG, LogBuilder

PAGE = (Path(__file__).parents[3] / "docs" / "verify.md").read_text()
(SCRIPT,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


def ran(directory: Path) -> list[str]:
    done = subprocess.run(
        ["bash", "-uc", SCRIPT], cwd=directory, capture_output=True, text=True, check=False
    )
    return done.stdout.splitlines()


@pytest.fixture
def proven(premises: Premises, log: LogBuilder, tmp_path: Path) -> Path:
    """A directory with proof, entry and key of the entry at place 30."""
    premises.confirm(log)
    assert premises.run("verify").exit_code == 0
    lay(premises, log, tmp_path, 30)
    return tmp_path


def lay(premises: Premises, log: LogBuilder, directory: Path, place: int) -> None:
    assert premises.run("prove", place, "--to", directory / "proof").exit_code == 0
    lines = list(Mirror(premises.mirror).entry_lines())
    (line,) = (line for line in lines if f'"place": {place},'.encode() in line)
    (directory / "entry").write_bytes(line)
    (directory / "vkey").write_text(f"{log.key.verifier}\n")


def test_an_entry_is_verified_with_bash_and_openssl_alone(
    premises: Premises, log: LogBuilder, proven: Path
) -> None:
    everything = ["ok: signature", "ok: record", "ok: inclusion"]
    own = [place for place, row in enumerate(log.rows) if "post-be" in row.fields["aud"]]
    for place in [own[0], 30, own[-2], own[-1]]:
        lay(premises, log, proven, place)
        assert ran(proven) == everything, place


def test_those_lines_say_what_was_altered(log: LogBuilder, proven: Path) -> None:
    entry, proof = (proven / "entry").read_bytes(), (proven / "proof").read_bytes()
    (proven / "entry").write_bytes(entry.replace(b'"act":"lookup.ask"', b'"act":"report.read"'))
    assert ran(proven) == ["ok: signature", "ok: inclusion"]
    (proven / "entry").write_bytes(entry)
    (proven / "proof").write_bytes(proof.replace(b"index 30\n", b"index 31\n"))
    assert ran(proven) == ["ok: signature", "ok: record"]
    (proven / "proof").write_bytes(proof.replace(b"\n90\n", b"\n91\n"))
    assert "ok: signature" not in ran(proven)
    (proven / "proof").write_bytes(proof)
    (proven / "vkey").write_text(f"{OTHER_LOG.verifier}\n")
    assert "ok: signature" not in ran(proven)


def test_every_check_status_and_verdict_is_documented() -> None:
    for word in (*Check, *Status, *Verdict):
        assert f"`{word}`" in PAGE, word


def test_every_option_of_the_audit_commands_is_documented_and_no_other() -> None:
    group = cli.commands["audit"]
    assert isinstance(group, click.Group)
    options = {
        name
        for command in group.commands.values()
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    }
    documented = set(
        re.findall(r"^\| (?:`(--[a-z-]+)[^|]*?)(?:, `(--[a-z-]+)`)? \|", PAGE, re.MULTILINE)
    )
    assert options == {name for pair in documented for name in pair if name}
