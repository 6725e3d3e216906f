"""Chains that grow: what comes next, which tiles that fills, and the root over all of it."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from audits.log import repository
from audits.transparency.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Edge,
    Tile,
    hash_reader,
    split,
    tiles_of,
)
from audits.transparency.tree import HashOf, Span, leaf_hash, needed
from bedplate.database import ReadSession, WriteSession

_MAX_KNOWN_EDGES = 1000


@dataclass
class Growth:
    """What a transaction appends to a chain.

    Every leaf of it has the same time, which is never before that of the chain's last leaf.
    """

    tenant: str
    edge: Edge
    recorded_at: datetime
    first: int
    leaves: list[bytes] = field(default_factory=list)
    tiles: list[tuple[Tile, bytes]] = field(default_factory=list)

    @property
    def next_seq(self) -> int:
        """The number of the next leaf."""
        return self.edge.size

    def append(self, entry: bytes) -> None:
        """Add an entry as the next leaf."""
        leaf = leaf_hash(entry)
        self.leaves.append(leaf)
        self.tiles += self.edge.append(leaf)


class Chains:
    """The chains of a database; remembers the edges of those that this process appended to."""

    def __init__(self, on_growth: Callable[[str], object] = lambda _: None) -> None:
        """Prepare; `on_growth` is called with the tenant when an append is committed."""
        self._edges: OrderedDict[str, Edge] = OrderedDict()
        self._on_growth = on_growth

    async def grow(self, session: WriteSession, tenant: str, now: datetime) -> Growth:
        """Return the end of a chain, to append to it in this transaction alone."""
        await session.lock(f"audits.{tenant}")
        head = await repository.head(session, tenant)
        edge = self._edges.get(tenant)
        if edge is None or edge.size != head.size:
            edge = await load_edge(session, tenant, head.size)
        recorded_at = max(now, head.recorded_at) if head.recorded_at else now
        return Growth(tenant, edge.copy(), recorded_at, head.size)

    async def store(self, session: WriteSession, growth: Growth) -> None:
        """Store what was appended; the chain has it when the transaction is committed."""
        if not growth.leaves:
            return
        await repository.add_append(
            session, growth.tenant, growth.first, growth.leaves, growth.recorded_at
        )
        await repository.add_tiles(session, growth.tenant, growth.tiles)
        session.after_commit(lambda: self._remember(growth))

    def _remember(self, growth: Growth) -> None:
        self._edges[growth.tenant] = growth.edge
        self._edges.move_to_end(growth.tenant)
        if len(self._edges) > _MAX_KNOWN_EDGES:
            self._edges.popitem(last=False)
        self._on_growth(growth.tenant)


async def load_edge(session: ReadSession, tenant: str, size: int) -> Edge:
    """Return the right edge of a chain's tree of `size` leaves, as the database has it."""
    edge = Edge(size)
    level = 0
    while width := size >> (TILE_HEIGHT * level):
        tile = Tile(level, width // TILE_WIDTH, width % TILE_WIDTH)
        hashes = await repository.tile(session, tenant, tile) if tile.width else b""
        edge.levels.append(split(hashes))
        level += 1
    return edge


async def load_hashes(session: ReadSession, tenant: str, size: int, spans: list[Span]) -> HashOf:
    """Return a reader of all hashes that these spans of a tree of `size` leaves are made from."""
    tiles = tiles_of(needed(spans), size)
    return hash_reader(
        {(tile.level, tile.index): await repository.tile(session, tenant, tile) for tile in tiles}
    )
