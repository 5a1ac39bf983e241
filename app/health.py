"""Whether the process lives and can serve; public, and telling nothing else."""

from flask import Flask, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from app.audit.guard import public
from app.errors import UnavailableError
from app.runtime import runtime


def install_health(app: Flask) -> None:
    """Add /health/live (the process answers) and /health/ready (the database does too)."""

    @app.get("/health/live")
    @public
    def live() -> Response:
        return jsonify(status="ok")

    @app.get("/health/ready")
    @public
    def ready() -> Response:
        try:
            runtime().database.is_reachable()
        except SQLAlchemyError:
            raise UnavailableError("The database does not answer.") from None
        return jsonify(status="ok")
