"""A stored policy that a later release no longer accepts: it denies, and it alarms."""

import hashlib
import json
from datetime import timedelta

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import insert

from app import clock
from app.access import CONSOLE
from app.audit.reading import Filters, ReadEntry, entries
from app.database import Database
from app.jobs.service import Performed, run_due
from app.sharing import grants, policy_text, service, stored, versions
from app.sharing.models import Cause, PolicyVersion
from app.sharing.stored import KnownValid
from postern.vocabulary import Role
from tests.app.people import make_organisation, make_person, runtime_of, sign_in
from tests.app.sharing.world import EVERYTHING_TO_POLICE, World, token_of, trio

OF_OLD = """
@id("post-be/by-colour") @label("What an older release could ask for")
permit (principal, action, resource) when { resource.colour == "green" };
"""


@pytest.fixture
def world(database: Database) -> World:
    made = trio(database)
    made.publish("customs-nl", "")
    return made


def store(
    database: Database, organisation_id: int, *, seq: int = 1, ahead: timedelta = timedelta(0)
) -> None:
    """A version as an older release, whose schema knew more, has left it."""
    with database.transaction() as session:
        session.execute(
            insert(PolicyVersion).values(
                organisation_id=organisation_id,
                seq=seq,
                text=OF_OLD,
                sha256=hashlib.sha256(OF_OLD.encode()).digest(),
                valid_from=clock.now() + ahead,
                created_at=clock.now(),
                cause=Cause.CONSOLE,
            )
        )


def alarm(world: World, known: KnownValid | None = None) -> int:
    with world.database.transaction() as session:
        return stored.alarm(session, clock.now(), known or KnownValid())


def alarms(database: Database, organisation: str) -> list[ReadEntry]:
    with database.reading() as session:
        return list(entries(session, organisation, Filters(act="policy.invalid")).entries)


def test_it_shares_nothing_whatever_it_once_permitted(world: World) -> None:
    store(world.database, world.ids["post-be"])
    world.indicator("post-be", token=token_of(1))
    assert world.level(world.profile("police-de"), token_of(1)) == 0
    assert world.level(world.profile("post-be"), token_of(1)) == 3


def test_its_organisation_is_told_once_and_no_other(world: World) -> None:
    store(world.database, world.ids["post-be"])
    store(world.database, world.ids["post-be"], seq=2, ahead=timedelta(days=1))
    assert [alarm(world), alarm(world)] == [2, 2]
    waiting, told = alarms(world.database, "post-be")
    assert waiting.details["objects"] == ["post-be/2"]
    assert told.details["objects"] == ["post-be/1"]
    assert told.details["policies"] == ["post-be/by-colour"]
    assert told.details["rules"] == grants.rules()
    assert json.loads(told.record)["obj"] == "policy"
    assert alarms(world.database, "customs-nl") == []


def test_what_was_told_is_found_behind_whatever_else_was_told_since(world: World) -> None:
    store(world.database, world.ids["post-be"])
    alarm(world)
    with world.database.transaction() as session:
        stored.read_invalid(session, CONSOLE)
    alarm(world)
    assert len(alarms(world.database, "post-be")) == 1


