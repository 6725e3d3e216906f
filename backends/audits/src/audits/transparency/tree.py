"""Merkle trees of RFC 6962: hashes, roots, inclusion proofs and consistency proofs.

A perfect subtree is named by its level and index: level 0 are the leaves, and subtree (l, i) spans
the leaves from `i * 2**l` to `(i + 1) * 2**l`. Functions that need stored hashes first say which
subtrees they need, so that a caller loads all of them at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of the tree without leaves (RFC 6962, section 2.1)."""


@dataclass(frozen=True, slots=True)
class Subtree:
    """A perfect subtree: 2**level leaves, the index-th of its level."""

    level: int
    index: int


@dataclass(frozen=True, slots=True)
class Span:
    """The leaves from `start` up to, and without, `end`."""

    start: int
    end: int


HashOf = Callable[[Subtree], bytes]
"""Returns the hash of a perfect subtree that is in the tree."""


class ProofError(ValueError):
    """A proof that doesn't prove what it should."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry; its first byte keeps leaves and nodes apart."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two hashes."""
    return sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root above 2**n hashes of one level."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(*level[at : at + 2]) for at in range(0, len(level), 2)]
    return level[0]


def subtrees(span: Span) -> list[Subtree]:
    """Return the perfect subtrees that a span consists of, the left-most and largest first.

    The span is one of those that RFC 6962 splits a tree into, which begin where their largest
    subtree may begin.
    """
    found = []
    start, left = span.start, span.end - span.start
    while left:
        level = left.bit_length() - 1
        found.append(Subtree(level, start >> level))
        start += 1 << level
        left -= 1 << level
    return found


def span_hash(span: Span, hash_of: HashOf) -> bytes:
    """Return the Merkle tree hash of a span: MTH(D[start:end])."""
    parts = [hash_of(subtree) for subtree in subtrees(span)]
    if not parts:
        return EMPTY_ROOT
    root = parts.pop()
    while parts:
        root = node_hash(parts.pop(), root)
    return root


def root_hash(size: int, hash_of: HashOf) -> bytes:
    """Return the root of the tree with the first `size` leaves."""
    return span_hash(Span(0, size), hash_of)


def _split(size: int) -> int:
    """Return the largest power of two below `size`, where RFC 6962 splits a tree."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_spans(index: int, size: int) -> list[Span]:
    """Return the spans whose hashes prove that leaf `index` is in the tree of `size` leaves.

    The leaf's sibling comes first. Raises ValueError for a leaf that isn't in the tree.
    """
    if not 0 <= index < size:
        raise ValueError(f"A tree of {size} leaves has no leaf {index}.")
    start, end = 0, size
    spans = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            spans.append(Span(middle, end))
            end = middle
        else:
            spans.append(Span(start, middle))
            start = middle
    return spans[::-1]


def consistency_spans(old: int, new: int) -> list[Span]:
    """Return the spans whose hashes prove that the tree of `new` leaves continues that of `old`.

    None are needed for an empty old tree or for the same tree. Raises ValueError when the old tree
    is the larger one.
    """
    if not 0 <= old <= new:
        raise ValueError(f"A tree of {new} leaves can't continue one of {old}.")
    if old in {0, new}:
        return []
    start, end = 0, new
    spans = []
    whole = True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            spans.append(Span(middle, end))
            end = middle
        else:
            spans.append(Span(start, middle))
            start, whole = middle, False
    if not whole:
        spans.append(Span(start, end))
    return spans[::-1]


def proof(spans: Sequence[Span], hash_of: HashOf) -> list[bytes]:
    """Return the hashes of a proof, given the spans that it consists of."""
    return [span_hash(span, hash_of) for span in spans]


def needed(spans: Sequence[Span]) -> list[Subtree]:
    """Return all perfect subtrees whose hashes a proof of these spans is made from."""
    return [subtree for span in spans for subtree in subtrees(span)]


def _climb(node: int, last: int, path: Sequence[bytes]) -> Iterator[tuple[bytes, bool, int, int]]:
    """Yield the hashes of a proof from a node up to the root.

    With each come whether it is on the left, and how many levels higher the node over both is, with
    that node's index. `last` is the last node of the first level. Raises `ProofError` for too many
    hashes or too few.
    """
    level = 0
    for sibling in path:
        if last == 0:
            raise ProofError("The proof has too many hashes.")
        is_left = node % 2 == 1 or node == last
        while is_left and node % 2 == 0 and node:
            node, last, level = node >> 1, last >> 1, level + 1
        node, last, level = node >> 1, last >> 1, level + 1
        yield sibling, is_left, level, node
    if last:
        raise ProofError("The proof has too few hashes.")


def climb(
    leaf: bytes, index: int, size: int, path: Sequence[bytes]
) -> Iterator[tuple[int, int, bytes]]:
    """Yield level, index and hash of each node from a leaf to the root, as its path makes them.

    Raises `ProofError` for a leaf that isn't in the tree, and a path of another length.
    """
    if not 0 <= index < size:
        raise ProofError(f"A tree of {size} leaves has no leaf {index}.")
    made = leaf
    yield 0, index, made
    for sibling, is_left, level, node in _climb(index, size - 1, path):
        made = node_hash(sibling, made) if is_left else node_hash(made, sibling)
        yield level, node, made


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check an inclusion proof (RFC 9162, section 2.1.3.2). Raises `ProofError`."""
    *_, (_, _, made) = climb(leaf, index, size, path)
    if made != root:
        raise ProofError(f"The inclusion proof of leaf {index} leads to another root.")


def verify_consistency(
    old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Check a consistency proof (RFC 9162, section 2.1.4.2). Raises `ProofError`."""
    if not 0 <= old <= new:
        raise ProofError(f"A tree of {new} leaves can't continue one of {old}.")
    if old in {0, new}:
        if path or old_root != (EMPTY_ROOT if old == 0 else new_root):
            raise ProofError(f"The proof isn't one between the trees of {old} and {new} leaves.")
        return
    node, last = old - 1, new - 1
    while node % 2:
        node, last = node >> 1, last >> 1
    # The proof begins with the old tree's last perfect subtree, unless that is all of it.
    first, *siblings = [old_root, *path] if node == 0 else path or [old_root]
    made_old = made_new = first
    for sibling, is_left, _, _ in _climb(node, last, siblings):
        if is_left:
            made_old = node_hash(sibling, made_old)
        made_new = node_hash(sibling, made_new) if is_left else node_hash(made_new, sibling)
    if (made_old, made_new) != (old_root, new_root):
        raise ProofError(f"The tree of {new} leaves doesn't continue the one of {old}.")
