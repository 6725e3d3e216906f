"""How a stand-in behaves: well, until it is told otherwise."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.datastructures import URL
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NONSENSE = b"<html><title>Bad gateway</title>{"


@dataclass
class FaultModes:
    """What to do instead of answering well. May be changed while serving.

    delay_seconds  wait so long before each answer
    status         answer this HTTP status
    statuscode     answer HTTP 200 with this `statuscode` in the body
    nonsense       answer what is no JSON, as HTTP 200
    cut_after      end the connection after so many bytes of a body
    only           apply to paths that begin so
    requests       paths with queries that were asked for, in order
    """

    delay_seconds: float = 0.0
    status: int | None = None
    statuscode: str | None = None
    nonsense: bool = False
    cut_after: int | None = None
    only: str = "/"
    requests: list[str] = field(default_factory=list)

    def answer(self) -> Response | None:
        """Return what is answered instead, if anything is."""
        if self.status is not None:
            return PlainTextResponse("The stand-in was told to fail.", self.status)
        if self.statuscode is not None:
            return Response(f'{{"statuscode": "{self.statuscode}"}}', media_type="application/json")
        if self.nonsense:
            return Response(NONSENSE, media_type="application/json")
        return None


class _Cut(Exception):
    """The connection ends here."""


class Faulty:
    """Applies manners to an application."""

    def __init__(self, app: ASGIApp, manners: FaultModes) -> None:
        self._app = app
        self._fault_modes = manners

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
        answer = self._fault_modes.answer()
        if self._fault_modes.cut_after is not None:
            send = _cut(send, self._fault_modes.cut_after)
        with suppress(_Cut):
            await (answer or self._app)(scope, receive, send)


def _target(scope: Scope) -> str:
    url = URL(scope=scope)
    return f"{url.path}?{url.query}" if url.query else url.path


def _cut(send: Send, allowed: int) -> Send:
    """Let `allowed` bytes of a body through, then end the connection."""
    sent = 0

    async def cut(message: Message) -> None:
        nonlocal sent
        if message["type"] == "http.response.body":
            body = message.get("body", b"")[: allowed - sent]
            sent += len(body)
            # An application that returns while it owes more makes uvicorn end the connection.
            await send({**message, "body": body, "more_body": True})
            if sent >= allowed:
                raise _Cut
            return
        await send(message)

    return cut
