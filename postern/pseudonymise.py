"""From clear values to pseudonyms, with the platform evaluating what it cannot read.

value -> facets -> blind -> the platform evaluates -> check the proof -> unblind -> element, token.
Clear text and blinds stay in this process and its workers. Each distinct input is evaluated once:
evaluations are what the quota counts.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from types import TracebackType
from typing import Self

from postern import voprf
from postern.arithmetic import Arithmetic, settled
from postern.client import Evaluates, Evaluation
from postern.client_errors import (
    EpochClosedError,
    EvaluationRefusedError,
    QuotaSpentError,
    SharedKeyError,
)
from postern.facets import Facet, evaluation_input, facets
from postern.key_document import KeyEpoch
from postern.key_ring import KeyRing
from postern.key_sharing import KeySharing
from postern.normalise import Normalised
from postern.pseudonym import clear_token, token
from postern.shared_evaluation import Combined, Judgement, NamedPart, part_names, signature
from postern.signed_evaluation import Signed, Signs
from postern.vocabulary import EVALUATION_KIND, EvaluationKind, Kind, Purpose

_REMEMBERED = 30_000  # distinct inputs whose elements a run keeps, about 15 MB
_ONE = (1).to_bytes(32, "little")  # the weight of a key that is not shared


@dataclass(frozen=True, slots=True)
class PseudonymFacet:
    """One facet: its number, the 16-byte token, and the 32-byte element (None in clear kinds)."""

    number: int
    token: bytes
    element: bytes | None


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """A value as others may match it. `epoch` is 0 for a kind that travels in clear.

    `facets` is empty when the value holds too little to compare.
    """

    kind: Kind
    epoch: int
    facets: tuple[PseudonymFacet, ...]


class Pseudonymiser:
    """Pseudonymises values for one purpose and case; evaluations by `platform`, keys by `ring`.

    `workers` processes share the arithmetic once there is enough of it; 1 means none. Used as a
    context manager it ends them. `begin` and `complete` let a caller have the next values blinded
    while the platform evaluates; batches are completed in the order in which they were begun.

    A key that is shared among holders needs a `signer`, as they ask for the organisation's own
    signature. A holder whose part carries no valid proof is told to `on_cheat` by name, once, and
    named in `cheating`; as long as enough others answer, the result is right without it.
    """

    def __init__(
        self,
        platform: Evaluates,
        ring: KeyRing,
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
        self._ring = ring
        self._purpose = purpose
        self._case = case
        self._arithmetic = Arithmetic(workers)
        self._epochs: dict[EvaluationKind, int] = {}  # those that the platform named, if any
        self._cells: OrderedDict[tuple[EvaluationKind, int, bytes], _Cell] = OrderedDict()
        self._left: dict[EvaluationKind, int] = {}  # evaluations, when the platform last told
        self.evaluations = 0  # evaluated for this pseudonymiser so far

    @property
    def cheating(self) -> list[str]:
        """The names of holders that gave wrong parts so far."""
        return self._judgement.cheating

    def pseudonymise(self, values: Sequence[Normalised]) -> list[Pseudonym]:
        """The pseudonyms of values, in order.

        Raises ClientError; NoKeyError and other KeyDocumentError; EvaluationRefusedError when a
        proof does not hold: nothing of that answer was used.
        """
        batch = self.begin(values)
        self.complete(batch)
        return [batch.pseudonym(place) for place in range(len(values))]

    def begin(self, values: Sequence[Normalised]) -> "Batch":
        """Derive the facets of values and have blinded what is not known yet."""
        batch = Batch()
        fresh: dict[tuple[EvaluationKind, int], list[_Cell]] = {}
        for value in values:
            batch.members.append(self._member(value, fresh))
        for (kind, _), cells in sorted(fresh.items(), key=lambda each: len(each[1])):
            # The rare kinds first: then the rows of a batch become complete in their order.
            key = self._key(kind)
            for few in _chunks(cells, voprf.MAX_BATCH):
                inputs = [cell.value for cell in few]
                batch.chunks.append(_Chunk(kind, key, few, self._arithmetic.blind(inputs)))
        return batch

    def complete(self, batch: "Batch") -> None:
        """Have a batch evaluated, and open what comes back. Raises as `pseudonymise` does.

        After QuotaSpentError the batch may be completed again later; what was evaluated is kept.
        """
        try:
            self._evaluate(batch)
        except EpochClosedError as closed:
            # The ring may be older than the turn of an epoch: once, with the document of now.
            kind = batch.chunks[0].kind
            self.renew()
            if closed.current is not None:
                self._epochs[kind] = closed.current
            self._begin_again(batch)
        if not all(batch.is_complete(place) for place in range(len(batch.members))):
            # It counted on cells of an earlier batch, which was begun again in another epoch.
            self._begin_again(batch)

    def renew(self) -> None:
        """Fetch the keys again and forget what was evaluated with older ones."""
        self._ring.refresh()
        self._epochs.clear()
        self._cells.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._arithmetic.close()

    def _begin_again(self, batch: "Batch") -> None:
        again = self.begin([member.value for member in batch.members])
        batch.members, batch.chunks = again.members, again.chunks
        self._evaluate(batch)

    def _key(self, kind: EvaluationKind) -> KeyEpoch:
        return self._ring.epoch(kind, self._epochs.get(kind))

    def _member(
        self, value: Normalised, fresh: dict[tuple[EvaluationKind, int], list["_Cell"]]
    ) -> "_Member":
        found = facets(value)
        evaluation_kind = EVALUATION_KIND.get(value.kind)
        if evaluation_kind is None or not found:
            return _Member(value, 0, found, [])
        epoch = self._key(evaluation_kind).epoch
        cells = []
        for facet in found:
            name = (evaluation_kind, epoch, evaluation_input(facet, evaluation_kind))
            cell = self._cells.get(name)
            if cell is None:
                cell = self._cells[name] = _Cell(name[2])
                fresh.setdefault((evaluation_kind, epoch), []).append(cell)
                if len(self._cells) > _REMEMBERED:
                    self._cells.popitem(last=False)
            else:
                self._cells.move_to_end(name)
            cells.append(cell)
        return _Member(value, epoch, found, cells)

    def _evaluate(self, batch: "Batch") -> None:
        opening: list[tuple[Sequence[_Cell], _Opening]] = []
        try:
            while batch.chunks:
                chunk = batch.chunks[0]
                done, opened = self._evaluate_some(chunk)
                opening.append((chunk.cells[:done], opened))
                if done < len(chunk.cells):
                    batch.chunks[0] = chunk.without(done)
                else:
                    del batch.chunks[0]
        finally:
            for cells, opened in opening:
                for cell, element in zip(cells, self._proved(opened), strict=True):
                    cell.element = element

    def _evaluate_some(self, chunk: "_Chunk") -> tuple[int, "_Opening"]:
        """Evaluates as much of a chunk, from its beginning, as the quota allows; how many."""
        blinds, blinded = chunk.blinded.result()
        size = len(blinded)
        while True:
            try:
                answer = self._platform.evaluate(
                    chunk.kind,
                    chunk.key.epoch,
                    blinded[:size],
                    purpose=self._purpose,
                    case=self._case,
                    **self._signature(chunk, blinded[:size]),
                )
                break
            except QuotaSpentError:
                # A request beyond the quota is refused as a whole: ask for what is left of it.
                left = self._left.pop(chunk.kind, None)
                size = min(left, size - 1) if left is not None else size // 2
                if size <= 0:
                    raise
        self._left[chunk.kind] = answer.left
        self.evaluations += size
        sharing = chunk.key.sharing
        if sharing:
            parts = _parts(answer, chunk.key, sharing, size)
            shared = self._arithmetic.open_shared(blinds[:size], blinded[:size], parts, sharing)
            return size, _Opening(shared, sharing)
        evaluated, proof = _single_part(answer, chunk.key.epoch, size)
        opened = self._arithmetic.open(
            blinds[:size], blinded[:size], evaluated, chunk.key.public_key, proof
        )
        return size, _Opening(opened, None)

    def _signature(self, chunk: "_Chunk", blinded: Sequence[bytes]) -> dict[str, Signed]:
        """The organisation's own signature, where holders ask for it."""
        signed = signature(self._signer, chunk.kind, chunk.key, self._purpose, blinded)
        return {} if signed is None else {"signed": signed}

    def _proved(self, opening: "_Opening") -> list[bytes]:
        found = opening.future.result()
        if not isinstance(found, Combined) or opening.sharing is None:
            if isinstance(found, Combined) or found is None:
                raise EvaluationRefusedError
            return found
        return self._judgement.elements(opening.sharing, found)


