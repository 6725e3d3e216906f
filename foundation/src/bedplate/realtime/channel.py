from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from bedplate import clock
from bedplate.realtime.channel_events import ChannelEvent, LatestValue, size_of
from bedplate.realtime.channel_follower import NO_CHANGE, ChannelFollower
from bedplate.realtime.fanout import Fanout
from bedplate.realtime.messages import Message, Messages
from bedplate.realtime.position import Position
from bedplate.realtime.ring_buffer import RingBuffer

_MAX_BATCH_EVENTS = 500
_MAX_BATCH_BYTES = 256 * 1024
_MAX_BATCHES = 64

NO_EPOCH = "0"
"""The epoch of a channel whose first event is still to come, when Redis decides about it."""

MAX_VALUES = 1_000
"""How many keys of a channel have a latest value."""

_Made = tuple[Messages | None, int, int]
"""Messages, and the offset and the change up to which they reach."""


class Channel:
    """The events of a channel that this process holds, its latest values, and its followers."""

    def __init__(
        self,
        epoch: str,
        *,
        capacity: int,
        max_bytes: int,
        fast: Collection[str],
        pace: Callable[[int], float],
        on_lost: Callable[[int], None],
        max_lag: int = 0,
    ) -> None:
        """`max_lag`: how many events clients may know already that come here from elsewhere."""
        self.epoch = epoch
        self.generation = 0
        """Changes when the events are others than the followers have seen."""
        self.used_at = clock.monotonic()
        """When something was published last, or a follower left."""
        self.followers: dict[ChannelFollower, None] = {}
        self._capacity = capacity
        self._max_bytes = max_bytes
        self._fast = fast
        self._on_lost = on_lost
        self._max_lag = max_lag
        self._ring = self._new_ring(0)
        self._released = 0
        self._resync_at = 0
        self._values: dict[str, LatestValue] = {}  # in the order of their changes
        self._changes = 0
        # What fast audiences (True) and others may see: the values of their last release.
        self._released_values: dict[bool, dict[str, LatestValue]] = {True: {}, False: {}}
        self._released_changes = {True: 0, False: 0}
        self._made: dict[tuple[str, int, int, int, bool], _Made] = {}
        self._fanout = Fanout(
            self._release, lambda fast: pace(1 if fast else max(1, len(self.followers)))
        )

    @property
    def last(self) -> int:
        """The offset of the newest event."""
        return self._ring.last

    @property
    def position(self) -> Position:
        """The position of the newest event."""
        return Position(self.epoch, self._ring.last)

    @property
    def weight(self) -> int:
        """About how many bytes of memory the events take."""
        return self._ring.weight

    def append(self, event: ChannelEvent) -> None:
        """Add a durable event."""
        self._ring.append(event)
        self.used_at = clock.monotonic()
        if self.followers:
            self._fanout.events_came()
        else:
            self._released = self._ring.last

    def set_latest(self, key: str, value: LatestValue) -> None:
        """Replace the value of a key, unless it has this version or a later one."""
        current = self._values.get(key)
        if current is not None:
            if current.version >= value.version:
                return
            del self._values[key]
        elif len(self._values) >= MAX_VALUES:
            del self._values[next(iter(self._values))]
        self._changes += 1
        self._values[key] = replace(value, change=self._changes)
        self.used_at = clock.monotonic()
        if self.followers:
            self._fanout.values_came()

    def clear_latest(self, key: str) -> None:
        """Forget a key, its version as well."""
        for values in (self._values, *self._released_values.values()):
            values.pop(key, None)

    def join(self, audience: str, position: Position | None) -> ChannelFollower:
        """Add a follower, which begins after `position` if the events after that are held."""
        recovered = (
            position is not None
            and position.epoch == self.epoch
            and self._ring.first - 1 <= position.offset <= self._ring.last + self._max_lag
        )
        offset = position.offset if position is not None and recovered else self._ring.last
        follower = ChannelFollower(self, audience, offset=offset, recovered=recovered)
        self.followers[follower] = None
        return follower

    def leave(self, follower: ChannelFollower) -> None:
        """Remove a follower."""
        self.followers.pop(follower, None)
        self.used_at = clock.monotonic()
        if not self.followers:
            self._fanout.stop()
            self._released = self._ring.last
            self._made.clear()

    def restart(self, epoch: str, after: int) -> None:
        """Begin with other events, the first of which comes after the offset `after`.

        Followers get the message `resync`, then these events.
        """
        self.epoch = epoch
        self.generation += 1
        self._ring = self._new_ring(after)
        self._released = self._resync_at = after
        self._made.clear()
        if self.followers:
            self._fanout.events_came()

    def skip_to_last(self) -> None:
        """Let followers that are to resync get only what comes after the newest event."""
        self._resync_at = self._ring.last

    def notify(self, notice: Messages) -> None:
        """Give every follower a message about the stream itself."""
        for follower in self.followers:
            follower.notify(notice)

    def close(self) -> None:
        """Forget what was planned."""
        self._fanout.stop()

    def take(self, follower: ChannelFollower) -> Messages | None:
        """Return what is next for a follower and advance it, or None when there is nothing."""
        if follower.generation != self.generation:
            follower.generation = self.generation
            follower.offset = follower.announced = self._resync_at
            follower.change = NO_CHANGE
            return Messages.control("resync")
        lost = self._ring.first - 1 - follower.offset
        if lost > 0:
            follower.lost += lost
            follower.offset += lost
            self._on_lost(lost)
            return Messages.control("lost", {"count": lost})
        messages, follower.offset, follower.change = self._next_for(follower)
        if messages is not None:
            ids = [message.id.offset for message in messages.items if message.id is not None]
            if messages.skipped is not None:
                ids.append(messages.skipped.offset)
            follower.announced = max([follower.announced, *ids])
        return messages

    def has_more(self, follower: ChannelFollower) -> bool:
        """Whether there are released events that a follower has not passed."""
        return follower.offset < self._released

    def _next_for(self, follower: ChannelFollower) -> _Made:
        fast = follower.audience in self._fast
        # A new follower gets what there is, also what others wait for.
        until = self._changes if follower.change == NO_CHANGE else self._released_changes[fast]
        until = max(until, follower.change)
        # Before the client's position is too old, it gets a newer one.
        far = self._released - follower.announced >= max(1, self._capacity // 4)
        if follower.offset >= self._released and follower.change == until and not far:
            return None, follower.offset, follower.change
        key = (follower.audience, follower.offset, follower.change, until, far)
        made = self._made.get(key)
        if made is None:
            if len(self._made) >= _MAX_BATCHES:
                self._made.clear()
            made = self._made[key] = self._make(*key)
        return made

    def _make(self, audience: str, offset: int, change: int, until: int, far: bool) -> _Made:
        items: list[Message] = []
        last, weight = offset, 0
        for entry in self._ring.since(offset, _MAX_BATCH_EVENTS, until=self._released):
            payload = entry.item.payload_for(audience)
            if payload is not None:
                weight += len(payload)
                if items and weight > _MAX_BATCH_BYTES:
                    break
                position = Position(self.epoch, entry.number)
                items.append(Message(entry.item.name, payload, position))
            last = entry.number
        skipped = None
        if last >= self._released:
            if far and (not items or items[-1].id != Position(self.epoch, last)):
                skipped = Position(self.epoch, last)
            items += self._changed(audience, change)
            change = until
        messages = Messages(tuple(items), skipped) if items or skipped else None
        return messages, last, change

    def _changed(self, audience: str, after: int) -> list[Message]:
        """Return the values of an audience that changed after a change, oldest first."""
        values = self._released_values[audience in self._fast]
        if after == NO_CHANGE:
            values = self._values
        changed = []
        for value in reversed(values.values()):
            if value.change <= after:
                break
            payload = value.payload_for(audience)
            if payload is not None:
                changed.append(Message(value.event, payload))
        return changed[::-1]

    def _release(self, events: bool, kinds: Collection[bool]) -> Iterable[ChannelFollower]:
        if events:
            self._released = self._ring.last
        for kind in kinds:
            self._released_changes[kind] = self._changes
            # A copy: those who are woken last get it too, though there are newer values by then.
            self._released_values[kind] = dict(self._values)
        self._made.clear()
        if events or len(kinds) > 1:
            return list(self.followers)
        return [f for f in self.followers if (f.audience in self._fast) in kinds]

    def _new_ring(self, after: int) -> RingBuffer[ChannelEvent]:
        return RingBuffer(self._capacity, weigh=size_of, max_weight=self._max_bytes, after=after)
