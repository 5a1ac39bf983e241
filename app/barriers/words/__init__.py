"""Words of models in four languages, as data: one JSON file for each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from postern.patterns.words import LANGUAGES


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language. `values` are by field, `names` by closed list of a model."""

    language: str
    fields: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]
    names: Mapping[str, Mapping[str, str]]
    phrases: Mapping[str, str]

    def say(self, phrase: str, **parts: object) -> str:
        """A phrase with its braces filled in. Raises KeyError for one that does not exist."""
        return self.phrases[phrase].format(**parts)

    def value(self, field: str, value: str) -> str:
        """A value of a fact in words; a country or chapter as its code."""
        return self.values.get(field, {}).get(value, value)


@cache
def words(language: str) -> Words:
    """The words of a language. Raises KeyError for one that is not of `LANGUAGES`."""
    if language not in LANGUAGES:
        raise KeyError(language)
    source = resources.files(__name__).joinpath(f"{language}.json").read_text(encoding="utf-8")
    document: Mapping[str, Any] = json.loads(source)
    return Words(
        language,
        document["fields"],
        document["values"],
        document["names"],
        document["phrases"],
    )
