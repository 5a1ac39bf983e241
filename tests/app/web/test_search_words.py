"""The page of search can say, in every language, whatever is recognised, compared and found."""

import re
from enum import StrEnum
from pathlib import Path

import pytest
from flask import Flask

from app.web import search_words
from app.web.languages import LANGUAGES, locale_of
from postern.explanation import Agreement, ComparedPart
from postern.facet_kinds import FACET_WORDS, FACETS
from postern.normalise.values import FLAG_WORDS, Flag
from postern.recognise import SIGN_WORDS, Certainty, Sign

SCRIPTS = Path(__file__).parents[3] / "app" / "web" / "static" / "js"
_SAID = re.compile(r'\bsay\(\s*"(search\.[\w.]+)"(,\s*\{[^}]*\bnum\b)?')


def said() -> dict[str, str]:
    return search_words.search_words()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_script_of_search_finds_its_words(app: Flask, language: str) -> None:
    with app.test_request_context(headers={"Accept-Language": locale_of(language)}):
        words = said()
    found = [
        (key, bool(num))
        for script in SCRIPTS.glob("search*.js")
        for key, num in _SAID.findall(script.read_text("utf-8"))
    ]
    assert len(found) > 40
    for key, has_number in found:
        for form in (f"{key}.one", f"{key}.other") if has_number else (key,):
            assert words[form], form
    assert all(words.values())


@pytest.mark.parametrize(
    ("told", "values"),
    [
        (search_words.SIGNS, Sign),
        (search_words.CERTAINTIES, Certainty),
        (search_words.PARTS, ComparedPart),
        (search_words.AGREEMENTS, Agreement),
        (search_words.FLAGS, Flag),
    ],
)
def test_every_value_has_its_words(told: dict[StrEnum, object], values: type[StrEnum]) -> None:
    assert told.keys() == set(values)


def test_the_words_are_those_that_are_used_on_premises(app: Flask) -> None:
    with app.test_request_context():
        assert {sign: str(words) for sign, words in search_words.SIGNS.items()} == SIGN_WORDS
        assert {flag: str(words) for flag, words in search_words.FLAGS.items()} == FLAG_WORDS
        facets = {kind: str(words) for kind, words in search_words.FACET_WORDS.items()}
    assert facets == FACET_WORDS
    assert set(FACETS.values()) == facets.keys()
