"""A page can say, in every language, whatever its worker may refuse."""

import re
from pathlib import Path

from flask import Flask

from app.web.languages import LANGUAGES, locale_of
from app.web.premises_words import premises_words

MODULES = Path(__file__).parents[3] / "app" / "web" / "modules"
_REFUSAL = re.compile(
    r"new NormalisationError\(\s*[\w\"]+,\s*([`\"])(?P<reason>.*?)\1,\s*([`\"])(?P<remedy>.*?)\3",
    re.DOTALL,
)
_LIMITS = {
    "${MAX_FIELD_LENGTH}": "200",
    "${MAX_FIELD_LENGTH * 2}": "400",
    "${MAX_LINES}": "6",
    "${MIN_LENGTH}": "6",
}


def sentences_of_the_modules() -> set[str]:
    said = set()
    for source in (MODULES / "normalise").glob("*.js"):
        for found in _REFUSAL.finditer(source.read_text("utf-8")):
            said.update(filled(found[part]) for part in ("reason", "remedy"))
    return said


def filled(sentence: str) -> str:
    for written, value in _LIMITS.items():
        sentence = sentence.replace(written, value)
    return sentence


def test_each_sentence_of_the_normaliser_stands_in_the_list(app: Flask) -> None:
    sentences = sentences_of_the_modules()
    assert len(sentences) > 30
    with app.test_request_context():
        known = premises_words()
    assert sentences <= known.keys()


def test_each_sentence_is_said_in_every_language(app: Flask) -> None:
    spoken = {}
    for code in LANGUAGES:
        with app.test_request_context(headers={"Accept-Language": str(locale_of(code))}):
            spoken[code] = premises_words()
    for code in ("fr", "nl", "de"):
        assert spoken[code].keys() == spoken["en"].keys()
        same = {key for key, said in spoken[code].items() if said == spoken["en"][key]}
        assert same == set(), code
