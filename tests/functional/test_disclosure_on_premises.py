"""From hit to recall with the command `postern` on two premises, against the real platform.

Everything that is opened is opened by a command with a key file; the platform's database is
searched for the clear text afterwards.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result
from sqlalchemy import inspect, select, text, update

from app.clock import now
from app.disclosures.models import Delivery
from app.organisations.models import KeyAlarm, OrganisationKey
from app.pseudonyms import service as pseudonyms
from postern.cli import cli
from postern.vocabulary import Role, Scope
from tests.app.exchange import OPEN_TO_POLICE, Exchange
from tests.app.lookups.watching import work
from tests.app.people import Person, bearer, make_person
from tests.functional.conftest import Platform
from tests.postern import premises

INVESTIGATION = (
    *("--purpose", "criminal_investigation", "--case", "PV-2"),
    *("--legal-basis", "criminal_procedure"),
)
SUBMITTING = (
    *("--purpose", "service_security", "--case", "PV-1", "--legal-basis", "postal_law"),
    *("--learned", "outside_of_item", "--workers", "1", "--json"),
)
HEADER = "sender_name,sender_street,sender_postcode,sender_city,sender_country,Remarks"
SOPHIE = 'Sophie Van Damme,"16, rue de la Loi",1040,Bruxelles,BE,Smells of vinegar'
VALUE = ("--name", "VAN DAME Sofie", "--address", "Wetstraat 16, 1040 Brussel, BE")
PHOTO = b"\xff\xd8\xff photo of a label: Zwaluwstraat 3"
CLEAR = ("damme", "rue de la loi", "vinegar", "zwaluw", "where is she")


@dataclass
class Premises:
    """What one organisation has at home; `headers` stand for it in plain requests."""

    home: Path
    config: Path
    headers: dict[str, str]

    def run(self, *arguments: object) -> Result:
        return CliRunner().invoke(cli, ["--config", str(self.config), *map(str, arguments)])

    def well(self, *arguments: object) -> str:
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def told(self, *arguments: object) -> Any:
        return json.loads(self.well(*arguments, "--json"))

    def file(self, name: str, content: bytes | str) -> Path:
        path = self.home / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postern.transport.PAUSES", ())
    monkeypatch.setattr("postern.commands.own_keys.unlock_keys", premises.unlocked)


def settle(
    platform: Platform, person: Person, code: str, home: Path, scopes: Iterable[Scope] = Scope
) -> Premises:
    """Set the command up as the administrator of an organisation would."""
    home.mkdir()
    token_file, config = home / "token", home / "config.toml"
    token_file.touch(mode=0o600)
    headers = bearer(platform.app, person, scopes)
    token_file.write_text(headers["Authorization"].removeprefix("Bearer "))
    with platform.app.app_context():
        fingerprint = pseudonyms.directory_fingerprint()
    made = Premises(home, config, headers)
    made.well(
        *("init", "--address", platform.address, "--token-file", token_file),
        *("--fingerprint", fingerprint),
    )
    premises.locked(code).put(home)
    settled = config.read_text()
    for line in ('file = "keys.json"', 'member = "dispatch"', 'passphrase_file = "passphrase"'):
        settled = settled.replace(f"# {line}", line)
    config.write_text(settled)
    return made


@pytest.fixture
def post(platform: Platform, exchange: Exchange, tmp_path: Path) -> Premises:
    return settle(platform, exchange.people["post-be"], "post-be", tmp_path / "post")


@pytest.fixture
def police(platform: Platform, exchange: Exchange, tmp_path: Path) -> Premises:
    return settle(platform, exchange.people["police-de"], "police-de", tmp_path / "police")


def acquaint(post: Premises, police: Premises) -> None:
    """Both publish their keys and pin each other's, after comparing by telephone."""
    for one in (post, police):
        one.well("keys", "publish")
    for one, other in ((post, "police-de"), (police, "post-be")):
        fingerprint = premises.locked(other).keys.entry.fingerprint
        one.well("keys", "pin", other, "--fingerprint", fingerprint)


