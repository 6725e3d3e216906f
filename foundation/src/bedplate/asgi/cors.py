from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Message, Receive, Scope, Send

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
        if scope["type"] == "http" and b"origin" not in dict(scope["headers"]):
            await self.app(scope, receive, _sending_vary(send))
            return
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


def _sending_vary(send: Send) -> Send:
    """Return a `send` that adds `Vary: Origin`: with an Origin the response would be another."""

    async def send_with_vary(message: Message) -> None:
        if message["type"] == "http.response.start":
            add_vary(message)
        await send(message)

    return send_with_vary


def add_vary(message: Message) -> None:
    """Add `Origin` to the `Vary` of a response's start, whether or not it has one."""
    sent = message.get("headers", ())
    for name, _ in sent:
        if name == b"vary":
            headers = MutableHeaders(scope=message)
            headers["Vary"] = ", ".join([*headers.getlist("Vary"), "Origin"])
            return
    message["headers"] = [*sent, (b"vary", b"Origin")]
