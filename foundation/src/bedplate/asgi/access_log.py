import asyncio
import logging
from abc import ABC, abstractmethod
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect
from structlog.contextvars import bind_contextvars, reset_contextvars

from bedplate import clock
from bedplate.asgi.request_id import HEADER, request_id
from bedplate.observability.logs import write_event
from bedplate.observability.metrics import RequestMetrics
from bedplate.observability.routes import is_z_page, route_template
from bedplate.problems import Forbidden, InternalServerError, NotFound, problem_response
from bedplate.problems.exceptions import UNHANDLED
from bedplate.tracing import trace_ids

_SECURITY_HEADERS = [(b"x-content-type-options", b"nosniff")]
CLIENT_CLOSED_REQUEST = 499  # nginx's status for a client that left before its response
_LOGGER = logging.getLogger("bedplate.access")
_ERRORS = logging.getLogger("bedplate.exceptions")

# Close codes of RFC 6455, section 7.4.
_ABNORMAL_CLOSURE = 1006  # nobody closed it
_INTERNAL_ERROR = 1011
_DENIAL = "websocket.http.response"


class AccessLog:
    """Gives every request an id, and writes one line about it when it is answered.

    Belongs outside all other layers, also of Starlette's `ServerErrorMiddleware`: see
    `wrap_outermost`. The request's id is in `scope["state"]["request_id"]`, in every log line and
    in the response. Inner layers leave further response headers in
    `scope["state"]["response_headers"]`, the principal's id in `principal_id` and a problem's code
    in `problem`. Z-pages are logged at debug level.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        backend: str,
        metrics: RequestMetrics | None = None,
    ) -> None:
        self.app = app
        self.backend = backend
        self.metrics = metrics
        # Setting the variable of `bind_contextvars` costs a request half of what calling that does.
        tokens = bind_contextvars(request_id="")
        reset_contextvars(**tokens)
        self.request_id = tokens["request_id"].var

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve and log a request or a WebSocket; pass other scopes through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})["request_id"] = request_id(scope["headers"])
        kind: type[HTTPExchange | WebSocketExchange]
        kind = HTTPExchange if scope["type"] == "http" else WebSocketExchange
        exchange = kind(self, scope, receive, send)
        await exchange.serve(self.app, exchange.receive, exchange.send)

    def with_headers(self, message: Message, state: dict[str, Any]) -> Message:
        """Return a copy of a response's start that also has our headers and the state's."""
        headers = [
            *message.get("headers", ()),
            (HEADER, state["request_id"].encode("ascii")),
            *_SECURITY_HEADERS,
            *state.get("response_headers", ()),
        ]
        return {**message, "headers": headers}


def begin_line(event: str, scope: Scope) -> dict[str, Any]:
    """Return the fields with which every line of the access log begins."""
    return {
        "timestamp": clock.now(),
        "level": "info",
        "logger": _LOGGER.name,
        "event": event,
        "request_id": scope["state"]["request_id"],
        **trace_ids(),
    }


def write_line(scope: Scope, line: dict[str, Any]) -> None:
    """Write one line, with what inner layers left in the state; z-pages at debug level."""
    level = logging.DEBUG if is_z_page(scope) else logging.INFO
    if not _LOGGER.isEnabledFor(level):
        return
    if level == logging.DEBUG:
        line["level"] = "debug"
    if (client := scope.get("client")) is not None:
        line["client"] = client[0]
    state = scope["state"]
    if (principal := state.get("principal_id")) is not None:
        line["principal"] = principal
    if (problem := state.get("problem")) is not None:
        line["problem"] = problem
    write_event(_LOGGER, level, line)


class _Exchange(ABC):
    disconnect: type[Exception]
    client_gone = False

    def __init__(self, log: AccessLog, scope: Scope, receive: Receive, send: Send) -> None:
        self._began = clock.monotonic()
        self._log = log
        self._scope = scope
        self._receive = receive
        self._send = send

    async def serve(self, app: ASGIApp, receive: Receive, send: Send) -> None:
        """Call an application under the request's id, and log what came of it."""
        variable, scope = self._log.request_id, self._scope
        token = variable.set(scope["state"]["request_id"])
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            self.client_gone = True
            raise
        except self.disconnect:
            self.client_gone = True
        except Exception as error:
            _ERRORS.error("unhandled_error", exc_info=error)
            if not await self.fail(problem_response(scope, InternalServerError(UNHANDLED))):
                raise  # the server cuts the connection: the client sees an incomplete response
        finally:
            self.finish()
            variable.reset(token)

    @abstractmethod
    async def fail(self, response: Response) -> bool:
        """Send `response` after an unhandled error; return whether the client has an end."""

    @abstractmethod
    def finish(self) -> None:
        """Log the exchange."""


