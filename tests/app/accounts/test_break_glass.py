"""The emergency account: one sealed secret, loud, short, and never a quiet way in."""

import html
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.access import CONSOLE
from app.accounts import break_glass, service, tokens
from app.accounts.break_glass import (
    BreakGlassExistsError,
    BreakGlassOpenError,
    BreakGlassUnseenError,
)
from app.accounts.entry_models import BreakGlass
from app.accounts.models import AccountStatus, Credential, PersonAccount
from app.accounts.records import BreakGlassAccountError
from app.accounts.sign_in import start_session
from app.database import Database
from app.errors import InvalidRequestError, NotAllowedError
from app.jobs.models import Notification
from app.organisations.models import Organisation
from postern.vocabulary import Role, Scope
from tests.app.accounts.conftest import MovingClock, log_of
from tests.app.people import Person, cross_site_headers, make_person, sign_in

MINUTES = 60
RED = 'id="glass"'


@dataclass
class Room:
    """An organisation with an emergency account, an administrator and two compliance officers."""

    app: Flask
    database: Database
    code: str
    secret: str
    administrator: Person
    officers: tuple[Person, Person]
    analyst: Person

    def broken(self, secret: str | None = None) -> tuple[FlaskClient, int]:
        """A browser at the way in, and what it was answered."""
        client = self.app.test_client()
        answer = client.post(
            "/sign-in/break-glass",
            data={"secret": self.secret if secret is None else secret},
            headers=cross_site_headers(client),
        )
        return client, answer.status_code

    def visit(self, person: Person) -> FlaskClient:
        client = self.app.test_client()
        sign_in(client, person)
        return client

    def sealed_anew(self) -> str:
        with self.app.app_context(), self.database.transaction() as session:
            return break_glass.seal(session, CONSOLE, self.code)

    def looked(self, person: Person) -> int:
        return sent(self.visit(person), "/break-glass/look")


@pytest.fixture
def room(app: Flask, database: Database, post: str) -> Room:
    administrator, analyst = (
        make_person(app, post, [r]) for r in (Role.ADMINISTRATOR, Role.ANALYST)
    )
    officers = (
        make_person(app, post, [Role.COMPLIANCE]),
        make_person(app, post, [Role.COMPLIANCE]),
    )
    with app.app_context(), database.transaction() as session:
        secret = break_glass.make(session, CONSOLE, post, MINUTES)
    return Room(app, database, post, secret, administrator, officers, analyst)


def sent(client: FlaskClient, path: str, **form: str) -> int:
    return client.post(path, data=form, headers=cross_site_headers(client)).status_code


def test_the_secret_opens_an_administrator_and_tells_everybody(room: Room) -> None:
    client, status = room.broken()
    assert status == 303
    assert client.get("/people").status_code == 200
    assert client.get("/access-log").status_code == 403
    with room.database.reading() as session:
        told = session.scalars(
            select(Notification.role).where(Notification.kind == "break-glass.opened")
        ).all()
    assert sorted(told) == [Role.ADMINISTRATOR, Role.COMPLIANCE]
    for person, is_told in (
        (room.officers[0], True),
        (room.administrator, True),
        (room.analyst, False),
    ):
        assert (RED in room.visit(person).get("/").text) == is_told
    assert RED in client.get("/people").text


def test_its_name_is_said_in_the_language_of_who_reads_it(room: Room) -> None:
    client = room.visit(room.administrator)
    for language, name in (("en", "Emergency account"), ("fr", "Compte d'urgence")):
        client.post("/language", data={"language": language}, headers=cross_site_headers(client))
        page = html.unescape(client.get("/people").text)
        assert name in page[page.index("<main") :], language
        assert "Break-glass account" not in page


def test_every_act_of_it_is_marked_in_the_log(room: Room) -> None:
    client, _ = room.broken()
    client.get("/people")
    sent(client, "/people", name="Duty officer", login="duty@post.example", roles="analyst")
    acts = log_of(room.database)
    opened = next(n for n, entry in enumerate(acts) if entry.act == "break-glass.open")
    marked = [entry.details.get("means") for entry in acts[opened - 1 :]]
    assert len(marked) == 5
    assert set(marked) == {"break-glass"}


def test_it_ends_by_itself_and_its_secret_with_it(room: Room, moving_clock: MovingClock) -> None:
    client, _ = room.broken()
    moving_clock.move(minutes=20)
    again, status = room.broken()
    assert status == 303
    assert client.get("/people").status_code == 200
    moving_clock.move(minutes=20)
    assert client.get("/people").status_code == again.get("/people").status_code == 200
    moving_clock.move(minutes=MINUTES - 40)
    assert client.get("/people").status_code == again.get("/people").status_code == 303
    assert room.broken()[1] == 422
    assert log_of(room.database, "break-glass.refuse")[-1].details["refusal"] == "expired"


def test_wrong_secrets_open_nothing_lock_nothing_and_are_logged(room: Room) -> None:
    name, rest = room.secret[6:28], room.secret[29:]
    wrong = [
        "",
        "glass_",
        "x" * 5000,
        f"glass_{name}_{'A' * 43}",
        f"glass_{'A' * 22}_{rest}",
        "\0é",
    ]
    assert [room.broken(secret)[1] for secret in wrong] == [422] * len(wrong)
    refused = log_of(room.database, "break-glass.refuse")
    assert [entry.details["refusal"] for entry in refused].count("secret") == 1
    assert room.code in refused[3].audience
    assert room.broken()[1] == 303


