"""The page of the exchange's members, for administrators and compliance officers."""

import dataclasses

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.access import CONSOLE
from app.config import Settings
from app.database import Database
from app.organisations import service
from app.organisations.directory_pages import list_members
from app.organisations.models import OrganisationStatus
from postern.vocabulary import Role, Sector
from tests.app.people import make_organisation, make_person, runtime_of, sign_in

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_every_member_is_listed_with_what_others_must_know(
    app: Flask, client: FlaskClient, database: Database
) -> None:
    make_organisation(database, "post-be")
    make_organisation(database, "police-de", Sector.POLICE, "DE")
    with app.app_context(), database.transaction() as session:
        service.join(session, CONSOLE, "police-de", "task-force")
        service.set_status(session, CONSOLE, "police-de", OrganisationStatus.SUSPENDED)
    sign_in(client, make_person(app, "post-be", [Role.ADMINISTRATOR]))
    page = client.get("/organisations").get_data(as_text=True)
    assert page.index("Organisation police-de") < page.rindex("Organisation post-be")
    for told in ("task-force", "suspended", "none published", "<code>post-be</code>"):
        assert told in page


def test_the_member_that_runs_the_platform_is_marked(
    settings: Settings, database: Database
) -> None:
    make_organisation(database, "post-be")
    make_organisation(database, "police-de", Sector.POLICE, "DE")
    audit = dataclasses.replace(settings.audit, operator="police-de")
    app = create_app(dataclasses.replace(settings, audit=audit))
    person = make_person(app, "post-be", [Role.ADMINISTRATOR])
    with app.app_context(), database.transaction() as session:
        listed = {each.member.code: each for each in list_members(session, person.caller)}
    runtime_of(app).database.dispose()
    assert [code for code, each in listed.items() if each.is_operator] == ["police-de"]
    assert [code for code, each in listed.items() if each.is_own] == ["post-be"]
    assert listed["post-be"].keys_at is None
