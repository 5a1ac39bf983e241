"""Who may do what: every route, for every role, by session and by token.

EXPECTED is written by hand and is the specification; a route that it does not name fails.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask, url_for
from sqlalchemy import delete
from werkzeug.routing import Rule

from app import create_app
from app.accounts.models import RoleGrant
from postern.vocabulary import Role, Scope, Sector
from tests.app.people import (
    Person,
    bearer,
    cross_site_headers,
    make_organisation,
    make_person,
    runtime_of,
)
from tests.app.people import sign_in as sign_in_as
from tests.conftest import settings_for

EVERYBODY = frozenset(Role)
NOBODY_BY_TOKEN = "no token"
ANY_TOKEN = "any token"


@dataclass(frozen=True)
class Open:
    """Needs no sign-in."""


@dataclass(frozen=True)
class Needs:
    """One of `roles`, by session; by token the scope too, or any token, or none."""

    roles: frozenset[Role]
    token: Scope | str = NOBODY_BY_TOKEN


def needs(*roles: Role, token: Scope | str = NOBODY_BY_TOKEN) -> Needs:
    return Needs(frozenset(roles), token)


OWN_READERS = (Role.SUBMITTER, Role.ANALYST, Role.APPROVER, Role.COMPLIANCE)

EXPECTED: dict[tuple[str, str], Open | Needs] = {
    ("account.create_token", "POST"): Needs(EVERYBODY),
    ("account.list_tokens", "GET"): Needs(EVERYBODY),
    ("account.read_me", "GET"): Needs(EVERYBODY, ANY_TOKEN),
    ("account.revoke_token", "DELETE"): Needs(EVERYBODY),
    ("accounts.account", "GET"): Needs(EVERYBODY),
    ("accounts.change_password", "POST"): Needs(EVERYBODY),
    ("accounts.create_token", "POST"): Needs(EVERYBODY),
    ("accounts.end_other_sessions", "POST"): Needs(EVERYBODY),
    ("accounts.revoke_token", "POST"): Needs(EVERYBODY),
    ("accounts.show_sign_in", "GET"): Open(),
    ("accounts.sign_in", "POST"): Open(),
    ("accounts.sign_out", "POST"): Needs(EVERYBODY),
    ("audit.read", "GET"): needs(Role.COMPLIANCE, token=Scope.AUDIT_READ),
    ("compliance.access_log", "GET"): needs(Role.COMPLIANCE),
    ("interface.docs", "GET"): Open(),
    ("interface.explain_error", "GET"): Open(),
    ("interface.openapi", "GET"): Open(),
    ("live", "GET"): Open(),
    ("lookups.ask", "POST"): needs(Role.ANALYST, token=Scope.LOOKUPS_WRITE),
    ("lookups.list_own", "GET"): needs(Role.ANALYST, Role.COMPLIANCE, token=Scope.LOOKUPS_WRITE),
    ("organisations.list_organisations", "GET"): Needs(EVERYBODY, ANY_TOKEN),
    ("policies.read_current", "GET"): needs(Role.COMPLIANCE, Role.POLICY_OWNER),
    ("pseudonyms.evaluate", "POST"): needs(Role.SUBMITTER, Role.ANALYST, token=Scope.EVALUATE),
    ("pseudonyms.keys", "GET"): Open(),
    ("ready", "GET"): Open(),
    ("reports.list_own", "GET"): needs(*OWN_READERS, token=Scope.REPORTS_READ),
    ("reports.read_own", "GET"): needs(*OWN_READERS, token=Scope.REPORTS_READ),
    ("reports.submit", "POST"): needs(Role.SUBMITTER, token=Scope.REPORTS_WRITE),
    ("reports.withdraw", "POST"): needs(Role.SUBMITTER, token=Scope.REPORTS_WRITE),
    ("web.choose_language", "POST"): Open(),
    ("web.home", "GET"): Needs(EVERYBODY),
}

PROTECTED = {key: needed for key, needed in EXPECTED.items() if isinstance(needed, Needs)}
BY_ROLE = [
    pytest.param(*key, role, id=f"{key[0]} {key[1]} {role.value}")
    for key in PROTECTED
    for role in Role
]
BY_ROUTE = [pytest.param(*key, id=" ".join(key)) for key in PROTECTED]
BY_TOKEN = [
    pytest.param(*key, id=" ".join(key))
    for key, needed in PROTECTED.items()
    if needed.token != NOBODY_BY_TOKEN
]


@dataclass
class House:
    """One platform for all tests here, with a person of each role and one of all roles."""

    app: Flask
    by_role: dict[Role, Person]
    of_all_roles: Person
    of_no_role: Person


@pytest.fixture(scope="module")
def house(
    sqlite_template: Path, secrets_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    # Roles and scopes are asked before the database is, so one engine is enough.
    copy = tmp_path_factory.mktemp("matrix") / "postern.sqlite3"
    shutil.copyfile(sqlite_template, copy)
    app = create_app(settings_for(f"sqlite:///{copy}", secrets_directory))
    database = app.extensions["postern"].database
    make_organisation(database, "customs-nl", Sector.CUSTOMS, "NL")
    yield House(
        app,
        {role: make_person(app, "customs-nl", [role]) for role in Role},
        make_person(app, "customs-nl", list(Role)),
        make_person(app, "customs-nl", []),
    )
    database.dispose()


def test_every_route_has_an_expectation_and_every_expectation_a_route(house: House) -> None:
    assert routes(house.app).keys() == EXPECTED.keys()


@pytest.mark.parametrize(("endpoint", "method", "role"), BY_ROLE)
def test_a_session_may_do_what_its_role_may_and_nothing_else(
    house: House, endpoint: str, method: str, role: Role
) -> None:
    expected = PROTECTED[endpoint, method]
    status = ask_by_session(house, house.by_role[role], endpoint, method)
    assert (status != 403) == (role in expected.roles)
    assert status not in (400, 401, 500)


@pytest.mark.parametrize(("endpoint", "method"), BY_ROUTE)
def test_a_person_without_a_role_may_do_only_what_everybody_may(
    house: House, endpoint: str, method: str
) -> None:
    expected = PROTECTED[endpoint, method]
    status = ask_by_session(house, house.of_no_role, endpoint, method)
    assert (status != 403) == (expected.roles == EVERYBODY)


@pytest.mark.parametrize(("endpoint", "method"), BY_ROUTE)
def test_a_stranger_is_turned_away(house: House, endpoint: str, method: str) -> None:
    client = house.app.test_client()
    response = client.open(
        address(house.app, endpoint), method=method, headers=cross_site_headers(client)
    )
    is_page = not response.request.path.startswith("/api/")
    invited = response.status_code in (302, 303) and "/sign-in" in response.headers["Location"]
    assert response.status_code == 401 or (is_page and invited)


@pytest.mark.parametrize(("endpoint", "method"), BY_TOKEN)
def test_a_token_may_do_what_its_scope_says_and_nothing_else(
    house: House, endpoint: str, method: str
) -> None:
    expected = PROTECTED[endpoint, method]
    for scope in Scope:
        status = ask_by_token(house, [scope], endpoint, method)
        is_allowed = expected.token in (ANY_TOKEN, scope)
        assert (status != 403) == is_allowed, scope
        assert status not in (401, 500), scope


@pytest.mark.parametrize(("endpoint", "method"), BY_TOKEN)
def test_a_token_whose_person_lost_the_role_is_refused(
    house: House, endpoint: str, method: str
) -> None:
    expected = PROTECTED[endpoint, method]
    if expected.token == ANY_TOKEN:
        assert expected.roles == EVERYBODY  # there is no role to lose
        return
    person = make_person(house.app, "customs-nl", list(Role))
    headers = bearer(house.app, person, list(Scope))
    with house.app.app_context(), runtime_of(house.app).database.transaction() as session:
        for role in expected.roles:
            session.execute(
                delete(RoleGrant).where(
                    RoleGrant.person_id == person.person_id, RoleGrant.role == role
                )
            )
    status = (
        house.app.test_client()
        .open(address(house.app, endpoint), method=method, headers=headers)
        .status_code
    )
    assert status == 403


def test_no_token_opens_what_only_a_session_may(house: House) -> None:
    for (endpoint, method), expected in PROTECTED.items():
        if expected.token == NOBODY_BY_TOKEN:
            status = ask_by_token(house, list(Scope), endpoint, method)
            assert status == 403, (endpoint, method)


def test_what_is_open_needs_no_sign_in(house: House) -> None:
    for (endpoint, method), expected in EXPECTED.items():
        if isinstance(expected, Open):
            client = house.app.test_client()
            response = client.open(
                address(house.app, endpoint), method=method, headers=cross_site_headers(client)
            )
            assert response.status_code in (200, 404, 422), (endpoint, method)


def routes(app: Flask) -> dict[tuple[str, str], Rule]:
    return {
        (rule.endpoint, method): rule
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }


def address(app: Flask, endpoint: str) -> str:
    """The path of the endpoint, with values of the right type that name nothing."""
    rule = next(app.url_map.iter_rules(endpoint))
    values = {
        name: UUID(int=1) if type(converter).__name__ == "UUIDConverter" else "nothing"
        for name, converter in rule._converters.items()
    }
    with app.test_request_context():
        return url_for(endpoint, **values)


def ask_by_session(house: House, person: Person, endpoint: str, method: str) -> int:
    client = house.app.test_client()
    headers = sign_in_as(client, person)
    return client.open(address(house.app, endpoint), method=method, headers=headers).status_code


def ask_by_token(house: House, scopes: list[Scope], endpoint: str, method: str) -> int:
    headers = bearer(house.app, house.of_all_roles, scopes)
    client = house.app.test_client()
    return client.open(address(house.app, endpoint), method=method, headers=headers).status_code
