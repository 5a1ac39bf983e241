"""Which receipts of another platform were taken already, so that an old promise counts once.

A receipt is the promise of one entry of the log. A server that answers several pages with one and
the same receipt, or with one of long ago, has promised nothing for the others.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from postern.audit.receipts import Receipt

WINDOW = 300
"""Seconds by which the clocks of one platform's servers may differ. What is older is refused by its
time, what is newer by its leaf."""

MOST = 20_000  # leaves that are kept; beyond them the oldest are refused by their time


class RepeatedReceiptError(ValueError):
    """The receipt was taken before, or is older than those that were."""


@dataclass(slots=True)
class ReceiptMemory:
    """The leaves of the last WINDOW seconds before the newest receipt, by their second.

    `floor`: what was given before that second is not taken.
    """

    floor: int = 0
    leaves: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, told: object) -> "ReceiptMemory":
        """From `as_json`; an empty one of None. Raises TypeError, ValueError, KeyError."""
        if told is None:
            return cls()
        leaves = told.get("leaves") if isinstance(told, Mapping) else None
        if not isinstance(told, Mapping) or not isinstance(leaves, Mapping):
            raise TypeError("these are no receipts that were taken")
        return cls(int(told["floor"]), {str(leaf): int(at) for leaf, at in leaves.items()})

    def take(self, receipt: Receipt) -> None:
        """Note a receipt; RepeatedReceiptError when it is one of before."""
        leaf = receipt.leaf_hash.hex()
        if receipt.at < self.floor or leaf in self.leaves:
            raise RepeatedReceiptError
        self.leaves[leaf] = receipt.at
        self.floor = max(self.floor, receipt.at - WINDOW)
        if len(self.leaves) > MOST:
            self.floor = max(self.floor, sorted(self.leaves.values())[-MOST] + 1)
        self.leaves = {leaf: at for leaf, at in self.leaves.items() if at >= self.floor}

    def as_json(self) -> dict[str, object]:
        """As it can be stored."""
        return {"floor": self.floor, "leaves": dict(self.leaves)}

    def text(self) -> str:
        """The same as text."""
        return json.dumps(self.as_json())
