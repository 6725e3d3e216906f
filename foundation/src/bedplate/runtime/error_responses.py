"""Problem documents for malformed or too large requests, which no application sees."""

from collections.abc import Iterable
from http import HTTPStatus

from bedplate import ids
from bedplate.asgi.access_log import begin_line, write_line
from bedplate.problems import BadRequest, ProblemError, problem_response


class NotHTTP(BadRequest):
    """The bytes aren't HTTP/1.1 (RFC 9112)."""

    code = "malformed_request"
    detail = "This isn't a well-formed HTTP/1.1 request."


class NoHandshake(BadRequest):
    """A WebSocket's handshake is malformed (RFC 6455, section 4.2.1)."""

    code = "malformed_handshake"
    detail = "This isn't a well-formed WebSocket handshake."


class HeadTimeout(ProblemError):
    """The head of a request took too long to arrive."""

    status = 408
    code = "request_head_timeout"
    title = "Request Timeout"


class BodyTimeout(ProblemError):
    """The body of a request stalled while the server drained."""

    status = 408
    code = "request_body_timeout"
    title = "Request Timeout"


class HeadTooLarge(ProblemError):
    """The head of a request, or the framing of its body, exceeds the limit (RFC 6585)."""

    status = 431
    code = "request_head_too_large"
    title = "Request Header Fields Too Large"


def refusal(
    error: ProblemError, headers: Iterable[tuple[bytes, bytes]], client: tuple[str, int] | None
) -> bytes:
    """Return the bytes of the response that ends a connection with an error, and log it."""
    request_id = ids.request_id()
    scope = {"type": "http", "path": "", "client": client, "state": {"request_id": request_id}}
    response = problem_response(scope, error)
    head = [b"HTTP/1.1 %d %s" % (error.status, HTTPStatus(error.status).phrase.encode())]
    last = [(b"x-request-id", request_id.encode()), (b"connection", b"close")]
    head += [name + b": " + value for name, value in (*headers, *response.raw_headers, *last)]
    line = begin_line("request", scope)
    line |= {"method": None, "route": None, "status": error.status, "bytes": len(response.body)}
    write_line(scope, line)
    return b"\r\n".join([*head, b"", bytes(response.body)])
