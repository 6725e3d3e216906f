import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect
from structlog.contextvars import bind_contextvars, reset_contextvars

from bedplate.asgi.exchanges import AccessLogWriter, HTTPExchange, WebSocketExchange
from bedplate.asgi.request_id import request_id
from bedplate.problems import InternalServerError, problem_response
from bedplate.problems.exceptions import UNHANDLED

if TYPE_CHECKING:
    from bedplate.observability.metrics import RequestMetrics

SECURITY_HEADERS: Mapping[str, str] = {"X-Content-Type-Options": "nosniff"}
_ERRORS = logging.getLogger("bedplate.exceptions")


class AccessLog:
    """Gives every request an id, and writes one line about it when it is answered.

    Belongs outside all other layers, also of Starlette's `ServerErrorMiddleware`: see
    `wrap_outermost`. The request's id is in `scope["state"]["request_id"]`, in every log line and
    in the response. Inner layers leave further response headers in
    `scope["state"]["response_headers"]`, the principal's id in `principal_id` and a problem's code
    in `problem`. `headers` go out with every response. Z-pages are logged at debug level.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        backend: str,
        metrics: "RequestMetrics | None" = None,
        headers: Mapping[str, str] = SECURITY_HEADERS,
    ) -> None:
        self.app = app
        self._log = AccessLogWriter(backend, metrics, headers)
        # Setting the variable of `bind_contextvars` costs a request half of what calling that does.
        tokens = bind_contextvars(request_id="")
        reset_contextvars(**tokens)
        self._request_id = tokens["request_id"].var

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve and log a request or a WebSocket; pass other scopes through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        identifier = request_id(scope["headers"])
        scope.setdefault("state", {})["request_id"] = identifier
        token = self._request_id.set(identifier)
        kind: type[HTTPExchange | WebSocketExchange]
        kind = HTTPExchange if scope["type"] == "http" else WebSocketExchange
        try:
            await self._serve(scope, kind(self._log, scope, receive, send))
        finally:
            self._request_id.reset(token)

    async def _serve(self, scope: Scope, exchange: HTTPExchange | WebSocketExchange) -> None:
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except asyncio.CancelledError:
            exchange.client_gone = True
            raise
        except (ClientDisconnect, WebSocketDisconnect):
            exchange.client_gone = True
        except Exception as error:
            _ERRORS.error("unhandled_error", exc_info=error)
            if not await exchange.fail(problem_response(scope, InternalServerError(UNHANDLED))):
                raise  # the server cuts the connection: the client sees an incomplete response
        finally:
            exchange.finish()
