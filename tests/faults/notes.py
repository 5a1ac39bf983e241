"""What clients noted: each request with its outcome as they saw it, and what they were promised."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

ACKNOWLEDGED, REFUSED, UNKNOWN, WRONG = "acknowledged", "refused", "unknown", "wrong"


@dataclass(frozen=True)
class Act:
    """One request. Times are seconds of the monotonic clock; `status` is None without an answer."""

    kind: str
    organisation: str
    began: float
    ended: float
    status: int | None
    code: str  # of a problem document
    receipt: str
    sent: Any
    answer: Any
    text: str

    @property
    def outcome(self) -> str:
        if self.status is None or self.code == "outcome-unknown":
            return UNKNOWN
        if self.status < 400:
            return ACKNOWLEDGED
        return WRONG if self.status >= 500 and self.status != 503 else REFUSED


@dataclass
class Notes:
    """All that happened so far, in the order of the answers."""

    acts: list[Act] = field(default_factory=list)
    checkpoints: dict[int, str] = field(default_factory=dict)  # size to root, as they were signed
    contradictions: list[str] = field(default_factory=list)
    arrivals: Counter[str] = field(default_factory=Counter)  # of webhooks, by dispatch
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def add(self, act: Act) -> None:
        with self._turn:
            self.acts.append(act)

    def saw(self, note: str) -> None:
        """A signed checkpoint that a client was shown."""
        _origin, size, root, *_rest = note.split("\n")
        with self._turn:
            if self.checkpoints.setdefault(int(size), root) != root:
                self.contradictions.append(f"two checkpoints of {size} entries")

    def arrived(self, dispatch: str) -> None:
        with self._turn:
            self.arrivals[dispatch] += 1

    def since(self, start: int) -> list[Act]:
        with self._turn:
            return self.acts[start:]
