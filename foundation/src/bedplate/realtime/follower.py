"""One who follows a broadcast, at their own pace, and gets its items in batches."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Self

from bedplate.realtime.position import Position
from bedplate.realtime.ring_buffer import Item, Numbered
from bedplate.realtime.sse import frame

Encode = Callable[[Numbered[Item]], str]
"""Returns the JSON of a numbered item."""

Wants = Callable[[Item], bool]
"""A filter: whether the follower wants an item."""


@dataclass(eq=False)
class Batch(Generic[Item]):
    """Some items in their order; shared by all followers that get the same.

    `last` is the number to go on after: of the last item that was looked at, wanted or not. `run`
    names the row of numbers.
    """

    items: tuple[Numbered[Item], ...]
    last: int
    encode: Encode[Item]
    run: str

    @cached_property
    def text(self) -> str:
        """The batch as JSON, made once: `{"type":"items","last":…,"items":[…]}`."""
        items = ",".join(map(self._encoded, self.items))
        return f'{{"type":"items","last":{self.last},"items":[{items}]}}'

    @cached_property
    def sse(self) -> bytes:
        """The items as server-sent events with the ids `run-number`, made once."""
        frames = [
            frame(self._encoded(entry), id=Position(self.run, entry.number)) for entry in self.items
        ]
        return b"".join(frames)

    def _encoded(self, entry: Numbered[Item]) -> str:
        if entry.encoded is None:
            entry.encoded = self.encode(entry)
        return entry.encoded


Take = Callable[[int, Wants[Item] | None], tuple[int, Batch[Item] | None]]


@dataclass(eq=False)
class Follower(Generic[Item]):
    """A place in the row: a slow follower costs no memory. Iterate over it for batches."""

    take: Take[Item]
    wait: Callable[[], Awaitable[None]]
    position: int
    """The number of the last item it has passed."""
    wants: Wants[Item] | None
    """The filter; it may be replaced at any time."""
    lost: int = 0
    """How many items were gone when it came to them, also those it would not have wanted."""

    def __aiter__(self) -> Self:
        """Iterate over batches."""
        return self

    async def __anext__(self) -> Batch[Item]:
        """Return the next batch, which is never empty, as soon as there is one."""
        while True:
            lost, batch = self.take(self.position, self.wants)
            self.lost += lost
            self.position += lost
            if batch is None:
                await self.wait()
                continue
            self.position = batch.last
            if batch.items:
                return batch
            await asyncio.sleep(0)  # nothing wanted in a long row: others have their turn
