"""An organisation's administrator keeps its people: and gains nothing by it unseen."""

import re
from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.accounts import people
from app.accounts.models import AccountStatus, PersonAccount, RoleGrant, RoleProposal
from app.database import Database
from app.jobs.models import Notification
from app.jobs.service import run_due
from postern.vocabulary import Role, Scope
from tests.app.accounts.conftest import MovingClock, log_of
from tests.app.accounts.test_sign_in import post_form
from tests.app.people import (
    Person,
    bearer,
    cross_site_headers,
    make_organisation,
    make_person,
    runtime_of,
    sign_in,
)

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Of what does not depend on the database; whatever locks, ends or lapses is asked of both."""

ANALYST, COMPLIANCE, ADMINISTRATOR = "analyst", "compliance", "administrator"


@dataclass
class Desk:
    """One person at the pages of people."""

    person: Person
    client: FlaskClient
    headers: dict[str, str]

    def post(self, path: str, **form: object) -> TestResponse:
        return self.client.post(path, data=form, headers=self.headers)

    def page(self, path: str) -> str:
        return self.client.get(path).get_data(as_text=True)


@pytest.fixture
def administrator(app: Flask, post: str) -> Desk:
    return desk(app, post, Role.ADMINISTRATOR)


@pytest.fixture
def officer(app: Flask, post: str) -> Desk:
    return desk(app, post, Role.COMPLIANCE)


def desk(app: Flask, organisation: str, *roles: Role) -> Desk:
    person, client = make_person(app, organisation, roles), app.test_client()
    return Desk(person, client, sign_in(client, person))


def path_of(person: Person, *rest: str) -> str:
    return "/".join(["/people", str(person.caller.person), *rest])


def one_time(answer: TestResponse) -> str:
    found = re.search(r'<code class="fs-5">([^<]+)</code>', answer.get_data(as_text=True))
    assert found
    return found[1]


def held_by(database: Database, person_id: int) -> set[str]:
    with database.reading() as session:
        rows = session.scalars(select(RoleGrant.role).where(RoleGrant.person_id == person_id))
        return {role.value for role in rows}


def told(database: Database, role: Role = Role.COMPLIANCE) -> list[dict[str, object]]:
    with database.reading() as session:
        rows = session.scalars(
            select(Notification)
            .where(Notification.kind == "account.change", Notification.role == role)
            .order_by(Notification.id)
        )
        return [dict(row.facts) for row in rows]


def change(desk: Desk, person: Person, seen: list[str], wanted: list[str]) -> TestResponse:
    path = path_of(person, "roles")
    return desk.post(path, roles=wanted, seen=seen, confirmed="yes")


def test_a_new_person_chooses_a_password_of_their_own_before_anything_else(
    app: Flask, database: Database, administrator: Desk
) -> None:
    answer = administrator.post("/people", name="New one", login="new@post.example", roles=ANALYST)
    assert answer.status_code == 201
    password = one_time(answer)
    assert password not in administrator.page("/people")
    newcomer = app.test_client()
    assert post_form(newcomer, "new@post.example", password).status_code == 303
    assert newcomer.get("/watches").location == "/account"
    refused = newcomer.get("/api/v1/lookups")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "password-to-change")
    page = newcomer.get("/account").get_data(as_text=True)
    assert "Choose a password of your own first" in page
    assert "Make the token" not in page
    headers = cross_site_headers(newcomer)
    same = {"present": password, "new": password}
    assert newcomer.post("/account/password", data=same, headers=headers).status_code == 422
    own = {"present": password, "new": "entirely my own words"}
    assert newcomer.post("/account/password", data=own, headers=headers).status_code == 303
    assert newcomer.get("/watches").status_code == 200
    assert post_form(app.test_client(), "new@post.example", password).status_code == 422
    (created,) = log_of(database, "account.create")[-1:]
    assert created.details["roles"] == [ANALYST]
    assert told(database) == [{"change": "created", "granted": [ANALYST]}]


@on_one_database
def test_a_one_time_password_ends_after_a_week(
    app: Flask, database: Database, administrator: Desk, moving_clock: MovingClock
) -> None:
    answer = administrator.post("/people", name="New one", login="new@post.example", roles=ANALYST)
    moving_clock.move(days=7, seconds=1)
    password = one_time(answer)
    assert post_form(app.test_client(), "new@post.example", password).status_code == 422
    assert log_of(database, "session.refuse")[-1].details["refusal"] == "expired"


@on_one_database
def test_a_person_is_not_added_against_the_rules(administrator: Desk) -> None:
    form = {"name": "New one", "login": "new@post.example", "roles": ANALYST}
    for wrong, reason in (
        ({"login": "no address"}, "A sign-in name looks like"),
        ({"name": " "}, "A name has 1 to 200"),
        ({"roles": "king"}, ""),
    ):
        answer = administrator.post("/people", **form | wrong)
        assert answer.status_code == 422
        assert reason in answer.get_data(as_text=True)
    assert "new@post.example" not in administrator.page("/people")


@on_one_database
def test_a_sign_in_name_is_given_once_and_the_refusal_is_logged(
    database: Database, administrator: Desk
) -> None:
    form = {"name": "New one", "login": administrator.person.login, "roles": ANALYST}
    assert administrator.post("/people", **form).status_code == 409
    assert log_of(database, "account.create")[-1].details["refusal"] == "account-exists"


def test_the_difference_is_shown_before_roles_change(
    app: Flask, database: Database, post: str, administrator: Desk
) -> None:
    colleague = make_person(app, post, [Role.SUBMITTER])
    shown = administrator.post(path_of(colleague, "roles"), roles=ANALYST).get_data(as_text=True)
    assert re.search(r"granted</span> <strong>Analyst", shown)
    assert re.search(r"withdrawn</span> <strong>Submitter", shown)
    assert held_by(database, colleague.person_id) == {"submitter"}
    assert change(administrator, colleague, ["submitter"], [ANALYST]).status_code == 303
    assert held_by(database, colleague.person_id) == {ANALYST}
    assert told(database) == [{"change": "roles", "granted": [ANALYST], "withdrawn": ["submitter"]}]
    details = log_of(database, "account.role")[-1].details
    assert (details["granted"], details["withdrawn"]) == ([ANALYST], ["submitter"])


@on_one_database
def test_roles_that_somebody_changed_meanwhile_are_not_overwritten(
    app: Flask, database: Database, post: str, administrator: Desk
) -> None:
    colleague = make_person(app, post, [Role.SUBMITTER])
    answer = change(administrator, colleague, [], [ANALYST])
    assert answer.status_code == 409
    assert held_by(database, colleague.person_id) == {"submitter"}
    assert log_of(database, "account.role")[-1].details["refusal"] == "roles-changed"


@on_one_database
def test_an_administrator_can_give_themselves_nothing(
    app: Flask, database: Database, post: str, administrator: Desk
) -> None:
    make_person(app, post, [Role.ADMINISTRATOR])
    own = administrator.person
    answer = change(administrator, own, [ADMINISTRATOR], [ADMINISTRATOR, ANALYST])
    assert answer.status_code == 409
    for step in ("disable", "close", "password", "sessions/end", "enable"):
        assert administrator.post(path_of(own, step)).status_code == 409
    assert held_by(database, own.person_id) == {ADMINISTRATOR}
    assert told(database) == []
    assert "See what would change" not in administrator.page(path_of(own))


def test_who_reads_the_log_is_chosen_by_two(
    app: Flask, database: Database, post: str, administrator: Desk, officer: Desk
) -> None:
    colleague = make_person(app, post, [])
    assert change(administrator, colleague, [], [COMPLIANCE, ANALYST]).status_code == 303
    assert held_by(database, colleague.person_id) == {ANALYST}
    page = officer.page(path_of(colleague))
    assert "Compliance officer is proposed" in page
    assert "Confirm the role" in page
    assert "Confirm the role" not in administrator.page(path_of(colleague))
    assert "waits for a second person" in administrator.page("/people")
    decision = {"role": COMPLIANCE, "decision": "confirm"}
    assert officer.post(path_of(colleague, "proposal"), **decision).status_code == 303
    assert held_by(database, colleague.person_id) == {ANALYST, COMPLIANCE}
    assert officer.post(path_of(colleague, "proposal"), **decision).status_code == 409
    assert told(database, Role.ADMINISTRATOR) == [{"change": "confirmed", "granted": [COMPLIANCE]}]
    steps = [entry.details.get("step") for entry in log_of(database, "account.decide")]
    assert steps == ["confirmed", None]


@on_one_database
def test_neither_proposer_nor_proposed_confirms(
    app: Flask, database: Database, post: str, officer: Desk
) -> None:
    both = desk(app, post, Role.ADMINISTRATOR, Role.COMPLIANCE)
    colleague = make_person(app, post, [])
    change(both, colleague, [], [COMPLIANCE])
    decision = {"role": COMPLIANCE, "decision": "confirm"}
    answer = both.post(path_of(colleague, "proposal"), **decision)
    assert answer.status_code == 403
    assert "somebody else must decide" in answer.get_data(as_text=True)
    assert held_by(database, colleague.person_id) == set()
    refusal = {"role": COMPLIANCE, "decision": "refuse"}
    assert officer.post(path_of(colleague, "proposal"), **refusal).status_code == 303
    assert held_by(database, colleague.person_id) == set()
    assert "is proposed" not in officer.page(path_of(colleague))


@on_one_database
def test_who_is_proposed_may_not_confirm_it_even_as_an_officer_of_the_past(
    app: Flask, database: Database, post: str, officer: Desk, administrator: Desk
) -> None:
    make_person(app, post, [Role.COMPLIANCE])
    own = officer.person
    with database.transaction() as session, app.app_context():
        people._propose(
            session,
            administrator.person.caller,
            own.person_id,
            UUID(str(own.caller.person)),
            frozenset({Role.COMPLIANCE}),
        )
    decision = {"role": COMPLIANCE, "decision": "confirm"}
    assert officer.post(path_of(own, "proposal"), **decision).status_code == 403


def test_a_proposal_is_withdrawn_or_lapses(
    app: Flask, database: Database, post: str, administrator: Desk, moving_clock: MovingClock
) -> None:
    first, second = (make_person(app, post, []) for _ in range(2))
    change(administrator, first, [], [COMPLIANCE])
    change(administrator, second, [], [COMPLIANCE])
    assert change(administrator, first, [], []).status_code == 303
    with database.reading() as session:
        assert session.scalars(select(RoleProposal.person_id)).all() == [second.person_id]
    moving_clock.move(days=15)
    with app.app_context():
        done = {each.name: each.count for each in run_due(runtime_of(app))}
    assert done["role-proposals"] == 1
    lapsed = log_of(database, "account.decide")[-1]
    assert (lapsed.details["step"], lapsed.audience) == ("lapsed", {post, "platform"})


def test_who_is_disabled_is_out_at_once_and_comes_back_as_before(
    app: Flask, database: Database, post: str, administrator: Desk
) -> None:
    colleague = desk(app, post, Role.ANALYST)
    token = bearer(app, colleague.person, [Scope.LOOKUPS_WRITE])
    assert administrator.post(path_of(colleague.person, "disable")).status_code == 303
    assert colleague.client.get("/account").status_code == 303
    assert app.test_client().get("/api/v1/me", headers=token).status_code == 401
    signed = post_form(app.test_client(), colleague.person.login, colleague.person.password)
    assert signed.status_code == 422
    assert log_of(database, "session.refuse")[-1].details["refusal"] == "disabled"
    assert administrator.post(path_of(colleague.person, "enable")).status_code == 303
    assert app.test_client().get("/api/v1/me", headers=token).status_code == 200
    assert colleague.client.get("/account").status_code == 303  # the session ended for good
    sign_in(app.test_client(), colleague.person)
    assert [each["change"] for each in told(database)] == ["disabled", "enabled"]


@on_one_database
def test_a_closed_account_stays_closed(
    app: Flask, database: Database, post: str, administrator: Desk
) -> None:
    colleague = desk(app, post, Role.ANALYST)
    token = bearer(app, colleague.person, [Scope.LOOKUPS_WRITE])
    assert administrator.post(path_of(colleague.person, "close")).status_code == 303
    assert app.test_client().get("/api/v1/me", headers=token).status_code == 401
    assert colleague.client.get("/account").status_code == 303
    for step in ("enable", "disable", "close", "password", "sessions/end"):
        assert administrator.post(path_of(colleague.person, step)).status_code == 409
    with database.reading() as session:
        row = session.get_one(PersonAccount, colleague.person.person_id)
        assert row.status is AccountStatus.CLOSED
    assert "1 closed account" in administrator.page("/people")
    assert "See what would change" not in administrator.page(path_of(colleague.person))


@on_one_database
def test_a_replaced_password_is_told_and_ends_every_session(
    app: Flask, database: Database, post: str, administrator: Desk
) -> None:
    colleague = desk(app, post, Role.ANALYST)
    answer = administrator.post(path_of(colleague.person, "password"))
    assert answer.status_code == 200
    assert colleague.client.get("/account").status_code == 303
    login = colleague.person.login
    assert post_form(app.test_client(), login, colleague.person.password).status_code == 422
    again = app.test_client()
    assert post_form(again, login, one_time(answer)).status_code == 303
    assert again.get("/watches").location == "/account"
    assert told(database) == [{"change": "password"}]


@on_one_database
def test_sessions_are_ended_without_touching_the_password(
    app: Flask, post: str, administrator: Desk
) -> None:
    colleague = desk(app, post)
    assert administrator.post(path_of(colleague.person, "sessions/end")).status_code == 303
    assert colleague.client.get("/account").status_code == 303
    sign_in(colleague.client, colleague.person)


@on_one_database
def test_the_last_officer_cannot_be_shut_out(
    app: Flask, administrator: Desk, officer: Desk
) -> None:
    for step in ("disable", "close"):
        answer = administrator.post(path_of(officer.person, step))
        assert answer.status_code == 409
        assert "Nobody else of your organisation" in answer.get_data(as_text=True)
    assert change(administrator, officer.person, [COMPLIANCE], []).status_code == 409
    assert officer.client.get("/signals").status_code == 200
    another = make_person(app, officer.person.caller.organisation, [Role.COMPLIANCE])
    assert administrator.post(path_of(another, "disable")).status_code == 303
    assert administrator.post(path_of(officer.person, "disable")).status_code == 409
    assert administrator.post(path_of(another, "enable")).status_code == 303
    assert administrator.post(path_of(officer.person, "close")).status_code == 303


def test_two_administrators_cannot_shut_each_other_out_at_once(
    app: Flask, database: Database, post: str
) -> None:
    one, other = (make_person(app, post, [Role.ADMINISTRATOR]) for _ in range(2))
    with app.app_context(), database.transaction() as session:
        people.disable(session, one.caller, other.caller.person)
    # Whose session was looked at before the first was done is let in no more by what it asks.
    with (
        app.app_context(),
        pytest.raises(people.LastHolderError),
        database.transaction() as session,
    ):
        people.disable(session, other.caller, one.caller.person)


@on_one_database
def test_people_of_others_are_not_there(app: Flask, administrator: Desk) -> None:
    make_organisation(runtime_of(app).database, "customs-nl")
    stranger = make_person(app, "customs-nl", [Role.ANALYST])
    assert stranger.login not in administrator.page("/people")
    assert administrator.client.get(path_of(stranger)).status_code == 404
    for step in ("disable", "close", "password", "sessions/end", "enable", "roles"):
        assert administrator.post(path_of(stranger, step), confirmed="yes").status_code == 404


@on_one_database
def test_an_officer_sees_and_changes_nothing(
    app: Flask, post: str, administrator: Desk, officer: Desk
) -> None:
    colleague = make_person(app, post, [Role.ANALYST])
    page = officer.page(path_of(colleague))
    assert "What this person did" in page
    assert "See what would change" not in page
    for step in ("disable", "close", "password", "sessions/end", "enable", "roles"):
        assert officer.post(path_of(colleague, step), confirmed="yes").status_code == 403


@on_one_database
def test_the_list_tells_state_and_last_sign_in(
    app: Flask, post: str, administrator: Desk, moving_clock: MovingClock
) -> None:
    make_person(app, post, [Role.ANALYST])
    page = administrator.page("/people")
    assert page.count(">\N{EN DASH}</td>") == 1
    assert page.count('<span class="badge-plain badge-good">active</span>') == 2


def test_tokens_of_the_organisation_are_seen_and_revoked(
    app: Flask, database: Database, post: str, administrator: Desk
) -> None:
    colleague = make_person(app, post, [Role.ANALYST])
    token = bearer(app, colleague, [Scope.LOOKUPS_WRITE])
    make_organisation(database, "customs-nl")
    bearer(app, make_person(app, "customs-nl", [Role.ANALYST]), [Scope.LOOKUPS_WRITE])
    page = administrator.page("/tokens")
    (public_id,) = set(re.findall(r"/tokens/([0-9a-f-]{36})/revoke", page))
    assert colleague.name in page
    assert administrator.post(f"/tokens/{public_id}/revoke").status_code == 303
    assert app.test_client().get("/api/v1/me", headers=token).status_code == 401
    assert "1 ended token" in administrator.page("/tokens")
