"""Tiles of c2sp.org/tlog-tiles: which there are, how their paths read, and the log's growing edge.

A tile holds up to 256 hashes of every eighth level of the tree: level 0 holds leaf hashes, level 1
the roots of full tiles of level 0, and so on. Full tiles never change.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from audits.transparency.tree import HASH_BYTES, HashOf, Subtree, node_hash, perfect_root, root_hash

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_LEVEL = 63
_PATH = re.compile(
    r"(?P<level>[0-9]{1,2}|entries)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile: its level, its index in the level, and how many hashes it holds (1 to 256)."""

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def full(self) -> bool:
        """Whether it holds all 256 hashes, and so never changes."""
        return self.width == TILE_WIDTH

    @property
    def end(self) -> int:
        """The number of leaves that a tree has at least when it has this tile."""
        return (self.index * TILE_WIDTH + self.width) << (TILE_HEIGHT * self.level)

    def path(self, kind: str | None = None) -> str:
        """Return the path below `tile/`; `kind` takes the place of the level (`entries`)."""
        parts = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            parts.append(f"x{rest % 1000:03d}")
            rest //= 1000
        suffix = "" if self.full else f".p/{self.width}"
        return f"{self.level if kind is None else kind}/{'/'.join(reversed(parts))}{suffix}"


def parse_path(path: str) -> tuple[Tile, bool]:
    """Return the tile that a path below `tile/` names, and whether it names an entry bundle.

    Raises ValueError for every other way to write it.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise ValueError("A tile's path is <level>/<index>, such as 0/x001/234, with .p/<width>.")
    bundle = match["level"] == "entries"
    tile = Tile(
        0 if bundle else int(match["level"]),
        int(match["index"].replace("x", "").replace("/", "")),
        int(match["width"] or TILE_WIDTH),
    )
    if tile.level > MAX_LEVEL or (match["width"] and tile.width >= TILE_WIDTH):
        raise ValueError("A level is 63 at most, and the width of a partial tile 255.")
    if tile.path("entries" if bundle else None) != path:
        raise ValueError("A tile's path has no zeros to spare.")
    return tile, bundle


def tile_of(subtree: Subtree, size: int) -> Tile:
    """Return the tile, in a tree of `size` leaves, that the hash of a subtree is made from."""
    level, height = divmod(subtree.level, TILE_HEIGHT)
    index = (subtree.index << height) // TILE_WIDTH
    width = (size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH
    return Tile(level, index, min(width, TILE_WIDTH))


def tiles_of(subtrees: Iterable[Subtree], size: int) -> list[Tile]:
    """Return the tiles that the hashes of these subtrees are made from, each once."""
    return list(dict.fromkeys(tile_of(subtree, size) for subtree in subtrees))


def hash_reader(tiles: Mapping[tuple[int, int], bytes]) -> HashOf:
    """Return a reader of hashes from the bytes of tiles, by their level and index.

    The reader raises KeyError for a subtree whose tile isn't there or is too narrow.
    """
    known: dict[tuple[int, int], list[list[bytes]]] = {}

    def hash_of(subtree: Subtree) -> bytes:
        level, height = divmod(subtree.level, TILE_HEIGHT)
        tile = level, (subtree.index << height) // TILE_WIDTH
        if tile not in known:
            known[tile] = _nodes(split(tiles[tile]))
        at = subtree.index % (TILE_WIDTH >> height)
        nodes = known[tile][height] if height < len(known[tile]) else []
        if at >= len(nodes):
            raise KeyError(subtree)
        return nodes[at]

    return hash_of


def _nodes(hashes: list[bytes]) -> list[list[bytes]]:
    """Return the hashes of all perfect subtrees within a tile, by height."""
    levels = [hashes]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    return levels


def split(hashes: bytes) -> list[bytes]:
    """Return the hashes that a tile's bytes consist of."""
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]


@dataclass
class Edge:
    """The right edge of a growing tree: the hashes of the partial tile of each level.

    All that is needed to append, and to know the root; full tiles are handed out once.
    """

    size: int = 0
    levels: list[list[bytes]] = field(default_factory=list)

    def append(self, leaf: bytes) -> Iterator[tuple[Tile, bytes]]:
        """Add a leaf's hash; yield each tile that this fills, with its bytes."""
        carried: bytes | None = leaf
        self.size += 1
        for level in range(MAX_LEVEL + 1):
            if carried is None:
                return
            if level == len(self.levels):
                self.levels.append([])
            hashes = self.levels[level]
            hashes.append(carried)
            carried = None
            if len(hashes) == TILE_WIDTH:
                index = (self.size >> (TILE_HEIGHT * (level + 1))) - 1
                yield Tile(level, index), b"".join(hashes)
                carried = perfect_root(hashes)
                hashes.clear()

    def copy(self) -> "Edge":
        """Return an edge that grows apart from this one."""
        return Edge(self.size, [list(hashes) for hashes in self.levels])

    def tiles(self) -> dict[tuple[int, int], bytes]:
        """Return the bytes of the partial tiles by level and index."""
        return {
            (level, self.size >> (TILE_HEIGHT * (level + 1))): b"".join(hashes)
            for level, hashes in enumerate(self.levels)
            if hashes
        }

    def root(self) -> bytes:
        """Return the root of the tree. Every subtree that it is made from ends at the edge."""
        return root_hash(self.size, hash_reader(self.tiles()))
