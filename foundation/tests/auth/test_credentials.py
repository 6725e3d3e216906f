"""What is read from the headers, whatever bytes they hold."""

import pytest
from fastapi.requests import HTTPConnection
from hypothesis import given
from hypothesis import strategies as st

from bedplate.auth.credentials import bearer_token, cookie, header, percent_decoded


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


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ([b"s=1; s=2"], b"1"),
        ([b"s=1", b"s=2"], b"1"),
        ([b"s=; s=2"], b""),
        ([b"broken; s=1; s=2"], b"1"),
        ([b"; =; s = 1 ;s=2"], b"1"),
        ([b"ss=0; s=1"], b"1"),
        ([b"S=0; s=1"], b"1"),
        ([b's="1"; s=2'], b"1"),
        ([b"s=a%2Eb; s=2"], b"a.b"),
        ([b"s=a%252Eb"], b"a%2Eb"),
        ([b"s=a=b"], b"a=b"),
        ([b"s=" + b"x" * 9000 + b"; s=2"], None),
        ([b"s"], None),
        ([], None),
    ],
)
def test_of_two_cookies_of_one_name_the_first_counts(
    lines: list[bytes], value: bytes | None
) -> None:
    """As for better-auth, whose session it is: the later one may be a neighbouring subdomain's."""
    headers = [(b"cookie", line) for line in lines]
    assert cookie(HTTPConnection({"type": "http", "headers": headers}), "s") == value


@pytest.mark.parametrize(
    ("value", "decoded"),
    [
        (b"a%2Eb%3D", b"a.b="),
        (b"%C3%A9", b"\xc3\xa9"),
        (b"%25", b"%"),
        (b"a%2", b"a%2"),
        (b"%zz%2E", b"%zz%2E"),
        (b"%FF%2E", b"%FF%2E"),
        (b"plain", b"plain"),
    ],
)
def test_a_value_is_decoded_as_javascript_does(value: bytes, decoded: bytes) -> None:
    """`decodeURIComponent` throws for the fourth to sixth, and better-auth keeps them as sent."""
    assert percent_decoded(value) == decoded
