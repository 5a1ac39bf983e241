"""Notifications: for roles of one organisation, once for who holds several, seen for all."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from app.access import Caller
from app.errors import NotFoundError
from app.jobs import notifications
from app.jobs.models import Notification
from app.jobs.notifications import Notice
from postern.vocabulary import Role, Scope
from tests.app.exchange import Exchange, make_exchange
from tests.app.people import bearer, make_person

FACTS = {"alarm": "rollback", "number": 1}


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    return make_exchange(app)


def tell(exchange: Exchange, *roles: Role, code: str = "police-de", number: int = 1) -> None:
    with exchange.database.transaction() as session:
        for role in roles:
            facts = {**FACTS, "number": number}
            organisation = exchange.organisation_id(code)
            notifications.notify(session, organisation, role, "log.alarm", facts, "/log")


def of(exchange: Exchange, caller: Caller) -> list[Notice]:
    with exchange.database.transaction() as session:
        return notifications.read(session, caller)


def waiting(exchange: Exchange, caller: Caller) -> int:
    with exchange.database.reading() as session:
        return notifications.unseen_count(session, caller)


def see(exchange: Exchange, caller: Caller, notice: Notice) -> None:
    with exchange.database.transaction() as session:
        notifications.mark_seen(session, caller, notice.id)


def person(exchange: Exchange, *roles: Role, code: str = "police-de") -> Caller:
    return make_person(exchange.app, code, roles).caller


def test_only_people_of_the_role_and_the_organisation_are_told(exchange: Exchange) -> None:
    tell(exchange, Role.COMPLIANCE)
    assert len(of(exchange, person(exchange, Role.COMPLIANCE))) == 1
    assert of(exchange, person(exchange, Role.ANALYST)) == []
    assert of(exchange, person(exchange)) == []
    assert of(exchange, person(exchange, Role.COMPLIANCE, code="post-be")) == []


def test_who_holds_both_roles_is_told_once(exchange: Exchange) -> None:
    tell(exchange, Role.COMPLIANCE, Role.ADMINISTRATOR)
    tell(exchange, Role.COMPLIANCE, number=2)
    both = person(exchange, Role.COMPLIANCE, Role.ADMINISTRATOR)
    assert waiting(exchange, both) == 2
    roles = {each.facts["number"]: set(each.roles) for each in of(exchange, both)}
    assert roles == {1: {Role.COMPLIANCE, Role.ADMINISTRATOR}, 2: {Role.COMPLIANCE}}


def test_what_one_saw_is_seen_for_everybody_of_the_role_and_of_no_other(
    exchange: Exchange,
) -> None:
    tell(exchange, Role.COMPLIANCE, Role.ADMINISTRATOR)
    first, second = person(exchange, Role.COMPLIANCE), person(exchange, Role.COMPLIANCE)
    (notice,) = of(exchange, first)
    see(exchange, first, notice)
    see(exchange, first, notice)
    assert (waiting(exchange, first), waiting(exchange, second)) == (0, 0)
    (seen,) = of(exchange, second)
    assert seen.seen_at
    assert waiting(exchange, person(exchange, Role.ADMINISTRATOR)) == 1


def test_who_holds_both_roles_sees_it_for_both(exchange: Exchange) -> None:
    tell(exchange, Role.COMPLIANCE, Role.ADMINISTRATOR)
    tell(exchange, Role.COMPLIANCE, number=2)
    both = person(exchange, Role.COMPLIANCE, Role.ADMINISTRATOR)
    (first,) = [each for each in of(exchange, both) if each.facts["number"] == 1]
    see(exchange, both, first)
    assert waiting(exchange, both) == 1
    assert waiting(exchange, person(exchange, Role.ADMINISTRATOR)) == 0


def test_nobody_marks_what_is_not_for_them(exchange: Exchange) -> None:
    tell(exchange, Role.COMPLIANCE)
    officer = person(exchange, Role.COMPLIANCE)
    (notice,) = of(exchange, officer)
    for other in (person(exchange, Role.ANALYST), person(exchange, *Role, code="post-be")):
        with pytest.raises(NotFoundError):
            see(exchange, other, notice)
    assert waiting(exchange, officer) == 1


def test_what_waits_comes_first_then_the_newest(exchange: Exchange) -> None:
    officer = person(exchange, Role.COMPLIANCE)
    for number in (1, 2, 3):
        tell(exchange, Role.COMPLIANCE, number=number)
    (third, _, _) = of(exchange, officer)
    see(exchange, officer, third)
    assert [each.facts["number"] for each in of(exchange, officer)] == [2, 1, 3]


def test_old_ones_are_removed(exchange: Exchange) -> None:
    for number in (1, 2):
        tell(exchange, Role.COMPLIANCE, number=number)
    with exchange.database.transaction() as session:
        oldest = session.scalar(select(func.min(Notification.id)))
        long_ago = datetime.now(UTC) - notifications.KEPT - timedelta(days=1)
        session.execute(
            update(Notification).where(Notification.id == oldest).values(made_at=long_ago)
        )
    with exchange.database.transaction() as session:
        assert notifications.expire(session) == 1
    assert waiting(exchange, person(exchange, Role.COMPLIANCE)) == 1


def test_programs_read_and_mark_them(exchange: Exchange, client: FlaskClient) -> None:
    tell(exchange, Role.COMPLIANCE)
    officer = make_person(exchange.app, "police-de", [Role.COMPLIANCE])
    headers = bearer(exchange.app, officer, [Scope.AUDIT_READ])
    answer = client.get("/api/v1/notifications", headers=headers).json
    assert answer
    (token, notice) = answer["notifications"]
    assert (token["kind"], token["roles"]) == ("account.own", [])  # to its person alone
    assert (notice["kind"], notice["facts"], notice["address"], notice["seen_at"]) == (
        "log.alarm",
        FACTS,
        "/log",
        None,
    )
    path = f"/api/v1/notifications/{notice['id']}/seen"
    assert client.post(path, headers=headers).status_code == 204
    missing = client.post(f"/api/v1/notifications/{uuid4()}/seen", headers=headers)
    assert missing.status_code == 404
    assert waiting(exchange, officer.caller) == 1
    assert len(exchange.entries("notification.seen")) == 2
