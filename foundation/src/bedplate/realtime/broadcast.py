"""One publisher, many followers, and nobody waits for anybody."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Generic

from bedplate import clock, ids
from bedplate.realtime.follower import Batch, Encode, Follower, Wants
from bedplate.realtime.position import Position
from bedplate.realtime.ring_buffer import Item, Numbered, RingBuffer, weightless
from bedplate.realtime.sse import frame

INTERVAL_SECONDS = 0.02
"""How often followers are woken at most: 50 times a second."""

_MAX_ITEMS = 500
_MAX_BATCH_BYTES = 256 * 1024
_MAX_BATCHES = 16


class Broadcast(Generic[Item]):
    """Publishes items to followers, and holds the newest for those who come or come back later.

    Items of some milliseconds go out together, and followers at the same place with the same
    filter share what is made for them: what 200 clients cost hardly depends on the number of items.
    Belongs to one event loop of one process; call `publish` there. Several processes share events
    through `Channels`.
    """

    def __init__(
        self,
        capacity: int,
        encode: Encode[Item],
        *,
        weigh: Callable[[Item], int] = weightless,
        max_weight: int = 16 * 1024 * 1024,
        interval_seconds: float = INTERVAL_SECONDS,
    ) -> None:
        """Hold at most `capacity` items that `weigh` at most `max_weight` together.

        `encode` returns the JSON of an item with its number, for clients. An item that comes after
        a silence goes out at once, others within `interval_seconds`, or within the time that
        sending takes when that is longer.
        """
        self.run = ids.token(8)
        """Names this row of numbers: after a restart they begin at 1 again."""
        self._encode = encode
        self._ring = RingBuffer(capacity, weigh=weigh, max_weight=max_weight)
        self._interval = interval_seconds
        self._released = 0
        self._batches: dict[tuple[int, Wants[Item] | None], Batch[Item]] = {}
        self.followers = 0
        """How many follow at the moment."""
        self._released_more = asyncio.Event()
        self._next: asyncio.Handle | None = None

    @property
    def first(self) -> int:
        """The number of the oldest item that is held; `last + 1` when there is none."""
        return self._ring.first

    @property
    def last(self) -> int:
        """The number of the newest item; 0 before the first."""
        return self._ring.last

    def publish(self, item: Item) -> int:
        """Add an item and return its number; it never waits, whatever followers do."""
        number = self._ring.append(item)
        if self.followers == 0:
            self._released = number
        elif self._next is None:
            self._next = asyncio.get_running_loop().call_soon(self._release)
        return number

    def since(self, number: int, limit: int | None = None) -> list[Numbered[Item]]:
        """Return the items after `number` that are still held, oldest first, at most `limit`."""
        return self._ring.since(number, limit)

    def tail(self, count: int) -> int:
        """Return the number after which the newest `count` items come, or all that are held."""
        return max(self.last - count, self.first - 1)

    @contextlib.asynccontextmanager
    async def follow(
        self, after: int | None, *, run: str | None = None, wants: Wants[Item] | None = None
    ) -> AsyncIterator[Follower[Item]]:
        """Give a follower, which is to be iterated over for batches of items.

        It begins after the item number `after`, or with the next one that is published (None).
        `run` says which row of numbers `after` belongs to; when that is another one, it begins with
        the oldest item that is held. `wants` is a filter, hashable; equal ones share their work, so
        a frozen dataclass that can be called is better than a lambda.
        """
        hash(wants)
        follower = Follower(self._take, self._wait, self._begin(after, run), wants)
        self.followers += 1
        try:
            yield follower
        finally:
            self.followers -= 1
            if self.followers == 0:
                self._rest()

    async def sse(
        self, position: Position | None = None, *, wants: Wants[Item] | None = None
    ) -> AsyncIterator[bytes]:
        """Yield the items after a client's position as server-sent events, for `EventStream`.

        Without a position it begins with the next item, with an unknown one with the oldest that is
        held. An event `lost` with a `count` says that the client was too slow for some.
        """
        after, run = (None, None) if position is None else (position.offset, position.epoch)
        reported = 0
        async with self.follow(after, run=run, wants=wants) as follower:
            async for batch in follower:
                if follower.lost > reported:
                    yield frame({"count": follower.lost - reported}, event="lost")
                    reported = follower.lost
                yield batch.sse

    def _begin(self, after: int | None, run: str | None) -> int:
        if after is None:
            return self.last
        if after > self.last or run not in {None, self.run}:
            return 0
        return max(after, 0)

    def _rest(self) -> None:
        self._released = self.last
        self._batches.clear()
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _take(self, after: int, wants: Wants[Item] | None) -> tuple[int, Batch[Item] | None]:
        """Return how many items after `after` are lost, and the batch after those."""
        lost = max(0, self.first - 1 - after)
        key = (after + lost, wants)
        batch = self._batches.get(key)
        if batch is None:
            entries = self._ring.since(after + lost, _MAX_ITEMS, until=self._released)
            if entries:
                if len(self._batches) >= _MAX_BATCHES:
                    self._batches.clear()
                batch = self._batches[key] = self._make_batch(entries, wants)
        return lost, batch

    def _make_batch(self, entries: list[Numbered[Item]], wants: Wants[Item] | None) -> Batch[Item]:
        chosen: list[Numbered[Item]] = []
        last, weight = 0, 0
        for entry in entries:
            if wants is None or wants(entry.item):
                weight += self._ring.weigh(entry.item)
                if chosen and weight > _MAX_BATCH_BYTES:
                    break
                chosen.append(entry)
            last = entry.number
        return Batch(tuple(chosen), last, self._encode, self.run)

    async def _wait(self) -> None:
        await self._released_more.wait()

    def _release(self) -> None:
        """Let followers have what was published until now; they run before `_pause`."""
        began = clock.monotonic()
        self._released = self.last
        self._batches.clear()
        woken, self._released_more = self._released_more, asyncio.Event()
        woken.set()
        self._next = asyncio.get_running_loop().call_soon(self._pause, began)

    def _pause(self, began: float) -> None:
        """Leave at least a third of the time to others, when there are many followers."""
        spent = clock.monotonic() - began
        pause = max(self._interval - spent, spent / 2)
        self._next = asyncio.get_running_loop().call_later(pause, self._go_on)

    def _go_on(self) -> None:
        self._next = None
        if self._released < self.last:
            self._release()