def submitted(post: Premises) -> str:
    """The id of a sealed report."""
    file = post.file("in.csv", f"{HEADER}\n{SOPHIE}\n")
    told = json.loads(post.well("submit", file, *SUBMITTING))
    assert (told["created"], told["sealed"]) == (1, True)
    journal = (post.home / "in.csv.journal").read_text().splitlines()
    return str(json.loads(journal[1])["reports"][0])


def asked(police: Premises, *more: object) -> tuple[str, str]:
    """The ids of a request for all that is held of Sophie, and of its indicator."""
    hits = police.well("lookup", *VALUE, *INVESTIGATION, "--json")
    indicator = str(json.loads(hits)["results"][0]["hits"][0]["indicator"]["id"])
    options = ("--case", "PV-2", "--ask", "value,note,attachment", "--text", "Where is she?")
    made = police.told(
        *("request", "--indicator", indicator, "--hits", police.file("hits.json", hits)),
        *(*options, *more),
    )
    return str(made["id"]), indicator


def second_person(platform: Platform, post: Premises, home: Path) -> Premises:
    """Another approver of the post, who may do nothing else, with the same key file."""
    person = make_person(platform.app, "post-be", [Role.APPROVER])
    made = settle(platform, person, "post-be", home, [Scope.DISCLOSURES_DECIDE])
    pins = "config.organisations.json"
    (home / pins).write_bytes((post.home / pins).read_bytes())
    return made


def everything_stored(exchange: Exchange) -> str:
    """Every cell of every table, as text."""
    with exchange.database.reading() as session:
        tables = inspect(session.get_bind()).get_table_names()
        return "\n".join(
            str(tuple(row))
            for table in tables
            for row in session.execute(text(f'SELECT * FROM "{table}"'))  # noqa: S608 - names come from the database itself
        ).lower()


