"""`postern audit` against the real platform over a real socket, on each database in turn.

Acts are logged by the platform, sequenced and signed by its own sequencer, cosigned by witnesses of
other members; then somebody with the database tampers.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result
from sqlalchemy import select

from app.audit.archive import archivist
from app.audit.erasure import Wanted, ask, perform_waiting
from app.audit.keys import register
from app.audit.models import AuditEntry, AuditErasure, ErasureState, KeyUse
from app.audit.receipts import receipt_key
from app.audit.running import sequencer
from postern.audit.receipts import ReceiptFile
from postern.cli import cli
from postern.tlog.notes import SigningKey
from postern.vocabulary import Scope
from tests.app.audit.logkeeping import Keeper, rewrite
from tests.app.exchange import SOPHIE, Exchange, report
from tests.app.people import bearer, runtime_of
from tests.functional.conftest import Platform

IN_ORDER, TAMPERED, CANNOT_TELL = 0, 1, 2
SCOPES = (Scope.AUDIT_READ, Scope.EVALUATE)
MINE = "post-be"


@dataclass
class Member:
    """The premises of a member's compliance officer, and the platform's log from the outside."""

    home: Path
    address: str
    headers: dict[str, str]
    keeper: Keeper

    @property
    def mirror(self) -> Path:
        return self.home / "config.audit"

    def audit(self, *arguments: object) -> Result:
        command = ["--config", str(self.home / "config.toml"), "audit", *map(str, arguments)]
        return CliRunner().invoke(cli, command)

    def checks(self, *arguments: object) -> dict[str, str]:
        """The status of each check of a verification."""
        told: dict[str, Any] = json.loads(self.audit("verify", "--json", *arguments).stdout)
        return {check["check"]: check["status"] for check in told["checks"]}

    def failed(self, *arguments: object) -> set[str]:
        found = self.checks(*arguments)
        return {name for name, status in found.items() if status == "failed"}

    def ask(self, path: str) -> requests.Response:
        answer = requests.get(self.address + path, headers=self.headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer

    def settle(self) -> None:
        """Let the sequencer take what waits, and the others' witnesses cosign it."""
        self.keeper.sequencer.step()
        self.keeper.cosign("police-de", "customs-nl")


@pytest.fixture
def member(platform: Platform, exchange: Exchange, tmp_path: Path) -> Member:
    """A member that confirmed the keys, after some acts of it and of others."""
    runtime = runtime_of(platform.app)
    made = sequencer(runtime)
    with platform.app.app_context(), runtime.database.transaction() as session:
        register(session, [key.verifier for key in made.keys], KeyUse.LOG)
        register(session, [receipt_key()], KeyUse.RECEIPT)
    keeper = Keeper(runtime.database, made)
    for code in exchange.people:
        if code != MINE:
            keeper.witness(code)
    headers = bearer(platform.app, exchange.people[MINE], SCOPES)
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text(headers["Authorization"].removeprefix("Bearer "))
    (tmp_path / "config.toml").write_text(
        f'[platform]\naddress = "{platform.address}"\ntoken_file = "token"\n'
    )
    exchange.submit(MINE, report("1", exchange.indicator(SOPHIE)))
    for code in exchange.people:
        exchange.ask(code, SOPHIE)
    found = Member(tmp_path, platform.address, headers, keeper)
    found.settle()
    key: SigningKey = keeper.key
    confirmed = found.audit("keys", "--accept", "--log-key", key.verifier)
    assert confirmed.exit_code == IN_ORDER, confirmed.output
    return found


def test_an_honest_log_verifies_and_goes_on_verifying(member: Member, exchange: Exchange) -> None:
    first = member.audit("verify")
    assert first.exit_code == IN_ORDER, first.output
    exchange.ask(MINE, SOPHIE)
    exchange.ask("police-de", SOPHIE)
    member.settle()
    assert set(member.checks().values()) == {"ok"}
    kept = ReceiptFile(member.home / "config.receipts.jsonl").texts()
    assert kept, "receipts of the export are kept until they are proven"
    exchange.ask(MINE, SOPHIE)
    member.settle()
    assert member.audit("mirror").exit_code == IN_ORDER
    assert member.audit("verify", "--mirror", member.mirror).exit_code == IN_ORDER
    assert not set(kept) & set(ReceiptFile(member.home / "config.receipts.jsonl").texts())


def test_a_package_is_verified_by_somebody_with_nothing_but_the_policy(member: Member) -> None:
    package = member.home / "export.zip"
    package.write_bytes(member.ask("/api/v1/audit/export?format=zip").content)
    (member.home / "policy").write_text(member.ask("/audit/log/keys").json()["policy"])
    command = ["--config", "none.toml", "audit", "verify", "--package", str(package)]
    policy = ["--policy", str(member.home / "policy"), "--report", str(member.home / "r.pdf")]
    alone = CliRunner().invoke(cli, [*command, *policy])
    assert alone.exit_code == IN_ORDER, alone.output
    assert (member.home / "r.pdf").read_bytes().startswith(b"%PDF-")
    assert CliRunner().invoke(cli, command).exit_code == CANNOT_TELL
    assert member.audit("verify").exit_code == IN_ORDER
    assert member.audit("verify", "--package", package).exit_code == IN_ORDER


