"""What each organisation does on its own premises: submit, look up, disclose, cosign, verify."""

import csv
import json
import re
import secrets
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from app.demo.members import DESKS, MEMBERS, ROOT

ADDRESSES = ROOT / "tests" / "data" / "addresses-open.json"
LOOKUPS = 8
_AT_ONCE = 2

_FINGERPRINT = re.compile(r"(?:[A-Z2-7]{4}-){7}[A-Z2-7]{4}")
_DECISION = re.compile(r"--confirm ([0-9a-f-]{36})")
_INVESTIGATION = (
    *("--purpose", "criminal_investigation", "--legal-basis", "criminal_procedure"),
    *("--case", "DEMO-2"),
)


@dataclass(frozen=True)
class Premises:
    """What each organisation keeps on its own premises: a token file, a configuration, pins."""

    folder: Path

    def of(self, code: str) -> Path:
        return self.folder / code

    def set_up_all(self, tokens: Mapping[str, str], address: str, fingerprint: str) -> None:
        """Set every desk up for the platform, two at a time; each has the token of its name."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            waits = [
                pool.submit(self.set_up, code, token, address, fingerprint)
                for code, token in tokens.items()
            ]
            for each in waits:
                each.result()

    def set_up(self, code: str, token: str, address: str, fingerprint: str) -> None:
        self.of(code).mkdir(parents=True)
        token_file = self.private(self.of(code) / "token.txt", token)
        self.run(
            code,
            *("init", "--address", address, "--token-file", str(token_file)),
            *("--fingerprint", fingerprint),
        )

    def private(self, path: Path, content: str) -> Path:
        """A file that only its owner may read."""
        path.touch(mode=0o600)
        path.write_text(content, encoding="utf-8")
        return path.resolve()

    def command(self, code: str, *args: str) -> list[str]:
        """`postern` with the organisation's own settings."""
        program = Path(sys.executable).with_name("postern")
        return [str(program), "--config", str(self.of(code) / "config.toml"), *args]

    def run(self, code: str, *args: str) -> subprocess.CompletedProcess[str]:
        """Run `postern` as the organisation would; ClickException when it fails."""
        result = subprocess.run(  # noqa: S603
            self.command(code, *args), stdout=subprocess.PIPE, text=True, check=False
        )
        if result.returncode:
            raise click.ClickException(f"postern {args[0]} ended with {result.returncode}")
        return result


def make_keys(premises: Premises) -> None:
    """Every organisation makes its keys, and each of its desks is told where they are."""
    for member in MEMBERS:
        home = premises.folder / f"{member.code}-keys"
        home.mkdir()
        for name in ("passphrase", "recovery-passphrase"):
            words = "-".join(secrets.token_hex(3) for _ in range(6))
            premises.private(home / name, words + "\n")
        premises.run(
            f"{member.code}-administrator",
            *("keys", "new", member.code, "--member", "desk"),
            *("--key-file", str(home / "keys.json")),
            *("--recovery-file", str(home / "recovery.json")),
            *("--passphrase-file", str(home / "passphrase")),
            *("--recovery-passphrase-file", str(home / "recovery-passphrase")),
        )
    for name, desk in DESKS.items():
        home = (premises.folder / f"{desk.organisation}-keys").resolve()
        settings = premises.of(name) / "config.toml"
        text = settings.read_text(encoding="utf-8")
        for key, value in (
            ("file", home / "keys.json"),
            ("member", "desk"),
            ("passphrase_file", home / "passphrase"),
        ):
            text = re.sub(rf"(?m)^# {key} = .*$", f'{key} = "{value}"', text)
        settings.write_text(text, encoding="utf-8")


def publish_and_pin(premises: Premises) -> None:
    """Public keys go to the platform; the post and the police compare theirs by telephone."""
    fingerprints = {}
    for member in MEMBERS:
        said = premises.run(f"{member.code}-administrator", "keys", "publish").stdout
        fingerprints[member.code] = _found(_FINGERPRINT, said).group()
    for desk, other in (
        ("post-be-approver", "police-de"),
        ("post-be-second-approver", "police-de"),
        ("police-de", "post-be"),
    ):
        premises.run(desk, "keys", "pin", other, "--fingerprint", fingerprints[other])


