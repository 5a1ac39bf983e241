"""Three real processes and their files: the platform, the owner's premises, the requester's.

From a sealed report to its expiry by the commands that people type, each a process of its own.
Whatever the platform kept is then searched for what was clear on one of the premises.
"""

import base64
import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import inspect, select, text, update

from app.clock import now
from app.config import Settings
from app.disclosures.models import Delivery, DisclosureRequest
from app.indicators.models import Envelope, Indicator, Tombstone
from app.pseudonyms import service as pseudonyms
from postern.vocabulary import RequestState, Role, Scope
from tests.app.exchange import OPEN_TO_POLICE, Exchange, make_exchange
from tests.app.people import bearer, make_person
from tests.functional.serving import PATIENCE, ROOT, serving

SOPHIE = ("Sophie Van Damme", "16, rue de la Loi", "1040", "Bruxelles", "BE", "Smells of vinegar")
JAN = ("Jan de Vries", "Keizersgracht 101", "1015 AB", "Amsterdam", "NL", "Heavy tape")
PHOTO = b"\xff\xd8\xff label: Zwaluwstraat 3" + os.urandom(2000)
QUESTION, REASON = "Where was she last seen?", "The note concerns somebody else."
SECRETS = {
    "post": "cobalt ferry lantern marble twig oslo",
    "police": "seven quiet herons mend the ladder",
}
# Not the case reference: the log keeps it, in its erasable details.
CLEAR = (
    *("Sophie", "Damme", "rue de la Loi", "Bruxelles", "vinegar", "Vries", "Keizersgracht"),
    *("Amsterdam", "Heavy tape", "Zwaluwstraat", QUESTION, REASON, *SECRETS.values()),
)
FEWEST_DIGITS = 8  # of base64: fewer stand in random bytes by chance
INVESTIGATION = (
    *("--purpose", "criminal_investigation", "--legal-basis", "criminal_procedure"),
    *("--case", "PV-2024-99"),
)


@dataclass
class Premises:
    """What one organisation has at home: settings, a token, key files. Commands are processes."""

    home: Path
    headers: dict[str, str]

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        program = Path(sys.executable).with_name("postern")
        return subprocess.run(
            [program, "--config", self.home / "config.toml", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=4 * PATIENCE,
            check=False,
            cwd=self.home,
        )

    def well(self, *arguments: object) -> str:
        result = self.run(*arguments)
        assert result.returncode == 0, (arguments, result.stdout, result.stderr)
        return result.stdout

    def told(self, *arguments: object) -> Any:
        return json.loads(self.well(*arguments, "--json"))


@dataclass
class Stage:
    """The platform's process, and two premises beside it."""

    app: Flask
    exchange: Exchange
    address: str
    settings_file: Path
    kept: Path
    post: Premises
    police: Premises

    def do_duties(self) -> None:
        """What the platform's worker does, in a process of its own."""
        subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "jobs", "run", "--once"],
            cwd=ROOT,
            env={**os.environ, "POSTERN_CONFIG": str(self.settings_file)},
            check=True,
            capture_output=True,
            timeout=4 * PATIENCE,
        )

    def second_approver(self) -> Premises:
        """Another approver of the post, at the same desk, with a token of their own."""
        person = make_person(self.app, "post-be", Role)
        home = self.post.home
        token = bearer(self.app, person, Scope)
        (home / "second").write_text(token["Authorization"].removeprefix("Bearer "))
        (home / "second").chmod(0o600)
        settled = (home / "config.toml").read_text()
        other = home.with_name("second")
        other.mkdir()
        for path in home.glob("config.*"):
            copy = other / path.name
            copy.write_bytes(path.read_bytes())
            copy.chmod(0o600)
        settled = settled.replace(str(home / "token"), str(home / "second"))
        settled = re.sub(r'"(keys.json|passphrase)"', rf'"{home}/\1"', settled)
        (other / "config.toml").write_text(settled)
        return Premises(other, token)


@pytest.fixture
def stage(app: Flask, settings: Settings, tmp_path: Path) -> Iterator[Stage]:
    exchange = make_exchange(app)
    exchange.publish("post-be", OPEN_TO_POLICE)
    kept = tmp_path / "kept"
    kept.mkdir()
    file = kept / "platform.toml"
    with serving(settings, file, kept / "platform.log") as address:
        homes = [
            settle(exchange, address, code, tmp_path / name)
            for code, name in (("post-be", "post"), ("police-de", "police"))
        ]
        yield Stage(app, exchange, address, file, kept, *homes)


