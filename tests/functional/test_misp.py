"""A feed over a real socket, as an instance of MISP reads it; and events imported on premises."""

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result
from sqlalchemy import select

from app.exchange import misp_feed
from app.exchange.views import Collection
from app.indicators import service
from app.indicators.models import Given, Indicator, Report
from app.pseudonyms import service as pseudonyms
from postern.cli import cli
from postern.vocabulary import Kind, Scope
from tests.app.exchange import OPEN_TO_POLICE, SOPHIE, make_exchange, place
from tests.app.exchange_room.misp_instance import Instance, moving_clock
from tests.app.exchange_room.reading import Room
from tests.app.people import bearer
from tests.functional.conftest import Platform
from tests.functional.serving import PATIENCE

POST, POLICE = "post-be", "police-de"
WHY = ("--purpose", "criminal_investigation", "--case", "PV-7", "--legal-basis", "postal_law")
MOST_OF_REPORT = 20  # indicators
CLEAR = ("Jansen", "Kerkstraat", "dutchmaster", "example.org")

EVENT = {
    "Event": {
        "uuid": "0d1e7a3c-0000-4000-8000-000000000001",
        "info": "A parcel that was opened",
        "Tag": [{"name": "tlp:amber"}],
        "Attribute": [
            {
                "uuid": "0d1e7a3c-0000-4000-8000-000000000002",
                "type": "email-src",
                "value": "vendor@example.org",
            },
            {
                "uuid": "0d1e7a3c-0000-4000-8000-000000000003",
                "type": "ip-dst",
                "value": "192.0.2.1",
            },
        ],
        "Object": [
            {
                "uuid": "0d1e7a3c-0000-4000-8000-000000000004",
                "name": "postal-parcel",
                "Attribute": [
                    {
                        "uuid": f"0d1e7a3c-0000-4000-8000-00000000001{number}",
                        "object_relation": relation,
                        "type": "text",
                        "value": value,
                    }
                    for number, (relation, value) in enumerate(
                        {
                            "addressee-name": "Piet Jansen",
                            "addressee-street": "Kerkstraat 12",
                            "addressee-postcode": "1017 GA",
                            "addressee-city": "Amsterdam",
                            "addressee-country": "NL",
                            "substance": "ketamine",
                            "note": 'He said:\n"a gift"',
                        }.items()
                    )
                ],
            },
            {
                "uuid": "0d1e7a3c-0000-4000-8000-000000000005",
                "name": "user-account",
                "Attribute": [
                    {
                        "uuid": "0d1e7a3c-0000-4000-8000-000000000020",
                        "object_relation": "username",
                        "type": "text",
                        "value": "dutchmaster",
                    },
                    {
                        "uuid": "0d1e7a3c-0000-4000-8000-000000000021",
                        "object_relation": "account-type",
                        "type": "text",
                        "value": "darknet-market",
                    },
                ],
            },
        ],
    }
}


@pytest.fixture
def room(platform: Platform) -> Room:
    found = Room(make_exchange(platform.app))
    found.exchange.publish(POST, OPEN_TO_POLICE)
    return found


