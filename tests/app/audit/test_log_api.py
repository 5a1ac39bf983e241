"""The log as members read it: C2SP paths, for any member, without an entry."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.audit import log_api, service
from app.audit.high_water import HighWater
from app.audit.sequencer import Sequencer
from app.config import Settings
from app.database import Database
from postern.tlog.checkpoint import Checkpoint, open_checkpoint
from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import SigningKey
from postern.tlog.tiles import inclusion_proof, parse_bundle
from postern.tlog.tree import root_of, verify_inclusion
from tests.app.bare import bare_app, count_entries, give_tag_keys, member

KEY = SigningKey("test.postern.example/audit", bytes(range(32)))
ENTRIES = 260


@pytest.fixture
def log(database: Database, tmp_path: Path) -> Sequencer:
    give_tag_keys(database, "police-de")
    with database.transaction() as session:
        for number in range(ENTRIES):
            service.append(session, member(), "lookup.ask", case=f"K-{number}")
    made = Sequencer(database, [KEY], HighWater(tmp_path / "high-water.json"))
    made.step()
    return made


@pytest.fixture
def house(settings: Settings, database: Database, log: Sequencer) -> Flask:
    app = bare_app(settings, database)
    app.extensions["postern-api"].register_blueprint(log_api.blueprint)
    app.extensions["caller"] = member()
    return app


@pytest.fixture
def reader(house: Flask) -> FlaskClient:
    return house.test_client()


def _checkpoint(reader: FlaskClient) -> Checkpoint:
    return open_checkpoint(reader.get("/audit/log/checkpoint").data, [KEY.verifier])[0]


def test_who_has_only_the_paths_recomputes_the_root(reader: FlaskClient) -> None:
    signed = _checkpoint(reader)
    leaves = parse_bundle(reader.get("/audit/log/tile/entries/000").data, 256)
    leaves += parse_bundle(reader.get("/audit/log/tile/entries/001.p/4").data, 4)
    assert signed.size == ENTRIES
    assert root_of(map(leaf_hash, leaves)) == signed.root


def test_who_has_only_the_paths_makes_and_checks_a_proof(reader: FlaskClient) -> None:
    signed = _checkpoint(reader)
    proof = inclusion_proof(
        lambda tile: reader.get(f"/audit/log/{tile.path}").data, 258, signed.size
    )
    leaf = parse_bundle(reader.get("/audit/log/tile/entries/001.p/4").data, 4)[2]
    verify_inclusion(258, signed.size, leaf_hash(leaf), proof, signed.root)


def test_reading_the_log_itself_leaves_no_entry(reader: FlaskClient, database: Database) -> None:
    before = count_entries(database)
    for path in ("checkpoint", "checkpoint/260", "tile/0/000", "tile/1/000.p/1"):
        response = reader.get(f"/audit/log/{path}")
        assert response.status_code == 200
        assert "Postern-Receipt" not in response.headers
    assert count_entries(database) == before


def test_a_stranger_reads_nothing(house: Flask, reader: FlaskClient) -> None:
    house.extensions["caller"] = None
    for path in ("checkpoint", "checkpoint/260", "tile/0/000", "tile/entries/000"):
        response = reader.get(f"/audit/log/{path}")
        assert response.status_code == 401
        assert response.get_json()["code"] == "sign-in-needed"


@pytest.mark.parametrize(
    "path",
    [
        "checkpoint/259",
        "checkpoint/99999999999999999999",
        "tile/0/001.p/5",
        "tile/0/001",
        "tile/0/002.p/1",
        "tile/1/000.p/2",
        "tile/2/000.p/1",
        "tile/entries/001.p/5",
        "tile/0/000.p/256",
        "tile/0/0",
        "tile/x/000",
        "tile/0/999999",
        "tile/64/000",
        "tile/..%2fcheckpoint",
    ],
)
def test_what_the_log_does_not_have_is_not_there(reader: FlaskClient, path: str) -> None:
    assert reader.get(f"/audit/log/{path}").status_code == 404


def test_before_the_first_checkpoint_there_is_none(settings: Settings, database: Database) -> None:
    app = bare_app(settings, database)
    app.extensions["postern-api"].register_blueprint(log_api.blueprint)
    app.extensions["caller"] = member()
    assert app.test_client().get("/audit/log/checkpoint").status_code == 404


def test_tiles_may_be_kept_and_checkpoints_may_not(reader: FlaskClient) -> None:
    assert "immutable" in reader.get("/audit/log/tile/0/000").headers["Cache-Control"]
    assert reader.get("/audit/log/checkpoint").headers["Cache-Control"] == "private, no-cache"
