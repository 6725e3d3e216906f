import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.transparency.tiles import Edge, Tile, hash_reader, parse_path, tiles_of
from audits.transparency.tree import (
    EMPTY_ROOT,
    ProofError,
    consistency_spans,
    inclusion_spans,
    leaf_hash,
    needed,
    node_hash,
    proof,
    root_hash,
    verify_consistency,
    verify_inclusion,
)

SIZES = st.integers(1, 1200) | st.sampled_from([1, 2, 3, 255, 256, 257, 511, 512, 513])
LEAVES = [leaf_hash(str(number).encode()) for number in range(1200)]


def recursive_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 defines it, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(recursive_root(leaves[:split]), recursive_root(leaves[split:]))


def grown(size: int) -> tuple[Edge, dict[tuple[int, int], bytes]]:
    """An edge after `size` leaves, and all tiles of its tree."""
    edge = Edge()
    tiles: dict[tuple[int, int], bytes] = {}
    for leaf in LEAVES[:size]:
        for tile, hashes in edge.append(leaf):
            assert tile.full
            tiles[tile.level, tile.index] = hashes
    return edge, tiles | edge.tiles()


@given(SIZES)
def test_the_edge_and_the_tiles_know_the_root_of_rfc_6962(size: int) -> None:
    """The root of a tree that grew leaf by leaf is the root that the RFC defines."""
    edge, tiles = grown(size)
    assert edge.root() == root_hash(size, hash_reader(tiles)) == recursive_root(LEAVES[:size])


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    """A log without entries has the root that witnesses expect."""
    assert Edge().root() == EMPTY_ROOT == recursive_root([])


@given(SIZES, st.data())
def test_an_inclusion_proof_proves_its_leaf_and_no_other(size: int, data: st.DataObject) -> None:
    """The proof made from tiles verifies; with another leaf, index, size or hash it does not."""
    index = data.draw(st.integers(0, size - 1))
    _, tiles = grown(size)
    spans = inclusion_spans(index, size)
    assert {(tile.level, tile.index) for tile in tiles_of(needed(spans), size)} <= tiles.keys()
    path = proof(spans, hash_reader(tiles))
    root = recursive_root(LEAVES[:size])
    verify_inclusion(LEAVES[index], index, size, path, root)
    with pytest.raises(ProofError):
        verify_inclusion(leaf_hash(b"another"), index, size, path, root)
    with pytest.raises(ProofError):
        verify_inclusion(LEAVES[index], index, size, [*path, root], root)
    if size > 1:
        with pytest.raises(ProofError):
            verify_inclusion(LEAVES[index], (index + 1) % size, size, path, root)
        with pytest.raises(ProofError):
            verify_inclusion(LEAVES[index], index, size, path[:-1], root)


@given(SIZES, st.data())
def test_a_consistency_proof_proves_that_the_log_only_grew(new: int, data: st.DataObject) -> None:
    """The proof verifies between any two sizes, and for no changed root or hash."""
    old = data.draw(st.integers(0, new))
    _, tiles = grown(new)
    path = proof(consistency_spans(old, new), hash_reader(tiles))
    old_root, new_root = recursive_root(LEAVES[:old]), recursive_root(LEAVES[:new])
    verify_consistency(old, old_root, new, new_root, path)
    with pytest.raises(ProofError):
        verify_consistency(old, leaf_hash(b"?"), new, new_root, path)
    with pytest.raises(ProofError):
        verify_consistency(old, old_root, new, new_root, [*path, old_root])
    if old not in {0, new}:
        with pytest.raises(ProofError):
            verify_consistency(old, old_root, new, leaf_hash(b"?"), path)
        with pytest.raises(ProofError):
            verify_consistency(old, old_root, new, new_root, path[:-1])
        at = data.draw(st.integers(0, len(path) - 1))
        changed = [*path[:at], leaf_hash(b"?"), *path[at + 1 :]]
        with pytest.raises(ProofError):
            verify_consistency(old, old_root, new, new_root, changed)


def test_a_tree_with_a_leaf_twice_is_another_tree() -> None:
    """[A, B, C] and [A, B, C, C] have different roots: RFC 6962 doubles no odd node."""
    assert recursive_root(LEAVES[:3]) != recursive_root([*LEAVES[:3], LEAVES[2]])
    edge = Edge()
    for leaf in [*LEAVES[:3], LEAVES[2]]:
        list(edge.append(leaf))
    assert edge.root() == recursive_root([*LEAVES[:3], LEAVES[2]])


def test_leaves_that_are_not_there_have_no_proof() -> None:
    """A proof beyond the tree, or from a larger tree to a smaller one, is refused."""
    with pytest.raises(ValueError, match="no leaf 3"):
        inclusion_spans(3, 3)
    with pytest.raises(ValueError, match="can't continue"):
        consistency_spans(4, 3)


def test_the_tiles_of_70000_leaves_are_those_of_the_specification() -> None:
    """The example of tlog-tiles: 273 full tiles and one of 112, one and 17, and 1."""
    edge = Edge()
    full = [tile for number in range(70_000) for tile, _ in edge.append(LEAVES[number % 1000])]
    assert [sum(tile.level == level for tile in full) for level in range(3)] == [273, 1, 0]
    assert [len(hashes) for hashes in edge.levels] == [112, 17, 1]
    assert edge.root() == recursive_root([LEAVES[number % 1000] for number in range(70_000)])


@given(st.integers(0, 63), st.integers(0, 10**12), st.integers(1, 256), st.booleans())
def test_a_tile_is_found_again_by_its_path(
    level: int, index: int, width: int, bundle: bool
) -> None:
    """Every tile and bundle has one path, which names it again."""
    tile = Tile(0 if bundle else level, index, width)
    assert parse_path(tile.path("entries" if bundle else None)) == (tile, bundle)


def test_an_index_is_written_in_groups_of_three_digits() -> None:
    """The path of the specification's example, and of a partial tile."""
    assert Tile(2, 1234067).path() == "2/x001/x234/067"
    assert Tile(0, 5, 17).path("entries") == "entries/005.p/17"


@pytest.mark.parametrize(
    "path",
    ["0/1", "0/x000/001", "00/001", "64/001", "0/001.p/256", "0/001.p/0", "0/001.p/07", "0/001/",
     "0/x001/x002", "entries/1", "1/0001", "-1/001", "0/\u0660\u0660\u0661", "a/001", "",
     "0/001.p/"],
)  # fmt: skip
def test_another_spelling_of_a_path_is_refused(path: str) -> None:
    """A path has one spelling, since caches keep it for ever."""
    with pytest.raises(ValueError, match=r"tile's path|level"):
        parse_path(path)
