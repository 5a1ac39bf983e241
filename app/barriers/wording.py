"""A model's texts and words on pages: in the reader's language, else marked as another one."""

from flask import Flask
from flask_babel import get_locale
from markupsafe import Markup

from app.barriers.model import Wording
from app.barriers.words import words
from postern.patterns.words import LANGUAGES


def install_wording(app: Flask) -> None:
    """Give the templates a model's texts and the words of its closed lists."""
    app.jinja_env.filters["worded"] = worded
    app.jinja_env.filters["model_word"] = model_word


def worded(wording: Wording) -> Markup:
    """The text in the page's language; one that the model has not in it says which it is in."""
    spoken = spoken_language()
    text, language = wording.said(spoken)
    if language == spoken:
        return Markup("{}").format(text)
    return Markup('<span lang="{}">{}</span>').format(language, text)


def model_word(value: str, kind: str) -> str:
    """A value of a closed list of a model, such as `cost`, in words.

    Raises KeyError for a list or a value that there is not.
    """
    return words(spoken_language()).names[kind][str(value)]


def spoken_language() -> str:
    """The language of the page; English where models know no words of it."""
    locale = get_locale()
    spoken = str(locale.language) if locale else "en"
    return spoken if spoken in LANGUAGES else "en"
