"""The description of the interface is valid, whole, and says what the guard does."""

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.web.openapi import PROBLEM_TYPE, document
from app.web.reference import Piece, error_kinds, pieces, reference

_METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """One database instead of each: nothing here depends on it."""
    copy = tmp_path / "postern.sqlite3"
    shutil.copyfile(sqlite_template, copy)
    return f"sqlite:///{copy}"


@pytest.fixture
def described(app: Flask) -> dict[str, Any]:
    return document(app)


def test_the_description_is_valid_openapi(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(described).validate()


def test_whoever_asks_while_the_description_is_made_gets_it_whole(app: Flask) -> None:
    together = Barrier(4)

    def ask(_: int) -> int:
        together.wait(timeout=10)
        return len(document(app)["paths"])

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(ask, range(4)))
    assert set(found) == {len(document(app)["paths"])}
    assert found[0] > 100


def test_the_description_is_public_and_can_be_kept(client: FlaskClient) -> None:
    response = client.get("/api/openapi.json")
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert response.get_json()["info"]["title"] == "Postern"
    again = client.get("/api/openapi.json", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_every_api_route_is_described(app: Flask, described: dict[str, Any]) -> None:
    told = {(path, method) for path, method, _ in operations(described)}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(("/api/", "/.well-known/")):
            continue
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            assert (path, method.lower()) in told, f"{method} {path} is not described"


def test_every_operation_says_what_it_does(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        place = f"{method} {path}"
        assert operation.get("summary"), place
        assert "\n" not in operation["summary"], place
        assert len(operation.get("description", "")) > 20, place
        assert operation["tags"], place


def test_operations_have_names_of_their_own(described: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(names) == len(set(names))


def test_what_an_operation_demands_is_what_the_guard_demands(
    app: Flask, described: dict[str, Any]
) -> None:
    by_name = {operation["operationId"]: operation for _, _, operation in operations(described)}
    views: dict[str, Any] = app.view_functions  # the guard adds attributes to its functions
    for endpoint, view in views.items():
        for method in _METHODS:
            operation = by_name.get(f"{endpoint.replace('.', '_')}_{method}")
            if operation is None:
                continue
            if getattr(view, "audit_public", False):
                assert operation["security"] == []
                continue
            takes_token = {"bearer": []} in operation["security"]
            assert {"session": []} in operation["security"]
            assert takes_token == bool(view.audit_scope or view.audit_any_scope)
            assert set(operation["x-postern-roles"]) == view.audit_roles
            if getattr(view, "audit_unlogged", ""):
                assert operation["x-postern-act"] is None
                assert "adds nothing to the audit log" in operation["description"]
                continue
            assert operation["x-postern-act"] == view.audit_act
            assert operation["x-postern-act"] in operation["description"]


def test_every_operation_that_needs_a_caller_tells_its_refusals(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        if not operation["security"]:
            continue
        for status in ("401", "403"):
            content = operation["responses"][status]["content"]
            assert list(content) == [PROBLEM_TYPE], f"{method} {path}"
        if "requestBody" in operation:
            assert operation["responses"].keys() >= {"413", "415", "422"}


def test_errors_are_described_as_problems_everywhere(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        for status, response in operation["responses"].items():
            if status.isdecimal() and int(status) >= 400:
                assert PROBLEM_TYPE in response.get("content", {}), f"{method} {path} {status}"
    default = described["components"]["responses"]["DEFAULT_ERROR"]
    assert list(default["content"]) == [PROBLEM_TYPE]


def test_programs_sign_in_by_bearer_token(described: dict[str, Any]) -> None:
    bearer = described["components"]["securitySchemes"]["bearer"]
    assert (bearer["type"], bearer["scheme"]) == ("http", "bearer")


def test_patterns_are_those_of_json_schema(described: dict[str, Any]) -> None:
    patterns = list(found(described, "pattern"))
    assert patterns
    for pattern in patterns:
        assert pattern.startswith("^"), pattern
        assert r"\Z" not in pattern, pattern


def test_every_field_that_is_sent_is_explained(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), f"{method} {path}: {parameter['name']}"
    for name in sent_shapes(described):
        for field, told in described["components"]["schemas"][name]["properties"].items():
            assert told.get("description") or "$ref" in str(told), f"{name}.{field}"


def test_the_page_shows_every_operation_shape_and_error(
    client: FlaskClient, described: dict[str, Any]
) -> None:
    response = client.get("/api/docs")
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    for path, method, operation in operations(described):
        assert f"<code>{method.upper()} {path}</code>" in response.text
        assert f'id="{operation["operationId"]}"' in response.text
    for name in described["components"]["schemas"]:
        assert f'id="shape-{name}"' in response.text
    for kind in error_kinds():
        assert f"/errors/{kind.code}" in response.text


def test_every_link_within_the_page_leads_somewhere(client: FlaskClient) -> None:
    page = client.get("/api/docs").text
    for target in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{target}"' in page, target


def test_the_page_needs_no_script_and_no_inline_style(client: FlaskClient) -> None:
    page = client.get("/api/docs").text
    assert "<script" not in page
    assert not re.search(r"\son[a-z]+=|\sstyle=|<style", page)


def test_the_type_of_every_problem_is_an_address_that_explains_it(client: FlaskClient) -> None:
    for kind in error_kinds():
        response = client.get(f"/errors/{kind.code}")
        assert response.status_code == 200
        assert kind.code in response.text
    assert client.get("/errors/no-such-code").status_code == 404


def test_marks_in_descriptions_become_pieces() -> None:
    assert pieces("Use `a` or **b**, <b>never</b> c.") == (
        Piece("text", "Use "),
        Piece("code", "a"),
        Piece("text", " or "),
        Piece("strong", "b"),
        Piece("text", ", <b>never</b> c."),
    )


def test_values_are_told_in_words(described: dict[str, Any]) -> None:
    evaluate = next(one for one in reference(described).shapes if one.name == "Evaluate")
    kinds = {field.name: "".join(p.text for p in field.kind) for field in evaluate.fields}
    assert kinds["elements"] == "list (1 to 1000) of bytes as base64url (43 characters)"
    assert kinds["epoch"] == "integer (1 to 32767)"
    assert kinds["kind"] == "one of postal, vendor, pgp, phone, email, payment, item"
    assert kinds["case"] == "text (1 to 128 characters)"


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield path, method, methods[method]


def found(part: Any, key: str) -> Iterator[Any]:
    """Every string under `key`, however deep."""
    if isinstance(part, dict):
        for name, inner in part.items():
            if name == key and isinstance(inner, str):
                yield inner
            yield from found(inner, key)
    elif isinstance(part, list):
        for inner in part:
            yield from found(inner, key)


def sent_shapes(described: dict[str, Any]) -> set[str]:
    """Names of the shapes that requests are made of."""
    waiting = [
        reference.rpartition("/")[2]
        for _, _, operation in operations(described)
        for reference in found(operation.get("requestBody", {}), "$ref")
    ]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            inner = found(described["components"]["schemas"][name], "$ref")
            waiting += [reference.rpartition("/")[2] for reference in inner]
    return seen
