import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.tlog import tiles
from postern.tlog.checkpoint import open_checkpoint
from postern.tlog.hashing import EMPTY_ROOT, leaf_hash
from postern.tlog.notes import VerifierKey
from postern.tlog.tiles import HASH_SIZE, MalformedError, Tile
from postern.tlog.tree import ProofError, root_of, verify_consistency, verify_inclusion
from tests.postern.tlog.vectors import VECTORS, MemoryLog, flipped, numbered, raw

PATHS = VECTORS["tile_paths"]
TESSERA = VECTORS["tiled_log"]
TESSERA_FILES = {path: raw(content) for path, content in TESSERA["files_base64"].items()}
TESSERA_SIZES = sorted(map(int, TESSERA["checkpoints_by_size"]))
TESSERA_ENTRIES = tiles.parse_bundle(TESSERA_FILES["tile/entries/000.p/15"], 15)


@pytest.mark.parametrize("case", PATHS["cases"], ids=lambda case: case["path"])
def test_tiles_are_named_as_the_standard_names_them(case):
    tile = Tile(case["level"], case["index"], case["width"])
    assert tile.path == case["path"]
    assert Tile.parse(case["path"]) == tile


@pytest.mark.parametrize(
    "path",
    [
        *PATHS["bad"],
        "",
        "tile/0/000/",
        "tile/0/x000/001",
        "tile/0/1234",
        "tile/0/001.p/01",
        "tile/0/001\n",
        "tile/entries/-01",
        "tile/0/\u0661\u0662\u0663",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/" + "x001/" * 2000 + "000",
    ],
)
def test_another_path_is_refused(path):
    with pytest.raises(MalformedError):
        Tile.parse(path)


@given(level=st.integers(-1, 63), index=st.integers(0, 2**63 - 1), width=st.integers(1, 256))
def test_every_tile_is_read_from_its_own_path(level, index, width):
    tile = Tile(level, index, width)
    assert Tile.parse(tile.path) == tile


def test_the_highest_level_and_the_last_index_have_a_path():
    tile = Tile(63, 2**63 - 1, 255)
    assert Tile.parse(tile.path) == tile
    with pytest.raises(MalformedError, match="out of range"):
        Tile.parse(Tile(63, 2**63, 255).path)
    with pytest.raises(MalformedError, match="out of range"):
        Tile.parse("tile/64/000")


def test_a_tree_of_70000_leaves_has_the_tiles_that_the_standard_counts():
    counted = PATHS["tree_70000"]
    found = list(tiles.tiles_of(70_000))
    full = [
        [tile for tile in found if tile.level == level and tile.width == 256] for level in range(3)
    ]
    partial = {tile.level: tile.width for tile in found if tile.width < 256}
    assert len(full[0]) == counted["level0_full"]
    assert len(full[1]) == counted["level1_full"]
    assert full[2] == []
    assert partial == {
        0: counted["level0_partial"],
        1: counted["level1_partial"],
        2: counted["level2_partial"],
    }


def test_a_tree_of_256_leaves_has_a_full_tile_and_one_hash_above_it():
    assert list(tiles.tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]


def test_the_bundles_hold_every_entry_once():
    assert list(tiles.bundles_of(515)) == [Tile(-1, 0), Tile(-1, 1), Tile(-1, 2, 3)]
    assert list(tiles.bundles_of(0)) == []


@pytest.mark.parametrize("size", TESSERA_SIZES)
def test_a_log_written_by_tessera_is_read(size):
    note = TESSERA["checkpoints_by_size"][str(size)].encode()
    checkpoint, _ = open_checkpoint(note, [VerifierKey.parse(TESSERA["vkey"])])
    assert checkpoint.size == size
    assert tiles.root(lambda tile: TESSERA_FILES[tile.path], size) == checkpoint.root
    entries = [
        entry
        for bundle in tiles.bundles_of(size)
        for entry in tiles.parse_bundle(TESSERA_FILES[bundle.path], bundle.width)
    ]
    assert root_of(map(leaf_hash, entries)) == checkpoint.root


