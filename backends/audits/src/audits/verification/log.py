"""Verifies a log by its tiles, from a server or a folder: every entry, up to the signed root."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import httpx2
import orjson

from audits.transparency.bundle import unpack
from audits.transparency.checkpoint import Checkpoint, parse_size
from audits.transparency.note import Note, NoteError, Verifier
from audits.transparency.tiles import TILE_WIDTH, Edge, Tile, split
from audits.transparency.tree import HASH_BYTES, leaf_hash, perfect_root
from audits.verification.finding import Break, Broken, Verified

_TIMEOUT: Final = 30.0


class LogSource(Protocol):
    """Where the files of a log are: checkpoint, tiles and entry bundles."""

    def read(self, path: str) -> bytes | None:
        """Return a file by its path, such as `tile/0/000`, or None where it isn't."""
        ...


class LogFolder:
    """A log's files in a folder, as a mirror keeps them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str) -> bytes | None:
        """Return a file, or None."""
        file = self._folder / path
        return file.read_bytes() if file.is_file() else None


class LogServer:
    """A log's files on a server, such as `https://audits.example.com/api/v1/log/default`."""

    def __init__(self, url: str, *, api_key: str | None = None) -> None:
        headers = {"X-API-Key": api_key} if api_key else {}
        self._client = httpx2.Client(timeout=_TIMEOUT, headers=headers)
        self._url = url.rstrip("/")

    def read(self, path: str) -> bytes | None:
        """Return a file, or None when it isn't there. Raises httpx2's errors."""
        response = self._client.get(f"{self._url}/{path}")
        if response.status_code == httpx2.codes.NOT_FOUND:
            return None
        response.raise_for_status()
        return response.content


def verify_log(
    source: LogSource,
    verifiers: Sequence[Verifier],
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Verified:
    """Verify a whole log: signature, root, tiles, and each entry against its leaf.

    `progress` is called with the number of entries that were read. Raises `Broken` with the first
    thing that isn't as the log has signed it.
    """
    note = source.read("checkpoint")
    if note is None:
        raise Broken(Break("checkpoint", "The log has no checkpoint."))
    try:
        signed = Note.parse(note)
        signers = tuple(signature.name for signature in signed.verified(verifiers))
        checkpoint = Checkpoint.parse(signed.text)
    except NoteError as error:
        raise Broken(Break("checkpoint", str(error))) from None
    minimum = _minimum(source)
    edge = Edge()
    for number, tile in enumerate(_tiles(checkpoint.size)):
        leaves = _leaves(source, tile)
        if tile.end > minimum:
            _check_entries(source, tile, leaves)
        for leaf in leaves:
            for full, hashes in edge.append(leaf):
                if full.level and source.read(f"tile/{full.path()}") != hashes:
                    raise Broken(
                        Break("tile", f"tile/{full.path()} isn't made from the tiles below.")
                    )
        progress(number * TILE_WIDTH + tile.width)
    if edge.root() != checkpoint.root:
        message = (
            f"The tiles of {checkpoint.size} entries don't lead to the signed root: entries and "
            "their tiles were changed together, or some were removed."
        )
        raise Broken(Break("tile", message))
    _check_partial_tiles(source, edge)
    records = checkpoint.size - min(minimum, checkpoint.size)
    return Verified(records, checkpoint.size, checkpoint.origin, signers)


def _check_partial_tiles(source: LogSource, edge: Edge) -> None:
    """Compare the last tile of each level above the leaves, from which proofs are made too.

    A copy of a log may do without them: they follow from the tiles below.
    """
    for (level, index), hashes in edge.tiles().items():
        tile = Tile(level, index, len(hashes) // HASH_BYTES)
        if level and source.read(f"tile/{tile.path()}") not in {None, hashes}:
            raise Broken(Break("tile", f"tile/{tile.path()} isn't made from the tiles below."))


def _minimum(source: LogSource) -> int:
    """Return the index before which whole bundles may be gone: what the log says of itself.

    It only says which entries can't be compared; their hashes are still part of the signed tree.
    """
    try:
        return parse_size((source.read("minimum") or b"0").decode().strip())
    except (NoteError, UnicodeDecodeError):
        raise Broken(Break("checkpoint", "The log's minimum index isn't a number.")) from None


def _tiles(size: int) -> Iterator[Tile]:
    for index in range(size // TILE_WIDTH):
        yield Tile(0, index)
    if size % TILE_WIDTH:
        yield Tile(0, size // TILE_WIDTH, size % TILE_WIDTH)


def _leaves(source: LogSource, tile: Tile) -> list[bytes]:
    hashes = source.read(f"tile/{tile.path()}")
    if hashes is None or len(hashes) != tile.width * HASH_BYTES:
        raise Broken(Break("tile", f"tile/{tile.path()} is missing or has another length."))
    return split(hashes)


def _check_entries(source: LogSource, tile: Tile, leaves: list[bytes]) -> None:
    """Compare each entry with its leaf. Raises `Broken`, which names the record."""
    path = f"tile/{tile.path('entries')}"
    bundle = source.read(path)
    first = tile.index * TILE_WIDTH
    try:
        entries = None if bundle is None else list(unpack(bundle))
    except ValueError as error:
        raise Broken(Break("record", f"{path}: {error}", first)) from None
    if entries is None or len(entries) != tile.width:
        raise Broken(
            Break("record", f"{path} is missing, or has another number of entries.", first)
        )
    made = [leaf_hash(entry) for entry in entries]
    if made == leaves:
        return
    [at, *_] = [at for at in range(tile.width) if made[at] != leaves[at]]
    parent = _parent(source, tile)
    if tile.full and parent is not None and perfect_root(made) == parent:
        raise Broken(Break("tile", f"tile/{tile.path()} isn't made from its entries.", first + at))
    raise Broken(
        Break("record", "The record isn't what the log holds.", first + at, _id_of(entries[at]))
    )


def _parent(source: LogSource, tile: Tile) -> bytes | None:
    """Return the hash of a full tile that the tile above it holds, if that is there."""
    index, at = divmod(tile.index, TILE_WIDTH)
    for width in (TILE_WIDTH, *range(TILE_WIDTH - 1, at, -1)):
        hashes = source.read(f"tile/{Tile(1, index, width).path()}")
        if hashes is not None:
            return hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES]
    return None


def _id_of(entry: bytes) -> str | None:
    try:
        return str(orjson.loads(entry)["id"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