def settle(exchange: Exchange, address: str, code: str, home: Path) -> Premises:
    """Set a premises up as its administrator would: settings, keys of its own, published."""
    home.mkdir()
    headers = bearer(exchange.app, exchange.people[code], Scope)
    for name, content in (
        ("token", headers["Authorization"].removeprefix("Bearer ")),
        ("passphrase", SECRETS[home.name] + "\n"),
        ("recovery-passphrase", "granite otter willow number forty-one\n"),
    ):
        (home / name).touch(mode=0o600)
        (home / name).write_text(content)
    made = Premises(home, headers)
    with exchange.app.app_context():
        fingerprint = pseudonyms.directory_fingerprint()
    made.well(
        *("init", "--address", address, "--token-file", home / "token"),
        *("--fingerprint", fingerprint),
    )
    made.well(
        *("keys", "new", code, "--key-file", "keys.json", "--recovery-file", "recovery.json"),
        *("--member", "dispatch", "--passphrase-file", "passphrase"),
        *("--recovery-passphrase-file", "recovery-passphrase"),
    )
    settled = (home / "config.toml").read_text()
    for line in ('file = "keys.json"', 'member = "dispatch"', 'passphrase_file = "passphrase"'):
        settled = settled.replace(f"# {line}", line)
    (home / "config.toml").write_text(settled)
    made.well("keys", "publish")
    return made


def compared(stage: Stage) -> None:
    """Each reads its own fingerprint out, and the other compares it and pins."""
    for one, other, code in (
        (stage.post, stage.police, "police-de"),
        (stage.police, stage.post, "post-be"),
    ):
        shown = other.well(
            *("keys", "show", "keys.json", "--member", "dispatch"),
            *("--passphrase-file", "passphrase"),
        )
        found = re.search(r"(?:[A-Z2-7]{4}-){7}[A-Z2-7]{4}", shown)
        assert found, shown
        one.well("keys", "pin", code, "--fingerprint", found.group())


def submitted(stage: Stage) -> list[str]:
    """The ids of two sealed reports."""
    header = ("sender_name", "sender_street", "sender_postcode", "sender_city", "sender_country")
    written = io.StringIO()
    csv.writer(written).writerows([(*header, "Remarks"), SOPHIE, JAN])
    (stage.post.home / "in.csv").write_text(written.getvalue())
    stage.post.well(
        *("submit", "in.csv", "--learned", "outside_of_item", "--workers", "1"),
        *("--purpose", "service_security", "--legal-basis", "postal_law", "--case", "PV-1"),
    )
    journal = (stage.post.home / "in.csv.journal").read_text().splitlines()
    return [str(each) for each in json.loads(journal[1])["reports"]]


def asked(stage: Stage, name: str, address: str, ask: str) -> tuple[str, str]:
    """(request, indicator): the police look a misspelt value up and ask for what is held."""
    hits = stage.police.well(
        *("lookup", "--name", name, "--address", address, *INVESTIGATION, "--json")
    )
    (stage.police.home / "hits.json").write_text(hits)
    indicator = json.loads(hits)["results"][0]["hits"][0]["indicator"]["id"]
    request = stage.police.told(
        *("request", "--indicator", indicator, "--hits", "hits.json", "--case", "PV-2024-99"),
        *("--ask", ask, "--urgency", "urgent", "--action", "locate", "--text", QUESTION),
    )
    return str(request["id"]), str(indicator)


def released(stage: Stage, second: Premises, request: str, parts: str) -> None:
    """One approver releases parts, and another agrees: the value can name a person."""
    proposed = stage.post.well(
        *("decide", request, "--release", parts, "--reason", "partly_necessary"),
        *("--text", REASON, "--yes"),
    )
    found = re.search(r"--confirm ([0-9a-f-]{36})", proposed)
    assert found, proposed
    second.well("decide", request, "--confirm", found.group(1))


