"""Calls an ASGI app in this process, the way a server would."""

import asyncio
from types import TracebackType
from typing import Self

from starlette.types import ASGIApp, Message, Scope

from benchmarks.contender import HttpRequest


class Exchange:
    """One request on its way: what the app receives, and what it has sent so far."""

    __slots__ = ("_asked", "_finished", "body", "request_body", "status")

    def __init__(self, request_body: bytes) -> None:
        self.request_body = request_body
        self.status = 0
        self.body = b""
        self._asked = False
        self._finished: asyncio.Event | None = None

    async def receive(self) -> Message:
        """Return the whole body at once, and later that the client has gone."""
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self.request_body, "more_body": False}
        self._finished = asyncio.Event()
        await self._finished.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Keep the status and the body."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.body += message.get("body", b"")
        if self._finished is not None and not message.get("more_body", False):
            self._finished.set()


class AsgiClient:
    """An async context manager: the app's lifespan runs while it is open."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._state: dict[str, object] = {}
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": self._state}
        self._lifespan = asyncio.create_task(self._run_lifespan(scope))
        await self._lifespan_step("startup")
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._lifespan_step("shutdown")
        await self._lifespan

    async def send(self, request: HttpRequest) -> Exchange:
        """Ask the app; the caller looks at the status and body."""
        exchange = Exchange(request.body)
        await self._app(self._scope(request), exchange.receive, exchange.send)
        return exchange

    def _scope(self, request: HttpRequest) -> Scope:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 50000),
            "scheme": "http",
            "method": request.method,
            "root_path": "",
            "path": request.path,
            "raw_path": request.path.encode(),
            "query_string": request.query.encode(),
            "headers": headers(request),
            "state": self._state.copy(),
        }

    async def _run_lifespan(self, scope: Scope) -> None:
        await self._app(scope, self._to_app.get, self._from_app.put)

    async def _lifespan_step(self, step: str) -> None:
        await self._to_app.put({"type": f"lifespan.{step}"})
        answer = asyncio.create_task(self._from_app.get())
        await asyncio.wait({answer, self._lifespan}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            await self._lifespan
            raise RuntimeError(f"The app's lifespan ended before {step} was complete.")
        if (message := answer.result())["type"] != f"lifespan.{step}.complete":
            raise RuntimeError(f"The app's {step} failed: {message.get('message')}")


def headers(request: HttpRequest) -> list[tuple[bytes, bytes]]:
    """Return the request's headers with those that any client sends."""
    sent = {"host": "127.0.0.1:8000", "user-agent": "benchmarks", "accept": "*/*"}
    sent |= request.headers or {}
    if request.body:
        sent["content-length"] = str(len(request.body))
    return [(name.encode(), value.encode()) for name, value in sent.items()]
