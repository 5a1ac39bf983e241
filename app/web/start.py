"""What the web room keeps for the life of the process: headers, languages and the page's frame."""

from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Flask

from app.audit.reading import ReadEntry
from app.runtime import Runtime
from app.web import sentences
from app.web.frame import page_frame
from app.web.headers import install_headers
from app.web.languages import install_languages


def start(app: Flask, runtime: Runtime) -> None:
    """Furnish every page; called once by `create_app`."""
    install_headers(app, runtime.settings)
    install_languages(app)
    app.jinja_env.globals["page_frame"] = page_frame
    app.jinja_env.filters.update(
        act_meaning=sentences.act_meaning,
        act_name=sentences.act_name,
        moment=_moment,
        sentence=_sentence,
        short_id=sentences.short_id,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _sentence(entry: ReadEntry, names: Mapping[str, str]) -> str:
    return sentences.sentence(entry.fields, entry.details, names)
