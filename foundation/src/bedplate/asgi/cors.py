from collections.abc import Sequence
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bedplate.problems import BadRequest, problem_response


class CORSRefused(BadRequest):
    """A preflight asks for an origin, a method or a header that isn't allowed."""

    code = "cors_refused"
    title = "CORS Refused"
    detail = "This origin, method or header isn't allowed here."


class CORS(CORSMiddleware):
    """Allows origins to call from a browser; refused preflights are problem documents.

    Belongs outside all layers that answer, or a browser can't read their responses: a page would
    see a network error instead of a 413, 504 or 500.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        origins: Sequence[str],
        methods: Sequence[str],
        headers: Sequence[str],
        exposed: Sequence[str],
        credentials: bool,
    ) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=methods,
            allow_headers=headers,
            expose_headers=exposed,
            allow_credentials=credentials,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or add the CORS headers to a response."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            headers = Headers(scope=scope)
            if "origin" in headers and "access-control-request-method" in headers:
                await self._preflight(scope, headers)(scope, receive, send)
                return
        await super().__call__(scope, receive, send)

    def _preflight(self, scope: Scope, headers: Headers) -> Response:
        allowed = self.preflight_response(headers)
        if allowed.status_code < HTTPStatus.BAD_REQUEST:
            return allowed
        response = problem_response(scope, CORSRefused())
        response.headers["Vary"] = allowed.headers["Vary"]
        return response
