"""One process that serves: the API, the operations port, and the order in which they leave."""

import asyncio
import contextlib
import gc
import os
import socket
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import structlog
import uvloop
from starlette.types import ASGIApp

from bedplate.lifecycle import Drain
from bedplate.runtime.forwarded_client import ForwardedClient
from bedplate.runtime.lifespan import LifespanShutdownError
from bedplate.runtime.server import HttpServer
from bedplate.runtime.serving import FORCED, Factories, Serving, StartupError

CLOSING_SECONDS = 1.0
"""How long resources may take to close after a forced end."""

OPERATIONS_SECONDS = 1.0
"""How long requests on the operations port may take when everything else has left."""


class Process:
    """Serves until it is told to leave; every method belongs to the event loop."""

    def __init__(
        self,
        factories: Factories,
        serving: Serving,
        listener: socket.socket,
        operations_listener: socket.socket | None,
        started: Callable[["Process"], None],
    ) -> None:
        self.drain = Drain()
        self.last_on_listener = True
        self._serving = serving
        self._started = started
        self._told = asyncio.Event()
        self._forced = asyncio.Event()
        application = factories.make_application(self.drain)
        self._api = self._server(application, listener)
        self._operations: HttpServer | None = None
        operations = factories.make_operations(self.drain, application)
        if operations is not None and operations_listener is not None:
            if operations_listener.family == socket.AF_UNIX:  # only a supervisor can reach it
                operations = ForwardedClient(operations)
            self._operations = self._server(operations, operations_listener)

    def _server(self, application: ASGIApp, listener: socket.socket) -> HttpServer:
        return HttpServer(application, listener, keep_alive=self._serving.keep_alive_seconds)

    def addresses(self) -> dict[str, object]:
        """Return where the process listens, for a line of log."""
        host, port = self._api.address[:2]
        found: dict[str, object] = {"host": host, "port": port}
        if self._operations is not None and isinstance(self._operations.address, tuple):
            found["operations_port"] = self._operations.address[1]
        return found

    def leave(self) -> None:
        """Begin to go away: readiness 503 now, the rest step by step until the deadline."""
        if self._told.is_set():
            return
        self._told.set()
        self.drain.begin(keep_streams=True)
        self._api.announce_close()
        structlog.get_logger().info("draining", grace_seconds=self._serving.grace_seconds)
        deadline = self._serving.deadline_seconds
        asyncio.get_running_loop().call_later(deadline, self.force, "deadline")
        exit_at_the_latest_after(deadline + 2 * CLOSING_SECONDS)

    def force(self, reason: str) -> None:
        """Go away at once; what still runs is cut."""
        self._forced.set()
        structlog.get_logger().warning("forced_to_stop", reason=reason)
        exit_at_the_latest_after(2 * CLOSING_SECONDS)

    async def run(self) -> int:
        """Serve, and return the exit code; raises StartupError."""
        life = asyncio.create_task(self._live())
        forced = asyncio.create_task(self._forced.wait())
        await asyncio.wait({life, forced}, return_when=asyncio.FIRST_COMPLETED)
        forced.cancel()
        code = life.result() if life.done() else await self._end(life)
        structlog.get_logger().info("stopped", exit_code=code)
        return code

    async def _live(self) -> int:
        await self._start()
        # What was made for the start lives as long as the process: no collection looks at it again.
        gc.freeze()
        self._started(self)
        await self._told.wait()
        await asyncio.sleep(self._serving.grace_seconds)
        await self._api.stop_listening(last=self.last_on_listener)
        structlog.get_logger().info("listener_closed")
        self.drain.begin()
        await self._api.finish()
        code = await _close_resources(self._api)
        await self._stop_operations()
        return code

    async def _start(self) -> None:
        await self._api.start()
        if self._operations is None:
            return
        try:
            await self._operations.start()
        except StartupError:
            await self._api.stop_listening(last=False)
            await _close_resources(self._api)
            raise

    async def _stop_operations(self) -> None:
        if self._operations is None:
            return
        await self._operations.stop_listening(last=False)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OPERATIONS_SECONDS):
                await self._operations.finish()
        await self._operations.cut()
        await _close_resources(self._operations)

    async def _end(self, life: asyncio.Task[int]) -> int:
        """Cut what is left, and give the resources a moment to close."""
        self.drain.begin()
        life.cancel()
        await asyncio.wait({life}, timeout=CLOSING_SECONDS)
        await self._api.cut()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                await _close_resources(self._api)
        if self._operations is not None:
            await self._operations.cut()
        return FORCED


async def _close_resources(server: HttpServer) -> int:
    """Run the application's shutdown, and return the exit code that follows from it."""
    try:
        await server.lifespan.shutdown()
    except LifespanShutdownError as error:
        structlog.get_logger().error("shutdown_failed", exc_info=error)
        return FORCED
    return 0


def exit_at_the_latest_after(seconds: float) -> None:
    """End this process after that time, whatever blocks: the event loop, a thread, an exit hook.

    A deadline that a blocked event loop can overrun would be none.
    """
    timer = threading.Timer(seconds, partial(os._exit, FORCED))
    timer.daemon = True
    timer.start()


def run_on_new_loop(main: Coroutine[Any, Any, int]) -> int:
    """Run a coroutine on a new uvloop event loop, and return what it returns."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
