from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedplate.problems import (
    BadRequest,
    ContentTooLarge,
    ProblemError,
    StatusError,
    problem_response,
)

_MAX_DIGITS = 18


ABOUT_BODY = frozenset({b"content-length", b"transfer-encoding", b"content-encoding"})
# RFC 9112, section 6.1, and RFC 9110, section 15.5.16.
_UNKNOWN_FRAMING = StatusError(501, "The only Transfer-Encoding that is understood is chunked.")
_ENCODED = StatusError(
    415,
    "A body may have no Content-Encoding: send it as it is.",
    headers={"Accept-Encoding": "identity"},
)


class BodyLimit:
    """Answers 413 when a request's body is larger than `max_bytes`, and refuses encoded ones.

    A declared `Content-Length` is checked before anything is read. A body without one is counted
    while it is read; when it is too large, reading it raises, and the response is 413, even when
    the application handles that error.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        if max_bytes < 0:
            raise ValueError("max_bytes must not be negative")
        self.app = app
        self._max_bytes = max_bytes
        self._too_large = ContentTooLarge(f"The body may have at most {max_bytes} bytes.")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request whose body is small enough; pass other scopes through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # HTTP/1 declares a body (RFC 9112, section 6); HTTP/2 may just send one.
        counted = not scope["http_version"].startswith("1")
        error: ProblemError | None = None
        for name, value in scope["headers"]:
            if name in ABOUT_BODY:
                counted = counted or name == b"transfer-encoding"
                error = error or self.refusal(name, value)
        if error is not None:
            await problem_response(scope, error)(scope, receive, send)
        elif counted:
            body = _CountedBody(self._max_bytes, receive, send)
            try:
                await self.app(scope, body.receive, body.send)
            except _BodyTooLarge:
                if body.started:
                    raise
            if body.left < 0 and not body.started:
                await problem_response(scope, self._too_large)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def refusal(self, name: bytes, value: bytes) -> ProblemError | None:
        """Return why a request with this header is refused; it is one of `ABOUT_BODY`."""
        if name == b"transfer-encoding":
            return None if value.strip().lower() == b"chunked" else _UNKNOWN_FRAMING
        if name == b"content-encoding":
            return None if value.strip().lower() == b"identity" else _ENCODED
        if not value.isdigit():
            return BadRequest("Content-Length must be a whole number.")
        if len(value) > _MAX_DIGITS or int(value) > self._max_bytes:
            return self._too_large
        return None


class _BodyTooLarge(Exception):
    """Ends the reading of a body that is too large."""


class _CountedBody:
    """Counts a request's body while it is read, and withholds the response to a too large one."""

    def __init__(self, max_bytes: int, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.left = max_bytes  # negative when the body is too large
        self.started = False

    async def receive(self) -> Message:
        if self.left < 0:
            raise _BodyTooLarge
        message = await self._receive()
        self.left -= len(message.get("body", b""))
        if self.left < 0:
            raise _BodyTooLarge
        return message

    async def send(self, message: Message) -> None:
        if self.started or self.left >= 0:
            self.started = True
            await self._send(message)
