"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterable, Callable, Mapping
from typing import Any, Literal

import orjson
from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bedplate import clock, ids
from bedplate.lifecycle import ABORT_EXTENSION, Drain
from bedplate.realtime.position import Position
from bedplate.realtime.stream_monitor import StreamMonitor

CLOSE_SECONDS = 2.0
"""How long a client that doesn't read may hold up the end of its stream, then of its connection."""

RETRY_SECONDS = (1.0, 4.0)
"""Between which times clients reconnect; each is given its own, so that they don't come at once."""

_PING = b": ping\n\n"
_LINE_END = re.compile(rb"\r\n|\r|\n")
_FORBIDDEN = re.compile(r"[\r\n\0]")

_Ending = Literal["drain", "gone", "stuck"]


def frame(
    data: bytes | str | Mapping[str, Any] | None = None,
    *,
    event: str | None = None,
    id: Position | str | None = None,  # noqa: A002 - the standard's name of the field
    retry_seconds: float | None = None,
) -> bytes:
    """Return one event as it goes over the wire.

    `data` is sent as it is, line by line; a mapping as JSON. Without data a client only takes note
    of `id` and `retry_seconds`. Raises ValueError when `event` or `id` has a line end or U+0000:
    the first would begin a field of its own, the second makes clients ignore the id.
    """
    lines = []
    if event is not None:
        lines.append(b"event: " + _checked(event))
    if id is not None:
        lines.append(b"id: " + _checked(str(id)))
    if retry_seconds is not None:
        lines.append(b"retry: %d" % max(0, round(retry_seconds * 1000)))
    if data is not None:
        if isinstance(data, Mapping):
            data = orjson.dumps(data)
        elif isinstance(data, str):
            data = data.encode("utf-8", "replace")
        lines += [b"data: " + line for line in _LINE_END.split(data)]
    return b"\n".join([*lines, b"", b""])


def _checked(value: str) -> bytes:
    if _FORBIDDEN.search(value):
        raise ValueError("An event's name and id must not have a line end or U+0000.")
    return value.encode("utf-8", "replace")


def jittered(low: float, high: float) -> float:
    """Return a random number of seconds between two."""
    return low + (high - low) * int(ids.token(2), 16) / 0xFFFF


class EventStream(Response):
    """Sends an asynchronous iterator of frames as `text/event-stream`, until somebody ends it.

    The client gets `retry:` with a time of its own, then the frames, and a comment after
    `ping_seconds` of silence. The stream ends when

    - `frames` end,
    - the process drains: the client gets `event: closing` with `{"reason":"restart"}`. `drain` is
      the one of the request's state unless it is passed,
    - the client is gone,
    - the client has read nothing for `send_seconds` while something was to be sent; its connection
      is cut.

    In each case `frames` is closed, so its `finally` and `async with` blocks run.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        frames: AsyncIterable[bytes],
        *,
        drain: Drain | None = None,
        ping_seconds: float = 15.0,
        send_seconds: float = 15.0,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        self._frames = frames
        self._drain = drain
        self._ping_seconds = ping_seconds
        self._send_seconds = send_seconds
        self.status_code = status_code
        self.background = background
        # Proxies must neither keep events (nginx: X-Accel-Buffering) nor serve them to others.
        fixed = {"cache-control": "no-store", "x-accel-buffering": "no"}
        self.init_headers({**fixed, **(headers or {})})
        self._task: asyncio.Task[Any] | None = None
        self._cancelling = 0
        self._send: Send
        self._ending: _Ending | None = None
        self._sending_since: float | None = None
        self._sent_at = 0.0
        self._ping: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the frames until the stream ends."""
        self._send = send
        drain = self._drain or scope.get("state", {}).get("drain")
        leaving = asyncio.create_task(self._wait_until_gone(receive))
        self._task = asyncio.current_task()
        self._cancelling = self._task.cancelling() if self._task else 0
        try:
            with StreamMonitor.of_loop().watching(self, drain):
                await self._send_all()
            if self._ending is not None:
                await self._finish(_abort_of(scope), leaving)
        finally:
            await _close(self._frames)
            for task in (leaving, self._ping):
                if task is not None:
                    task.cancel()
        if self.background is not None:
            await self.background()

    def end_for_drain(self) -> None:
        """End the stream, since the process goes away; `StreamMonitor` calls it."""
        self._end("drain")

    def check(self, now: float) -> None:
        """End the stream when its client is stuck, ping when it was silent; called now and then."""
        if self._sending_since is not None:
            if now - self._sending_since >= self._send_seconds:
                self._end("stuck")
        elif now - self._sent_at >= self._ping_seconds:
            self._ping = asyncio.create_task(self._send_ping())

    async def _send_all(self) -> None:
        try:
            head = {"status": self.status_code, "headers": self.raw_headers}
            await self._send({"type": "http.response.start", **head})
            await self._send_frame(frame(retry_seconds=jittered(*RETRY_SECONDS)))
            async for part in self._frames:
                await self._send_frame(part)
            self._task = None  # nothing cancels it from here
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        except asyncio.CancelledError:
            if self._task is None or self._ending is None:
                raise
            if self._task.uncancel() > self._cancelling:  # somebody else cancelled it as well
                raise
        finally:
            self._task = None

    async def _send_frame(self, body: bytes) -> None:
        if self._sending_since is None:
            self._sending_since = clock.monotonic()
        await self._send({"type": "http.response.body", "body": body, "more_body": True})
        self._sent_at = clock.monotonic()
        self._sending_since = None

    async def _send_ping(self) -> None:
        with contextlib.suppress(OSError):
            await self._send_frame(_PING)

    async def _wait_until_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._end("gone")

    def _end(self, ending: _Ending) -> None:
        if self._ending is None and self._task is not None:
            self._ending = ending
            self._task.cancel()

    async def _finish(self, abort: Callable[[], None] | None, leaving: asyncio.Task[None]) -> None:
        """Tell the client that the stream ends, or cut the connection when it doesn't read."""
        if self._ending == "gone":
            return
        if self._ending == "drain" and self._sending_since is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._send_closing()
                if abort is not None:  # the client may be asleep, and never take what was sent
                    asyncio.get_running_loop().call_later(CLOSE_SECONDS, abort)
                return
        if abort is not None:
            abort()
            await asyncio.wait([leaving], timeout=CLOSE_SECONDS)

    async def _send_closing(self) -> None:
        closing = frame(
            {"reason": "restart"}, event="closing", retry_seconds=jittered(*RETRY_SECONDS)
        )
        await self._send({"type": "http.response.body", "body": closing, "more_body": False})


def _abort_of(scope: Scope) -> Callable[[], None] | None:
    extension = scope.get("extensions", {}).get(ABORT_EXTENSION, {})
    abort: Callable[[], None] | None = extension.get("abort")
    return abort


async def _close(frames: AsyncIterable[bytes]) -> None:
    aclose = getattr(frames, "aclose", None)
    if aclose is not None:
        await aclose()
