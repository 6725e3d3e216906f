"""The lifespan protocol of ASGI, which keeps the exceptions of failures."""

import asyncio
from typing import Any

import structlog
from starlette.types import ASGIApp, Message

from bedplate.runtime.serving import failure_to_start


class Lifespan:
    """Runs an application's lifespan in one task, as the ASGI specification 2.0 says.

    uvicorn's own prints tracebacks and keeps only the text.
    """

    def __init__(self, application: ASGIApp) -> None:
        self.state: dict[str, Any] = {}
        self._application = application
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._answered = asyncio.Event()
        self._started = False
        self._received = False
        self._failure: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Run the application's startup; raises StartupError when it fails."""
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        self._task = asyncio.ensure_future(self._application(scope, self._receive, self._send))
        self._events.put_nowait({"type": "lifespan.startup"})
        self._task.add_done_callback(lambda _: self._answered.set())
        await self._answered.wait()
        if self._started:
            return
        error = await _outcome(self._task)
        # An application without a lifespan ends without receiving an event: that is no failure.
        if error is not None and (self._received or self._failure is not None):
            raise failure_to_start(error) from error
        if self._failure is not None:
            raise failure_to_start((self._failure.strip().splitlines() or [""])[-1])

    async def shutdown(self) -> bool:
        """Run the application's shutdown; return whether it succeeded, and log why not."""
        if self._task is None or (self._task.done() and not self._started):
            return True
        self._events.put_nowait({"type": "lifespan.shutdown"})
        error = await _outcome(self._task)
        if error is None and self._failure is not None:
            error = RuntimeError(self._failure)
        if error is not None:
            structlog.get_logger().error("shutdown_failed", exc_info=error)
        return error is None

    async def _receive(self) -> Message:
        self._received = True
        return await self._events.get()

    async def _send(self, message: Message) -> None:
        if message["type"] == "lifespan.startup.complete":
            self._started = True
            self._answered.set()
        elif message["type"].endswith(".failed"):
            self._failure = message.get("message") or "no reason given"


async def _outcome(task: asyncio.Task[None]) -> Exception | None:
    """Return how the application's task ended: its exception, if any."""
    await asyncio.wait({task})
    if task.cancelled():
        return RuntimeError("The lifespan was cancelled.")
    error = task.exception()
    if error is not None and not isinstance(error, Exception):
        raise error
    return error
