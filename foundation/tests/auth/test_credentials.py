"""What is read from the headers, whatever bytes they hold."""

import pytest
from fastapi.requests import HTTPConnection
from hypothesis import given
from hypothesis import strategies as st

from bedplate.auth.credentials import bearer_token, cookie, header


def _with(name: bytes, value: bytes) -> HTTPConnection:
    return HTTPConnection({"type": "http", "headers": [(name, value)]})


@pytest.mark.parametrize(
    ("value", "token"),
    [
        (b"Bearer abc", b"abc"),
        (b"bearer abc", b"abc"),
        (b"BEARER  abc ", b"abc"),
        (b"Bearer \xff\xfe", b"\xff\xfe"),
        (b"Bearer", None),
        (b"Bearer ", None),
        (b"Bearerabc", None),
        (b"Basic abc", None),
        (b"", None),
        (b"Bearer " + b"a" * 9000, None),
    ],
)
def test_a_bearer_token_is_read(value: bytes, token: bytes | None) -> None:
    """RFC 6750; the scheme's case doesn't matter (RFC 9110, section 11.1)."""
    assert bearer_token(_with(b"authorization", value)) == token


@given(value=st.binary(max_size=60))
def test_no_bytes_of_a_header_are_an_error(value: bytes) -> None:
    """As authorization, as a cookie, as a key."""
    bearer_token(_with(b"authorization", b"Bearer " + value))
    cookie(_with(b"cookie", value), "a", "b")
    cookie(_with(b"cookie", b"a=" + value), "a")
    assert header(_with(b"x", value), b"x") == value


def test_the_first_cookie_that_is_there_counts() -> None:
    """By the order of the names that are asked for, not by that of the header."""
    connection = _with(b"cookie", b"plain=1; __Secure-plain=2%2B")
    assert cookie(connection, "__Secure-plain", "plain") == b"2+"
    assert cookie(connection, "none", "plain") == b"1"
    assert cookie(connection, "none") is None
