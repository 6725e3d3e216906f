import asyncio
import contextlib
from collections.abc import Iterator
from typing import Protocol, Self
from weakref import WeakKeyDictionary

from bedplate import clock
from bedplate.lifecycle import Drain

CHECK_SECONDS = 0.5
"""How often all streams are checked."""


class MonitoredStream(Protocol):
    """A stream that wants to be checked, and to know when the process drains."""

    def check(self, now: float) -> None:
        """Look whether something is due; `now` is of `clock.monotonic`."""

    def end_for_drain(self) -> None:
        """End the stream, since the process goes away."""


class StreamMonitor:
    """Checks all streams of an event loop, and ends them when their process drains.

    One timer for all streams and one task for all that share a drain: a timer for each frame of
    each client would cost more than sending it.
    """

    def __init__(self) -> None:
        self._streams: dict[MonitoredStream, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._drains: dict[Drain, _Draining] = {}

    @classmethod
    def of_loop(cls) -> Self:
        """Return the monitor of the running event loop."""
        loop = asyncio.get_running_loop()
        monitor = _monitors.get(loop)
        if monitor is None:
            monitor = _monitors[loop] = cls()
        assert isinstance(monitor, cls)  # noqa: S101 - for the type checker
        return monitor

    @contextlib.contextmanager
    def watching(self, stream: MonitoredStream, drain: Drain | None) -> Iterator[None]:
        """Watch a stream in the block; `drain` ends it."""
        self._streams[stream] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(CHECK_SECONDS, self._check)
        draining = self._draining(drain) if drain is not None else None
        if draining is not None:
            draining.streams[stream] = None
        try:
            yield
        finally:
            self._streams.pop(stream, None)
            if not self._streams and self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if drain is not None and draining is not None:
                self._leave(drain, draining, stream)

    def _check(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(CHECK_SECONDS, self._check)
        now = clock.monotonic()
        for stream in list(self._streams):
            stream.check(now)

    def _draining(self, drain: Drain) -> "_Draining":
        draining = self._drains.get(drain)
        if draining is None:
            draining = self._drains[drain] = _Draining(drain)
        return draining

    def _leave(self, drain: Drain, draining: "_Draining", stream: MonitoredStream) -> None:
        draining.streams.pop(stream, None)
        if not draining.streams and self._drains.get(drain) is draining:
            draining.task.cancel()
            del self._drains[drain]


class _Draining:
    """The streams that one drain ends."""

    def __init__(self, drain: Drain) -> None:
        self.streams: dict[MonitoredStream, None] = {}
        self.task = asyncio.create_task(self._wait(drain))

    async def _wait(self, drain: Drain) -> None:
        # A stream that opens during the drain ends too, so this goes on until none is left.
        while True:
            await drain.wait()
            for stream in list(self.streams):
                stream.end_for_drain()
            await asyncio.sleep(CHECK_SECONDS)


_monitors: WeakKeyDictionary[asyncio.AbstractEventLoop, StreamMonitor] = WeakKeyDictionary()
