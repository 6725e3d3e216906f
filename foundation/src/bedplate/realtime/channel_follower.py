import asyncio
from typing import TYPE_CHECKING, Self

from bedplate.realtime.messages import Messages
from bedplate.realtime.position import Position

if TYPE_CHECKING:
    from bedplate.realtime.channel import Channel

NO_CHANGE = -1
"""The change of a follower that has not got the latest values yet."""


class ChannelFollower:
    """A place in a channel: a slow follower costs no memory. Iterate over it for messages.

    `recovered` says whether it began where the client left off. If not, the client needs a
    snapshot, which is to be read now, while it follows: so nothing is missed between the two.

    Messages about the stream itself have no position: `lost` with a `count` when it was too slow
    and events were gone; `resync` when other events take their place; `unavailable` and `available`
    when events of other processes don't arrive, and do again.
    """

    def __init__(self, channel: "Channel", audience: str, *, offset: int, recovered: bool) -> None:
        self.audience = audience
        self.recovered = recovered
        self.lost = 0
        """How many durable events were gone when it came to them."""
        self.offset = offset
        self.announced = offset
        """The offset that its client knows."""
        self.change = NO_CHANGE
        """The last change of the latest values that it has passed."""
        self.generation = channel.generation
        self._channel = channel
        self._notice: Messages | None = None
        self._stopped: Messages | None = None
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def position(self) -> Position:
        """The position of the last durable event that it has passed."""
        return Position(self._channel.epoch, self.offset)

    def __aiter__(self) -> Self:
        """Iterate over messages."""
        return self

    async def __anext__(self) -> Messages:
        """Return the next messages as soon as there are some."""
        while not self._ended:
            if self._stopped is not None:
                self._ended = True
                return self._stopped
            if self._notice is not None:
                notice, self._notice = self._notice, None
                return notice
            messages = self._channel.take(self)
            if messages is not None:
                return messages
            if self._channel.has_more(self):
                await asyncio.sleep(0)  # nothing for it in a long row: others have their turn
            else:
                await self._wait()
        raise StopAsyncIteration

    def stop(self, reason: str) -> None:
        """End the iteration, after a last message with this event, such as `replaced`."""
        if self._stopped is None:
            self._stopped = Messages.control(reason)
            self.wake()

    def notify(self, notice: Messages) -> None:
        """Give it a message about the stream itself; a newer one replaces one it hasn't got."""
        self._notice = notice
        self.wake()

    def wake(self) -> None:
        """Have another look at the channel."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
