"""Tokens of many values for screening: known ones from the cache, the rest evaluated in bulk.

Values and blinds stay in this process and its workers; the platform learns how many were evaluated,
of which kind, when, and for which purpose and case.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from postern.arithmetic import Arithmetic
from postern.client_errors import (
    EpochClosedError,
    EvaluationRefusedError,
    QuotaSpentError,
)
from postern.client_screening import BulkEvaluation
from postern.evaluation_octets import MOST, batches
from postern.group import SIZE
from postern.key_document import KeyEpoch
from postern.key_sharing import PLATFORM_PART, KeySharing
from postern.pseudonym import token
from postern.shared_evaluation import PLATFORM, Judgement, NamedPart, signature
from postern.signed_evaluation import Signed, Signs
from postern.token_cache import TokenCache
from postern.token_filter_errors import FilterEpochOverError
from postern.vocabulary import EvaluationKind, Purpose
from postern.voprf import MAX_BATCH, PROOF_SIZE


class EvaluatesInBulk(Protocol):
    """What evaluates blinded elements: a client, or a key at hand in a test."""

    def evaluate(
        self,
        kind: EvaluationKind,
        epoch: int,
        blinded: Sequence[bytes],
        *,
        purpose: Purpose,
        case: str,
        signed: Signed | None = None,
    ) -> BulkEvaluation: ...


class GivesKeys(Protocol):
    """Where the public keys of epochs come from, such as a `KeyRing`."""

    def epoch(self, kind: EvaluationKind, number: int | None = None) -> KeyEpoch: ...


@dataclass(slots=True)
class Spent:
    """What the tokens of a run cost: tokens asked for, known from the cache, and evaluated."""

    asked: int = 0
    cached: int = 0
    evaluated: int = 0
    requests: int = 0
    bytes_sent: int = 0  # of bodies
    bytes_received: int = 0


class BulkTokens:
    """Gives the tokens of evaluation inputs, for one purpose and case. A context manager.

    `workers` processes share the arithmetic; 1 means none. A key that is shared among holders needs
    a `signer`; a holder whose part carries no valid proof is told to `on_cheat` by name, once.
    """

    def __init__(
        self,
        platform: EvaluatesInBulk,
        keys: GivesKeys,
        cache: TokenCache,
        *,
        purpose: Purpose,
        case: str,
        workers: int = 1,
        signer: Signs | None = None,
        on_cheat: Callable[[str], None] | None = None,
    ) -> None:
        self._signer = signer
        self._judgement = Judgement(on_cheat)
        self._platform = platform
        self._keys = keys
        self._cache = cache
        self._purpose = purpose
        self._case = case
        self._arithmetic = Arithmetic(workers)
        self._left: dict[EvaluationKind, int] = {}  # when the platform last told
        self.spent = Spent()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._arithmetic.close()

    def tokens(
        self, kind: EvaluationKind, epoch: int, values: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """The 16-byte token of each evaluation input; repeated inputs cost nothing.

        What was evaluated is in the cache even when this ends with an error, so that the same
        call goes on where it was. Raises ClientError: QuotaSpentError, FilterEpochOverError,
        EvaluationRefusedError when a proof does not hold; KeyDocumentError. Of a shared key also
        SignatureNeededError, HoldersMissingError, CheatingHoldersError.
        """
        wanted = list(dict.fromkeys(values))
        found = self._cache.known(epoch, wanted)
        self.spent.asked += len(wanted)
        self.spent.cached += len(found)
        fresh = [value for value in wanted if value not in found]
        if fresh:
            key = self._keys.epoch(kind, epoch)
            for some, elements in self._evaluated(kind, key, fresh):
                pairs = zip(some, elements, strict=True)
                tokens = {value: token(kind, epoch, element) for value, element in pairs}
                self._cache.keep(kind, epoch, tokens)
                found |= tokens
        return found

    def _evaluated(
        self, kind: EvaluationKind, key: KeyEpoch, values: Sequence[bytes]
    ) -> Iterator[tuple[Sequence[bytes], list[bytes]]]:
        """The unblinded elements, a request at a time; the next one is blinded meanwhile."""
        most = MAX_BATCH if key.sharing else MOST
        requests = [values[start : start + most] for start in range(0, len(values), most)]
        blinding = [self._blind(requests[0])]
        for place, some in enumerate(requests):
            blinds, blinded = _joined(blinding.pop())
            if place + 1 < len(requests):
                blinding.append(self._blind(requests[place + 1]))
            done = 0
            while done < len(some):
                answer, size = self._ask(kind, key, blinded[done:])
                end = done + size
                elements = self._opened(key, blinds[done:end], blinded[done:end], answer)
                yield some[done:end], elements
                done = end

    def _blind(self, values: Sequence[bytes]) -> "list[Future[tuple[list[bytes], list[bytes]]]]":
        return [self._arithmetic.blind(list(few)) for few in batches(values)]

    def _ask(
        self, kind: EvaluationKind, key: KeyEpoch, blinded: Sequence[bytes]
    ) -> tuple[BulkEvaluation, int]:
        """An evaluation of as many elements, from the first, as the allowance lets through."""
        size = len(blinded)
        while True:
            try:
                answer = self._platform.evaluate(
                    kind,
                    key.epoch,
                    blinded[:size],
                    purpose=self._purpose,
                    case=self._case,
                    signed=signature(self._signer, kind, key, self._purpose, blinded[:size]),
                )
                break
            except EpochClosedError:
                raise FilterEpochOverError(kind.value) from None
            except QuotaSpentError:
                # A request beyond the allowance is refused as a whole: ask for what is left of it.
                left = self._left.pop(kind, None)
                size = min(left, size - 1) if left is not None else size // 2
                if size <= 0:
                    raise
        if answer.left is not None:
            self._left[kind] = answer.left
        self.spent.evaluated += size
        self.spent.requests += 1
        self.spent.bytes_sent += size * SIZE
        received = sum(len(each.elements) for each in answer.parts)
        self.spent.bytes_received += received * SIZE + len(answer.parts) * PROOF_SIZE
        return answer, size

    def _opened(
        self,
        key: KeyEpoch,
        blinds: Sequence[bytes],
        blinded: Sequence[bytes],
        answer: BulkEvaluation,
    ) -> list[bytes]:
        if key.sharing:
            parts = _named(answer, key.sharing)
            opened = self._arithmetic.open_shared(list(blinds), list(blinded), parts, key.sharing)
            return self._judgement.elements(key.sharing, opened.result())
        cut = list(batches(blinded))
        if [len(each.elements) for each in answer.parts] != [len(each) for each in cut]:
            raise EvaluationRefusedError
        opening = [
            self._arithmetic.open(
                list(own), list(sent), list(part.elements), key.public_key, part.proof
            )
            for own, sent, part in zip(batches(blinds), cut, answer.parts, strict=True)
        ]
        found: list[bytes] = []
        for each in opening:
            elements = each.result()
            if elements is None:
                raise EvaluationRefusedError
            found += elements
        return found


def _named(answer: BulkEvaluation, sharing: KeySharing) -> list[NamedPart]:
    """The parts by their numbers. EvaluationRefusedError when nobody is known to have made one."""
    numbers = {PLATFORM_PART: PLATFORM} | {each.name: each.number for each in sharing.holders}
    is_known = set(answer.names) <= numbers.keys() and len(set(answer.names)) == len(answer.names)
    if not is_known or len(answer.names) != len(answer.parts):
        raise EvaluationRefusedError
    return [
        NamedPart(numbers[name], list(part.elements), part.proof)
        for name, part in zip(answer.names, answer.parts, strict=True)
    ]


def _joined(
    blinding: "list[Future[tuple[list[bytes], list[bytes]]]]",
) -> tuple[list[bytes], list[bytes]]:
    blinds: list[bytes] = []
    blinded: list[bytes] = []
    for each in blinding:
        some, points = each.result()
        blinds += some
        blinded += points
    return blinds, blinded
