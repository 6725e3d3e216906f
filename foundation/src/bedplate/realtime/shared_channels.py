import asyncio
from collections.abc import Callable
from typing import Self

from bedplate.realtime.availability import Availability
from bedplate.realtime.channel import Channel
from bedplate.realtime.channel_commands import FAILURES, ChannelCommands
from bedplate.realtime.channel_events import ChannelEvent, LatestValue
from bedplate.realtime.channel_reader import ChannelReader
from bedplate.realtime.channel_writer import ChannelWriter


class SharedChannels:
    """Channels in Redis or Valkey, which the processes of a backend share (`async with`).

    While it is unavailable nothing waits for it: `on_change` is called when that begins and ends,
    and `on_dropped` for each event that can't be stored.
    """

    def __init__(
        self,
        commands: ChannelCommands,
        *,
        on_change: Callable[[bool], None],
        on_dropped: Callable[[], None],
    ) -> None:
        self._commands = commands
        self._on_dropped = on_dropped
        self._availability = Availability(on_change)
        self._writer: ChannelWriter
        self._reader: ChannelReader

    async def __aenter__(self) -> Self:
        """Connect; it also begins when Redis is unavailable."""
        self._writer = ChannelWriter(self._commands, self._availability, self._on_dropped)
        self._reader = ChannelReader(self._commands, self._availability, self._writer.resync)
        try:
            await self._commands.ping()
        except FAILURES as error:
            self._writer.fail(error)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Store what waits, within a second, and close every connection."""
        await asyncio.gather(self._writer.aclose(), self._reader.aclose())
        await self._commands.aclose()

    @property
    def available(self) -> bool:
        """Whether events reach the other processes at the moment."""
        return self._availability.available

    def publish(self, channel: str, event: ChannelEvent) -> None:
        """Store a durable event; followers of every process get it from there."""
        self._writer.publish(channel, event)

    def set_latest(self, channel: str, key: str, value: LatestValue) -> None:
        """Store a latest value."""
        self._writer.set_latest(channel, key, value)

    def clear_latest(self, channel: str, key: str) -> None:
        """Clear a latest value."""
        self._writer.clear_latest(channel, key)

    async def open(self, name: str, channel: Channel) -> None:
        """Copy what is stored of a channel into this process from now on."""
        await self._reader.open(name, channel)

    def forget(self, name: str) -> None:
        """Stop copying a channel."""
        self._reader.forget(name)

    async def claim(self, channel: str, key: str, seconds: float) -> bool:
        """Return whether this process is the one to make a value; true when nobody can know."""
        if self.available:
            try:
                return await self._commands.claim(channel, key, seconds)
            except FAILURES as error:
                self._writer.fail(error)
        return True
