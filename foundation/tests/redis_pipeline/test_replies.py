"""The bytes of replies, whole, in parts and malformed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import InvalidResponse, NoScriptError, ReadOnlyError, ResponseError

from bedplate.redis_pipeline.replies import MAX_DEPTH, MAX_LINE_BYTES, ReplyParser

LINES = st.binary(max_size=20).filter(lambda line: b"\r\n" not in line + b"\n")
SCALARS = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=40),
    st.text("abc ", max_size=20).map(ResponseError),
)
REPLIES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4), max_leaves=12)
MALFORMED = (
    b"HTTP/1.1 400 Bad Request\r\n", b"\r\n", b"%1\r\n", b"$\r\n", b"$5x\r\n", b"$ 5\r\n",
    b"$+5\r\n", b"$-2\r\n", b"$1_0\r\n", b"$3\r\nabcde", b"$0\r\nab", b"$536870913\r\n", b"*-2\r\n",
    b"*x\r\n", b"*1\r\nx", b":\r\n", b":1.5\r\n", b":1_0\r\n", b":" + b"1" * 30, b"$" + b"1" * 30,
    b"+" + b"x" * (MAX_LINE_BYTES + 2), b"*1\r\n" * (MAX_DEPTH + 1), b"$1\n\n" + b"x" * 30,
)  # fmt: skip
EMPTY: tuple[tuple[bytes, Any], ...] = (
    (b"*-1\r\n", None), (b"*0\r\n", []), (b":+5\r\n", 5), (b"$0\r\n\r\n", b""),
    (b"*1\r\n*0\r\n", [[]]),
)  # fmt: skip


def _packed(reply: Any) -> bytes:
    if reply is None:
        return b"$-1\r\n"
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if isinstance(reply, bytes):
        return b"$%d\r\n%b\r\n" % (len(reply), reply)
    if isinstance(reply, ResponseError):
        return b"-%b\r\n" % str(reply).encode()
    return b"*%d\r\n" % len(reply) + b"".join(map(_packed, reply))


def _comparable(reply: Any) -> Any:
    if isinstance(reply, ResponseError):
        return type(reply), str(reply)
    return [_comparable(item) for item in reply] if isinstance(reply, list) else reply


def _read(data: bytes, cuts: list[int]) -> tuple[list[Any], bool]:
    """Return the replies in `data` cut at some positions, and whether it was malformed."""
    replies: list[Any] = []
    parser = ReplyParser(replies.append)
    ends = [*sorted({min(cut, len(data)) for cut in cuts}), len(data)]
    try:
        for begin, end in zip([0, *ends], ends, strict=False):
            parser.feed(data[begin:end])
    except InvalidResponse:
        return _comparable(replies), True
    return _comparable(replies), False


@given(st.lists(REPLIES, max_size=5), st.lists(st.integers(0, 300), max_size=8))
def test_any_split_gives_the_same_replies(replies: list[Any], cuts: list[int]) -> None:
    """Whatever the parts in which the bytes come, byte by byte too."""
    data = b"".join(map(_packed, replies))
    assert _read(data, cuts) == (_comparable(replies), False)
    assert _read(data, list(range(len(data)))) == (_comparable(replies), False)


@given(LINES)
def test_a_simple_string_is_bytes(line: bytes) -> None:
    """As `+OK` is, up to the end of the line."""
    data = b"+%b\r\n" % line
    assert _read(data, list(range(len(data)))) == ([line], False)


@pytest.mark.parametrize(("data", "reply"), EMPTY)
def test_what_is_empty_or_absent(data: bytes, reply: Any) -> None:
    """Null arrays, empty arrays and empty strings."""
    assert _read(data, []) == ([reply], False)


def test_errors_are_those_of_redis_py() -> None:
    """Known ones by their class and without their code, as redis-py names them."""
    known = b"-NOSCRIPT No matching script.\r\n-READONLY You can't write.\r\n-WRONGTYPE No.\r\n"
    assert _read(known, []) == (
        [
            (NoScriptError, "No matching script."),
            (ReadOnlyError, "You can't write."),
            (ResponseError, "WRONGTYPE No."),
        ],
        False,
    )


@pytest.mark.parametrize("data", MALFORMED)
def test_malformed_bytes_are_an_error(data: bytes) -> None:
    """Found at once, in one part or byte by byte, after the replies before them."""
    assert _read(b"+OK\r\n" + data, []) == ([b"OK"], True)
    assert _read(b"+OK\r\n" + data, list(range(200))) == ([b"OK"], True)


@given(st.binary(max_size=60) | st.text("+-:$*0123\r\nx", max_size=60).map(str.encode))
def test_any_bytes_end_in_the_same_way(data: bytes) -> None:
    """Replies, the lack of more, or `InvalidResponse`: the same whole and byte by byte."""
    assert _read(data, []) == _read(data, list(range(len(data))))


def test_a_big_reply_in_small_parts_costs_time_in_proportion() -> None:
    """8 MB in 8,000 parts are not copied with each part, and 100,000 items are read once."""
    big = [b"x" * 8_000_000, [b"y"] * 100_000]
    data = b"".join(map(_packed, big))
    assert _read(data, list(range(0, len(data), 1_000))) == (big, False)
