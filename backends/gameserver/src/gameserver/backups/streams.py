"""A stream of bytes, written to a file off the event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from bedplate.problems import ContentTooLarge

_PORTION: Final = 1 << 20


async def write_stream(
    chunks: AsyncIterator[bytes], target: Path, *, most_bytes: int, told: Callable[[int], None]
) -> None:
    """Write a stream into a new file, in portions of a megabyte at least.

    `told` is told of the bytes written. Raises `ContentTooLarge` beyond `most_bytes`.
    """
    size = 0
    with await asyncio.to_thread(target.open, "xb") as file:
        waiting = bytearray()
        async for chunk in chunks:
            size += len(chunk)
            if size > most_bytes:
                raise ContentTooLarge(f"The file may have at most {most_bytes} bytes.")
            waiting += chunk
            if len(waiting) >= _PORTION:
                await asyncio.to_thread(file.write, waiting)
                told(len(waiting))
                waiting = bytearray()
        await asyncio.to_thread(file.write, waiting)
        told(len(waiting))