def test_it_is_told_again_after_the_next_change_of_the_rules(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(world.database, world.ids["post-be"])
    alarm(world)
    with monkeypatch.context() as patch:
        patch.setattr(grants, "rules", lambda: "later rules")
        alarm(world)
    alarm(world)  # the release was taken back
    rules = [entry.details["rules"] for entry in alarms(world.database, "post-be")]
    assert rules == [grants.rules(), "later rules", grants.rules()]


def test_the_service_log_has_an_error_each_time(
    world: World, capsys: pytest.CaptureFixture[str], app: Flask
) -> None:
    store(world.database, world.ids["post-be"])
    for _ in range(2):
        alarm(world)
        line = json.loads(capsys.readouterr().err.splitlines()[-1])
        assert (line["level"], line["policy"]) == ("error", "post-be/1")
        assert line["event"] == "a stored policy is no longer valid and shares nothing"


def test_one_that_waits_for_its_time_is_told_before_it(world: World) -> None:
    world.publish("post-be", EVERYTHING_TO_POLICE)
    store(world.database, world.ids["post-be"], seq=2, ahead=timedelta(days=1))
    with world.database.reading() as session:
        (found,) = stored.invalid_versions(session, clock.now())
    assert (found.name, found.is_in_force) == ("post-be/2", False)
    assert found.faults[0].policy == "post-be/by-colour"


def test_one_that_waits_behind_nothing_or_what_is_known_to_be_valid_is_told(world: World) -> None:
    world.publish("post-be", EVERYTHING_TO_POLICE)
    store(world.database, world.ids["post-be"], seq=2, ahead=timedelta(days=1))
    store(world.database, world.ids["police-de"], ahead=timedelta(days=1))
    known = KnownValid()
    assert [alarm(world, known), alarm(world, known)] == [2, 2]


def test_they_are_listed_by_organisation_and_number_and_told_to_each(world: World) -> None:
    store(world.database, world.ids["post-be"])
    store(world.database, world.ids["customs-nl"], seq=2)
    store(world.database, world.ids["customs-nl"], seq=3, ahead=timedelta(days=1))
    with world.database.transaction() as session:
        found = stored.read_invalid(session, CONSOLE)
    assert [(each.name, each.is_in_force) for each in found] == [
        ("customs-nl/2", True),
        ("customs-nl/3", False),
        ("post-be/1", True),
    ]
    with world.database.reading() as session:
        told = entries(session, "customs-nl", Filters(act="policy.read")).entries
    assert [each.details["objects"] for each in told] == [["customs-nl/3"], ["customs-nl/2"]]
    assert {json.loads(each.record)["obj"] for each in told} == {"policy"}


def test_one_that_is_past_or_cancelled_alarms_nobody(world: World) -> None:
    store(world.database, world.ids["post-be"])
    world.publish("post-be", "")
    store(world.database, world.ids["post-be"], seq=3, ahead=timedelta(days=1))
    with world.database.transaction() as session:
        versions.cancel(session, CONSOLE, world.ids["post-be"], 3)
    assert alarm(world) == 0
    assert alarms(world.database, "post-be") == []


def test_what_was_found_valid_is_not_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(world.database, world.ids["post-be"])
    known = KnownValid()
    asked: list[str] = []

    def counting(text: str) -> object:
        asked.append(text)
        return policy_text.read(text)

    monkeypatch.setattr(stored, "read", counting)
    assert [alarm(world, known), alarm(world, known)] == [1, 1]
    assert [asked.count(""), asked.count(OF_OLD)] == [1, 2]


def test_it_is_corrected_by_a_new_version(world: World) -> None:
    store(world.database, world.ids["post-be"])
    with world.database.reading() as session:
        held = versions.in_force(session, world.ids["post-be"], clock.now())
    assert held is not None
    assert (held.is_valid, held.policies) == (False, ())
    world.publish("post-be", EVERYTHING_TO_POLICE)
    assert alarm(world) == 0


def test_the_worker_raises_the_alarm_with_its_first_round(app: Flask) -> None:
    database = runtime_of(app).database
    store(database, make_organisation(database, "post-be"))
    with app.app_context():
        performed = list(run_due(runtime_of(app)))
    assert Performed("sharing.check_stored", 1) in performed
    assert Performed("sharing.discard_stale", 0) in performed
    assert len(alarms(database, "post-be")) == 1


def test_the_platform_stays_ready_and_the_owner_reads_that_it_is_invalid(app: Flask) -> None:
    database = runtime_of(app).database
    store(database, make_organisation(database, "post-be"))
    client = app.test_client()
    assert client.get("/health/ready").get_json() == {"status": "ok"}
    sign_in(client, make_person(app, "post-be", [Role.POLICY_OWNER]))
    current = client.get("/api/v1/policies/current").get_json()
    assert (current["is_valid"], current["policies"], current["text"]) == (False, [], OF_OLD)
    (version,) = client.get("/api/v1/policies/versions").get_json()["versions"]
    assert (version["is_valid"], version["state"]) == (False, "in_force")


def test_the_console_lists_them_and_fails(app: Flask) -> None:
    database = runtime_of(app).database
    organisation_id = make_organisation(database, "post-be")
    assert run(app, "check-stored").output == "Every stored policy is valid.\n"
    store(database, organisation_id)
    answer = run(app, "check-stored", "--json")
    assert answer.exit_code == 1
    (row,) = json.loads(answer.stdout)
    assert (row["policy"], row["state"], row["line"]) == ("post-be/1", "in_force", 2)
    assert "colour" in row["reason"]
    with database.reading() as session:
        (told,) = entries(session, "post-be", Filters(act="policy.read")).entries
    assert told.details["objects"] == ["post-be/1"]
    shown = run(app, "show", "post-be").output
    assert "// It is no longer valid and shares nothing until it is corrected.\n" in shown


def test_going_back_to_it_makes_a_draft_that_tells_its_faults(app: Flask) -> None:
    database = runtime_of(app).database
    store(database, make_organisation(database, "post-be"))
    with database.transaction() as session:
        service.publish(session, CONSOLE, "post-be", "")
    client = app.test_client()
    headers = sign_in(client, make_person(app, "post-be", [Role.POLICY_OWNER]))
    draft = client.post("/api/v1/policies/versions/1/draft", headers=headers).get_json()
    assert draft["text"] == OF_OLD
    assert draft["check"]["faults"][0]["policy"] == "post-be/by-colour"


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["policies", *words])
