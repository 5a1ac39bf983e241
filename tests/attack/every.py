"""All attacks in their order; importing a room enters its attacks in the table."""

import importlib
from collections.abc import Iterator

from tests.attack.ground import Ground
from tests.attack.verdict import ATTACKS, Row

ROOMS = ("guessing", "inferring", "forging", "entering")

for _room in ROOMS:
    importlib.import_module(f"tests.attack.{_room}")


def carried_out(made: Ground, word: str = "") -> Iterator[Row]:
    """Each attack whose name has the word, with what it brought."""
    for each in ATTACKS:
        if word in each.name and not (each.is_long and made.is_short):
            yield Row(each, each.run(made))
