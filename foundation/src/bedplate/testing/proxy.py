"""A TCP proxy that simulates faults of a network, or of the server behind it."""

import asyncio
import functools
import socket
import struct
from typing import Self
from urllib.parse import urlsplit

from bedplate.testing.processes import free_port

_HOST = "127.0.0.1"
_DEFAULT_PORTS = {"postgresql": 5432, "redis": 6379, "http": 80}
_CHUNK_BYTES = 65_536
# SO_LINGER: whether to linger on close, and for how many seconds. On for 0 seconds sends RST.
_RESET = struct.pack("ii", 1, 0)
_ORDERLY = struct.pack("ii", 0, 0)


class FaultProxy:
    """A proxy in front of a PostgreSQL, Redis or HTTP server: `async with FaultProxy(url)`.

    At first it forwards everything. It runs in the test's event loop, so the test's clients must be
    asynchronous or in another thread or process. `upstream` is the server's URL (`tcp://host:port`
    is enough); raises ValueError if it has no host or no port.
    """

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme.partition("+")[0])
        if parts.hostname is None or port is None:
            raise ValueError("the upstream URL must name a host and a port")
        self.port = free_port()
        self._url = upstream
        self._upstream = (parts.hostname, port)
        self._flowing = asyncio.Event()
        self._socket: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The upstream's URL through the proxy."""
        parts = urlsplit(self._url)
        account, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{account}{at}{_HOST}:{self.port}").geturl()

    @property
    def connections(self) -> int:
        """The number of connected clients."""
        return len(self._connections)

    async def heal(self) -> None:
        """Forward everything again, including data from while connections hung."""
        self._listen()
        self._flowing.set()

    async def hang(self) -> None:
        """Accept connections, but forward no byte in either direction."""
        self._listen()
        self._flowing.clear()

    async def refuse(self) -> None:
        """Refuse new connections and reset the open ones, as when the server is down."""
        if self._accepting is not None:
            await _end(self._accepting)
            self._accepting = None
        if self._socket is not None:
            self._socket.close()
        # Bound but not listening: the system refuses connections, and keeps the port reserved.
        self._socket = _bind(self.port)
        await self.cut()

    async def cut(self) -> None:
        """Reset the open connections (RST); new ones are treated as before."""
        await _end(*self._connections)

    async def __aenter__(self) -> Self:
        self._socket = _bind(self.port)
        await self.heal()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        if self._socket is not None:
            self._socket.close()

    def _listen(self) -> None:
        if self._socket is None:
            raise RuntimeError("the proxy is used outside its `async with`")
        if self._accepting is None:
            self._socket.listen()
            self._accepting = asyncio.create_task(self._accept(self._socket))

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            client, _ = await asyncio.get_running_loop().sock_accept(listener)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            connection = asyncio.create_task(self._serve(client))
            self._connections.add(connection)
            connection.add_done_callback(self._connections.discard)
            # A task that is cancelled before it starts doesn't close the client.
            connection.add_done_callback(functools.partial(_close, client))

    async def _serve(self, client: socket.socket) -> None:
        await self._flowing.wait()
        with socket.socket() as server:
            try:
                await self._connect(server)
                async with asyncio.TaskGroup() as directions:
                    directions.create_task(self._pump(client, server))
                    directions.create_task(self._pump(server, client))
                for side in (client, server):
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ORDERLY)
                    side.close()
            except* OSError:
                pass  # one side is lost, so the other is reset

    async def _connect(self, server: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        server.setblocking(False)
        host, port = self._upstream
        addresses = await loop.getaddrinfo(host, port, family=server.family, type=server.type)
        await loop.sock_connect(server, addresses[0][4])
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    async def _pump(self, source: socket.socket, target: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while chunk := await loop.sock_recv(source, _CHUNK_BYTES):
            await self._flowing.wait()
            await loop.sock_sendall(target, chunk)
        await self._flowing.wait()
        target.shutdown(socket.SHUT_WR)


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _bind(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)
    listener.bind((_HOST, port))
    return listener


def _close(client: socket.socket, _: asyncio.Task[None]) -> None:
    client.close()
