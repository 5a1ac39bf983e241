"""The administrator's commands for witnesses and alarms."""

import json

import pytest
from click.testing import Result
from flask import Flask

from app.audit.alarms import open_alarms, raise_alarm
from app.audit.models import AlarmKind
from postern.tlog.notes import KIND_COSIGNATURE, SigningKey
from tests.app.people import make_organisation, runtime_of

KEY = str(SigningKey("post.example/witness", b"k" * 32, KIND_COSIGNATURE).verifier)


@pytest.fixture
def house(app: Flask) -> Flask:
    make_organisation(runtime_of(app).database, "post-be")
    return app


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["audit", *arguments])


def test_a_witness_is_added_listed_and_ended(house: Flask) -> None:
    assert "No witness" in run(house, "witness", "list").output
    added = run(house, "witness", "add", "post-be", KEY, "--address", "https://witness.example")
    assert added.exit_code == 0, added.output
    (told,) = json.loads(run(house, "witness", "list", "--json").output)
    assert (told["organisation"], told["state"], told["key"], told["address"]) == (
        "post-be",
        "never",
        KEY,
        "https://witness.example",
    )
    assert run(house, "witness", "end", KEY).exit_code == 0
    (told,) = json.loads(run(house, "witness", "list", "--json").output)
    assert told["state"] == "ended"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobody-at-all", KEY), "organisations list"),
        (("post-be", "no key"), "NAME+ID+KEY"),
        (("post-be", KEY, "--address", "witness.example"), "https://HOST/PATH"),
    ],
)
def test_what_cannot_be_a_witness_is_refused_with_the_remedy(
    house: Flask, arguments: tuple[str, ...], said: str
) -> None:
    refused = run(house, "witness", "add", *arguments)
    assert refused.exit_code == 1
    assert said in refused.output


def test_an_alarm_is_listed_and_closed_after_a_question(house: Flask) -> None:
    database = runtime_of(house).database
    assert "No alarm is open" in run(house, "alarms").output
    with database.transaction() as session:
        raise_alarm(session, AlarmKind.ROLLBACK, "It shrank.")
    (told,) = json.loads(run(house, "alarms", "--json").output)
    assert (told["alarm"], told["reason"]) == ("rollback", "It shrank.")
    number = str(told["number"])
    assert run(house, "close-alarm", number).exit_code == 1  # nobody said yes
    assert run(house, "close-alarm", number, "--yes").exit_code == 0
    with database.reading() as session:
        assert open_alarms(session) == []
    assert run(house, "close-alarm", number, "--yes").exit_code == 1
