"""A broadcast, streamed to one WebSocket client."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import KW_ONLY, dataclass
from typing import Generic

import orjson

from bedplate.realtime.broadcast import Broadcast
from bedplate.realtime.follower import Follower, Wants
from bedplate.realtime.ring_buffer import Item
from bedplate.realtime.socket_stream import SocketStream


@dataclass(eq=False)
class Stream(SocketStream, Generic[Item]):
    """A broadcast for one client.

    The client gets JSON texts: `hello` with the row of numbers, then `items`, `lost` with a count
    where it was too slow, and `closing` with the reason. A client that reads nothing holds up
    nobody: it has a place in the ring and one frame, loses its oldest items, and is dropped.

    `drain` ends it with 1012 when the process goes away, `revoked` with 1008 when it is set.
    `on_message` is called for one text message of the client at a time; it may `send` answers,
    with another `type` than the stream's. What it raises ends the stream.
    """

    broadcast: Broadcast[Item]
    _: KW_ONLY
    on_message: "Callable[[Stream[Item], str], Awaitable[None]] | None" = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._follower: Follower[Item] | None = None

    async def serve(
        self, after: int | None = None, *, run: str | None = None, wants: Wants[Item] | None = None
    ) -> None:
        """Accept the client, unless it is already, and serve it; see `Broadcast.follow`."""
        await self._serve(self._texts(after, run, wants))

    def filter(self, wants: Wants[Item] | None) -> None:
        """Send only what passes this filter from now on."""
        if self._follower is not None:
            hash(wants)
            self._follower.wants = wants

    async def _handle_text(self, text: str) -> None:
        if self.on_message is not None:
            await self.on_message(self, text)

    async def _texts(
        self, after: int | None, run: str | None, wants: Wants[Item] | None
    ) -> AsyncGenerator[str, None]:
        row = self.broadcast
        async with row.follow(after, run=run, wants=wants) as follower:
            self._follower = follower
            yield _json({"type": "hello", "run": row.run, "first": row.first, "last": row.last})
            reported = 0
            async for batch in follower:
                if follower.lost > reported:
                    yield _json({"type": "lost", "count": follower.lost - reported})
                    reported = follower.lost
                yield batch.text


def _json(message: dict[str, str | int]) -> str:
    return orjson.dumps(message).decode()
