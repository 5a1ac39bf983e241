"""Values as people may write them and worse: known ones, changed at random, with what Python says.

The same seed gives the same values. What they become is the answer that the pages' modules must
give too.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from postern.facets import facets
from postern.normalise import (
    Address,
    Email,
    InductionPoint,
    Item,
    NormalisationError,
    Party,
    Payment,
    Pgp,
    Phone,
    Vendor,
    normalise,
)

DATA = Path(__file__).parent.parent / "data"

TYPES: dict[str, type[Any]] = {
    "party": Party,
    "address": Address,
    "induction_point": InductionPoint,
    "vendor": Vendor,
    "pgp": Pgp,
    "phone": Phone,
    "email": Email,
    "payment": Payment,
    "item": Item,
}

_LETTERS = (
    "äöüßÉèçñŁőşŽıİœæÆøÅЖдюωΣ你好ابजक\u2019\u201c\u2013\u2014№#/\\.,;:-_"
    "'\"()@+*&%$0123456789 aAzZ\t\n"
    "\u200d\ufe0f\u00a0\u2009\u200b\uff11\uff21\U0001f600\U00010400\ud800"
)
_WORDS = (
    *("bte", "bus", "box", "b", "/", "-", "12bis", "2e", "3.", "str.", "Straße", "rue", "van"),
    *("Rue de la", "der", "Jean-Pierre", "appt", "c/o", "Postfach 12", "poste restante", "1ère"),
    *("K", "nr", "no.", "15-17", "B-1040", "L-1234", "sankt", "saint", "CEDEX 09", "th0mas", "00"),
    *("+32", "0032", "(0)475", "ext 12", "1Z999AA10123456784", "RB123456785GB", "0x", "bc1q"),
    *("BE68 5390 0754 7034", "bitcoin:"),
)
_AS_IT_IS, _NEW_LETTER, _LESS, _NEW_WORD, _SHUFFLED = 0.6, 0.35, 0.55, 0.8, 0.9


def frozen_cases() -> list[dict[str, Any]]:
    """The frozen cases of the normaliser."""
    cases: list[dict[str, Any]] = json.loads((DATA / "normaliser-1.json").read_text("utf-8"))
    return cases


def varied(seed: int, count: int) -> Iterator[tuple[str, dict[str, Any], list[Any]]]:
    """(kind, value, what Python makes of it) of `count` values."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    known: dict[str, list[dict[str, Any]]] = {kind: [] for kind in TYPES}
    for case in frozen_cases():
        known[case["kind"]].append(case["value"])
    postal = ("party", "address")
    for _ in range(count):
        kind = chance.choice(postal if chance.random() < _AS_IT_IS else tuple(TYPES))
        base = chance.choice(known[kind])
        value: dict[str, Any] = {}
        for each in fields(TYPES[kind]):
            empty: Any = [] if each.name == "lines" else ""
            written = base.get(each.name, empty)
            if each.name == "lines":
                value["lines"] = [_changed(chance, line) for line in written]
            else:
                value[each.name] = _changed(chance, written)
        yield kind, value, expected(kind, value)


def expected(kind: str, value: dict[str, Any]) -> list[Any]:
    """[form, flags, facets], or ["error", field, reason, remedy], as lists and texts."""
    given = {name: tuple(each) if name == "lines" else each for name, each in value.items()}
    try:
        normalised = normalise(TYPES[kind](**given))
        form = json.loads(json.dumps(asdict(normalised.form)))
        texts = [facet.text for facet in facets(normalised)]
        return [form, [flag.value for flag in normalised.flags], texts]
    except NormalisationError as error:
        return ["error", error.field, error.reason, error.remedy]


def _changed(chance: random.Random, text: str) -> str:
    letters = list(text)
    for _ in range(chance.choice((0, 0, 1, 1, 2, 4))):
        place, what = chance.randint(0, len(letters)), chance.random()
        if what < _NEW_LETTER:
            letters.insert(place, chance.choice(_LETTERS))
        elif what < _LESS and letters:
            letters.pop(min(place, len(letters) - 1))
        elif what < _NEW_WORD:
            letters[place:place] = f" {chance.choice(_WORDS)} "
        elif what < _SHUFFLED:
            chance.shuffle(letters)
        else:
            letters[place:place] = chr(chance.choice((chance.randint(32, 0xD7FF), 0x1F300)))
    return "".join(letters)
