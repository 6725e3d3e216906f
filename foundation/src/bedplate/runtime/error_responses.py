"""Answers to what no application sees, since it is no HTTP request, or too much of one.

They are problem documents with the request id in header, body and log, as every other error.
"""

import logging
from collections.abc import Iterable
from http import HTTPStatus

from bedplate import clock, ids
from bedplate.asgi.exchanges import LOGGER_NAME
from bedplate.observability.logs import write_event
from bedplate.problems import BadRequest, ProblemError, problem_response

_LOGGER = logging.getLogger(LOGGER_NAME)


class NotHTTP(BadRequest):
    """What came can't be read as HTTP/1.1 (RFC 9112)."""

    code = "malformed_request"

    def __init__(self) -> None:
        super().__init__("This isn't a well-formed HTTP/1.1 request.")


class NoHandshake(BadRequest):
    """A WebSocket's handshake isn't one (RFC 6455, section 4.2.1)."""

    code = "malformed_handshake"

    def __init__(self) -> None:
        super().__init__(
            "This isn't a well-formed WebSocket handshake.", headers={"Sec-WebSocket-Version": "13"}
        )


class HeadTooLate(ProblemError):
    """The head of a request took too long to come."""

    status = 408
    code = "request_head_too_late"
    title = "Request Timeout"


class HeadTooLarge(ProblemError):
    """The head of a request, or what frames its body, is larger than the limit (RFC 6585)."""

    status = 431
    code = "request_head_too_large"
    title = "Request Header Fields Too Large"


def refusal(
    error: ProblemError, headers: Iterable[tuple[bytes, bytes]], client: tuple[str, int] | None
) -> bytes:
    """Return the whole response to an error, the last one of its connection, and log it."""
    request_id = ids.request_id()
    scope = {"type": "http", "path": "", "state": {"request_id": request_id}}
    response = problem_response(scope, error)
    lines = [b"HTTP/1.1 %d %s" % (error.status, HTTPStatus(error.status).phrase.encode())]
    last = [(b"x-request-id", request_id.encode()), (b"connection", b"close")]
    lines += [name + b": " + value for name, value in (*headers, *response.raw_headers, *last)]
    _log(error, request_id, client, len(response.body))
    return b"\r\n".join([*lines, b"", bytes(response.body)])


def _log(error: ProblemError, request_id: str, client: tuple[str, int] | None, size: int) -> None:
    """Write the line of the access log; there is no method and no route to tell."""
    if not _LOGGER.isEnabledFor(logging.INFO):
        return
    event = {
        "timestamp": clock.now(),
        "level": "info",
        "logger": LOGGER_NAME,
        "event": "request",
        "request_id": request_id,
        "method": None,
        "route": None,
        "status": error.status,
        "bytes": size,
        "problem": error.code,
    }
    if client is not None:
        event["client"] = client[0]
    write_event(_LOGGER, logging.INFO, event)