class HTTPExchange(_Exchange):
    """One HTTP request: counts the bytes of the response, and logs it when it is complete."""

    disconnect = ClientDisconnect
    status = 500  # what a server answers when an application returns without a response
    started = False
    complete = False
    _size = 0
    _finished = False

    def __init__(self, log: AccessLog, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(log, scope, receive, send)
        self._method: str = scope["method"]  # inner layers may rewrite it
        if log.metrics is not None:
            log.metrics.begin(scope)

    async def receive(self) -> Message:
        """Pass on what the client sends, and notice when it disconnects."""
        message = await self._receive()
        if message["type"] == "http.disconnect" and not self.complete:
            self.client_gone = True
        return message

    async def send(self, message: Message) -> None:
        """Pass on the response; log the request when it is complete, before background tasks."""
        kind = message["type"]
        if kind == "http.response.start":
            self.started = True
            self.status = message["status"]
            await self._send(self._log.with_headers(message, self._scope["state"]))
        elif kind == "http.response.body":
            self._size += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
            await self._send(message)
            if self.complete:
                self.finish()
        else:
            self.complete = kind == "http.response.pathsend"
            await self._send(message)

    async def fail(self, response: Response) -> bool:
        """Send `response` after an unhandled error; return whether the client has a whole one."""
        if not self.started:
            await response(self._scope, self.receive, self.send)
        return self.complete

    def finish(self) -> None:
        """Log and measure the request, once."""
        if self._finished:
            return
        self._finished = True
        seconds = clock.monotonic() - self._began
        status = CLIENT_CLOSED_REQUEST if self.client_gone else self.status
        route = route_template(self._scope)
        if self._log.metrics is not None:
            self._log.metrics.end(self._scope, self._method, route, status, seconds)
        line = begin_line("request", self._scope)
        line["backend"] = self._log.backend
        line["method"] = self._method
        line["route"] = route
        line["status"] = status
        line["duration_ms"] = round(seconds * 1000, 3)
        line["bytes"] = self._size
        if not self.complete:
            line["complete"] = False
        write_line(self._scope, line)


class WebSocketExchange(_Exchange):
    """One WebSocket: its handshake gets the request id, and its close code is logged."""

    disconnect = WebSocketDisconnect
    _accepted = False
    _status: int | None = None
    _code: int | None = None

    async def receive(self) -> Message:
        """Pass on what the client sends, and notice when it disconnects."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect" and self._code is None:
            self._code = message.get("code", _ABNORMAL_CLOSURE)
        return message

    async def send(self, message: Message) -> None:
        """Pass on what goes to the client."""
        kind = message["type"]
        if kind == "websocket.close" and self._can_deny():
            # A server's own 403 has no body. Without a matching route it is the router that closes.
            matched = route_template(self._scope) is not None
            error = Forbidden("This WebSocket isn't open to you.") if matched else NotFound()
            await problem_response(self._scope, error)(self._scope, self.receive, self.send)
            return
        if kind in {"websocket.accept", f"{_DENIAL}.start"}:
            self._accepted = kind == "websocket.accept"
            self._status = None if self._accepted else message["status"]
            message = self._log.with_headers(message, self._scope["state"])
        elif kind == "websocket.close":
            self._code = message.get("code", 1000)
        await self._send(message)

    async def fail(self, response: Response) -> bool:
        """End the connection after an unhandled error: deny it with `response`, or close it."""
        if self._code is None and self._status is None:
            if self._can_deny():
                await response(self._scope, self.receive, self.send)
            else:
                await self.send({"type": "websocket.close", "code": _INTERNAL_ERROR, "reason": ""})
        return True

    def _can_deny(self) -> bool:
        """Return whether the handshake can still be answered with an HTTP response."""
        unanswered = not self._accepted and self._status is None
        return unanswered and _DENIAL in self._scope.get("extensions", {})

    def finish(self) -> None:
        """Log the connection."""
        line = begin_line("websocket", self._scope)
        line["backend"] = self._log.backend
        line["route"] = route_template(self._scope)
        line["duration_ms"] = round((clock.monotonic() - self._began) * 1000, 3)
        if self._status is not None:
            line["status"] = self._status
        else:
            line["code"] = _ABNORMAL_CLOSURE if self._code is None else self._code
        write_line(self._scope, line)
