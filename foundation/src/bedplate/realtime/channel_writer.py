import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from bedplate.realtime.availability import Availability
from bedplate.realtime.channel_commands import FAILURES, ChannelCommands
from bedplate.realtime.channel_events import EVERYONE, ChannelEvent, LatestValue

MAX_WAITING = 10_000
"""How many events, and how many values, wait for Redis at most."""

_PART = "writer"
_BATCH = 200
_RETRY_SECONDS = 0.25
_CLOSE_SECONDS = 1.0
_RESYNC = ChannelEvent("resync", {EVERYONE: b"{}"})

_log = structlog.get_logger(__name__)
_Key = tuple[str, str]


class ChannelWriter:
    """Brings what is published to Redis, in order; whoever publishes never waits.

    What can't be stored is dropped: an outage may last, and old events are of no use to clients
    that poll meanwhile. Its channels get the event `resync` when Redis is back. Latest values wait,
    one for each key. `on_dropped` is called for each dropped event.
    """

    def __init__(
        self,
        commands: ChannelCommands,
        availability: Availability,
        on_dropped: Callable[[], None],
    ) -> None:
        self._commands = commands
        self._availability = availability
        self._on_dropped = on_dropped
        self._events: deque[tuple[str, ChannelEvent]] = deque()
        # A value is to be set, or None to be cleared; both when a key was cleared and set again.
        self._values: dict[_Key, list[LatestValue | None]] = {}
        self._incomplete: dict[str, None] = {}
        self._more = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._failing = False
        self._overflowed = False
        self._running = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Write what waits, within a second."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._idle.wait()
        self._running.cancel()
        await asyncio.wait([self._running])

    def publish(self, channel: str, event: ChannelEvent) -> None:
        """Write a durable event, or drop it during an outage."""
        if self._failing or len(self._events) >= MAX_WAITING:
            self._drop(channel)
            return
        self._events.append((channel, event))
        self._wake()

    def set_latest(self, channel: str, key: str, value: LatestValue) -> None:
        """Write a latest value; a later one that comes before it is written replaces it."""
        steps = self._steps(channel, key)
        if steps and steps[-1] is not None:
            if steps[-1].version >= value.version:
                return
            steps.pop()
        steps.append(value)
        self._wake()

    def clear_latest(self, channel: str, key: str) -> None:
        """Clear a latest value."""
        self._steps(channel, key)[:] = [None]
        self._wake()

    def resync(self, channel: str) -> None:
        """Let the followers of a channel read the whole state, as soon as Redis is available."""
        if channel in self._incomplete or len(self._incomplete) < MAX_WAITING:
            self._incomplete[channel] = None
        elif not self._overflowed:
            self._overflowed = True
            _log.error("channel_resyncs_lost", channel=channel, max_channels=MAX_WAITING)
        self._wake()

    def fail(self, error: Exception) -> None:
        """Begin an outage, which ends when writing works."""
        self._failing = True
        self._availability.lose(_PART, error)
        self._wake()

    def _steps(self, channel: str, key: str) -> list[LatestValue | None]:
        if (channel, key) not in self._values and len(self._values) >= MAX_WAITING:
            del self._values[next(iter(self._values))]
        return self._values.setdefault((channel, key), [])

    def _wake(self) -> None:
        self._idle.clear()
        self._more.set()

    def _drop(self, channel: str) -> None:
        self._on_dropped()
        self.resync(channel)

    async def _run(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            try:
                await self._write_all()
            except Exception as error:  # noqa: BLE001 - whatever it is, writing goes on
                self.fail(error)
                self._drop_waiting()
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                if not self._more.is_set():
                    self._idle.set()

    async def _write_all(self) -> None:
        """Write what waits; first of all tell followers to resync where events were dropped."""
        while self._incomplete:
            channel = next(iter(self._incomplete))
            await self._commands.publish(channel, _RESYNC)
            self._incomplete.pop(channel, None)
        if self._failing:
            await self._commands.ping()
        while self._events or self._values:
            await self._write_some()
        self._failing = self._overflowed = False
        self._availability.regain(_PART)

    async def _write_some(self) -> None:
        events = [self._events.popleft() for _ in range(min(_BATCH, len(self._events)))]
        keys = list(self._values)[:_BATCH]
        values = [(key, self._values.pop(key)) for key in keys]
        # Redis runs them in this order, over one connection.
        calls: list[Coroutine[Any, Any, None]] = [
            self._commands.publish(channel, event) for channel, event in events
        ]
        calls += [self._write_value(key, step) for key, steps in values for step in steps]
        replies = await asyncio.gather(*calls, return_exceptions=True)
        errors = [reply for reply in replies if isinstance(reply, BaseException)]
        if not errors:
            return
        for (channel, _), reply in zip(events, replies, strict=False):
            if isinstance(reply, BaseException):
                self._drop(channel)
        if isinstance(errors[0], FAILURES):  # another error would come back with its value
            for key, steps in values:
                self._put_back(key, steps)
        raise errors[0]

    def _put_back(self, key: _Key, steps: list[LatestValue | None]) -> None:
        newer = self._values.setdefault(key, steps)
        if newer is not steps and steps[0] is None and newer[0] is not None:
            newer.insert(0, None)

    def _write_value(self, key: _Key, value: LatestValue | None) -> Coroutine[Any, Any, None]:
        if value is None:
            return self._commands.clear_value(*key)
        return self._commands.set_value(*key, value)

    def _drop_waiting(self) -> None:
        while self._events:
            self._drop(self._events.popleft()[0])
