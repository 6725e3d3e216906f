"""Phones: HTTP/1.1 and server-sent events on bare sockets.

What a client library costs would be measured instead of the server, on the same two cores.
"""

import asyncio
import re
import resource
import time
from collections.abc import Sequence
from typing import Any, Self

import orjson

_ID = re.compile(rb"^id: ([0-9A-Za-z_]+)-([0-9]+)\n", re.MULTILINE)
_CONNECTS_AT_ONCE = 100


class Answer:
    """What came back: the status, the body, and how many seconds it took."""

    __slots__ = ("body", "head", "seconds", "status")

    def __init__(self, status: int, head: bytes, body: bytes, seconds: float) -> None:
        self.status = status
        self.head = head
        self.body = body
        self.seconds = seconds

    @property
    def json(self) -> Any:
        """The body."""
        return orjson.loads(self.body)


class Phone(asyncio.Protocol):
    """One connection that asks one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self._buffer = bytearray()
        self._waiting: asyncio.Future[None] | None = None

    @classmethod
    async def connect(cls, port: int) -> Self:
        """Return a connected phone."""
        loop = asyncio.get_running_loop()
        transport, phone = await loop.create_connection(cls, "127.0.0.1", port)
        phone.transport = transport
        return phone

    def data_received(self, data: bytes) -> None:
        """Keep what came."""
        self._buffer += data
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def connection_lost(self, _: Exception | None) -> None:
        """Let nobody wait for an answer that won't come."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError("The server hung up."))

    async def ask(
        self, method: str, path: str, token: str = "", body: Any = None, headers: str = ""
    ) -> Answer:
        """Send a request and return its answer."""
        began = time.perf_counter()
        self.transport.write(request(method, path, token, body, headers))
        while (answer := self._parsed(began)) is None:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        return answer

    def close(self) -> None:
        """Hang up."""
        self.transport.abort()

    def _parsed(self, began: float) -> Answer | None:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return None
        length = re.search(rb"(?i)content-length: (\d+)", head)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            return None
        self._buffer = rest[size:]
        seconds = time.perf_counter() - began
        return Answer(int(head[9:12]), bytes(head), bytes(rest[:size]), seconds)


class Listener(asyncio.Protocol):
    """One that follows a session's events: when which event came, and which offsets."""

    def __init__(self, opening: bytes) -> None:
        self.transport: asyncio.Transport
        self._opening = opening
        self._tail = b""
        self.started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.epoch = b""
        self.offsets: list[int] = []
        self.bytes = 0
        self.seen: dict[bytes, float] = {}
        self.lost = False

    @classmethod
    async def connect(cls, port: int, path: str, token: str, last: str = "") -> Self:
        """Return a listener whose stream has begun."""
        headers = f"Last-Event-ID: {last}\r\n" if last else ""
        loop = asyncio.get_running_loop()
        opening = request("GET", path, token, None, headers)
        transport, listener = await loop.create_connection(lambda: cls(opening), "127.0.0.1", port)
        listener.transport = transport
        await listener.started
        return listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        transport.write(self._opening)  # type: ignore[attr-defined]

    def connection_lost(self, _: Exception | None) -> None:
        """Note that the stream ended."""
        self.lost = True
        if not self.started.done():
            self.started.set_exception(ConnectionResetError("The server hung up."))

    def data_received(self, data: bytes) -> None:
        """Note what came."""
        self.bytes += len(data)
        if not self.started.done():
            if b" 200 " not in data[:20]:
                self.started.set_exception(RuntimeError(f"No stream: {data[:300]!r}"))
                return
            self.started.set_result(None)
        now = time.perf_counter()
        # Whole lines alone are looked at; the rest waits for what comes next.
        whole, end, self._tail = (self._tail + data).rpartition(b"\n")
        for epoch, offset in _ID.findall(whole + end):
            self.epoch = epoch
            self.offsets.append(int(offset))
        for line in re.findall(rb"^event: ([^\n]+)", whole, re.MULTILINE):
            self.seen[line] = now

    @property
    def last_id(self) -> str:
        """The id to come back with."""
        return f"{self.epoch.decode()}-{self.offsets[-1]}" if self.offsets else ""

    def close(self) -> None:
        """Hang up."""
        self.transport.abort()


def request(method: str, path: str, token: str, body: Any, headers: str) -> bytes:
    """Return a request as it goes over the wire."""
    payload = b"" if body is None else orjson.dumps(body)
    lines = f"{method} {path} HTTP/1.1\r\nHost: hall\r\n{headers}"
    if token:
        lines += f"Authorization: Bearer {token}\r\n"
    if body is not None:
        lines += "Content-Type: application/json\r\n"
    if method != "GET":
        lines += f"Content-Length: {len(payload)}\r\n"
    return f"{lines}\r\n".encode() + payload


async def connected(port: int, count: int) -> list[Phone]:
    """Return so many phones, whose connections are open."""
    gate = asyncio.Semaphore(_CONNECTS_AT_ONCE)

    async def connect() -> Phone:
        async with gate:
            return await Phone.connect(port)

    return list(await asyncio.gather(*(connect() for _ in range(count))))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of them lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def allow_many_files() -> None:
    """Let this process, and those that it starts, have as many sockets as the machine allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