def test_the_files_of_a_log_written_by_tessera_are_written_the_same():
    log = MemoryLog()
    written = {}
    for entry in TESSERA_ENTRIES:
        growth = log.grow([leaf_hash(entry)])
        written |= {tile.path: content for tile, content in growth.tiles.items()}
        for bundle in tiles.bundles_of(log.size):
            written[bundle.path] = tiles.encode_bundle(TESSERA_ENTRIES[: log.size])
    assert written == TESSERA_FILES


@pytest.mark.parametrize(("old", "new"), list(itertools.combinations(TESSERA_SIZES[1:], 2)))
def test_every_checkpoint_of_tessera_is_consistent_with_every_later_one(old, new):
    roots = [
        open_checkpoint(
            TESSERA["checkpoints_by_size"][str(size)].encode(),
            [VerifierKey.parse(TESSERA["vkey"])],
        )[0].root
        for size in (old, new)
    ]
    proof = tiles.consistency_proof(lambda tile: TESSERA_FILES[tile.path], old, new)
    verify_consistency(old, roots[0], new, roots[1], proof)


@settings(deadline=None, max_examples=40)
@given(chunks=st.lists(st.integers(0, 700), max_size=6))
def test_a_log_grown_in_chunks_is_the_log_grown_at_once(chunks):
    leaf_hashes = numbered(sum(chunks))
    log = MemoryLog()
    for chunk in chunks:
        before = dict(log.stored)
        growth = log.grow(leaf_hashes[log.size : log.size + chunk])
        assert log.root == root_of(leaf_hashes[: log.size]) == tiles.root(log.read, log.size)
        for tile, content in growth.tiles.items():
            assert len(content) == tile.width * HASH_SIZE
            assert before.get((tile.level, tile.index)) != content
    at_once = MemoryLog(leaf_hashes)
    assert log.stored == at_once.stored
    assert set(log.stored) == {(tile.level, tile.index) for tile in tiles.tiles_of(log.size)}
    assert all(
        len(log.stored[tile.level, tile.index]) == tile.width * HASH_SIZE
        for tile in tiles.tiles_of(log.size)
    )


def test_growing_reads_the_right_edge_once_and_nothing_else():
    log = MemoryLog(numbered(70_003))
    log.read_tiles.clear()
    log.grow(numbered(300))
    assert log.read_tiles == [Tile(0, 273, 115), Tile(1, 1, 17), Tile(2, 0, 1)]


def test_a_log_that_does_not_grow_changes_no_tile():
    log = MemoryLog(numbered(70_003))
    root = log.root
    assert log.grow([]).tiles == {}
    assert log.root == root
    assert MemoryLog().root == EMPTY_ROOT == tiles.root(log.read, 0)


def test_growing_by_anything_but_hashes_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        MemoryLog([b"short"])


