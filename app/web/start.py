"""What the web room keeps for the life of the process: headers, languages and the page's frame."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from uuid import UUID

from flask import Flask

from app.access import current_caller
from app.audit.reading import ReadEntry
from app.audit.wording import install_wording
from app.runtime import Runtime
from app.web import act_names, sentences
from app.web.appearance import install_appearance
from app.web.chart_words import chart_words
from app.web.compression import install_compression
from app.web.frame import page_frame
from app.web.headers import install_headers
from app.web.help_words import help_topic
from app.web.languages import install_languages
from app.web.log_words import LogWords
from app.web.notices import alarm_remedy, alarm_title, notice_words
from app.web.premises_words import holder_kinds, premises_words
from app.web.search_words import search_words
from app.web.telling import telling
from app.web.ways import may_open


def start(app: Flask, runtime: Runtime) -> None:
    """Furnish every page; called once by `create_app`."""
    install_headers(app, runtime.settings)
    install_compression(app)
    install_languages(app)
    install_appearance(app)
    install_wording(app, LogWords())
    runtime.add(telling())
    app.jinja_env.globals.update(
        help_topic=help_topic,
        may_open=_may_open,
        page_frame=page_frame,
        holder_kinds=holder_kinds,
        premises_words=premises_words,
        search_words=search_words,
    )
    app.jinja_env.filters.update(
        act_meaning=act_names.act_meaning,
        alarm_remedy=alarm_remedy,
        alarm_title=alarm_title,
        notice_words=notice_words,
        act_name=act_names.act_name,
        moment=_moment,
        sentence=_sentence,
        short_id=sentences.short_id,
    )
    app.jinja_env.filters["uuid"] = UUID
    app.jinja_env.filters["as_day"] = date.fromisoformat
    app.jinja_env.tests["pseudonym"] = _is_pseudonym
    app.jinja_env.globals["chart_words"] = chart_words
    app.jinja_env.globals["own_organisation"] = _own_organisation
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _is_pseudonym(actor: object) -> bool:
    """Whether a person acted, and not the console or somebody unknown."""
    try:
        return str(UUID(str(actor))) == actor
    except ValueError:
        return False


def _own_organisation() -> str:
    caller = current_caller()
    return caller.organisation if caller else ""


def _may_open(path: str) -> bool:
    """Whether the person who reads the page may open that of a path without a record."""
    caller = current_caller()
    return caller is not None and may_open(caller, path)


def _sentence(entry: ReadEntry, names: Mapping[str, str]) -> str:
    return sentences.sentence(entry.fields, entry.details, names)
