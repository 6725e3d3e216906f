"""One request and its response, as the access log sees them."""

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from starlette.types import Message, Receive, Scope, Send

from bedplate import clock
from bedplate.asgi.request_id import HEADER
from bedplate.observability.logs import write_event
from bedplate.observability.route_template import route_template
from bedplate.observability.z_pages import is_z_page

CLIENT_CLOSED_REQUEST = 499

LOGGER_NAME = "bedplate.access"
_LOGGER = logging.getLogger(LOGGER_NAME)


class RequestObserver(Protocol):
    """What wants to know of every request: `RequestMetrics`."""

    def begin(self, scope: Scope) -> None:
        """Take note of a request that starts."""
        ...

    def end(
        self, scope: Scope, method: str, route: str | None, status: int, seconds: float
    ) -> None:
        """Take note of a request that ended."""
        ...


class Journal:
    """Where exchanges are written down, and what is the same for all of them."""

    def __init__(
        self,
        backend: str,
        metrics: RequestObserver | None,
        headers: Mapping[str, str],
    ) -> None:
        self.backend = backend
        self.metrics = metrics
        self.headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ]

    def response_headers(self, message: Message, state: dict[str, Any]) -> list[Any]:
        """Return the headers of a response, with the request id and what was left in the state."""
        headers = [
            *message.get("headers", ()),
            (HEADER, state["request_id"].encode("ascii")),
            *self.headers,
        ]
        if (left := state.get("response_headers")) is not None:
            headers += left
        return headers

    def write(self, scope: Scope, event: dict[str, Any]) -> None:
        """Write one line, with what inner parts left in the state; z-pages at debug."""
        level = logging.DEBUG if is_z_page(scope) else logging.INFO
        if not _LOGGER.isEnabledFor(level):
            return
        if level == logging.DEBUG:
            event["level"] = "debug"
        if (client := scope.get("client")) is not None:
            event["client"] = client[0]
        state = scope["state"]
        if (principal := state.get("principal_id")) is not None:
            event["principal"] = principal
        if (problem := state.get("problem")) is not None:
            event["problem"] = problem
        write_event(_LOGGER, level, event)


class Exchange:
    """One HTTP request: counts what goes out, and is written down when the response is complete."""

    status = 500  # what a server makes of an application that says nothing
    started = False
    complete = False
    client_gone = False
    _size = 0
    _finished = False

    def __init__(self, journal: Journal, scope: Scope, receive: Receive, send: Send) -> None:
        self._began = clock.monotonic()
        self._journal = journal
        self._scope = scope
        self._receive = receive
        self._send = send
        self._method: str = scope["method"]  # inner layers may rewrite it
        if journal.metrics is not None:
            journal.metrics.begin(scope)

    async def receive(self) -> Message:
        """Pass on what the client sends, and notice when it goes."""
        message = await self._receive()
        if message["type"] == "http.disconnect" and not self.complete:
            self.client_gone = True
        return message

    async def send(self, message: Message) -> None:
        """Pass on the response; after its end, write the request down.

        What runs after the response (background tasks) is no longer part of the request.
        """
        kind = message["type"]
        if kind == "http.response.start":
            self.started = True
            self.status = message["status"]
            message["headers"] = self._journal.response_headers(message, self._scope["state"])
            await self._send(message)
        elif kind == "http.response.body":
            self._size += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
            await self._send(message)
            if self.complete:
                self.finish()
        else:
            self.complete = kind == "http.response.pathsend"
            await self._send(message)

    def finish(self) -> None:
        """Write the request down, once."""
        if self._finished:
            return
        self._finished = True
        seconds = clock.monotonic() - self._began
        journal, scope, method = self._journal, self._scope, self._method
        status = CLIENT_CLOSED_REQUEST if self.client_gone else self.status
        route = route_template(scope)
        if journal.metrics is not None:
            journal.metrics.end(scope, method, route, status, seconds)
        event = {
            "timestamp": clock.now(),
            "level": "info",
            "logger": LOGGER_NAME,
            "event": "request",
            "request_id": scope["state"]["request_id"],
            "backend": journal.backend,
            "method": method,
            "route": route,
            "status": status,
            "duration_ms": round(seconds * 1000, 3),
            "bytes": self._size,
        }
        if not self.complete:
            event["complete"] = False
        journal.write(scope, event)