@dataclass(frozen=True, slots=True)
class _Opening:
    """What opens an answer: of a single key, or of the parts of a shared one."""

    future: Future[Combined] | Future[list[bytes] | None]
    sharing: KeySharing | None


@dataclass(slots=True)
class _Cell:
    """One input and, once it is evaluated, its element. Batches share the cells of equal inputs."""

    value: bytes
    element: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Member:
    value: Normalised
    epoch: int
    facets: tuple[Facet, ...]
    cells: list[_Cell]  # one for each facet; none in a clear kind

    def elements(self) -> list[bytes]:
        found = [cell.element for cell in self.cells if cell.element is not None]
        if len(found) != len(self.cells):
            raise LookupError("a value was asked for before its batch was complete")
        return found


@dataclass(frozen=True, slots=True)
class _Chunk:
    kind: EvaluationKind
    key: KeyEpoch
    cells: list[_Cell]
    blinded: Future[tuple[list[bytes], list[bytes]]]

    def without(self, count: int) -> "_Chunk":
        blinds, blinded = self.blinded.result()
        rest = settled((blinds[count:], blinded[count:]))
        return _Chunk(self.kind, self.key, self.cells[count:], rest)


@dataclass(slots=True)
class Batch:
    """Values on their way; `is_complete` and `pseudonym` speak of one by its place."""

    members: list[_Member] = field(default_factory=list)
    chunks: list[_Chunk] = field(default_factory=list)

    def is_complete(self, place: int) -> bool:
        """Whether every facet of a value has its element."""
        return all(cell.element is not None for cell in self.members[place].cells)

    def pseudonym(self, place: int) -> Pseudonym:
        """The pseudonym of a value that is complete."""
        member = self.members[place]
        kind = EVALUATION_KIND.get(member.value.kind)
        if kind is None:
            found = tuple(
                PseudonymFacet(facet.number, clear_token(member.value.kind, facet.text), None)
                for facet in member.facets
            )
            return Pseudonym(member.value.kind, 0, found)
        found = tuple(
            PseudonymFacet(facet.number, token(kind, member.epoch, element), element)
            for facet, element in zip(member.facets, member.elements(), strict=True)
        )
        return Pseudonym(member.value.kind, member.epoch, found)


