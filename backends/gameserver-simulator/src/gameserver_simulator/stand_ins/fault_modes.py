"""Faults of a stand-in: slow, failing, malformed and incomplete responses."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.datastructures import URL
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NONSENSE = b"<html><title>Bad gateway</title>{"


@dataclass
class FaultModes:
    """The faults of a stand-in that serves; they can be changed at any time.

    delay_seconds  wait so long before each response
    status         respond with this HTTP status
    statuscode     respond with HTTP 200 and this `statuscode` in the body
    nonsense       respond with HTTP 200 and a body that is not JSON
    cut_after      close the connection after so many bytes of a body
    only           apply to paths with this prefix
    requests       requested paths with their queries, in order
    """

    delay_seconds: float = 0.0
    status: int | None = None
    statuscode: str | None = None
    nonsense: bool = False
    cut_after: int | None = None
    only: str = "/"
    requests: list[str] = field(default_factory=list)

    def response(self) -> Response | None:
        """Return the response that replaces the real one, if any."""
        if self.status is not None:
            return PlainTextResponse("The stand-in fails on purpose.", self.status)
        if self.statuscode is not None:
            return Response(f'{{"statuscode": "{self.statuscode}"}}', media_type="application/json")
        if self.nonsense:
            return Response(NONSENSE, media_type="application/json")
        return None


class _Closed(Exception):
    """The connection ends here."""


class Faulty:
    """Wraps an application, and applies its fault modes."""

    def __init__(self, app: ASGIApp, fault_modes: FaultModes) -> None:
        self._app = app
        self._fault_modes = fault_modes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._fault_modes.requests.append(_target(scope))
        if not scope["path"].startswith(self._fault_modes.only):
            await self._app(scope, receive, send)
            return
        await asyncio.sleep(self._fault_modes.delay_seconds)
        response = self._fault_modes.response()
        if self._fault_modes.cut_after is not None:
            send = _cut(send, self._fault_modes.cut_after)
        with suppress(_Closed):
            await (response or self._app)(scope, receive, send)


def _target(scope: Scope) -> str:
    url = URL(scope=scope)
    return f"{url.path}?{url.query}" if url.query else url.path


def _cut(send: Send, allowed: int) -> Send:
    """Pass on `allowed` bytes of a body, then close the connection."""
    sent = 0

    async def cut(message: Message) -> None:
        nonlocal sent
        if message["type"] == "http.response.body":
            body = message.get("body", b"")[: allowed - sent]
            sent += len(body)
            # An application that returns while it owes more makes uvicorn end the connection.
            await send({**message, "body": body, "more_body": True})
            if sent >= allowed:
                raise _Closed
            return
        await send(message)

    return cut