def test_from_a_sealed_report_to_its_expiry_and_nothing_clear_at_the_platform(
    stage: Stage, database_url: str
) -> None:
    post, police = stage.post, stage.police
    compared(stage)
    sophies, jans = submitted(stage)
    (post.home / "label.jpg").write_bytes(PHOTO)
    post.well("attach", sophies, "label.jpg")

    request, indicator = asked(
        stage, "VAN DAME Sofie", "Wetstraat 16, 1040 Brussel, BE", "value,note,attachment"
    )
    shown = post.well("requests", "show", request)
    for expected in (QUESTION, SOPHIE[0], SOPHIE[5], "label.jpg"):
        assert expected in shown
    assert police.run("receive", request).returncode == 1
    second = stage.second_approver()
    released(stage, second, request, "value,attachment")

    received = police.well("receive", request, "--save", "got")
    assert SOPHIE[0] in received
    assert SOPHIE[5] not in received
    assert [each.read_bytes() for each in (police.home / "got").iterdir()] == [PHOTO]
    state = stage.exchange.rows(select(DisclosureRequest.state))
    assert state == [RequestState.RECEIVED]
    checks = {each.part.value: each.check for each in stage.exchange.rows(select(Delivery))}
    assert checks == {"value": "matches", "attachment": "not_checked"}

    police.well(
        *("outcomes", "tell", indicator, "--request", request, "--case", "PV-2024-99"),
        *("--located", "yes", "--held", "yes", "--examined", "yes", "--result", "found"),
        *("--substance", "mdma", "--quantity", "120.5", "--unit", "g"),
    )
    (outcome,) = post.told("outcomes")
    assert (outcome["result"], outcome["substance"], outcome["quantity"]) == (
        *("found", "mdma", "120.500"),
    )

    withdrawal = requests.post(
        f"{stage.address}/api/v1/reports/{sophies}/withdraw",
        json={"reason": "error", "recall": "wrong_identity"},
        headers=post.headers,
        timeout=PATIENCE,
    )
    assert withdrawal.ok, withdrawal.text
    (recall,) = police.told("recalls")
    assert police.run("receive", request).returncode == 1
    police.well("recalls", "done", recall["id"], "--as", "erased")
    assert police.told("recalls") == []

    later, _ = asked(stage, "Jan de Vreis", "Keizersgracht 101, 1015 AB Amsterdam, NL", "value")
    released(stage, second, later, "value")
    with stage.exchange.database.transaction() as session:
        session.execute(update(Delivery).values(expires_at=now() - timedelta(minutes=1)))
        session.execute(update(Indicator).values(expires_on=now().date() - timedelta(days=1)))
    stage.do_duties()
    assert police.run("receive", later).returncode == 1
    assert stage.exchange.rows(select(Indicator)) == []
    assert stage.exchange.rows(select(Envelope)) == []
    assert {each.sealed for each in stage.exchange.rows(select(Delivery))} == {None}
    reasons = {each.reason for each in stage.exchange.rows(select(Tombstone))}
    assert reasons == {"withdrawn", "expired"}
    assert jans

    kept = dict(everything_kept(stage, database_url))
    assert sum(len(content) for content in kept.values()) > 100_000
    found = [
        (place, clear)
        for place, content in kept.items()
        for clear in CLEAR
        if clear.lower().encode() in content.lower()
        or any(spelling in content for spelling in spellings(clear))
    ]
    assert found == []
    # The search itself can find: this word stands in clear in a table.
    assert any(b"partly_necessary" in content for content in kept.values())


def everything_kept(stage: Stage, database_url: str) -> Iterator[tuple[str, bytes]]:
    """Every file of the platform, and every cell of every table as text."""
    for path in sorted(stage.kept.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()
    if database_url.startswith("sqlite:///"):
        database = Path(database_url.removeprefix("sqlite:///"))
        for path in database.parent.glob(f"{database.name}*"):
            yield path.name, path.read_bytes()
    with stage.exchange.database.reading() as session:
        for table in inspect(session.get_bind()).get_table_names():
            rows = session.execute(text(f'SELECT * FROM "{table}"'))  # noqa: S608 - names come from the database itself
            yield table, b"\n".join(_as_bytes(cell) for row in rows for cell in row)


def _as_bytes(cell: Any) -> bytes:
    if isinstance(cell, bytes | memoryview):
        return bytes(cell)
    return (json.dumps(cell) if isinstance(cell, dict | list) else str(cell)).encode()


def spellings(clear: str) -> Iterator[bytes]:
    """A text as it may stand encoded: in two bytes a letter, in hexadecimal, in base64."""
    raw = clear.encode()
    yield clear.encode("utf-16-le")
    yield raw.hex().encode()
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + raw)
        # Without the digits that depend on what stands beside it.
        inner = encoded[4 if shift else 0 : (shift + len(raw)) // 3 * 4]
        if len(inner) >= FEWEST_DIGITS:
            yield inner
            yield inner.translate(bytes.maketrans(b"+/", b"-_"))
