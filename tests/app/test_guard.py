"""No answer with content leaves without an entry that is durable before it."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask, Response, g
from flask.testing import FlaskClient
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema, fields
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from app.audit.guard import audited, caller, public, transaction
from app.audit.models import AuditAudience, AuditDetail
from app.audit.service import append
from app.config import Settings
from app.database import Database
from app.errors import NotFoundError
from postern.audit.record import open_disclosures
from postern.vocabulary import Role, Scope
from tests.app.audit.test_service import refuse_inserts
from tests.app.bare import bare_app, count_entries, give_tag_keys, member

SECRET = "what the view knows"


@pytest.fixture
def bare(settings: Settings, database: Database) -> Iterator[Flask]:
    give_tag_keys(database, "police-de")
    app = bare_app(settings, database)
    _add_views(app)
    _add_failing_views(app)
    _add_parsing_view(app)
    yield app
    app.extensions["postern"].database.dispose()


@pytest.fixture
def analyst(bare: Flask) -> FlaskClient:
    bare.extensions["caller"] = member(roles=[Role.ANALYST])
    return bare.test_client()


class OneFieldSchema(Schema):
    class Meta:
        unknown = RAISE

    number = fields.Integer(required=True)


def _add_views(app: Flask) -> None:
    @app.get("/api/told")
    @audited("report.read", roles=[Role.ANALYST], scope=Scope.REPORTS_READ)
    def told() -> str:
        append(transaction(), caller(), "report.read")
        return SECRET

    @app.get("/api/untold")
    @audited("report.read")
    def untold() -> str:
        return SECRET

    @app.get("/api/unguarded")
    def unguarded() -> Response:
        response = Response(SECRET)
        response.set_cookie("secret", SECRET)
        return response

    @app.get("/api/public")
    @public
    def open_to_all() -> str:
        return "keys"

    @app.get("/api/any-token")
    @audited("interface.read", any_scope=True)
    def any_token() -> str:
        append(transaction(), caller(), "interface.read")
        return SECRET

    @app.get("/api/folder/")
    @audited("report.list")
    def folder() -> str:
        append(transaction(), caller(), "report.list")
        return SECRET


def _add_failing_views(app: Flask) -> None:
    @app.get("/api/streamed")
    @audited("report.list")
    def streamed() -> Response:
        append(transaction(), caller(), "report.list")
        return Response(part for part in [SECRET])

    @app.get("/api/missing")
    @audited("report.read")
    def missing() -> str:
        append(transaction(), caller(), "report.read")
        raise NotFoundError

    @app.get("/api/broken")
    @audited("report.read")
    def broken() -> str:
        append(transaction(), caller(), "report.read")
        raise ZeroDivisionError(SECRET)

    @app.get("/api/uncommittable")
    @audited("report.read")
    def uncommittable() -> str:
        append(transaction(), caller(), "report.read")
        _break_the_commit()
        return SECRET


def _add_parsing_view(app: Flask) -> None:
    blueprint = Blueprint("described", __name__)

    @blueprint.post("/api/parsed")
    @audited("report.submit")
    @blueprint.arguments(OneFieldSchema)
    @blueprint.response(200)
    def parsed(payload: dict[str, int]) -> dict[str, int]:
        append(transaction(), caller(), "report.submit")
        return payload

    app.extensions["postern-api"].register_blueprint(blueprint)


def test_the_entry_is_durable_before_the_answer_leaves(bare: Flask, database: Database) -> None:
    seen: list[tuple[str, int]] = []
    bare.extensions["caller"] = member(roles=[Role.ANALYST])

    @bare.get("/api/watched")
    @audited("report.read")
    def watched() -> str:
        append(transaction(), caller(), "report.read")
        seen.append(("while the view runs", count_entries(database)))
        return SECRET

    @bare.after_request
    def answer_is_made(response: Response) -> Response:
        seen.append(("before the answer leaves", count_entries(database)))
        return response

    assert bare.test_client().get("/api/watched").text == SECRET
    assert seen == [("while the view runs", 0), ("before the answer leaves", 1)]


def test_an_endpoint_without_guard_is_an_error_without_its_body(analyst: FlaskClient) -> None:
    response = analyst.get("/api/unguarded")
    assert response.status_code == 500
    assert_nothing_leaked(response)
    assert "Set-Cookie" not in response.headers


def test_a_view_that_appends_nothing_is_an_error_and_logged_as_one(
    analyst: FlaskClient, database: Database
) -> None:
    response = analyst.get("/api/untold")
    assert response.status_code == 500
    assert_nothing_leaked(response)
    assert entries(database) == [("report.read", "error", "unexpected-error")]


def test_a_body_that_is_made_after_the_commit_is_refused(
    analyst: FlaskClient, database: Database
) -> None:
    response = analyst.get("/api/streamed")
    assert response.status_code == 500
    assert_nothing_leaked(response)
    assert entries(database) == [("report.list", "error", "unexpected-error")]


def test_a_commit_that_fails_is_an_error_without_data(
    analyst: FlaskClient, database: Database
) -> None:
    response = analyst.get("/api/uncommittable")
    assert response.status_code == 500
    assert_nothing_leaked(response)
    assert entries(database) == [("report.read", "error", "unexpected-error")]


def test_an_entry_that_cannot_be_stored_is_an_error_without_data(
    analyst: FlaskClient, database: Database
) -> None:
    refuse_inserts(database, "audit_entry")
    response = analyst.get("/api/told")
    assert response.status_code == 500
    assert_nothing_leaked(response)
    assert count_entries(database) == 0


def test_a_denial_is_answered_403_and_logged_once(bare: Flask, database: Database) -> None:
    bare.extensions["caller"] = member(roles=[Role.SUBMITTER])
    response = bare.test_client().get("/api/told")
    assert response.status_code == 403
    assert_nothing_leaked(response)
    assert entries(database) == [("report.read", "denied", "not-allowed")]


def test_a_denial_that_cannot_be_logged_is_an_error(bare: Flask, database: Database) -> None:
    bare.extensions["caller"] = member(roles=[Role.SUBMITTER])
    refuse_inserts(database, "audit_queue")
    assert bare.test_client().get("/api/told").status_code == 500
    assert count_entries(database) == 0


def test_a_stranger_is_answered_401_and_not_logged(bare: Flask, database: Database) -> None:
    response = bare.test_client().get("/api/told")
    assert response.status_code == 401
    assert_nothing_leaked(response)
    assert count_entries(database) == 0


@pytest.mark.parametrize(
    ("scopes", "status"),
    [([Scope.REPORTS_READ], 200), ([Scope.REPORTS_WRITE], 403), ([], 403), (None, 200)],
    ids=["its scope", "another scope", "no scope", "a session"],
)
def test_a_token_needs_the_scope_of_the_act(
    bare: Flask, scopes: list[Scope] | None, status: int
) -> None:
    bare.extensions["caller"] = member(roles=[Role.ANALYST], scopes=scopes)
    assert bare.test_client().get("/api/told").status_code == status


def test_a_scope_does_not_replace_the_role(bare: Flask) -> None:
    bare.extensions["caller"] = member(roles=[Role.APPROVER], scopes=[Scope.REPORTS_READ])
    assert bare.test_client().get("/api/told").status_code == 403


def test_an_act_without_scope_refuses_tokens_unless_it_takes_any(bare: Flask) -> None:
    bare.extensions["caller"] = member(roles=[Role.ANALYST], scopes=list(Scope))
    assert bare.test_client().get("/api/untold").status_code == 403
    assert bare.test_client().get("/api/any-token").status_code == 200


def test_what_a_failed_act_did_is_undone_and_its_failure_is_logged(
    analyst: FlaskClient, database: Database
) -> None:
    assert analyst.get("/api/missing").status_code == 404
    assert analyst.get("/api/broken").status_code == 500
    assert entries(database) == [
        ("report.read", "error", "not-found"),
        ("report.read", "error", "unexpected-error"),
    ]


def test_a_request_that_cannot_be_read_is_logged_too(
    analyst: FlaskClient, database: Database
) -> None:
    assert analyst.post("/api/parsed", json={"number": "x", SECRET: 1}).status_code == 422
    malformed = analyst.post("/api/parsed", data="{", content_type="application/json")
    assert malformed.status_code == 400
    assert analyst.post("/api/parsed", json={"number": 7}).json == {"number": 7}
    assert entries(database) == [
        ("report.submit", "error", "http-422"),
        ("report.submit", "error", "http-400"),
        ("report.submit", "ok", None),
    ]


def test_a_public_view_leaves_no_entry(bare: Flask, database: Database) -> None:
    assert bare.test_client().get("/api/public").text == "keys"
    assert count_entries(database) == 0


def test_an_audited_answer_does_not_excuse_the_next_one(bare: Flask) -> None:
    # `g` lives as long as the application context, which a command or a test may hold open.
    bare.extensions["caller"] = member(roles=[Role.ANALYST])
    with bare.app_context():
        assert bare.test_client().get("/api/told").status_code == 200
        assert g.audited
        assert bare.test_client().get("/api/unguarded").status_code == 500


def test_a_missing_slash_is_corrected_without_an_act(
    analyst: FlaskClient, database: Database
) -> None:
    response = analyst.get("/api/folder")
    assert response.status_code == 308
    assert response.headers["Location"].endswith("/api/folder/")
    assert count_entries(database) == 0


def test_options_are_not_an_answer_without_an_act(analyst: FlaskClient) -> None:
    assert analyst.options("/api/told").status_code == 405


def test_an_act_outside_the_catalogue_cannot_guard_a_view() -> None:
    with pytest.raises(LookupError, match="catalogue"):
        audited("report.peek")


def test_every_endpoint_of_the_platform_is_audited_public_or_says_why_not(app: Flask) -> None:
    unguarded = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if not is_guarded(app.view_functions[rule.endpoint]) and rule.endpoint != "static"
    ]
    assert unguarded == []


def test_no_guarded_endpoint_is_public_at_the_same_time(app: Flask) -> None:
    views = app.view_functions.values()
    both = [v for v in views if hasattr(v, "audit_act") and hasattr(v, "audit_public")]
    assert both == []


def is_guarded(view: Callable[..., object]) -> bool:
    return (
        hasattr(view, "audit_act")
        or getattr(view, "audit_public", False)
        or bool(getattr(view, "audit_unlogged", ""))
    )


def test_only_the_log_itself_is_read_without_an_entry(app: Flask) -> None:
    unlogged = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if hasattr(app.view_functions[rule.endpoint], "audit_unlogged")
    ]
    assert unlogged
    assert all(rule.startswith("/audit/log/") for rule in unlogged)


def entries(database: Database) -> list[tuple[str, str, str | None]]:
    """Act, outcome and code of the refusal of every entry, in order."""
    with database.reading() as session:
        rows = session.execute(
            select(AuditAudience.act, AuditAudience.out, AuditDetail.disc)
            .join(AuditDetail, AuditDetail.eid == AuditAudience.eid)
            .order_by(AuditAudience.eid)
        )
        return [(act, out, open_disclosures(disc).get("refusal")) for act, out, disc in rows]


def assert_nothing_leaked(response: TestResponse) -> None:
    assert response.mimetype == "application/problem+json"
    assert SECRET not in response.text
    assert SECRET not in str(response.headers)


def _break_the_commit() -> None:
    """Leave the transaction in a state that the database refuses at COMMIT, not before."""
    session = transaction()
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("PRAGMA defer_foreign_keys=ON"))
        session.execute(text("INSERT INTO community_member VALUES (404, 404)"))
        return
    session.execute(text("CREATE TEMP TABLE owner (id int PRIMARY KEY)"))
    session.execute(
        text("CREATE TEMP TABLE owned (id int REFERENCES owner DEFERRABLE INITIALLY DEFERRED)")
    )
    session.execute(text("INSERT INTO owned VALUES (404)"))
