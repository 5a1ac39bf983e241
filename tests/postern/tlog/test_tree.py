import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.tlog import tiles
from postern.tlog.hashing import EMPTY_ROOT, leaf_hash, node_hash
from postern.tlog.tree import ProofError, root_of, verify_consistency, verify_inclusion
from tests.postern.tlog.vectors import VECTORS, MemoryLog, flipped, hashes, numbered, raw

ROOTS = VECTORS["rfc6962_roots"]
LEAVES = [leaf_hash(bytes.fromhex(leaf)) for leaf in ROOTS["leaves_hex"]]
# Its roots of 12 bytes pass in the library that it comes from, which does not look at them when
# the sizes are equal; here a root has 32 bytes or is none.
NOT_A_ROOT = "testdata/consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"


def naive_root(leaf_hashes: list[bytes]) -> bytes:
    """The definition of RFC 6962, section 2.1, word for word."""
    if not leaf_hashes:
        return EMPTY_ROOT
    if len(leaf_hashes) == 1:
        return leaf_hashes[0]
    split = 1
    while split * 2 < len(leaf_hashes):
        split *= 2
    return node_hash(naive_root(leaf_hashes[:split]), naive_root(leaf_hashes[split:]))


@pytest.mark.parametrize(("size", "root"), list(enumerate(ROOTS["roots_hex_by_size"])))
def test_roots_are_those_of_certificate_transparency(size, root):
    assert root_of(LEAVES[:size]).hex() == root


def test_nodes_are_those_of_certificate_transparency():
    row = LEAVES
    for expected in ROOTS["complete_nodes_hex_by_level"]:
        assert [node.hex() for node in row] == expected
        row = [node_hash(*row[at : at + 2]) for at in range(0, len(row) - 1, 2)]


@pytest.mark.parametrize(
    "case", VECTORS["inclusion_proofs"]["cases"], ids=lambda case: case["file"]
)
def test_inclusion_proofs_are_judged_like_the_reference_does(case):
    arguments = (
        case["leafIdx"],
        case["treeSize"],
        raw(case["leafHash"]),
        hashes(case["proof"]),
        raw(case["root"]),
    )
    if case["wantErr"]:
        with pytest.raises(ProofError):
            verify_inclusion(*arguments)
    else:
        verify_inclusion(*arguments)


@pytest.mark.parametrize(
    "case", VECTORS["consistency_proofs"]["cases"], ids=lambda case: case["file"]
)
def test_consistency_proofs_are_judged_like_the_reference_does(case):
    arguments = (
        case["size1"],
        raw(case["root1"]),
        case["size2"],
        raw(case["root2"]),
        hashes(case["proof"]),
    )
    if case["wantErr"] or case["file"] == NOT_A_ROOT:
        with pytest.raises(ProofError):
            verify_consistency(*arguments)
    else:
        verify_consistency(*arguments)


@settings(deadline=None, max_examples=40)
@given(size=st.integers(0, 1100))
def test_the_root_is_the_one_of_the_definition(size):
    leaf_hashes = numbered(size)
    assert root_of(iter(leaf_hashes)) == naive_root(leaf_hashes)


@pytest.mark.parametrize("rows", range(9))
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_root_is_right_where_a_tile_is_just_full(rows, more):
    leaf_hashes = numbered(max(0, rows * 256 + more))
    assert root_of(leaf_hashes) == naive_root(leaf_hashes)


def test_a_leaf_hash_of_another_length_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        root_of([b"short"])


@settings(deadline=None, max_examples=60)
@given(picked=st.data(), size=st.integers(1, 700))
def test_an_inclusion_proof_shows_one_leaf_at_one_place_of_one_tree(picked, size):
    leaf_hashes = numbered(size)
    log = MemoryLog(leaf_hashes)
    index = picked.draw(st.integers(0, size - 1))
    leaf = leaf_hashes[index]
    proof = tiles.inclusion_proof(log.read, index, size)
    verify_inclusion(index, size, leaf, proof, log.root)

    bit = picked.draw(st.integers(0, 255))
    forgeries = [
        (index, size, flipped(leaf, bit), proof, log.root),
        (index, size, leaf, proof, flipped(log.root, bit)),
        (index, size, leaf, [*proof, log.root], log.root),
        (size, size, leaf, proof, log.root),
        (-1, size, leaf, proof, log.root),
    ]
    if proof:
        number = picked.draw(st.integers(0, len(proof) - 1))
        changed = [*proof[:number], flipped(proof[number], bit), *proof[number + 1 :]]
        other = picked.draw(st.integers(0, size - 1).filter(lambda one: one != index))
        forgeries += [
            (index, size, leaf, changed, log.root),
            (index, size, leaf, proof[:-1], log.root),
            (index, size, leaf, proof[1:], log.root),
            (other, size, leaf, proof, log.root),
        ]
    for forgery in forgeries:
        with pytest.raises(ProofError):
            verify_inclusion(*forgery)


