"""Reading the policy of one's own organisation through the interface."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.access import CONSOLE
from app.sharing import service
from postern.vocabulary import Role, Scope, Sector
from tests.app.people import bearer, make_organisation, make_person, runtime_of, sign_in
from tests.app.sharing.world import EVERYTHING_TO_POLICE

ADDRESS = "/api/v1/policies/current"


@pytest.fixture(autouse=True)
def policies(app: Flask) -> None:
    database = runtime_of(app).database
    make_organisation(database, "post-be")
    make_organisation(database, "police-de", Sector.POLICE, "DE")
    with database.transaction() as session:
        service.publish(session, CONSOLE, "post-be", EVERYTHING_TO_POLICE)


@pytest.mark.parametrize("role", [Role.POLICY_OWNER, Role.COMPLIANCE])
def test_who_answers_for_the_policy_reads_its_text(
    app: Flask, client: FlaskClient, role: Role
) -> None:
    sign_in(client, make_person(app, "post-be", [role]))
    answer = client.get(ADDRESS)
    assert answer.status_code == 200
    body = answer.get_json()
    assert body.keys() == {"organisation", "version", "valid_from", "text", "policies"}
    assert (body["organisation"], body["version"]) == ("post-be", 1)
    assert body["text"] == EVERYTHING_TO_POLICE
    assert body["policies"] == [
        {"id": "post-be/all-to-police", "label": "Police see everything", "line": 2}
    ]


def test_another_organisation_reads_its_own_and_nothing_else(
    app: Flask, client: FlaskClient
) -> None:
    sign_in(client, make_person(app, "police-de", [Role.POLICY_OWNER]))
    assert client.get(ADDRESS).get_json() == {
        "organisation": "police-de",
        "version": 0,
        "valid_from": None,
        "text": "",
        "policies": [],
    }


def test_other_roles_and_api_tokens_are_refused(app: Flask, client: FlaskClient) -> None:
    sign_in(client, make_person(app, "post-be", [Role.ANALYST, Role.ADMINISTRATOR]))
    assert client.get(ADDRESS).status_code == 403
    owner = make_person(app, "post-be", [Role.POLICY_OWNER, Role.COMPLIANCE, Role.ANALYST])
    headers = bearer(app, owner, [Scope.AUDIT_READ])
    assert app.test_client().get(ADDRESS, headers=headers).status_code == 403
    assert app.test_client().get(ADDRESS).status_code == 401
