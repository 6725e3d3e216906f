"""Reads credentials from a request's headers, as bytes; no input is an error."""

from urllib.parse import unquote

from fastapi.requests import HTTPConnection

_MAX_CREDENTIAL_LENGTH = 8_192
_BEARER = b"bearer "


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
    """Return the decoded value of the first of these cookies that the request has."""
    cookies = connection.cookies
    for name in names:
        if name in cookies:
            value = unquote(cookies[name]).encode("utf-8", "surrogateescape")
            return value[:_MAX_CREDENTIAL_LENGTH]
    return None