def submit(premises: Premises, rows: int) -> str:
    """The post submits its shipments; returns what the command said."""
    shipments = premises.of("post-be") / "shipments.csv"
    parties = json.loads(ADDRESSES.read_text(encoding="utf-8"))["B"]
    with shipments.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "Sender's name",
                "Sender's address",
                "Sender's postcode",
                "Sender's city",
                "Sender's country",
            ]
        )
        for party in parties[: rows or None]:
            writer.writerow(
                [
                    party["name"],
                    party["line"],
                    party["postcode"],
                    party["city"],
                    party["cc"].upper(),
                ]
            )
    result = premises.run(
        "post-be",
        *("submit", str(shipments)),
        *("--learned", "outside_of_item", "--legal-basis", "legal_obligation"),
        *("--purpose", "service_security", "--case", "DEMO-1", "--permitted-action", "watch"),
    )
    return result.stdout


def variants(rows: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Misspelled parties of the set, each with the one that was submitted."""
    about = json.loads(ADDRESSES.read_text(encoding="utf-8"))
    submitted = {party["eid"]: party for party in about["B"][: rows or None] if party["name"]}
    misspelled = [
        party
        for party in about["A"]
        if party["eid"] in submitted and party["level"] > 0 and party["name"]
    ]
    return [(party, submitted[party["eid"]]) for party in misspelled[:LOOKUPS]]


def look_up(premises: Premises, rows: int) -> list[dict[str, Any]]:
    """The police look up the variants; returns what was asked, submitted and answered."""
    told = []
    for party, original in variants(rows):
        result = premises.run(
            "police-de",
            *("lookup", "--name", party["name"], "--street", party["line"]),
            *("--postcode", party["postcode"], "--city", party["city"]),
            *("--country", party["cc"].upper(), "--json"),
            *_INVESTIGATION,
        )
        hits = json.loads(result.stdout)["results"][0]["hits"]
        told.append({"asked": party, "submitted": original, "hits": hits, "json": result.stdout})
    return told


def disclose(premises: Premises, found: list[dict[str, Any]]) -> str:
    """The police ask for the value behind a hit; two people of the post release it.

    Returns what the police's command said; "" when nothing was found.
    """
    hit = next((each for each in found if each["hits"]), None)
    if hit is None:
        return ""
    hits = premises.of("police-de") / "hits.json"
    hits.write_text(hit["json"], encoding="utf-8")
    request = json.loads(
        premises.run(
            "police-de",
            *("request", "--hits", str(hits), "--indicator", hit["hits"][0]["indicator"]["id"]),
            *("--case", "DEMO-2", "--ask", "value", "--urgency", "urgent", "--action", "locate"),
            *("--text", "An item to this sender was found to hold MDMA.", "--json"),
        ).stdout
    )["id"]
    said = premises.run(
        "post-be-approver",
        *("decide", request, "--release", "value", "--reason", "necessary", "--yes"),
    ).stdout
    decision = _found(_DECISION, said).group(1)
    premises.run("post-be-second-approver", "decide", request, "--confirm", decision)
    received = premises.run("police-de", "receive", request).stdout
    premises.run(
        "police-de",
        *("outcomes", "tell", hit["hits"][0]["indicator"]["id"], "--request", request),
        *("--located", "yes", "--held", "yes", "--examined", "yes", "--result", "found"),
        *("--substance", "mdma", "--quantity", "120", "--unit", "g", "--case", "DEMO-2"),
    )
    return received


def _found(form: re.Pattern[str], said: str) -> re.Match[str]:
    found = form.search(said)
    if found is None:
        raise click.ClickException(f"postern said something else than expected: {said}")
    return found


def cosign(premises: Premises, log_key: str) -> None:
    """Every compliance officer makes a witness, registers it and cosigns the newest checkpoint."""
    for member in MEMBERS:
        desk = f"{member.code}-compliance"
        name = f"{member.code}.example/witness"
        premises.run(desk, "witness", "init", "--name", name, "--log-key", log_key, "--register")
    for member in MEMBERS:
        premises.run(f"{member.code}-compliance", "witness", "cosign")


def verify(premises: Premises, log_key: str) -> str:
    """The compliance officer of the post verifies the whole log; returns what the command said."""
    premises.run("post-be-compliance", "audit", "keys", "--log-key", log_key, "--accept")
    return premises.run("post-be-compliance", "audit", "verify").stdout
