"""The administrator's commands for membership, as they are typed and as they answer."""

import json
from pathlib import Path

from click.testing import Result
from flask import Flask

from app import create_app
from tests.conftest import settings_for


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["organisations", *words])


def create(app: Flask, code: str = "post-be") -> Result:
    return run(
        app, "create", code, "--name", "Post of Example", "--sector", "post", "--country", "BE"
    )


def test_an_organisation_is_made_and_listed_in_a_table(app: Flask) -> None:
    assert run(app, "list").output == "No organisation yet.\n"
    made = create(app)
    assert (made.exit_code, made.output) == (0, "Organisation post-be joined.\n")
    lines = run(app, "list").output.splitlines()
    assert lines[0].split() == ["CODE", "NAME", "SECTOR", "COUNTRY", "STATUS"]
    assert lines[1].split() == ["post-be", "Post", "of", "Example", "post", "BE", "active"]


def test_programs_get_json(app: Flask) -> None:
    create(app)
    assert json.loads(run(app, "list", "--json").output) == [
        {
            "code": "post-be",
            "name": "Post of Example",
            "sector": "post",
            "country": "BE",
            "status": "active",
        }
    ]


def test_an_organisation_is_suspended_and_made_active_again(app: Flask) -> None:
    create(app)
    assert run(app, "suspend", "post-be").exit_code == 0
    assert json.loads(run(app, "list", "--json").output)[0]["status"] == "suspended"
    assert run(app, "activate", "post-be").exit_code == 0
    assert json.loads(run(app, "list", "--json").output)[0]["status"] == "active"


def test_communities_are_joined_listed_and_left(app: Flask) -> None:
    create(app)
    assert run(app, "communities").output == "No community yet.\n"
    assert run(app, "join", "post-be", "benelux", "--name", "Benelux").exit_code == 0
    assert json.loads(run(app, "communities", "--json").output) == [
        {"code": "benelux", "name": "Benelux", "members": ["post-be"]}
    ]
    assert run(app, "leave", "post-be", "benelux").exit_code == 0
    assert json.loads(run(app, "communities", "--json").output)[0]["members"] == []


def test_an_error_is_what_happened_and_what_to_do_on_standard_error(app: Flask) -> None:
    create(app)
    again = create(app)
    assert again.exit_code == 1
    assert again.stdout == ""
    assert again.stderr == (
        "Error: An organisation already has this code. "
        "Choose another code; codes are never given twice.\n"
    )
    unknown = run(app, "suspend", "post-nl")
    assert unknown.exit_code == 1
    assert "No organisation has this code." in unknown.stderr


def test_a_wrong_field_is_named_with_its_rule(app: Flask) -> None:
    refused = create(app, "Post BE")
    assert refused.exit_code == 1
    assert "A code has 2 to 40 of the characters a-z, 0-9 and -." in refused.stderr


def test_a_database_that_was_not_prepared_is_told_without_a_traceback(
    tmp_path: Path, secrets_directory: Path
) -> None:
    bare = create_app(settings_for(f"sqlite:///{tmp_path / 'bare.sqlite3'}", secrets_directory))
    refused = create(bare)
    bare.extensions["postern"].database.dispose()
    assert refused.exit_code == 1
    assert "python -m app upgrade" in refused.stderr
    assert "Traceback" not in refused.output
