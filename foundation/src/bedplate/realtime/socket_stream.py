"""What one WebSocket client's connection needs, whatever is streamed to it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, NamedTuple

import orjson
from starlette import status
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from bedplate import clock
from bedplate.lifecycle import Drain

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
COMPLETE = Ending(status.WS_1000_NORMAL_CLOSURE, "")


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
class SocketStream:
    """One client's connection, from its acceptance to its end.

    `drain` ends it with 1012 when the process goes away, `revoked` with 1008 when it is set.
    """

    socket: WebSocket
    _: KW_ONLY
    drain: Drain | None = None
    revoked: asyncio.Event | None = None
    limits: StreamLimits = field(default_factory=StreamLimits)

    def __post_init__(self) -> None:
        self._inbox: asyncio.Queue[str] = asyncio.Queue(self.limits.waiting)
        self._sending: float | None = None

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send a message of your own, as JSON.

        Waits for a client that doesn't read. Raises `WebSocketDisconnect` when it is gone.
        """
        await self._send_text(orjson.dumps(message).decode())

    async def _serve(self, texts: AsyncGenerator[str, None]) -> None:
        """Accept the client, unless it is already, and send it texts until something ends."""
        if self.socket.application_state is WebSocketState.CONNECTING:
            await self.socket.accept()
        signals = (self.drain, RESTART), (self.revoked, REVOKED)
        async with contextlib.aclosing(texts):
            ending = await self._first_of(
                self._send_texts(texts),
                self._watch(),
                self._receive(),
                self._handle(),
                *[_end_after(signal, why) for signal, why in signals if signal is not None],
            )
        if ending is not None:
            await self._close(ending)

    async def _handle_text(self, text: str) -> None:
        """Handle one message of the client."""

    def _closing(self, reason: str) -> Mapping[str, Any]:
        """Return the last message to the client."""
        return {"type": "closing", "reason": reason}

    async def _send_text(self, text: str) -> None:
        if self._sending is None:
            self._sending = clock.monotonic()
        await self.socket.send_text(text)
        self._sending = None

    async def _send_texts(self, texts: AsyncGenerator[str, None]) -> Ending:
        async for text in texts:
            await self._send_text(text)
        return COMPLETE

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
            await self._handle_text(text)

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
                if ending is not COMPLETE:
                    await self.send(self._closing(ending.reason))
                await self.socket.close(ending.code, ending.reason)


async def _end_after(signal: Drain | asyncio.Event, ending: Ending) -> Ending:
    await signal.wait()
    return ending
