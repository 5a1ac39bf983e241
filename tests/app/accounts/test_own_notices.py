"""Whoever's sign-in was changed is told themselves, and nobody else is told it in their place."""

import dataclasses
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from app import clock, create_app
from app.access import CONSOLE, Caller
from app.accounts import service, tokens
from app.config import Settings
from app.database import Database
from app.jobs import draining, notifications
from app.jobs.models import Outbox
from app.jobs.notifications import Notice
from postern.vocabulary import Role, Scope
from tests.app.accounts.conftest import log_of
from tests.app.accounts.test_second_factors import add_app
from tests.app.jobs.receivers import Mailbox, mail_server
from tests.app.people import (
    Person,
    cross_site_headers,
    make_organisation,
    make_person,
    runtime_of,
    sign_in,
)

KIND = "account.own"


@pytest.fixture
def person(app: Flask, post: str) -> Person:
    return make_person(app, post, [Role.ANALYST])


def own(database: Database, caller: Caller) -> list[Notice]:
    with database.transaction() as session:
        return [each for each in notifications.read(session, caller) if each.kind == KIND]


def changes(database: Database, caller: Caller) -> list[tuple[str, bool]]:
    """What the person was told of, by its last time, and whether somebody else did it."""
    told = [each.facts for each in own(database, caller)]
    return [(each["change"], bool(each.get("by_others"))) for each in reversed(told)]


def test_each_change_is_told_to_its_person_alone(
    app: Flask, database: Database, post: str, person: Person
) -> None:
    colleague = make_person(app, post, [Role.ANALYST, Role.COMPLIANCE, Role.ADMINISTRATOR])
    keeper, client = app.test_client(), app.test_client()
    sign_in(keeper, colleague)
    headers = sign_in(client, person)
    assert client.post("/api/v1/tokens", json=_ASKED, headers=headers).status_code == 201
    add_app(client)
    form = {"present": person.password, "new": "another sentence of mine"}
    assert client.post("/account/password", data=form, headers=headers).status_code == 303
    page = f"/people/{person.caller.person}"
    for path in ("password", "link", "factors/reset"):
        answer = keeper.post(f"{page}/{path}", headers=cross_site_headers(keeper))
        assert answer.status_code in (200, 303), answer.text
    with app.app_context(), database.transaction() as session:
        (token,) = tokens.tokens_of(session, tokens.ApiToken.person_id == person.person_id)
        tokens.revoke_organisation_token(session, colleague.caller, token.id)
        secret = service.new_secret(person.login, "of the console, a sentence")
        service.reset_password(session, CONSOLE, person.login, secret)
    assert changes(database, person.caller) == [
        ("token.create", False),
        ("factor.add", False),
        ("password", False),
        ("link", True),
        ("factor.reset-proposed", True),
        ("token.revoke", True),
        ("password", True),
    ]
    assert changes(database, colleague.caller) == []
    assert all(not each.roles for each in own(database, person.caller))


_ASKED = {"scopes": [Scope.LOOKUPS_WRITE.value], "days": 3}


def test_the_page_says_it_and_another_can_neither_read_nor_mark_it(
    app: Flask, database: Database, post: str, person: Person
) -> None:
    client, other = app.test_client(), app.test_client()
    headers = sign_in(client, person)
    theirs = sign_in(other, make_person(app, post, list(Role)))
    client.post("/api/v1/tokens", json=_ASKED, headers=headers)
    (notice,) = own(database, person.caller)
    assert "An API token of yours was made." in client.get("/notifications").text
    assert "An API token of yours" not in other.get("/notifications").text
    path = f"/api/v1/notifications/{notice.id}/seen"
    assert other.post(path, headers=theirs).status_code == 404
    assert client.post(path, headers=headers).status_code == 204
    with database.reading() as session:
        assert notifications.unseen_count(session, person.caller) == 0


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def mailing(settings: Settings, mailbox: Mailbox) -> Iterator[Flask]:
    """A platform whose sign-in names are mailboxes, with one organisation."""
    with mail_server(mailbox) as port:
        mail = dataclasses.replace(
            settings.mail,
            host="localhost",
            port=port,
            security="none",
            sender="postern@platform.example",
            people=True,
        )
        made = create_app(dataclasses.replace(settings, mail=mail))
        make_organisation(runtime_of(made).database, "post-be")
        yield made
        runtime_of(made).database.dispose()


def drain(app: Flask) -> None:
    runtime = runtime_of(app)
    with app.app_context():
        with runtime.database.transaction() as session:
            session.execute(update(Outbox).values(due_at=clock.now() - timedelta(seconds=1)))
        draining.drain(runtime)


def test_a_mail_says_what_kind_of_change_it_was_and_names_nobody(
    mailing: Flask, mailbox: Mailbox, database: Database
) -> None:
    person = make_person(mailing, "post-be", [Role.ANALYST])
    client = mailing.test_client()
    add_app_of(client, person)
    drain(mailing)
    (letter,) = mailbox.taken
    assert mailbox.recipients == [person.login]
    text = letter.get_content()
    assert "A second factor was added to your sign-in." in text
    assert "/account/security" in text
    whole = f"{letter['Subject']} {text}"
    for secret in (person.name, person.login, str(person.caller.person)):
        assert secret not in whole
    acts = [each.act for each in log_of(database) if each.act.startswith("notification.")]
    assert acts == ["notification.try", "notification.sent"]
    assert all(person.login not in repr(each) for each in log_of(database))


def test_nothing_is_mailed_about_an_account_that_was_closed_meanwhile(
    mailing: Flask, mailbox: Mailbox, database: Database
) -> None:
    person = make_person(mailing, "post-be", [Role.ANALYST])
    client = mailing.test_client()
    add_app_of(client, person)
    with mailing.app_context(), database.transaction() as session:
        service.close(session, CONSOLE, person.login)
    drain(mailing)
    assert mailbox.taken == []
    (entry,) = log_of(database, "notification.sent")
    assert entry.details["ending"] == "withheld"


def test_without_the_setting_nothing_is_put_for_the_mail(
    app: Flask, database: Database, person: Person
) -> None:
    client = app.test_client()
    add_app_of(client, person)
    with database.reading() as session:
        assert (
            session.scalars(select(Outbox.topic).where(Outbox.topic == "account.mail")).all() == []
        )


def add_app_of(client: object, person: Person) -> None:
    sign_in(client, person)  # type: ignore[arg-type]
    add_app(client)  # type: ignore[arg-type]
