"""Signing in: who gets in, what is counted, and that every refusal looks the same."""

import re
from threading import Thread

import pytest
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.access import CONSOLE
from app.accounts import service, sign_in
from app.accounts.models import Credential, PersonAccount
from app.accounts.passwords import Passwords
from app.database import Database
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from postern.base64url import to_base64url
from postern.vocabulary import Role
from tests.app.accounts.conftest import MovingClock, log_of
from tests.app.people import Person, cross_site_headers, make_person, runtime_of
from tests.app.people import sign_in as sign_in_by_form

FAILURES_BEFORE_LOCK = 5  # config/test.toml
LOCK_MINUTES = 15


def post_form(client: FlaskClient, login: str, password: str, **fields: str) -> TestResponse:
    return client.post(
        "/sign-in",
        data={"login": login, "password": password, **fields},
        headers=cross_site_headers(client),
    )


def lock(client: FlaskClient, person: Person) -> None:
    for _ in range(FAILURES_BEFORE_LOCK):
        assert post_form(client, person.login, "wrong password").status_code == 422


def without_values(page: TestResponse) -> str:
    """The page but for its form token and the sign-in name that it repeats to who typed it."""
    return re.sub(r'value="[^"]*"', "", page.get_data(as_text=True))


def stored(database: Database, person: Person) -> tuple[int, bool]:
    """How many failures are counted, and whether the account was locked."""
    with database.reading() as session:
        row = session.get_one(PersonAccount, person.person_id)
        return row.failures, row.locked_until is not None


