"""Does for a common request in one layer what the layers around the routes do one by one.

Each layer costs a request several calls, and each reads the headers anew. Every rule is a layer's
own; here are only their order and what a common request can't need. All else goes through the
layers: uploads with limits of their own, HEAD, chunked bodies, HTTP/2, requests of other origins,
and every request when OpenTelemetry is on.

What it uses of FastAPI 0.165 and Starlette 1.10 that isn't public: the middleware that an
application puts around its router and its order, `ExceptionMiddleware._exception_handlers` and
`_status_handlers`, and the keys that it leaves in the scope.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from copy import copy
from typing import Any

from fastapi._body_limit import AppBodyLimitMiddleware
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.telemetry._asgi import ExceptionTelemetryMiddleware
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedplate import ids
from bedplate.asgi.access_log import AccessLog, HTTPExchange
from bedplate.asgi.body_limit import ABOUT_BODY, BodyLimit
from bedplate.asgi.cors import CORS, add_vary
from bedplate.asgi.head import HeadAsGet
from bedplate.asgi.json_bounds import JSONBounds, is_json
from bedplate.asgi.request_id import HEADER, TRACEPARENT, request_id
from bedplate.asgi.request_limits import RequestLimits
from bedplate.asgi.timeout import RequestTimeout
from bedplate.problems import ContentTooLarge, problem_response
from bedplate.problems.handlers import TooLargeAsProblem, is_plain_too_large

KNOWN = (
    AccessLog,
    CORS,
    TooLargeAsProblem,
    ServerErrorMiddleware,
    ExceptionTelemetryMiddleware,
    AppBodyLimitMiddleware,
    HeadAsGet,
    RequestLimits,
    RequestTimeout,
    BodyLimit,
    JSONBounds,
    ExceptionMiddleware,
    AsyncExitStackMiddleware,
)
"""The layers that are done in one, the outermost first. `CORS` may be missing."""

_HTTP_1 = frozenset({"1.1", "1.0"})
_ID = frozenset({HEADER, TRACEPARENT})
_READ = _ID | ABOUT_BODY | {b"origin", b"content-type"}


def in_one_layer(stack: ASGIApp) -> ASGIApp:
    """Return what serves common requests in one layer and leaves the others to `stack`.

    That is `stack` itself when it isn't made of the layers that are `KNOWN`, in their order: a
    middleware of a user's own stays where it is, for every request.
    """
    layers: dict[type, Any] = {}
    app: Any = stack
    for kind in KNOWN:
        if type(app) is kind:
            layers[kind] = app
            app = app.app
        elif kind is not CORS:
            return stack
    return SingleLayer(stack, layers, app)


class SingleLayer:
    """Serves common requests as `stack` does; `layers` are those of it, around `routes`."""

    def __init__(self, stack: ASGIApp, layers: dict[type, Any], routes: ASGIApp) -> None:
        self.app = stack
        self.routes = routes
        self.varies = CORS in layers
        self.access_log: AccessLog = layers[AccessLog]
        self.server_errors: ServerErrorMiddleware = layers[ServerErrorMiddleware]
        self.timeout: RequestTimeout = layers[RequestTimeout]
        self.json_bounds: JSONBounds = layers[JSONBounds]
        self.exceptions: ExceptionMiddleware = layers[ExceptionMiddleware]
        self.handlers = self.exceptions._exception_handlers, self.exceptions._status_handlers  # noqa: SLF001
        self.exit_stack_key: str = layers[AsyncExitStackMiddleware].context_name
        self._limits: RequestLimits = layers[RequestLimits]
        self._has_uploads = self._limits.has_uploads
        self._body_limit: BodyLimit = layers[BodyLimit]
        self._uncommon = {b"transfer-encoding"} | ({b"origin"} if self.varies else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if (
            scope["type"] != "http"
            or scope["method"] == "HEAD"
            or scope["http_version"] not in _HTTP_1
            or "fastapi.telemetry" in scope
            or MAX_BODY_SIZE_SCOPE_KEY in scope  # of an application that this one is mounted in
            or (self._has_uploads and self._limits.upload_of(scope) is not None)
        ):
            await self.app(scope, receive, send)
            return
        named = has_json = False
        for name, value in scope["headers"]:
            if name not in _READ:
                continue
            if name == b"content-type":
                has_json = has_json or is_json(value)
            elif name in _ID:
                named = True
            elif name in self._uncommon or (
                name in ABOUT_BODY and self._body_limit.refusal(name, value) is not None
            ):
                await self.app(scope, receive, send)
                return
        identifier = request_id(scope["headers"]) if named else ids.request_id()
        scope.setdefault("state", {})["request_id"] = identifier
        exchange = CommonExchange(self, scope, receive, send, has_json=has_json)
        await exchange.serve(exchange.run, exchange.receive, exchange.send)


class CommonExchange(HTTPExchange):
    """One common request."""

    _begun = False
    _replaced = False

    def __init__(
        self, layer: SingleLayer, scope: Scope, receive: Receive, send: Send, *, has_json: bool
    ) -> None:
        super().__init__(layer.access_log, scope, receive, send)
        self._layer = layer
        self._has_json = has_json
        self._deadline = layer.timeout.start()

    async def run(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Do what the layers inside the access log do."""
        layer, deadline, body = self._layer, self._deadline, receive
        try:
            try:
                if self._has_json:
                    refusal, body = await layer.json_bounds.read(receive)
                    if refusal is not None:
                        await problem_response(scope, refusal)(scope, receive, self.send_inside)
                        return
                await self._call_routes(body)
            except asyncio.CancelledError:
                if not deadline.stop():
                    raise
                await layer.timeout.too_late(scope)(scope, receive, self.send_inside)
            finally:
                deadline.stop()
        except Exception as error:  # noqa: BLE001 - raised again
            await self._fail_inside(layer.server_errors, error, receive)

    async def _call_routes(self, receive: Receive) -> None:
        layer, scope = self._layer, self._scope
        scope["starlette.exception_handlers"] = layer.handlers
        stack = scope[layer.exit_stack_key] = AsyncExitStack()
        try:
            try:
                await layer.routes(scope, receive, self.send_inside)
            except BaseException:
                if not await stack.__aexit__(*sys.exc_info()):
                    raise
            else:
                if stack._exit_callbacks:  # type: ignore[attr-defined]  # noqa: SLF001
                    await stack.aclose()
        except Exception as error:  # noqa: BLE001 - raised again where no handler is
            await self._fail_inside(layer.exceptions, error, receive)

    async def send_inside(self, message: Message) -> None:
        """Pass on what the routes, or the layers inside the access log, send."""
        if not self._begun:
            self._deadline.begin_response()
        if message["type"] == "http.response.start":
            self._begun = True
            self._replaced = is_plain_too_large(message)
            if self._replaced:
                response = problem_response(self._scope, ContentTooLarge())
                await response(self._scope, self.receive, self._send_varying)
                return
            if self._layer.varies:
                add_vary(message)
        elif self._replaced:
            return
        await self.send(message)

    async def _send_varying(self, message: Message) -> None:
        if self._layer.varies and message["type"] == "http.response.start":
            add_vary(message)
        await self.send(message)

    async def _fail_inside(
        self,
        layer: ServerErrorMiddleware | ExceptionMiddleware,
        error: Exception,
        receive: Receive,
    ) -> None:
        """Have one of Starlette's layers handle an error, as if it were around what raised it."""
        begun = self._begun

        async def fail(_scope: Scope, _receive: Receive, send: Send) -> None:
            if begun:  # the layer has to know
                await send({"type": "http.response.start"})
            raise error

        around = copy(layer)
        around.app = fail
        await around(self._scope, receive, _discard if begun else self.send_inside)


async def _discard(_: Message) -> None:
    """Take what was already sent."""
