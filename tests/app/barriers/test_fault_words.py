"""Every sentence of what may be wrong with a model is known to the pages, in words."""

from pathlib import Path

import pytest
from flask import Flask

from app.barriers.errors import ModelError
from app.barriers.fault_words import SENTENCES, fault_in_words
from app.patterns import fault_words
from postern.yaml_documents import Fault
from tests.app.barriers.texts import changed, model
from tests.app.patterns import test_fault_words as of_language

_ROOM = Path(__file__).parents[3] / "app" / "barriers"
_FILES = ("documents", "parts", "step_reading", "suggestion_reading", "modelling")
_FOUND = sorted(set(of_language.written(_ROOM / f"{name}.py" for name in _FILES)))

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@on_one_database
def test_each_sentence_of_the_sources_is_known(app: Flask) -> None:
    assert len(_FOUND) > 50
    with app.test_request_context(headers={"Accept-Language": "fr"}):
        told = {
            text: fault_in_words(Fault(1, 1, text, "Remove some."))
            for text in _FOUND
            if " " in text and not of_language.is_filled(text)
        }
    assert [text for text, words in told.items() if words.language == "en"] == []


@on_one_database
def test_a_fault_is_told_with_what_it_names(app: Flask) -> None:
    with pytest.raises(ModelError) as caught:
        model(changed("set_by: [police]", "set_by: [polis, police, police]"))
    with app.test_request_context(headers={"Accept-Language": "en"}):
        told = {f"{each.reason} {each.remedy}" for each in map(fault_in_words, caught.value.faults)}
    assert told == {
        "set_by has 'polis', which is not known. Did you mean police?",
        "set_by has 'police' twice. Remove one.",
    }


def test_no_sentence_stands_twice() -> None:
    english = [str(each._args[0]) for each in (*SENTENCES, *fault_words.SENTENCES)]
    assert len(english) == len(set(english))
