"""The commands of channels to Redis or Valkey, over connections with bounded time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from redis.exceptions import NoScriptError, RedisError

from bedplate import ids
from bedplate.realtime.channel import MAX_VALUES
from bedplate.realtime.channel_events import ChannelEvent, LatestValue
from bedplate.realtime.channel_scripts import (
    CLAIM,
    CLEAR_VALUE,
    PUBLISH,
    READ,
    RENEW,
    SET_VALUE,
    Script,
)
from bedplate.realtime.position import Position
from bedplate.redis_pipeline import Pipeline, connections_to

FAILURES = (RedisError, OSError)
"""What a command raises when Redis is unavailable; a timeout is an `OSError`."""

BLOCK_SECONDS = 0.25
"""How long a read waits for events: so soon it includes a channel that got its first follower."""

_MAX_READ = 200

StoredEvent = tuple[Position, ChannelEvent]


@dataclass(frozen=True)
class StoredChannel:
    """What Redis holds of a channel: the newest position, events, values, their last change."""

    newest: Position | None
    events: list[StoredEvent]
    values: dict[str, LatestValue]
    change: str


@dataclass(frozen=True)
class Followed:
    """What is to be read of a channel: events after a position, changes after an id."""

    channel: str
    position: Position
    change: str


class ChannelCommands:
    """Two connections: one for commands, one on which reads wait for events.

    `timeout`, in seconds, bounds each command. What fails raises one of `FAILURES`.
    """

    def __init__(
        self, url: str, *, namespace: str, capacity: int, idle_seconds: float, timeout: float
    ) -> None:
        self._commands = Pipeline(connections_to(url), timeout)
        self._reads = Pipeline(connections_to(url), timeout + BLOCK_SECONDS)
        self._namespace = namespace
        self._capacity = capacity
        self._milliseconds = round(idle_seconds * 1000)
        self._process = ids.token(8)

    async def aclose(self) -> None:
        """Close both connections."""
        await self._commands.close()
        await self._reads.close()

    @property
    def connected(self) -> int:
        """How many times the connection for reads was opened."""
        return self._reads.connected

    async def ping(self) -> None:
        """Return when both connections work."""
        await self._commands.ask("PING")
        await self._reads.ask("PING")

    async def publish(self, channel: str, event: ChannelEvent) -> None:
        """Add a durable event."""
        keys = self._keys(channel, "events")
        packed = _pack(event)
        await self._run(PUBLISH, keys, self._capacity, self._milliseconds, *packed)

    async def renew(self, channel: str, newest: Position) -> None:
        """End the epoch of a channel, if `newest` is still its newest event."""
        await self._run(RENEW, self._keys(channel, "events"), str(newest))

    async def set_value(self, channel: str, key: str, value: LatestValue) -> None:
        """Set a latest value, unless it is outdated."""
        keys = self._keys(channel, "values", "changes")
        packed = _pack(ChannelEvent(value.event, value.payloads))
        arguments = (_encoded(key), value.version, *packed, self._milliseconds, MAX_VALUES)
        await self._run(SET_VALUE, keys, *arguments)

    async def clear_value(self, channel: str, key: str) -> None:
        """Forget a latest value."""
        keys = self._keys(channel, "values", "changes")
        await self._run(CLEAR_VALUE, keys, _encoded(key), self._milliseconds)

    async def read(self, channel: str, after: Position | None) -> StoredChannel:
        """Return the events after a position, or the newest ones, and all latest values."""
        keys = self._keys(channel, "events", "values", "changes")
        begin = "" if after is None else str(after)
        newest, entries, values, change = await self._run(
            READ, keys, begin, self._capacity, self._milliseconds
        )
        events = [_stored_event(entry) for entry in entries]
        return StoredChannel(
            Position.parse(newest.decode()),
            events if after is not None else events[::-1],
            {_decoded(key): _value(packed) for key, packed in _pairs(values)},
            change.decode(),
        )

    async def wait(
        self, followed: list[Followed]
    ) -> tuple[list[tuple[str, StoredEvent]], list[tuple[str, str, str, LatestValue | None]]]:
        """Wait for news of some channels; return them, or nothing after `BLOCK_SECONDS`.

        These are events by channel, and changed values: channel, id of the change, key, and value,
        which is None when it was cleared.
        """
        keys = [self._keys(item.channel, "events", "changes") for item in followed]
        places = [place for item in followed for place in (str(item.position), item.change)]
        block = round(BLOCK_SECONDS * 1000)
        reply = await self._reads.ask(
            *("XREAD", "COUNT", _MAX_READ, "BLOCK", block, "STREAMS"),
            *(key for pair in keys for key in pair),
            *places,
        )
        channels = {
            key: (item.channel, kind)
            for item, pair in zip(followed, keys, strict=True)
            for kind, key in zip(("events", "changes"), pair, strict=True)
        }
        events: list[tuple[str, StoredEvent]] = []
        changes: list[tuple[str, str, str, LatestValue | None]] = []
        for key, entries in reply or ():
            channel, kind = channels[key]
            if kind == "events":
                events += [(channel, _stored_event(entry)) for entry in entries]
            else:
                changes += [(channel, *_change(entry)) for entry in entries]
        return events, changes

    async def claim(self, channel: str, key: str, seconds: float) -> bool:
        """Return whether this process holds the claim of a key now."""
        keys = self._keys(channel, f"claim:{key}")
        milliseconds = max(1, round(seconds * 1000))
        return bool(await self._run(CLAIM, keys, self._process, milliseconds))

    def _keys(self, channel: str, *kinds: str) -> list[bytes]:
        return [_encoded(f"{self._namespace}:{{{channel}}}:{kind}") for kind in kinds]

    async def _run(self, script: Script, keys: list[bytes], *arguments: str | bytes | int) -> Any:
        parameters = (len(keys), *keys, *arguments)
        try:
            return await self._commands.ask("EVALSHA", script.sha1, *parameters)
        except NoScriptError:
            return await self._commands.ask("EVAL", script.text, *parameters)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogatepass")


def _pack(event: ChannelEvent) -> tuple[bytes, bytes]:
    payloads = {
        audience.encode("utf-8", "replace").decode(): payload.decode("utf-8", "replace")
        for audience, payload in event.payloads.items()
    }
    return _encoded(event.name), orjson.dumps(payloads)


def _unpack(name: bytes, payloads: bytes) -> ChannelEvent:
    forms: dict[str, str] = orjson.loads(payloads)
    return ChannelEvent(
        _decoded(name), {audience: payload.encode() for audience, payload in forms.items()}
    )


def _pairs(items: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    remaining: Iterable[bytes] = iter(items)
    return zip(remaining, remaining, strict=True)


def _stored_event(entry: tuple[bytes, list[bytes]]) -> StoredEvent:
    fields = dict(_pairs(entry[1]))
    epoch, _, offset = entry[0].decode().partition("-")
    return Position(epoch, int(offset)), _unpack(fields[b"e"], fields[b"p"])


def _change(entry: tuple[bytes, list[bytes]]) -> tuple[str, str, LatestValue | None]:
    fields = dict(_pairs(entry[1]))
    value = None
    if b"v" in fields:
        event = _unpack(fields[b"e"], fields[b"p"])
        value = LatestValue(event.name, int(fields[b"v"]), event.payloads)
    return entry[0].decode(), _decoded(fields[b"k"]), value


def _value(packed: bytes) -> LatestValue:
    version, name, payloads = packed.split(b"\n", 2)
    event = _unpack(name, payloads)
    return LatestValue(event.name, int(version), event.payloads)
