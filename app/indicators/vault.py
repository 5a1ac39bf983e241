"""Sealing the elements of an indicator for the vault, from which a key rotation moves them."""

from uuid import UUID

from app.secret_files import Sealer
from postern.vocabulary import EvaluationKind


class Vault:
    """Seals under the vault's key, each bound to its indicator, evaluation kind and epoch."""

    def __init__(self, key: bytes) -> None:
        self._sealer = Sealer(key)

    def seal(self, indicator: UUID, kind: EvaluationKind, epoch: int, elements: bytes) -> bytes:
        """Sealed bytes of the elements: for each, its facet in one byte and the 32 bytes."""
        return self._sealer.seal(elements, context(indicator, kind, epoch))

    def open(self, indicator: UUID, kind: EvaluationKind, epoch: int, sealed: bytes) -> bytes:
        """The elements again, for a rotation; ValueError when they belong to another row."""
        return self._sealer.open(sealed, context(indicator, kind, epoch))


def context(indicator: UUID, kind: EvaluationKind, epoch: int) -> bytes:
    """What sealed elements are bound to: a row moved elsewhere does not open."""
    return b"postern/vault/v1" + indicator.bytes + epoch.to_bytes(4, "big") + kind.encode("ascii")
