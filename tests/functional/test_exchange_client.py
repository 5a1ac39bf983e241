"""`postern exchange` against real platforms: pull, find, recall, push, and two that federate."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result
from sqlalchemy import select

from app.config import Settings
from app.exchange.adding_models import ExchangeSighting
from app.indicators.models import Indicator, Report
from app.pseudonyms import service as pseudonyms
from app.secret_files import create as create_secrets
from postern.cli import cli
from postern.vocabulary import Scope
from tests.app.exchange import JAN, OPEN_TO_POLICE, SOPHIE, Exchange, make_exchange, place
from tests.app.exchange_room.reading import Room
from tests.app.people import bearer
from tests.conftest import settings_for
from tests.functional.conftest import Platform, served

POST, POLICE = "post-be", "police-de"
WHY = ("--purpose", "criminal_investigation", "--case", "PV-7", "--legal-basis")
ASKED = (*WHY, "criminal_procedure")
TOLD = (*WHY, "postal_law", "--learned", "outside_of_item", "--workers", "1")
SOPHIE_TYPED = ("--name", "Mme Sophie VAN DAMME", "--address", "R. de la Loi 16, 1040 Brussel, BE")
JAN_TYPED = ("--name", "Jan de Vries", "--address", "Keizersgracht 101, 1015 AB Amsterdam, NL")
CLEAR = ("Sophie", "Damme", "Keizersgracht", "Vries")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postern.transport.PAUSES", ())
    monkeypatch.setattr("postern.taxii.connection.PAUSES", ())


@dataclass
class Premises:
    """What one organisation has at home of one platform."""

    home: Path

    @property
    def config(self) -> Path:
        return self.home / "config.toml"

    def run(self, *arguments: object) -> Result:
        command = ["--config", str(self.config), *(str(each) for each in arguments)]
        return CliRunner().invoke(cli, command)

    def well(self, *arguments: object) -> Result:
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result

    def told(self, *arguments: object) -> Any:
        return json.loads(self.well("exchange", *arguments, "--json").stdout)

    def pulled(self, *arguments: object) -> dict[str, Any]:
        (found,) = self.told("pull", *arguments)["collections"]
        assert isinstance(found, dict)
        return found

    def objects(self, *arguments: object) -> list[dict[str, Any]]:
        lines = self.well("exchange", "objects", *arguments, "--json").stdout.splitlines()
        return [json.loads(line) for line in lines]

    def found(self, *arguments: object) -> list[dict[str, Any]]:
        (one,) = self.told("find", *ASKED, *arguments)
        found: list[dict[str, Any]] = one["found"]
        return found


@dataclass
class Side:
    """A served platform with its members, and the premises of two of them."""

    platform: Platform
    room: Room
    post: Premises
    police: Premises

    @property
    def exchange(self) -> Exchange:
        return self.room.exchange


def settle(platform: Platform, exchange: Exchange, home: Path, code: str) -> Premises:
    """Set the command up for an organisation, as its administrator would."""
    premises = Premises(home / code)
    premises.home.mkdir(parents=True)
    token_file = premises.home / "token"
    token_file.touch(mode=0o600)
    headers = bearer(platform.app, exchange.people[code], Scope)
    token_file.write_text(headers["Authorization"].removeprefix("Bearer "))
    with platform.app.app_context():
        fingerprint = pseudonyms.directory_fingerprint()
    premises.well(
        *("init", "--address", platform.address, "--token-file", token_file),
        *("--fingerprint", fingerprint),
    )
    return premises


def side_of(platform: Platform, exchange: Exchange, home: Path) -> Side:
    exchange.publish(POST, OPEN_TO_POLICE)
    homes = [settle(platform, exchange, home, code) for code in (POST, POLICE)]
    return Side(platform, Room(exchange), *homes)


@pytest.fixture
def side(platform: Platform, exchange: Exchange, tmp_path: Path) -> Side:
    return side_of(platform, exchange, tmp_path)


def share(side: Side, *values: Any) -> list[Any]:
    """Reports of the post, each of one value that may be matched offline."""
    return [
        side.room.submit(
            POST, side.exchange.indicator(value, permitted_action="watch", learned="carrier_record")
        )
        for value in values
    ]


def test_what_others_share_is_pulled_found_and_recalled(side: Side) -> None:
    share(side, SOPHIE)
    side.room.submit(POST, place("BRU-1"))
    collection = side.room.open(POLICE)
    (listed,) = side.police.told("collections")
    assert listed["id"] == str(collection.id)
    assert (listed["can_read"], listed["can_write"]) == (True, False)

    first = side.police.pulled()
    assert (first["fresh"], first["refused"], first["changed"]) == (first["fresh"], 0, 0)
    assert len(side.police.objects("--type", "indicator")) == 2
    received = (side.police.home / "config.received").rglob("*.jsonl")
    assert not any(word in file.read_text() for file in received for word in CLEAR)

    (match,) = side.police.found(*SOPHIE_TYPED)
    assert match["band"] == "strong"
    assert match["object"]["type"] == "indicator"
    assert side.police.found(*JAN_TYPED) == []
    (spot,) = side.police.found("--point", "bpost", "BRU-1", "--country", "BE")
    assert spot["object"]["type"] == "indicator"

    second = side.police.pulled()
    assert {second[name] for name in ("fresh", "changed", "known", "withdrawn")} == {0}

    (report,) = [each for each in reports(side) if each["kinds"] == ["party"]]
    withdraw(side, report["id"])
    side.room.work()
    third = side.police.pulled()
    assert third["withdrawn"] == 1
    assert side.police.found(*SOPHIE_TYPED) == []
    assert len(side.police.objects("--type", "indicator")) == 1
    assert len(side.police.objects("--state", "withdrawn")) == 1


def test_each_page_is_logged_as_given_and_the_owner_knows(side: Side) -> None:
    share(side, SOPHIE)
    side.room.open(POLICE)
    side.police.pulled()
    served_pages = side.exchange.entries("exchange.serve")
    assert served_pages
    receipts = (side.police.home / "config.receipts.jsonl").read_text().splitlines()
    assert len(receipts) >= len(served_pages)
    assert side.exchange.entries("indicator.shared")
    side.police.found(*SOPHIE_TYPED)
    assert len(side.exchange.entries("exchange.key")) == 1


def test_an_owner_is_told_that_its_indicator_was_seen_again(side: Side) -> None:
    share(side, SOPHIE)
    side.room.open(POLICE)
    own = side.room.own(POLICE)
    side.police.told("pull")
    (indicator,) = side.police.objects("--type", "indicator")
    told = side.police.told("sighted", indicator["id"], "--count", "2")
    assert told["complete"]
    assert side.police.told("status", told["status"])["taken"] == 1
    with side.exchange.database.reading() as session:
        (kept,) = session.scalars(select(ExchangeSighting))
        assert (kept.stix_id, kept.times) == (told["id"], 2)
    assert str(own.id) in {each["id"] for each in side.police.told("collections")}


def test_a_member_without_a_collection_is_told_what_to_do(side: Side) -> None:
    result = side.police.well("exchange", "pull")
    assert "administrator" in result.stderr
    missing = side.police.run("exchange", "pull", "of-nobody")
    assert missing.exit_code == 1
    assert "`postern exchange collections`" in missing.output


def bundle(**more: Any) -> dict[str, Any]:
    """An indicator in clear, and something that is no concern of a post."""
    version = {"created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z"}
    address = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": "indicator--0d1e7a3c-0000-4000-8000-000000000002",
        **version,
        "pattern": "[email-addr:value = 'vendor@example.org']",
        "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z",
        **more,
    }
    malware = {
        "type": "malware",
        "spec_version": "2.1",
        "id": "malware--0d1e7a3c-0000-4000-8000-000000000003",
        **version,
        "name": "of no concern here",
        "is_family": False,
    }
    name = "bundle--0d1e7a3c-0000-4000-8000-000000000001"
    return {"type": "bundle", "id": name, "objects": [address, malware]}


def test_what_others_wrote_in_clear_is_pushed_once_and_withdrawn(side: Side) -> None:
    file = side.post.home / "theirs.json"
    file.write_text(json.dumps(bundle()))
    result = side.post.run("exchange", "push", file, *TOLD, "--json")
    assert result.exit_code == 3, result.output  # the malware is left out
    assert json.loads(result.stdout)["created"] == 1
    left_out = (side.post.home / "theirs.json.unmapped.csv").read_text()
    assert "malware--0d1e7a3c" in left_out
    assert not list(side.post.home.glob("*.rows.csv*"))
    (report,) = reports(side)
    assert report["kinds"] == ["email"]

    again = side.post.run("exchange", "push", file, *TOLD)
    assert "nothing new" in again.stderr
    assert len(reports(side)) == 1

    file.write_text(json.dumps(bundle(revoked=True)))
    told = side.post.run("exchange", "push", file, *TOLD)
    assert report["id"] in told.stderr
    assert "--withdraw" in told.stderr
    side.post.run("exchange", "push", file, *TOLD, "--withdraw")
    assert reports(side)[0]["kinds"] == []
    assert "report" not in side.post.run("exchange", "push", file, *TOLD).stdout


@pytest.fixture(params=["same keys", "other keys"])
def federation(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path
) -> Iterator[tuple[Side, Side]]:
    """Two platforms with a post and a police each; of the same OPRF domain or not."""
    secrets = [tmp_path / "secrets-1", tmp_path / "secrets-2"]
    for each in secrets:
        create_secrets(each)
    if request.param == "same keys":
        shutil.copyfile(secrets[0] / "evaluation.key", secrets[1] / "evaluation.key")
    made: list[Settings] = []
    for number, each in enumerate(secrets):
        database = tmp_path / f"{number}.sqlite3"
        shutil.copyfile(sqlite_template, database)
        made.append(settings_for(f"sqlite:///{database}", each))
    with served(made[0]) as one, served(made[1]) as two:
        yield tuple(  # type: ignore[misc]
            side_of(platform, make_exchange(platform.app), tmp_path / str(number))
            for number, platform in enumerate((one, two))
        )


def test_two_platforms_are_searched_as_one(
    federation: tuple[Side, Side], request: pytest.FixtureRequest
) -> None:
    here, there = federation
    share(here, SOPHIE)
    share(there, SOPHIE, JAN)
    for side in federation:
        side.room.open(POLICE)
        side.police.pulled()
    also = ("--also", there.police.config)
    assert len(here.police.found(*SOPHIE_TYPED)) == 1
    assert len(here.police.found(*SOPHIE_TYPED, *also)) == 2
    assert len(here.police.found(*JAN_TYPED, *also)) == 1
    assert here.police.found(*JAN_TYPED) == []
    evaluated_there = len(there.exchange.entries("evaluation.evaluate"))
    has_same_keys = "same keys" in request.node.name
    assert evaluated_there == (0 if has_same_keys else 2)
    tokens = [
        {token for each in side.police.objects("--type", "indicator") for token in tokens_of(each)}
        for side in federation
    ]
    assert tokens[0]
    assert not tokens[0] & tokens[1]  # each platform writes under a key of its own


def test_one_platform_is_a_server_of_another_settings_file(
    federation: tuple[Side, Side],
) -> None:
    here, there = federation
    share(there, SOPHIE)
    there.room.open(POLICE)
    with here.police.config.open("a") as settings:
        settings.write(
            f'\n[servers.partner]\naddress = "{there.platform.address}/taxii2/"\n'
            f'user = "any"\npassword_file = "{there.police.home / "token"}"\n'
        )
    found = here.police.pulled("--server", "partner")
    assert found["fresh"] > 1
    assert len(here.police.objects("--type", "indicator")) == 1
    result = here.police.run("exchange", "find", *ASKED, *SOPHIE_TYPED)
    assert "no matches" in result.output
    assert "Nothing in" in result.stderr


def tokens_of(content: dict[str, Any]) -> list[str]:
    extensions = content.get("extensions", {})
    return [
        token
        for each in extensions.values()
        for few in each.get("tokens", {}).values()
        for token in few
    ]


def reports(side: Side) -> list[dict[str, Any]]:
    """The post's reports, with the kinds of what they hold."""
    with side.exchange.database.reading() as session:
        return [
            {
                "id": str(report.public_id),
                "kinds": [
                    kind.value
                    for kind in session.scalars(
                        select(Indicator.kind).where(Indicator.report_id == report.id)
                    )
                ],
            }
            for report in session.scalars(select(Report).order_by(Report.id))
        ]


def withdraw(side: Side, report: str) -> None:
    token = (side.post.home / "token").read_text()
    answer = requests.post(
        f"{side.platform.address}/api/v1/reports/{report}/withdraw",
        json={"reason": "error"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert answer.ok, answer.text
