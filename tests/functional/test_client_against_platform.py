"""The command `postern` against the real platform over a real socket, on each database in turn."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import func, inspect, select, text, update

from app.access import CONSOLE
from app.clock import now
from app.indicators.models import Indicator, Report, Token
from app.pseudonyms import service as pseudonyms
from app.pseudonyms.models import KeyEpoch, Window
from postern.cli import cli
from postern.pseudonym import derive_epoch_key
from postern.submission import BATCH
from postern.vocabulary import EvaluationKind, Scope
from tests.app.exchange import CLOSED, OPEN_TO_POLICE, PRESENCE_TO_POLICE, Exchange
from tests.app.people import bearer
from tests.functional.conftest import Platform

SUBMIT = (Scope.EVALUATE, Scope.REPORTS_WRITE)
LOOK_UP = (Scope.EVALUATE, Scope.LOOKUPS_WRITE)
REASONS = ("--purpose", "service_security", "--case", "PV-1", "--legal-basis", "postal_law")
INVESTIGATION = (
    *("--purpose", "criminal_investigation", "--case", "PV-2"),
    *("--legal-basis", "criminal_procedure"),
)
OPTIONS = (*REASONS, "--learned", "outside_of_item", "--workers", "1")
HEADER = (
    "Sender's name,Sender's address,Sender's postcode,Sender's city,Sender's country,"
    "Sender's phone,Item number,Net weight (kg),Total value (EUR),Category of item,Date of posting"
)
SOPHIE = (
    'Sophie Van Damme,"16, rue de la Loi",1040,Bruxelles,BE,02 123 45 67,RB123456785GB,0.5,'
    "25.00,Gift,2026-01-15"
)
TOO_SHORT = "Jan de Vries,Keizersgracht 101,1015 AB,Amsterdam,NL,12,,,,,"


@dataclass
class Premises:
    """What one organisation has at home: a token, settings and pins."""

    home: Path
    config: Path

    def run(self, *arguments: object) -> Result:
        command = ["--config", str(self.config), *(str(each) for each in arguments)]
        return CliRunner().invoke(cli, command)

    def file(self, *rows: str, header: str = HEADER) -> Path:
        path = self.home / "shipments.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postern.transport.PAUSES", ())


def settle(
    platform: Platform, exchange: Exchange, home: Path, code: str, scopes: Iterable[Scope]
) -> Premises:
    """Set the command up for an organisation, as its administrator would."""
    place = home / code
    place.mkdir()
    token_file = place / "token"
    token_file.touch(mode=0o600)
    headers = bearer(platform.app, exchange.people[code], scopes)
    token_file.write_text(headers["Authorization"].removeprefix("Bearer "))
    premises = Premises(place, place / "config.toml")
    with platform.app.app_context():
        fingerprint = pseudonyms.directory_fingerprint()
    result = premises.run(
        *("init", "--address", platform.address, "--token-file", token_file),
        *("--fingerprint", fingerprint),
    )
    assert result.exit_code == 0, result.output
    return premises


@pytest.fixture
def post(platform: Platform, exchange: Exchange, tmp_path: Path) -> Premises:
    return settle(platform, exchange, tmp_path, "post-be", SUBMIT)


@pytest.fixture
def police(platform: Platform, exchange: Exchange, tmp_path: Path) -> Premises:
    return settle(platform, exchange, tmp_path, "police-de", LOOK_UP)


def counts_of(result: Result) -> tuple[int, int, int, int]:
    told: dict[str, Any] = json.loads(result.stdout)
    return told["rows"], told["created"], told["existing"], told["rejected"]


def stored(exchange: Exchange) -> tuple[int, int, int]:
    """How many reports, indicators and postings the platform holds."""
    with exchange.database.reading() as session:
        reports, indicators, postings = (
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Report, Indicator, Token)
        )
    return reports, indicators, postings


def everything_stored(exchange: Exchange) -> str:
    """Every cell of every table, as text."""
    with exchange.database.reading() as session:
        tables = inspect(session.get_bind()).get_table_names()
        return "\n".join(
            str(tuple(row))
            for table in tables
            for row in session.execute(text(f'SELECT * FROM "{table}"'))  # noqa: S608 - names come from the database itself
        )


def look_up(premises: Premises, *value: str) -> list[dict[str, Any]]:
    result = premises.run("lookup", *value, *INVESTIGATION, "--json")
    assert result.exit_code == 0, result.output
    hits: list[dict[str, Any]] = json.loads(result.stdout)["results"][0]["hits"]
    return hits


def test_check_finds_everything_in_place(post: Premises) -> None:
    result = post.run("check")
    assert result.exit_code == 0, result.output
    assert "Organisation post-be (post-be)" in result.stdout
    assert "evaluate, reports:write" in result.stdout
    assert "FAIL" not in result.stdout


def test_a_good_row_goes_in_and_a_wrong_one_comes_back(post: Premises, exchange: Exchange) -> None:
    file = post.file(SOPHIE, TOO_SHORT)
    result = post.run("submit", file, *OPTIONS, "--json")
    assert result.exit_code == 3, result.output
    assert counts_of(result) == (2, 1, 0, 1)
    reports, indicators, postings = stored(exchange)
    assert (reports, indicators) == (1, 3)
    assert postings == 16 + 1 + 2
    (report,) = exchange.rows(select(Report))
    assert (report.origin_country, report.weight_band, report.value_band) == (
        "BE",
        "100-500",
        "22-150",
    )
    assert report.declared_category == "gift"
    rejected = (post.home / "shipments.rejected.csv").read_text(encoding="utf-8-sig")
    assert "Jan de Vries" in rejected
    assert "between 6 and 15 digits" in rejected
    again = post.run("submit", file, *OPTIONS, "--json")
    assert counts_of(again) == (2, 1, 0, 1)
    assert stored(exchange)[0] == 1


def test_nothing_clear_is_stored_on_the_platform(post: Premises, exchange: Exchange) -> None:
    assert post.run("submit", post.file(SOPHIE), *OPTIONS).exit_code == 0
    everything = everything_stored(exchange).lower()
    assert "outside_of_item" in everything
    for clear in ("sophie", "damme", "bruxelles", "rue de", "rb123456785gb", "3221234567"):
        assert clear not in everything


def test_every_kind_of_indicator_is_taken(
    post: Premises, police: Premises, exchange: Exchange
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    header = (
        "sender_name,sender_street,sender_postcode,sender_city,sender_country,sender_phone,"
        "sender_email,addressee_street,addressee_postcode,addressee_city,addressee_country,item_id,"
        "induction_point,vendor_market,vendor_handle,pgp,payment,subject,tlp,handling,grade"
    )
    row = (
        f"Sophie Van Damme,Rue de la Loi 16,1040,Bruxelles,BE,+3221234567,s@mail.example,Meir 5,"
        f"2000,Antwerpen,BE,RB123456785GB,BRU-12,Bazaar,DutchMagic,{'A' * 40},NL91ABNA0417164300,"
        "unwitting,AMBER,H0,B2"
    )
    network = ("--operator", "Example Post", "--country", "be", "--expires-in", "90")
    result = post.run("submit", post.file(row, header=header), *OPTIONS, *network, "--json")
    assert result.exit_code == 0, result.output
    assert stored(exchange)[1] == 9
    asked = {
        "party": ("--name", "Sophie Van Damme", "--address", "Rue de la Loi 16, 1040 Bruxelles"),
        "address": ("--address", "Meir 5, 2000 Antwerpen"),
        "phone": ("--phone", "02 123 45 67", "--country", "be"),
        "email": ("--email", "S@mail.example"),
        "item": ("--item", "rb 1234 5678 5 gb"),
        "induction_point": ("--point", "example post", "bru 12", "--country", "BE"),
        "vendor": ("--vendor", "Bazaar", "dutch_magic"),
        "pgp": ("--pgp", "a" * 40),
        "payment": ("--payment", "NL91 ABNA 0417 1643 00"),
    }
    for kind, value in asked.items():
        hits = look_up(police, *value)
        assert hits, kind
        assert hits[0]["indicator"]["kind"] == kind
        assert hits[0]["indicator"]["handling"] == ["H0"]


def test_police_find_what_the_post_submitted_however_it_is_spelt(
    post: Premises, police: Premises, exchange: Exchange
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    assert post.run("submit", post.file(SOPHIE), *OPTIONS).exit_code == 0
    result = police.run(
        *("lookup", "--name", "VAN DAME Sofie", "--street", "Wetstraat / R. de la Loi 16 bus 3"),
        *("--postcode", "B-1040", "--city", "Brussel", *INVESTIGATION),
    )
    assert result.exit_code == 0, result.output
    assert "Organisation post-be (post-be)" in result.stdout
    assert "request" in result.stdout
    assert "2026-01-15" in result.stdout
    assert "1 hit." in result.stdout


@pytest.mark.parametrize(("policy", "levels"), [(CLOSED, []), (PRESENCE_TO_POLICE, ["presence"])])
def test_a_policy_decides_what_a_lookup_learns(
    post: Premises, police: Premises, exchange: Exchange, policy: str, levels: list[str]
) -> None:
    if policy:
        exchange.publish("post-be", policy)
    assert post.run("submit", post.file(SOPHIE), *OPTIONS).exit_code == 0
    value = ("--name", "Sophie Van Damme", "--address", "Rue de la Loi 16, 1040 Bruxelles, be")
    hits = look_up(police, *value)
    assert [hit["level"] for hit in hits] == levels
    told = police.run("lookup", *value, *INVESTIGATION).stdout
    if levels:
        assert "its owner shows that it is there, and no more" in told
    else:
        assert "no hits that you may see" in told


def test_what_the_platform_refuses_comes_back_with_its_reason(
    post: Premises, exchange: Exchange
) -> None:
    file = post.file(SOPHIE)
    result = post.run("submit", file, *OPTIONS, "--expires-in", "3650")
    assert result.exit_code == 3, result.output
    rejected = (post.home / "shipments.rejected.csv").read_text(encoding="utf-8-sig")
    assert "sender_name (expires_on)" in rejected
    assert "days from today" in rejected
    assert stored(exchange)[0] == 0


def test_a_spent_quota_leaves_what_it_paid_for_and_the_run_goes_on(
    post: Premises, platform: Platform, exchange: Exchange
) -> None:
    allow(platform.app, 7)
    file = post.file(*(f"+3247{number:07}" for number in range(20)), header="Phone")
    spent = post.run("submit", file, *OPTIONS)
    assert spent.exit_code == 1
    assert "begins again at" in spent.stderr
    assert stored(exchange)[0] == 7
    allow(platform.app, 1000)
    result = post.run("submit", file, *OPTIONS, "--json")
    assert counts_of(result) == (20, 20, 0, 0)


def allow(app: Flask, elements: int) -> None:
    with app.app_context(), app.extensions["postern"].database.transaction() as session:
        limits = dict.fromkeys(Window, elements)
        pseudonyms.allow(session, CONSOLE, "post-be", EvaluationKind.PHONE, limits)


def test_a_new_key_epoch_is_taken_up_by_itself(
    post: Premises, platform: Platform, exchange: Exchange
) -> None:
    assert post.run("submit", post.file("+32475000001", header="Phone"), *OPTIONS).exit_code == 0
    (post.home / "shipments.csv.journal").unlink()
    moment = now().replace(microsecond=0)
    _, public = derive_epoch_key(exchange.seed, EvaluationKind.PHONE, 2)
    with exchange.database.transaction() as session:
        session.execute(
            update(KeyEpoch)
            .where(KeyEpoch.kind == EvaluationKind.PHONE)
            .values(valid_from=moment - timedelta(days=2))
        )
        session.add(
            KeyEpoch(
                kind=EvaluationKind.PHONE,
                epoch=2,
                norm="1",
                public_key=public,
                valid_from=moment - timedelta(minutes=1),
                valid_to=moment + timedelta(days=300),
            )
        )
    assert post.run("submit", post.file("+32475000002", header="Phone"), *OPTIONS).exit_code == 0
    assert sorted(each.epoch for each in exchange.rows(select(Indicator))) == [1, 2]


@pytest.mark.parametrize("missing", SUBMIT)
def test_a_token_without_the_scope_submits_nothing(
    platform: Platform, exchange: Exchange, tmp_path: Path, missing: Scope
) -> None:
    scopes = [scope for scope in SUBMIT if scope is not missing]
    premises = settle(platform, exchange, tmp_path, "post-be", scopes)
    result = premises.run("submit", premises.file(SOPHIE), *OPTIONS)
    assert result.exit_code == 1
    assert f"it lacks the scope {missing.value}" in result.stderr
    assert stored(exchange)[0] == 0


def test_a_token_that_is_no_longer_known_is_told(post: Premises) -> None:
    token_file = post.home / "token"
    token_file.write_text(token_file.read_text()[:-4] + "AAAA")
    result = post.run("submit", post.file(SOPHIE), *OPTIONS)
    assert result.exit_code == 1
    assert "expired or revoked" in result.stderr


def test_a_run_that_is_killed_goes_on_without_a_row_lost_or_doubled(
    post: Premises, exchange: Exchange
) -> None:
    rows = [f"+3247{number:07}" for number in range(4 * BATCH)]
    rows[3] = "12"
    file = post.file(*rows, header="Phone")
    journal = post.home / "shipments.csv.journal"
    command = [sys.executable, "-c", "from postern.cli import main; main()"]
    with subprocess.Popen(
        [*command, "--config", str(post.config), "submit", str(file), *OPTIONS],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=dict(os.environ),
    ) as running:
        while running.poll() is None:
            if journal.exists() and journal.read_bytes().count(b"\n") > 1:
                running.send_signal(signal.SIGKILL)
        assert running.returncode == -signal.SIGKILL, running.stderr and running.stderr.read()
    result = post.run("submit", file, *OPTIONS, "--json")
    read, created, existing, rejected = counts_of(result)
    assert read == created + existing + rejected == len(rows)
    assert rejected == 1
    assert stored(exchange)[0] == len(rows) - 1
