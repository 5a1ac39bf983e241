"""The page of background work: what fails, what is given up, and who may let it begin anew."""

import dataclasses
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from app import clock, create_app
from app.config import Settings
from app.database import Database
from app.jobs.models import JobState, Outbox
from app.jobs.outbox import put
from postern.vocabulary import Role, Sector
from tests.app.people import make_organisation, make_person, runtime_of, sign_in

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def dead(settings: Settings, database: Database) -> int:
    """One job that is dead and one that is tried again; police-de runs the platform."""
    make_organisation(database, "post-be")
    make_organisation(database, "police-de", Sector.POLICE, "DE")
    with database.transaction() as session:
        for key, state in (("a", JobState.DEAD), ("b", JobState.WAITING)):
            put(session, "watch.match", {}, key=key)
            session.execute(
                update(Outbox)
                .where(Outbox.key == key)
                .values(
                    state=state,
                    tries=3,
                    error="TimeoutError",
                    due_at=clock.now() + timedelta(hours=1),
                    ended_at=clock.now(),
                )
            )
        return session.scalars(select(Outbox.id).where(Outbox.key == "a")).one()


@pytest.fixture
def run_by_police(settings: Settings) -> Flask:
    audit = dataclasses.replace(settings.audit, operator="police-de")
    return create_app(dataclasses.replace(settings, audit=audit))


def test_who_runs_the_platform_lets_a_dead_job_begin_anew(
    run_by_police: Flask, database: Database, dead: int
) -> None:
    client = run_by_police.test_client()
    headers = sign_in(client, make_person(run_by_police, "police-de", [Role.ADMINISTRATOR]))
    page = client.get("/jobs").get_data(as_text=True)
    assert "Tried again after a failure" in page
    assert f"Begin job {dead} anew" in page
    answer = client.post("/jobs/retry", data={"job": dead}, headers=headers)
    assert (answer.status_code, answer.location) == (303, "/jobs?done=retried")
    with database.reading() as session:
        row = session.get_one(Outbox, dead)
        assert (row.state, row.tries, row.error) == (JobState.WAITING, 0, None)
    assert client.post("/jobs/retry", data={"job": dead}, headers=headers).status_code == 404
    runtime_of(run_by_police).database.dispose()


def test_nobody_else_does(run_by_police: Flask, database: Database, dead: int) -> None:
    client = run_by_police.test_client()
    headers = sign_in(client, make_person(run_by_police, "post-be", [Role.ADMINISTRATOR]))
    page = client.get("/jobs").get_data(as_text=True)
    assert f"jobs retry {dead}" in page
    assert "anew</button>" not in page
    assert client.post("/jobs/retry", data={"job": dead}, headers=headers).status_code == 404
    with database.reading() as session:
        assert session.get_one(Outbox, dead).state is JobState.DEAD
    runtime_of(run_by_police).database.dispose()
