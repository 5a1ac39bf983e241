"""Whether the process lives and can serve; public, and telling nothing else."""

import os
import sys
import time
from pathlib import Path

import structlog
from flask import Flask, Response, jsonify, request
from sqlalchemy.exc import SQLAlchemyError

from app import schema_version
from app.audit.guard import public
from app.errors import UnavailableError
from app.runtime import Runtime, runtime
from app.schema_version import SchemaMisfitError

log = structlog.get_logger(__name__)

DRAIN = "POSTERN_DRAIN_FILE"
"""Names a file: while it exists the process is to be left alone, since it will end."""

READINESS = "postern-readiness"
"""Under this name an app lists what else must hold: each takes the runtime, and raises."""

_ASK_AGAIN = 1.0  # seconds
_HEALTH = "/health/"


def install_health(app: Flask) -> None:
    """Add /health/live (the process answers) and /health/ready (it should be given work)."""
    gate = _Gate()
    app.extensions["postern-schema-gate"] = gate
    drain = Path(os.environ[DRAIN]) if os.environ.get(DRAIN) else None

    @app.before_request
    def need_a_schema() -> None:
        if not gate.is_open and not request.path.startswith(_HEALTH):
            gate.ask(runtime())

    if drain is not None:

        @app.after_request
        def let_go(response: Response) -> Response:
            if drain.exists():
                response.headers["Connection"] = "close"
            return response

    @app.get("/health/live")
    @public
    def live() -> Response:
        return jsonify(status="ok")

    @app.get("/health/ready")
    @public
    def ready() -> Response:
        if drain is not None and drain.exists():
            raise UnavailableError("This process is about to end and takes no new work.")
        _demand_schema(runtime())
        for demand in app.extensions.get(READINESS, ()):
            demand(runtime())
        return jsonify(status="ok")


def tell_schema(app: Flask) -> None:
    """At the start of a process: say plainly what does not fit, and answer 503 until it does."""
    gate: _Gate = app.extensions["postern-schema-gate"]
    gate.is_open = False
    try:
        found = schema_version.look(app.extensions["postern"].database)
    except SQLAlchemyError:
        return  # each request says so
    if found.fits:
        gate.is_open = True
        return
    log.error("schema does not fit", state=found.state.value, present=found.present)
    sys.stderr.write(f"{found.fault} {found.remedy}\n")


def fault_of(app: Flask) -> str:
    """Why this process cannot serve, and what to do about it; empty when it can."""
    try:
        found = schema_version.look(app.extensions["postern"].database)
    except SQLAlchemyError:
        return "The database does not answer."
    return "" if found.fits else f"{found.fault} {found.remedy}"


class _Gate:
    """Whether requests are let in; closed by `tell_schema` alone, until the schema fits."""

    def __init__(self) -> None:
        self.is_open = True
        self.asked_at = -_ASK_AGAIN

    def ask(self, of: Runtime) -> None:
        """Open when the schema fits by now, else raise; the database is asked once a second."""
        if time.monotonic() < self.asked_at + _ASK_AGAIN:
            raise SchemaMisfitError
        self.asked_at = time.monotonic()
        _demand_schema(of)
        self.is_open = True


def _demand_schema(of: Runtime) -> None:
    try:
        found = schema_version.look(of.database)
    except SQLAlchemyError:
        raise UnavailableError("The database does not answer.") from None
    if not found.fits:
        raise SchemaMisfitError(found.fault, part="schema")
