import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.tlog.checkpoint import Checkpoint, open_checkpoint
from postern.tlog.hashing import EMPTY_ROOT
from postern.tlog.notes import KIND_ED25519, NoteError, VerifierKey
from postern.tlog.strict import MalformedError, to_base64
from postern.tlog.tree import ProofError, verify_consistency
from postern.tlog.witnessing import AddCheckpoint
from tests.postern.tlog.vectors import VECTORS

REQUESTS = VECTORS["witness_add_checkpoint"]
CASES = REQUESTS["cases"]
NOTE = "\nlog.example\n"


def answered(body: bytes, cosigned: Checkpoint) -> tuple[int, Checkpoint]:
    """The status of tlog-witness for a body, from what the library says, and the state after it."""
    key = VerifierKey(
        REQUESTS["log_origin"], KIND_ED25519, bytes.fromhex(REQUESTS["log_pubkey_hex"])
    )
    request = AddCheckpoint.parse(body)
    try:
        checkpoint, _ = open_checkpoint(request.checkpoint, [key])
    except NoteError:
        return 403, cosigned
    if request.old != cosigned.size:
        return 409, cosigned
    try:
        if request.old:
            verify_consistency(
                request.old, cosigned.root, checkpoint.size, checkpoint.root, request.proof
            )
    except ProofError:
        return 422, cosigned
    return 200, checkpoint


def test_requests_are_judged_like_the_reference_does():
    cosigned = Checkpoint(REQUESTS["log_origin"], 0, EMPTY_ROOT)
    statuses = []
    for case in CASES:
        status, cosigned = answered(case["body"].encode(), cosigned)
        statuses.append(status)
        if status == 409:
            assert case["response"] == f"{cosigned.size}\n"
    assert statuses == [case["status"] for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["body"].partition("\n")[0])
def test_a_request_is_written_as_it_was_read(case):
    assert AddCheckpoint.parse(case["body"].encode()).encode() == case["body"].encode()


@given(
    old=st.integers(1, 2**63 - 1),
    proof=st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    checkpoint=st.binary(min_size=1, max_size=200),
)
def test_a_request_is_read_as_it_was_written(old, proof, checkpoint):
    request = AddCheckpoint(old, tuple(proof), checkpoint)
    assert AddCheckpoint.parse(request.encode()) == request


@pytest.mark.parametrize(
    "body",
    [
        "",
        "old 1",
        "old 1\n",
        "old 1\n\n",
        "old\n" + NOTE,
        "old 01\n" + NOTE,
        "old -1\n" + NOTE,
        "old  1\n" + NOTE,
        "Old 1\n" + NOTE,
        "old 9223372036854775808\n" + NOTE,
        "old 1\nQUJD\n" + NOTE,
        "old 1\n" + (to_base64(bytes(32)) + "\n") * 64 + NOTE,
        "old 0\n" + to_base64(bytes(32)) + "\n" + NOTE,
        "old 1\n\u00e9\n" + NOTE,
    ],
)
def test_another_form_of_request_is_refused(body):
    with pytest.raises(MalformedError):
        AddCheckpoint.parse(body.encode())
