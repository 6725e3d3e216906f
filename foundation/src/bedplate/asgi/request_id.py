import re
from collections.abc import Iterable

from bedplate import ids

HEADER = b"x-request-id"
TRACEPARENT = b"traceparent"

_WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_TRACE = rb"(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
_VALID_TRACEPARENT = re.compile(
    rb"(?:00-" + _TRACE + rb"|(?!00|ff)[0-9a-f]{2}-" + _TRACE + rb"(?:-.*)?)"
)


def request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the id for a request with these ASGI headers.

    A well-formed `X-Request-ID` (1 to 128 letters, digits, `.`, `_`, `-`), else the trace id of a
    valid `traceparent` (W3C Trace Context, section 3.2), else a new id.
    """
    traceparent = None
    for name, value in headers:
        if name == HEADER:
            if _WELL_FORMED.fullmatch(value):
                return value.decode("ascii")
        elif name == TRACEPARENT:
            traceparent = value
    match = None if traceparent is None else _VALID_TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return ids.request_id()
    trace_id: bytes = match[1] or match[2]
    return trace_id.decode("ascii")