def test_from_a_sealed_row_to_the_answer_to_a_recall(
    platform: Platform, exchange: Exchange, post: Premises, police: Premises, tmp_path: Path
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    acquaint(post, police)
    report = submitted(post)
    post.well("attach", report, post.file("label.jpg", PHOTO))

    request, indicator = asked(police, "--urgency", "urgent", "--action", "locate")
    assert request in post.well("requests", "--received")
    shown = post.well("requests", "show", request)
    for told in ("Where is she?", "Sophie Van Damme", "Smells of vinegar", "label.jpg", "urgent"):
        assert told in shown
    post.well("requests", "ask-back", request, "--text", "Which weeks?")
    assert "Which weeks?" in police.well("requests", "show", request)
    police.well("requests", "answer", request, "--text", "Weeks 40 to 42.")

    release = ("decide", request, "--release", "value,attachment", "--reason", "partly_necessary")
    proposed = post.well(*release, "--yes", "--text", "The note stays here.")
    decision = proposed.rpartition("--confirm ")[2].split("`")[0]
    assert police.run("receive", request).exit_code == 1
    second_person(platform, post, tmp_path / "second").well(
        "decide", request, "--confirm", decision
    )

    got = police.home / "got"
    received = police.well("receive", request, "--save", got)
    for told in ("Sophie Van Damme", "rue de la Loi", "derived again, it is the one", "note stays"):
        assert told in received
    assert "vinegar" not in received
    (saved,) = got.iterdir()
    assert saved.read_bytes() == PHOTO
    checks = {each.part.value: each.check for each in exchange.rows(select(Delivery))}
    assert checks == {"value": "matches", "attachment": "not_checked"}

    outcome = ("--located", "yes", "--held", "yes", "--examined", "yes", "--result", "found")
    found = ("--substance", "mdma", "--quantity", "120.5", "--unit", "g", "--case", "PV-2")
    police.well("outcomes", "tell", indicator, *outcome, *found, "--request", request)
    (told,) = post.told("outcomes")
    assert (told["substance"], told["quantity"], told["unit"]) == ("mdma", "120.500", "g")
    assert "mdma 120" in police.well("outcomes", "--told")

    withdrawal = requests.post(
        f"{platform.address}/api/v1/reports/{report}/withdraw",
        json={"reason": "error", "recall": "wrong_identity"},
        headers=post.headers,
        timeout=30,
    )
    assert withdrawal.status_code == 200, withdrawal.text
    (recall,) = police.told("recalls")
    assert (recall["indicator"], recall["reason"]) == (indicator, "wrong_identity")
    assert "1 recall to do." in police.well("recalls")
    assert police.run("receive", request).exit_code == 1
    police.well("recalls", "acknowledge", recall["id"])
    assert police.run("recalls", "done", recall["id"], "--as", "corrected").exit_code == 1
    police.well("recalls", "done", recall["id"], "--as", "erased")
    assert "0 recalls to do." in police.well("recalls")

    everything = everything_stored(exchange)
    assert "partly_necessary" in everything
    assert [clear for clear in CLEAR if clear in everything] == []


def test_a_directory_that_was_tampered_with_stops_the_release(
    exchange: Exchange, post: Premises, police: Premises
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    acquaint(post, police)
    submitted(post)
    request, _ = asked(police)
    swapped = premises.fresh_keys("police-de").chain[0]
    with exchange.database.transaction() as session:
        session.execute(
            update(OrganisationKey)
            .where(OrganisationKey.organisation_id == exchange.organisation_id("police-de"))
            .values(signed=swapped.on_wire(), digest=swapped.entry.digest())
        )
    result = post.run("decide", request, "--release", "all", "--reason", "necessary", "--yes")
    assert result.exit_code == 1
    assert "STOP. THE KEYS OF POLICE-DE WERE SWAPPED" in result.stderr
    (alarm,) = exchange.rows(select(KeyAlarm))
    assert alarm.offered == swapped.entry.fingerprint
    assert exchange.rows(select(Delivery)) == []


def test_a_watch_is_set_matched_and_stopped(
    exchange: Exchange, post: Premises, police: Premises
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    post.well("keys", "publish")
    until = (now() + timedelta(days=30)).date().isoformat()
    options = (*INVESTIGATION, "--until", until, "--tell", "both", "--deconflict")
    (made,) = police.told("watch", *VALUE, *options)["watches"]
    assert "1 watch waiting." in police.well("watches")
    assert "0 matches." in police.well("watches", "show", made["watch"])
    submitted(post)
    work(exchange)
    assert "has news" in police.well("watches")
    shown = police.well("watches", "show", made["watch"])
    assert "1 match." in shown
    assert "Organisation post-be (post-be)" in shown
    police.well("watches", "stop", made["watch"])
    assert "0 watches waiting." in police.well("watches")
    assert police.told("watches")["watches"][0]["end"] == "stopped"


def test_a_person_is_answered_with_holdings_and_recipients(
    platform: Platform, exchange: Exchange, post: Premises, police: Premises, tmp_path: Path
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    post.well("keys", "publish")
    submitted(post)
    journal = post.home / "in.csv.journal"
    journal.write_text(journal.read_text().splitlines()[0] + "\n")  # its fate was lost
    again = json.loads(post.well("submit", post.home / "in.csv", *SUBMITTING))
    assert (again["existing"], again["rejected"]) == (1, 0)  # sealed anew, and recognised
    police.well("lookup", *VALUE, *INVESTIGATION)
    person = make_person(platform.app, "post-be", [Role.COMPLIANCE])
    scopes = (Scope.EVALUATE, Scope.SUBJECTS_WRITE)
    officer = settle(platform, person, "post-be", tmp_path / "officer", scopes)
    opened = requests.post(
        f"{platform.address}/api/v1/subject-requests",
        json={"right": "access", "case": "SR-7"},
        headers=officer.headers,
        timeout=30,
    )
    assert opened.status_code == 201, opened.text
    report = officer.home / "answer.txt"
    options = ("--purpose", "service_security", "--report", report)
    told = officer.well("subject", opened.json()["id"], *VALUE, *options)
    assert "1 record of ours" in told
    assert "given to Organisation police-de by lookup" in told
    assert report.read_text() in told
    assert report.stat().st_mode & 0o777 == 0o600
    assert "Move it away" in officer.run("subject", "x", *VALUE, *options).stderr
    nobody = ("--phone", "+3221234567", "--purpose", "service_security")
    assert "We hold nothing" in officer.well("subject", opened.json()["id"], *nobody)
    assert [clear for clear in CLEAR if clear in everything_stored(exchange)] == []
