"""The directory, as members see it."""

from flask import Flask
from flask.testing import FlaskClient

from app.access import CONSOLE
from app.database import Database
from app.organisations import service
from app.organisations.models import OrganisationStatus
from postern.vocabulary import Role, Scope, Sector
from tests.app.people import bearer, make_organisation, make_person, sign_in

DIRECTORY = "/api/v1/organisations"


def test_the_directory_shows_active_members_to_any_role(
    app: Flask, client: FlaskClient, database: Database
) -> None:
    make_organisation(database, "post-be")
    make_organisation(database, "courier-fr", Sector.COURIER, "FR")
    make_organisation(database, "customs-nl", Sector.CUSTOMS, "NL")
    with database.transaction() as session:
        service.set_status(session, CONSOLE, "courier-fr", OrganisationStatus.SUSPENDED)
    sign_in(client, make_person(app, "post-be"))
    answer = client.get(DIRECTORY)
    assert answer.status_code == 200
    assert answer.get_json() == {
        "organisations": [
            {
                "code": "customs-nl",
                "name": "Organisation customs-nl",
                "sector": "customs",
                "country": "NL",
            },
            {"code": "post-be", "name": "Organisation post-be", "sector": "post", "country": "BE"},
        ]
    }


def test_an_api_token_of_any_scope_reads_the_directory(
    app: Flask, client: FlaskClient, database: Database
) -> None:
    make_organisation(database, "post-be")
    person = make_person(app, "post-be", [Role.COMPLIANCE])
    answer = client.get(DIRECTORY, headers=bearer(app, person, [Scope.AUDIT_READ]))
    assert answer.status_code == 200
    assert [member["code"] for member in answer.get_json()["organisations"]] == ["post-be"]


def test_a_stranger_is_told_to_sign_in_and_how(client: FlaskClient) -> None:
    answer = client.get(DIRECTORY)
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
