"""JSON that people send: what nests too deeply, or holds a number too long to read, is malformed.

Python's reader raises RecursionError at about a thousand levels, and ValueError at a number of more
than 4,300 digits. Both would be a failure of the platform instead of the sender's mistake.
"""

import json
from typing import Any

from flask import Flask, Request
from flask.json.provider import DefaultJSONProvider
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser


class BoundedProvider(DefaultJSONProvider):
    """What `request.get_json` reads with; ValueError where the text cannot be read."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value; ValueError when the text is none, or too deep."""
        try:
            return super().loads(s, **kwargs)
        except RecursionError:
            raise ValueError("nested too deeply") from None


class BoundedParser(FlaskParser):
    """What the interface reads bodies with: every text that cannot be read is a 400."""

    def _raw_load_json(self, req: Request) -> Any:
        try:
            return super()._raw_load_json(req)
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise
        except (RecursionError, ValueError):
            raise json.JSONDecodeError("cannot be read", "{", 0) from None


def bound_json(app: Flask) -> None:
    """Let the application read JSON so."""
    app.json = BoundedProvider(app)


Blueprint.ARGUMENTS_PARSER = BoundedParser()  # before any room makes its blueprints
