"""One process that serves: the API, the operations port, and the order in which they stop."""

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import structlog
import uvloop

from bedplate.collector import spare_what_is_there
from bedplate.lifecycle import Drain
from bedplate.runtime.server import HttpServer
from bedplate.runtime.serving import FORCED, Factories, Serving, StartupError
from bedplate.runtime.worker_socket import ForwardedClient

CLOSING_SECONDS = 1.0
"""How long resources may take to close after a forced end."""

OPERATIONS_SECONDS = 1.0
"""How long requests on the operations port may take when everything else has stopped."""

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Process:
    """Serves until `leave` is called; every method belongs to the event loop.

    `on_started` is called when it listens; by default it logs where.
    """

    def __init__(
        self,
        factories: Factories,
        serving: Serving,
        listener: socket.socket,
        operations_listener: socket.socket | None,
        on_started: Callable[[], None] | None = None,
    ) -> None:
        self.drain = Drain()
        self.last_on_listener = True
        self._serving = serving
        self._on_started = on_started or self._log_addresses
        self._leaving = asyncio.Event()
        self._forced = asyncio.Event()
        keep_alive = serving.keep_alive_seconds
        application = factories.make_application(self.drain)
        self._api = HttpServer(application, listener, keep_alive=keep_alive)
        self._operations: HttpServer | None = None
        operations = factories.make_operations(self.drain, application)
        if operations is not None and operations_listener is not None:
            if operations_listener.family == socket.AF_UNIX:  # only a supervisor can reach it
                operations = ForwardedClient(operations)
            self._operations = HttpServer(operations, operations_listener, keep_alive=keep_alive)

    def _log_addresses(self) -> None:
        host, port = self._api.address[:2]
        logger = structlog.get_logger().bind(host=host, port=port)
        if self._operations is not None:
            logger = logger.bind(operations_port=self._operations.address[1])
        logger.info("listening")

    def leave(self) -> None:
        """Begin to drain: readiness is 503 now, the rest stops step by step until the deadline."""
        if self._leaving.is_set():
            return
        self._leaving.set()
        self.drain.begin(keep_streams=True)
        self._api.announce_close()
        structlog.get_logger().info("draining", grace_seconds=self._serving.grace_seconds)
        deadline = self._serving.deadline_seconds
        asyncio.get_running_loop().call_later(deadline, self.force, "deadline")
        _exit_after(deadline + 2 * CLOSING_SECONDS)

    def force(self, reason: str) -> None:
        """Stop at once; requests that still run are cancelled."""
        self._forced.set()
        structlog.get_logger().warning("forced_to_stop", reason=reason)
        _exit_after(2 * CLOSING_SECONDS)

    async def run(self) -> int:
        """Serve, and return the exit code; raises StartupError."""
        serving = asyncio.create_task(self._serve())
        forced = asyncio.create_task(self._forced.wait())
        await asyncio.wait({serving, forced}, return_when=asyncio.FIRST_COMPLETED)
        forced.cancel()
        code = serving.result() if serving.done() else await self._cut(serving)
        structlog.get_logger().info("stopped", exit_code=code)
        return code

    async def _serve(self) -> int:
        await self._start()
        spare_what_is_there()
        self._on_started()
        await self._leaving.wait()
        await asyncio.sleep(self._serving.grace_seconds)
        await self._api.stop_listening(last=self.last_on_listener)
        structlog.get_logger().info("listener_closed")
        self.drain.begin()
        await self._api.finish()
        code = 0 if await self._api.lifespan.shutdown() else FORCED
        if self._operations is not None:
            await self._operations.stop_listening(last=False)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._operations.finish(), OPERATIONS_SECONDS)
            await self._operations.cut()
            await self._operations.lifespan.shutdown()
        return code

    async def _start(self) -> None:
        await self._api.start()
        try:
            if self._operations is not None:
                await self._operations.start()
        except StartupError:
            await self._api.stop_listening(last=False)
            await self._api.lifespan.shutdown()
            raise

    async def _cut(self, serving: asyncio.Task[int]) -> int:
        """Cancel what still runs, and let the resources close within their time."""
        self.drain.begin()
        serving.cancel()
        await asyncio.wait({serving}, timeout=CLOSING_SECONDS)
        await self._api.cut()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._api.lifespan.shutdown(), CLOSING_SECONDS)
        if self._operations is not None:
            await self._operations.cut()
        return FORCED


def _exit_after(seconds: float) -> None:
    """End this process after that time, even when the event loop or an exit hook blocks."""
    timer = threading.Timer(seconds, partial(os._exit, FORCED))
    timer.daemon = True
    timer.start()


def on_stop_signals(leave: Callable[[], None], force: Callable[[str], None]) -> None:
    """Call `leave` on the first SIGTERM or SIGINT of the main thread's loop, then `force`."""
    received: list[signal.Signals] = []

    def receive(number: signal.Signals) -> None:
        received.append(number)
        if len(received) == 1:
            leave()
        else:
            force("second signal")

    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, receive, number)


def run_on_new_loop(main: Coroutine[Any, Any, int]) -> int:
    """Run a coroutine on a new uvloop event loop, and return its result."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
