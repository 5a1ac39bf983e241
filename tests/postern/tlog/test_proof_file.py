import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.tlog import tiles
from postern.tlog.checkpoint import Checkpoint, open_checkpoint
from postern.tlog.proof_file import ProofFile
from postern.tlog.strict import MalformedError, to_base64
from postern.tlog.tree import verify_inclusion
from tests.postern.tlog.vectors import LOG, VECTORS, MemoryLog, numbered, signed

FORMAT = VECTORS["tlog_proof_format"]
HASH = st.binary(min_size=32, max_size=32)
HEADER = "c2sp.org/tlog-proof@v1\n"


@pytest.mark.parametrize("case", FORMAT["good"], ids=lambda case: f"index {case['index']}")
def test_a_proof_file_is_read_like_the_reference_does(case):
    proof = ProofFile.parse(case["text"].encode())
    assert proof.index == case["index"]
    assert len(proof.proof) == case["nhashes"]
    assert proof.extra == case.get("extra", "").encode()
    assert proof.encode() == case["text"].encode()


@pytest.mark.parametrize(
    "text",
    [
        *FORMAT["bad"],
        "",
        HEADER,
        HEADER + "index 0\n",
        HEADER + "index 0\n\n",
        HEADER + "index 01\n\ncheckpoint\n",
        HEADER + "index  1\n\ncheckpoint\n",
        HEADER + "index 9223372036854775808\n\ncheckpoint\n",
        HEADER + "extra \nindex 0\n\ncheckpoint\n",
        HEADER + "extra QQ\nindex 0\n\ncheckpoint\n",
        HEADER + "index 0\nextra QQ==\n\ncheckpoint\n",
        HEADER + "index 0\n\u00e9\n\ncheckpoint\n",
        HEADER + "index 0\n" + (to_base64(bytes(32)) + "\n") * 64 + "\ncheckpoint\n",
        HEADER.replace("\n", "\r\n") + "index 0\n\ncheckpoint\n",
    ],
)
def test_another_form_of_proof_file_is_refused(text):
    with pytest.raises(MalformedError):
        ProofFile.parse(text.encode())


@given(
    index=st.integers(0, 2**63 - 1),
    hashes=st.lists(HASH, max_size=63),
    checkpoint=st.binary(min_size=1, max_size=200),
    extra=st.binary(max_size=80),
)
def test_a_proof_file_is_read_as_it_was_written(index, hashes, checkpoint, extra):
    proof = ProofFile(index, tuple(hashes), checkpoint, extra)
    assert ProofFile.parse(proof.encode()) == proof


@pytest.mark.parametrize(
    ("index", "proof", "checkpoint"),
    [
        (-1, (), b"note"),
        (2**63, (), b"note"),
        (0, (bytes(31),), b"note"),
        (0, (bytes(32),) * 64, b"note"),
        (0, (), b""),
    ],
)
def test_a_proof_that_could_not_be_read_back_is_not_made(index, proof, checkpoint):
    with pytest.raises(MalformedError):
        ProofFile(index, proof, checkpoint)


def test_a_proof_file_shows_an_entry_without_the_log():
    leaf_hashes = numbered(1000)
    log = MemoryLog(leaf_hashes)
    note = signed(Checkpoint(LOG.verifier.name, log.size, log.root).text, witnesses=2)
    hashes = tuple(tiles.inclusion_proof(log.read, 700, log.size))
    written = ProofFile(700, hashes, note).encode()

    read = ProofFile.parse(written)
    checkpoint, _ = open_checkpoint(read.checkpoint, [LOG.verifier])
    verify_inclusion(read.index, checkpoint.size, leaf_hashes[700], read.proof, checkpoint.root)
