"""`flask --app wsgi metrics ...`: the platform's gauges for Prometheus."""

import sys
from pathlib import Path

import click
from flask import Flask, current_app

from app.administration import exporter
from app.console import RoomCommands
from app.errors import StartRefusedError
from app.metrics_server import read_address
from app.runtime import runtime
from app.secret_files import read_metrics_key

LISTEN = "POSTERN_METRICS_LISTEN"
"""The environment variable that says where to listen."""

commands = RoomCommands("metrics", help="The platform's gauges for Prometheus.")


@commands.command()
@click.option(
    "--listen",
    default="127.0.0.1:9464",
    show_default=True,
    envvar=LISTEN,
    show_envvar=True,
    help="Address and port; beyond this machine only with metrics.key.",
)
def run(listen: str) -> None:
    """Answer GET /metrics with gauges read from the database, until SIGTERM or Ctrl-C."""
    try:
        key = read_metrics_key(Path(runtime().settings.secrets.directory))
        host, port = read_address(listen, has_key=key is not None)
    except StartRefusedError as refusal:
        raise click.ClickException(str(refusal)) from None
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        exporter.serve(exporter.Exporter(app), host, port, key)
    except OSError as error:
        raise click.ClickException(
            f"It cannot listen at {listen} ({error.strerror}). Choose another port with --listen."
        ) from None


@commands.command()
def show() -> None:
    """Print the gauges once, as Prometheus would read them; ends with 1 where one is missing."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    reading = exporter.Exporter(app)
    reading.look()
    told = exporter.exposition(reading).decode()
    click.echo(told, nl=False)
    is_whole = reading.is_up and not any(
        line.startswith("postern_facts_missing{") and not line.endswith(" 0.0")
        for line in told.splitlines()
    )
    sys.exit(0 if is_whole else 1)
