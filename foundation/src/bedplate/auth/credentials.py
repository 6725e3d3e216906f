"""Reads credentials from a request's headers, as bytes; no input is an error."""

import re
from urllib.parse import unquote_to_bytes

from fastapi.requests import HTTPConnection

SECURE_PREFIX = "__Secure-"
_PREFIXES = (SECURE_PREFIX, "__Host-")
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
    for value in raw_cookies(connection, *names).values():
        decoded = percent_decoded(_unquoted(value))
        return decoded if len(decoded) <= _MAX_CREDENTIAL_LENGTH else None
    return None


def raw_cookies(connection: HTTPConnection, *names: str) -> dict[str, bytes]:
    """Return those of these cookies that the request has, as they came, the first of each name."""
    cookies: dict[bytes, bytes] = {}
    for header_name, line in connection.scope["headers"]:
        if header_name != b"cookie":
            continue
        for pair in line.split(b";"):
            name, equals, value = pair.partition(b"=")
            if equals:
                cookies.setdefault(name.strip(), value.strip())
    encoded = {name: name.encode("latin-1", "replace") for name in names}
    return {name: cookies[key] for name, key in encoded.items() if key in cookies}


def cookie_names(name: str, *, secure: bool | None) -> tuple[str, ...]:
    """Return the names that better-auth's cookie `name` may have, the first one first.

    `secure` says whether it has the prefix `__Secure-`; None means that it may. A name with such a
    prefix of its own is the whole name.
    """
    if name.startswith(_PREFIXES):
        # Browsers keep these two for https; better-auth puts its own before any name.
        return (f"{SECURE_PREFIX}{name}", name)
    return {
        True: (f"{SECURE_PREFIX}{name}",),
        False: (name,),
        None: (f"{SECURE_PREFIX}{name}", name),
    }[secure]


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


def _unquoted(value: bytes) -> bytes:
    return value[1:-1] if value.startswith(b'"') else value
