import asyncio
import math

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedplate.problems import GatewayTimeout, problem_response


class RequestTimeout:
    """Answers 504 when a response hasn't started after `seconds`.

    The request is cancelled, so its transactions roll back; the thread of a synchronous endpoint
    can't be cancelled and runs to its end. The timeout ends when the response starts: streams may
    last longer.
    """

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        if not (seconds > 0 and math.isfinite(seconds)):
            raise ValueError("seconds must be positive")
        self.app = app
        self._seconds = seconds
        self._deadlines: _Deadlines | None = None
        self._retry_after = max(1, math.ceil(seconds))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request within the time; pass other scopes through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        deadline = self.start()

        async def send_in_time(message: Message) -> None:
            deadline.begin_response()
            await send(message)

        try:
            await self.app(scope, receive, send_in_time)
        except asyncio.CancelledError:
            if not deadline.stop():
                raise
            await self.too_late(scope)(scope, receive, send)
        finally:
            deadline.stop()

    def start(self) -> "Deadline":
        """Start the clock: unless it is stopped in time, the current task is cancelled."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - on asyncio, a coroutine runs in a task
        loop = task.get_loop()
        deadlines = self._deadlines
        if deadlines is None or deadlines.loop is not loop:
            deadlines = self._deadlines = _Deadlines(loop, self._seconds)
        return deadlines.start(task)

    def too_late(self, scope: Scope) -> Response:
        """Return the response to a request that its deadline cancelled."""
        error = GatewayTimeout("The response took too long.", retry_after=self._retry_after)
        return problem_response(scope, error)


class Deadline:
    """One request's deadline; it ends when the response starts."""

    _expired = False
    _cancelling = 0
    _response_started = False

    def __init__(
        self, at: float, running: "dict[Deadline, None]", task: "asyncio.Task[object]"
    ) -> None:
        self.at = at
        self._running = running
        self._task = task

    def begin_response(self) -> None:
        """End the deadline; the application calls it with each message that it sends."""
        if not self._response_started:
            self._response_started = True
            self._running.pop(self, None)

    def expire(self) -> None:
        """Cancel the request."""
        self._expired = True
        self._cancelling = self._task.cancelling()
        self._task.cancel()

    def stop(self) -> bool:
        """Stop the clock; return whether only it cancelled the request, before a response."""
        if not self._expired:
            self._running.pop(self, None)
            return False
        self._expired = False
        only_cause = self._task.uncancel() <= self._cancelling
        return only_cause and not self._response_started


class _Deadlines:
    """All running deadlines of one limit on one event loop.

    They expire in the order of their start, so one timer serves all; a timer for each request would
    cost more than all other layers together.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self.loop = loop
        self._seconds = seconds
        self._running: dict[Deadline, None] = {}
        self._timer_set = False

    def start(self, task: "asyncio.Task[object]") -> Deadline:
        deadline = Deadline(self.loop.time() + self._seconds, self._running, task)
        self._running[deadline] = None
        if not self._timer_set:
            self._timer_set = True
            self.loop.call_at(deadline.at, self._expire_due)
        return deadline

    def _expire_due(self) -> None:
        now = self.loop.time()
        while self._running:
            deadline = next(iter(self._running))
            if deadline.at > now:
                self.loop.call_at(deadline.at, self._expire_due)
                return
            del self._running[deadline]
            deadline.expire()
        self._timer_set = False
