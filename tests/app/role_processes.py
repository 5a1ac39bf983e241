"""Processes of the platform, each with the database role of its work, on one PostgreSQL."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import make_url, text

from app import create_app
from app.config import Settings
from app.database import Database
from app.database_roles import Work, grant
from tests.app.people import runtime_of


def role_of(database: Database, work: Work, *, evaluates: bool = True) -> str:
    """The name of a role that may sign in, with the rights of the work."""
    role = f"test_{work.value}"
    with database.engine.begin() as connection:
        known = connection.execute(text(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"))  # noqa: S608 - a name of this file
        if known.first() is None:
            connection.execute(text(f"CREATE ROLE {role} LOGIN"))
    grant(database, role, work, evaluates=evaluates)
    return role


@contextmanager
def process(
    settings: Settings,
    database: Database,
    work: Work,
    *,
    mode: str = "platform",
    evaluates: bool = True,
) -> Iterator[Flask]:
    """The platform as the process of a work runs it; `database` is the owner's."""
    role = role_of(database, work, evaluates=evaluates)
    url = make_url(settings.database.url).set(username=role)
    made = create_app(
        dataclasses.replace(
            settings,
            platform=dataclasses.replace(settings.platform, mode=mode, evaluates=evaluates),
            database=dataclasses.replace(
                settings.database, url=url.render_as_string(hide_password=False)
            ),
        )
    )
    try:
        yield made
    finally:
        runtime_of(made).database.dispose()
