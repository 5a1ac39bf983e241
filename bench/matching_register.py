"""A made-up register of every address of one large city, calibrated to Berlin's.

The real register, on which the specification was measured, is not to be had. This one takes the
names of the file's streets and makes more from their stems, and gives them lengths, numbers and
postcodes so that the commonest postcode (4.95 bits) and postcode with house number (about 10.5
bits) are as common as was published of the real one.
"""

import random
from collections.abc import Mapping, Sequence

from postern.normalise import Address

REGISTER_SIZE = 401_032  # addresses of Berlin
STREETS = 8_000
NUMBERED_STREETS = 80  # named "Straße 12", as in Berlin's outskirts
POSTCODES = 190
_SEED = 20240607
_CITY = "Berlin"

_STREET_SPREAD = 1.0  # of the logarithm of a street's length
_POSTCODE_SPREAD = 0.8
_STREET_PER_POSTCODE = 60  # numbers after which a long street enters the next postcode
_SUFFIX_SHARE = 0.19  # of numbers that also occur with a letter
_GAP_SHARE = 0.3  # of numbers that do not exist
_TYPES = ("straße", "straße", "straße", "straße", "weg", "weg", "platz", "allee", "ring", "damm")
_LETTERS = "abcdef"


def register(entities: Sequence[Mapping[str, str]]) -> list[Address]:
    """A made-up register of one large city; the same for the same file."""
    chance = random.Random(_SEED)  # noqa: S311 - a simulation
    names = _street_names(entities, chance)
    postcodes = [f"{10115 + 17 * place}" for place in range(POSTCODES)]
    weights = [chance.lognormvariate(0, _POSTCODE_SPREAD) for _ in postcodes]
    lengths = [chance.lognormvariate(0, _STREET_SPREAD) for _ in names]
    scale = REGISTER_SIZE / sum(lengths)
    made: list[Address] = []
    for name, length in zip(names, lengths, strict=True):
        first = chance.choices(range(POSTCODES), weights)[0]
        made.extend(_street(name, max(1, round(length * scale)), first, postcodes, chance))
    chance.shuffle(made)
    return made[:REGISTER_SIZE]


def _street_names(entities: Sequence[Mapping[str, str]], chance: random.Random) -> list[str]:
    """The file's own streets first, then their stems joined with other types and stems."""
    own = sorted({entity["street"] for entity in entities})
    stems = sorted({word for street in own for word in street.split() if len(word) > 4})
    names = dict.fromkeys(own)
    for _ in range(20 * STREETS):  # a small file has few stems, and then there are fewer streets
        if len(names) >= STREETS:
            break
        stem, kind = chance.choice(stems), chance.choice(_TYPES)
        if chance.random() < 1 / 2:
            half = chance.choice(stems)
            stem = stem[: len(stem) // 2 + 1] + half[len(half) // 2 :]
        names[f"{stem.title()} {kind.title()}"] = None
    numbered = [f"Straße {number}" for number in range(1, NUMBERED_STREETS + 1)]
    return [*numbered, *names][:STREETS]


def _street(
    name: str, addresses: int, first: int, postcodes: Sequence[str], chance: random.Random
) -> list[Address]:
    made: list[Address] = []
    number = 0
    while len(made) < addresses:
        number += 1
        if chance.random() < _GAP_SHARE:
            continue
        place = (first + number // _STREET_PER_POSTCODE) % POSTCODES
        suffixes = [""]
        if chance.random() < _SUFFIX_SHARE:
            suffixes += _LETTERS[: chance.randint(1, len(_LETTERS))]
        made.extend(
            Address((f"{name} {number}{suffix}",), postcodes[place], _CITY, "de")
            for suffix in suffixes
        )
    return made[:addresses]
