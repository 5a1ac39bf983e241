"""Moving to a new evaluation key, with a proof: every element is multiplied by one factor.

A rotation makes N2 = D * N1 of every stored element, where D = new key / old key. For each chunk
there is one batch proof of RFC 9497 (section 2.2) with the old public key as base and the new one
as public: who sees the rows of a chunk checks that none was swapped; who sees only its statement
checks that the sums over it moved by the same D, and that everybody is shown the same chunks.

The last pair of a chunk is a decoy of a random element. Without it, the sums and the digests of a
chunk with one row would let anybody test a guess against it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from postern import group, voprf
from postern.base64url import from_base64url, to_base64url
from postern.client_errors import ClientError
from postern.pseudonym import LARGEST_EPOCH, NAME

FORMAT = "postern-rotation-1"
MOST_ROWS = voprf.MAX_BATCH - 1  # elements of a chunk beside its decoy
LARGEST_LINE = 200_000  # characters of a line of a proof file
NO_HEAD = bytes(32)
_HEAD_LABEL = b"PN-rotation-v1\n"


class RotationProofError(ClientError):
    """A proof of a rotation does not hold, or is damaged: what, and in which line or chunk."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} Do not rely on this rotation: report it to your compliance officer."
        )


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a proof speaks of: a kind, its old and new epoch, and their public keys (32 bytes)."""

    kind: str
    old_epoch: int
    new_epoch: int
    old_key: bytes
    new_key: bytes


@dataclass(frozen=True, slots=True)
class Statement:
    """What everybody may see of a chunk: sizes, digests, sums and the proof; 32 bytes, 64 for it.

    `rows` counts its elements without the decoy; `old` and `new` are SHA-256 of all elements.
    """

    number: int
    rows: int
    old: bytes
    new: bytes
    m: bytes
    z: bytes
    proof: bytes


@dataclass(frozen=True, slots=True)
class Moved:
    """A chunk with its rows: old and new elements in order, the decoy last."""

    statement: Statement
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a proof file shows: chunks and elements, how many of the chunks with rows, the head."""

    rotation: Rotation
    chunks: int
    elements: int
    opened: int
    head: bytes


def factor(old_key: bytes, new_key: bytes) -> bytes:
    """D = new / old for two secret keys. Raises group.InvalidScalarError."""
    return group.scalar_mul(new_key, group.invert(old_key))


def move(rotation: Rotation, d: bytes, number: int, elements: Sequence[bytes]) -> Moved:
    """Move 1 to MOST_ROWS elements by the factor and prove it. Raises voprf.BatchSizeError,
    group.InvalidElementError with the position, group.InvalidScalarError.
    """
    if not 1 <= len(elements) <= MOST_ROWS:
        raise voprf.BatchSizeError
    old = (*elements, group.base(group.random_scalar()))
    new = tuple(group.mul_each(d, old))
    m, z, proof = voprf.prove_sums(d, rotation.new_key, old, new, base=rotation.old_key)
    statement = Statement(number, len(elements), _digest(old), _digest(new), m, z, proof)
    return Moved(statement, old, new)


def check(rotation: Rotation, statement: Statement) -> None:
    """Return when the sums of a chunk moved by the factor between the keys.

    Raises RotationProofError.
    """
    try:
        voprf.verify_composites(
            rotation.new_key, statement.m, statement.z, statement.proof, base=rotation.old_key
        )
    except (voprf.ProofInvalidError, group.InvalidElementError) as error:
        raise RotationProofError(
            f"The proof of chunk {statement.number} does not hold for these keys."
        ) from error


def check_rows(rotation: Rotation, moved: Moved) -> None:
    """Return when every row of a chunk moved by the factor, and it is what its statement says.

    Raises RotationProofError.
    """
    number, statement = moved.statement.number, moved.statement
    if len(moved.old) != statement.rows + 1 or len(moved.new) != len(moved.old):
        raise RotationProofError(f"Chunk {number} has another number of rows than it says.")
    if _digest(moved.old) != statement.old or _digest(moved.new) != statement.new:
        raise RotationProofError(f"The rows of chunk {number} are not those that were published.")
    try:
        sums = voprf.composites(rotation.new_key, moved.old, moved.new)
    except (voprf.BatchSizeError, group.InvalidElementError) as error:
        raise RotationProofError(f"A row of chunk {number} is no group element.") from error
    if sums != (statement.m, statement.z):
        raise RotationProofError(f"A row of chunk {number} was not moved by the factor.")
    check(rotation, statement)


