"""Help stands beside the fields that need it, in every language."""

import re
from pathlib import Path

import pytest
from flask import Flask

from app.web.help_words import TOPICS
from app.web.languages import LANGUAGES, locale_of
from postern.vocabulary import Handling, InformationGrade, SourceGrade, Tlp

TEMPLATES = Path(__file__).parents[3] / "app" / "web" / "templates"
_ASKED = re.compile(r"help_about\(\"([a-z_]+)\"")


def asked() -> dict[str, set[str]]:
    """File to topics that it names."""
    return {
        str(path.relative_to(TEMPLATES)): set(_ASKED.findall(path.read_text()))
        for path in TEMPLATES.rglob("*.html")
    }


def test_pages_name_topics_that_there_are_and_every_topic_is_named() -> None:
    named = set().union(*asked().values())
    assert named - TOPICS.keys() == set()
    assert TOPICS.keys() - named == set()


@pytest.mark.parametrize(
    ("topic", "codes"),
    [
        ("grades", [*SourceGrade, *InformationGrade]),
        ("handling", [*Handling]),
        ("tlp", [*Tlp]),
    ],
)
def test_every_code_that_a_field_offers_is_explained(topic: str, codes: list[str]) -> None:
    assert [code for code, _meaning in TOPICS[topic].codes] == codes


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_help_is_said_in_every_language(app: Flask, code: str) -> None:
    for name, topic in TOPICS.items():
        told = [topic.question, topic.answer, *(meaning for _, meaning in topic.codes)]
        with app.test_request_context(headers={"Accept-Language": "en"}):
            english = [str(sentence) for sentence in told]
        with app.test_request_context(headers={"Accept-Language": locale_of(code)}):
            spoken = [str(sentence) for sentence in told]
        assert all(a != b for a, b in zip(english, spoken, strict=True)), name
