"""Free text over codes: what a word means, and that nothing else is searched."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.audit.catalogue import CATALOGUE, Operation
from app.audit.words import MOST_WORDS, Meaning, understand

MEMBERS = {"police-de": "Police of Exampleland", "post-be": "Poste Été"}
FRENCH = {"lookup.ask": "Recherche", "criminal_investigation": "enquête pénale"}


class Wording:
    """French words for two codes; the others stand for themselves."""

    def act_name(self, act: str) -> str:
        return FRENCH.get(act, act)

    def act_meaning(self, act: str) -> str:
        return CATALOGUE[act].meaning

    def words(self, value: str, kind: str) -> str:
        return FRENCH.get(value, value)

    def sentence(
        self, record: Mapping[str, Any], details: Mapping[str, Any], names: Mapping[str, str]
    ) -> str:
        raise NotImplementedError

    def refusals(self) -> Mapping[str, str]:
        return {"not-allowed": "Your roles do not allow this"}

    def organisations(self, session: Session) -> Mapping[str, str]:
        raise NotImplementedError


def meaning(word: str) -> Meaning:
    found = understand(word, Wording(), MEMBERS)
    assert found.unknown == ()
    return found.meanings[word]


@pytest.mark.parametrize(
    ("word", "field", "code"),
    [
        ("lookup.ask", "acts", "lookup.ask"),
        ("recherche", "acts", "lookup.ask"),
        ("RECHER", "acts", "lookup.ask"),
        ("enquête", "purposes", "criminal_investigation"),
        ("enquete", "purposes", "criminal_investigation"),
        ("criminal_investigation", "purposes", "criminal_investigation"),
        ("investigation", "purposes", "criminal_investigation"),
        ("postal", "bases", "postal_law"),
        ("denied", "outcomes", "denied"),
        ("policy-draft", "object_types", "policy-draft"),
        ("police-de", "organisations", "police-de"),
        ("exampleland", "organisations", "police-de"),
        ("ete", "organisations", "post-be"),
        ("not-allowed", "refusals", "not-allowed"),
        ("roles", "refusals", "not-allowed"),
    ],
)
def test_a_word_means_the_codes_that_it_begins(word: str, field: str, code: str) -> None:
    assert code in getattr(meaning(word), field)


def test_an_operation_means_its_acts() -> None:
    erasure = {name for name, known in CATALOGUE.items() if known.operation is Operation.ERASURE}
    assert meaning("erasure").acts >= erasure


def test_a_whole_code_means_no_other_act() -> None:
    assert meaning("lookup.ask").acts == {"lookup.ask"}


@pytest.mark.parametrize("word", ["Sophie", "PV-2024-17", "x9x", "...", "ookup", "%"])
def test_what_begins_no_code_is_unknown(word: str) -> None:
    found = understand(word, Wording(), MEMBERS)
    assert (found.meanings, found.unknown) == ({}, (word,))


def test_the_log_is_told_known_words_alone() -> None:
    found = understand("lookup Sophie denied", Wording(), MEMBERS)
    assert found.told() == "lookup denied ?"
    assert found.unknown == ("Sophie",)


def test_words_beyond_the_most_are_not_looked_at() -> None:
    found = understand("denied " * MOST_WORDS + "Sophie", Wording(), MEMBERS)
    assert (list(found.meanings), found.unknown) == (["denied"], ())
