"""Reads credentials from a request's headers, as bytes; no input is an error."""

import re
from urllib.parse import unquote_to_bytes

from fastapi.requests import HTTPConnection

_MAX_CREDENTIAL_LENGTH = 8_192
_BEARER = b"bearer "
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def header(connection: HTTPConnection, name: bytes) -> bytes | None:
    """Return the first header with this lower-case name; None when it is too long."""
    for key, value in connection.scope["headers"]:
        if key == name:
            return value if len(value) <= _MAX_CREDENTIAL_LENGTH else None
    return None


def bearer_token(connection: HTTPConnection) -> bytes | None:
    """Return the bearer token (RFC 6750), or None; the scheme is case-insensitive."""
    value = header(connection, b"authorization")
    if value is None or value[:7].lower() != _BEARER:
        return None
    return value[7:].strip() or None


def cookie(connection: HTTPConnection, *names: str) -> bytes | None:
    """Return the decoded value of the first of these cookies that the request has, or None.

    Of two cookies of one name the first counts, as it does for better-auth: browsers send the older
    one first (RFC 6265, section 5.4), and the later one may be a neighbouring subdomain's. Values
    lose their quotes and are percent-decoded once; what can't be decoded stays as it is.
    """
    cookies = _cookies(connection)
    for name in names:
        value = cookies.get(name.encode("latin-1", "replace"))
        if value is not None:
            return value if len(value) <= _MAX_CREDENTIAL_LENGTH else None
    return None


def percent_decoded(value: bytes) -> bytes:
    """Return the value as JavaScript's `decodeURIComponent` does; unchanged where it throws."""
    if _BAD_ESCAPE.search(value):
        return value
    decoded = unquote_to_bytes(value)
    try:
        decoded.decode()
    except UnicodeDecodeError:
        return value
    return decoded


def _cookies(connection: HTTPConnection) -> dict[bytes, bytes]:
    cookies: dict[bytes, bytes] = {}
    for header_name, line in connection.scope["headers"]:
        if header_name != b"cookie":
            continue
        for pair in line.split(b";"):
            name, equals, value = pair.partition(b"=")
            if equals:
                cookies.setdefault(name.strip(), value.strip())
    return {name: percent_decoded(_unquoted(value)) for name, value in cookies.items()}


def _unquoted(value: bytes) -> bytes:
    return value[1:-1] if value.startswith(b'"') else value
