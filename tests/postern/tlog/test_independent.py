"""The log beside an implementation that is not ours: sigstore's verifier of Rekor's log.

It knows inclusion proofs and signed checkpoints; for consistency proofs, tiles and cosignatures
see the answers of Go's packages in tests/data/tlog-vectors.json and tests/independent.
"""

import base64
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from sigstore._internal import merkle
from sigstore._internal.rekor.checkpoint import SignedCheckpoint, verify_checkpoint
from sigstore._internal.trust import Keyring
from sigstore.errors import VerificationError
from sigstore_models.common.v1 import PublicKey, PublicKeyDetails

from postern.tlog import tiles
from postern.tlog.checkpoint import Checkpoint, open_checkpoint
from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import NoteError, SigningKey
from postern.tlog.tree import ProofError, root_of, verify_inclusion
from tests.postern.tlog.vectors import LOG, MemoryLog, flipped, signed

ENTRIES = [b"entry %d" % number for number in range(1000)]
SIZE_AND_INDEX = st.integers(1, 1000).flatmap(
    lambda size: st.tuples(st.just(size), st.integers(0, size - 1))
)


def their_view(entry: bytes, index: int, note: bytes, proof: list[bytes]) -> SimpleNamespace:
    """What their verifier reads of an entry of a log, of which only these attributes."""
    checkpoint = SignedCheckpoint.from_text(note.decode()).checkpoint
    return SimpleNamespace(
        _inner=SimpleNamespace(
            canonicalized_body=entry,
            log_id=SimpleNamespace(key_id=LOG.verifier.key_id),
            inclusion_proof=SimpleNamespace(
                log_index=index,
                tree_size=checkpoint.log_size,
                root_hash=bytes.fromhex(checkpoint.log_hash),
                hashes=proof,
                checkpoint=SimpleNamespace(envelope=note.decode()),
            ),
        )
    )


def their_keyring(key: SigningKey) -> Keyring:
    public = Ed25519PublicKey.from_public_bytes(key.verifier.public)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    encoded = base64.b64encode(der)
    details = PublicKeyDetails.PKIX_ED25519
    return Keyring([PublicKey(raw_bytes=encoded, key_details=details)])


def their_proof(nodes: list[bytes], index: int) -> tuple[list[bytes], bytes]:
    """The path of a leaf and the root, with their hash of a node, row by row."""
    path = []
    while len(nodes) > 1:
        if index ^ 1 < len(nodes):
            path.append(nodes[index ^ 1])
        above = [merkle._hash_children(*nodes[at : at + 2]) for at in range(0, len(nodes) - 1, 2)]
        nodes = above + nodes[len(nodes) & ~1 :]
        index //= 2
    return path, nodes[0]


def whole_log(size: int) -> tuple[MemoryLog, bytes]:
    log = MemoryLog([leaf_hash(entry) for entry in ENTRIES[:size]])
    text = Checkpoint(LOG.verifier.name, log.size, log.root).text
    return log, signed(text, witnesses=3)


@settings(deadline=None, max_examples=60)
@given(place=SIZE_AND_INDEX, bit=st.integers(0, 255), picked=st.data())
def test_they_accept_our_proofs_and_refuse_altered_ones(place, bit, picked):
    size, index = place
    log, note = whole_log(size)
    proof = tiles.inclusion_proof(log.read, index, size)
    merkle.verify_merkle_inclusion(their_view(ENTRIES[index], index, note, proof))

    altered = [
        their_view(b"another entry", index, note, proof),
        their_view(ENTRIES[index], index, note, [*proof, bytes(32)]),
    ]
    if proof:
        at = picked.draw(st.integers(0, len(proof) - 1))
        other = picked.draw(st.integers(0, size - 1).filter(lambda one: one != index))
        changed = [*proof[:at], flipped(proof[at], bit), *proof[at + 1 :]]
        altered += [
            their_view(ENTRIES[index], index, note, changed),
            their_view(ENTRIES[index], index, note, proof[:-1]),
            their_view(ENTRIES[index], other, note, proof),
        ]
    for view in altered:
        with pytest.raises(VerificationError):
            merkle.verify_merkle_inclusion(view)


def test_they_agree_with_our_root_at_every_leaf():
    log, note = whole_log(515)
    for index in range(515):
        proof = tiles.inclusion_proof(log.read, index, 515)
        merkle.verify_merkle_inclusion(their_view(ENTRIES[index], index, note, proof))


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 1000])
def test_they_accept_our_signed_and_cosigned_checkpoints(size):
    log, note = whole_log(size)
    read = SignedCheckpoint.from_text(note.decode()).checkpoint
    assert (read.origin, read.log_size, bytes.fromhex(read.log_hash)) == (
        LOG.verifier.name,
        size,
        log.root,
    )
    verify_checkpoint(their_keyring(LOG), their_view(ENTRIES[0], 0, note, []))


def test_they_refuse_a_checkpoint_that_was_altered_or_that_another_key_signed():
    _, note = whole_log(1000)
    altered = note.replace(b"\n1000\n", b"\n1001\n")
    with pytest.raises(VerificationError):
        verify_checkpoint(their_keyring(LOG), their_view(ENTRIES[0], 0, altered, []))
    with pytest.raises(NoteError):
        open_checkpoint(altered, [LOG.verifier])

    other = SigningKey(LOG.verifier.name, b"o" * 32)
    with pytest.raises(VerificationError):
        verify_checkpoint(their_keyring(other), their_view(ENTRIES[0], 0, note, []))
    with pytest.raises(NoteError):
        open_checkpoint(note, [other.verifier])


@settings(deadline=None, max_examples=60)
@given(place=SIZE_AND_INDEX, bit=st.integers(0, 255))
def test_we_accept_proofs_and_roots_made_of_their_hashes(place, bit):
    size, index = place
    leaves = [merkle._hash_leaf(entry) for entry in ENTRIES[:size]]
    proof, root = their_proof(leaves, index)
    assert root == root_of(leaves)
    verify_inclusion(index, size, leaves[index], proof, root)
    with pytest.raises(ProofError):
        verify_inclusion(index, size, flipped(leaves[index], bit), proof, root)
