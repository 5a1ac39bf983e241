"""The administrator's commands for people and tokens, as they are typed and as they answer."""

import json
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from app.accounts import console
from app.database import Database
from tests.app.accounts.conftest import log_of
from tests.app.accounts.test_sign_in import lock, post_form
from tests.app.people import make_person

LOGIN = "analyst@post.example"


def run(app: Flask, *words: str, typed: str = "") -> Result:
    return app.test_cli_runner().invoke(args=words, input=typed)


def create(app: Flask, *words: str, login: str = LOGIN, typed: str = "") -> Result:
    options = ("--name", "Analyst, Post of Example", "--role", "analyst", *words)
    return run(app, "accounts", "create", "post-be", login, *options, typed=typed)


def listed(app: Flask, room: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(run(app, room, "list", "--json").output)
    return rows


def test_a_generated_password_is_printed_once_and_opens_the_account(
    app: Flask, client: FlaskClient, post: str
) -> None:
    made = create(app)
    assert made.exit_code == 0
    password = made.output.splitlines()[1].removeprefix("Password, shown only now: ")
    assert post_form(client, LOGIN, password).status_code == 303
    assert password not in run(app, "accounts", "list").output


def test_a_password_is_read_from_standard_input_and_not_printed(
    app: Flask, client: FlaskClient, post: str
) -> None:
    made = create(app, "--password-stdin", typed="correct horse battery\n")
    assert made.exit_code == 0
    assert "correct horse" not in made.output
    assert post_form(client, LOGIN, "correct horse battery").status_code == 303


@pytest.mark.parametrize("typed", ["short\n", "\n", f"{LOGIN}\n"])
def test_a_password_against_the_rule_makes_no_account(app: Flask, post: str, typed: str) -> None:
    made = create(app, "--password-stdin", typed=typed)
    assert made.exit_code == 1
    assert "at least 12 characters" in made.stderr
    assert run(app, "accounts", "list").output == "No account yet.\n"


def test_accounts_are_listed_in_a_table_and_as_json(app: Flask, post: str) -> None:
    create(app)
    lines = run(app, "accounts", "list").output.splitlines()
    assert lines[0].split()[:4] == ["ORGANISATION", "LOGIN", "NAME", "ROLES"]
    assert LOGIN in lines[1]
    (row,) = listed(app, "accounts")
    assert (row["organisation"], row["login"], row["roles"], row["status"]) == (
        post,
        LOGIN,
        ["analyst"],
        "active",
    )
    assert (
        len(json.loads(run(app, "accounts", "list", "--organisation", post, "--json").output)) == 1
    )


def test_roles_are_changed_and_told(app: Flask, post: str) -> None:
    create(app)
    changed = run(app, "accounts", "roles", LOGIN, "--grant", "compliance", "--withdraw", "analyst")
    assert changed.output == "Roles now: compliance\n"
    assert run(app, "accounts", "roles", LOGIN).exit_code == 2
    assert run(app, "accounts", "roles", LOGIN, "--grant", "king").exit_code == 2


def test_an_account_is_unlocked_given_a_new_password_and_closed(
    app: Flask, client: FlaskClient, post: str
) -> None:
    person = make_person(app, post)
    lock(client, person)
    assert listed(app, "accounts")[0]["locked_until"] is not None
    assert run(app, "accounts", "unlock", person.login).exit_code == 0
    assert listed(app, "accounts")[0]["locked_until"] is None
    replaced = run(
        app, "accounts", "password", person.login, "--password-stdin", typed="another password\n"
    )
    assert replaced.output == "The password is replaced.\n"
    assert post_form(client, person.login, person.password).status_code == 422
    assert post_form(client, person.login, "another password").status_code == 303
    assert run(app, "accounts", "close", person.login).exit_code == 0
    assert listed(app, "accounts")[0]["status"] == "closed"
    assert client.get("/api/v1/me").status_code == 401


def test_errors_say_what_happened_and_what_to_do(app: Flask, post: str) -> None:
    create(app)
    for refused, told in (
        (create(app), "An account already has this sign-in name."),
        (create(app, login="analyst"), "A sign-in name looks like name@example.org"),
        (run(app, "accounts", "close", "nobody@post.example"), "No account has this sign-in name."),
        (run(app, "tokens", "create", LOGIN, "--scope", "audit:read"), "do not allow: audit:read"),
        (
            run(app, "tokens", "revoke", "00000000-0000-0000-0000-000000000000"),
            "There is no such API token for you.",
        ),
    ):
        assert refused.exit_code == 1
        assert refused.stdout == ""
        assert told in refused.stderr
        assert "Traceback" not in refused.output


def test_a_token_alone_is_printed_on_standard_output(
    app: Flask, client: FlaskClient, post: str
) -> None:
    create(app)
    made = run(app, "tokens", "create", LOGIN, "--scope", "evaluate", "--days", "7")
    assert made.exit_code == 0
    token = {"Authorization": f"Bearer {made.stdout.strip()}"}
    assert client.get("/api/v1/me", headers=token).status_code == 200
    assert "keep it like a password" in made.stderr


def test_tokens_are_listed_and_revoked(app: Flask, client: FlaskClient, post: str) -> None:
    create(app)
    made = run(app, "tokens", "create", LOGIN, "--scope", "evaluate").stdout.strip()
    table = run(app, "tokens", "list").output
    assert made not in table
    assert LOGIN in table
    (row,) = listed(app, "tokens")
    assert (row["scopes"], row["state"], row["login"]) == (["evaluate"], "live", LOGIN)
    assert run(app, "tokens", "revoke", row["token"]).exit_code == 0
    assert listed(app, "tokens")[0]["state"] == "revoked"
    answer = client.get("/api/v1/me", headers={"Authorization": f"Bearer {made}"})
    assert answer.status_code == 401


def test_every_command_that_succeeds_is_logged_as_the_console_s(
    app: Flask, database: Database, post: str
) -> None:
    create(app)
    run(app, "accounts", "list")
    run(app, "accounts", "roles", LOGIN, "--grant", "approver")
    run(app, "tokens", "create", LOGIN, "--scope", "evaluate")
    run(app, "tokens", "list")
    run(app, "accounts", "unlock", LOGIN)
    run(app, "accounts", "password", LOGIN)
    run(app, "accounts", "close", LOGIN)
    entries = [entry for entry in log_of(database) if entry.act != "organisation.create"]
    assert [entry.act for entry in entries] == [
        "account.create",
        "account.list",
        "account.role",
        "token.create",
        "token.list",
        "account.status",
        "account.password",
        "account.status",
    ]
    assert {entry.organisation for entry in entries} == {"platform"}
    assert {entry.details["actor"] for entry in entries} == {"console"}


def test_every_command_explains_itself() -> None:
    for group in (console.commands, console.tokens):
        for command in group.commands.values():
            assert command.help