@pytest.mark.parametrize("size", [255, 256, 257, 65_535, 65_536, 65_537, 70_003])
def test_proofs_read_each_tile_once_and_few_of_them(size):
    leaf_hashes = numbered(size)
    log = MemoryLog(leaf_hashes)
    for index in (0, 1, size // 3, size - 2, size - 1):
        log.read_tiles.clear()
        proof = tiles.inclusion_proof(log.read, index, size)
        verify_inclusion(index, size, leaf_hashes[index], proof, log.root)
        assert len(log.read_tiles) == len(set(log.read_tiles)) <= 5
        log.read_tiles.clear()
        proof = tiles.consistency_proof(log.read, index + 1, size)
        verify_consistency(index + 1, root_of(leaf_hashes[: index + 1]), size, log.root, proof)
        assert len(log.read_tiles) == len(set(log.read_tiles)) <= 5


def test_an_earlier_size_is_proved_from_tiles_that_have_grown_since():
    leaf_hashes = numbered(900)
    log = MemoryLog(leaf_hashes)
    root = root_of(leaf_hashes[:600])
    assert tiles.root(log.read, 600) == root
    proof = tiles.inclusion_proof(log.read, 599, 600)
    verify_inclusion(599, 600, leaf_hashes[599], proof, root)


def test_a_forged_leaf_in_a_tile_leads_to_no_signed_root():
    leaf_hashes = numbered(70_003)
    log = MemoryLog(leaf_hashes)
    signed_root = log.root
    forged = leaf_hash(b"forged")
    for index in (0, 300, 65_536, 70_002):
        honest = dict(log.stored)
        tile, at = divmod(index, 256)
        row = log.stored[0, tile]
        log.stored[0, tile] = row[: at * 32] + forged + row[(at + 1) * 32 :]
        proof = tiles.inclusion_proof(log.read, index, log.size)
        with pytest.raises(ProofError):
            verify_inclusion(index, log.size, forged, proof, signed_root)
        log.stored = honest


@settings(deadline=None, max_examples=60)
@given(picked=st.data())
def test_whatever_is_forged_in_a_tile_never_proves_what_is_not_so(picked):
    leaf_hashes = numbered(1000)
    log = MemoryLog(leaf_hashes)
    signed_root = log.root
    place = picked.draw(st.sampled_from(sorted(log.stored)))
    bit = picked.draw(st.integers(0, len(log.stored[place]) * 8 - 1))
    log.stored[place] = flipped(log.stored[place], bit)
    index = picked.draw(st.integers(0, 999))
    shown = log.stored[0, index // 256][index % 256 * 32 :][:32]
    proof = tiles.inclusion_proof(log.read, index, 1000)
    if shown != leaf_hashes[index]:
        with pytest.raises(ProofError):
            verify_inclusion(index, 1000, shown, proof, signed_root)
    elif proof == tiles.inclusion_proof(MemoryLog(leaf_hashes).read, index, 1000):
        verify_inclusion(index, 1000, shown, proof, signed_root)
    else:
        with pytest.raises(ProofError):
            verify_inclusion(index, 1000, shown, proof, signed_root)


def test_a_tile_that_is_too_short_is_refused():
    log = MemoryLog(numbered(300))
    log.stored[0, 1] = log.stored[0, 1][:-1]
    with pytest.raises(MalformedError, match=r"tile/0/001\.p/44"):
        tiles.root(log.read, 300)
    with pytest.raises(MalformedError):
        tiles.inclusion_proof(log.read, 299, 300)
    with pytest.raises(MalformedError):
        log.grow(numbered(1))


def test_a_proof_of_what_the_log_does_not_have_is_not_made():
    log = MemoryLog(numbered(5))
    for index, size in ((5, 5), (-1, 5), (0, 0)):
        with pytest.raises(ValueError, match="has no entry"):
            tiles.inclusion_proof(log.read, index, size)
    with pytest.raises(ValueError, match="shrink"):
        tiles.consistency_proof(log.read, 5, 4)
    assert tiles.consistency_proof(log.read, 0, 5) == []
    assert tiles.consistency_proof(log.read, 5, 5) == []


@given(entries=st.lists(st.binary(max_size=300), max_size=8))
def test_entries_come_out_of_a_bundle_as_they_went_in(entries):
    bundle = tiles.encode_bundle(entries)
    assert tiles.parse_bundle(bundle, len(entries)) == entries
    for cut in (bundle + b"\x00", bundle[:-1]):
        if cut != bundle:
            with pytest.raises(MalformedError):
                tiles.parse_bundle(cut, len(entries))
    with pytest.raises(MalformedError, match="entries, not"):
        tiles.parse_bundle(bundle, len(entries) + 1)


def test_an_entry_longer_than_its_length_can_say_is_refused():
    assert tiles.parse_bundle(tiles.encode_bundle([bytes(65_535)]), 1) == [bytes(65_535)]
    with pytest.raises(ValueError, match="65535"):
        tiles.encode_bundle([bytes(65_536)])
