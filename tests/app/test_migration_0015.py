"""Revision 0015 and back: what no older program knows is not lost by it, and all else stays."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import inspect, text

from app.__main__ import migrate
from app.config import Settings
from app.pseudonyms.rotation_models import RotationState
from tests.app.exchange import OPEN_TO_POLICE, make_exchange
from tests.app.indicators.rotation_house import Rotating, party, with_own_secrets

TABLES = {
    "key_sharing",
    "held_share",
    "holder_member",
    "holder_request",
    "key_rotation",
    "key_rotation_chunk",
}
KEPT = ("indicator", "token", "element_vault", "key_epoch", "organisation")


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return with_own_secrets(settings, tmp_path)


@pytest.fixture
def house(app: Flask) -> Rotating:
    made = Rotating(make_exchange(app))
    made.exchange.publish("post-be", OPEN_TO_POLICE)
    made.submit("k0", party(0))
    return made


def count(house: Rotating, table: str) -> int:
    with house.exchange.database.engine.connect() as connection:
        found: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - names of this file
        return found


def columns(house: Rotating) -> set[str]:
    return {
        each["name"] for each in inspect(house.exchange.database.engine).get_columns("indicator")
    }


def test_the_way_back_and_forth_keeps_everything_that_older_programs_know(
    house: Rotating, settings: Settings
) -> None:
    organisation = house.exchange.organisation_id("post-be")
    with house.exchange.database.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO holder_request (organisation_id, request_id, kept_until)"
                " VALUES (:organisation, :request, '2026-01-01 00:00:00')"
            ),
            {"organisation": organisation, "request": bytes(16)},
        )
    before = {table: count(house, table) for table in KEPT}
    assert min(before.values()) > 0
    migrate(settings, "0014", down=True)
    assert not TABLES & set(inspect(house.exchange.database.engine).get_table_names())
    assert "also_epoch" not in columns(house)
    assert {table: count(house, table) for table in KEPT} == before
    migrate(settings)
    assert {table: count(house, table) for table in TABLES} == dict.fromkeys(TABLES, 0)
    assert "also_epoch" in columns(house)
    assert {table: count(house, table) for table in KEPT} == before
    house.find(1)


@pytest.mark.parametrize("state", [RotationState.MOVING, RotationState.DONE], ids=str)
def test_there_is_no_way_back_past_a_rotation(
    house: Rotating, settings: Settings, state: RotationState
) -> None:
    house.begin()
    house.until(state)
    before = {table: count(house, table) for table in (*KEPT, *TABLES)}
    with pytest.raises(RuntimeError, match="Restore the backup"):
        migrate(settings, "0014", down=True)
    assert {table: count(house, table) for table in (*KEPT, *TABLES)} == before
    migrate(settings)  # PostgreSQL has gone back, step by step, as far as there was a way
    house.find(house.epoch)
    house.until(RotationState.DONE)
    house.find(2)


@pytest.mark.parametrize("table", ["key_sharing", "held_share"])
def test_there_is_no_way_back_while_keys_are_shared(
    house: Rotating, settings: Settings, table: str
) -> None:
    rows = {
        "key_sharing": (
            "INSERT INTO key_sharing (kind, epoch, platform_key, commitments, holders)"
            " VALUES ('phone', 1, :bytes, :bytes, '[]')"
        ),
        "held_share": (
            "INSERT INTO held_share (kind, epoch, number, commitments, sealed, installed_at)"
            " VALUES ('phone', 1, 1, :bytes, :bytes, '2026-01-01 00:00:00')"
        ),
    }
    with house.exchange.database.engine.begin() as connection:
        connection.execute(text(rows[table]), {"bytes": bytes(32)})
    with pytest.raises(RuntimeError, match="Restore the backup"):
        migrate(settings, "0014", down=True)
    assert count(house, table) == 1