@settings(deadline=None, max_examples=60)
@given(picked=st.data(), size=st.integers(2, 700))
def test_an_inclusion_proof_of_one_size_does_not_pass_for_the_root_of_another(picked, size):
    log = MemoryLog(numbered(size))
    index = picked.draw(st.integers(0, size - 2))
    smaller = picked.draw(st.integers(index + 1, size - 1))
    leaf = numbered(size)[index]
    proof = tiles.inclusion_proof(log.read, index, smaller)
    verify_inclusion(index, smaller, leaf, proof, root_of(numbered(smaller)))
    with pytest.raises(ProofError):
        verify_inclusion(index, size, leaf, proof, log.root)
    with pytest.raises(ProofError):
        verify_inclusion(index, smaller, leaf, proof, log.root)


@settings(deadline=None, max_examples=60)
@given(picked=st.data(), new=st.integers(2, 700))
def test_a_consistency_proof_shows_that_one_tree_begins_with_the_other(picked, new):
    old = picked.draw(st.integers(1, new - 1))
    log = MemoryLog(numbered(new))
    old_root = root_of(numbered(old))
    proof = tiles.consistency_proof(log.read, old, new)
    verify_consistency(old, old_root, new, log.root, proof)

    bit = picked.draw(st.integers(0, 255))
    number = picked.draw(st.integers(0, len(proof) - 1))
    changed = [*proof[:number], flipped(proof[number], bit), *proof[number + 1 :]]
    forgeries = [
        (old, flipped(old_root, bit), new, log.root, proof),
        (old, old_root, new, flipped(log.root, bit), proof),
        (old, old_root, new, log.root, changed),
        (old, old_root, new, log.root, proof[:-1]),
        (old, old_root, new, log.root, [*proof, log.root]),
        (new, old_root, old, log.root, proof),
        (0, EMPTY_ROOT, new, log.root, []),
        (old, old_root, old, old_root, proof),
        (old, log.root, old, old_root, []),
        (old, old_root, new, log.root, []),
    ]
    for forgery in forgeries:
        with pytest.raises(ProofError):
            verify_consistency(*forgery)
    verify_consistency(old, old_root, old, old_root, [])


@settings(deadline=None, max_examples=60)
@given(picked=st.data(), new=st.integers(2, 700))
def test_a_log_whose_past_was_changed_has_no_consistency_proof(picked, new):
    old = picked.draw(st.integers(1, new - 1))
    changed = picked.draw(st.integers(0, old - 1))
    rewritten = numbered(new)
    rewritten[changed] = leaf_hash(b"rewritten")
    log = MemoryLog(rewritten)
    proof = tiles.consistency_proof(log.read, old, new)
    with pytest.raises(ProofError):
        verify_consistency(old, root_of(numbered(old)), new, log.root, proof)


def moved(left: bytes, right: bytes) -> tuple[bytes, bytes]:
    """The same bytes in the same order, with the border between them elsewhere."""
    return left + right[:1], right[1:]


def test_hashes_of_another_length_are_refused_even_where_they_hash_the_same():
    left, right = numbered(2)
    root = node_hash(left, right)
    longer, shorter = moved(left, right)
    assert node_hash(longer, shorter) == root
    with pytest.raises(ProofError, match="32 bytes"):
        verify_inclusion(0, 2, longer, [shorter], root)
    with pytest.raises(ProofError, match="32 bytes"):
        verify_inclusion(1, 2, shorter, [longer], root)
    with pytest.raises(ProofError, match="32 bytes"):
        verify_consistency(1, longer, 2, root, [shorter])
    with pytest.raises(ProofError, match="32 bytes"):
        verify_inclusion(0, 1, b"short", [], b"short")
    with pytest.raises(ProofError, match="32 bytes"):
        verify_consistency(1, b"short", 1, b"short", [])


def test_a_refused_proof_says_what_is_wrong_and_what_to_do():
    leaf_hashes = numbered(5)
    root = root_of(leaf_hashes)
    log = MemoryLog(leaf_hashes)
    proof = tiles.inclusion_proof(log.read, 2, 5)
    for forged, said in (
        ([*proof, root], "more hashes"),
        (proof[:-1], "fewer hashes"),
        ([root, *proof[1:]], "does not lead from entry 2"),
    ):
        with pytest.raises(ProofError, match=f"The proof fails: .*{said}.*Do not rely on"):
            verify_inclusion(2, 5, leaf_hashes[2], forged, root)
    old_root = root_of(leaf_hashes[:3])
    proof = tiles.consistency_proof(log.read, 3, 5)
    for forged, said in (
        ([*proof, root], "more hashes"),
        (proof[:-1], "fewer hashes"),
        ([], "empty"),
        ([root, *proof[1:]], "earlier size 3"),
        ([*proof[:-1], root], "later size 5"),
    ):
        with pytest.raises(ProofError, match=said):
            verify_consistency(3, old_root, 5, root, forged)
