"""Long lists in chunks, between which other requests are served."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeVar

import orjson

Item = TypeVar("Item")

CHUNK_SIZE = 250
"""Items of one chunk: about a millisecond of work."""


async def chunks(items: Sequence[Item]) -> AsyncIterator[Sequence[Item]]:
    """Yield the items in chunks, and let the event loop run others between two of them."""
    for start in range(0, len(items), CHUNK_SIZE):
        if start:
            await asyncio.sleep(0)
        yield items[start : start + CHUNK_SIZE]


async def json_array(items: Sequence[Item], members: Callable[[Item], dict[str, Any]]) -> bytes:
    """Return the JSON array of what `members` makes of each item.

    The members were validated when they were stored, or read: they aren't validated again.
    """
    parts = [orjson.dumps([members(item) for item in chunk])[1:-1] async for chunk in chunks(items)]
    return b"[" + b",".join(parts) + b"]"
