"""Checking and adding up the parts of an evaluation by a shared key, and naming who cheats.

Each part is checked on its own against the public key that follows from the key document, so that
a wrong one is known by its holder's name; any t good parts beside the platform's give the result.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from postern import threshold, voprf
from postern.client_errors import (
    CheatingHoldersError,
    EvaluationRefusedError,
    SignatureNeededError,
)
from postern.group import InvalidElementError
from postern.key_document import KeyEpoch
from postern.key_sharing import PLATFORM_PART, KeySharing
from postern.signed_evaluation import Signed, Signs
from postern.vocabulary import EvaluationKind, Purpose

PLATFORM = 0
"""The number of the platform's part, beside those of holders."""


@dataclass(frozen=True, slots=True)
class NamedPart:
    """What one key made of the blinded elements; number 0 is the platform's."""

    number: int
    elements: list[bytes]
    proof: bytes


@dataclass(frozen=True, slots=True)
class Combined:
    """The unblinded elements, None when too few parts hold.

    `cheating` and `away` are the numbers of who gave a wrong part, and of holders who gave none.
    """

    elements: list[bytes] | None
    cheating: tuple[int, ...]
    away: tuple[int, ...]


@dataclass(slots=True)
class Judgement:
    """Takes results of a shared key, and names each holder that cheated to `on_cheat`, once."""

    on_cheat: Callable[[str], None] | None = None
    cheating: list[str] = field(default_factory=list)

    def elements(self, sharing: KeySharing, found: Combined) -> list[bytes]:
        """The elements, as long as enough holders are honest.

        Raises CheatingHoldersError, and EvaluationRefusedError when the platform's own part, or no
        holder's, is to blame.
        """
        if PLATFORM in found.cheating:
            raise EvaluationRefusedError
        known = {each.number: each.name for each in sharing.holders}
        names = tuple(known[number] for number in found.cheating)
        if found.elements is None:
            if not names:
                raise EvaluationRefusedError
            away = tuple(known[number] for number in found.away)
            honest = len(known) - len(names) - len(away)
            raise CheatingHoldersError(names, away, honest=honest, needed=sharing.threshold)
        for name in names:
            if name not in self.cheating:
                self.cheating.append(name)
                if self.on_cheat:
                    self.on_cheat(name)
        return found.elements


def signature(
    signer: Signs | None,
    kind: EvaluationKind,
    key: KeyEpoch,
    purpose: Purpose,
    blinded: Sequence[bytes],
) -> Signed | None:
    """The organisation's own signature, where holders ask for it; else SignatureNeededError."""
    if key.sharing is None:
        return None
    if signer is None:
        raise SignatureNeededError
    return signer.sign(kind, key.epoch, key.sharing.commitments[0], purpose, list(blinded))


def key_id(key: KeyEpoch, name: str) -> str:
    """How the part of the platform or of a holder is called in an answer."""
    return f"{key.kind}/{key.epoch}/{name}"


def part_names(key: KeyEpoch, sharing: KeySharing) -> dict[str, int]:
    """The number of each part by its name in an answer; the platform's is 0."""
    return {key_id(key, PLATFORM_PART): 0} | {
        key_id(key, each.name): each.number for each in sharing.holders
    }


def combined(
    sharing: KeySharing,
    blinds: Sequence[bytes],
    blinded: Sequence[bytes],
    parts: Sequence[NamedPart],
) -> Combined:
    """Verify every part, combine the platform's and t of the holders', and take the blinds off."""
    good: dict[int, list[bytes]] = {}
    cheating = []
    numbers = {part.number for part in parts}
    away = tuple(each.number for each in sharing.holders if each.number not in numbers)
    for part in parts:
        key = (
            threshold.share_key(sharing.commitments, part.number)
            if part.number
            else sharing.platform_key
        )
        try:
            voprf.verify(key, blinded, part.elements, part.proof)
        except (voprf.ProofInvalidError, voprf.BatchSizeError, InvalidElementError):
            cheating.append(part.number)
        else:
            good[part.number] = part.elements
    own = good.pop(PLATFORM, None)
    if own is None or len(good) < sharing.threshold:
        return Combined(None, tuple(cheating), away)
    chosen = dict(islice(sorted(good.items()), sharing.threshold))
    evaluated = threshold.combine(own, chosen)
    elements = [voprf.unblind(r, each) for r, each in zip(blinds, evaluated, strict=True)]
    return Combined(elements, tuple(cheating), away)
