"""The copy of a log beside an implementation that is not ours: sigstore's verifier of Rekor's log.

tests/independent lets a verifier in Go, built on golang.org/x/mod, read the same layout.
"""

from pathlib import Path

import pytest
from sigstore._internal import merkle
from sigstore._internal.rekor.checkpoint import SignedCheckpoint, verify_checkpoint
from sigstore.errors import VerificationError

from postern.tlog.checkpoint import Checkpoint
from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import Note
from postern.tlog.proof_file import ProofFile
from postern.tlog.tiles import bundles_of, parse_bundle, tiles_of
from tests.postern.audit.conftest import Premises
from tests.postern.audit.log_builder import LOG, LogBuilder
from tests.postern.tlog.test_independent import their_keyring, their_proof, their_view


@pytest.fixture
def copy(premises: Premises, log: LogBuilder) -> Path:
    for _ in range(300):
        log.act()
    log.sequence()
    premises.confirm(log)
    premises.run("mirror")
    return premises.mirror


def leaves_in(copy: Path, size: int) -> list[bytes]:
    return [
        leaf
        for bundle in bundles_of(size)
        for leaf in parse_bundle((copy / bundle.path).read_bytes(), bundle.width)
    ]


def test_they_find_the_signed_root_over_the_leaves_of_the_copy(copy: Path) -> None:
    note = (copy / "checkpoint").read_bytes()
    read = SignedCheckpoint.from_text(note.decode()).checkpoint
    leaves = leaves_in(copy, read.log_size)
    _, root = their_proof([leaf_hash(leaf) for leaf in leaves], 0)
    assert root.hex() == read.log_hash
    verify_checkpoint(their_keyring(LOG), their_view(leaves[0], 0, note, []))
    for tile in tiles_of(read.log_size):
        assert len((copy / tile.path).read_bytes()) == 32 * tile.width


def test_they_accept_the_proofs_made_from_the_copy_and_no_others(
    premises: Premises, copy: Path, tmp_path: Path
) -> None:
    size = Checkpoint.parse(Note.parse((copy / "checkpoint").read_bytes()).text).size
    leaves = leaves_in(copy, size)
    for place in (0, 1, 30, 89, 255, 256, size - 1):
        premises.run("prove", place, "--to", tmp_path / "proof")
        file = ProofFile.parse((tmp_path / "proof").read_bytes())
        proof = list(file.proof)
        merkle.verify_merkle_inclusion(their_view(leaves[place], place, file.checkpoint, proof))
        other = leaves[(place + 1) % size]
        with pytest.raises(VerificationError):
            merkle.verify_merkle_inclusion(their_view(other, place, file.checkpoint, proof))
