"""Every error has one shape, one stable code, and says what to do."""

import importlib
import pkgutil
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response, abort, jsonify, request
from flask.testing import FlaskClient
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema, fields
from werkzeug.test import TestResponse

import app as platform
from app.audit.guard import public
from app.config import Settings
from app.database import Database
from app.errors import (
    NotFoundError,
    PosternError,
    QuotaSpentError,
    UnavailableError,
)
from app.origin import REQUEST_ID
from tests.app.bare import bare_app

TYPED = "Musterstrasse 12"
A_UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
ERRORS_PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


class ItemSchema(Schema):
    class Meta:
        unknown = RAISE

    kind = fields.String(required=True)


class ItemsSchema(Schema):
    class Meta:
        unknown = RAISE

    items = fields.List(fields.Nested(ItemSchema), required=True)


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """One database instead of each: the shape of an error does not depend on it."""
    copy = tmp_path / "postern.sqlite3"
    shutil.copyfile(sqlite_template, copy)
    return f"sqlite:///{copy}"


@pytest.fixture
def bare(settings: Settings, database: Database) -> Iterator[Flask]:
    app = bare_app(settings, database)
    blueprint = Blueprint("parsing", __name__)

    @blueprint.post("/api/items")
    @public
    @blueprint.arguments(ItemsSchema)
    @blueprint.response(200, ItemsSchema)
    def items(payload: dict[str, object]) -> dict[str, object]:
        return payload

    @app.get("/api/abort/<int:status>")
    @public
    def aborted(status: int) -> Response:
        abort(status, description=TYPED)

    @app.get("/api/raise/<name>")
    @public
    def raised(name: str) -> Response:
        raise {
            "own": NotFoundError("The report is gone.", remedy="Look at the list."),
            "quota": QuotaSpentError(headers={"Retry-After": "17"}, window="hour"),
            "down": UnavailableError(),
            "defect": ZeroDivisionError(TYPED),
        }[name]

    @app.post("/api/read")
    @public
    def read() -> Response:
        return jsonify(request.get_json())

    app.extensions["postern-api"].register_blueprint(blueprint)
    yield app
    app.extensions["postern"].database.dispose()


@pytest.fixture
def bare_client(bare: Flask) -> FlaskClient:
    return bare.test_client()


def test_a_problem_says_what_happened_what_to_do_and_where_to_look(
    bare_client: FlaskClient,
) -> None:
    response = bare_client.get("/api/raise/own", environ_overrides={REQUEST_ID: A_UUID})
    assert_problem(response, 404, "not-found")
    assert response.get_json() == {
        "type": "/errors/not-found",
        "title": "There is nothing here for you",
        "status": 404,
        "code": "not-found",
        "detail": "The report is gone.",
        "remedy": "Look at the list.",
        "instance": A_UUID,
    }


def test_headers_and_further_members_of_an_error_leave_with_it(bare_client: FlaskClient) -> None:
    response = bare_client.get("/api/raise/quota")
    assert_problem(response, 429, "quota-spent")
    assert response.headers["Retry-After"] == "17"
    assert response.get_json()["window"] == "hour"


@pytest.mark.parametrize(
    ("status", "answered", "code"),
    [
        (400, 400, "malformed-request"),
        (401, 401, "sign-in-needed"),
        (403, 403, "not-allowed"),
        (404, 404, "not-found"),
        (406, 400, "malformed-request"),
        (409, 409, "conflict"),
        (413, 413, "too-large"),
        (415, 415, "unsupported-media-type"),
        (418, 400, "malformed-request"),
        (429, 429, "quota-spent"),
        (500, 500, "unexpected-error"),
        (501, 500, "unexpected-error"),
        (503, 503, "unavailable"),
    ],
)
def test_errors_of_the_framework_take_the_same_shape(
    bare_client: FlaskClient, status: int, answered: int, code: str
) -> None:
    response = bare_client.get(f"/api/abort/{status}")
    assert_problem(response, answered, code)
    assert TYPED not in response.text


def test_an_unknown_address_is_not_found(bare_client: FlaskClient) -> None:
    assert_problem(bare_client.get("/api/nowhere"), 404, "not-found")


def test_a_wrong_method_is_told_which_ones_there_are(bare_client: FlaskClient) -> None:
    response = bare_client.delete("/api/items")
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["Allow"] == "POST"


def test_a_wrong_field_is_named_by_its_place(bare_client: FlaskClient) -> None:
    response = bare_client.post(
        "/api/items", json={"items": [{"kind": "a"}, {"kind": 5, TYPED: 1}], "more": 1}
    )
    assert_problem(response, 422, "invalid-request")
    places = {error["field"] for error in response.get_json()["errors"]}
    assert places == {"json.items.1.kind", "json.items.1.(unknown)", "json.more"}
    assert TYPED not in response.text


def test_a_body_that_is_no_json_is_malformed(bare_client: FlaskClient) -> None:
    for body in (b"{", b"\xff\xfe", b'{"items": NaN'):
        response = bare_client.post("/api/items", data=body, content_type="application/json")
        assert_problem(response, 400, "malformed-request")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_type_is_not_overlooked(
    bare_client: FlaskClient, content_type: str
) -> None:
    response = bare_client.post("/api/items", data=b'{"items":[]}', content_type=content_type)
    assert_problem(response, 415, "unsupported-media-type")