def test_a_proof_from_the_copy_and_one_from_the_platform_are_checked(member: Member) -> None:
    (own, *_) = (
        entry["place"]
        for entry in member.ask("/api/v1/audit").json()["entries"]
        if entry["place"] is not None
    )
    for name in ("of-the-platform", "of-the-copy"):
        proof = member.home / name
        assert member.audit("prove", own, "--to", proof).exit_code == IN_ORDER
        assert member.audit("verify").exit_code == IN_ORDER
        checked = member.audit("check-proof", proof)
        assert checked.exit_code == IN_ORDER, checked.output
        assert f"the entry at the place {own}" in checked.stdout


def test_a_lawful_erasure_passes_and_leaves_the_copy_too(
    member: Member, platform: Platform, exchange: Exchange
) -> None:
    assert member.audit("verify").exit_code == IN_ORDER
    held = (member.mirror / "entries.jsonl").read_text()
    asked = next(line for line in held.splitlines() if '"act":"lookup.ask"' in line)
    chosen = json.loads(asked)["record"]["id"]
    assert "PV-2024-17" in json.loads(asked)["details"].values()
    with platform.app.app_context(), exchange.database.transaction() as session:
        wanted = Wanted(records=frozenset({chosen}), fields=frozenset({"case"}))
        ask(session, exchange.caller(MINE), wanted)
    keeper = archivist(runtime_of(platform.app))
    while True:
        with exchange.database.transaction() as session:
            if session.scalars(select(AuditErasure.state)).one() is ErasureState.DONE:
                break
            perform_waiting(session, keeper)
    member.settle()
    found = member.audit("verify", "--no-full")
    assert found.exit_code == IN_ORDER, found.output
    assert "Every missing detail is covered by a logged erasure." in found.stdout
    lines = (member.mirror / "entries.jsonl").read_text().splitlines()
    (left,) = (line for line in lines if json.loads(line)["record"]["id"] == chosen)
    assert "PV-2024-17" not in left


BLOB = {True: "X'{}'", False: "decode('{}', 'hex')"}
ALTER = "UPDATE audit_entry SET rec = {blob} WHERE eid = {eid}"
BLANK = (
    "DELETE FROM audit_detail WHERE eid IN"
    " (SELECT eid FROM audit_audience WHERE org = 'post-be' AND act = 'token.create')"
)
HIDE = "DELETE FROM audit_audience WHERE org = 'post-be' AND act = 'account.create'"


def test_what_somebody_with_the_database_changes_is_caught(
    member: Member, exchange: Exchange
) -> None:
    assert member.audit("verify").exit_code == IN_ORDER
    database = exchange.database
    with database.reading() as session:
        own = (AuditEntry.act == "lookup.ask") & (AuditEntry.org == MINE)
        eid, record = session.execute(select(AuditEntry.eid, AuditEntry.rec).where(own)).one()
    altered = record.replace(b'"out":"ok"', b'"out":"error"')
    assert altered != record
    blob = BLOB[database.is_sqlite].format(altered.hex())
    rewrite(database, ALTER.format(blob=blob, eid=eid))
    assert member.failed() == {"record"}
    rewrite(database, BLANK)
    assert member.failed() == {"record", "erasure"}
    rewrite(database, HIDE)
    assert member.failed() == {"record", "erasure", "complete"}
    assert member.audit("verify").exit_code == TAMPERED


def test_a_log_that_was_cut_back_is_refused_and_the_evidence_kept(
    member: Member, exchange: Exchange
) -> None:
    earlier = member.keeper.sequencer.step().head.size
    exchange.ask(MINE, SOPHIE)
    member.settle()
    assert member.audit("verify").exit_code == IN_ORDER
    cut = (
        "DELETE FROM audit_cosignature WHERE size > {}",
        "DELETE FROM audit_checkpoint WHERE size > {}",
        "DELETE FROM audit_seq WHERE idx >= {}",
        "UPDATE audit_state SET size = {}",
    )
    rewrite(exchange.database, *(statement.format(earlier) for statement in cut))
    found = member.audit("verify")
    assert found.exit_code == TAMPERED
    assert "the log shrank" in found.stdout
    (evidence,) = (member.mirror / "evidence").iterdir()
    assert (evidence / "held").read_bytes() != (evidence / "served").read_bytes()
    assert member.audit("gossip", evidence / "served").exit_code == IN_ORDER  # an older state of it


def test_an_entry_that_is_dropped_before_it_has_a_place_is_caught_by_its_receipt(
    member: Member, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postern.audit.receipts.PATIENCE", -60)
    member.settle()
    receipt = member.ask("/api/v1/audit?limit=1").headers["Postern-Receipt"]
    ReceiptFile(member.home / "config.receipts.jsonl").keep(receipt)
    rewrite(exchange.database, "DELETE FROM audit_queue")
    exchange.ask(MINE, SOPHIE)
    member.settle()
    assert "receipt" in member.failed("--no-full")
