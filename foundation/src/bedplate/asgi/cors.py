from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or add the CORS headers to a response."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            headers = Headers(scope=scope)
            if "origin" in headers and "access-control-request-method" in headers:
                response = self.preflight_response(headers)
                if response.status_code >= HTTPStatus.BAD_REQUEST:
                    vary = response.headers["Vary"]
                    response = problem_response(scope, CORSRefused())
                    response.headers["Vary"] = vary
                await response(scope, receive, send)
                return
        await super().__call__(scope, receive, send)
