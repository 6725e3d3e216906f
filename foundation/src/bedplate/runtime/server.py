"""One HTTP server on one socket: uvicorn's protocols with an orderly end."""

import asyncio
import socket
from email.utils import format_datetime
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from bedplate import clock
from bedplate.runtime.http_protocol import (
    DRAIN_HEAD_SECONDS,
    ConnectionState,
    DrainingHttpProtocol,
)
from bedplate.runtime.lifespan import Lifespan
from bedplate.runtime.listener import (
    BACKLOG,
    accept_waiting,
    cannot_listen,
    refuse_new_connections,
)
from bedplate.runtime.websocket_protocol import (
    MAX_MESSAGE_BYTES,
    PING_SECONDS,
    DrainingWebSocketProtocol,
)

HANDSHAKE_SECONDS = 0.2
"""How long handshakes under way may take to complete: a round trip around half the globe."""

POLL_SECONDS = 0.02
CANCELLATION_SECONDS = 0.2


class HttpServer:
    """Serves one ASGI application on one listening socket; belongs to the running event loop."""

    def __init__(self, application: ASGIApp, listener: socket.socket, *, keep_alive: int) -> None:
        self.lifespan = Lifespan(application)
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._state = ConnectionState()
        self._protocol = partial(
            DrainingHttpProtocol,
            config=_config(application, keep_alive),
            server_state=self._state,
            app_state=self.lifespan.state,
            _loop=self._loop,
        )
        self._server: asyncio.AbstractServer
        self._timer: asyncio.TimerHandle | None = None

    @property
    def address(self) -> Any:
        """The address it listens on: (host, port, …), or the path of a Unix socket."""
        return self._backlog.getsockname()

    async def start(self) -> None:
        """Run the application's startup, then listen; raises StartupError."""
        unix = self._listener.family == socket.AF_UNIX
        listen: Any = self._loop.create_unix_server if unix else self._loop.create_server
        await self.lifespan.startup()
        try:
            self._listener.listen(BACKLOG)  # uvloop only closes a socket that can't listen
            self._server = await listen(self._protocol, sock=self._listener, backlog=BACKLOG)
        except OSError as error:
            await self.lifespan.shutdown()
            host, port = self._listener.getsockname()[:2]
            raise cannot_listen(f"port {port} on {host}", error) from error
        self._backlog = self._listener.dup()  # the server closes its own
        self._refresh_date()

    def _refresh_date(self) -> None:
        date = format_datetime(clock.now(), usegmt=True).encode()
        self._state.default_headers = [(b"date", date)]
        self._timer = self._loop.call_later(1.0, self._refresh_date)

    def announce_close(self) -> None:
        """Add `Connection: close` to every response from now on."""
        self._state.announce_close = True
        for connection in self._state.connections:
            if isinstance(connection, DrainingHttpProtocol):
                connection.announce_close()

    async def stop_listening(self, *, last: bool) -> None:
        """Close the listening socket.

        With `last` no other process accepts on it: every connection that the kernel has
        established is accepted here first.
        """
        if last and refuse_new_connections(self._backlog):
            await asyncio.sleep(HANDSHAKE_SECONDS)
        self._server.close()
        if last:
            for connection in accept_waiting(self._backlog):
                await self._loop.connect_accepted_socket(self._protocol, connection)
        self._backlog.close()

    async def finish(self) -> None:
        """Return when every request is answered and every connection is closed."""
        self.announce_close()
        self._state.heads_until = self._loop.time() + DRAIN_HEAD_SECONDS
        await asyncio.sleep(POLL_SECONDS)  # the last connections must be in the set
        while self._state.connections or self._state.tasks:
            for connection in list(self._state.connections):
                connection.shutdown()
            await asyncio.sleep(POLL_SECONDS)
        self._stop_timer()

    async def cut(self) -> None:
        """Cancel the remaining requests and abort the remaining connections."""
        self._stop_timer()
        if self._state.tasks:
            for task in self._state.tasks:
                task.cancel()
            await asyncio.wait(self._state.tasks, timeout=CANCELLATION_SECONDS)
        for connection in list(self._state.connections):
            connection.transport.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _config(application: ASGIApp, keep_alive: int) -> uvicorn.Config:
    config = uvicorn.Config(
        application,
        http=DrainingHttpProtocol,
        ws=DrainingWebSocketProtocol,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        # Compressing for each client costs more than all the rest of sending.
        ws_per_message_deflate=False,
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",  # its lines below that repeat the query, which may hold tokens
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=keep_alive,
    )
    config.load()
    return config
