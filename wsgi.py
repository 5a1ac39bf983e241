"""The entry of web servers: `gunicorn wsgi:app`, and of commands: `flask --app wsgi`."""

import sys

from app import create_app
from app.errors import StartRefusedError
from app.health import tell_schema

_APP_CANNOT_LOAD = 4  # gunicorn ends on a worker with this status, and begins no other in its place

try:
    app = create_app()
    tell_schema(app)
except StartRefusedError as refusal:
    sys.stderr.write(f"{refusal}\n")
    sys.exit(_APP_CANNOT_LOAD)
