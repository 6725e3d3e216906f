"""Named channels of events for many followers, in one process or several."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import TYPE_CHECKING, Literal, Self

from bedplate import clock, ids
from bedplate.realtime.channel import NO_EPOCH, Channel
from bedplate.realtime.channel_events import ChannelEvent, LatestValue
from bedplate.realtime.channel_follower import ChannelFollower
from bedplate.realtime.fanout import pace as default_pace
from bedplate.realtime.messages import Messages
from bedplate.realtime.position import Position

if TYPE_CHECKING:
    from bedplate.realtime.shared_channels import SharedChannels

Observation = Literal["published", "lost", "dropped", "outage"]
"""What is counted: events published, events that slow followers lost, events that did not reach
Redis, and outages of Redis."""

_NAME = re.compile(r"[^\r\n\0]{1,200}")
_SWEEP_SECONDS = 15.0
_MAX_COPY_SECONDS = 60.0  # for a channel that nobody follows here, when Redis has it
_UNAVAILABLE = Messages.control("unavailable")
_AVAILABLE = Messages.control("available")


class Channels:
    """Ordered, durable events in named channels, and ephemeral latest values by key.

    Opened in the lifespan (`async with`), and used on that event loop. Events have dense offsets
    within an epoch: a client that comes back with its position gets what it missed, or learns that
    it needs a snapshot. What is published goes to each follower in the form for its audience.

    Without `redis_url` the channels are those of one process, and begin anew with it. With one
    (Redis or Valkey) all processes with the same `namespace` share them. While Redis is away
    nothing waits for it: followers get `unavailable`, events are dropped, and when it is back they
    get `available`, and `resync` in each channel that lacks events.
    """

    def __init__(
        self,
        redis_url: str | None,
        *,
        namespace: str,
        capacity: int = 1000,
        fast: Collection[str] = (),
        pace: Callable[[int], float] = default_pace,
        max_channels: int = 10_000,
        max_channel_bytes: int = 4 * 1024 * 1024,
        max_bytes: int = 256 * 1024 * 1024,
        idle_seconds: float = 600.0,
        timeout: float = 1.0,
        observe: Callable[[Observation, int], None] | None = None,
    ) -> None:
        """Hold the last `capacity` events of a channel, of at most `max_channel_bytes`.

        `pace` returns how many seconds lie between two ephemeral values for a number of followers;
        audiences in `fast` get them as a single follower does. A channel without followers is
        forgotten after `idle_seconds`, or earlier when there are more than `max_channels`, or all
        events take more than `max_bytes`. Redis must answer within `timeout` seconds. `observe`
        receives what happened and how often.
        """
        self._redis_url = redis_url
        self._namespace = namespace
        self._capacity = capacity
        self._fast = frozenset(fast)
        self._pace = pace
        self._max_channels = max_channels
        self._max_channel_bytes = max_channel_bytes
        self._max_bytes = max_bytes
        self._idle_seconds = idle_seconds
        self._timeout = timeout
        self._observe = observe or (lambda _, __: None)
        self._channels: dict[str, Channel] = {}
        self._shared: SharedChannels | None = None
        self._sweeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin; it also begins when Redis is unavailable."""
        if self._redis_url:
            self._shared = await self._share(self._redis_url).__aenter__()
        self._sweeping = asyncio.create_task(self._sweep())
        return self

    async def __aexit__(self, *_: object) -> None:
        """End; followers that are left get the message `closing`."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait([self._sweeping])
        for channel in self._channels.values():
            channel.close()
            for follower in channel.followers:
                follower.stop("closing")
        self._channels.clear()
        if self._shared is not None:
            await self._shared.__aexit__()
            self._shared = None

    @property
    def available(self) -> bool:
        """Whether events reach the other processes at the moment; true when there are none."""
        return self._shared is None or self._shared.available

    def publish(self, channel: str, event: str, payloads: Mapping[str, bytes]) -> None:
        """Add a durable event; `payloads` has its JSON by audience.

        An audience without a payload doesn't get the event; `EVERYONE` stands for all that are not
        named. Never waits, and an outage of Redis is no error. Call it when the change is stored:
        `session.after_commit(…)`. Raises ValueError for a name with line ends or of no length.
        """
        _check(channel, event)
        self._observe("published", 1)
        if self._shared is None:
            self._channel(channel).append(ChannelEvent(event, payloads))
        else:
            self._shared.publish(channel, ChannelEvent(event, payloads))

    def set_latest(
        self, channel: str, key: str, event: str, version: int, payloads: Mapping[str, bytes]
    ) -> None:
        """Set the value of a key: all of it, not a difference.

        Followers get the latest value at their pace, and new ones at once. A version that is not
        higher than the key's is ignored. Never waits. Raises ValueError as `publish` does.
        """
        _check(channel, event)
        value = LatestValue(event, version, payloads)
        if self._shared is None:
            self._channel(channel).set_latest(key, value)
            return
        self._shared.set_latest(channel, key, value)
        if channel in self._channels and not self._shared.available:
            self._channels[channel].set_latest(key, value)

    def clear_latest(self, channel: str, key: str) -> None:
        """Forget a key and its version: new followers don't get it any more."""
        if self._shared is not None:
            self._shared.clear_latest(channel, key)
        if channel in self._channels and (self._shared is None or not self._shared.available):
            self._channels[channel].clear_latest(key)

    @contextlib.asynccontextmanager
    async def follow(
        self, channel: str, audience: str, *, position: Position | None = None
    ) -> AsyncIterator[ChannelFollower]:
        """Give a follower, which is to be iterated over for messages.

        It begins after `position`, or with what comes next when that is None or no longer held;
        `follower.recovered` says which.
        """
        _check(channel, audience)
        joined = await self._open(channel)
        follower = joined.join(audience, position)
        if not self.available:
            follower.notify(_UNAVAILABLE)
        try:
            yield follower
        finally:
            joined.leave(follower)

    def followers(self, channel: str) -> int:
        """Return how many follow a channel in this process."""
        return len(self._channels[channel].followers) if channel in self._channels else 0

    async def claim(self, channel: str, key: str, seconds: float) -> bool:
        """Return whether this process is the one to make the values of a key, for some seconds.

        A process that has the claim keeps it by claiming again. True for all when there is only
        one process, or when Redis is away.
        """
        return self._shared is None or await self._shared.claim(channel, key, seconds)

    def _share(self, redis_url: str) -> "SharedChannels":
        # An extra (bedplate[redis]), and slow to import.
        from bedplate.realtime.channel_commands import ChannelCommands  # noqa: PLC0415
        from bedplate.realtime.shared_channels import SharedChannels  # noqa: PLC0415

        commands = ChannelCommands(
            redis_url,
            namespace=self._namespace,
            capacity=self._capacity,
            idle_seconds=self._idle_seconds,
            timeout=self._timeout,
        )
        return SharedChannels(
            commands,
            on_change=self._notify_all,
            on_dropped=lambda: self._observe("dropped", 1),
        )

    def _notify_all(self, available: bool) -> None:
        if not available:
            self._observe("outage", 1)
        for channel in self._channels.values():
            channel.notify(_AVAILABLE if available else _UNAVAILABLE)

    async def _open(self, name: str) -> Channel:
        """Return a channel with what Redis holds of it, if that can be read in time."""
        while True:
            channel = self._channel(name)
            if self._shared is not None:
                channel.used_at = clock.monotonic()
                await self._shared.open(name, channel)
            if self._channels.get(name) is channel:  # it may have been forgotten meanwhile
                return channel

    def _channel(self, name: str) -> Channel:
        channel = self._channels.get(name)
        if channel is None:
            self._make_room()
            channel = self._channels[name] = Channel(
                ids.token(8) if self._shared is None else NO_EPOCH,
                capacity=self._capacity,
                max_bytes=self._max_channel_bytes,
                fast=self._fast,
                pace=self._pace,
                on_lost=lambda count: self._observe("lost", count),
                max_lag=0 if self._shared is None else self._capacity,
            )
        return channel

    def _make_room(self) -> None:
        if len(self._channels) < self._max_channels:
            return
        idle = [name for name, channel in self._channels.items() if not channel.followers]
        idle.sort(key=lambda name: self._channels[name].used_at)
        for name in idle[: max(1, self._max_channels // 10)]:  # many at once: sorting takes long
            self._forget(name)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self.forget_idle()

    def forget_idle(self) -> None:
        """Forget the channels that nobody has used for long, and some when there is too much."""
        idle_seconds = self._idle_seconds
        if self._shared is not None:
            idle_seconds = min(idle_seconds, _MAX_COPY_SECONDS)
        before = clock.monotonic() - idle_seconds
        weight = sum(channel.weight for channel in self._channels.values())
        for name, channel in sorted(self._channels.items(), key=lambda item: item[1].used_at):
            if not channel.followers and (channel.used_at <= before or weight > self._max_bytes):
                weight -= channel.weight
                self._forget(name)

    def _forget(self, name: str) -> None:
        self._channels.pop(name).close()
        if self._shared is not None:
            self._shared.forget(name)


def _check(*names: str) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError("A name must have 1 to 200 characters, without line ends and U+0000.")
