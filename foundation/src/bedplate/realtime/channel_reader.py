import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bedplate import clock
from bedplate.realtime.availability import Availability
from bedplate.realtime.channel import NO_EPOCH, Channel
from bedplate.realtime.channel_commands import (
    BLOCK_SECONDS,
    FAILURES,
    ChannelCommands,
    Followed,
    StoredChannel,
    StoredEvent,
)
from bedplate.realtime.sse import jittered

_PART = "reader"
_RETRY_SECONDS = (0.2, 0.6)
_COLLECT_SECONDS = 0.005  # what comes within it is read together
_CHECK_SECONDS = 15.0
_AT_ONCE = 50


@dataclass(eq=False)
class _Copy:
    """The copy of a channel in this process, and how far its values were read."""

    name: str
    channel: Channel
    read_after: str = "0-0"
    complete: bool = False
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)


class ChannelReader:
    """Copies the channels that have followers here from Redis into this process."""

    def __init__(
        self,
        commands: ChannelCommands,
        availability: Availability,
        on_rollback: Callable[[str], None],
    ) -> None:
        """`on_rollback` is called with a channel whose events in Redis went back in time."""
        self._commands = commands
        self._availability = availability
        self._on_rollback = on_rollback
        self._copies: dict[str, _Copy] = {}
        self._checked_at = clock.monotonic()
        self._running = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Stop reading."""
        self._running.cancel()
        await asyncio.wait([self._running])

    async def open(self, name: str, channel: Channel) -> None:
        """Copy a channel, now if Redis is available, and go on until `forget`."""
        copy = self._copies.setdefault(name, _Copy(name, channel))
        if copy.complete or not self._availability.available:
            return
        try:
            await self._complete(copy)
        except FAILURES as error:
            self._availability.lose(_PART, error)

    def forget(self, name: str) -> None:
        """Stop copying a channel."""
        self._copies.pop(name, None)

    async def _run(self) -> None:
        while True:
            try:
                await self._read_on()
            except Exception as error:  # noqa: BLE001 - whatever it is, reading goes on
                self._availability.lose(_PART, error)
                self._mark_incomplete()
                await asyncio.sleep(jittered(*_RETRY_SECONDS))

    async def _read_on(self) -> None:
        await self._commands.ping()
        connected = self._commands.connected
        while True:
            now = clock.monotonic()
            # A connection may have been replaced unnoticed, since Redis restarted.
            if now - self._checked_at > _CHECK_SECONDS or connected != self._commands.connected:
                self._checked_at, connected = now, self._commands.connected
                self._mark_incomplete()
            await self._complete_all()
            self._availability.regain(_PART)
            await self._wait()

    def _mark_incomplete(self) -> None:
        for copy in self._copies.values():
            copy.complete = False

    async def _complete_all(self) -> None:
        waiting = [copy for copy in self._copies.values() if not copy.complete]
        for begin in range(0, len(waiting), _AT_ONCE):
            some = waiting[begin : begin + _AT_ONCE]
            results = await asyncio.gather(*map(self._complete, some), return_exceptions=True)
            for result in results:
                if isinstance(result, BaseException):
                    raise result

    async def _complete(self, copy: _Copy) -> None:
        """Read all that is missing in the copy of a channel."""
        async with copy.reading:
            if copy.complete:
                return
            channel = copy.channel
            fresh = channel.epoch == NO_EPOCH
            stored = await self._commands.read(copy.name, None if fresh else channel.position)
            newest = stored.newest
            if newest is not None and not fresh and newest.epoch != channel.epoch:
                stored = await self._commands.read(copy.name, None)
                fresh = True
            elif newest is not None and not fresh and newest.offset < channel.last:
                # Redis lost its last events, and would give their offsets to others.
                await self._commands.renew(copy.name, newest)
                self._on_rollback(copy.name)
            if fresh and stored.events:
                self._replace(channel, stored)
            else:
                for event in stored.events:
                    _add(channel, event)
            for key, value in stored.values.items():
                channel.set_latest(key, value)
            # Otherwise the changes are read on, since a key may have been cleared meanwhile.
            if fresh or _parts(stored.change) < _parts(copy.read_after):
                copy.read_after = stored.change
            copy.complete = True

    def _replace(self, channel: Channel, stored: StoredChannel) -> None:
        first = stored.events[0][0]
        channel.restart(first.epoch, first.offset - 1)
        for _, event in stored.events:
            channel.append(event)
        channel.skip_to_last()

    async def _wait(self) -> None:
        """Wait for news of all channels, and add them."""
        copies = [copy for copy in self._copies.values() if copy.complete]
        if not copies:
            await asyncio.sleep(BLOCK_SECONDS)
            return
        followed = [Followed(copy.name, copy.channel.position, copy.read_after) for copy in copies]
        events, changes = await self._commands.wait(followed)
        for name, event in events:
            if name in self._copies:
                _add(self._copies[name].channel, event)
        for name, change, key, value in changes:
            copy = self._copies.get(name)
            if copy is None:
                continue
            copy.read_after = change
            if value is None:
                copy.channel.clear_latest(key)
            else:
                copy.channel.set_latest(key, value)
        await asyncio.sleep(_COLLECT_SECONDS)


def _add(channel: Channel, stored: StoredEvent) -> None:
    """Add an event to a channel, which begins anew where the event doesn't follow its last one."""
    position, event = stored
    if channel.epoch == NO_EPOCH and position.offset == 1:
        channel.epoch = position.epoch  # the very first event: whoever follows has missed nothing
    elif position.epoch != channel.epoch or position.offset > channel.last + 1:
        channel.restart(position.epoch, position.offset - 1)
    elif position.offset <= channel.last:
        return
    channel.append(event)


def _parts(identifier: str) -> tuple[int, ...]:
    return tuple(map(int, identifier.split("-")))
