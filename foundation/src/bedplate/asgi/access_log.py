"""The outermost layer: request id, access log, metrics, and what is left of unhandled errors."""

import asyncio
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from http import HTTPStatus

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect
from structlog.contextvars import bind_contextvars, reset_contextvars

from bedplate.asgi.exchange import Exchange, Journal, RequestObserver
from bedplate.asgi.request_id import request_id
from bedplate.asgi.websocket_exchange import WebSocketExchange
from bedplate.problems import InternalServerError, problem_response

SECURITY_HEADERS: Mapping[str, str] = {"X-Content-Type-Options": "nosniff"}

_ERRORS = logging.getLogger("bedplate.exceptions")
_UNHANDLED = "Something went wrong here; quote the request id when you report it."


class AccessLog:
    """Names every request, and writes one line about it when it was answered.

    Belongs outside of everything, also of Starlette's `ServerErrorMiddleware`: see
    `wrap_outermost`. The id of a request is in `scope["state"]["request_id"]`, in every log line
    and in the response. Inner parts leave further response headers in
    `scope["state"]["response_headers"]`, the principal in `principal_id`, the code of a problem in
    `problem`. `headers` go out with every response. Requests for z-pages are logged at debug.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        backend: str,
        metrics: RequestObserver | None = None,
        headers: Mapping[str, str] = SECURITY_HEADERS,
    ) -> None:
        self.app = app
        self._journal = Journal(backend, metrics, headers)
        self._request_id = _log_variable("request_id")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve and log a request or a WebSocket; pass other scopes through."""
        if (kind := scope["type"]) not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        identifier = request_id(scope["headers"])
        scope.setdefault("state", {})["request_id"] = identifier
        token = self._request_id.set(identifier)
        try:
            if kind == "http":
                await self._serve(scope, Exchange(self._journal, scope, receive, send))
            else:
                exchange = WebSocketExchange(self._journal, scope, receive, send)
                await self._serve_websocket(scope, exchange)
        finally:
            self._request_id.reset(token)

    async def _serve(self, scope: Scope, exchange: Exchange) -> None:
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except asyncio.CancelledError:
            exchange.client_gone = True
            raise
        except ClientDisconnect:
            exchange.client_gone = True
        except Exception as error:
            _report(error)
            if not exchange.started:
                exchange.status = HTTPStatus.INTERNAL_SERVER_ERROR
                response = problem_response(scope, InternalServerError(_UNHANDLED))
                await response(scope, exchange.receive, exchange.send)
            elif not exchange.complete:
                raise  # so that the server cuts the connection: the client must see it's not whole
        finally:
            exchange.finish()

    async def _serve_websocket(self, scope: Scope, exchange: WebSocketExchange) -> None:
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except WebSocketDisconnect:
            pass
        except Exception as error:  # noqa: BLE001 - the server would only log it once more
            _report(error)
            await exchange.fail(problem_response(scope, InternalServerError(_UNHANDLED)))
        finally:
            exchange.finish()


def _report(error: Exception) -> None:
    _ERRORS.error("unhandled_error", exc_info=error)


def _log_variable(name: str) -> ContextVar[str]:
    """Return the variable behind structlog's context: setting it is what `bind_contextvars` does.

    That function would cost each request twice as much as the variable itself.
    """
    tokens = bind_contextvars(**{name: ""})
    reset_contextvars(**tokens)
    return tokens[name].var