def next_head(head: bytes, statement: Statement) -> bytes:
    """The 32-byte head of a chain of statements after one more; it begins with NO_HEAD."""
    return hashlib.sha256(_HEAD_LABEL + head + _canonical(_statement_wire(statement))).digest()


def written(rotation: Rotation, chunks: Iterable[tuple[Statement, Moved | None]]) -> Iterator[str]:
    """The lines of a proof file: the rotation, then its chunks, with rows where they are given."""
    yield json.dumps(
        {
            "format": FORMAT,
            "kind": rotation.kind,
            "old_epoch": rotation.old_epoch,
            "new_epoch": rotation.new_epoch,
            "old_key": to_base64url(rotation.old_key),
            "new_key": to_base64url(rotation.new_key),
        }
    )
    for statement, moved in chunks:
        wire = _statement_wire(statement)
        if moved is not None:
            wire["old_rows"] = [to_base64url(each) for each in moved.old]
            wire["new_rows"] = [to_base64url(each) for each in moved.new]
        yield json.dumps(wire)


def verify_file(lines: Iterable[str]) -> Verified:
    """Check every chunk of a proof file, with its rows where they stand in it.

    Whose keys they are is for the caller to compare. Raises RotationProofError.
    """
    found = iter(lines)
    rotation = _read_rotation(_read_line(next(found, ""), 1))
    head, chunks, elements, opened = NO_HEAD, 0, 0, 0
    for place, line in enumerate(found, 2):
        statement, rows = _read_chunk(_read_line(line, place), place)
        chunks += 1
        if statement.number != chunks:
            raise RotationProofError(f"Line {place} is not chunk {chunks}: one is missing.")
        check(rotation, statement)
        if rows is not None:
            check_rows(rotation, Moved(statement, *rows))
            opened += 1
        elements += statement.rows
        head = next_head(head, statement)
    return Verified(rotation, chunks, elements, opened, head)


def _digest(elements: Sequence[bytes]) -> bytes:
    return hashlib.sha256(b"".join(elements)).digest()


def _statement_wire(statement: Statement) -> dict[str, Any]:
    return {
        "chunk": statement.number,
        "rows": statement.rows,
        **{name: to_base64url(getattr(statement, name)) for name in _BYTES},
    }


def _canonical(wire: Mapping[str, Any]) -> bytes:
    return json.dumps(wire, sort_keys=True, separators=(",", ":")).encode()


def _read_line(line: str, place: int) -> Mapping[str, Any]:
    if len(line) > LARGEST_LINE:
        raise RotationProofError(f"Line {place} is too long.")
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise RotationProofError(f"Line {place} is no JSON object.")
    return read


def _read_rotation(wire: Mapping[str, Any]) -> Rotation:
    kind, old, new = (wire.get(name) for name in ("kind", "old_epoch", "new_epoch"))
    if (
        wire.get("format") != FORMAT
        or not isinstance(kind, str)
        or not NAME.fullmatch(kind)
        or type(old) is not int
        or type(new) is not int
        or not 1 <= old < new <= LARGEST_EPOCH
    ):
        raise RotationProofError("The first line names no rotation.")
    return Rotation(kind, old, new, _bytes(wire, "old_key", 1), _bytes(wire, "new_key", 1))


def _read_chunk(
    wire: Mapping[str, Any], place: int
) -> tuple[Statement, tuple[tuple[bytes, ...], tuple[bytes, ...]] | None]:
    number, rows = wire.get("chunk"), wire.get("rows")
    if type(number) is not int or type(rows) is not int or not 1 <= rows <= MOST_ROWS:
        raise RotationProofError(f"Line {place} is no chunk.")
    statement = Statement(number, rows, **{name: _bytes(wire, name, place) for name in _BYTES})
    if "old_rows" not in wire:
        return statement, None
    return statement, (_elements(wire, "old_rows", place), _elements(wire, "new_rows", place))


def _elements(wire: Mapping[str, Any], name: str, place: int) -> tuple[bytes, ...]:
    listed = wire.get(name)
    if not isinstance(listed, list):
        raise RotationProofError(f"Line {place} has no list {name}.")
    return tuple(_bytes({name: each}, name, place) for each in listed)


def _bytes(wire: Mapping[str, Any], name: str, place: int) -> bytes:
    found = from_base64url(str(wire.get(name))) or b""
    if len(found) != _SIZES.get(name, group.SIZE):
        raise RotationProofError(f"Line {place}: {name} has not the right length.")
    return found


_BYTES = ("old", "new", "m", "z", "proof")
_SIZES = {"proof": voprf.PROOF_SIZE}
