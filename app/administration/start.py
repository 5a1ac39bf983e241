"""What this room keeps for the life of the process: the duty that notes sizes, and its words."""

from datetime import timedelta

from flask import Flask

from app.administration import health_words, metrics_console, size
from app.jobs.service import duty
from app.runtime import Runtime


def start(app: Flask, runtime: Runtime) -> None:
    """Put the duty on the list, and give the templates the words of the checks."""
    app.cli.add_command(metrics_console.commands)
    duty(runtime, "sizes.note", timedelta(days=1), size.note)
    app.jinja_env.filters.update(
        finding_words=health_words.finding_words,
        light_words=health_words.light_words,
        part_words=health_words.part_words,
        remedy_words=health_words.remedy_words,
    )
