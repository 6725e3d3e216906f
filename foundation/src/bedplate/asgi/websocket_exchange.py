"""One WebSocket connection, as the access log sees it."""

from typing import Any

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from bedplate import clock
from bedplate.asgi.exchange import LOGGER_NAME, Journal
from bedplate.observability.route_template import route_template
from bedplate.problems import Forbidden, NotFound, problem_response

ABNORMAL_CLOSURE = 1006
INTERNAL_ERROR = 1011
_DENIAL = "websocket.http.response"


class WebSocketExchange:
    """One connection: adds the request id to its handshake, and notes how it closes.

    The close codes are those of RFC 6455, section 7.4; 1006 says that nobody closed it.
    """

    def __init__(self, journal: Journal, scope: Scope, receive: Receive, send: Send) -> None:
        self._began = clock.monotonic()
        self._journal = journal
        self._scope = scope
        self._receive = receive
        self._send = send
        self._accepted = False
        self._status: int | None = None
        self._code: int | None = None

    async def receive(self) -> Message:
        """Pass on what the client sends, and notice when it goes."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect" and self._code is None:
            self._code = message.get("code", ABNORMAL_CLOSURE)
        return message

    async def send(self, message: Message) -> None:
        """Pass on what goes to the client."""
        kind = message["type"]
        if kind == "websocket.close" and self._can_deny():
            await self._refuse()
            return
        if kind in {"websocket.accept", f"{_DENIAL}.start"}:
            self._accepted = kind == "websocket.accept"
            self._status = None if self._accepted else message["status"]
            message["headers"] = self._journal.response_headers(message, self._scope["state"])
        elif kind == "websocket.close":
            self._code = message.get("code", 1000)
        await self._send(message)

    async def fail(self, response: Response) -> None:
        """End a connection after an unhandled error: refuse it with `response`, or close it."""
        if self._code is not None or self._status is not None:
            return
        if self._can_deny():
            await response(self._scope, self.receive, self.send)
        else:
            await self.send({"type": "websocket.close", "code": INTERNAL_ERROR, "reason": ""})

    def _can_deny(self) -> bool:
        """Whether the handshake is still to be answered, and by a response if need be."""
        unanswered = not self._accepted and self._status is None
        return unanswered and _DENIAL in self._scope.get("extensions", {})

    async def _refuse(self) -> None:
        """Answer a handshake that the application closes: by itself that is a 403 without a body.

        Where no route was met, it is the router that closes.
        """
        found = route_template(self._scope) is not None
        error = Forbidden("This WebSocket isn't open to you.") if found else NotFound()
        await problem_response(self._scope, error)(self._scope, self.receive, self.send)

    def finish(self) -> None:
        """Write the connection down."""
        event: dict[str, Any] = {
            "timestamp": clock.now(),
            "level": "info",
            "logger": LOGGER_NAME,
            "event": "websocket",
            "request_id": self._scope["state"]["request_id"],
            "backend": self._journal.backend,
            "route": route_template(self._scope),
            "duration_ms": round((clock.monotonic() - self._began) * 1000, 3),
        }
        if self._status is not None:
            event["status"] = self._status
        else:
            event["code"] = ABNORMAL_CLOSURE if self._code is None else self._code
        self._journal.write(self._scope, event)
