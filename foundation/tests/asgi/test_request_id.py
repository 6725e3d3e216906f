"""Where a request's id comes from."""

import pytest

from bedplate.asgi.request_id import request_id

TRACE = b"4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = b"00f067aa0ba902b7"


@pytest.mark.parametrize("value", [b"a", b"A-z_0.9", b"x" * 128])
def test_takes_a_well_formed_id(value: bytes) -> None:
    """The caller's own id is taken when it is well-formed."""
    assert request_id([(b"x-request-id", value)]) == value.decode()


@pytest.mark.parametrize(
    "value", [b"", b"x" * 129, b"a b", b"a\nb", b'"', b"\xff", b"a;b", b"../etc", b"a\n"]
)
def test_replaces_a_malformed_id(value: bytes) -> None:
    """An id that could break a log or a header is replaced by 32 hexadecimal digits."""
    made = request_id([(b"x-request-id", value)])
    assert len(bytes.fromhex(made)) == 16


def test_ids_differ() -> None:
    """Two requests without ids get two ids."""
    assert request_id([]) != request_id([])


@pytest.mark.parametrize(
    "value",
    [b"00-" + TRACE + b"-" + PARENT + b"-01", b"cc-" + TRACE + b"-" + PARENT + b"-01-what-comes"],
)
def test_takes_the_trace_id(value: bytes) -> None:
    """A valid traceparent gives its trace id, also in a version to come."""
    assert request_id([(b"traceparent", value)]) == TRACE.decode()


@pytest.mark.parametrize(
    "value",
    [
        b"ff-" + TRACE + b"-" + PARENT + b"-01",
        b"00-" + b"0" * 32 + b"-" + PARENT + b"-01",
        b"00-" + TRACE + b"-" + b"0" * 16 + b"-01",
        b"00-" + TRACE.upper() + b"-" + PARENT + b"-01",
        b"00-" + TRACE + b"-" + PARENT + b"-01-more",
        b"00-" + TRACE,
    ],
)
def test_ignores_an_invalid_traceparent(value: bytes) -> None:
    """An invalid traceparent (W3C Trace Context, section 3.2) gives nothing."""
    assert request_id([(b"traceparent", value)]) != TRACE.decode()


def test_the_explicit_id_wins() -> None:
    """X-Request-ID is taken before a traceparent, in either order."""
    headers = [
        (b"traceparent", b"00-" + TRACE + b"-" + PARENT + b"-01"),
        (b"x-request-id", b"mine"),
    ]
    assert request_id(headers) == request_id(headers[::-1]) == "mine"
