"""Entry bundles of c2sp.org/tlog-tiles: up to 256 entries, each after its length in two bytes."""

import struct
from collections.abc import Iterable, Iterator

MAX_ENTRY_BYTES = 2**16 - 1
_LENGTH = struct.Struct(">H")


def pack(entries: Iterable[bytes]) -> bytes:
    """Return the bundle of these entries. Raises ValueError for one beyond 65,535 bytes."""
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise ValueError(f"An entry of {len(entry)} bytes has no place in a bundle.")
        parts += [_LENGTH.pack(len(entry)), entry]
    return b"".join(parts)


def unpack(bundle: bytes) -> Iterator[bytes]:
    """Yield the entries of a bundle. Raises ValueError for one that is cut short."""
    at = 0
    while at < len(bundle):
        if at + _LENGTH.size > len(bundle):
            raise ValueError("The bundle ends within a length.")
        (length,) = _LENGTH.unpack_from(bundle, at)
        at += _LENGTH.size
        if at + length > len(bundle):
            raise ValueError("The bundle ends within an entry.")
        yield bundle[at : at + length]
        at += length