def test_the_right_password_starts_a_session(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person = make_person(app, post, [Role.ANALYST])
    answer = post_form(client, f" {person.login.upper()} ", person.password)
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/account").status_code == 200
    (entry,) = log_of(database, "session.start")
    assert (entry.organisation, entry.outcome) == (post, "ok")
    assert entry.details["actor"] == str(person.caller.person)


def test_the_form_works_as_the_page_sends_it(app: Flask, client: FlaskClient, post: str) -> None:
    person = make_person(app, post)
    page = client.get("/sign-in?next=/account").get_data(as_text=True)
    fields = dict(re.findall(r'name="(csrf_token|next)"[^>]*value="([^"]*)"', page))
    assert fields["next"] == "/account"
    answer = client.post(
        "/sign-in", data={"login": person.login, "password": person.password, **fields}
    )
    assert (answer.status_code, answer.location) == (303, "/account")


def test_every_refusal_is_the_same_answer(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    wrong, locked, closed = (make_person(app, post) for _ in range(3))
    lock(client, locked)
    with app.app_context(), database.transaction() as session:
        service.close(session, CONSOLE, closed.login)
    answers = [
        post_form(client, wrong.login, "wrong password"),
        post_form(client, "nobody@post.example", "wrong password"),
        post_form(client, "not a sign-in name", "wrong password"),
        post_form(client, "", ""),
        post_form(client, locked.login, locked.password),
        post_form(client, closed.login, closed.password),
    ]
    with database.transaction() as session:
        organisations.set_status(session, CONSOLE, post, OrganisationStatus.SUSPENDED)
    answers.append(post_form(client, wrong.login, wrong.password))
    assert {answer.status_code for answer in answers} == {422}
    assert len({without_values(answer) for answer in answers}) == 1
    assert "too many attempts" in answers[0].get_data(as_text=True)
    assert client.get("/account").status_code == 303
    reasons = [entry.details["refusal"] for entry in log_of(database, "session.refuse")[-7:]]
    assert reasons == [
        "password",
        "unknown",
        "unknown",
        "unknown",
        "locked",
        "closed",
        "suspended",
    ]


def test_a_refusal_is_logged_by_the_index_of_the_name_and_told_to_the_organisation(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person = make_person(app, post)
    post_form(client, person.login, "wrong password")
    post_form(client, "nobody@post.example", "wrong password")
    known, unknown = log_of(database, "session.refuse")
    assert (known.organisation, known.outcome) == ("platform", "denied")
    assert known.audience == {"platform", post}
    assert known.details["person"] == str(person.caller.person)
    assert unknown.audience == {"platform"}
    with database.reading() as session:
        index = session.get_one(PersonAccount, person.person_id).login_index
    assert known.details["login_index"] == to_base64url(index)
    assert unknown.details["login_index"] != known.details["login_index"]


def test_an_unknown_name_is_compared_with_a_hash_too(
    app: Flask, post: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_person(app, post)
    compared: list[str | None] = []
    is_right = Passwords.is_right

    def spy(passwords: Passwords, secret_hash: str | None, password: str) -> bool:
        compared.append(secret_hash)
        return is_right(passwords, secret_hash, password)

    monkeypatch.setattr(Passwords, "is_right", spy)
    with app.app_context():
        assert not sign_in.compare("nobody@post.example", person.password).is_right
        assert sign_in.compare(person.login, person.password).is_right
    assert compared[0] is None
    assert compared[1] is not None


def test_too_many_failures_lock_the_account_for_a_while(
    app: Flask, client: FlaskClient, database: Database, post: str, moving_clock: MovingClock
) -> None:
    person = make_person(app, post)
    lock(client, person)
    assert post_form(client, person.login, person.password).status_code == 422
    moving_clock.move(minutes=LOCK_MINUTES - 1)
    assert post_form(client, person.login, person.password).status_code == 422
    moving_clock.move(minutes=2)
    assert post_form(client, person.login, person.password).status_code == 303
    assert stored(database, person) == (0, False)


def test_after_a_lock_each_further_failure_locks_again(
    app: Flask, client: FlaskClient, post: str, moving_clock: MovingClock
) -> None:
    person = make_person(app, post)
    lock(client, person)
    moving_clock.move(minutes=LOCK_MINUTES + 1)
    post_form(client, person.login, "wrong password")
    assert post_form(client, person.login, person.password).status_code == 422


def test_attempts_during_a_lock_do_not_prolong_it(
    app: Flask, client: FlaskClient, post: str, moving_clock: MovingClock
) -> None:
    person = make_person(app, post)
    lock(client, person)
    moving_clock.move(minutes=LOCK_MINUTES - 1)
    post_form(client, person.login, "wrong password")
    moving_clock.move(minutes=2)
    assert post_form(client, person.login, person.password).status_code == 303


def test_a_lock_outlives_the_process(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person = make_person(app, post)
    lock(client, person)
    assert stored(database, person) == (FAILURES_BEFORE_LOCK, True)


def test_the_right_password_in_time_forgets_the_failures(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person = make_person(app, post)
    for _ in range(FAILURES_BEFORE_LOCK - 1):
        post_form(client, person.login, "wrong password")
    assert post_form(client, person.login, person.password).status_code == 303
    assert stored(database, person) == (0, False)


def test_the_administrator_unlocks_an_account(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person = make_person(app, post)
    lock(client, person)
    with app.app_context(), database.transaction() as session:
        service.unlock(session, CONSOLE, person.login)
    assert post_form(client, person.login, person.password).status_code == 303


def test_guesses_compared_before_the_lock_find_it_closed(
    app: Flask, database: Database, post: str
) -> None:
    person = make_person(app, post)
    with app.app_context():
        guesses = [sign_in.compare(person.login, "wrong password")] * FAILURES_BEFORE_LOCK
        right = sign_in.compare(person.login, person.password)
        for guess in guesses:
            with database.transaction() as session:
                assert sign_in.sign_in(session, guess) is None
        with database.transaction() as session:
            assert sign_in.sign_in(session, right) is None


def test_failures_at_the_same_time_are_all_counted(
    app: Flask, database: Database, post: str
) -> None:
    person = make_person(app, post)

    def fail() -> None:
        with app.app_context():
            attempt = sign_in.compare(person.login, "wrong password")
            with runtime_of(app).database.transaction() as session:
                sign_in.sign_in(session, attempt)

    threads = [Thread(target=fail) for _ in range(FAILURES_BEFORE_LOCK - 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stored(database, person) == (FAILURES_BEFORE_LOCK - 1, False)


def test_a_password_replaced_after_it_was_compared_opens_nothing(
    app: Flask, database: Database, post: str
) -> None:
    person = make_person(app, post)
    with app.app_context():
        attempt = sign_in.compare(person.login, person.password)
        secret = service.new_secret(person.login, "another password")
        with database.transaction() as session:
            service.reset_password(session, CONSOLE, person.login, secret)
        with database.transaction() as session:
            assert sign_in.sign_in(session, attempt) is None


def test_an_outdated_hash_is_renewed_at_sign_in(app: Flask, database: Database, post: str) -> None:
    person = make_person(app, post)

    def secret_hash() -> str:
        with database.reading() as session:
            one = select(Credential.secret_hash).where(Credential.person_id == person.person_id)
            return session.scalars(one).one()

    assert not Passwords(CHEAPEST).is_outdated(secret_hash())
    runtime_of(app).add(Passwords(RFC_9106_LOW_MEMORY))
    with app.app_context():
        for _ in range(2):
            attempt = sign_in.compare(person.login, person.password)
            with database.transaction() as session:
                assert sign_in.sign_in(session, attempt) is not None
            assert not Passwords(RFC_9106_LOW_MEMORY).is_outdated(secret_hash())
    assert attempt.renewed is None


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        ("/account", "/account"),
        ("/access-log?act=report.read&cursor=a%2Fb", "/access-log?act=report.read&cursor=a%2Fb"),
        ("", "/"),
        ("account", "/"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        (" /account", "/"),
    ],
)
def test_sign_in_leads_only_to_paths_of_this_platform(
    app: Flask, client: FlaskClient, post: str, wanted: str, taken: str
) -> None:
    person = make_person(app, post)
    answer = post_form(client, person.login, person.password, next=wanted)
    assert (answer.status_code, answer.location) == (303, taken)
    again = client.get("/sign-in", query_string={"next": wanted})
    assert (again.status_code, again.location) == (303, taken)


def test_a_page_without_sign_in_leads_to_the_sign_in_page_and_back(
    app: Flask, client: FlaskClient, post: str
) -> None:
    answer = client.get("/account?done=sessions-ended")
    assert answer.status_code == 303
    assert answer.location == "/sign-in?next=/account?done%3Dsessions-ended"
    assert 'value="/account?done=sessions-ended"' in client.get(answer.location).text


def test_a_form_sent_without_sign_in_leads_to_the_sign_in_page(client: FlaskClient) -> None:
    answer = client.post("/account/tokens", data={"days": "3"})
    assert (answer.status_code, answer.location) == (303, "/sign-in")


def test_signing_in_again_ends_the_former_session(
    app: Flask, client: FlaskClient, post: str
) -> None:
    first, second = make_person(app, post), make_person(app, post)
    sign_in_by_form(client, first)
    former = client.get_cookie("postern")
    assert former is not None
    sign_in_by_form(client, second)
    assert client.get("/api/v1/me").get_json()["person"] == str(second.caller.person)
    thief = app.test_client()
    thief.set_cookie("postern", former.value)
    assert thief.get("/api/v1/me").status_code == 401
