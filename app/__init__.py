"""The platform: a Flask service that all organisations share.

`create_app` reads the settings and the secrets, opens the database and furnishes the rooms. Every
room has the same furniture; this is the only place that knows them all.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flask import Flask

from app.audit.guard import refuse_unaudited
from app.config import DatabaseSettings, Settings, load
from app.database import Database
from app.errors import StartRefusedError
from app.health import READINESS, install_health
from app.json_bodies import bound_json
from app.logs import configure_logs
from app.origin import install_origin
from app.patient_connection import Patience
from app.problems import install_problems
from app.request_records import install_records
from app.runtime import Runtime
from app.secret_files import read as read_secrets
from app.secret_files import read_metrics_key
from app.web.openapi import Interface

ROOMS = (
    "jobs",
    "audit",
    "organisations",
    "accounts",
    "pseudonyms",
    "sharing",
    "indicators",
    "patterns",
    "lookups",
    "disclosures",
    "exchange",
    "barriers",
    "compliance",
    "administration",
    "web",
)
"""From the floor up; a room imports only from those below (an import contract holds it)."""

_EVALUATOR_ROOMS = ("jobs", "audit", "organisations", "accounts", "pseudonyms")
"""What a process that evaluates and does nothing else has: the callers, the keys, the budgets."""

_HOLDER_ROOMS = ("jobs", "audit", "organisations", "pseudonyms")
_HOLDER_FURNITURE = ("holder_api", "holder_console")
"""What a holder of key shares has: it evaluates what organisations signed, and keeps its log."""


class _Service(Flask):
    """Flask without the question, for each hook of each request, whether it is a coroutine."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is: none of ours is a coroutine."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """The service, ready to answer; StartRefusedError names what is wrong and the remedy."""
    settings = settings or load()
    configure_logs(settings.log)
    app = _Service(
        "app",
        root_path=str(Path(__file__).parent),
        template_folder="web/templates",
        static_folder="web/static",
    )
    secrets = read_secrets(Path(settings.secrets.directory), evaluates=settings.platform.evaluates)
    runtime = Runtime(
        settings=settings,
        database=_opened(settings.database),
        secrets=secrets,
    )
    app.extensions["postern"] = runtime
    app.config.update(
        SECRET_KEY=secrets.cookies,
        MAX_CONTENT_LENGTH=settings.limit.body_bytes,
        SESSION_COOKIE_NAME="postern",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.platform.secure_cookies,
        API_TITLE=settings.platform.name,
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        PROVIDE_AUTOMATIC_OPTIONS=False,  # an answer without an act
    )
    api = Interface(app, settings.platform.origin)
    app.extensions["postern-api"] = api
    install_problems(app)  # after Api, whose own handler of HTTP errors it replaces
    recording = install_records(app)
    install_origin(app, settings)
    bound_json(app)
    install_health(app)
    metrics_key = read_metrics_key(Path(settings.secrets.directory))
    if metrics_key is not None:
        metrics = import_module("app.request_metrics")
        metrics.install_metrics(app, recording, runtime.database, metrics_key)
    if settings.platform.mode == "holder":
        _furnish_holder(app, api, runtime)
    elif settings.platform.mode == "evaluator":
        _furnish_evaluator(app, api, runtime)
    else:
        _furnish(app, api, runtime)
        app.cli.add_command(import_module("app.pseudonyms.holder_console").commands)
    refuse_unaudited(app)
    return app


def _opened(told: DatabaseSettings) -> Database:
    database = Database(told.url, told.pool_size, Patience.told(told), told.replica_url)
    try:
        database.demand_replica()
    except StartRefusedError:
        database.dispose()
        raise
    return database


def _furnish(app: Flask, api: Interface, runtime: Runtime) -> None:
    """Bring in what each room has of `start` (what it keeps), `api`, `pages` and `console`."""
    for room in ROOMS:
        for furniture in ("start", "api", "pages", "console"):
            name = f"app.{room}.{furniture}"
            if find_spec(name) is None:
                continue
            module = import_module(name)
            if furniture == "start":
                module.start(app, runtime)
            elif furniture == "api":
                for blueprint in getattr(module, "blueprints", None) or (module.blueprint,):
                    api.register_blueprint(blueprint)
            elif furniture == "pages":
                for blueprint in getattr(module, "blueprints", None) or (module.blueprint,):
                    app.register_blueprint(blueprint)
            else:
                app.cli.add_command(module.commands)


def _furnish_evaluator(app: Flask, api: Interface, runtime: Runtime) -> None:
    """Bring in what blind evaluation needs: no page, no command; its verbs beside health."""
    for room in _EVALUATOR_ROOMS:
        if find_spec(name := f"app.{room}.start") is not None:
            import_module(name).start(app, runtime)
    import_module("app.web.headers").install_headers(app, runtime.settings)
    api.register_blueprint(import_module("app.pseudonyms.api").blueprint)
    api.register_blueprint(import_module("app.patterns.filter_api").bulk)


def _furnish_holder(app: Flask, api: Interface, runtime: Runtime) -> None:
    """Bring in what a holder needs: no page, no account, and two verbs beside health."""
    for room in _HOLDER_ROOMS:
        for furniture in ("start", "console"):
            name = f"app.{room}.{furniture}"
            if find_spec(name) is None:
                continue
            module = import_module(name)
            if furniture == "start":
                module.start(app, runtime)
            elif room != "pseudonyms":
                app.cli.add_command(module.commands)
    verbs, console = (import_module(f"app.pseudonyms.{each}") for each in _HOLDER_FURNITURE)
    for blueprint in verbs.blueprints:
        api.register_blueprint(blueprint)
    app.cli.add_command(console.commands)
    app.extensions[READINESS] = [import_module("app.pseudonyms.holder_health").demand_shares]
