"""Words in four languages, as data: one JSON file for each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

LANGUAGES = ("en", "fr", "nl", "de")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language."""

    language: str
    fields: Mapping[str, str]
    values: Mapping[str, str]
    phrases: Mapping[str, str]

    def say(self, phrase: str, **parts: object) -> str:
        """A phrase with its braces filled in. Raises KeyError for one that does not exist."""
        return self.phrases[phrase].format(**parts)


@cache
def words(language: str) -> Words:
    """The words of a language of `LANGUAGES`. Raises KeyError for another."""
    if language not in LANGUAGES:
        raise KeyError(language)
    source = resources.files(__name__).joinpath(f"{language}.json").read_text(encoding="utf-8")
    document: Mapping[str, Any] = json.loads(source)
    return Words(language, document["fields"], document["values"], document["phrases"])
