"""The entry of web servers: `gunicorn wsgi:app`, and of commands: `flask --app wsgi`."""

from app import create_app

app = create_app()
