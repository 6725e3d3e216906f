"""One who follows a broadcast, at their own pace."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Self

from bedplate.realtime.batch import Batch
from bedplate.realtime.ring_buffer import Item

Wants = Callable[[Item], bool]
"""A filter: whether the follower wants an item."""

Take = Callable[[int, Wants[Item] | None], tuple[int, Batch[Item] | None]]


class Follower(Generic[Item]):
    """A place in the row of items, and nothing more: a slow follower costs no memory.

    Iterate over it for batches. It ends only when its context is left.
    """

    def __init__(
        self,
        take: Take[Item],
        wait: Callable[[], Awaitable[None]],
        position: int,
        wants: Wants[Item] | None,
    ) -> None:
        self.position = position
        """The number of the last item it has passed."""
        self.wants = wants
        """The filter; it may be replaced at any time."""
        self.lost = 0
        """How many items it never saw because they were gone when it came to them.

        Those it would not have wanted count too: nobody looks at what is gone.
        """
        self._take = take
        self._wait = wait

    def __aiter__(self) -> Self:
        """Iterate over batches."""
        return self

    async def __anext__(self) -> Batch[Item]:
        """Return the next batch, which is never empty, as soon as there is one."""
        while True:
            lost, batch = self._take(self.position, self.wants)
            self.lost += lost
            self.position += lost
            if batch is None:
                await self._wait()
                continue
            self.position = batch.last
            if batch.items:
                return batch
            await asyncio.sleep(0)  # nothing wanted in a long row: others have their turn
