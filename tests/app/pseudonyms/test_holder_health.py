"""What a holder's operator is told: well, or what is wrong and what to do."""

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app import clock
from app.database import Database
from app.pseudonyms import holder_health
from app.secret_files import Sealer
from postern import group
from postern.vocabulary import EvaluationKind
from tests.app.people import runtime_of
from tests.app.pseudonyms.test_holders import asked, body_of, elements, send, signed_by
from tests.app.pseudonyms.test_holders import holder as holder  # noqa: PLC0414 - a fixture


def status(holder: Flask) -> tuple[int, list[dict[str, Any]]]:
    told = holder.test_cli_runner().invoke(args=["holder", "status", "--json"])
    return told.exit_code, json.loads(told.stdout)


def wrong(holder: Flask) -> list[str]:
    code, rows = status(holder)
    found = [f"{each['found']} {each['what to do']}" for each in rows if each["state"] != "well"]
    assert code == (1 if found else 0)
    return found


def ready(holder: Flask) -> int:
    return int(holder.test_client().get("/health/ready").status_code)


def reseal(database: Database, share: bytes, key: bytes) -> None:
    sealed = Sealer(key).seal(share, b"postern/held-share/v1/postal/1")
    with database.engine.begin() as connection:
        connection.execute(
            text("UPDATE held_share SET sealed = :sealed WHERE kind = 'postal'"),
            {"sealed": sealed},
        )


def test_a_holder_that_is_well_says_what_it_holds(holder: Flask) -> None:
    question = asked(elements())
    assert send(holder, body_of(question, signed_by(question))).status_code == 200
    code, rows = status(holder)
    assert (code, ready(holder)) == (0, 200)
    said = [each["found"] for each in rows]
    for kind in EvaluationKind:
        assert f"{kind.value}/1, holder 2: it opens, and is what was committed to." in said
    assert "Admitted are police-be." in said
    assert {each["part"] for each in rows} == {
        *("database", "share", "members", "log", "clock", "disk")
    }
    assert "postal/1, holder 2" in holder.test_cli_runner().invoke(args=["holder", "status"]).output


def test_a_share_that_does_not_open_or_fit_is_told_and_the_holder_is_not_ready(
    holder: Flask,
) -> None:
    runtime = runtime_of(holder)
    reseal(runtime.database, group.random_scalar(), runtime.secrets.vault)
    (told,) = wrong(holder)
    assert "postal/1, holder 2: it is not what was committed to. Stop this holder" in told
    assert ready(holder) == 200  # its parts are refused by who gets them, and it is named
    reseal(runtime.database, group.random_scalar(), bytes(32))
    (told,) = wrong(holder)
    assert "postal/1, holder 2: it does not open. Restore vault.key" in told
    assert ready(holder) == 503


def test_a_clock_that_went_back_and_a_log_that_stands_still_are_told(
    holder: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = asked(elements())
    assert send(holder, body_of(question, signed_by(question))).status_code == 200
    real = clock.now
    monkeypatch.setattr(holder_health, "now", lambda: real() - timedelta(minutes=2))
    (told,) = wrong(holder)
    assert "newest entry clock. Set it by a time server" in told
    monkeypatch.setattr(holder_health, "now", lambda: real() + timedelta(minutes=20))
    assert any("wait for their place" in each for each in wrong(holder))


def test_a_new_holder_is_told_what_to_do_first(holder: Flask) -> None:
    with runtime_of(holder).database.engine.begin() as connection:
        for table in ("held_share", "holder_member"):
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - names of this file
    assert [each.rpartition(" ")[0].split(". ")[0] for each in wrong(holder)] == [
        "No share is held",
        "Nobody is admitted",
    ]
    assert ready(holder) == 200
