"""What the log says of a kind of act."""

from dataclasses import dataclass
from enum import StrEnum


class Operation(StrEnum):
    """LED Art. 25(1), and what lies outside it."""

    COLLECTION = "collection"
    ALTERATION = "alteration"
    CONSULTATION = "consultation"
    COMBINATION = "combination"
    DISCLOSURE = "disclosure"
    ERASURE = "erasure"
    ADMINISTRATION = "administration"


@dataclass(frozen=True)
class KnownAct:
    """One kind of act: its operation, and a sentence for people.

    `follows_up`: it is done because of a hit, so a hit without one was left to itself.
    """

    operation: Operation
    meaning: str
    follows_up: bool = False
