"""Requests and answers of an ASGI application as the messages that they are, byte for byte.

`client` is for tests of what an API does. This is for tests that compare two applications: nothing
is parsed, sorted or joined, and clients that leave, wait or send nonsense are clients too.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Self
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Scope

RawHeaders = tuple[tuple[bytes, bytes], ...]
"""The headers of a message in their order: lower-case names, and values."""

_PATIENCE_SECONDS = 30.0
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


class Trace:
    """What happened in an application, in its order; `note` may be called in any thread.

    Something can wait for an event: `trace.at("in the endpoint", task.cancel)`. It is called once.
    """

    def __init__(self) -> None:
        self.events: list[str] = []
        self._awaited: dict[str, Callable[[], object]] = {}

    def note(self, event: str) -> None:
        """Add an event."""
        self.events.append(event)
        if (call := self._awaited.pop(event, None)) is not None:
            call()

    def at(self, event: str, call: Callable[[], object]) -> None:
        """Call something as soon as an event is noted."""
        self._awaited[event] = call


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request, and what its client does.

    target      path and query as they stand on the request line
    headers     in their order; nothing is added
    chunks      the body, message by message
    root_path   below which a proxy serves the application; the path of `target` is within it
    leaves      when the client closes the connection: at an event of the trace, before the body
                is complete ("in the body"), or when the answer begins ("at the answer")
    cancelled   at which event of the trace the server cancels the request
    slow        whether each message of the body comes some turns of the event loop after the last
    spec        the version of the ASGI specification; from 2.4 on a send to a client that left
                raises OSError
    """

    method: str
    target: str
    headers: RawHeaders = ()
    chunks: tuple[bytes, ...] = (b"",)
    root_path: str = ""
    leaves: str | None = None
    cancelled: str | None = None
    slow: bool = False
    spec: str = "2.3"

    def scope(self, state: Mapping[str, Any]) -> Scope:
        """Return the scope of a connection."""
        path, _, query = self.target.partition("?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": self.spec},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.root_path + unquote_to_bytes(path).decode("utf-8", "replace"),
            "raw_path": (self.root_path + path).encode(),
            "query_string": query.encode("latin-1"),
            "root_path": self.root_path,
            "headers": list(self.headers),
            "client": ("127.0.0.1", 50_000),
            "server": ("testserver", 80),
            "state": dict(state),
        }


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came of a request: the messages of the application, and the error that it raised."""

    messages: tuple[Message, ...]
    error: str | None
    events: tuple[str, ...] = ()

    @property
    def status(self) -> int | None:
        """The status; None without an answer."""
        return self.messages[0]["status"] if self.messages else None

    @property
    def headers(self) -> RawHeaders:
        """The headers of the answer."""
        return tuple(tuple(each) for each in self.messages[0]["headers"]) if self.messages else ()

    @property
    def body(self) -> bytes:
        """The whole body of the answer."""
        return b"".join(each.get("body", b"") for each in self.messages[1:])

    def without_events(self) -> Self:
        """Return it without what happened in the application."""
        return replace(self, events=())


@dataclass(slots=True)
class _Connection:
    """The client's side of one exchange."""

    request: RawRequest
    trace: Trace
    sent: list[Message] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    received: int = 0

    async def receive(self) -> Message:
        chunks, leaves = self.request.chunks, self.request.leaves
        if self.request.slow:
            for _ in range(5):
                await asyncio.sleep(0)
        at = self.received
        if at < len(chunks) and not self.closed.is_set():
            last = at + 1 == len(chunks)
            if not (last and leaves == "in the body"):
                self.received += 1
                self.trace.note(f"receive {at}")
                return {"type": "http.request", "body": chunks[at], "more_body": not last}
            self.closed.set()
        await self.closed.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.closed.is_set() and self.request.spec >= "2.4":
            raise OSError("The client has left.")
        self.sent.append(message)
        kind = message["type"].removeprefix("http.response.")
        self.trace.note(f"send {kind}" + (" more" if message.get("more_body") else ""))
        if message["type"] == "http.response.start":
            if self.request.leaves == "at the answer":
                self.closed.set()
        elif not message.get("more_body"):
            self.closed.set()


async def exchange(
    app: ASGIApp,
    request: RawRequest,
    *,
    trace: Trace | None = None,
    state: Mapping[str, Any] | None = None,
) -> Exchange:
    """Send a request, and return all that came of it.

    `trace` is what the application notes its events in; those of the connection go there, too, and
    it is empty afterwards. `state` is that of the lifespan. Raises `TimeoutError` for an
    application that takes half a minute.
    """
    trace = trace or Trace()
    connection = _Connection(request, trace)
    served = asyncio.ensure_future(
        app(request.scope(state or {}), connection.receive, connection.send)
    )
    loop = asyncio.get_running_loop()
    if request.leaves not in {None, "in the body", "at the answer"}:
        trace.at(str(request.leaves), partial(loop.call_soon_threadsafe, connection.closed.set))
    if request.cancelled is not None:
        trace.at(request.cancelled, partial(loop.call_soon_threadsafe, served.cancel))
    done, _ = await asyncio.wait({served}, timeout=_PATIENCE_SECONDS)
    if not done:
        served.cancel()
        raise TimeoutError(f"{request.method} {request.target}: {trace.events}")
    events, trace.events = tuple(trace.events), []
    return Exchange(tuple(connection.sent), _error_of(served), events)


def _error_of(served: "asyncio.Future[None]") -> str | None:
    if served.cancelled():
        return "cancelled"
    error = served.exception()
    return None if error is None else _described(error)


def _described(error: BaseException) -> str:
    """Return an error with those it came from, without the addresses of objects."""
    text = _ADDRESS.sub("0x…", f"{type(error).__name__}: {error}")
    if isinstance(error, BaseExceptionGroup):
        text += f" [{'; '.join(map(_described, error.exceptions))}]"
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return text if cause is None else f"{text} <- {_described(cause)}"