def _single_part(answer: Evaluation, epoch: int, size: int) -> tuple[list[bytes], bytes]:
    if len(answer.parts) != 1 or answer.parts[0].weight != _ONE:
        raise SharedKeyError
    part = answer.parts[0]
    if answer.epoch != epoch or len(part.elements) != size:
        raise EvaluationRefusedError
    return part.elements, part.proof


def _parts(answer: Evaluation, key: KeyEpoch, sharing: KeySharing, size: int) -> list[NamedPart]:
    """The parts of a shared key by their numbers; one that nobody is known to have made is refused.

    A part of the wrong length stays: it is its holder's, who is named for it.
    """
    numbers = part_names(key, sharing)
    named = {part.key_id: part for part in answer.parts}
    if (
        answer.epoch != key.epoch
        or len(named) != len(answer.parts)
        or named.keys() - numbers.keys()
    ):
        raise EvaluationRefusedError
    own = next((part for name, part in named.items() if numbers[name] == 0), None)
    if own is None or len(own.elements) != size:
        raise EvaluationRefusedError
    return [NamedPart(numbers[name], part.elements, part.proof) for name, part in named.items()]


def _chunks(cells: list[_Cell], size: int) -> Iterator[list[_Cell]]:
    rest = iter(cells)
    while few := list(islice(rest, size)):
        yield few
