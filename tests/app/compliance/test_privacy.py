"""The record of processing and the pack: from the configuration, whole, and without a value."""

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.compliance import privacy_pack, processing
from app.compliance.processing_tables import TABLES
from app.database import Base
from postern.vocabulary import Role
from tests.app.exchange import OPEN_TO_POLICE, SOPHIE, Exchange, report
from tests.app.people import make_person, runtime_of, sign_in

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_every_table_is_described(exchange: Exchange) -> None:
    assert exchange.app
    assert set(TABLES) == set(Base.metadata.tables)


def test_an_officer_reads_who_got_what_and_each_of_its_own(
    exchange: Exchange, client: FlaskClient
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.submit("post-be", report("R-1", exchange.indicator(SOPHIE)))
    exchange.ask("police-de", SOPHIE)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        record = processing.read(session, exchange.caller("post-be"))
    assert [(each.code, each.indicators) for each in record.recipients or ()] == [("police-de", 1)]
    sign_in(client, make_person(exchange.app, "customs-nl", [Role.COMPLIANCE]))
    page = client.get("/privacy").get_data(as_text=True)
    assert "Nobody got an indicator of yours" in page
    (entry,) = exchange.entries("privacy.read")[:1]
    assert entry.audience == ["post-be"]


@on_one_database
def test_the_figures_are_those_of_the_settings(exchange: Exchange) -> None:
    settings = runtime_of(exchange.app).settings
    retention = dataclasses.replace(settings.retention, lookup_days=77)
    other = dataclasses.replace(settings, retention=retention)
    with exchange.app.app_context(), exchange.database.reading() as session:
        record = processing.build(session, other)
    by_name = {each.name: each for each in record.tables}
    assert by_name["lookup"].until == "77 days"
    assert "lookups after 77" in dict(record.measures)["Storage limitation"]
    assert record.recipients is None
    assert len(record.keys) > 0


@on_one_database
def test_the_pack_is_whole_and_leaves_open_what_only_people_judge(
    exchange: Exchange, tmp_path: Path
) -> None:
    folder = tmp_path / "pack"
    command = ["privacy", "pack", "--to", str(folder)]
    ran = exchange.app.test_cli_runner().invoke(args=command)
    assert ran.exit_code == 0, ran.output
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert json.loads((folder / "record.json").read_text())["members"]
    assessment = (folder / "impact-assessment.md").read_text()
    assert assessment.count("To be judged by the controller") > len(privacy_pack._RISKS)
    assert "police-de" in (folder / "record-of-processing.md").read_text()
    again = exchange.app.test_cli_runner().invoke(args=command)
    assert (again.exit_code, "not empty" in again.output) == (1, True)
    assert len(exchange.entries("privacy.pack")) == 2
