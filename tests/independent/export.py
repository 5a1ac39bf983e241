"""Write a log as static files, and copies of it with one lie each, for a verifier of others.

Usage: python -m tests.independent.export DIRECTORY
"""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from postern.tlog import tiles
from postern.tlog.checkpoint import Checkpoint
from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import Note
from postern.tlog.proof_file import ProofFile
from postern.tlog.tree import root_of
from postern.tlog.witnessing import AddCheckpoint
from tests.postern.tlog.vectors import LOG, WITNESSES, MemoryLog, flipped, signed

_SIZE = 70_003  # entries: full and partial tiles on three levels
_CHUNK = 300  # entries between two checkpoints


def export(directory: Path, size: int) -> None:
    """Write `honest`, a log grown in chunks, and a directory for each lie in `LIES`."""
    entries = [b"entry %d" % number for number in range(size)]
    leaf_hashes = [leaf_hash(entry) for entry in entries]
    log = MemoryLog()
    while log.size < size:
        log.grow(leaf_hashes[log.size : log.size + _CHUNK])
    note = signed(Checkpoint(LOG.verifier.name, size, log.root).text, witnesses=3)

    honest = directory / "honest"
    _write(honest / "log.vkey", f"{LOG.verifier}\n".encode())
    _write(honest / "witness.vkeys", "".join(f"{w.verifier}\n" for w in WITNESSES).encode())
    _write(honest / "checkpoint", note)
    for tile in tiles.tiles_of(size):
        _write(honest / tile.path, log.read(tile))
    for bundle in tiles.bundles_of(size):
        start = bundle.index * tiles.TILE_WIDTH
        packed = tiles.encode_bundle(entries[start : start + bundle.width])
        _write(honest / bundle.path, packed)
    for index in sorted({0, 1, 255, 256, size // 2, 65_535, 65_536, size - 2, size - 1}):
        proof = tuple(tiles.inclusion_proof(log.read, index, size))
        file = ProofFile(index, proof, note).encode()
        _write(honest / "proofs" / f"{index}.tlog-proof", file)
    for old in sorted({1, 2, 255, 256, 257, size // 2, 65_535, 65_536, 65_537, size - 1, size}):
        proof = tuple(tiles.consistency_proof(log.read, old, size))
        _write(honest / "consistency" / str(old), AddCheckpoint(old, proof, note).encode())

    for name, lie in LIES.items():
        shutil.copytree(honest, directory / name)
        lie(directory / name)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _flip(name: str) -> Callable[[Path], None]:
    def lie(directory: Path) -> None:
        path = directory / name
        path.write_bytes(flipped(path.read_bytes(), 8 * 104))

    return lie


def _another_index(directory: Path) -> None:
    path = directory / "proofs" / "256.tlog-proof"
    path.write_bytes(path.read_bytes().replace(b"index 256\n", b"index 257\n"))


def _alter_proof(directory: Path) -> None:
    file = ProofFile.parse((directory / "proofs" / "256.tlog-proof").read_bytes())
    changed = (flipped(file.proof[0], 0), *file.proof[1:])
    _write(
        directory / "proofs" / "256.tlog-proof",
        ProofFile(file.index, changed, file.checkpoint).encode(),
    )


def _alter_consistency(directory: Path) -> None:
    request = AddCheckpoint.parse((directory / "consistency" / "257").read_bytes())
    changed = (*request.proof[:-1], flipped(request.proof[-1], 0))
    _write(
        directory / "consistency" / "257",
        AddCheckpoint(request.old, changed, request.checkpoint).encode(),
    )


def _another_root(directory: Path) -> None:
    note = Note.parse((directory / "checkpoint").read_bytes())
    size = Checkpoint.parse(note.text).size
    text = Checkpoint(LOG.verifier.name, size, root_of([leaf_hash(b"other")])).text
    _write(directory / "checkpoint", signed(text, witnesses=3))


def _alter_size(directory: Path) -> None:
    path = directory / "checkpoint"
    first, size, rest = path.read_bytes().split(b"\n", 2)
    _write(path, b"\n".join([first, b"%d" % (int(size) - 1), rest]))


def _drop_witness(directory: Path) -> None:
    note = Note.parse((directory / "checkpoint").read_bytes())
    _write(directory / "checkpoint", Note(note.text, note.signatures[:-1]).encode())


LIES: dict[str, Callable[[Path], None]] = {
    "entry-altered": _flip("tile/entries/001"),
    "leaf-tile-altered": _flip("tile/0/001"),
    "upper-tile-altered": _flip("tile/1/000"),
    "proof-of-another-index": _another_index,
    "proof-hash-altered": _alter_proof,
    "consistency-hash-altered": _alter_consistency,
    "another-root-signed": _another_root,
    "size-altered": _alter_size,
    "cosignature-missing": _drop_witness,
}

if __name__ == "__main__":
    export(Path(sys.argv[1]), _SIZE)