def test_a_body_beyond_the_limit_is_too_large(bare_client: FlaskClient, settings: Settings) -> None:
    body = b'{"items":["' + b"x" * settings.limit.body_bytes + b'"]}'
    response = bare_client.post("/api/items", data=body, content_type="application/json")
    assert_problem(response, 413, "too-large")


def test_a_defect_tells_its_reference_and_nothing_else(
    bare_client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    response = bare_client.get("/api/raise/defect", environ_overrides={REQUEST_ID: A_UUID})
    assert_problem(response, 500, "unexpected-error")
    logged = capsys.readouterr().err
    assert A_UUID in logged
    assert "ZeroDivisionError" in logged
    for told in (logged, response.text):
        assert TYPED not in told


@pytest.mark.parametrize("fit", [A_UUID, A_UUID.replace("-", "")], ids=["uuid", "hex"])
def test_a_fit_request_id_of_a_proxy_is_echoed(bare_client: FlaskClient, fit: str) -> None:
    response = bare_client.get("/api/raise/down", environ_overrides={REQUEST_ID: fit})
    assert response.headers["X-Request-Id"] == fit
    assert response.get_json()["instance"] == fit


@pytest.mark.parametrize(
    "offered",
    ["short", "x" * 32, "a1b2c3d4-e5", '"},{"forged":1', "<b>bold</b>", "äöüäöüäöü", A_UUID[:-1]],
)
def test_an_unfit_request_id_is_replaced(bare_client: FlaskClient, offered: str) -> None:
    response = bare_client.get("/api/raise/down", environ_overrides={REQUEST_ID: offered})
    assert re.fullmatch(r"[0-9a-f-]{36}", response.headers["X-Request-Id"])
    assert response.headers["X-Request-Id"] != offered
    assert response.get_json()["instance"] == response.headers["X-Request-Id"]


def test_a_request_id_of_a_client_is_not_believed(bare_client: FlaskClient) -> None:
    response = bare_client.get("/api/raise/down", headers={"X-Request-Id": A_UUID})
    assert response.headers["X-Request-Id"] != A_UUID


def test_an_answer_without_error_carries_its_reference_too(bare_client: FlaskClient) -> None:
    response = bare_client.post("/api/items", json={"items": []})
    assert response.status_code == 200
    assert re.fullmatch(r"[0-9a-f-]{36}", response.headers["X-Request-Id"])


def test_the_platform_answers_programs_with_problems(client: FlaskClient) -> None:
    for path in ("/api/v1/nowhere", "/.well-known/nowhere"):
        assert_problem(client.get(path, headers={"Accept": "text/html"}), 404, "not-found")


def test_the_platform_answers_browsers_with_pages(client: FlaskClient) -> None:
    response = client.get("/nowhere", headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert response.mimetype == "text/html"
    assert "There is nothing here for you" in response.text
    assert response.headers["X-Request-Id"] in response.text
    assert_problem(client.get("/nowhere", headers={"Accept": "application/json"}), 404, "not-found")


def test_a_page_tells_a_wrong_method_as_a_page(client: FlaskClient) -> None:
    response = client.delete("/sign-in", headers={"Accept": "text/html"})
    assert response.status_code == 405
    assert response.mimetype == "text/html"


def test_a_stranger_is_told_how_to_sign_in(client: FlaskClient) -> None:
    response = client.get("/api/v1/me")
    assert_problem(response, 401, "sign-in-needed")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_every_kind_of_error_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in kinds_of_error()]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)


def test_every_kind_of_error_says_what_happened_and_what_to_do() -> None:
    for kind in kinds_of_error():
        assert 400 <= kind.status <= 599, kind
        assert len(kind.title.split()) > 2, kind
        # A remedy that is a command ends with it.
        assert kind.remedy.endswith(".") or ": flask --app wsgi " in kind.remedy, kind


def test_every_kind_of_error_is_documented() -> None:
    page = ERRORS_PAGE.read_text()
    for kind in kinds_of_error():
        row = f"| `{kind.code}` | {kind.status} | {kind.title}. | {kind.remedy} |"
        assert row in page, f"docs/errors.md lacks the row:\n{row}"


def test_no_code_is_documented_that_does_not_exist() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \| \d{3} \|", ERRORS_PAGE.read_text(), re.MULTILINE)
    assert sorted(told) == sorted(kind.code for kind in kinds_of_error())


def kinds_of_error() -> list[type[PosternError]]:
    """Every error class with a code of its own, the base excluded.

    A class without one is its parent in other words, and leaves under its parent's code.
    """
    for module in pkgutil.walk_packages(platform.__path__, "app."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, todo = [], list(PosternError.__subclasses__())
    while todo:
        kind = todo.pop()
        if "code" in vars(kind) and kind.__module__.startswith("app."):
            found.append(kind)
        todo += kind.__subclasses__()
    return sorted(found, key=lambda kind: kind.code)


def assert_problem(response: TestResponse, status: int, code: str) -> None:
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    problem = response.get_json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"/errors/{code}"
    assert problem["instance"] == response.headers["X-Request-Id"]
    assert problem.keys() >= {"title", "detail", "remedy"}
