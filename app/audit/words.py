"""Free text over codes: which entries the words of a question may mean.

A word is looked for in the codes of the log and in what they are called in the reader's language,
never in what anybody wrote: nothing here reads a detail. A word begins what it means.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import reduce

from app.audit.catalogue import CATALOGUE, OBJECT_TYPES, Operation
from app.audit.entry import Outcome
from app.audit.wording import Wording
from postern.vocabulary import LegalBasis, Purpose

MOST_WORDS = 8

_BREAK = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Meaning:
    """What one word may mean: an entry fits when one of the codes here is one of its own."""

    acts: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    bases: frozenset[str] = frozenset()
    outcomes: frozenset[str] = frozenset()
    object_types: frozenset[str] = frozenset()
    organisations: frozenset[str] = frozenset()  # acting
    refusals: frozenset[str] = frozenset()

    def __or__(self, other: "Meaning") -> "Meaning":
        names = [field.name for field in fields(self)]
        return Meaning(**{name: getattr(self, name) | getattr(other, name) for name in names})

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True)
class Words:
    """A question in words: each known word with what it may mean, and those that mean nothing."""

    meanings: Mapping[str, Meaning]
    unknown: tuple[str, ...] = ()

    def told(self) -> str:
        """The question as the log may hold it: a word that is no code may be anybody's name."""
        return " ".join([*self.meanings, *("?" for _ in self.unknown)])


def understand(question: str, wording: Wording, organisations: Mapping[str, str]) -> Words:
    """What each of the first MOST_WORDS words of the question may mean.

    `organisations` gives their names by their codes.
    """
    terms = list(_terms(wording, organisations))
    meanings: dict[str, Meaning] = {}
    unknown: list[str] = []
    for word in question.split()[:MOST_WORDS]:
        sought = _tokens(word)
        fits = [meaning for tokens, meaning in terms if _begin(sought, tokens)]
        if fits:
            meanings[word] = reduce(Meaning.__or__, fits)
        else:
            unknown.append(word)
    return Words(meanings, tuple(unknown))


def _terms(
    wording: Wording, organisations: Mapping[str, str]
) -> Iterator[tuple[list[str], Meaning]]:
    """The words by which each code is found."""
    for act in CATALOGUE:
        tokens = _tokens(act, wording.act_name(act), wording.act_meaning(act))
        yield tokens, Meaning(acts=frozenset({act}))
    for operation in Operation:
        acts = {name for name, known in CATALOGUE.items() if known.operation is operation}
        tokens = _tokens(operation.value, wording.words(operation.value, "Operation"))
        yield tokens, Meaning(acts=frozenset(acts))
    for purpose in Purpose:
        tokens = _tokens(purpose.value, wording.words(purpose.value, "Purpose"))
        yield tokens, Meaning(purposes=frozenset({purpose.value}))
    for basis in LegalBasis:
        tokens = _tokens(basis.value, wording.words(basis.value, "LegalBasis"))
        yield tokens, Meaning(bases=frozenset({basis.value}))
    for outcome in Outcome:
        tokens = _tokens(outcome.value, wording.words(outcome.value, "Outcome"))
        yield tokens, Meaning(outcomes=frozenset({outcome.value}))
    for object_type in OBJECT_TYPES:
        yield _tokens(object_type), Meaning(object_types=frozenset({object_type}))
    for code, name in organisations.items():
        yield _tokens(code, name), Meaning(organisations=frozenset({code}))
    for code, words in wording.refusals().items():
        yield _tokens(code, words), Meaning(refusals=frozenset({code}))


def _begin(sought: list[str], tokens: list[str]) -> bool:
    return bool(sought) and all(
        any(token.startswith(beginning) for token in tokens) for beginning in sought
    )


def _tokens(*texts: str) -> list[str]:
    """The words of texts, without accents and in small letters."""
    decomposed = unicodedata.normalize("NFKD", " ".join(texts).casefold())
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return [token for token in _BREAK.split(bare) if token]
