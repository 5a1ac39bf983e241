"""What each organisation does on its own premises: submit, look up, cosign, verify."""

import csv
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from app.demo.members import MEMBERS, ROOT

ADDRESSES = ROOT / "tests" / "data" / "addresses-open.json"
LOOKUPS = 12


@dataclass(frozen=True)
class Premises:
    """What each organisation keeps on its own premises: a token file, a configuration, pins."""

    folder: Path

    def of(self, code: str) -> Path:
        return self.folder / code

    def set_up(self, code: str, token: str, address: str, fingerprint: str) -> None:
        self.of(code).mkdir(parents=True)
        token_file = self.of(code) / "token.txt"
        token_file.touch(mode=0o600)
        token_file.write_text(token, encoding="utf-8")
        self.run(
            code,
            *("init", "--address", address, "--token-file", str(token_file.resolve())),
            *("--fingerprint", fingerprint),
        )

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
        *("--purpose", "service_security", "--case", "DEMO-1"),
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
            *("--purpose", "criminal_investigation", "--legal-basis", "criminal_procedure"),
            *("--case", "DEMO-2"),
        )
        hits = json.loads(result.stdout)["results"][0]["hits"]
        told.append({"asked": party, "submitted": original, "hits": hits})
    return told


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
