"""A broadcast, streamed to one WebSocket client."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Generic, NamedTuple

import orjson
from starlette import status
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from bedplate import clock
from bedplate.lifecycle import Drain
from bedplate.realtime.broadcast import Broadcast
from bedplate.realtime.follower import Follower, Wants
from bedplate.realtime.ring_buffer import Item

CLOSE_SECONDS = 1.0
"""How long a client that doesn't read may hold up the end of its stream."""

_LOOKS = 4  # a client that stopped reading is dropped within a quarter more of its time


class Ending(NamedTuple):
    """Why the server ends a stream: a close code (RFC 6455, section 7.4.1), a word for programs."""

    code: int
    reason: str


RESTART = Ending(status.WS_1012_SERVICE_RESTART, "restart")
REVOKED = Ending(status.WS_1008_POLICY_VIOLATION, "revoked")
TOO_MANY = Ending(status.WS_1008_POLICY_VIOLATION, "too_many_messages")
TOO_LONG = Ending(status.WS_1009_MESSAGE_TOO_BIG, "message_too_long")
NOT_TEXT = Ending(status.WS_1003_UNSUPPORTED_DATA, "not_text")


@dataclass(frozen=True, kw_only=True)
class StreamLimits:
    """Bounds for one client.

    message_characters: the longest message it may send.
    messages, seconds: how many it may send in that time.
    waiting: how many may wait while an earlier one is handled.
    send_seconds: how long it may read nothing while something is to be sent, before it is dropped.
    """

    message_characters: int = 8_192
    messages: int = 50
    seconds: float = 10.0
    waiting: int = 16
    send_seconds: float = 15.0


class MessageRate:
    """Counts the messages of a client in windows of time."""

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._began = clock.monotonic()
        self._count = 0

    def admits(self) -> bool:
        """Count a message, and return whether it is within the limit."""
        now = clock.monotonic()
        if not 0 <= now - self._began < self._limits.seconds:
            self._began, self._count = now, 0
        self._count += 1
        return self._count <= self._limits.messages


@dataclass(eq=False)
class Stream(Generic[Item]):
    """One client's connection, from its acceptance to its end.

    The client gets JSON texts: `hello` with the row of numbers, then `items`, `lost` with a count
    where it was too slow, and `closing` with the reason. A client that reads nothing holds up
    nobody: it has a place in the ring and one frame, loses its oldest items, and is dropped.

    `drain` ends it with 1012 when the process goes away, `revoked` with 1008 when it is set.
    `on_message` is called for one text message of the client at a time; it may `send` answers.
    What it raises ends the stream.
    """

    socket: WebSocket
    broadcast: Broadcast[Item]
    _: KW_ONLY
    drain: Drain | None = None
    revoked: asyncio.Event | None = None
    on_message: "Callable[[Stream[Item], str], Awaitable[None]] | None" = None
    limits: StreamLimits = field(default_factory=StreamLimits)

    def __post_init__(self) -> None:
        self._inbox: asyncio.Queue[str] = asyncio.Queue(self.limits.waiting)
        self._follower: Follower[Item] | None = None
        self._sending: float | None = None

    async def serve(
        self, after: int | None = None, *, run: str | None = None, wants: Wants[Item] | None = None
    ) -> None:
        """Accept the client, unless it is already, and serve it; see `Broadcast.follow`."""
        if self.socket.application_state is WebSocketState.CONNECTING:
            await self.socket.accept()
        async with self.broadcast.follow(after, run=run, wants=wants) as follower:
            self._follower = follower
            signals = (self.drain, RESTART), (self.revoked, REVOKED)
            ending = await self._first_of(
                self._send_items(follower),
                self._watch(),
                self._receive(),
                self._handle(),
                *[_end_after(signal, why) for signal, why in signals if signal is not None],
            )
        if ending is not None:
            await self._close(ending)

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send a message of your own, as JSON; give it another `type` than the stream's.

        Waits for a client that doesn't read. Raises `WebSocketDisconnect` when it is gone.
        """
        await self._send_text(orjson.dumps(message).decode())

    def filter(self, wants: Wants[Item] | None) -> None:
        """Send only what passes this filter from now on."""
        if self._follower is not None:
            hash(wants)
            self._follower.wants = wants

    async def _send_text(self, text: str) -> None:
        if self._sending is None:
            self._sending = clock.monotonic()
        await self.socket.send_text(text)
        self._sending = None

    async def _send_items(self, follower: Follower[Item]) -> None:
        row = self.broadcast
        await self.send({"type": "hello", "run": row.run, "first": row.first, "last": row.last})
        reported = 0
        async for batch in follower:
            if follower.lost > reported:
                await self.send({"type": "lost", "count": follower.lost - reported})
                reported = follower.lost
            await self._send_text(batch.text)

    async def _watch(self) -> None:
        """Return when the client has read nothing for too long; cheaper than a timer a message."""
        while True:
            await asyncio.sleep(self.limits.send_seconds / _LOOKS)
            since = self._sending
            if since is not None and clock.monotonic() - since > self.limits.send_seconds:
                return

    async def _receive(self) -> Ending | None:
        rate = MessageRate(self.limits)
        while (message := await self.socket.receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            if text is None:
                return NOT_TEXT
            if len(text) > self.limits.message_characters:
                return TOO_LONG
            if not rate.admits() or self._inbox.full():
                return TOO_MANY
            self._inbox.put_nowait(text)
        return None

    async def _handle(self) -> None:
        while True:
            text = await self._inbox.get()
            if self.on_message is not None:
                await self.on_message(self, text)

    async def _first_of(self, *parts: Coroutine[Any, Any, Ending | None]) -> Ending | None:
        """Run all parts until one ends, and return why: None when the client is gone."""
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        try:
            return [task.result() for task in tasks if task in done][-1]
        except WebSocketDisconnect:
            return None

    async def _close(self, ending: Ending) -> None:
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.send({"type": "closing", "reason": ending.reason})
                await self.socket.close(ending.code, ending.reason)


async def _end_after(signal: Drain | asyncio.Event, ending: Ending) -> Ending:
    await signal.wait()
    return ending