def test_it_is_sealed_anew_only_after_two_people_looked(
    room: Room, moving_clock: MovingClock
) -> None:
    first, second = room.officers
    assert room.looked(first) == 409  # sealed
    room.broken()
    assert room.looked(first) == 409  # open
    with pytest.raises(BreakGlassOpenError):
        room.sealed_anew()
    moving_clock.move(minutes=MINUTES)
    with pytest.raises(BreakGlassUnseenError):
        room.sealed_anew()
    assert room.looked(first) == 303
    assert room.looked(first) == 403
    with pytest.raises(BreakGlassUnseenError):
        room.sealed_anew()
    assert RED in room.visit(room.administrator).get("/").text
    assert room.looked(second) == 303
    former, room.secret = room.secret, room.sealed_anew()
    assert RED not in room.visit(room.administrator).get("/").text
    assert room.broken(former)[1] == 422
    assert room.broken()[1] == 303


def test_two_administrators_do_not_suffice(room: Room, moving_clock: MovingClock) -> None:
    room.broken()
    moving_clock.move(minutes=MINUTES)
    another = make_person(room.app, room.code, [Role.ADMINISTRATOR])
    assert room.looked(room.administrator) == 303
    assert room.looked(another) == 403
    assert room.looked(room.officers[0]) == 303


def test_an_unused_secret_is_replaced_when_its_paper_is_lost(room: Room) -> None:
    lost, room.secret = room.secret, room.sealed_anew()
    assert room.broken(lost)[1] == 422
    assert room.broken()[1] == 303


def test_anybody_who_watches_ends_it_at_once(room: Room) -> None:
    client, _ = room.broken()
    assert sent(room.visit(room.officers[0]), "/break-glass/end") == 303
    assert client.get("/people").status_code == 303
    assert room.broken()[1] == 422


def test_no_other_way_leads_into_the_account(room: Room) -> None:
    login = f"break-glass@{room.code}"
    with room.app.app_context():
        with room.database.reading() as session:
            row = session.scalars(select(BreakGlass)).one()
            person = session.get_one(PersonAccount, row.person_id)
            assert (
                session.scalar(select(Credential).where(Credential.person_id == person.id)) is None
            )
        for refused in (
            lambda session: service.set_roles(session, CONSOLE, login, grant=[Role.ANALYST]),
            lambda session: service.reset_password(session, CONSOLE, login, "a hash"),
            lambda session: tokens.create_token(
                session, CONSOLE, login, scopes=[Scope.EVALUATE], days=1
            ),
        ):
            with pytest.raises(BreakGlassAccountError), room.database.transaction() as session:
                refused(session)
        with room.database.transaction() as session:
            organisation = session.get_one(Organisation, row.organisation_id)
            with pytest.raises(NotAllowedError):
                start_session(session, person, organisation, proved_by=frozenset({"password"}))
    keeper = room.visit(room.administrator)
    for verb in ("password", "disable", "roles"):
        form = {"confirmed": "yes", "seen": "administrator", "roles": "analyst"}
        assert sent(keeper, f"/people/{person.public_id}/{verb}", **form) == 409
    insider, _ = room.broken()
    assert sent(insider, "/account/tokens", scopes="evaluate", days="1") in {409, 422}


def test_the_last_administrator_is_not_replaced_by_it(room: Room) -> None:
    another = make_person(room.app, room.code, [Role.ADMINISTRATOR])
    keeper = room.visit(another)
    assert sent(keeper, f"/people/{room.administrator.caller.person}/close") == 303
    insider, _ = room.broken()
    assert sent(insider, f"/people/{another.caller.person}/close") == 409


def test_a_closed_account_and_a_suspended_organisation_stay_closed(room: Room) -> None:
    with room.app.app_context(), room.database.transaction() as session:
        service.close(session, CONSOLE, f"break-glass@{room.code}")
    assert room.broken()[1] == 422
    with room.database.reading() as session:
        row = session.scalars(select(BreakGlass)).one()
        assert session.get_one(PersonAccount, row.person_id).status is AccountStatus.CLOSED


def test_there_is_one_for_an_organisation_and_for_bounded_minutes(room: Room) -> None:
    with room.app.app_context():
        with pytest.raises(BreakGlassExistsError), room.database.transaction() as session:
            break_glass.make(session, CONSOLE, room.code, MINUTES)
        for minutes in (0, 481):
            with pytest.raises(InvalidRequestError), room.database.transaction() as session:
                break_glass.make(session, CONSOLE, room.code, minutes)


def test_the_console_makes_shows_seals_and_ends(app: Flask, post: str) -> None:
    runner = app.test_cli_runner()

    def run(*words: str) -> str:
        return str(runner.invoke(args=["break-glass", *words]).output)

    assert "No emergency account yet" in run("show")
    first = run("make", post).splitlines()[0]
    assert first.startswith("glass_")
    assert run("seal", post).splitlines()[0] != first
    assert "nothing to end" in run("end", post)
    assert "sealed" in run("show")
    assert first not in run("show")
