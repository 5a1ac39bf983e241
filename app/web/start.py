"""What the web room keeps for the life of the process: headers, languages and the page's frame."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from flask import Flask

from app.access import current_caller
from app.audit.reading import ReadEntry
from app.audit.wording import install_wording
from app.runtime import Runtime
from app.web import act_names, sentences
from app.web.frame import page_frame
from app.web.headers import install_headers
from app.web.languages import install_languages
from app.web.log_words import LogWords
from app.web.notices import alarm_remedy, alarm_title, notice_words
from app.web.premises_words import premises_words
from app.web.telling import telling


def start(app: Flask, runtime: Runtime) -> None:
    """Furnish every page; called once by `create_app`."""
    install_headers(app, runtime.settings)
    install_languages(app)
    install_wording(app, LogWords())
    runtime.add(telling())
    app.jinja_env.globals.update(page_frame=page_frame, premises_words=premises_words)
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
    app.jinja_env.tests["pseudonym"] = _is_pseudonym
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


def _sentence(entry: ReadEntry, names: Mapping[str, str]) -> str:
    return sentences.sentence(entry.fields, entry.details, names)
