"""Blind evaluation with the platform's key of a kind and epoch (RFC 9497, mode 1).

The answer is a list of parts: one today; with threshold holders one for each, which the client
combines by the weights. One part of weight 1 is the single key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.errors import UnavailableError
from app.pseudonyms.key_files import KeyFiles
from postern import group, voprf
from postern.pseudonym import derive_epoch_key
from postern.vocabulary import EvaluationKind

_ONE = (1).to_bytes(32, "little")


@dataclass(frozen=True)
class Part:
    """What one key made of the blinded elements: 32 bytes each, and one proof of 64 bytes."""

    key_id: str
    weight: bytes
    elements: list[bytes]
    proof: bytes


class Evaluator(Protocol):
    """Anything that evaluates: this process, or holders of shares behind it."""

    def evaluate(self, kind: EvaluationKind, epoch: int, elements: Sequence[bytes]) -> list[Part]:
        """One part per key; group.InvalidElementError names the position of a bad element."""
        ...

    def public_key(self, kind: EvaluationKind, epoch: int) -> bytes:
        """The 32-byte key against which a client checks the proof."""
        ...


class SingleKeyEvaluator:
    """Keys derived from one seed of the platform, kept in memory once derived, or from files.

    A key in a file is read each time, so that it is gone from here once a rotation wiped it. Where
    another process evaluates there is no seed: UnavailableError for whoever asks for a key.
    """

    def __init__(self, seed: bytes, files: KeyFiles | None = None) -> None:
        self._seed = seed
        self._files = files
        self._keys: dict[tuple[EvaluationKind, int], tuple[bytes, bytes]] = {}

    def evaluate(self, kind: EvaluationKind, epoch: int, elements: Sequence[bytes]) -> list[Part]:
        secret, public = self._key(kind, epoch)
        evaluated, proof = voprf.evaluate(secret, public, elements)
        return [Part(f"{kind}/{epoch}", _ONE, evaluated, proof)]

    def public_key(self, kind: EvaluationKind, epoch: int) -> bytes:
        return self._key(kind, epoch)[1]

    def require_key(self) -> None:
        """UnavailableError, with the remedy, where another process evaluates."""
        if not self._seed:
            raise UnavailableError(
                "This process holds no evaluation key: platform.evaluates is false.",
                remedy="Let the proxy send /api/v1/evaluate to the process of mode evaluator; run"
                " commands about keys with settings in which platform.evaluates is true.",
            )

    def secret_key(self, kind: EvaluationKind, epoch: int) -> bytes:
        """The 32-byte secret key, for who begins a rotation."""
        return self._key(kind, epoch)[0]

    def _key(self, kind: EvaluationKind, epoch: int) -> tuple[bytes, bytes]:
        kept = self._files.key(kind, epoch) if self._files else None
        if kept is not None:
            return kept, group.base(kept)
        self.require_key()
        if (kind, epoch) not in self._keys:
            self._keys[kind, epoch] = derive_epoch_key(self._seed, kind, epoch)
        return self._keys[kind, epoch]
