"""Inclusion paths of many leaves of one tree, read tile by tile."""

from collections import OrderedDict

from audits.log import repository
from audits.transparency.tiles import hash_reader, tile_of
from audits.transparency.tree import HashOf, Subtree, inclusion_spans, needed, proof
from bedplate.database import ReadSession

_MAX_TILES = 256


class Paths:
    """The paths from leaves to the root of a chain's tree of `size` leaves.

    Leaves asked for in their order read each tile once.
    """

    def __init__(self, session: ReadSession, tenant: str, size: int) -> None:
        self._session = session
        self._tenant = tenant
        self._size = size
        self._tiles: OrderedDict[tuple[int, int], HashOf] = OrderedDict()

    async def path(self, index: int) -> list[bytes]:
        """Return the hashes that prove a leaf, its sibling's first."""
        spans = inclusion_spans(index, self._size)
        readers = {subtree: await self._reader(subtree) for subtree in needed(spans)}
        return proof(spans, lambda subtree: readers[subtree](subtree))

    async def _reader(self, subtree: Subtree) -> HashOf:
        tile = tile_of(subtree, self._size)
        key = tile.level, tile.index
        if key not in self._tiles:
            hashes = await repository.tile(self._session, self._tenant, tile)
            self._tiles[key] = hash_reader({key: hashes})
            if len(self._tiles) > _MAX_TILES:
                self._tiles.popitem(last=False)
        self._tiles.move_to_end(key)
        return self._tiles[key]
