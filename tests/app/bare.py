"""A platform without rooms: problems, guard and database, and whatever views a test adds."""

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from flask import Flask, g
from sqlalchemy import func, select

from app.access import Caller, Means
from app.audit.guard import refuse_unaudited
from app.audit.models import AuditEntry
from app.audit.service import create_tag_key
from app.config import Settings
from app.database import Database
from app.logs import configure_logs
from app.problems import install_problems
from app.request_records import install_records
from app.runtime import Runtime
from app.secret_files import read as read_secrets
from app.web.openapi import Interface
from postern.vocabulary import Role, Scope

PERSON = UUID("018f0000-0000-7000-8000-000000000001")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """A service's clock, standing where the test puts it."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


def member(
    organisation: str = "police-de",
    roles: Collection[Role] = (),
    scopes: Collection[Scope] | None = None,
) -> Caller:
    """A person of `organisation`; with `scopes`, one who presents a token."""
    return Caller(
        person_id=1,
        person=PERSON,
        organisation_id=1,
        organisation=organisation,
        roles=frozenset(roles),
        scopes=None if scopes is None else frozenset(scopes),
        means=Means.SESSION if scopes is None else Means.TOKEN,
    )


def give_tag_keys(database: Database, *organisations: str) -> None:
    with database.transaction() as session:
        for organisation in organisations:
            create_tag_key(session, organisation)


def bare_app(settings: Settings, database: Database) -> Flask:
    """An application whose caller is what the test puts into `app.extensions["caller"]`."""
    app = Flask("app", template_folder=str(Path(__file__).parents[2] / "app/web/templates"))
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.config["API_TITLE"] = "Postern"
    app.config["API_VERSION"] = "v1"
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["MAX_CONTENT_LENGTH"] = settings.limit.body_bytes
    app.extensions["postern"] = Runtime(
        settings, database, read_secrets(Path(settings.secrets.directory))
    )
    app.extensions["caller"] = None
    configure_logs(settings.log)
    install_problems(app)
    install_records(app)
    app.extensions["postern-api"] = Interface(app, settings.platform.origin)

    @app.before_request
    def identify() -> None:
        g.caller = app.extensions["caller"]

    refuse_unaudited(app)
    return app


def count_entries(database: Database) -> int:
    """Entries that another connection sees."""
    with database.reading() as session:
        return session.execute(select(func.count()).select_from(AuditEntry)).scalar_one()