def instance_of(platform: Platform, room: Room, collection: Collection) -> Instance:
    """An instance with the address of the feed, and credentials that it sends along."""
    headers = bearer(platform.app, room.exchange.people[POLICE], [Scope.EXCHANGE_READ])
    token = headers["Authorization"].removeprefix("Bearer ")
    feed = f"{platform.address}/misp/{collection.id}"

    def get(name: str) -> str:
        answer = requests.get(f"{feed}/{name}", auth=("misp", token), timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        return answer.text

    return Instance(get)


def test_an_instance_keeps_a_collection_and_forgets_what_is_withdrawn(
    platform: Platform, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_seconds = moving_clock(monkeypatch)
    exchange = room.exchange
    (kept,) = room.submit(POST, place("BRU-1"))
    (gone,) = room.submit(POST, exchange.indicator(SOPHIE, permitted_action="watch"))
    collection = room.open(POLICE)
    instance = instance_of(platform, room, collection)
    instance.pull()
    assert {each["name"] for each in instance.living()} == {
        "postal-address-token",
        "postal-induction-point",
    }
    assert instance.values("code") == {"BRU-1"}
    tokens = instance.values("token")
    assert tokens
    assert all(each.startswith("postal1.1.") for each in tokens)
    said = " ".join(each["value"] for each in instance.attributes.values())
    assert not any(word in said for word in ("Sophie", "Damme", "Loi"))

    caller = exchange.caller(POST)
    report = room.within(
        lambda session: session.scalar(
            select(Report.public_id)
            .join(Indicator, Indicator.report_id == Report.id)
            .where(Indicator.public_id == gone)
        )
    )
    assert report is not None
    room.within(lambda session: service.withdraw(session, caller, report, "error"))
    room.work()
    pass_seconds(2)
    instance.pull()
    assert [each["name"] for each in instance.living()] == ["postal-induction-point"]
    assert instance.values("token") == set()
    given = {each.indicator for each in exchange.rows(select(Given))}
    assert {kept, gone} <= given


def test_a_long_event_comes_whole_in_parts(
    platform: Platform, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(misp_feed, "OBJECTS_IN_PART", 15)
    number = 2 * MOST_OF_REPORT
    for start in range(0, number, MOST_OF_REPORT):
        room.submit(POST, *(place(f"P-{start + each}") for each in range(MOST_OF_REPORT)))
    collection = room.open(POLICE)
    instance = instance_of(platform, room, collection)
    instance.pull()
    assert instance.values("code") == {f"P-{each}" for each in range(number)}
    assert len(instance.get("hashes.csv").splitlines()) == number
    assert len(room.exchange.rows(select(Given))) == number


@dataclass
class Premises:
    """What the post has at home."""

    home: Path

    def run(self, *arguments: object) -> Result:
        command = ["--config", str(self.home / "config.toml"), *map(str, arguments)]
        return CliRunner().invoke(cli, command)

    def imported(self, event: Any, *arguments: object) -> Result:
        file = self.home / "event.json"
        file.write_text(json.dumps(event))
        options = (*WHY, "--learned", "lawful_opening", "--workers", "1", "--json")
        return self.run("exchange", "misp-import", file, *options, *arguments)


@pytest.fixture
def post(platform: Platform, room: Room, tmp_path: Path) -> Premises:
    premises = Premises(tmp_path)
    token_file = tmp_path / "token"
    token_file.touch(mode=0o600)
    headers = bearer(platform.app, room.exchange.people[POST], Scope)
    token_file.write_text(headers["Authorization"].removeprefix("Bearer "))
    with platform.app.app_context():
        fingerprint = pseudonyms.directory_fingerprint()
    result = premises.run(
        *("init", "--address", platform.address, "--token-file", token_file),
        *("--fingerprint", fingerprint),
    )
    assert result.exit_code == 0, result.output
    return premises


def test_an_event_in_clear_is_imported_once_and_pseudonymised(post: Premises, room: Room) -> None:
    result = post.imported(EVENT)
    assert result.exit_code == 3, result.output  # the address of a computer is left out
    assert json.loads(result.stdout)["created"] == 3
    left = (post.home / "event.json.unmapped.csv").read_text()
    assert "0d1e7a3c-0000-4000-8000-000000000003,ip-dst" in left
    assert not any(word in left for word in (*CLEAR, "192.0.2.1"))
    assert not (post.home / "event.json.rows.csv").exists()
    stored = room.exchange.rows(select(Indicator))
    assert {each.kind for each in stored} == {Kind.PARTY, Kind.EMAIL, Kind.VENDOR}
    assert {each.tlp for each in stored} == {"AMBER"}

    again = post.imported(EVENT)
    assert again.exit_code == 3
    assert "not sent again" in again.stderr
    assert len(room.exchange.rows(select(Report))) == 3


def test_what_is_deleted_in_misp_is_withdrawn_when_it_is_asked_for(
    post: Premises, room: Room
) -> None:
    post.imported(EVENT)
    later = copy.deepcopy(EVENT)
    later["Event"]["Object"][1]["deleted"] = True  # type: ignore[index]
    told = post.imported(later)
    assert "1 report came of objects that are revoked now" in told.stderr
    assert len(room.exchange.rows(select(Indicator))) == 3
    done = post.imported(later, "--withdraw")
    assert "1 report withdrawn" in done.stderr
    kinds = {each.kind for each in room.exchange.rows(select(Indicator))}
    assert kinds == {Kind.PARTY, Kind.EMAIL}


def test_a_dry_run_sends_nothing(post: Premises, room: Room) -> None:
    result = post.imported(EVENT, "--dry-run")
    assert result.exit_code == 3, result.output
    assert room.exchange.rows(select(Report)) == []


@pytest.mark.parametrize("event", [[1], {"0d1e7a3c": {"info": "a manifest"}}, "text"])
def test_what_is_no_event_is_refused_in_one_sentence(post: Premises, event: Any) -> None:
    result = post.imported(event)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert "no event of MISP" in result.output
