"""Accounts: made, given roles, closed."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.access import CONSOLE
from app.accounts import service, sign_in
from app.accounts.models import ApiToken, Credential, PersonAccount, WebSession
from app.accounts.records import AccountClosedError, UnknownAccountError
from app.accounts.service import AccountExistsError
from app.database import Database
from app.errors import InvalidRequestError
from app.organisations.service import UnknownOrganisationError
from postern.vocabulary import Role, Scope, Sector
from tests.app.accounts.conftest import log_of
from tests.app.people import bearer, make_organisation, make_person


def create(app: Flask, database: Database, login: str, organisation: str = "post-be") -> None:
    with app.app_context(), database.transaction() as session:
        service.create(
            session,
            CONSOLE,
            organisation=organisation,
            login=login,
            name="Analyst",
            roles=[Role.ANALYST],
            secret=service.new_secret(login, "correct horse battery"),
        )


def test_an_account_is_logged_by_its_pseudonym_for_its_organisation(
    app: Flask, database: Database, post: str
) -> None:
    person = make_person(app, post, [Role.ANALYST, Role.SUBMITTER])
    (entry,) = log_of(database, "account.create")
    assert entry.audience == {"platform", post}
    assert entry.details["objects"] == [str(person.caller.person)]
    assert entry.details["roles"] == ["analyst", "submitter"]


def test_a_sign_in_name_is_given_once_in_the_whole_exchange_however_spelt(
    app: Flask, database: Database, post: str
) -> None:
    make_organisation(database, "customs-nl", Sector.CUSTOMS, "NL")
    create(app, database, "analyst@post.example", post)
    with pytest.raises(AccountExistsError):
        create(app, database, " Analyst@POST.example", "customs-nl")
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PersonAccount)) == 1


def test_an_account_needs_an_organisation_and_a_well_formed_name(
    app: Flask, database: Database, post: str
) -> None:
    with pytest.raises(UnknownOrganisationError):
        create(app, database, "analyst@post.example", "post-nl")
    with pytest.raises(InvalidRequestError):
        create(app, database, "analyst", post)


def test_accounts_are_listed_by_organisation_with_their_names(
    app: Flask, database: Database, post: str
) -> None:
    make_organisation(database, "customs-nl", Sector.CUSTOMS, "NL")
    first, second = make_person(app, post), make_person(app, "customs-nl", [Role.ANALYST])
    with app.app_context(), database.transaction() as session:
        everyone = service.list_accounts(session, CONSOLE)
        one_organisation = service.list_accounts(session, CONSOLE, post)
    assert [account.login for account in everyone] == [second.login, first.login]
    assert everyone[0].roles == (Role.ANALYST,)
    assert [account.name for account in one_organisation] == [first.name]
    assert [entry.audience for entry in log_of(database, "account.list")] == [
        {"platform"},
        {"platform", post},
    ]


def test_roles_are_granted_and_withdrawn_and_logged_as_they_stand_then(
    app: Flask, database: Database, post: str
) -> None:
    person = make_person(app, post, [Role.ANALYST, Role.SUBMITTER])
    with app.app_context(), database.transaction() as session:
        held = service.set_roles(
            session,
            CONSOLE,
            person.login,
            grant=[Role.COMPLIANCE, Role.ANALYST],
            withdraw=[Role.SUBMITTER, Role.APPROVER],
        )
    assert held == {Role.ANALYST, Role.COMPLIANCE}
    with app.app_context(), database.transaction() as session:
        assert service.list_accounts(session, CONSOLE)[0].roles == (Role.ANALYST, Role.COMPLIANCE)
    (entry,) = log_of(database, "account.role")
    assert entry.details["roles"] == ["analyst", "compliance"]
    assert entry.audience == {"platform", post}


def test_closing_ends_sessions_revokes_tokens_and_drops_the_password(
    app: Flask, database: Database, post: str
) -> None:
    person, other = make_person(app, post, [Role.ANALYST]), make_person(app, post, [Role.ANALYST])
    for one in (person, other):
        bearer(app, one, [Scope.EVALUATE])
        with app.app_context():
            attempt = sign_in.compare(one.login, one.password)
            with database.transaction() as session:
                assert sign_in.sign_in(session, attempt) is not None
    with app.app_context(), database.transaction() as session:
        service.close(session, CONSOLE, person.login)
    with database.reading() as session:
        assert session.scalars(select(WebSession.person_id)).all() == [other.person_id]
        assert session.scalars(select(Credential.person_id)).all() == [other.person_id]
        living = select(ApiToken.person_id).where(ApiToken.revoked_at.is_(None))
        assert session.scalars(living).all() == [other.person_id]
    assert log_of(database, "account.status")[0].details["status"] == "closed"


def test_a_closed_account_gets_no_new_password(app: Flask, database: Database, post: str) -> None:
    person = make_person(app, post)
    with app.app_context(), database.transaction() as session:
        service.close(session, CONSOLE, person.login)
        with pytest.raises(AccountClosedError):
            service.reset_password(session, CONSOLE, person.login, "hash")


def test_an_unknown_sign_in_name_is_refused_by_every_verb(
    app: Flask, database: Database, post: str
) -> None:
    with app.app_context(), database.transaction() as session:
        for verb in (service.close, service.unlock, service.set_roles):
            with pytest.raises(UnknownAccountError):
                verb(session, CONSOLE, "nobody@post.example")


def test_an_account_has_no_repr_that_shows_its_names(
    app: Flask, database: Database, post: str
) -> None:
    person = make_person(app, post)
    with app.app_context(), database.transaction() as session:
        shown = repr(service.list_accounts(session, CONSOLE))
        shown += repr(service.read_own(session, person.caller))
    assert person.login not in shown
    assert person.name not in shown
